#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "db.h"

static enum MHD_Result answer(void *cls, struct MHD_Connection *conn, const char *url, const char *method,
			      const char *version, const char *data, size_t *size, void **ptr)
{
	char body[256] = "no database\n";
	struct MHD_Response *r;
	enum MHD_Result ret;
	int status = 200;

	if (db_total(url + 1, body, sizeof body))
		status = 500;
	r = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_COPY);
	MHD_add_response_header(r, "Content-Type", "text/plain");
	ret = MHD_queue_response(conn, status, r);
	MHD_destroy_response(r);
	return ret;
}

int main(void)
{
	sigset_t set;
	int sig;
	struct MHD_Daemon *d;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, 0);
	d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 8888, 0, 0, &answer, 0, MHD_OPTION_END);
	if (!d)
		return 1;
	sigwait(&set, &sig);
	MHD_stop_daemon(d);
	return 0;
}
