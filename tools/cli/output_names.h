/* output_names.h - where the result of each picture goes that has no name of its own. */
#ifndef KLDVE_TOOLS_OUTPUT_NAMES_H
#define KLDVE_TOOLS_OUTPUT_NAMES_H

#include "tool.h"

typedef struct output_names {
    int32_t count;
    char **path;      /**< [count], in the order of the sources */
    const char *made; /**< the folder that was made for them; NULL: none */
} output_names;

/** Options of every command that names its outputs itself.  `folder` and `force` are the offsets of
 *  a const char * and a bool. */
#define OUTPUT_NAME_OPTIONS(folder, force)                                                         \
    OPTION_STRING("out-dir", folder, "DIR", "folder of outputs without a name, made if missing"),  \
        OPTION_FLAG("force", force, "replace files that exist; write pictures to a terminal")

/** A name for the result of each source: that of the source with `ending`, as ".kldve.png", in
 *  place of its own, beside the source or, if it is not NULL, in `folder`.  "-", standard input, is
 *  "stdin" in the working folder, which also has the results of devices.  Of sources whose results
 *  would have one name each keeps its ending ("1.png.kldve.png"), and if that does not tell them
 *  apart its folders ("a-1.png.kldve.png"): the names depend on the sources, not on their order.
 *  @return EXIT_DONE, or the exit status after a message: two sources are one.  Free the names in
 *  either case. */
int output_names_make(const char *command, const arg_list *source, const char *folder,
                      const char *ending, output_names *out);
/** Also remove the folder that was made for them if nothing was written to it. */
void output_names_free(output_names *n);

/** Whether one of them may be written: its folder, which is `folder` or that of the source, can be
 *  written to, and no file has that name, unless `force`.  False after a message. */
bool output_name_is_free(const char *path, const char *folder, bool force);

/** Make `folder` unless it is NULL or exists.  False after a message. */
bool output_names_make_folder(output_names *n, const char *folder);

#endif
