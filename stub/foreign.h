/* Extension modules, and whether objects are left whose end their code decides. */
#ifndef CW_FOREIGN_H
#define CW_FOREIGN_H

#include <stdbool.h>

/* Whether something might notice that an object does not end: an object that code of an extension module frees. Code
 * that the builder found to leave the world outside of the process alone does not count. */
bool cw_has_foreign_objects(void);

#endif
