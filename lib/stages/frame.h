/* frame.h - places of the picture as places of the network's input, and back. */
#ifndef KLDVE_LIB_FRAME_H
#define KLDVE_LIB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preprocess.h"

/** The picture and what the network sees of it. */
typedef struct kldve_frame {
    kldve_view view;
    int32_t width, height; /**< of the picture, pixels */
} kldve_frame;

/** The centre of pixel x, y in parts of the input's width and height.  False: the network does not
 *  see it. */
bool kldve_frame_point(const kldve_frame *f, int32_t x, int32_t y, float out[2]);

/** Pixels that are not 0 of region [height][width] -> weight [in_height][in_width], each the share
 *  of the pixels of the region that lie in that pixel of the input; their sum is 1.
 *  @return how many pixels of the region the network sees; 0: none, and all weights are 0. */
size_t kldve_frame_region(const kldve_frame *f, const uint8_t *region, int32_t in_height,
                          int32_t in_width, float *weight);

/** x0, y0, x1, y1 in parts of the input -> in pixels of the picture. */
void kldve_frame_box(const kldve_frame *f, const float in[4], float out[4]);

/** What of the picture is seen: x0, y0, x1, y1 in its pixels, without padding. */
void kldve_frame_seen(const kldve_frame *f, float out[4]);

#endif
