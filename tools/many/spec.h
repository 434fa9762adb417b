/* spec.h - what a result depends on, as one line of text: two runs with the same text have the same
 * results. */
#ifndef KLDVE_TOOLS_SPEC_H
#define KLDVE_TOOLS_SPEC_H

#include "cli/tool.h"

/** A text that grows: "file sha256:..., layer conv10". */
typedef struct spec {
    FILE *file;
    char *text; /* once the file is closed */
    size_t nbytes;
    bool begun;
} spec;

/** False: out of memory. */
bool spec_open(spec *s);
/** The text, which is the caller's; NULL after a message, or where not `ok`. */
char *spec_close(spec *s, bool ok);

void spec_add(spec *s, const char *format, ...) KLDVE_PRINTF(2, 3);
/** "KEY VALUE"; nothing for NULL and 0. */
void spec_add_text(spec *s, const char *key, const char *value);
void spec_add_number(spec *s, const char *key, double value);
/** The digest of a file; NULL: nothing.  False after a message. */
bool spec_add_file(spec *s, const char *key, const char *path);

/** The values of a command's options, but of those whose names are in `except`, which NULL ends.
 *  Files count by their names. */
void spec_add_options(spec *s, const arg_option *table, const void *values,
                      const char *const *except);

/** A network that is loaded: its files, what was chosen in it, how pictures are prepared.  False
 *  after a message. */
bool spec_add_network(spec *s, const network *net, const network_args *args);

#endif
