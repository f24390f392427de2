#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include "db.h"

int db_total(const char *name, char *out, int size)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	int rc = -1;

	if (sqlite3_open_v2(getenv("BIRTHS_DB"), &db, SQLITE_OPEN_READONLY, 0))
		return -1;
	if (!sqlite3_prepare_v2(db, "SELECT coalesce(sum(n), 0) FROM names WHERE name = ?", -1, &st, 0)) {
		sqlite3_bind_text(st, 1, name, -1, SQLITE_TRANSIENT);
		if (sqlite3_step(st) == SQLITE_ROW) {
			snprintf(out, size, "%s %d\n", name, sqlite3_column_int(st, 0));
			rc = 0;
		}
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	return rc;
}
