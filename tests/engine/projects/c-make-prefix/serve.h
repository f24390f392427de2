typedef int (*answer_fn)(const char *path, char *body, int size);
void serve(int port, answer_fn answer);
