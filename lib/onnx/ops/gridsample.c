/* gridsample.c - GridSample: an array read at positions that another array gives.
 *
 *     y[n][c][o] = sum over taps of w(x, tap) x[n][c][tap]     x = position o of the grid
 *
 * Along each spatial axis a position -1 .. 1 becomes a coordinate, whose 1 (nearest), 2 (linear) or
 * 4 (cubic) neighbours weigh in; the weight of a tap is the product over the axes.
 *
 *     dx[tap] += dy w,      d(position) = sum of dy dw/d(position) x[tap]
 *
 * Cubic: Keys 1981, a = -0.75, as in torch.  The grid holds the last axis first: x, y(, z). */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "basic.h"
#include "families.h"
#include "nn.h"

enum { X, GRID, TAPS = 4, AXES = 3, MOST_TAPS = 16 };

typedef enum sample_mode { NEAREST, LINEAR, CUBIC } sample_mode;
typedef enum sample_padding { ZEROS, BORDER, REFLECTION } sample_padding;

typedef struct sample_params {
    sample_mode mode;
    sample_padding padding;
    bool corners;     /* -1 and 1 are the centres of the outermost elements, not their edges */
    int32_t axes;     /* 2 or 3 */
    int64_t in[AXES]; /* lengths of x */
    int64_t batch, channels, plane, cells; /* elements of x and y a channel */
} sample_params;

/* The taps along one axis: element (-1: outside), weight, and its derivative by the position. */
typedef struct line {
    int32_t taps;
    int64_t at[TAPS];
    double w[TAPS], dw[TAPS];
} line;

/* All taps of a position: element of the plane, weight, and the weights' derivatives by the
 * position along each axis. */
typedef struct stencil {
    int32_t taps;
    int64_t at[MOST_TAPS];
    double w[MOST_TAPS], dw[AXES][MOST_TAPS];
} stencil;

/* ---- one axis -------------------------------------------------------------------------------- */

/* Back and forth between lo and hi; *slope is 1 or -1. */
static double reflect(double x, double lo, double hi, double *slope)
{
    double span = hi - lo, past, flips;

    *slope = 1;
    if (span <= 0)
        return lo;
    past = x < lo ? lo - x : x - lo;
    *slope = x < lo ? -1 : 1;
    flips = floor(past / span);
    past -= flips * span;
    if (fmod(flips, 2) == 0)
        return lo + past;
    *slope = -*slope;
    return hi - past;
}

/* A coordinate outside is moved inside, or left to be seen as outside. */
static double inside(const sample_params *p, double x, int64_t length, double *slope)
{
    double last = (double)(length - 1), y = x;

    *slope = 1;
    if (p->padding == REFLECTION)
        y = reflect(x, p->corners ? 0 : -0.5, p->corners ? last : last + 0.5, slope);
    if (p->padding != ZEROS && !(y > 0 && y < last)) {
        *slope = 0;               /* on the border, too, as in torch */
        y = y >= last ? last : 0; /* NaN too */
    }
    return y >= -TAPS && y <= last + TAPS ? y : -TAPS;
}

/* Weights of the elements around a coordinate r behind the second of four. */
static void cubic(double r, double *w, double *dw)
{
    static const double a = -0.75;

    for (int t = 0; t < 4; t++) {
        double d = fabs(r + 1 - t), sign = r + 1 - t < 0 ? -1 : 1;

        w[t] = d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1
                      : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
        dw[t] = sign *
                (d <= 1 ? (3 * (a + 2) * d - 2 * (a + 3)) * d : (3 * a * d - 10 * a) * d + 8 * a);
    }
}

static int64_t element(const sample_params *p, double at, int64_t length)
{
    double slope, y = p->mode == CUBIC ? inside(p, at, length, &slope) : at;

    return y >= 0 && y <= (double)(length - 1) ? (int64_t)y : -1;
}

