/* truth_pixels.c - where the object is, from pixels of the picture to pixels of the network's
 * input.
 *
 * The input [height][width] shows the part of the picture that the record calls seen.  Its pixel
 * (x, y) covers
 *
 *     seen_x + seen_width * [x, x + 1) / width        parts of the picture's width,
 *     seen_y + seen_height * [y, y + 1) / height      parts of its height.
 *
 * It belongs to a box if its centre lies in the box, and to a mask if half of the mask's pixels
 * whose centres it covers are set, or where it covers none, the one at its centre.  An object that
 * is too small for this has the one pixel of the input that shows most of it. */
#include <kldve/metrics.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/ctx.h"
#include "base/float_env.h"
#include "heatmap/heatmap.h"

/* Along one axis: pixel i of the input begins at `from` + i * `step` pixels of the picture. */
typedef struct axis {
    double from, step;
    int32_t count; /* pixels of the input */
    int32_t size;  /* pixels of the picture */
} axis;

typedef struct frame {
    axis x, y;
    uint8_t *truth; /* [y.count][x.count] */
} frame;

static axis make_axis(float seen, float seen_size, int32_t count, int32_t size)
{
    return (axis){
        .from = (double)seen * size,
        .step = (double)seen_size * size / count,
        .count = count,
        .size = size,
    };
}

/* The first pixel of the input whose beginning, moved by `offset` of a pixel, is at `at` or behind
 * it: 0..count. */
static int32_t first_from(const axis *a, double at, double offset)
{
    double i = ceil((at - a->from) / a->step - offset);

    return i < 0 ? 0 : i < a->count ? (int32_t)i : a->count;
}

static int32_t pixel_at(const axis *a, double at)
{
    double i = floor((at - a->from) / a->step);

    return i < 0 ? 0 : i < a->count ? (int32_t)i : a->count - 1;
}

/* ---- boxes -------------------------------------------------------------------------------- */

/* Cut [low, high) to what both the picture and the input have; false if nothing is left. */
static bool cut(const axis *a, double *low, double *high)
{
    *low = fmax(fmax(*low, 0), a->from);
    *high = fmin(fmin(*high, a->size), a->from + a->step * a->count);
    return *low < *high;
}

/* Whether the network sees some of it. */
static bool add_box(frame *f, const float box[4])
{
    double x0 = (double)box[0], y0 = (double)box[1], x1 = (double)box[2], y1 = (double)box[3];
    int32_t left, right, top, bottom;

    if (!cut(&f->x, &x0, &x1) || !cut(&f->y, &y0, &y1))
        return false;
    left = first_from(&f->x, x0, 0.5);
    right = first_from(&f->x, x1, 0.5);
    top = first_from(&f->y, y0, 0.5);
    bottom = first_from(&f->y, y1, 0.5);
    if (left >= right) {
        left = pixel_at(&f->x, (x0 + x1) / 2);
        right = left + 1;
    }
    if (top >= bottom) {
        top = pixel_at(&f->y, (y0 + y1) / 2);
        bottom = top + 1;
    }
    for (int32_t y = top; y < bottom; y++)
        memset(f->truth + (size_t)y * (size_t)f->x.count + left, 1, (size_t)(right - left));
    return true;
}

static kldve_status check_box(kldve_ctx *ctx, const frame *f, int32_t number, const float box[4])
{
    const char *wrong = NULL;

    for (int i = 0; i < 4; i++)
        if (!isfinite(box[i]))
            wrong = "has a side that is not a finite number";
    if (!wrong && (box[0] >= box[2] || box[1] >= box[3]))
        wrong = "is empty: give x0, y0, x1, y1 with x0 < x1 and y0 < y1";
    if (!wrong &&
        (box[0] >= (float)f->x.size || box[1] >= (float)f->y.size || box[2] <= 0 || box[3] <= 0))
        wrong = "lies wholly outside the picture";
    if (!wrong)
        return KLDVE_OK;
    return kldve_ctx_failf(ctx, KLDVE_E_ARG, "truth: box %d (%g, %g, %g, %g of %d x %d pixels) %s",
                           (int)number, (double)box[0], (double)box[1], (double)box[2],
                           (double)box[3], (int)f->x.size, (int)f->y.size, wrong);
}

/* ---- masks -------------------------------------------------------------------------------- */

/* The pixels of the mask that a pixel of the input covers: [first, end), or the one at its centre;
 * none outside the picture. */
static bool covered(const axis *a, int32_t i, int32_t *first, int32_t *end)
{
    double begin = a->from + a->step * i, middle = begin + a->step / 2;

    if (middle < 0 || middle >= a->size)
        return false;
    *first = (int32_t)fmin(fmax(ceil(begin - 0.5), 0), a->size);
    *end = (int32_t)fmin(fmax(ceil(begin + a->step - 0.5), 0), a->size);
    if (*first >= *end) {
        *first = (int32_t)middle;
        *end = *first + 1;
    }
    return true;
}

/* The share of the mask's pixels under pixel (x, y) of the input that are set. */
static double share_at(const frame *f, const uint8_t *mask, int32_t x, int32_t y)
{
    int32_t x0, x1, y0, y1, set = 0;

    if (!covered(&f->x, x, &x0, &x1) || !covered(&f->y, y, &y0, &y1))
        return 0;
    for (int32_t v = y0; v < y1; v++)
        for (int32_t u = x0; u < x1; u++)
            set += mask[(size_t)v * (size_t)f->x.size + (size_t)u] != 0;
    return (double)set / ((double)(x1 - x0) * (double)(y1 - y0));
}

