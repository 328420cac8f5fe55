/* No snapshot is ever made: COACHWHIP_BAKE means nothing to a hardened product. */
#include "bake.h"

#include <stddef.h>

const char *cw_bake_plan(void)
{
    return NULL;
}

int cw_bake_here(void)
{
    return -1;
}

void cw_bake_begin(char **argv)
{
    (void)argv;
}

void cw_bake(const char *plan)
{
    (void)plan;
}
