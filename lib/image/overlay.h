/* overlay.h - the heat over the picture. */
#ifndef KLDVE_LIB_IMAGE_OVERLAY_H
#define KLDVE_LIB_IMAGE_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

/** A rectangle of pixels; x and y are its upper left one. */
typedef struct kldve_rect {
    int32_t x, y, width, height;
} kldve_rect;

/** How heat is drawn. */
typedef struct kldve_heat_style {
    int32_t colormap; /**< a kldve_colormap */
    float opacity;    /**< of the strongest heat, 0..1 */
    bool is_signed;   /**< 0.5 is zero and leaves the picture unchanged */
} kldve_heat_style;

enum { KLDVE_HEAT_LEVELS = 256 };

/** What one level of heat does to a picture. */
typedef struct kldve_paint {
    uint8_t colour[3];
    int32_t weight; /**< of the colour, in 2^-16 */
} kldve_paint;

/** The paint of every level of heat; formula in overlay.c. */
void kldve_heat_paint(kldve_heat_style style, kldve_paint paints[KLDVE_HEAT_LEVELS]);

/** Blend heat into a part of a row and darken what lies outside it.
 *  @param count  0, with x = width: all of it.
 *  @param heat  [count], values 0..1 (clamped; NaN counts as 0), for the pixels from x on.
 *  @param rgb   [width][3], changed in place. */
void kldve_overlay_row(const kldve_paint paints[KLDVE_HEAT_LEVELS], int32_t x, int32_t count,
                       const float *heat, int32_t width, uint8_t *rgb);

#endif
