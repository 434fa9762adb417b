/* inverse.c - Det, and Inverse of ONNX Runtime: of the last two axes, by elimination with pivots.
 *
 *     Det      y = det x         dx += dy det(x) x^-T
 *     Inverse  y = x^-1          dx += -y^T dy y^T
 *
 * A matrix that has no inverse gives infinities, and the derivative of its determinant counts as 0.
 */
#include <math.h>
#include <string.h>

#include "basic.h"
#include "families.h"
#include "nn.h"

typedef struct square_params {
    int64_t count, n;
} square_params;

enum { MAX_SIDE = 1 << 12 };

static kldve_status start(kx_graph *g, kx_node *n, square_params **out)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    const kx_shape *s;
    square_params *p;

    if (st < 0 || (st = kx_need_floats(g, n, 1)) < 0)
        return st;
    if (!(p = n->params = *out = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    s = &n->in[0]->shape;
    if (s->rank < 2 || s->dim[s->rank - 1] != s->dim[s->rank - 2])
        return kx_invalid(g, n, "the last two axes must be a square matrix");
    p->n = s->dim[s->rank - 1];
    if (p->n < 1 || p->n > MAX_SIDE)
        return kx_refuse(g, n, "matrices of %lld x %lld, supported are 1 to %d", (long long)p->n,
                         (long long)p->n, MAX_SIDE);
    p->count = kx_span(s, 0, s->rank - 2);
    return KLDVE_OK;
}

static kldve_status infer_inverse(kx_graph *g, kx_node *n)
{
    square_params *p;
    kldve_status st = start(g, n, &p);

    return st < 0 ? st : kx_out_like(g, n, 0, n->in[0], &n->in[0]->shape);
}

static kldve_status infer_det(kx_graph *g, kx_node *n)
{
    square_params *p;
    kldve_status st = start(g, n, &p);
    kx_shape y;

    if (st < 0)
        return st;
    y = n->in[0]->shape;
    y.rank -= 2;
    return kx_out_like(g, n, 0, n->in[0], &y);
}

/* ---- elimination ----------------------------------------------------------------------------- */

static void swap_rows(double *m, int64_t n, int64_t a, int64_t b)
{
    for (int64_t i = 0; i < n && a != b; i++) {
        double t = m[a * n + i];

        m[a * n + i] = m[b * n + i];
        m[b * n + i] = t;
    }
}

static int64_t pivot_of(const double *m, int64_t n, int64_t column)
{
    int64_t best = column;

    for (int64_t r = column + 1; r < n; r++)
        if (fabs(m[r * n + column]) > fabs(m[best * n + column]))
            best = r;
    return best;
}

/* Row r -= factor * row of the pivot, in both. */
static void eliminate(double *m, double *inverse, int64_t n, int64_t pivot, int64_t r)
{
    double factor = m[r * n + pivot] / m[pivot * n + pivot];

    for (int64_t i = 0; i < n; i++) {
        m[r * n + i] -= factor * m[pivot * n + i];
        inverse[r * n + i] -= factor * inverse[pivot * n + i];
    }
}

/* Scratch: m [n][n] and its inverse [n][n].  Returns the determinant. */
static double invert(const float *x, int64_t n, double *m, double *inverse, kx_pace *pace)
{
    double det = 1;

    for (int64_t i = 0; i < n * n; i++) {
        m[i] = (double)x[i];
        inverse[i] = i % (n + 1) == 0;
    }
    for (int64_t c = 0; c < n && !kx_stops(pace, 2 * (double)n * (double)n); c++) {
        int64_t pivot = pivot_of(m, n, c);

        swap_rows(m, n, c, pivot);
        swap_rows(inverse, n, c, pivot);
        det *= pivot == c ? m[c * n + c] : -m[c * n + c];
        for (int64_t r = 0; r < n; r++)
            if (r != c)
                eliminate(m, inverse, n, c, r);
    }
    for (int64_t i = 0; i < n * n; i++)
        inverse[i] /= m[i / n * (n + 1)];
    return det;
}

static size_t scratch_size(const kx_node *n)
{
    const square_params *p = n->params;

    return (size_t)(p->n * p->n) * 2 * sizeof(double);
}

static double work(const kx_node *n)
{
    const square_params *p = n->params;

    return 2 * (double)p->count * (double)p->n * (double)p->n * (double)p->n;
}

/* ---- Inverse --------------------------------------------------------------------------------- */

static void forward_inverse(const kx_op_call *call)
{
    const square_params *p = call->node->params;
    int64_t area = p->n * p->n;
    double *m = call->scratch;

    for (int64_t k = 0; k < p->count; k++) {
        float *y = (float *)call->out[0].data + k * area;

        invert((const float *)call->in[0].data + k * area, p->n, m, m + area, call->pace);
        for (int64_t i = 0; i < area; i++)
            y[i] = (float)m[area + i];
    }
}

/* dx -= y^T dy y^T, by way of t = dy y^T */
static void vjp_inverse(const kx_op_call *call)
{
    const square_params *p = call->node->params;
    int64_t n = p->n, area = n * n;
    double *t = call->scratch;

    if (!call->dout[0].data)
        return;
    for (int64_t k = 0; k < p->count; k++) {
        const float *y = (const float *)call->out[0].data + k * area;
        const float *dy = (const float *)call->dout[0].data + k * area;
        float *dx = (float *)call->din->data + k * area;

        memset(t, 0, (size_t)area * sizeof *t);
        for (int64_t i = 0; i < n && !kx_stops(call->pace, (double)n * (double)n); i++)
            for (int64_t j = 0; j < n; j++)
                for (int64_t l = 0; l < n; l++)
                    t[i * n + j] += (double)dy[i * n + l] * (double)y[j * n + l];
        for (int64_t i = 0; i < n && !kx_stops(call->pace, (double)n * (double)n); i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0;

                for (int64_t l = 0; l < n; l++)
                    sum += (double)y[l * n + i] * t[l * n + j];
                dx[i * n + j] -= (float)sum;
            }
    }
}

/* ---- Det ------------------------------------------------------------------------------------- */

static double determinant(const kx_op_call *call, int64_t k)
{
    const square_params *p = call->node->params;
    double *m = call->scratch;
    double det = invert((const float *)call->in[0].data + k * p->n * p->n, p->n, m, m + p->n * p->n,
                        call->pace);

    return isnan(det) ? 0 : det; /* a pivot of 0 */
}

static void forward_det(const kx_op_call *call)
{
    const square_params *p = call->node->params;

    for (int64_t k = 0; k < p->count; k++)
        ((float *)call->out[0].data)[k] = (float)determinant(call, k);
}

static void vjp_det(const kx_op_call *call)
{
    const square_params *p = call->node->params;
    int64_t n = p->n, area = n * n;
    const double *inverse = (const double *)call->scratch + area;
    const float *dy = call->dout[0].data;

    for (int64_t k = 0; dy && k < p->count; k++) {
        double det = determinant(call, k);

        for (int64_t i = 0; i < area && det != 0; i++)
            ((float *)call->din->data)[k * area + i] +=
                (float)((double)dy[k] * det * inverse[i % n * n + i / n]);
    }
}

const kx_op kx_inverse_ops[] = {
    {.type = "Det",
     .since = 11,
     .infer = infer_det,
     .forward = forward_det,
     .vjp = vjp_det,
     .vjp_needs = KX_NEEDS_IN(0),
     .scratch_size = scratch_size,
     .work = work,
     .traits = {.bias = KX_BIAS_NONE}},
    {.type = "Inverse",
     .domain = "com.microsoft",
     .since = 1,
     .infer = infer_inverse,
     .forward = forward_inverse,
     .vjp = vjp_inverse,
     .vjp_needs = KX_NEEDS_OUT,
     .scratch_size = scratch_size,
     .work = work,
     .traits = {.bias = KX_BIAS_NONE}},
    {0},
};
