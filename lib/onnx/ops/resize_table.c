/* resize_table.c - Resize and Upsample as weighted sums along every axis.
 *
 * Nearest, linear and cubic are separable and linear: output o is a weighted sum of 1, 2 or 4
 * elements around the coordinate x(o) that coordinate_transformation_mode gives, or of more where
 * an antialiased axis shrinks.  Cubic: Keys 1981,
 * "Cubic convolution interpolation for digital image processing", equation 4. */
#include "resize.h"

#include <assert.h>
#include <math.h>

enum {
    MAX_LENGTH = 1 << 20,
    MAX_TAPS = 1 << 24 /* of all elements of an axis */
};                     /* of a resized axis: its table must not be what fills the memory */

/* ---- coordinates and weights ----------------------------------------------------------------- */

static double unscale(const kx_resize_spec *a, double o)
{
    return o * a->down / a->up;
}

static double coordinate(const kx_resize_spec *a, const kx_resize_options *opt, int64_t at)
{
    double o = (double)at, last = (double)(a->in - 1);

    switch (opt->transform) {
    case HALF_PIXEL:
        return unscale(a, o + 0.5) - 0.5;
    case PYTORCH_HALF_PIXEL:
        return a->out > 1 ? unscale(a, o + 0.5) - 0.5 : 0;
    case ALIGN_CORNERS:
        return a->out > 1 ? o * last / (double)(a->out - 1) : 0;
    case ASYMMETRIC:
        return unscale(a, o);
    case TF_HALF_PIXEL_FOR_NN:
        return unscale(a, o + 0.5);
    case TF_CROP_AND_RESIZE:
        if (a->out == 1)
            return 0.5 * (a->start + a->end) * last;
        return a->start * last + o * (a->end - a->start) * last / (double)(a->out - 1);
    case HALF_PIXEL_SYMMETRIC: /* the specification's formula, arranged around the centre */
        return unscale(a, o + 0.5 - (double)a->out / 2) + (double)a->in / 2 - 0.5;
    }
    return 0;
}

/* The same in float32, operation by operation as ONNX Runtime has them: which element is nearest
 * hangs on the last bit where the exact coordinate lies between two elements. */
static float nearest_coordinate(const kx_resize_spec *a, const kx_resize_options *opt, int64_t at)
{
    float scale = (float)a->up / (float)a->down, in = (float)a->in, out = (float)a->out;
    float o = (float)at, start = (float)a->start, end = (float)a->end, offset;

    switch (opt->transform) {
    case HALF_PIXEL:
        return (o + 0.5f) / scale - 0.5f;
    case PYTORCH_HALF_PIXEL:
        return a->out > 1 ? (o + 0.5f) / scale - 0.5f : 0;
    case ALIGN_CORNERS:
        return a->out > 1 ? o * (in - 1) / (out - 1) : 0;
    case ASYMMETRIC:
        return o / scale;
    case TF_HALF_PIXEL_FOR_NN:
        return (o + 0.5f) / scale;
    case TF_CROP_AND_RESIZE:
        if (a->out == 1)
            return (float)(0.5 * (double)((start + end) * (in - 1)));
        return start * (in - 1) + o * (end - start) * (in - 1) / (out - 1);
    case HALF_PIXEL_SYMMETRIC:
        offset = in / 2 * (1 - out / (scale * in));
        return (float)((double)offset + ((double)o + 0.5) / (double)scale - 0.5);
    }
    return 0;
}

/* What is so near the middle between two elements counts as the middle, as in ONNX Runtime. */
static const double tie = 1e-6;

static double round_nearest(const kx_resize_spec *a, const kx_resize_options *opt, double x)
{
    switch (opt->rounding) {
    case PREFER_FLOOR:
        return ceil(x - 0.5 - tie);
    case PREFER_CEIL:
        return floor(x + 0.5 + tie);
    case FLOOR:
        return floor(x);
    case CEIL:
        return ceil(x);
    case OPSET_10:
        return a->up < a->down ? ceil(x) : floor(x);
    }
    return x;
}

