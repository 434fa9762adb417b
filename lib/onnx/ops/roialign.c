/* roialign.c - RoiAlign: boxes of feature maps, each resampled to one size.
 *
 *     y[r][c][bin] = mean (or max) over the samples of a bin of the bilinear value at each
 *
 * Box r is [x1, y1, x2, y2], in units of the picture, times `spatial_scale`.  With mode max the
 * largest of the four weighted neighbours of all samples counts, as ONNX defines it.  The
 * derivative by the boxes counts as 0, as in torchvision: boxes are positions, not features. */
#include <math.h>
#include <string.h>

#include "basic.h"
#include "families.h"
#include "nn.h"

enum { X, BOXES, BATCH, CORNERS = 4, MAX_SAMPLES = 1 << 9 /* of a bin along an axis */ };

typedef struct roi_params {
    bool max, half_pixel;
    int64_t samples; /* along each axis of a bin; 0: as many as a bin has cells */
    float scale;
    int64_t batch, channels, height, width, boxes, out_height, out_width;
} roi_params;

/* A box along one axis: bin b, sample i lies at start + bin * (b + (i + 0.5) / samples). */
typedef struct side {
    double start, bin;
    int64_t samples;
} side;

static side side_of(const roi_params *p, float from, float to, int64_t bins)
{
    double shift = p->half_pixel ? 0.5 : 0, scale = (double)p->scale;
    side s = {.start = (double)from * scale - shift};
    double length = (double)to * scale - shift - s.start;

    if (!p->half_pixel && length < 1)
        length = 1;
    s.bin = length / (double)bins;
    s.samples = p->samples;
    if (s.samples == 0) {
        double count = ceil(s.bin);

        s.samples = count >= 1 ? count < MAX_SAMPLES ? (int64_t)count : MAX_SAMPLES : 0;
    }
    return s;
}

/* The two cells around a coordinate and the weight of the second; false: outside. */
static bool cells_at(double at, int64_t length, int64_t cell[2], double *second)
{
    if (!(at >= -1 && at <= (double)length))
        return false;
    at = at < 0 ? 0 : at;
    cell[0] = (int64_t)at < length - 1 ? (int64_t)at : length - 1;
    cell[1] = cell[0] < length - 1 ? cell[0] + 1 : cell[0];
    *second = cell[1] > cell[0] ? at - (double)cell[0] : 0;
    return true;
}

/* One bin of one box, and a sample of it. */
typedef struct roi_bin {
    const roi_params *p;
    side down, across;
    int64_t row, column;
    int64_t x, y; /* where the planes of its picture and its results begin */
} roi_bin;

typedef struct corners {
    int64_t at[CORNERS];
    double w[CORNERS]; /* all 0: the sample lies outside */
} corners;

static corners corners_of(const roi_bin *b, int64_t i, int64_t j)
{
    double y = b->down.start +
               b->down.bin * ((double)b->row + ((double)i + 0.5) / (double)b->down.samples);
    double x = b->across.start +
               b->across.bin * ((double)b->column + ((double)j + 0.5) / (double)b->across.samples);
    int64_t row[2], column[2];
    double wy, wx;
    corners c = {{0}, {0}};

    if (!cells_at(y, b->p->height, row, &wy) || !cells_at(x, b->p->width, column, &wx))
        return c;
    for (int k = 0; k < CORNERS; k++) {
        c.at[k] = row[k / 2] * b->p->width + column[k % 2];
        c.w[k] = (k / 2 ? wy : 1 - wy) * (k % 2 ? wx : 1 - wx);
    }
    return c;
}

#define FOR_SAMPLES(b, i, j)                                                                       \
    for (int64_t i = 0; i < (b)->down.samples; i++)                                                \
        for (int64_t j = 0; j < (b)->across.samples; j++)

static double sample_count(const roi_bin *b)
{
    int64_t count = b->down.samples * b->across.samples;

    return count > 0 ? (double)count : 1;
}

/* ---- all bins -------------------------------------------------------------------------------- */

