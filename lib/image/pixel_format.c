/* pixel_format.c - formats of pixels in memory: a table of where the components lie, and the check
 * of what a caller says of his memory. */
#include "pixel_format.h"

#include <assert.h>

#include <kldve/backend.h>

enum { DEPTH_STEP = KLDVE_PIXEL_16, DEPTHS = 3 };

/* clang-format off */
#define NO_ALPHA {0, 0, 0}
#define PACKED(name, step, r, g, b) \
    {name, 1, false, 0, 0, {{0, step, r}, {0, step, g}, {0, step, b}, NO_ALPHA}}
#define PACKED_ALPHA(name, step, r, g, b, a) \
    {name, 1, false, 0, 0, {{0, step, r}, {0, step, g}, {0, step, b}, {0, step, a}}}

static const kldve_arrangement arrangements[] = {
    [KLDVE_PIXEL_RGB] = PACKED("RGB", 3, 0, 1, 2),
    [KLDVE_PIXEL_BGR] = PACKED("BGR", 3, 2, 1, 0),
    [KLDVE_PIXEL_RGBA] = PACKED_ALPHA("RGBA", 4, 0, 1, 2, 3),
    [KLDVE_PIXEL_BGRA] = PACKED_ALPHA("BGRA", 4, 2, 1, 0, 3),
    [KLDVE_PIXEL_ARGB] = PACKED_ALPHA("ARGB", 4, 1, 2, 3, 0),
    [KLDVE_PIXEL_ABGR] = PACKED_ALPHA("ABGR", 4, 3, 2, 1, 0),
    [KLDVE_PIXEL_RGBX] = PACKED("RGBX", 4, 0, 1, 2),
    [KLDVE_PIXEL_BGRX] = PACKED("BGRX", 4, 2, 1, 0),
    [KLDVE_PIXEL_XRGB] = PACKED("XRGB", 4, 1, 2, 3),
    [KLDVE_PIXEL_XBGR] = PACKED("XBGR", 4, 3, 2, 1),
    [KLDVE_PIXEL_GREY] = PACKED("grey", 1, 0, 0, 0),
    [KLDVE_PIXEL_GREY_ALPHA] = PACKED_ALPHA("grey with alpha", 2, 0, 0, 0, 1),
    [KLDVE_PIXEL_RGB_PLANAR] =
        {"planar RGB", 3, false, 0, 0, {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, NO_ALPHA}},
    [KLDVE_PIXEL_RGBA_PLANAR] =
        {"planar RGBA", 4, false, 0, 0, {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, {3, 1, 0}}},
    [KLDVE_PIXEL_NV12] = {"NV12", 2, true, 1, 1, {{0, 1, 0}, {1, 2, 0}, {1, 2, 1}, NO_ALPHA}},
    [KLDVE_PIXEL_NV21] = {"NV21", 2, true, 1, 1, {{0, 1, 0}, {1, 2, 1}, {1, 2, 0}, NO_ALPHA}},
    [KLDVE_PIXEL_I420] = {"I420", 3, true, 1, 1, {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, NO_ALPHA}},
    [KLDVE_PIXEL_I422] = {"I422", 3, true, 1, 0, {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, NO_ALPHA}},
    [KLDVE_PIXEL_I444] = {"I444", 3, true, 0, 0, {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, NO_ALPHA}},
    [KLDVE_PIXEL_YUY2] = {"YUY2", 1, true, 1, 0, {{0, 2, 0}, {0, 4, 1}, {0, 4, 3}, NO_ALPHA}},
    [KLDVE_PIXEL_UYVY] = {"UYVY", 1, true, 1, 0, {{0, 2, 1}, {0, 4, 0}, {0, 4, 2}, NO_ALPHA}},
};
/* clang-format on */

enum { ARRANGEMENTS = sizeof arrangements / sizeof *arrangements };

static_assert(ARRANGEMENTS <= (size_t)DEPTH_STEP, "an arrangement must not look like a depth");

const kldve_arrangement *kldve_arrangement_of(int32_t format)
{
    assert(format >= 0 && format % DEPTH_STEP < ARRANGEMENTS);
    return &arrangements[format % DEPTH_STEP];
}

size_t kldve_sample_nbytes(int32_t format)
{
    return format < KLDVE_PIXEL_16 ? 1 : format < KLDVE_PIXEL_FLOAT ? 2 : 4;
}

uint8_t *kldve_component_row(const kldve_pixels *pixels, const kldve_arrangement *arrangement,
                             int c, int32_t y)
{
    kldve_component of = arrangement->component[c];
    bool shared = arrangement->yuv && c > 0;
    ptrdiff_t row = shared ? y >> arrangement->shift_y : y;

    return (uint8_t *)pixels->plane[of.plane] + row * pixels->stride[of.plane] +
           (size_t)of.first * kldve_sample_nbytes(pixels->format);
}

static int32_t halved(int32_t pixels, int shift)
{
    return (pixels + (1 << shift) - 1) >> shift;
}

