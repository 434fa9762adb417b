/* resample_column.h - a row of a resized picture from the rows above and below it. */
#ifndef KLDVE_LIB_RESAMPLE_COLUMN_H
#define KLDVE_LIB_RESAMPLE_COLUMN_H

#include <stddef.h>
#include <stdint.h>

/** Weights are multiples of 2^-22 and sum to about 1. */
enum { KLDVE_WEIGHT_BITS = 22, KLDVE_WEIGHT_HALF = 1 << (KLDVE_WEIGHT_BITS - 1) };

/** A sum of bytes times weights, begun with KLDVE_WEIGHT_HALF -> 0..255. */
static inline uint8_t kldve_weighted_byte(int32_t sum)
{
    int32_t value = sum >> KLDVE_WEIGHT_BITS;

    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/** Rows in [count][nbytes], each times its weight, summed and rounded -> out [nbytes]. */
void kldve_resample_column(const uint8_t *in, size_t nbytes, const int32_t *weight, int32_t count,
                           uint8_t *out);

#endif
