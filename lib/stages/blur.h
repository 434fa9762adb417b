/* blur.h - a map smoothed by a Gaussian. */
#ifndef KLDVE_LIB_STAGES_BLUR_H
#define KLDVE_LIB_STAGES_BLUR_H

#include <stdint.h>

/** Blur map [height][width] in place; formula in blur.c.
 *  @param sigma  Of rows and columns, in cells, at least 0; 0 does nothing.
 *  @param room   [2 * the longer side], overwritten. */
void kldve_blur(float *map, int32_t height, int32_t width, const double sigma[2], float *room);

#endif
