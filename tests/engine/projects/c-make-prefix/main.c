#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "harbour.h"
#include "serve.h"

static int answer(const char *path, char *body, int size)
{
	double level;
	int hour;

	if (strchr(path + 1, '/')) {
		snprintf(body, size, "no\n");
		return 404;
	}
	body[0] = 0;
	for (hour = 0; hour < 24; hour += 6) {
		if (harbour_level(path + 1, hour, &level)) {
			snprintf(body, size, "no such harbour\n");
			return 404;
		}
		snprintf(body + strlen(body), size - strlen(body), "%02d:00 %.2f\n", hour, level);
	}
	return 200;
}

int main(int argc, char **argv)
{
	int port = 80, o;

	while ((o = getopt(argc, argv, "p:")) != -1)
		if (o == 'p')
			port = atoi(optarg);
	serve(port, answer);
	return 0;
}
