/* overlay.c - the heat over the picture.
 *
 *     p' = (1 - w) p + w c
 *
 *     alone                      w = 1,                          c = colour(v)
 *     heat                       w = opacity v,                  c = colour(v)
 *     signed, u = 2 v - 1        w = opacity (1 - (1 - |u|)^2),  c = colour(u < 0 ? 0 : 1)
 *     mask, e = (v - 0.4) / 0.2  w = 1 - e^2 (3 - 2 e)           c = a dark grey
 *     clamped to 0..1
 *
 * on sRGB values as stored, as image viewers blend: equal steps of weight are about equal steps to
 * the eye, where a blend of linear light would show a bright colour over a dark picture at the
 * smallest weights.  Weights are multiples of 2^-16.  The colours of a signed map meet in white,
 * which would wash out the picture where the map is near zero, so here they meet in the picture
 * itself.  At zero the weight rises twice as fast as |u|, so that a faint value still shows its
 * sign. */
#include "overlay.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include <kldve/image.h>

enum { LEVELS = KLDVE_HEAT_LEVELS, ONE = 1 << 16, HALF = ONE / 2, HIDDEN = 40 };

static int32_t level(float heat)
{
    if (!(heat > 0)) /* also NaN */
        return 0;
    return heat < 1 ? (int32_t)(heat * (LEVELS - 1) + 0.5f) : LEVELS - 1;
}

/* The weight of a signed level.  The levels on either side of 0.5 count as zero, because 0.5 itself
 * falls between them. */
static float share_of_signed(int32_t i)
{
    int32_t away = i < LEVELS / 2 ? LEVELS / 2 - 1 - i : i - LEVELS / 2;
    float rest = 1 - (float)away / (LEVELS / 2 - 1);

    return 1 - rest * rest;
}

static float share_of_mask(float heat)
{
    float edge = fminf(fmaxf((heat - 0.4f) / 0.2f, 0), 1);

    return 1 - edge * edge * (3 - 2 * edge);
}

void kldve_heat_paint(kldve_heat_style style, kldve_paint paints[LEVELS])
{
    assert(style.opacity >= 0 && style.opacity <= 1);
    for (int32_t i = 0; i < LEVELS; i++) {
        float heat = (float)i / (LEVELS - 1), weight = 1;

        if (style.kind == KLDVE_PAINT_HEAT)
            weight = style.opacity * heat;
        if (style.kind == KLDVE_PAINT_SIGNED) {
            weight = style.opacity * share_of_signed(i);
            heat = i < LEVELS / 2 ? 0 : 1;
        }
        kldve_colormap_rgb(style.colormap, heat, paints[i].colour);
        if (style.kind == KLDVE_PAINT_MASK) {
            weight = share_of_mask(heat);
            for (int c = 0; c < 3; c++)
                paints[i].colour[c] = HIDDEN;
        }
        paints[i].weight = (int32_t)(weight * ONE + 0.5f);
    }
}

void kldve_overlay_row(const kldve_paint paints[LEVELS], const float *heat, int32_t count,
                       uint8_t *rgb)
{
    for (int32_t i = 0; i < count; i++, rgb += 3) {
        const kldve_paint *over = &paints[heat ? level(heat[i]) : 0];
        uint32_t weight = (uint32_t)over->weight, rest = ONE - weight;

        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((rgb[c] * rest + over->colour[c] * weight + HALF) / ONE);
    }
}
