/* correlation.h - how far two maps are the same up to a scale and an offset. */
#ifndef KLDVE_LIB_CORRELATION_H
#define KLDVE_LIB_CORRELATION_H

#include <stddef.h>

/** Pearson's correlation of two maps [count], finite: -1 to 1; NaN where one of them is constant.
 * Formula in correlation.c. */
double kldve_pearson(const float *a, const float *b, size_t count);

#endif
