/* No snapshot is ever made: COACHWHIP_BAKE means nothing to a hardened product. */
#include "bake.h"

#include <stddef.h>

const char *cw_bake_plan(void)
{
    return NULL;
}

void cw_bake_begin(char **argv)
{
    (void)argv;
}

void cw_bake(const char *plan)
{
    (void)plan;
}