typedef void bin_fn(const kx_op_call *call, const roi_bin *b);

static void each_bin(const kx_op_call *call, bin_fn *fn)
{
    const roi_params *p = call->node->params;
    const float *box = call->in[BOXES].data;
    const int64_t *batch = call->in[BATCH].data;
    roi_bin b = {.p = p};

    for (int64_t r = 0; r < p->boxes; r++, box += 4) {
        b.across = side_of(p, box[0], box[2], p->out_width);
        b.down = side_of(p, box[1], box[3], p->out_height);
        b.x = (int64_t)kx_index_of(batch[r], p->batch) * p->channels * p->height * p->width;
        for (b.row = 0; b.row < p->out_height; b.row++)
            for (b.column = 0; b.column < p->out_width; b.column++) {
                if (kx_stops(call->pace, (double)p->channels * CORNERS * sample_count(&b)))
                    return;
                b.y = (r * p->channels * p->out_height + b.row) * p->out_width + b.column;
                fn(call, &b);
            }
    }
}

static void forward_bin(const kx_op_call *call, const roi_bin *b)
{
    const roi_params *p = b->p;
    int64_t plane = p->height * p->width, cells = p->out_height * p->out_width;
    const float *x = (const float *)call->in[X].data + b->x;
    float *y = (float *)call->out[0].data + b->y;
    bool first = true;

    for (int64_t c = 0; c < p->channels; c++)
        y[c * cells] = 0;
    FOR_SAMPLES(b, i, j)
    {
        corners s = corners_of(b, i, j);

        for (int64_t c = 0; c < p->channels; c++) {
            float *to = &y[c * cells];

            for (int k = 0; k < CORNERS; k++) {
                float v = (float)s.w[k] * x[c * plane + s.at[k]];

                *to = !p->max ? *to + v : (first && k == 0) || v > *to ? v : *to;
            }
        }
        first = false;
    }
    for (int64_t c = 0; c < p->channels && !p->max; c++)
        y[c * cells] = (float)((double)y[c * cells] / sample_count(b));
}

static void forward(const kx_op_call *call)
{
    each_bin(call, forward_bin);
}

/* The neighbour that is the maximum of one channel, and its weight. */
static int64_t largest(const roi_bin *b, const float *x, float *weight)
{
    int64_t at = -1;
    float most = 0;

    FOR_SAMPLES(b, i, j)
    {
        corners s = corners_of(b, i, j);

        for (int k = 0; k < CORNERS; k++) {
            float v = (float)s.w[k] * x[s.at[k]];

            if (at < 0 || v > most) {
                at = s.at[k];
                most = v;
                *weight = (float)s.w[k];
            }
        }
    }
    return at;
}

static void vjp_max(const kx_op_call *call, const roi_bin *b)
{
    const roi_params *p = b->p;
    int64_t plane = p->height * p->width, cells = p->out_height * p->out_width;
    const float *dy = (const float *)call->dout[0].data + b->y;

    for (int64_t c = 0; c < p->channels; c++) {
        float weight = 0;
        int64_t at = largest(b, (const float *)call->in[X].data + b->x + c * plane, &weight);

        if (at >= 0)
            ((float *)call->din->data)[b->x + c * plane + at] += weight * dy[c * cells];
    }
}

static void vjp_mean(const kx_op_call *call, const roi_bin *b)
{
    const roi_params *p = b->p;
    int64_t plane = p->height * p->width, cells = p->out_height * p->out_width;
    const float *dy = (const float *)call->dout[0].data + b->y;
    float *dx = (float *)call->din->data + b->x;

    FOR_SAMPLES(b, i, j)
    {
        corners s = corners_of(b, i, j);

        for (int64_t c = 0; c < p->channels; c++)
            for (int k = 0; k < CORNERS; k++)
                dx[c * plane + s.at[k]] += (float)(s.w[k] / sample_count(b)) * dy[c * cells];
    }
}

static void vjp(const kx_op_call *call)
{
    const roi_params *p = call->node->params;

    if (call->which == X && call->dout[0].data)
        each_bin(call, p->max ? vjp_max : vjp_mean);
}

