/* resample.c - another size, antialiased or not.
 *
 * Each output pixel is the weighted mean of the input pixels under a kernel k around its centre:
 *
 *     c = (X + 1/2) in/out,   s = max(1, in/out),   w(x) = k((x + 1/2 - c) / s)
 *     out[X] = sum_x w(x) in[x] / sum_x w(x)
 *
 * over the x of the picture, first along the rows, then along the columns of the result, rounded to
 * 8 bits.  When reducing, the kernel widens so that every input pixel counts; without antialiasing
 * s is 1.  Kernels (interpolation.c), rounding between the passes and weights in multiples of 2^-22
 * follow Pillow's resize(), so the results agree with it.
 *
 * Of the output a window alone can be asked for: only what it shows is computed.
 *
 * Cost: 2s + 1 multiplications per value and direction, s times the width of the kernel. */
#include "resample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/size.h"
#include "codec.h"
#include "interpolation.h"
#include "resample_column.h"

/* The outputs [first, first + count) of one direction, of `whole`. */
typedef struct part {
    int32_t whole, first, count;
} part;

/* The weights of one direction.  Output i of the part sums `span[i].count` inputs from
 * `span[i].first` with the weights at `weight[i * taps]`. */
struct filter {
    struct span {
        int32_t first, count;
    } * span;
    int32_t *weight;
    size_t taps;
};

static void filter_free(kldve_ctx *ctx, struct filter *filter)
{
    kldve_ctx_release(ctx, filter->span);
    kldve_ctx_release(ctx, filter->weight);
}

/* -- weights ---------------------------------------------------------------------------------- */

/* How many input pixels wide the kernel's unit is. */
static double stretch(const kldve_kernel *kernel, int32_t in, int32_t out)
{
    double ratio = (double)in / (double)out;

    return kernel->antialiased && ratio > 1 ? ratio : 1;
}

/* The weights for an output pixel around `centre`, in 1 / 2^KLDVE_WEIGHT_BITS, which sum to 1 up to
 * rounding. */
static struct span filter_row(const kldve_kernel *kernel, double centre, int32_t in, int32_t out,
                              int32_t *weight)
{
    double unit = stretch(kernel, in, out), support = kernel->support * unit;
    double sum = 0;
    int32_t first = (int32_t)fmax(centre - support + 0.5, 0);
    int32_t end = (int32_t)fmin(centre + support + 0.5, (double)in);

    for (int32_t x = first; x < end; x++)
        sum += kernel->weight(((double)x + 0.5 - centre) / unit);
    for (int32_t x = first; x < end; x++) {
        double w = kernel->weight(((double)x + 0.5 - centre) / unit) / sum;

        weight[x - first] = (int32_t)lround(w * (1 << KLDVE_WEIGHT_BITS));
    }
    assert(first >= 0 && first < end && end <= in && sum > 0);
    return (struct span){first, end - first};
}

static kldve_status filter_new(kldve_ctx *ctx, const kldve_kernel *kernel, int32_t in, part out,
                               struct filter *filter)
{
    /* Pillow adds up where it takes the nearest pixel, which decides at ties. */
    double ratio = (double)in / (double)out.whole, summed = 0.5 * ratio;
    size_t count;

    assert(in > 0 && out.first >= 0 && out.count > 0 && out.count <= out.whole - out.first);
    filter->taps = 2 * (size_t)ceil(kernel->support * stretch(kernel, in, out.whole)) + 1;
    filter->weight = NULL;
    filter->span = kldve_ctx_alloc(ctx, (size_t)out.count, sizeof *filter->span);
    if (kldve_size_mul((size_t)out.count, filter->taps, &count))
        filter->weight = kldve_ctx_alloc(ctx, count, sizeof *filter->weight);
    if (!filter->span || !filter->weight) {
        filter_free(ctx, filter);
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for resizing");
    }
    for (int32_t i = 0; i < out.first; i++)
        summed += ratio;
    for (int32_t i = 0; i < out.count; i++, summed += ratio) {
        double centre =
            kernel->support < 1 && !kernel->antialiased ? summed : (out.first + i + 0.5) * ratio;

        filter->span[i] =
            filter_row(kernel, centre, in, out.whole, filter->weight + (size_t)i * filter->taps);
        assert((size_t)filter->span[i].count <= filter->taps);
    }
    return KLDVE_OK;
}

/* -- passes ----------------------------------------------------------------------------------- */

/* in [?][3] -> out [out_width][3] */
static void resize_row(const struct filter *filter, const uint8_t *in, uint8_t *out,
                       int32_t out_width)
{
    for (int32_t i = 0; i < out_width; i++) {
        const int32_t *weight = filter->weight + (size_t)i * filter->taps;
        const uint8_t *at = in + 3 * (size_t)filter->span[i].first;
        int32_t r = KLDVE_WEIGHT_HALF, g = KLDVE_WEIGHT_HALF, b = KLDVE_WEIGHT_HALF;

        for (int32_t t = 0; t < filter->span[i].count; t++, at += 3) {
            r += weight[t] * at[0];
            g += weight[t] * at[1];
            b += weight[t] * at[2];
        }
        out[3 * i] = kldve_weighted_byte(r);
        out[3 * i + 1] = kldve_weighted_byte(g);
        out[3 * i + 2] = kldve_weighted_byte(b);
    }
}

