#include <ruby.h>
#include <sqlite3.h>

static VALUE visit(VALUE self, VALUE path)
{
    sqlite3 *db;
    sqlite3_stmt *row;
    int count = -1;

    if (sqlite3_open(StringValueCStr(path), &db) != SQLITE_OK)
        rb_raise(rb_eRuntimeError, "%s", sqlite3_errmsg(db));
    sqlite3_exec(db, "create table if not exists visits (at integer); insert into visits values (1)", NULL, NULL, NULL);
    if (sqlite3_prepare_v2(db, "select count(*) from visits", -1, &row, NULL) == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW)
        count = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return INT2NUM(count);
}

void Init_counter(void)
{
    VALUE module = rb_define_module("Counter");
    rb_define_singleton_method(module, "visit", visit, 1);
}
