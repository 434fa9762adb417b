/* cumsum.c - CumSum: running sums along an axis.
 *
 *     y[i] = sum of x[j] over j <= i   (exclusive: j < i;  reverse: from the other end)
 *     dx   = the same sums of dy from the opposite end */
#include "basic.h"
#include "families.h"

typedef struct cumsum_params {
    kx_lines lines;
    bool exclusive, reverse;
} cumsum_params;

static kldve_status axis_of(kx_graph *g, kx_node *n, int32_t *axis)
{
    const int64_t *ints;
    size_t count;
    kldve_status st = kx_const_ints(g, n, 1, "axis", &ints, &count);

    if (st < 0)
        return st;
    if (count != 1)
        return kx_invalid(g, n, "axis has %zu elements, expected 1", count);
    if (!kx_axis(ints[0], n->in[0]->shape.rank, axis))
        return kx_invalid(g, n, "axis %lld is out of range for rank %d", (long long)ints[0],
                          n->in[0]->shape.rank);
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    const kx_shape *s;
    cumsum_params *p;
    int32_t axis = 0;

    if (st < 0 || (st = axis_of(g, n, &axis)) < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (n->in[0]->dtype == KX_BOOL)
        return kx_invalid(g, n, "the input must be of a numeric type");
    s = &n->in[0]->shape;
    p->lines = kx_lines_along(s, axis);
    p->exclusive = kx_attr_int(n, "exclusive", 0) != 0;
    p->reverse = kx_attr_int(n, "reverse", 0) != 0;
    return kx_out_like(g, n, 0, n->in[0], s);
}

/* y += the running sums of x, one column after the other. */
static void add_sums(const cumsum_params *p, bool reverse, const float *x, float *y)
{
    for (int64_t i = 0; i < p->lines.count; i++) {
        int64_t start = kx_line_start(&p->lines, i);
        double sum = 0;

        for (int64_t k = 0; k < p->lines.length; k++) {
            int64_t at = start + (reverse ? p->lines.length - 1 - k : k) * p->lines.step;
            double before = sum;

            sum += (double)x[at];
            y[at] += (float)(p->exclusive ? before : sum);
        }
    }
}

static void add_int_sums(const cumsum_params *p, const int64_t *x, int64_t *y)
{
    for (int64_t i = 0; i < p->lines.count; i++) {
        int64_t start = kx_line_start(&p->lines, i);
        uint64_t sum = 0; /* wraps as two's complement does */

        for (int64_t k = 0; k < p->lines.length; k++) {
            int64_t at = start + (p->reverse ? p->lines.length - 1 - k : k) * p->lines.step;
            uint64_t before = sum;

            sum += (uint64_t)x[at];
            y[at] = (int64_t)(p->exclusive ? before : sum);
        }
    }
}

static void forward(const kx_op_call *call)
{
    const cumsum_params *p = call->node->params;
    kx_tensor *y = &call->out[0];

    if (y->dtype == KX_F32) {
        float *to = y->data;

        for (size_t i = 0; i < y->count; i++)
            to[i] = 0;
        add_sums(p, p->reverse, call->in[0].data, to);
        return;
    }
    add_int_sums(p, call->in[0].data, y->data);
    kx_wrap_all(call->node->in[0]->onnx_type, y->data, y->count);
}

static void vjp(const kx_op_call *call)
{
    const cumsum_params *p = call->node->params;

    if (call->which == 0 && call->dout[0].data)
        add_sums(p, !p->reverse, call->dout[0].data, call->din->data);
}

const kx_op kx_cumsum_ops[] = {
    {.type = "CumSum",
     .since = 11,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .traits = {.effect = KX_EFFECT_ADDS, .bias = KX_BIAS_NONE}},
    {0},
};
