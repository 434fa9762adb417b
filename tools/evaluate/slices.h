/* slices.h - the large arrays of a JSON file, item by item, without a tree of the whole file: that
 * would take some twenty times its size.  Each item is then read by json-c. */
#ifndef KLDVE_TOOLS_SLICES_H
#define KLDVE_TOOLS_SLICES_H

#include <json-c/json.h>

#include <stdbool.h>
#include <stddef.h>

enum { SLICE_DEPTH = 32, SLICE_MAX = 64 << 20 /* bytes of an item */ };

/** Some bytes of a file; NULL: there are none. */
typedef struct slice {
    const char *at;
    size_t nbytes;
} slice;

/** Find members of the object that a file consists of; of a name that is not there the slice is
 *  empty, of one that is there twice the last counts, as in json-c.  False after a message. */
bool slice_members(const char *path, const char *text, size_t nbytes, const char *const *name,
                   slice *out, int count);

/** Go through an array: the next item, and what is left of the array.  1; 0: no more; -1 after a
 *  message: it is no array, or its text is broken.  Begin with rest->at at its '['. */
int slice_next(const char *path, const char *text, slice *rest, slice *item);

/** Read an item.  NULL: it is no JSON, too deep or too long. */
json_object *slice_read(const slice *item);

#endif
