/* content.h - what a file is that is not what it was taken for, by its content rather than its
 * name. */
#ifndef KLDVE_TOOLS_CONTENT_H
#define KLDVE_TOOLS_CONTENT_H

#include "tool.h"

/** Whether a file whose name does not end in .onnx is meant as a network: a regular file that
 *  begins as ONNX does, or one with the name of another format, whose failure to load says how to
 *  export it. */
bool content_is_network(const char *path);

/** complain_ctx() after a network could not be loaded from a file.  If the file is something else,
 *  say what it is and how a network is made of it. */
void complain_network(const kldve_ctx *ctx, const char *path, kldve_status status);
/** The same of a picture. */
void complain_picture(const kldve_ctx *ctx, const char *path, kldve_status status);
/** The same of a picture in memory, called `name`.  False: nothing was said. */
bool content_says_no_picture(const char *name, const void *bytes, size_t nbytes);

#endif
