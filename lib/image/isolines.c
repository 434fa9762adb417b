/* isolines.c - lines of equal value.
 *
 *     g = 1/2 (f(x+1,y) - f(x-1,y), f(x,y+1) - f(x,y-1)),   d = |f - level| / |g|
 *
 * is the distance in pixels from the line where f = level, to first order.  A line of thickness t
 * covers clamp(t/2 + 1/2 - d, 0..1) of a pixel, so its edges are smooth; its two sides reach to t
 * instead of t/2.  Where f does not rise there is no line. */
#include "isolines.h"

#include <math.h>
#include <stddef.h>

/* Below this rise in a pixel, values are the same for a picture of 65535 pixels. */
static const float least_rise = 1e-6f;

static float covered(float half, float distance)
{
    return fminf(fmaxf(half + 0.5f - distance, 0), 1);
}

static void blend(const uint8_t colour[3], float weight, uint8_t *rgb)
{
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)((1 - weight) * (float)rgb[c] + weight * (float)colour[c] + 0.5f);
}

static float rise(const float *const row[3], int32_t x, int32_t width)
{
    int32_t left = x > 0 ? x - 1 : x, right = x < width - 1 ? x + 1 : x;
    float across = right > left ? (row[1][right] - row[1][left]) / (float)(right - left) : 0;
    float down = (row[2][x] - row[0][x]) / 2;

    return sqrtf(across * across + down * down);
}

void kldve_isolines_row(const kldve_isoline *lines, int32_t count, float thick,
                        const float *const row[3], int32_t width, uint8_t *rgb)
{
    for (int32_t x = 0; x < width; x++) {
        float slope = rise(row, x, width), reach = (thick + 0.5f) * slope;

        if (slope < least_rise)
            continue;
        for (int32_t i = 0; i < count; i++) {
            float away = fabsf(row[1][x] - lines[i].level);
            uint8_t *at = rgb + 3 * (size_t)x;

            if (away >= reach)
                continue;
            blend(lines[i].edge, covered(thick, away / slope), at);
            blend(lines[i].colour, covered(thick / 2, away / slope), at);
        }
    }
}
