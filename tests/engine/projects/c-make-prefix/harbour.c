#include <math.h>
#include <stdio.h>
#include "harbour.h"

int harbour_level(const char *name, int hour, double *out)
{
	char path[512];
	double mean, range;
	FILE *f;
	int ok;

	snprintf(path, sizeof path, "%s/%s.tide", DATADIR, name);
	f = fopen(path, "r");
	if (!f)
		return -1;
	ok = fscanf(f, "%lf %lf", &mean, &range) == 2;
	fclose(f);
	if (!ok)
		return -1;
	*out = mean + range * cos(hour * 2 * 3.14159265358979 / 12.42);
	return 0;
}
