/* outline.h - thin rectangles drawn into a picture. */
#ifndef KLDVE_LIB_OUTLINE_H
#define KLDVE_LIB_OUTLINE_H

#include <stdint.h>

#include "overlay.h"

/** A box in parts of the width and height as an outline in pixels. */
typedef struct kldve_line {
    int32_t side[4]; /**< x0, y0, x1, y1 */
    int32_t line;    /**< pixels, how thick; 0: nothing to draw */
} kldve_line;

/** Pixels, for lines in a picture of this size. */
int32_t kldve_line_thickness(int32_t width, int32_t height);

/** A number that is not finite draws nothing. */
kldve_line kldve_outline_of(const float box[4], int32_t line, int32_t width, int32_t height);

/** Draw what falls into row y: a light line with a dark one on either side, so that it is seen on
 *  any ground.  rgb [width][3]. */
void kldve_outline_row(const kldve_line *outline, int32_t y, int32_t width, uint8_t *rgb);

/** Draw what falls into row y of a frame around a rectangle: outside of it, first a light line,
 * then a dark one, each `line` pixels thick.  rgb [width][3]. */
void kldve_frame_row(const kldve_rect *inside, int32_t line, int32_t y, int32_t width,
                     uint8_t *rgb);

#endif
