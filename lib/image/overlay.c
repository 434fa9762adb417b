/* overlay.c - the heat over the picture.
 *
 *     inside of the rectangle:   p' = (1 - opacity) p + opacity * colour(heat)
 *     outside:                   p' = p / 4
 *
 * on sRGB values as they are stored, as image viewers blend.  Weights are multiples of 2^-16. */
#include "image/overlay.h"

#include <stddef.h>

#include <kldve/image.h>

enum { LEVELS = 256, ONE = 1 << 16, HALF = ONE / 2, DARK = ONE / 4 };

static void darken(uint8_t *rgb, int32_t pixels)
{
    for (size_t i = 0; i < 3 * (size_t)pixels; i++)
        rgb[i] = (uint8_t)((rgb[i] * DARK + HALF) / ONE);
}

static int32_t level(float heat)
{
    if (!(heat > 0)) /* NaN as well */
        return 0;
    return heat < 1 ? (int32_t)(heat * (LEVELS - 1) + 0.5f) : LEVELS - 1;
}

static void blend(uint8_t *rgb, const float *heat, int32_t pixels, uint8_t colour[LEVELS][3],
                  int32_t weight)
{
    for (int32_t i = 0; i < pixels; i++, rgb += 3) {
        const uint8_t *over = colour[level(heat[i])];

        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((rgb[c] * (ONE - weight) + over[c] * weight + HALF) / ONE);
    }
}

void kldve_overlay(uint8_t *rgb, int32_t width, int32_t height, const float *heat, kldve_rect seen,
                   int32_t colormap, float opacity)
{
    uint8_t colour[LEVELS][3];
    int32_t weight = (int32_t)(opacity * ONE + 0.5f);

    for (int32_t i = 0; i < LEVELS; i++)
        kldve_colormap_rgb(colormap, (float)i / (LEVELS - 1), colour[i]);
    for (int32_t y = 0; y < height; y++) {
        uint8_t *row = rgb + 3 * (size_t)y * (size_t)width;
        int32_t right = seen.x + seen.width;

        if (y < seen.y || y >= seen.y + seen.height) {
            darken(row, width);
            continue;
        }
        darken(row, seen.x);
        blend(row + 3 * (size_t)seen.x, heat + (size_t)(y - seen.y) * (size_t)seen.width,
              seen.width, colour, weight);
        darken(row + 3 * (size_t)right, width - right);
    }
}
