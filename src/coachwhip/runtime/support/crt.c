/* What a compiler's crtbegin.o would define. */
__attribute__((visibility("hidden"))) void *__dso_handle = 0;