/* Of a bin along one side.  Where the box decides, that of a box as large as the maps. */
static double expected_samples(const roi_params *p, int64_t cells, int64_t bins)
{
    if (p->samples)
        return (double)p->samples;
    return fmin((double)MAX_SAMPLES, fmax(1, ceil((double)cells / (double)bins)));
}

static double work(const kx_node *n)
{
    const roi_params *p = n->params;

    return (double)n->out[0]->count * CORNERS * expected_samples(p, p->height, p->out_height) *
           expected_samples(p, p->width, p->out_width);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static kldve_status choose(kx_graph *g, kx_node *n, const char *attr, const char *def,
                           const char *other, bool *is_other)
{
    const char *value = kx_attr_string(n, attr, def);

    *is_other = strcmp(value, other) == 0;
    return *is_other || strcmp(value, def) == 0
               ? KLDVE_OK
               : kx_invalid(g, n, "attribute '%s' is '%.40s', expected '%s' or '%s'", attr, value,
                            def, other);
}

static kldve_status read_attributes(kx_graph *g, kx_node *n, roi_params *p)
{
    bool plain = true;
    kldve_status st = choose(g, n, "mode", "avg", "max", &p->max);

    if (st == KLDVE_OK && g->opset >= 16)
        st = choose(g, n, "coordinate_transformation_mode", "half_pixel", "output_half_pixel",
                    &plain);
    if (st < 0)
        return st;
    p->half_pixel = !plain;
    p->out_height = kx_attr_int(n, "output_height", 1);
    p->out_width = kx_attr_int(n, "output_width", 1);
    p->samples = kx_attr_int(n, "sampling_ratio", 0);
    p->scale = kx_attr_float(n, "spatial_scale", 1);
    if (p->out_height < 1 || p->out_width < 1 || p->out_height > INT32_MAX ||
        p->out_width > INT32_MAX || p->samples < 0 || p->samples > MAX_SAMPLES ||
        !isfinite(p->scale))
        return kx_invalid(g, n,
                          "output_height %lld, output_width %lld, sampling_ratio %lld (at most %d) "
                          "or spatial_scale %g is out of range",
                          (long long)p->out_height, (long long)p->out_width, (long long)p->samples,
                          MAX_SAMPLES, (double)p->scale);
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 3, 3, 1);
    const kx_shape *x, *boxes, *batch;
    roi_params *p;

    if (st < 0 || (st = kx_need_floats(g, n, 2)) < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if ((st = read_attributes(g, n, p)) < 0)
        return st;
    x = &n->in[X]->shape;
    boxes = &n->in[BOXES]->shape;
    batch = &n->in[BATCH]->shape;
    if (x->rank != 4 || kx_span(x, 0, 4) < 1)
        return kx_invalid(g, n, "input 0 must have the shape [batch][channels][height][width]");
    if (boxes->rank != 2 || boxes->dim[1] != 4 || batch->rank != 1 ||
        batch->dim[0] != boxes->dim[0] || n->in[BATCH]->dtype != KX_I64)
        return kx_invalid(g, n, "inputs 1 and 2 must be boxes [n][4] and picture numbers [n]");
    p->batch = x->dim[0];
    p->channels = x->dim[1];
    p->height = x->dim[2];
    p->width = x->dim[3];
    p->boxes = boxes->dim[0];
    return kx_out_like(g, n, 0, n->in[X],
                       &(kx_shape){4, {p->boxes, p->channels, p->out_height, p->out_width}});
}

const kx_op kx_roialign_ops[] = {
    {.type = "RoiAlign",
     .since = 10,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .work = work,
     .vjp_needs = KX_NEEDS_IN(X) | KX_NEEDS_IN(BOXES) | KX_NEEDS_IN(BATCH),
     .traits = {.bias = KX_BIAS_NONE,
                .axes = KX_AXES_CHANNELS_FIRST,
                .warps = true,
                .settings = ~UINT64_C(1)}},
    {0},
};
