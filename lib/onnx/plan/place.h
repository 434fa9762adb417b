/* place.h - where buffers lie in one block of memory: those that are not alive at the same time may
 * share it. */
#ifndef KLDVE_ONNX_PLACE_H
#define KLDVE_ONNX_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /** Every offset is a multiple of it, and so is the total: a cache line, the widest vector. */
    KX_PLACE_ALIGN = 64,
    /** Up to so many buffers share memory.  The search takes the square of their number, which is
     * for networks and not for files made to be slow: more buffers lie one behind the other. */
    KX_MAX_SHARED = 20000
};

/** A buffer holds something from time `first` to time `last`, both included; first <= last. */
typedef struct kx_lifetime {
    size_t bytes;
    int32_t first, last;
} kx_lifetime;

/** Place buffers by falling size (of equal ones the first comes first), each at the lowest offset
 *  where it meets no placed buffer that is alive at the same time.  A buffer takes a multiple of
 *  the alignment, and a buffer of 0 bytes takes one as well.
 *
 *  @param life     [n]
 *  @param scratch  [2 n]
 *  @param offset   [n], written
 *  @param total    bytes of the block; written on success only
 *  @return         false if a size_t cannot hold the sum of all sizes */
bool kx_place_buffers(const kx_lifetime *life, int32_t n, int32_t *scratch, size_t *offset,
                      size_t *total);

#endif
