/* All objects that the collector knows. */
#ifndef CW_VISIT_H
#define CW_VISIT_H

#include <Python.h>

#include <stdbool.h>

/* Calls `visit` for each until it returns 0; `only_new` leaves out those that are frozen. */
void cw_visit_objects(bool only_new, gcvisitobjects_t visit, void *argument);

#endif
