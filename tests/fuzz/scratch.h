/* scratch.h - a folder for what can only be read from a file. */
#ifndef KLDVE_TESTS_FUZZ_SCRATCH_H
#define KLDVE_TESTS_FUZZ_SCRATCH_H

#include <stddef.h>

/** A folder of this process in memory, where the system has one (/dev/shm), else in TMPDIR or /tmp;
 *  it is removed at exit with what is in it. */
const char *scratch_folder(void);
/** Write FOLDER/NAME anew.  @return its path, in a buffer that rotates. */
const char *scratch_file(const char *name, const void *bytes, size_t nbytes);
/** The path of FOLDER/NAME, in the same buffers. */
const char *scratch_path(const char *name);
/** Make a folder in it. */
void scratch_subfolder(const char *name);

#endif