/* Whether the network sees some of it. */
static bool add_mask(frame *f, const uint8_t *mask)
{
    double most = 0;
    size_t best = 0, found = 0;

    for (int32_t y = 0; y < f->y.count; y++)
        for (int32_t x = 0; x < f->x.count; x++) {
            size_t place = (size_t)y * (size_t)f->x.count + (size_t)x;
            double share = share_at(f, mask, x, y);

            f->truth[place] = share >= 0.5;
            found += share >= 0.5;
            if (share > most) {
                most = share;
                best = place;
            }
        }
    if (found == 0 && most > 0)
        f->truth[best] = 1;
    return most > 0;
}

/* ---- both --------------------------------------------------------------------------------- */

static bool is_empty(const uint8_t *mask, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mask[i])
            return false;
    return true;
}

static kldve_status check(kldve_ctx *ctx, const kldve_heatmap *map, int32_t width, int32_t height,
                          bool has_truth)
{
    if (!map || !has_truth)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "truth: the %s is NULL",
                               map ? "truth, or its result," : "map");
    if (width < 1 || height < 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "truth: a picture of %d x %d pixels is empty",
                               (int)width, (int)height);
    if (map->view_frames > 1)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "truth: the map is one of a film of %d frames: take one of them by "
                               "kldve_heatmap_frame()",
                               (int)map->view_frames);
    return KLDVE_OK;
}

/* With an empty truth of its own, in blank memory. */
static kldve_status open_frame(kldve_ctx *ctx, const kldve_heatmap *map, int32_t width,
                               int32_t height, frame *f)
{
    const kldve_record *r = &map->record;
    size_t count = (size_t)map->view_width * (size_t)map->view_height;

    f->x = make_axis(r->seen_x, r->seen_width, map->view_width, width);
    f->y = make_axis(r->seen_y, r->seen_height, map->view_height, height);
    f->truth = kldve_ctx_alloc(ctx, count, 1);
    if (!f->truth)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "truth: out of memory");
    memset(f->truth, 0, count);
    return KLDVE_OK;
}

/* Hand out what is seen; otherwise say what the network sees. */
static kldve_status close_frame(kldve_ctx *ctx, frame *f, kldve_status st, bool seen, uint8_t *out)
{
    const axis *x = &f->x, *y = &f->y;

    if (st == KLDVE_OK && !seen)
        st = kldve_ctx_failf(ctx, KLDVE_E_NOT_FOUND,
                             "truth: the object lies wholly outside what the network sees, columns "
                             "%.0f to %.0f and rows %.0f to %.0f of the picture's %d x %d pixels",
                             fmax(x->from, 0), fmin(x->from + x->step * x->count, x->size),
                             fmax(y->from, 0), fmin(y->from + y->step * y->count, y->size),
                             (int)x->size, (int)y->size);
    if (st == KLDVE_OK)
        memcpy(out, f->truth, (size_t)x->count * (size_t)y->count);
    kldve_ctx_release(ctx, f->truth);
    return st;
}

static kldve_status cover_boxes(kldve_ctx *ctx, const kldve_heatmap *map, const int32_t size[2],
                                const float *boxes, int32_t count, uint8_t *truth)
{
    frame f;
    bool seen = false;
    kldve_status st = open_frame(ctx, map, size[0], size[1], &f);

    if (st < 0)
        return st;
    for (int32_t i = 0; st == KLDVE_OK && i < count; i++)
        if ((st = check_box(ctx, &f, i, boxes + 4 * (size_t)i)) == KLDVE_OK)
            seen |= add_box(&f, boxes + 4 * (size_t)i);
    return close_frame(ctx, &f, st, seen, truth);
}

kldve_status kldve_heatmap_truth_boxes(kldve_ctx *ctx, const kldve_heatmap *map, int32_t width,
                                       int32_t height, const float *boxes, int32_t count,
                                       uint8_t *truth)
{
    fenv_t host;
    kldve_status st;

    kldve_ctx_clear(ctx);
    if (!ctx)
        return KLDVE_E_ARG;
    if ((st = check(ctx, map, width, height, boxes && truth)) < 0)
        return st;
    if (count < 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "truth: %d boxes were given, it takes 1 or more",
                               (int)count);
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(
        &host, cover_boxes(ctx, map, (const int32_t[2]){width, height}, boxes, count, truth));
}

static kldve_status cover_mask(kldve_ctx *ctx, const kldve_heatmap *map, const int32_t size[2],
                               const uint8_t *mask, uint8_t *truth)
{
    frame f;
    kldve_status st = open_frame(ctx, map, size[0], size[1], &f);

    return st < 0 ? st : close_frame(ctx, &f, st, add_mask(&f, mask), truth);
}

kldve_status kldve_heatmap_truth_mask(kldve_ctx *ctx, const kldve_heatmap *map, int32_t width,
                                      int32_t height, const uint8_t *mask, uint8_t *truth)
{
    fenv_t host;
    kldve_status st;

    kldve_ctx_clear(ctx);
    if (!ctx)
        return KLDVE_E_ARG;
    if ((st = check(ctx, map, width, height, mask && truth)) < 0)
        return st;
    if (is_empty(mask, (size_t)width * (size_t)height))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "truth: the mask is empty, no pixel of it is set");
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(
        &host, cover_mask(ctx, map, (const int32_t[2]){width, height}, mask, truth));
}
