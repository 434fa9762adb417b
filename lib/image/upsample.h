/* upsample.h - scale a coarse map up to the size of a picture. */
#ifndef KLDVE_LIB_IMAGE_UPSAMPLE_H
#define KLDVE_LIB_IMAGE_UPSAMPLE_H

#include <stdint.h>

/** Bilinear interpolation with half-pixel centres, clamped at the edges; formula in upsample.c.
 *  map [height][width] -> out [out_height][out_width], all sides at least 1, not overlapping.  A
 *  smaller output is sampled, not averaged. */
void kldve_upsample(const float *map, int32_t height, int32_t width, float *out, int32_t out_height,
                    int32_t out_width);

#endif
