/* outline.h - a thin rectangle drawn into a picture. */
#ifndef KLDVE_LIB_OUTLINE_H
#define KLDVE_LIB_OUTLINE_H

#include <stdint.h>

/** Draw the outline of x0, y0, x1, y1, in parts of the width and height, as a light line with a
 * dark one on either side, so that it is seen on any ground.  What lies outside is cut off; a
 * number that is not finite draws nothing.  rgb [height][width][3]. */
void kldve_outline(uint8_t *rgb, int32_t width, int32_t height, const float box[4]);

#endif