static void make_line(const sample_params *p, double position, int64_t length, line *l)
{
    double scale = (p->corners ? (double)length - 1 : (double)length) / 2, slope = 1, first;
    double x = (position + 1) * scale - (p->corners ? 0 : 0.5);

    if (p->mode == CUBIC) /* each tap is moved inside by itself */
        x = x >= -0x1p30 && x <= 0x1p30 ? x : -0x1p30;
    else
        x = inside(p, x, length, &slope);
    *l = (line){.taps = p->mode == NEAREST ? 1 : p->mode == LINEAR ? 2 : TAPS};
    first = p->mode == NEAREST ? nearbyint(x) : floor(x);
    l->w[0] = 1;
    if (p->mode == LINEAR) {
        l->w[0] = 1 - (x - first);
        l->w[1] = x - first;
        l->dw[0] = -1;
        l->dw[1] = 1;
    } else if (p->mode == CUBIC) {
        cubic(x - first, l->w, l->dw);
        first -= 1;
    }
    for (int32_t t = 0; t < l->taps; t++) {
        l->at[t] = element(p, first + t, length);
        l->dw[t] *= scale * slope;
    }
}

/* ---- all axes -------------------------------------------------------------------------------- */

/* The product of a stencil over the axes so far with the next axis; taps outside vanish. */
static void multiply(stencil *s, const line *l, int32_t axis, int64_t length)
{
    stencil all = {.taps = 0};

    for (int32_t i = 0; i < s->taps; i++)
        for (int32_t t = 0; t < l->taps; t++) {
            int32_t k = all.taps;

            if (l->at[t] < 0)
                continue;
            assert(k < MOST_TAPS);
            all.at[k] = s->at[i] * length + l->at[t];
            all.w[k] = s->w[i] * l->w[t];
            for (int32_t a = 0; a < axis; a++)
                all.dw[a][k] = s->dw[a][i] * l->w[t];
            all.dw[axis][k] = s->w[i] * l->dw[t];
            all.taps++;
        }
    *s = all;
}

/* The stencil for a position of the grid, which names the last axis first. */
static void make_stencil(const sample_params *p, const float *position, stencil *s)
{
    s->taps = 1;
    s->at[0] = 0;
    s->w[0] = 1;
    for (int32_t a = 0; a < p->axes; a++) {
        line l;

        make_line(p, (double)position[p->axes - 1 - a], p->in[a], &l);
        multiply(s, &l, a, p->in[a]);
    }
}

/* Multiplications for one position. */
static double step_work(const sample_params *p)
{
    return (double)(p->channels + AXES) * MOST_TAPS;
}

static void forward(const kx_op_call *call)
{
    const sample_params *p = call->node->params;
    const float *x = call->in[X].data, *grid = call->in[GRID].data;
    float *y = call->out[0].data;

    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t o = 0; o < p->cells && !kx_stops(call->pace, step_work(p)); o++) {
            stencil s;

            make_stencil(p, grid + (n * p->cells + o) * p->axes, &s);
            for (int64_t c = n * p->channels; c < (n + 1) * p->channels; c++) {
                double sum = 0;

                for (int32_t t = 0; t < s.taps; t++)
                    sum += s.w[t] * (double)x[c * p->plane + s.at[t]];
                y[c * p->cells + o] = (float)sum;
            }
        }
}

static void add_to_x(const sample_params *p, const stencil *s, int64_t first, const float *dy,
                     float *dx)
{
    for (int64_t c = 0; c < p->channels; c++)
        for (int32_t t = 0; t < s->taps; t++)
            dx[(first + c) * p->plane + s->at[t]] += (float)s->w[t] * dy[(first + c) * p->cells];
}

static void add_to_position(const sample_params *p, const stencil *s, int64_t first,
                            const float *dy, const float *x, float *dposition)
{
    double sum[AXES] = {0};

    for (int64_t c = 0; c < p->channels; c++)
        for (int32_t t = 0; t < s->taps; t++)
            for (int32_t a = 0; a < p->axes; a++)
                sum[a] += (double)dy[(first + c) * p->cells] * s->dw[a][t] *
                          (double)x[(first + c) * p->plane + s->at[t]];
    for (int32_t a = 0; a < p->axes; a++)
        dposition[p->axes - 1 - a] += (float)sum[a];
}

