/* struct.h - public structs from callers that were compiled against another release. */
#ifndef KLDVE_LIB_STRUCT_H
#define KLDVE_LIB_STRUCT_H

#include <kldve/backend.h>

/** The first byte behind a member. */
#define KLDVE_END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/** Copy the caller's struct, whose first member is its size, into `dst` of this release's size;
 *  what an older caller does not have becomes zero bytes.
 *  @param what      named in the message, for example "options".
 *  @param min_size  of the first release: less means that struct_size was not set.
 *  @return KLDVE_OK, KLDVE_E_ARG, KLDVE_E_UNSUPPORTED (a newer caller sets what this release does
 *          not know). */
kldve_status kldve_struct_load(kldve_ctx *ctx, const char *what, const void *src, size_t min_size,
                               void *dst, size_t size);

/** The other way: as much of `src` as the caller has room for.  Keeps dst's struct_size. */
void kldve_struct_store(const void *src, size_t size, void *dst);

#endif
