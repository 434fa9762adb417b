/* confine.h - files that another file names: they stay in its folder. */
#ifndef KLDVE_ONNX_CONFINE_H
#define KLDVE_ONNX_CONFINE_H

#include <limits.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

typedef enum kx_confined {
    KX_CONFINED_INSIDE,
    KX_CONFINED_OUTSIDE,
    KX_CONFINED_LONG,      /**< longer than a path can be */
    KX_CONFINED_NO_FOLDER, /**< the folder cannot be found; errno says why */
    KX_CONFINED_NO_FILE    /**< nor the file */
} kx_confined;

/** Where `location` lies, which a file in `folder` names.  An absolute path, one with "..", and one
 *  whose symbolic links lead out of the folder lie outside.
 *  @param folder  "" is the working folder.
 *  @param real    Of KX_CONFINED_INSIDE: the absolute path without links. */
kx_confined kx_confine(const char *folder, const char *location, char real[PATH_MAX]);

/** Open what kx_confine() found, with no link in any part of the path: what has been put in its
 *  place since is not followed.  A pipe does not block.
 *  @return A descriptor; -1, with errno. */
int kx_open_confined(const char *real);

#endif
