/* overlay.h - the heat over the picture. */
#ifndef KLDVE_LIB_IMAGE_OVERLAY_H
#define KLDVE_LIB_IMAGE_OVERLAY_H

#include <stdint.h>

/** A rectangle of pixels; x and y are its upper left one. */
typedef struct kldve_rect {
    int32_t x, y, width, height;
} kldve_rect;

/** What heat does to a picture; formulas in overlay.c. */
typedef enum kldve_paint_kind {
    KLDVE_PAINT_ALONE,  /**< nothing is left of the picture */
    KLDVE_PAINT_HEAT,   /**< a tint that grows from nothing at 0 */
    KLDVE_PAINT_SIGNED, /**< a tint that grows to both sides from nothing at 0.5 */
    KLDVE_PAINT_MASK    /**< the picture from 0.5 on, grey below */
} kldve_paint_kind;

/** How heat is drawn. */
typedef struct kldve_heat_style {
    kldve_paint_kind kind;
    int32_t colormap; /**< a kldve_colormap */
    float opacity;    /**< of the strongest heat, 0..1 */
} kldve_heat_style;

enum { KLDVE_HEAT_LEVELS = 256 };

/** What one level of heat does to a picture. */
typedef struct kldve_paint {
    uint8_t colour[3];
    int32_t weight; /**< of the colour, in 2^-16 */
} kldve_paint;

/** The paint of every level of heat. */
void kldve_heat_paint(kldve_heat_style style, kldve_paint paints[KLDVE_HEAT_LEVELS]);

/** Blend heat into pixels that lie beside each other.
 *  @param heat  [count], values 0..1 (clamped; NaN counts as 0); NULL: 0 everywhere.
 *  @param rgb   [count][3], changed in place. */
void kldve_overlay_row(const kldve_paint paints[KLDVE_HEAT_LEVELS], const float *heat,
                       int32_t count, uint8_t *rgb);

#endif