/* A resizing: of which picture, by which kernel, and the window [0] across, [1] down. */
typedef struct resizing {
    const kldve_image *image;
    const kldve_kernel *kernel;
    part out[2];
} resizing;

/* The rows from `first` on, as many as `narrow` has.  `alpha`: of the alpha channel, spread to
 * three. */
static kldve_status resize_rows(const resizing *r, bool alpha, int32_t first, kldve_image *narrow)
{
    const kldve_image *image = r->image;
    size_t out_row = 3 * (size_t)narrow->width;
    kldve_ctx *ctx = narrow->ctx;
    uint8_t *room;
    struct filter filter;
    kldve_status status = filter_new(ctx, r->kernel, image->width, r->out[0], &filter);

    if (status != KLDVE_OK)
        return status;
    room = kldve_image_row_room(ctx, image);
    for (int32_t y = 0; room && y < narrow->height && status == KLDVE_OK; y++) {
        const uint8_t *row = room;

        status = kldve_ctx_poll(ctx);
        if (!alpha)
            row = kldve_image_row(image, first + y, room);
        else
            kldve_image_alpha_row(image, first + y, room);
        resize_row(&filter, row, narrow->pixels + (size_t)y * out_row, narrow->width);
    }
    filter_free(ctx, &filter);
    kldve_ctx_release(ctx, room);
    return room ? status : kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for resizing");
}

/* `narrow` has the rows of the picture from `first` on. */
static kldve_status resize_columns(const struct filter *filter, const kldve_image *narrow,
                                   int32_t first, kldve_image *out)
{
    size_t row = 3 * (size_t)out->width;
    kldve_status status = KLDVE_OK;

    assert(narrow->width == out->width);
    for (int32_t y = 0; y < out->height && (status = kldve_ctx_poll(out->ctx)) == KLDVE_OK; y++)
        kldve_resample_column(narrow->pixels + (size_t)(filter->span[y].first - first) * row, row,
                              filter->weight + (size_t)y * filter->taps, filter->span[y].count,
                              out->pixels + (size_t)y * row);
    return status;
}

static kldve_status resize(kldve_ctx *ctx, const resizing *r, bool alpha, kldve_image **out)
{
    kldve_image *narrow = NULL, *result = NULL;
    int32_t first = r->image->height, end = 0; /* of the rows that are read */
    struct filter down;
    kldve_status status = filter_new(ctx, r->kernel, r->image->height, r->out[1], &down);

    if (status != KLDVE_OK)
        return status;
    for (int32_t i = 0; i < r->out[1].count; i++) {
        const struct span *s = &down.span[i];

        first = s->first < first ? s->first : first;
        end = s->first + s->count > end ? s->first + s->count : end;
    }
    if ((status = kldve_image_alloc(ctx, r->out[0].count, r->out[1].count, &result)) == KLDVE_OK &&
        (status = kldve_image_alloc(ctx, r->out[0].count, end - first, &narrow)) == KLDVE_OK &&
        (status = resize_rows(r, alpha, first, narrow)) == KLDVE_OK)
        status = resize_columns(&down, narrow, first, result);
    filter_free(ctx, &down);
    kldve_image_free(narrow);
    return kldve_image_finish(status, result, out);
}

static kldve_status resize_colours_and_alpha(kldve_ctx *ctx, const resizing *r, kldve_image **out)
{
    kldve_image *result = NULL;
    kldve_status status = resize(ctx, r, false, &result);

    if (status == KLDVE_OK && kldve_image_has_alpha(r->image))
        status = resize(ctx, r, true, &result->alpha);
    return kldve_image_finish(status, result, out);
}

kldve_status kldve_image_resize_window(kldve_ctx *ctx, const kldve_image *image,
                                       int32_t interpolation, const kldve_resized *to,
                                       kldve_image **out)
{
    const resizing r = {
        .image = image,
        .kernel = kldve_kernel_of(interpolation),
        .out = {{to->width, to->x, to->window_width}, {to->height, to->y, to->window_height}}};

    assert(r.kernel);
    return resize_colours_and_alpha(ctx, &r, out);
}

kldve_status kldve_image_resize_by(kldve_ctx *ctx, const kldve_image *image, int32_t interpolation,
                                   int32_t width, int32_t height, kldve_image **out)
{
    resizing r = {.image = image, .out = {{width, 0, width}, {height, 0, height}}};
    double before;
    kldve_status status;

    if (!ctx || !image || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "resize: an argument is NULL");
    if (!kldve_interpolation_name(interpolation))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "resize: unknown interpolation %d",
                               (int)interpolation);
    if ((status = kldve_image_check_size(ctx, width, height)) < 0)
        return status;
    r.kernel = kldve_kernel_of(interpolation);
    before = kldve_ctx_enter(ctx, "resize", 0);
    status = resize_colours_and_alpha(ctx, &r, out);
    return kldve_ctx_leave(ctx, before, status);
}

kldve_status kldve_image_resize(kldve_ctx *ctx, const kldve_image *image, int32_t width,
                                int32_t height, kldve_image **out)
{
    return kldve_image_resize_by(ctx, image, KLDVE_INTERPOLATION_BILINEAR, width, height, out);
}