static void vjp(const kx_op_call *call)
{
    const sample_params *p = call->node->params;
    const float *dy = call->dout[0].data;

    if (!dy)
        return;
    for (int64_t n = 0; n < p->batch; n++)
        for (int64_t o = 0; o < p->cells && !kx_stops(call->pace, step_work(p)); o++) {
            int64_t at = (n * p->cells + o) * p->axes;
            stencil s;

            make_stencil(p, (const float *)call->in[GRID].data + at, &s);
            if (call->which == X)
                add_to_x(p, &s, n * p->channels, dy + o, call->din->data);
            else
                add_to_position(p, &s, n * p->channels, dy + o, call->in[X].data,
                                (float *)call->din->data + at);
        }
}

static double work(const kx_node *n)
{
    const sample_params *p = n->params;

    return (double)p->batch * (double)p->cells * step_work(p);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static kldve_status read_modes(kx_graph *g, kx_node *n, sample_params *p)
{
    const char *mode = kx_attr_string(n, "mode", g->opset < 20 ? "bilinear" : "linear");
    const char *padding = kx_attr_string(n, "padding_mode", "zeros");
    bool linear = strcmp(mode, "linear") == 0 || strcmp(mode, "bilinear") == 0;

    p->corners = kx_attr_int(n, "align_corners", 0) != 0;
    p->mode = linear ? LINEAR : strcmp(mode, "nearest") == 0 ? NEAREST : CUBIC;
    if (p->mode == CUBIC && strcmp(mode, "cubic") != 0 && strcmp(mode, "bicubic") != 0)
        return kx_invalid(g, n, "attribute 'mode' is '%.40s'", mode);
    p->padding = strcmp(padding, "border") == 0       ? BORDER
                 : strcmp(padding, "reflection") == 0 ? REFLECTION
                                                      : ZEROS;
    if (p->padding == ZEROS && strcmp(padding, "zeros") != 0)
        return kx_invalid(g, n, "attribute 'padding_mode' is '%.40s'", padding);
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    const kx_shape *x, *grid;
    sample_params *p;
    kx_shape y;

    if (st < 0 || (st = kx_need_floats(g, n, 2)) < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    x = &n->in[X]->shape;
    grid = &n->in[GRID]->shape;
    if ((st = read_modes(g, n, p)) < 0)
        return st;
    if (x->rank < 4 || x->rank > 5)
        return kx_refuse(g, n, "input 0 has rank %d, supported are 4 and 5", x->rank);
    p->axes = x->rank - 2;
    if (grid->rank != x->rank || grid->dim[0] != x->dim[0] || grid->dim[grid->rank - 1] != p->axes)
        return kx_invalid(g, n, "the grid must have the shape [%lld]...[%d]", (long long)x->dim[0],
                          p->axes);
    if (p->mode == CUBIC && p->axes == 3)
        return kx_refuse(g, n, "cubic sampling is supported for 2 spatial axes only");
    y = (kx_shape){x->rank, {x->dim[0], x->dim[1]}};
    for (int32_t a = 0; a < p->axes; a++) {
        p->in[a] = x->dim[2 + a];
        y.dim[2 + a] = grid->dim[1 + a];
        if (p->in[a] < 1)
            return kx_invalid(g, n, "the input has no elements along a spatial axis");
    }
    p->batch = x->dim[0];
    p->channels = x->dim[1];
    if ((st = kx_out_like(g, n, 0, n->in[X], &y)) < 0)
        return st;
    p->plane = kx_span(x, 2, x->rank);
    p->cells = kx_span(&y, 2, y.rank);
    return KLDVE_OK;
}

const kx_op kx_gridsample_ops[] = {
    {.type = "GridSample",
     .since = 16,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .work = work,
     .vjp_needs = KX_NEEDS_IN(X) | KX_NEEDS_IN(GRID),
     .traits = {.bias = KX_BIAS_NONE,
                .axes = KX_AXES_CHANNELS_FIRST,
                .warps = true,
                .settings = ~UINT64_C(1)}},
    {0},
};
