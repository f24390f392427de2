int harbour_level(const char *name, int hour, double *out);
