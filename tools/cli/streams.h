/* streams.h - "-" in place of a file: standard input and standard output. */
#ifndef KLDVE_TOOLS_STREAMS_H
#define KLDVE_TOOLS_STREAMS_H

#include "tool.h"

/** Whether a name, which may be NULL, is "-". */
bool is_stream(const char *path);

/** Refuse standard input for more than one picture, or a terminal as the picture.  EXIT_DONE, or
 *  EXIT_USAGE after a message. */
int streams_check_inputs(const char *command, const arg_list *pictures);

/** Refuse to write a file that is no text to a terminal, unless `force`.  EXIT_DONE, or EXIT_USAGE
 *  after a message. */
int streams_check_binary(const char *command, const guard_output *output, bool force);

/** kldve_image_load(), or with `keep_grey` kldve_image_load_compact(), which for "-" reads standard
 *  input to its end.  False after a message. */
bool picture_load(kldve_ctx *ctx, const char *path, bool keep_grey, kldve_image **out);

/** kldve_image_save(), which for "-" writes a PNG to standard output.  False after a message. */
bool picture_save(kldve_ctx *ctx, const kldve_image *image, const char *path);

#endif
