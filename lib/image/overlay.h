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

/** Blend coloured heat into a picture and darken what lies outside it; formula in overlay.c.
 *  @param rgb       [height][width][3], changed in place.
 *  @param heat      [seen.height][seen.width], values 0..1 (clamped; NaN counts as 0).
 *  @param seen      where the heat lies. */
void kldve_overlay(uint8_t *rgb, int32_t width, int32_t height, const float *heat, kldve_rect seen,
                   kldve_heat_style style);

#endif
