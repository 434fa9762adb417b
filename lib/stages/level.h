/* level.h - the value of a map above which a part of it lies. */
#ifndef KLDVE_LIB_STAGES_LEVEL_H
#define KLDVE_LIB_STAGES_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

/** Values of a map, which count by their magnitude: v, of a signed map 2 |v - 1/2|. */
typedef struct kldve_values {
    const float *value;
    size_t count;
    bool is_signed;
} kldve_values;

float kldve_magnitude(float value, bool is_signed);

/** The sum of the magnitudes that are at least t; *above: how many are larger, *sum_above: their
 *  sum. */
double kldve_sum_from(const kldve_values *values, float t, size_t *above, double *sum_above);

/** The largest t such that magnitudes of at least t have `part` (0..1) of the sum of all; 0 where
 *  all are 0. */
float kldve_level_of_sum(const kldve_values *values, double part);

/** The smallest t such that at most `part` (0 to below 1) of the magnitudes that are not 0 lie
 *  above it; with 0 the largest magnitude. */
float kldve_level_of_count(const kldve_values *values, double part);

#endif
