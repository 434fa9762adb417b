/* upsample.h - scale a coarse map up to the size of a picture. */
#ifndef KLDVE_LIB_IMAGE_UPSAMPLE_H
#define KLDVE_LIB_IMAGE_UPSAMPLE_H

#include <stddef.h>
#include <stdint.h>

/** A map, of a film one for each of its frames, below each other: values
 *  [frames][height][width].  All sizes are at least 1. */
typedef struct kldve_film {
    const float *values;
    int32_t frames, height, width;
} kldve_film;

/** Bilinear interpolation with half-pixel centres, clamped at the edges; formula in upsample.c.
 *  map [height][width] -> out [out_height][out_width], all sides at least 1, not overlapping.  A
 *  smaller output is sampled, not averaged. */
void kldve_upsample(const float *map, int32_t height, int32_t width, float *out, int32_t out_height,
                    int32_t out_width);

/** The same of films: trilinear, over time as over space.
 *  -> out [out_frames][out_size[0]][out_size[1]], rows `stride` values apart. */
void kldve_upsample_film(const kldve_film *film, int32_t out_frames, const int32_t out_size[2],
                         ptrdiff_t stride, float *out);

/** Over time only: frame t of `out_frames` -> out [height][width]. */
void kldve_upsample_frame(const kldve_film *film, int32_t out_frames, int32_t t, float *out);

#endif
