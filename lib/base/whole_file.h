/* whole_file.h - a file that appears whole or not at all, whatever ends the process before.  POSIX
 * alone, no context: the command compiles it, too. */
#ifndef KLDVE_LIB_WHOLE_FILE_H
#define KLDVE_LIB_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { KLDVE_WHOLE_PATH = 4096 /* bytes of a path, as Linux has them */ };

/** A file that is being written. */
typedef struct kldve_whole_file {
    int fd;                           /**< write here */
    char temporary[KLDVE_WHOLE_PATH]; /**< its name so far; "": it has none */
} kldve_whole_file;

/** Begin a new file in the folder of `path`.  It has no name where the system can make such files
 *  (O_TMPFILE): then nothing is left of it if the process is killed.  Elsewhere it has a hidden
 * name made from that of `path`; the next one who writes `path` removes what a killed process left.
 *  @return false, with errno. */
bool kldve_whole_begin(kldve_whole_file *w, const char *path);

/** The same with a name in any case, for those who open the file again. */
bool kldve_whole_begin_named(kldve_whole_file *w, const char *path);

/** Have its bytes on the disk, which takes some 30 ms.  @return false, with errno. */
bool kldve_whole_flush(const kldve_whole_file *w);

/** Make the file appear as `path`, on the file system that it was begun on; a file of that name is
 *  replaced in one step, once the new bytes are on the disk, so that a power failure does not cost
 *  both.  It is closed in any case.
 *  @param mode  Permissions of the file that is replaced; -1: there is none.
 *  @return false, with errno: nothing is left, and what was there before still is. */
bool kldve_whole_end(kldve_whole_file *w, const char *path, int mode);

/** Give it up.  errno stays. */
void kldve_whole_drop(kldve_whole_file *w);

/** Write all bytes.  @return false, with errno. */
bool kldve_write_all(int fd, const void *bytes, size_t nbytes);

/** Close, which may be when a full disk shows.  @return false, with errno. */
bool kldve_close(int fd);

#endif
