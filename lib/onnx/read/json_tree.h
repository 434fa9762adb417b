/* json_tree.h - the text of a JSON document (RFC 8259) becomes a tree.
 *
 * Strict: nothing but blanks may follow the value, no commas too many, no NaN, valid UTF-8. Numbers
 * do not depend on the locale. */
#ifndef KLDVE_ONNX_JSON_TREE_H
#define KLDVE_ONNX_JSON_TREE_H

#include "read/arena.h"

enum { KX_JSON_DEPTH = 32 /**< of nested lists and objects */ };

typedef enum kx_json_kind {
    KX_JSON_NULL,
    KX_JSON_BOOLEAN,
    KX_JSON_NUMBER,
    KX_JSON_STRING,
    KX_JSON_LIST,
    KX_JSON_OBJECT
} kx_json_kind;

typedef struct kx_json {
    kx_json_kind kind;
    double number;               /**< true is 1, false 0 */
    size_t count;                /**< bytes of a string; items */
    const char *text;            /**< of a string, in UTF-8 with a 0 behind it */
    const char *name;            /**< in an object, the same; else NULL */
    const struct kx_json *first; /**< item, or NULL */
    const struct kx_json *next;  /**< in the same list or object, or NULL */
} kx_json;

/** Why a text is no JSON. */
typedef struct kx_json_fault {
    const char *reason; /**< a clause in static storage; NULL: out of memory */
    bool early;         /**< the text ends too early */
    int line;           /**< from 1 on */
} kx_json_fault;

/** @param out    On success in the arena, like all that it points to.
 *  @param fault  Filled in after a failure.
 *  @return false: a failure. */
bool kx_json_read(kx_arena *arena, const char *text, size_t nbytes, const kx_json **out,
                  kx_json_fault *fault);

/** The item of this name; NULL: there is none, or `object` is not an object.  Of several it is the
 * last. */
const kx_json *kx_json_find(const kx_json *object, const char *name);

#endif
