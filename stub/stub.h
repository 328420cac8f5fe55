/* What the parts of the stub share: the open image and how to give up. */
#ifndef CW_STUB_H
#define CW_STUB_H

#include "image.h"

/* Where the product's own files appear; src/coachwhip/model.py has the same. */
#define CW_ROOT "/__app__"
#define CW_PYTHON CW_ROOT "/bin/python3"

/* The product's image; opened by main before anything else. */
extern struct cw_image cw_image;

/* Exit codes of the stub itself, documented in docs/reference/exit-codes.md. */
enum { CW_EXIT_DAMAGED = 125, CW_EXIT_START = 124 };

#endif
