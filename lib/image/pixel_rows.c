/* pixel_rows.c - rows of pixels in any format, as R, G, B of 8 bits and back.
 *
 *     8 bits -> 16:  257 v                16 -> 8:     round(v / 257)
 *     8 bits -> float:  v / 255           float -> 8:  round(255 v), clamped to 0..255; NaN is 0
 *     colours -> grey:  (19595 R + 38470 G + 7471 B + 2^15) / 2^16, rounded down: ITU-R 601 luma in
 *                       16 bits, as Pillow's convert("L")
 *
 * Samples of 16 bits and float are in the byte order of the machine and may lie at any address. */
#include "pixel_format.h"

#include <assert.h>
#include <string.h>

/* -- one component ---------------------------------------------------------------------------- */

static uint8_t from_16(const uint8_t *at)
{
    uint16_t v;

    memcpy(&v, at, sizeof v);
    return (uint8_t)((v * 255u + 32895u) >> 16);
}

static uint8_t from_float(const uint8_t *at)
{
    float v;

    memcpy(&v, at, sizeof v);
    if (!(v > 0)) /* also NaN */
        return 0;
    return v < 1 ? (uint8_t)(v * 255 + 0.5f) : 255;
}

static void to_16(uint8_t value, uint8_t *at)
{
    uint16_t v = (uint16_t)(value * 257u);

    memcpy(at, &v, sizeof v);
}

static void to_float(uint8_t value, uint8_t *at)
{
    float v = (float)value / 255;

    memcpy(at, &v, sizeof v);
}

/* Samples `step` apart -> out, `out_step` apart; `step` in samples of `nbytes`. */
static void gather(const uint8_t *at, ptrdiff_t step, size_t nbytes, int32_t count, uint8_t *out,
                   int out_step)
{
    step *= (ptrdiff_t)nbytes;
    for (int32_t x = 0; x < count; x++, at += step, out += out_step)
        *out = nbytes == 1 ? *at : nbytes == 2 ? from_16(at) : from_float(at);
}

static void scatter(const uint8_t *in, int in_step, int32_t count, uint8_t *at, ptrdiff_t step,
                    size_t nbytes)
{
    step *= (ptrdiff_t)nbytes;
    for (int32_t x = 0; x < count; x++, at += step, in += in_step) {
        if (nbytes == 1)
            *at = *in;
        else if (nbytes == 2)
            to_16(*in, at);
        else
            to_float(*in, at);
    }
}

/* -- reading ---------------------------------------------------------------------------------- */

/* The usual formats, in one pass that a compiler makes fast. */
static void read_packed_8(const uint8_t *red, const uint8_t *green, const uint8_t *blue,
                          ptrdiff_t step, int32_t count, uint8_t *rgb)
{
    for (int32_t x = 0; x < count; x++, rgb += 3) {
        rgb[0] = red[x * step];
        rgb[1] = green[x * step];
        rgb[2] = blue[x * step];
    }
}

void kldve_pixels_read(const kldve_pixels *p, int32_t y, uint8_t *rgb)
{
    const kldve_arrangement *a = kldve_arrangement_of(p->format);
    size_t nbytes = kldve_sample_nbytes(p->format);
    const uint8_t *row[3];

    assert(y >= 0 && y < p->height);
    if (a->yuv) {
        kldve_yuv_to_rgb(p, y, rgb);
        return;
    }
    for (int c = 0; c < 3; c++)
        row[c] = kldve_component_row(p, a, c, y);
    if (p->format == KLDVE_PIXEL_RGB)
        memcpy(rgb, row[0], 3 * (size_t)p->width);
    else if (nbytes == 1)
        read_packed_8(row[0], row[1], row[2], a->component[0].step, p->width, rgb);
    else
        for (int c = 0; c < 3; c++)
            gather(row[c], a->component[c].step, nbytes, p->width, rgb + c, 3);
}

bool kldve_pixels_read_alpha(const kldve_pixels *p, int32_t y, uint8_t *alpha)
{
    const kldve_arrangement *a = kldve_arrangement_of(p->format);
    int step = a->component[3].step;

    if (step == 0)
        return false;
    gather(kldve_component_row(p, a, 3, y), step, kldve_sample_nbytes(p->format), p->width, alpha,
           1);
    return true;
}

/* -- writing ---------------------------------------------------------------------------------- */

static uint8_t grey_of(const uint8_t *rgb)
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >> 16);
}

static bool is_grey(const kldve_arrangement *a)
{
    return a->planes == 1 && a->component[0].first == a->component[1].first;
}

static void write_grey(const kldve_pixels *p, const kldve_arrangement *a, int32_t y,
                       const uint8_t *rgb)
{
    size_t nbytes = kldve_sample_nbytes(p->format), step = (size_t)a->component[0].step * nbytes;
    uint8_t *row = kldve_component_row(p, a, 0, y);

    for (int32_t x = 0; x < p->width; x++) {
        uint8_t grey = grey_of(rgb + 3 * (size_t)x);

        scatter(&grey, 0, 1, row + (size_t)x * step, 0, nbytes);
    }
}

void kldve_pixels_write(const kldve_pixels *p, int32_t y, const uint8_t *rgb, const uint8_t *alpha)
{
    static const uint8_t opaque = 255;
    const kldve_arrangement *a = kldve_arrangement_of(p->format);
    size_t nbytes = kldve_sample_nbytes(p->format);

    assert(!a->yuv && y >= 0 && y < p->height);
    if (p->format == KLDVE_PIXEL_RGB)
        memcpy(kldve_component_row(p, a, 0, y), rgb, 3 * (size_t)p->width);
    else if (is_grey(a))
        write_grey(p, a, y, rgb);
    else
        for (int c = 0; c < 3; c++)
            scatter(rgb + c, 3, p->width, kldve_component_row(p, a, c, y), a->component[c].step,
                    nbytes);
    if (a->component[3].step > 0)
        scatter(alpha ? alpha : &opaque, alpha ? 1 : 0, p->width, kldve_component_row(p, a, 3, y),
                a->component[3].step, nbytes);
}
