/* overlay.h - the heat over the picture. */
#ifndef KLDVE_LIB_IMAGE_OVERLAY_H
#define KLDVE_LIB_IMAGE_OVERLAY_H

#include <stdint.h>

/** A rectangle of pixels, x and y of its upper left one. */
typedef struct kldve_rect {
    int32_t x, y, width, height;
} kldve_rect;

/** Blend coloured heat into a picture and darken what lies outside of it; formula in overlay.c.
 *  @param rgb       [height][width][3], changed in place.
 *  @param heat      [seen.height][seen.width], values 0..1 (clamped; NaN counts as 0).
 *  @param seen      where the heat lies, inside of the picture.
 *  @param colormap  a kldve_colormap.
 *  @param opacity   of the heat, 0..1. */
void kldve_overlay(uint8_t *rgb, int32_t width, int32_t height, const float *heat, kldve_rect seen,
                   int32_t colormap, float opacity);

#endif
