/* folder.h - a folder of the running test, for files that it makes. */
#ifndef KLDVE_TESTS_FOLDER_H
#define KLDVE_TESTS_FOLDER_H

#include "support.h"

/** For the set-up and tear-down of a group: make the folder, in the current one; remove it with
 * what is in it. */
int test_folder_make(void **state);
int test_folder_remove(void **state);

const char *test_folder(void);
/** test_path() of a name in the folder. */
const char *test_in_folder(const char *name);
/** Remove what is in the folder; returns how many names there were. */
int test_folder_clear(void);

#endif
