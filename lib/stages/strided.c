/* strided.c - feature maps wherever a host's inference has them: channels first or last, parts of
 * larger arrays, float16.
 *
 * float16 is IEEE 754's binary16: a sign, 5 bits of exponent e, 10 of fraction f, the value
 * 2^(e - 15) (1 + f / 1024), or 2^-14 f / 1024 for e = 0; e = 31 is infinity or NaN. */
#include "strided.h"

#include <math.h>
#include <string.h>

#include <kldve/kldve.h>

static float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, e = half >> 10 & 31u, f = half & 1023u, bits;
    float value;

    if (e == 0) {
        value = ldexpf((float)f, -24);
        return sign ? -value : value;
    }
    bits = sign | (e == 31 ? 255u : e + 112) << 23 | f << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float load(const unsigned char *at, int32_t type)
{
    uint16_t half;
    float value;

    if (type == KLDVE_ARRAY_FLOAT16) {
        memcpy(&half, at, sizeof half);
        return from_half(half);
    }
    memcpy(&value, at, sizeof value);
    return value;
}

static const unsigned char *cell(const kldve_strided *s, int32_t y, int32_t x)
{
    return (const unsigned char *)s->at + y * s->row + x * s->column;
}

kldve_strided kldve_strided_plain(const float *at, int32_t maps, int32_t height, int32_t width)
{
    ptrdiff_t row = (ptrdiff_t)width * (ptrdiff_t)sizeof *at;

    return (kldve_strided){at,           maps, height,     width,
                           height * row, row,  sizeof *at, KLDVE_ARRAY_FLOAT32};
}

bool kldve_strided_is_plain(const kldve_strided *s)
{
    kldve_strided p = kldve_strided_plain(s->at, s->maps, s->height, s->width);

    return s->type == p.type && s->map == p.map && s->row == p.row && s->column == p.column;
}

void kldve_strided_mean(const kldve_strided *s, double *a)
{
    double cells = (double)s->height * (double)s->width;

    memset(a, 0, (size_t)s->maps * sizeof *a);
    for (int32_t y = 0; y < s->height; y++)
        for (int32_t x = 0; x < s->width; x++) {
            const unsigned char *at = cell(s, y, x);

            for (int32_t m = 0; m < s->maps; m++)
                a[m] += (double)load(at + m * s->map, s->type);
        }
    for (int32_t m = 0; m < s->maps; m++)
        a[m] /= cells;
}

void kldve_strided_sum(const kldve_strided *s, const float *a, float *map)
{
    for (int32_t y = 0; y < s->height; y++)
        for (int32_t x = 0; x < s->width; x++) {
            const unsigned char *at = cell(s, y, x);
            double sum = 0;

            for (int32_t m = 0; m < s->maps; m++)
                sum += (double)a[m] * (double)load(at + m * s->map, s->type);
            *map++ = (float)sum;
        }
}

void kldve_strided_gather(const kldve_strided *s, float *out)
{
    for (int32_t m = 0; m < s->maps; m++)
        for (int32_t y = 0; y < s->height; y++)
            for (int32_t x = 0; x < s->width; x++)
                *out++ = load(cell(s, y, x) + m * s->map, s->type);
}

size_t kldve_strided_finite(const kldve_strided *s, float *value)
{
    size_t i = 0;

    for (int32_t m = 0; m < s->maps; m++)
        for (int32_t y = 0; y < s->height; y++)
            for (int32_t x = 0; x < s->width; x++, i++) {
                *value = load(cell(s, y, x) + m * s->map, s->type);
                if (!isfinite(*value))
                    return i;
            }
    return i;
}

bool kldve_strided_all_zero(const kldve_strided *s)
{
    for (int32_t y = 0; y < s->height; y++)
        for (int32_t x = 0; x < s->width; x++)
            for (int32_t m = 0; m < s->maps; m++)
                if (load(cell(s, y, x) + m * s->map, s->type) != 0)
                    return false;
    return true;
}
