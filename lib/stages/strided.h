/* strided.h - feature maps wherever a host's inference has them. */
#ifndef KLDVE_LIB_STRIDED_H
#define KLDVE_LIB_STRIDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** [maps][height][width] numbers, those of map m, row y and column x at
 *  `at` + m * map + y * row + x * column bytes. */
typedef struct kldve_strided {
    const void *at;
    int32_t maps, height, width;
    ptrdiff_t map, row, column; /**< bytes */
    int32_t type;               /**< a kldve_array_type */
} kldve_strided;

/** Of float32, row-major, without gaps. */
kldve_strided kldve_strided_plain(const float *at, int32_t maps, int32_t height, int32_t width);
bool kldve_strided_is_plain(const kldve_strided *s);

/** a[m] = mean over the cells of map m. */
void kldve_strided_mean(const kldve_strided *s, double *a);

/** E = sum over m of a[m] x_m.  a [maps] -> map [height * width]. */
void kldve_strided_sum(const kldve_strided *s, const float *a, float *map);

/** A copy that is plain. */
void kldve_strided_gather(const kldve_strided *s, float *out);

/** Of the first number, row-major, that is NaN or infinite: its index and *value; else the count of
 *  all numbers. */
size_t kldve_strided_finite(const kldve_strided *s, float *value);

bool kldve_strided_all_zero(const kldve_strided *s);

#endif