/* Bytes that a row of a plane needs. */
static ptrdiff_t row_nbytes(const kldve_pixels *p, const kldve_arrangement *a, int plane)
{
    ptrdiff_t most = 0;

    for (int c = 0; c < KLDVE_COMPONENTS; c++) {
        bool shared = a->yuv && c > 0;
        ptrdiff_t samples = halved(p->width, shared ? a->shift_x : 0);

        samples *= a->component[c].step;
        if (a->component[c].plane == plane && samples > most)
            most = samples;
    }
    return most * (ptrdiff_t)kldve_sample_nbytes(p->format);
}

static int32_t rows_of(const kldve_pixels *p, const kldve_arrangement *a, int plane)
{
    return a->yuv && plane > 0 ? halved(p->height, a->shift_y) : p->height;
}

/* A camera hands over one block, in which the planes follow each other: rows of U and V are as far
 * apart as those of Y, or half as far where each has a plane to itself and half the width. */
static ptrdiff_t following_stride(const kldve_pixels *p, const kldve_arrangement *a, int plane)
{
    ptrdiff_t tight = row_nbytes(p, a, plane), first = p->stride[0];

    if (first == row_nbytes(p, a, 0))
        return tight;
    return a->yuv && a->planes == 3 && a->shift_x ? first / 2 : first;
}

static kldve_status fill_plane(kldve_ctx *ctx, const char *what, const kldve_arrangement *a,
                               int plane, kldve_pixels *p)
{
    bool follows = plane > 0 && !p->plane[plane];
    ptrdiff_t need = row_nbytes(p, a, plane), stride;

    if (follows && p->stride[0] > 0 && p->plane[0]) {
        if (p->stride[plane] == 0)
            p->stride[plane] = following_stride(p, a, plane);
        p->plane[plane] =
            (uint8_t *)p->plane[plane - 1] + p->stride[plane - 1] * rows_of(p, a, plane - 1);
    }
    if (p->stride[plane] == 0)
        p->stride[plane] = need;
    stride = p->stride[plane];
    if (!p->plane[plane])
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: no pixels (plane %d is NULL)", what, plane);
    if (stride > -need && stride < need)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "%s: the stride of plane %d is %td bytes, a row of %d pixels in %s "
                               "needs %td",
                               what, plane, stride, (int)p->width, a->name, need);
    if (stride > PTRDIFF_MAX / p->height || stride < -PTRDIFF_MAX / p->height)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "%s: %d rows %td bytes apart are more than can be addressed", what,
                               (int)p->height, stride);
    return KLDVE_OK;
}

static kldve_status check_format(kldve_ctx *ctx, const char *what, const kldve_pixels *p)
{
    int32_t arrangement = p->format % DEPTH_STEP;

    if (p->format < 0 || arrangement >= ARRANGEMENTS || p->format / DEPTH_STEP >= DEPTHS)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: unknown format of pixels %d", what,
                               (int)p->format);
    if (arrangements[arrangement].yuv && p->format >= DEPTH_STEP)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED, "%s: %s has 8 bits only", what,
                               arrangements[arrangement].name);
    if (p->yuv < 0 || p->yuv > KLDVE_YUV_BT2020_FULL)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: unknown kind of YUV %d", what, (int)p->yuv);
    if (p->yuv != KLDVE_YUV_BT601 && !arrangements[arrangement].yuv)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: yuv is set, but the format is %s", what,
                               arrangements[arrangement].name);
    return KLDVE_OK;
}

kldve_status kldve_image_check_size(kldve_ctx *ctx, int64_t width, int64_t height)
{
    if (width < 1 || width > KLDVE_IMAGE_SIDE_MAX || height < 1 || height > KLDVE_IMAGE_SIDE_MAX)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "a picture of %jd x %jd pixels: both sides must be 1 to %d",
                               (intmax_t)width, (intmax_t)height, KLDVE_IMAGE_SIDE_MAX);
    return KLDVE_OK;
}

kldve_status kldve_pixels_load(kldve_ctx *ctx, const char *what, const kldve_pixels *src,
                               kldve_pixels *dst)
{
    const kldve_arrangement *a;
    kldve_pixels p;
    kldve_status st;

    if (!src)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: the pixels are NULL", what);
    if ((st = kldve_struct_load(ctx, "kldve_pixels", src, &p, sizeof p)) < 0 ||
        (st = check_format(ctx, what, &p)) < 0 ||
        (st = kldve_image_check_size(ctx, p.width, p.height)) < 0)
        return st;
    a = kldve_arrangement_of(p.format);
    for (int plane = 0; plane < a->planes; plane++)
        if ((st = fill_plane(ctx, what, a, plane, &p)) < 0)
            return st;
    for (int plane = a->planes; plane < KLDVE_PLANES; plane++)
        if (p.plane[plane])
            return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: plane %d is set, but %s has %d", what,
                                   plane, a->name, a->planes);
    *dst = p;
    return KLDVE_OK;
}
