/* isolines.h - lines of equal value drawn into a picture. */
#ifndef KLDVE_LIB_IMAGE_ISOLINES_H
#define KLDVE_LIB_IMAGE_ISOLINES_H

#include <stdint.h>

/** One value and the colour of its line, which a line of another colour follows on either side. */
typedef struct kldve_isoline {
    float level;
    uint8_t colour[3], edge[3];
} kldve_isoline;

/** Draw what falls into one row; formula in isolines.c.
 *  @param lines  [count].
 *  @param thick  Pixels, of each line; the two at its sides together are as thick.
 *  @param row    Values of the row above, of this one, and of the one below, [width] each.
 *  @param rgb    [width][3], changed in place. */
void kldve_isolines_row(const kldve_isoline *lines, int32_t count, float thick,
                        const float *const row[3], int32_t width, uint8_t *rgb);

#endif
