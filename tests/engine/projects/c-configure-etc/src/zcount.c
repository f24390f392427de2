#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#else
#define gzFile FILE *
#define gzopen fopen
#define gzgetc fgetc
#define gzclose fclose
#endif

static char label[64] = "words";

static void read_rc(void)
{
	const char *path = getenv("ZCOUNT_RC");
	FILE *f = fopen(path ? path : SYSCONFDIR "/zcount.rc", "r");

	if (!f) {
		fputs("zcount: no zcount.rc\n", stderr);
		exit(1);
	}
	if (fscanf(f, "label=%63s", label) != 1)
		exit(1);
	fclose(f);
}

int main(int argc, char **argv)
{
	int i, c, in;
	long n;

	read_rc();
	for (i = 1; i < argc; i++) {
		gzFile f = gzopen(argv[i], "rb");
		if (!f) {
			perror(argv[i]);
			return 1;
		}
		n = in = 0;
		while ((c = gzgetc(f)) != -1) {
			if (!isspace(c) && !in)
				n++;
			in = !isspace(c);
		}
		gzclose(f);
		printf("%s: %ld %s\n", argv[i], n, label);
	}
	return 0;
}
