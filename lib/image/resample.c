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
 * Cost: 2s + 1 multiplications per value and direction, s times the width of the kernel. */
#include "codec.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/size.h"
#include "interpolation.h"
#include "resample.h"
#include "resample_column.h"

/* The weights of one direction.  Output i sums `span[i].count` inputs from `span[i].first` with the
 * weights at `weight[i * taps]`. */
struct filter {
    struct span {
        int32_t first, count;
    } * span;
    int32_t *weight;
    size_t taps;
};

/* One direction: the outputs [first, first + count) of `out`, from `in` inputs. */
typedef struct way {
    int32_t in, out, first, count;
} way;

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
static struct span filter_row(const kldve_kernel *kernel, double centre, const way *w,
                              int32_t *weight)
{
    double unit = stretch(kernel, w->in, w->out), support = kernel->support * unit;
    double sum = 0;
    int32_t first = (int32_t)fmax(centre - support + 0.5, 0);
    int32_t end = (int32_t)fmin(centre + support + 0.5, (double)w->in);

    for (int32_t x = first; x < end; x++)
        sum += kernel->weight(((double)x + 0.5 - centre) / unit);
    for (int32_t x = first; x < end; x++) {
        double part = kernel->weight(((double)x + 0.5 - centre) / unit) / sum;

        weight[x - first] = (int32_t)lround(part * (1 << KLDVE_WEIGHT_BITS));
    }
    assert(first >= 0 && first < end && end <= w->in && sum > 0);
    return (struct span){first, end - first};
}

static kldve_status filter_new(kldve_ctx *ctx, const kldve_kernel *kernel, const way *w,
                               struct filter *filter)
{
    /* Pillow adds up where it takes the nearest pixel, which decides at ties. */
    double ratio = (double)w->in / (double)w->out, summed = 0.5 * ratio;
    size_t count;

