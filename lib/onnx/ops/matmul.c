/* matmul.c - Gemm and MatMul.
 *
 *     Gemm    y = alpha A B + beta C;  dA = alpha dy B^T,  dB = alpha A^T dy,  dC = beta sum dy
 *     MatMul  y = A B for every matrix of a batch, numpy's rules for broadcasting and rank 1
 *
 * A transposed matrix is the same numbers with rows and columns exchanged in the strides. */
#include "basic.h"
#include "families.h"
#include "nn.h"

#include <assert.h>

/* Four sums so that they do not wait for each other. */
static double dot(const float *a, const float *b, int64_t n)
{
    double sum[4] = {0};
    int64_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += (double)a[i + k] * (double)b[i + k];
    for (; i < n; i++)
        sum[0] += (double)a[i] * (double)b[i];
    return sum[0] + sum[1] + (sum[2] + sum[3]);
}

static void add_scaled(float *restrict y, const float *restrict b, float factor, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        y[j] += factor * b[j];
}

void kx_gemm_add(int64_t m, int64_t n, int64_t k, float factor, kx_matrix a, kx_matrix b, float *y,
                 kx_pace *pace)
{
    assert(m >= 0 && n >= 0 && k >= 0);
    for (int64_t i = 0; i < m && !kx_stops(pace, 1); i++, y += n) {
        const float *ai = a.data + i * a.row;

        if (b.row == 1 && a.column == 1) {
            for (int64_t j = 0; j < n && !kx_stops(pace, (double)k); j++)
                y[j] += factor * (float)dot(ai, b.data + j * b.column, k);
        } else if (b.column == 1) {
            for (int64_t l = 0; l < k && !kx_stops(pace, (double)n); l++)
                add_scaled(y, b.data + l * b.row, factor * ai[l * a.column], n);
        } else {
            for (int64_t j = 0; j < n && !kx_stops(pace, (double)k); j++) {
                double sum = 0;

                for (int64_t l = 0; l < k; l++)
                    sum += (double)ai[l * a.column] * (double)b.data[l * b.row + j * b.column];
                y[j] += factor * (float)sum;
            }
        }
    }
}

static kx_matrix plain(const float *data, int64_t columns)
{
    return (kx_matrix){data, columns, 1};
}

static kx_matrix transposed(kx_matrix a)
{
    return (kx_matrix){a.data, a.column, a.row};
}

/* ---- Gemm ------------------------------------------------------------------------------------ */

static kldve_status infer_gemm_bias(kx_graph *g, kx_node *n, kx_gemm_params *p)
{
    const kx_shape *c;
    int64_t rows, columns;

    if (!kx_has(n, 2))
        return g->opset < 11 ? kx_invalid(g, n, "input 2 is missing") : KLDVE_OK;
    c = &n->in[2]->shape;
    rows = c->rank == 2 ? c->dim[0] : 1;
    columns = c->rank >= 1 ? c->dim[c->rank - 1] : 1;
    if (c->rank > 2 || (rows != 1 && rows != p->m) || (columns != 1 && columns != p->n))
        return kx_invalid(g, n, "input 2 cannot be broadcast to %lld x %lld", (long long)p->m,
                          (long long)p->n);
    if (g->opset < 7 && !kx_attr_int(n, "broadcast", 0) && (rows != p->m || columns != p->n))
        return kx_invalid(g, n, "input 2 must be %lld x %lld without the attribute 'broadcast'",
                          (long long)p->m, (long long)p->n);
    p->c_row = rows == 1 ? 0 : columns;
    p->c_column = columns == 1 ? 0 : 1;
    return KLDVE_OK;
}

static kldve_status infer_gemm(kx_graph *g, kx_node *n)
{
    kx_gemm_params *p = kx_new(g, 1, sizeof *p);
    const kx_shape *a, *b;
    kx_shape y = {.rank = 2};
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, 2, 3, 1)) < 0 || (st = kx_need_floats(g, n, 3)) < 0)
        return st;
    a = &n->in[0]->shape;
    b = &n->in[1]->shape;
    if (a->rank != 2 || b->rank != 2)
        return kx_invalid(g, n, "inputs of rank %d and %d, both must be matrices", a->rank,
                          b->rank);
    p->alpha = kx_attr_float(n, "alpha", 1);
    p->beta = kx_attr_float(n, "beta", 1);
    p->trans_a = kx_attr_int(n, "transA", 0) != 0;
    p->trans_b = kx_attr_int(n, "transB", 0) != 0;
    p->m = a->dim[p->trans_a ? 1 : 0];
    p->k = a->dim[p->trans_a ? 0 : 1];
    p->n = b->dim[p->trans_b ? 0 : 1];
    if (b->dim[p->trans_b ? 1 : 0] != p->k)
        return kx_invalid(
            g, n,
            "the first matrix has %lld columns and the second has %lld rows, they must be equal",
            (long long)p->k, (long long)b->dim[p->trans_b ? 1 : 0]);
    if ((st = infer_gemm_bias(g, n, p)) < 0)
        return st;
    n->params = p;
    y.dim[0] = p->m;
    y.dim[1] = p->n;
    return kx_out_like(g, n, 0, n->in[0], &y);
}

