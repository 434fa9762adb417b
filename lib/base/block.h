/* block.h - one allocation cut into arrays.
 *
 * Run the same cuts twice: first with base NULL, which only adds up `size`, then, after allocating
 * that much, with base set.  Every array starts at a multiple of 64 bytes. */
#ifndef KLDVE_LIB_BLOCK_H
#define KLDVE_LIB_BLOCK_H

#include <assert.h>

#include "size.h"

enum { KLDVE_BLOCK_ALIGN = 64 };

/** Start with {base, 0, false}. */
typedef struct kldve_block {
    unsigned char *base; /**< NULL: only measure */
    size_t size;         /**< bytes cut so far */
    bool overflow;       /**< the sum does not fit into a size_t */
} kldve_block;

/** The next array of `count` items of `nbytes`; NULL while measuring. */
static inline void *kldve_block_cut(kldve_block *block, size_t count, size_t nbytes)
{
    size_t start = block->size, length = 0;

    assert(start % KLDVE_BLOCK_ALIGN == 0);
    if (!kldve_size_mul(count, nbytes, &length) ||
        !kldve_size_add(length, KLDVE_BLOCK_ALIGN - 1, &length) ||
        !kldve_size_add(start, length / KLDVE_BLOCK_ALIGN * KLDVE_BLOCK_ALIGN, &block->size))
        block->overflow = true;
    return block->base && !block->overflow ? block->base + start : NULL;
}

#endif
