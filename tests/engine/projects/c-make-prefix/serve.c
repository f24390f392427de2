#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "serve.h"

static void stop(int sig) { (void)sig; _exit(0); }

void serve(int port, answer_fn answer)
{
	static char in[4096], body[65536], head[256];
	int on = 1, s = socket(AF_INET, SOCK_STREAM, 0), c;
	struct sockaddr_in a;

	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	signal(SIGPIPE, SIG_IGN);
	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_port = htons(port);
	a.sin_addr.s_addr = INADDR_ANY;
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 16)) {
		perror("listen");
		exit(1);
	}
	while ((c = accept(s, 0, 0)) >= 0) {
		char path[1024] = "/";
		int n = read(c, in, sizeof in - 1), len, status;
		if (n > 0) {
			in[n] = 0;
			sscanf(in, "GET %1023s", path);
			status = answer(path, body, sizeof body);
			len = strlen(body);
			snprintf(head, sizeof head, "HTTP/1.0 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
				 status, status == 200 ? "OK" : "Not Found", len);
			if (write(c, head, strlen(head)) < 0 || write(c, body, len) < 0)
				perror("write");
		}
		shutdown(c, SHUT_WR);
		close(c);
	}
}
