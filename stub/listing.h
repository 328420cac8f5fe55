/* Directories of the image as libpython lists them, through --wrap: os.listdir, os.scandir and what is made of them
 * unpack nothing. A stream of this kind is none of libc's, and no other code gets to see it. */
#ifndef CW_LISTING_H
#define CW_LISTING_H

#include <dirent.h>

/* opendir(3) for everybody else: what is below a directory of the image is unpacked. */
DIR *cw_open_unpacked(const char *path);

DIR *__wrap_opendir(const char *path);
struct dirent *__wrap_readdir(DIR *stream);
struct dirent64 *__wrap_readdir64(DIR *stream);
void __wrap_rewinddir(DIR *stream);
int __wrap_closedir(DIR *stream);

#endif