static kx_matrix gemm_a(const kx_gemm_params *p, const kx_tensor *in)
{
    return p->trans_a ? transposed(plain(in[0].data, p->m)) : plain(in[0].data, p->k);
}

static kx_matrix gemm_b(const kx_gemm_params *p, const kx_tensor *in)
{
    return p->trans_b ? transposed(plain(in[1].data, p->k)) : plain(in[1].data, p->n);
}

static void forward_gemm(const kx_op_call *call)
{
    const kx_gemm_params *p = call->node->params;
    const float *c = kx_has(call->node, 2) ? call->in[2].data : NULL;
    float *y = call->out[0].data;

    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            y[i * p->n + j] = c ? p->beta * c[i * p->c_row + j * p->c_column] : 0.0f;
    kx_gemm_add(p->m, p->n, p->k, p->alpha, gemm_a(p, call->in), gemm_b(p, call->in), y,
                call->pace);
}

static void vjp_gemm(const kx_op_call *call)
{
    const kx_gemm_params *p = call->node->params;
    kx_matrix dy = plain(call->dout[0].data, p->n);
    float *d = call->din->data;

    if (!dy.data)
        return;
    if (call->which == 0 && !p->trans_a) /* dA [m][k] */
        kx_gemm_add(p->m, p->k, p->n, p->alpha, dy, transposed(gemm_b(p, call->in)), d, call->pace);
    else if (call->which == 0) /* its transpose [k][m] */
        kx_gemm_add(p->k, p->m, p->n, p->alpha, gemm_b(p, call->in), transposed(dy), d, call->pace);
    else if (call->which == 1 && !p->trans_b) /* dB [k][n] */
        kx_gemm_add(p->k, p->n, p->m, p->alpha, transposed(gemm_a(p, call->in)), dy, d, call->pace);
    else if (call->which == 1) /* its transpose [n][k] */
        kx_gemm_add(p->n, p->k, p->m, p->alpha, transposed(dy), gemm_a(p, call->in), d, call->pace);
    else
        for (int64_t i = 0; i < p->m; i++)
            for (int64_t j = 0; j < p->n; j++)
                d[i * p->c_row + j * p->c_column] += p->beta * dy.data[i * p->n + j];
}

/* ---- MatMul ---------------------------------------------------------------------------------- */

/* Matrices per step of every batch axis of the result. */
static void batch_steps(const kx_shape *s, int32_t batch, int32_t rank, int64_t *step)
{
    int64_t matrices = 1;

    assert(batch <= rank && rank <= KX_MAX_RANK);
    for (int32_t i = 0; i < batch; i++) { /* from the innermost axis */
        int64_t dim = s->dim[batch - 1 - i];

        step[rank - 1 - i] = dim == 1 ? 0 : matrices;
        matrices *= dim;
    }
}

static kldve_status infer_matmul(kx_graph *g, kx_node *n)
{
    kx_matmul_params *p = kx_new(g, 1, sizeof *p);
    const kx_shape *a, *b;
    kx_shape a_batch, b_batch, y;
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, 2, 2, 1)) < 0 || (st = kx_need_floats(g, n, 2)) < 0)
        return st;
    a = &n->in[0]->shape;
    b = &n->in[1]->shape;
    if (a->rank < 1 || b->rank < 1)
        return kx_invalid(g, n, "a scalar cannot be multiplied as a matrix");
    a_batch = *a;
    a_batch.rank = a->rank > 2 ? a->rank - 2 : 0;
    b_batch = *b;
    b_batch.rank = b->rank > 2 ? b->rank - 2 : 0;
    p->m = a->rank > 1 ? a->dim[a->rank - 2] : 1;
    p->k = a->dim[a->rank - 1];
    p->n = b->rank > 1 ? b->dim[b->rank - 1] : 1;
    if (b->dim[b->rank > 1 ? b->rank - 2 : 0] != p->k || !kx_broadcast(&a_batch, &b_batch, &y))
        return kx_invalid(g, n, "the shapes of the two inputs do not fit");
    p->rank = y.rank;
    for (int32_t i = 0; i < y.rank; i++)
        p->dim[i] = y.dim[i];
    batch_steps(&a_batch, a_batch.rank, y.rank, p->a_step);
    batch_steps(&b_batch, b_batch.rank, y.rank, p->b_step);
    if (a->rank > 1)
        y.dim[y.rank++] = p->m;
    if (b->rank > 1)
        y.dim[y.rank++] = p->n;
    n->params = p;
    return kx_out_like(g, n, 0, n->in[0], &y);
}

