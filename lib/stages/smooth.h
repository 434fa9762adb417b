/* smooth.h - augmentation smoothing: the mean map of an input and of changed forms of it. */
#ifndef KLDVE_LIB_SMOOTH_H
#define KLDVE_LIB_SMOOTH_H

#include <stddef.h>
#include <stdint.h>

enum { KLDVE_SMOOTH_VARIANTS = 6 }; /**< number 0 is the input itself */

/** Input -> changed form number `variant`; formula in smooth.c.  Both [rows][width], where the rows
 *  are those of all channels, and apart from each other. */
void kldve_smooth_change(const float *input, size_t rows, size_t width, int32_t variant,
                         float *changed);

/** Add the normalised map [height][width] of that form, brought back to the place of the input's,
 *  to `sum`.  `sign` is a kldve_sign: the zero of signed maps is at 1/2, in the sum it is at 0. */
void kldve_smooth_add(int32_t sign, const float *map, size_t height, size_t width, int32_t variant,
                      float *sum);

#endif
