int db_total(const char *name, char *out, int size);