/* The matrices that make result number i. */
static void batch_at(const kx_matmul_params *p, int64_t i, int64_t *a, int64_t *b)
{
    *a = *b = 0;
    for (int32_t axis = p->rank - 1; axis >= 0; axis--) {
        *a += i % p->dim[axis] * p->a_step[axis];
        *b += i % p->dim[axis] * p->b_step[axis];
        i /= p->dim[axis];
    }
    *a *= p->m * p->k;
    *b *= p->k * p->n;
}

static int64_t batches(const kx_matmul_params *p)
{
    int64_t count = 1;

    for (int32_t i = 0; i < p->rank; i++)
        count *= p->dim[i];
    return p->m * p->n == 0 ? 0 : count;
}

static void forward_matmul(const kx_op_call *call)
{
    const kx_matmul_params *p = call->node->params;
    int64_t count = batches(p), a, b;
    float *y = call->out[0].data;

    for (size_t i = 0; i < call->out[0].count; i++)
        y[i] = 0;
    for (int64_t i = 0; i < count; i++, y += p->m * p->n) {
        batch_at(p, i, &a, &b);
        kx_gemm_add(p->m, p->n, p->k, 1, plain((const float *)call->in[0].data + a, p->k),
                    plain((const float *)call->in[1].data + b, p->n), y, call->pace);
    }
}

static void vjp_matmul(const kx_op_call *call)
{
    const kx_matmul_params *p = call->node->params;
    const float *dy = call->dout[0].data;
    int64_t count = batches(p), a, b;

    if (!dy)
        return;
    for (int64_t i = 0; i < count; i++, dy += p->m * p->n) {
        batch_at(p, i, &a, &b);
        if (call->which == 0)
            kx_gemm_add(p->m, p->k, p->n, 1, plain(dy, p->n),
                        transposed(plain((const float *)call->in[1].data + b, p->n)),
                        (float *)call->din->data + a, call->pace);
        else
            kx_gemm_add(p->k, p->n, p->m, 1,
                        transposed(plain((const float *)call->in[0].data + a, p->k)),
                        plain(dy, p->n), (float *)call->din->data + b, call->pace);
    }
}

#define IN01 (KX_NEEDS_IN(0) | KX_NEEDS_IN(1))

static double work_gemm(const kx_node *n)
{
    const kx_gemm_params *p = n->params;

    return (double)p->m * (double)p->n * (double)p->k;
}

static double work_matmul(const kx_node *n)
{
    const kx_matmul_params *p = n->params;

    return n->out[0] ? (double)n->out[0]->count * (double)p->k : 0;
}

int32_t kx_matrix_rows(const kx_node *n)
{
    const kx_gemm_params *p = n->params;
    int32_t rank = n->in[0]->shape.rank;

    assert(n->op->traits.axes == KX_AXES_MATRIX);
    if (rank < 2 || n->in[1]->shape.rank < 2)
        return -1;
    return rank - (n->op->infer == infer_gemm && p->trans_a ? 1 : 2);
}

const kx_op kx_matmul_ops[] = {
    {.type = "Gemm",
     .since = 1,
     .infer = infer_gemm,
     .forward = forward_gemm,
     .vjp = vjp_gemm,
     .work = work_gemm,
     .vjp_needs = IN01,
     .traits = {.effect = KX_EFFECT_WEIGHS,
                .bias = KX_BIAS_OWN,
                .mixing = KX_MIXING_DENSE,
                .axes = KX_AXES_MATRIX}},
    {.type = "MatMul",
     .since = 1,
     .infer = infer_matmul,
     .forward = forward_matmul,
     .vjp = vjp_matmul,
     .work = work_matmul,
     .vjp_needs = IN01,
     .traits = {.effect = KX_EFFECT_WEIGHS,
                .bias = KX_BIAS_NONE,
                .mixing = KX_MIXING_DENSE,
                .axes = KX_AXES_MATRIX}},
    {0},
};
