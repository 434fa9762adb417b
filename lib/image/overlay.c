/* overlay.c - the heat over the picture.
 *
 *     inside the rectangle:      p' = (1 - w) p + w c
 *     outside it:                p' = p / 4
 *
 *     heat 0..1:                 w = opacity,                    c = colour(heat)
 *     signed, v = 2 heat - 1:    w = opacity (1 - (1 - |v|)^2),  c = colour(v < 0 ? 0 : 1)
 *
 * on sRGB values as stored, as image viewers blend.  Weights are multiples of 2^-16.  The colours
 * of a signed map meet in white, which would wash out the picture where the map is near zero, so
 * here they meet in the picture itself.  At zero the weight rises twice as fast as |v|, so that a
 * faint value still shows its sign. */
#include "overlay.h"

#include <assert.h>
#include <stddef.h>

#include <kldve/image.h>

enum { LEVELS = KLDVE_HEAT_LEVELS, ONE = 1 << 16, HALF = ONE / 2, DARK = ONE / 4 };

static void darken(uint8_t *rgb, int32_t pixels)
{
    for (size_t i = 0; i < 3 * (size_t)pixels; i++)
        rgb[i] = (uint8_t)((rgb[i] * DARK + HALF) / ONE);
}

static int32_t level(float heat)
{
    if (!(heat > 0)) /* also NaN */
        return 0;
    return heat < 1 ? (int32_t)(heat * (LEVELS - 1) + 0.5f) : LEVELS - 1;
}

/* The levels on either side of 0.5 count as zero, because 0.5 itself falls between them. */
void kldve_heat_paint(kldve_heat_style style, kldve_paint paints[LEVELS])
{
    assert(style.opacity >= 0 && style.opacity <= 1);
    for (int32_t i = 0; i < LEVELS; i++) {
        float heat = (float)i / (LEVELS - 1), share = 1;

        if (style.is_signed) {
            int32_t away = i < LEVELS / 2 ? LEVELS / 2 - 1 - i : i - LEVELS / 2;
            float rest = 1 - (float)away / (LEVELS / 2 - 1);

            share = 1 - rest * rest;
            heat = i < LEVELS / 2 ? 0 : 1;
        }
        kldve_colormap_rgb(style.colormap, heat, paints[i].colour);
        paints[i].weight = (int32_t)(style.opacity * share * ONE + 0.5f);
    }
}

static void blend(uint8_t *rgb, const float *heat, int32_t pixels, const kldve_paint paints[LEVELS])
{
    for (int32_t i = 0; i < pixels; i++, rgb += 3) {
        const kldve_paint *over = &paints[level(heat[i])];

        for (int c = 0; c < 3; c++) {
            int32_t sum = rgb[c] * (ONE - over->weight) + over->colour[c] * over->weight;

            rgb[c] = (uint8_t)((sum + HALF) / ONE);
        }
    }
}

void kldve_overlay_row(const kldve_paint paints[LEVELS], int32_t x, int32_t count,
                       const float *heat, int32_t width, uint8_t *rgb)
{
    int32_t right = x + count;

    assert(x >= 0 && count >= 0 && right <= width);
    darken(rgb, x);
    blend(rgb + 3 * (size_t)x, heat, count, paints);
    darken(rgb + 3 * (size_t)right, width - right);
}
