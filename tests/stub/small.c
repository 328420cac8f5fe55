/* The small parts on their own. `hash`: XXH64 of standard input. `say NAME TEXT`: a message. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "xxh64.h"

int main(int argc, char **argv)
{
    static char buffer[1 << 20];
    if (argc == 2 && strcmp(argv[1], "hash") == 0) {
        size_t size = fread(buffer, 1, sizeof buffer, stdin);
        char *copy = malloc(size ? size : 1); /* what is read beyond its end is noticed */
        memcpy(copy, buffer, size);
        printf("%016" PRIx64 "\n", cw_xxh64(copy, size));
        free(copy);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "say") == 0) {
        cw_say(argv[2], "%s", argv[3]);
        cw_say(argv[2], "100%% of %s, %s", argv[3], argv[4]); /* NULL */
        cw_die(124, NULL, "the end");
    }
    return 2;
}
