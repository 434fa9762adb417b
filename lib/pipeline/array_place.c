/* array_place.c - a host's arrays: what is wrong with them, and where their numbers lie. */
#include "array_place.h"

#include <limits.h>

#include "base/finite.h"
#include "base/size.h"

static kldve_status check_sizes(kldve_ctx *ctx, const kldve_arrays *a)
{
    size_t cells, count;

    if (a->maps < 1 || a->height < 1 || a->width < 1)
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG,
            "arrays: the feature maps are %d x %d x %d, all sizes must be at least 1", (int)a->maps,
            (int)a->height, (int)a->width);
    if (!kldve_size_mul((size_t)a->height, (size_t)a->width, &cells) || cells > INT_MAX ||
        !kldve_size_mul(cells, (size_t)a->maps, &count) || count > PTRDIFF_MAX / sizeof(float))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "arrays: the feature maps have more values than can be addressed");
    if (a->frames < 0 || (a->frames > 0 && a->height % a->frames != 0))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "arrays: %d rows of cells are not %d frames below each other",
                               (int)a->height, (int)a->frames);
    return KLDVE_OK;
}

static kldve_status check_place(kldve_ctx *ctx, const kldve_arrays *a)
{
    bool strides = a->stride[0] != 0 || a->stride[1] != 0 || a->stride[2] != 0;

    if (a->layout != KLDVE_LAYOUT_MAPS_FIRST && a->layout != KLDVE_LAYOUT_MAPS_LAST)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "arrays: unknown layout %d", (int)a->layout);
    if (a->type != KLDVE_ARRAY_FLOAT32 && a->type != KLDVE_ARRAY_FLOAT16)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "arrays: unknown type of numbers %d",
                               (int)a->type);
    if (strides && a->layout != 0)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "arrays: both layout and stride are set: strides say it all, leave "
                              "layout at 0");
    for (int i = 0; strides && i < 3; i++) {
        int32_t count = i == 0 ? a->maps : i == 1 ? a->height : a->width;

        if (count > 1 && a->stride[i] == 0)
            return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                                  "arrays: a stride is 0: give those of maps, rows and columns");
        if (a->stride[i] > PTRDIFF_MAX / 3 / count || a->stride[i] < -PTRDIFF_MAX / 3 / count)
            return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                                   "arrays: a stride of %td bytes is more than can be addressed",
                                   a->stride[i]);
    }
    return KLDVE_OK;
}

/* A part of a side, or all of it and padding around it, which is finite. */
static bool is_part(float start, float size)
{
    const float slack = 0.0001f, most = 65536;

    if (!(size > 0) || !(size <= most))
        return false;
    return (start >= 0 && start + size <= 1 + slack) || (start <= 0 && start + size >= 1 - slack);
}

static kldve_status check_picture(kldve_ctx *ctx, const kldve_arrays *a)
{
    const float seen[4] = {a->seen_x, a->seen_y, a->seen_width, a->seen_height};
    bool all = seen[0] == 0 && seen[1] == 0 && seen[2] == 0 && seen[3] == 0;

    if (a->picture_width < 0 || a->picture_height < 0 || !a->picture_width != !a->picture_height)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "arrays: a picture of %d x %d pixels",
                               (int)a->picture_width, (int)a->picture_height);
    if (a->picture_frames < 0 ||
        a->picture_height > INT32_MAX / (a->picture_frames > 0 ? a->picture_frames : 1))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "arrays: a picture of %d frames",
                               (int)a->picture_frames);
    if (all)
        return KLDVE_OK;
    for (int i = 0; i < 2; i++)
        if (!is_part(seen[i], seen[i + 2]))
            return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                                   "arrays: the network saw %g to %g of the picture's %s: give "
                                   "parts of it, 0 to 1, or with padding all of it and more",
                                   (double)seen[i], (double)seen[i] + (double)seen[i + 2],
                                   i ? "height" : "width");
    return KLDVE_OK;
}

kldve_status kldve_arrays_admit(kldve_ctx *ctx, const kldve_arrays *a)
{
    kldve_status st;

    if (a->reserved != 0)
        return kldve_ctx_fail(ctx, KLDVE_E_UNSUPPORTED,
                              "arrays: a reserved member is set, it must be 0");
    if (!a->logits || !a->features)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "arrays: the %s are NULL",
                               a->logits ? "features" : "logits");
    if ((st = check_sizes(ctx, a)) < 0 || (st = check_place(ctx, a)) < 0)
        return st;
    return check_picture(ctx, a);
}

kldve_strided kldve_arrays_place(const kldve_arrays *a, const void *at)
{
    ptrdiff_t unit = a->type == KLDVE_ARRAY_FLOAT16 ? 2 : 4, maps = a->maps, width = a->width;
    kldve_strided s = {.at = at,
                       .maps = a->maps,
                       .height = a->height,
                       .width = a->width,
                       .map = a->stride[0],
                       .row = a->stride[1],
                       .column = a->stride[2],
                       .type = a->type};

    if (s.map != 0 || s.row != 0 || s.column != 0)
        return s;
    if (a->layout == KLDVE_LAYOUT_MAPS_LAST) {
        s.map = unit;
        s.column = maps * unit;
        s.row = width * s.column;
    } else {
        s.column = unit;
        s.row = width * unit;
        s.map = a->height * s.row;
    }
    return s;
}

static kldve_status check_finite(kldve_ctx *ctx, const char *what, const kldve_strided *s)
{
    size_t count = (size_t)s->maps * (size_t)s->height * (size_t)s->width, first;
    float value;

    if (kldve_strided_is_plain(s))
        return kldve_finite_check(ctx, "arrays", what, s->at, count);
    first = kldve_strided_finite(s, &value);
    if (first == count)
        return KLDVE_OK;
    return kldve_ctx_failf(ctx, KLDVE_E_NUMERIC, "arrays: %s %zu of %zu is %s", what, first, count,
                           kldve_finite_name((double)value));
}

kldve_status kldve_arrays_finite(kldve_ctx *ctx, const kldve_arrays *a)
{
    const kldve_strided features = kldve_arrays_place(a, a->features),
                        gradient = kldve_arrays_place(a, a->gradient);
    kldve_status st = check_finite(ctx, "feature", &features);

    return st == KLDVE_OK && a->gradient ? check_finite(ctx, "gradient", &gradient) : st;
}