/* The filter at a distance: a triangle that ends at 1, or Keys' cubic that ends at 2. */
static double filter(const kx_resize_options *opt, double distance)
{
    double a = opt->cubic_a, d = fabs(distance);

    if (opt->mode == LINEAR)
        return d < 1 ? 1 - d : 0;
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* How many elements the filter is stretched by: input elements an output, at least 1. */
static double stretch(const kx_resize_spec *a, const kx_resize_options *opt)
{
    return opt->antialias && a->up < a->down ? a->down / a->up : 1;
}

/* Elements from the one below the coordinate down to the filter's end; as many lie above. */
static double reach(const kx_resize_spec *a, const kx_resize_options *opt)
{
    return opt->mode == NEAREST ? 1 : ceil((opt->mode == LINEAR ? 1 : 2) * stretch(a, opt));
}

/* Weights that count, of taps from element `from` on, brought back to the sum 1. */
static void normalise(const kx_resize_spec *a, const kx_resize_options *opt, int64_t from,
                      int32_t taps, float *weight)
{
    double sum = 0;

    for (int64_t t = 0; t < taps; t++) {
        if (opt->exclude_outside && (from + t < 0 || from + t >= a->in))
            weight[t] = 0;
        sum += (double)weight[t];
    }
    for (int64_t t = 0; t < taps && sum != 0; t++)
        weight[t] = (float)((double)weight[t] / sum);
}

/* The table entries of one output. */
static void taps_at(const kx_resize_spec *a, const kx_resize_options *opt, double x, int32_t taps,
                    int32_t *index, float *weight)
{
    double limit = (double)a->in + 2, first, wide = stretch(a, opt);
    int64_t from;

    assert(a->in > 0 && taps >= 1);
    if (!(x > -3)) /* far outside, or NaN from hostile numbers: all clamp to the end anyway */
        x = -3;
    if (x > limit)
        x = limit;
    first = opt->mode == NEAREST ? round_nearest(a, opt, x) : floor(x);
    from = (int64_t)first - (opt->mode == NEAREST ? 0 : taps / 2 - 1);
    for (int32_t t = 0; t < taps; t++) {
        int64_t i = from + t;

        index[t] = (int32_t)(i < 0 ? 0 : i < a->in ? i : a->in - 1);
        weight[t] = opt->mode == NEAREST ? 1 : (float)filter(opt, ((double)i - x) / wide);
    }
    if (opt->mode != NEAREST && (wide > 1 || (opt->mode == CUBIC && opt->exclude_outside)))
        normalise(a, opt, from, taps, weight);
}

static bool stays(const kx_resize_spec *a, const kx_resize_options *opt)
{
    return a->in == a->out && a->up == a->down &&
           (opt->transform != TF_CROP_AND_RESIZE || (a->start == 0 && a->end == 1));
}

kldve_status kx_resize_tabulate(kx_graph *g, kx_node *n, const kx_resize_spec *a,
                                const kx_resize_options *opt, kx_resize_axis *r)
{
    int32_t *index;
    float *weight;
    uint8_t *outside;
    double taps;

    r->in = a->in;
    r->out = a->out;
    if (stays(a, opt))
        return KLDVE_OK;
    if (a->in < 1 && a->out > 0)
        return kx_invalid(g, n, "an axis without elements cannot be enlarged");
    if (a->out > MAX_LENGTH || a->in > INT32_MAX)
        return kx_refuse(g, n,
                         "resizing an axis from %lld to %lld elements, at most %d are supported",
                         (long long)a->in, (long long)a->out, MAX_LENGTH);
    taps = opt->mode == NEAREST ? 1 : 2 * reach(a, opt);
    if (taps > MAX_TAPS / (double)(a->out > 0 ? a->out : 1))
        return kx_refuse(g, n, "antialiasing an axis of %lld elements to %lld is not supported",
                         (long long)a->in, (long long)a->out);
    r->taps = (int32_t)taps;
    index = kx_new(g, (size_t)(a->out * r->taps), sizeof *index);
    weight = kx_new(g, (size_t)(a->out * r->taps), sizeof *weight);
    outside = kx_new(g, (size_t)a->out, 1);
    if (!index || !weight || !outside)
        return kx_nomem(g);
    for (int64_t o = 0; o < a->out; o++) {
        double x =
            opt->mode == NEAREST ? (double)nearest_coordinate(a, opt, o) : coordinate(a, opt, o);

        taps_at(a, opt, x, r->taps, index + o * r->taps, weight + o * r->taps);
        outside[o] = opt->transform == TF_CROP_AND_RESIZE && !(x >= 0 && x <= (double)(a->in - 1));
    }
    r->index = index;
    r->weight = weight;
    r->outside = opt->transform == TF_CROP_AND_RESIZE ? outside : NULL;
    return KLDVE_OK;
}
