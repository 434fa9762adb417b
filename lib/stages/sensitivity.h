/* sensitivity.h - does the map depend on the class? */
#ifndef KLDVE_LIB_SENSITIVITY_H
#define KLDVE_LIB_SENSITIVITY_H

#include <stddef.h>

/** 1 - r, r the Pearson correlation of two maps [count]; formula in sensitivity.c. */
double kldve_sensitivity(const float *a, const float *b, size_t count);

#endif