    assert(w->in > 0 && w->first >= 0 && w->count > 0 && w->first + w->count <= w->out);
    filter->taps = 2 * (size_t)ceil(kernel->support * stretch(kernel, w->in, w->out)) + 1;
    filter->weight = NULL;
    filter->span = kldve_ctx_alloc(ctx, (size_t)w->count, sizeof *filter->span);
    if (kldve_size_mul((size_t)w->count, filter->taps, &count))
        filter->weight = kldve_ctx_alloc(ctx, count, sizeof *filter->weight);
    if (!filter->span || !filter->weight) {
        filter_free(ctx, filter);
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for resizing");
    }
    for (int32_t i = 0; i < w->first; i++)
        summed += ratio;
    for (int32_t i = 0; i < w->count; i++, summed += ratio) {
        double centre =
            kernel->support < 1 && !kernel->antialiased ? summed : (w->first + i + 0.5) * ratio;

        filter->span[i] = filter_row(kernel, centre, w, filter->weight + (size_t)i * filter->taps);
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

/* Rows [first, first + narrow->height) of the picture -> narrow, of which `across` has the columns.
 * `alpha`: of the alpha channel, spread to three. */
static kldve_status resize_rows(const kldve_image *image, const struct filter *across,
                                int32_t first, bool alpha, kldve_image *narrow)
{
    size_t out_row = 3 * (size_t)narrow->width;
    kldve_ctx *ctx = narrow->ctx;
    kldve_status status = KLDVE_OK;
    uint8_t *room = kldve_image_row_room(ctx, image);

    if (!room)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for resizing");
    for (int32_t y = 0; y < narrow->height && status == KLDVE_OK; y++) {
        const uint8_t *row = room;

        status = kldve_ctx_poll(ctx);
        if (!alpha)
            row = kldve_image_row(image, first + y, room);
        else
            kldve_image_alpha_row(image, first + y, room);
        resize_row(across, row, narrow->pixels + (size_t)y * out_row, narrow->width);
    }
    kldve_ctx_release(ctx, room);
    return status;
}

/* narrow has the rows of the picture from `first` on. */
static kldve_status resize_columns(const kldve_image *narrow, const struct filter *down,
                                   int32_t first, kldve_image *out)
{
    size_t row = 3 * (size_t)out->width;
    kldve_status status = KLDVE_OK;

    assert(narrow->width == out->width);
    for (int32_t y = 0; y < out->height && (status = kldve_ctx_poll(out->ctx)) == KLDVE_OK; y++)
        kldve_resample_column(narrow->pixels + (size_t)(down->span[y].first - first) * row, row,
                              down->weight + (size_t)y * down->taps, down->span[y].count,
                              out->pixels + (size_t)y * row);
    return status;
}

/* Only the rows of the picture that the result reads are resized. */
static kldve_status resize(const kldve_image *image, const struct filter *across,
                           const struct filter *down, bool alpha, kldve_image *result)
{
    const struct span *last = &down->span[result->height - 1];
    int32_t first = down->span[0].first, rows = last->first + last->count - first;
    kldve_image *narrow = NULL;
    kldve_status status = kldve_image_alloc(result->ctx, result->width, rows, &narrow);

    if (status == KLDVE_OK &&
        (status = resize_rows(image, across, first, alpha, narrow)) == KLDVE_OK)
        status = resize_columns(narrow, down, first, result);
    kldve_image_free(narrow);
    return status;
}

static kldve_status resize_ways(kldve_ctx *ctx, const kldve_image *image,
                                const kldve_kernel *kernel, const way ways[2], kldve_image *result)
{
    struct filter across = {0}, down = {0};
    kldve_status status;

    if ((status = filter_new(ctx, kernel, &ways[0], &across)) == KLDVE_OK &&
        (status = filter_new(ctx, kernel, &ways[1], &down)) == KLDVE_OK &&
        (status = resize(image, &across, &down, false, result)) == KLDVE_OK &&
        kldve_image_has_alpha(image) &&
        (status = kldve_image_alloc(ctx, result->width, result->height, &result->alpha)) ==
            KLDVE_OK)
        status = resize(image, &across, &down, true, result->alpha);
    filter_free(ctx, &across);
    filter_free(ctx, &down);
    return status;
}

kldve_status kldve_image_resize_part(kldve_ctx *ctx, const kldve_image *image,
                                     int32_t interpolation, const int32_t size[2],
                                     const int32_t at[2], const int32_t part[2], kldve_image **out)
{
    const kldve_kernel *kernel = kldve_kernel_of(interpolation);
    double before = kldve_ctx_enter(ctx, "resize", 0);
    kldve_image *result = NULL;
    kldve_status status;

    if ((status = kldve_image_alloc(ctx, part[0], part[1], &result)) == KLDVE_OK) {
        const way ways[2] = {{image->width, size[0], at[0], part[0]},
                             {image->height, size[1], at[1], part[1]}};

        status = resize_ways(ctx, image, kernel, ways, result);
    }
    return kldve_ctx_leave(ctx, before, kldve_image_finish(status, result, out));
}

kldve_status kldve_image_resize_by(kldve_ctx *ctx, const kldve_image *image, int32_t interpolation,
                                   int32_t width, int32_t height, kldve_image **out)
{
    const int32_t size[2] = {width, height};

    if (!ctx || !image || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "resize: an argument is NULL");
    if (!kldve_interpolation_name(interpolation))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "resize: unknown interpolation %d",
                               (int)interpolation);
    return kldve_image_resize_part(ctx, image, interpolation, size, (const int32_t[2]){0, 0}, size,
                                   out);
}

kldve_status kldve_image_resize(kldve_ctx *ctx, const kldve_image *image, int32_t width,
                                int32_t height, kldve_image **out)
{
    return kldve_image_resize_by(ctx, image, KLDVE_INTERPOLATION_BILINEAR, width, height, out);
}
