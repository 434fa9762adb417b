/* pixel_yuv.c - Y, U and V of cameras and films to R, G and B.
 *
 *     y = (Y - 16) / 219,  u = (U - 128) / 224,  v = (V - 128) / 224       limited range
 *     y = Y / 255,         u = (U - 128) / 255,  v = (V - 128) / 255       full range
 *     R = y + 2 (1 - Kr) v
 *     B = y + 2 (1 - Kb) u
 *     G = y - 2 (1 - Kb) Kb/Kg u - 2 (1 - Kr) Kr/Kg v,   Kg = 1 - Kr - Kb
 *
 * with Kr, Kb = 0.299, 0.114 (ITU-R BT.601), 0.2126, 0.0722 (BT.709), 0.2627, 0.0593 (BT.2020).
 * Factors are multiples of 2^-16.  Pixels that share U and V have the same ones, without
 * interpolation, as OpenCV and ffmpeg's fast paths have them. */
#include "pixel_format.h"

#include <math.h>

enum { BITS = 16, HALF = 1 << (BITS - 1) };

typedef struct factors {
    int32_t black; /* the Y of black */
    int32_t y, red_v, green_u, green_v, blue_u;
} factors;

static int32_t fixed(double factor)
{
    return (int32_t)lround(factor * (1 << BITS));
}

static factors factors_of(int32_t yuv)
{
    static const double weights[][2] = {{0.299, 0.114}, {0.2126, 0.0722}, {0.2627, 0.0593}};
    double red = weights[yuv / 2][0], blue = weights[yuv / 2][1], green = 1 - red - blue;
    int full = yuv % 2;
    double colour = full ? 1 : 255.0 / 224;

    return (factors){
        .black = full ? 0 : 16,
        .y = fixed(full ? 1 : 255.0 / 219),
        .red_v = fixed(2 * (1 - red) * colour),
        .green_u = fixed(2 * (1 - blue) * blue / green * colour),
        .green_v = fixed(2 * (1 - red) * red / green * colour),
        .blue_u = fixed(2 * (1 - blue) * colour),
    };
}

static uint8_t to_byte(int32_t sum)
{
    int32_t value = (sum + HALF) >> BITS;

    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void kldve_yuv_to_rgb(const kldve_pixels *p, int32_t y, uint8_t *rgb)
{
    const kldve_arrangement *a = kldve_arrangement_of(p->format);
    const factors f = factors_of(p->yuv);
    const uint8_t *luma = kldve_component_row(p, a, 0, y), *us = kldve_component_row(p, a, 1, y),
                  *vs = kldve_component_row(p, a, 2, y);

    for (int32_t x = 0; x < p->width; x++, rgb += 3) {
        int32_t light = (luma[x * a->component[0].step] - f.black) * f.y;
        int32_t u = us[(x >> a->shift_x) * a->component[1].step] - 128;
        int32_t v = vs[(x >> a->shift_x) * a->component[2].step] - 128;

        rgb[0] = to_byte(light + f.red_v * v);
        rgb[1] = to_byte(light - f.green_u * u - f.green_v * v);
        rgb[2] = to_byte(light + f.blue_u * u);
    }
}
