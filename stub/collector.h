/* Keeps the cyclic garbage collector from work that finds nothing: while modules are imported, and at the end. */
#ifndef CW_COLLECTOR_H
#define CW_COLLECTOR_H

/* Around the import of modules; may nest, also by other threads. Almost all that imports leave is in use. */
void cw_import_begins(void);
void cw_import_ends(void);

/* Imports the module that the entry is about to import anyway, and takes what that leaves out of later
 * collections. Returns -1 with an exception set on failure. */
int cw_import_entry(const char *module);

/* Takes everything there is out of later collections, before a snapshot is made. Returns -1 with an exception set. */
int cw_freeze_base(void);

/* Calls the finalizers that a snapshot's immortal objects keep from being called, at the very end. */
void cw_finalize_rest(void);

#endif
