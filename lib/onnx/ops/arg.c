/* arg.c - ArgMax, ArgMin: the index of the extreme along one axis, int64.  Of equal values the
 * first, or the last with select_last_index (opset 12).  NaN counts as the extreme, as in numpy. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "basic.h"
#include "families.h"

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    kx_arg_params *p;
    kx_shape out;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (n->in[0]->dtype == KX_BOOL || n->in[0]->onnx_type == KX_ONNX_UINT64)
        return kx_refuse(g, n, "the element type of the input is not supported");
    if ((st = kx_axis_attr(g, n, "axis", 0, n->in[0]->shape.rank, &p->axis)) < 0)
        return st;
    p->keepdims = kx_attr_int(n, "keepdims", 1) != 0;
    p->last = g->opset >= 12 && kx_attr_int(n, "select_last_index", 0) != 0;
    p->min = strcmp(n->op->type, "ArgMin") == 0;
    out = n->in[0]->shape;
    if (out.dim[p->axis] == 0)
        return kx_invalid(g, n, "axis %d is empty", p->axis);
    out.dim[p->axis] = 1;
    if (!p->keepdims) {
        out.rank--;
        for (int32_t i = p->axis; i < out.rank; i++)
            out.dim[i] = out.dim[i + 1];
    }
    return kx_out_as(g, n, 0, KX_I64, &out, KX_ONNX_INT64);
}

static bool beats_float(const kx_arg_params *p, float x, float best)
{
    if (isnan(x) || isnan(best))
        return isnan(x) && (!isnan(best) || p->last);
    return p->min ? x < best || (p->last && x == best) : x > best || (p->last && x == best);
}

static bool beats_int(const kx_arg_params *p, int64_t x, int64_t best)
{
    return p->min ? x < best || (p->last && x == best) : x > best || (p->last && x == best);
}

static void forward(const kx_op_call *call)
{
    const kx_arg_params *p = call->node->params;
    kx_lines lines = kx_lines_along(&call->in[0].shape, p->axis);
    int64_t *y = call->out[0].data;
    const float *f = call->in[0].data;
    const int64_t *i64 = call->in[0].data;

    assert(lines.length > 0);
    for (int64_t i = 0; i < lines.count; i++) {
        int64_t first = kx_line_start(&lines, i);

        y[i] = 0;
        for (int64_t k = 1; k < lines.length; k++) {
            int64_t a = first + k * lines.step, b = first + y[i] * lines.step;

            if (call->in[0].dtype == KX_F32 ? beats_float(p, f[a], f[b])
                                            : beats_int(p, i64[a], i64[b]))
                y[i] = k;
        }
    }
}

const kx_op kx_arg_ops[] = {
    {.type = "ArgMax",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .traits = {.bias = KX_BIAS_NONE, .formula = KX_FORMULA_BEST}},
    {.type = "ArgMin",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .traits = {.bias = KX_BIAS_NONE}},
    {0},
};
