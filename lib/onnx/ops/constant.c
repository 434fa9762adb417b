/* constant.c - Constant, ConstantOfShape, Range, Shape, Size: known before anything runs.
 *
 * Shape and Size do not need their input to be constant, since every shape of the graph is fixed.
 */
#include <math.h>
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

static const kx_shape scalar = {.rank = 0};

/* ---- Constant -------------------------------------------------------------------------------- */

static kldve_status out_known(kx_graph *g, kx_node *n, kx_dtype dtype, int32_t onnx_type,
                              const kx_shape *shape, const void *data)
{
    kldve_status st = kx_out_constant(g, n, 0, dtype, shape, data);

    if (st == KLDVE_OK && n->out[0])
        n->out[0]->onnx_type = onnx_type;
    return st;
}

/* Numbers of an attribute; copied, because attributes live shorter than the graph. */
static kldve_status out_numbers(kx_graph *g, kx_node *n, kx_dtype dtype, const void *from,
                                const kx_shape *shape)
{
    size_t count = (size_t)kx_span(shape, 0, shape->rank), item = kx_dtype_size(dtype);
    void *copy = kx_new(g, count, item);

    if (!copy)
        return kx_nomem(g);
    if (count)
        memcpy(copy, from, count * item);
    return out_known(g, n, dtype, dtype == KX_F32 ? KX_ONNX_FLOAT : KX_ONNX_INT64, shape, copy);
}

static kldve_status infer_constant(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 0, 0, 1);
    const kx_value *t = kx_attr_tensor(n, "value");
    kx_shape list = {.rank = 1};
    const void *numbers;
    size_t count;

    if (st < 0)
        return st;
    if (n->nattr != 1)
        return kx_invalid(g, n, "%d attributes, expected one value", n->nattr);
    if (t) {
        st = out_known(g, n, t->dtype, t->onnx_type, &t->shape, t->raw);
        if (st == KLDVE_OK && n->out[0]) {
            n->out[0]->narrow = t->narrow;
            n->out[0]->tensor = t->tensor;
        }
        return st;
    }
    if (kx_named(n, "value_float")) {
        float f = kx_attr_float(n, "value_float", 0);
        return out_numbers(g, n, KX_F32, &f, &scalar);
    }
    if (kx_named(n, "value_int")) {
        int64_t i = kx_attr_int(n, "value_int", 0);
        return out_numbers(g, n, KX_I64, &i, &scalar);
    }
    if (kx_named(n, "value_floats")) {
        numbers = kx_attr_floats(n, "value_floats", &count);
        list.dim[0] = (int64_t)count;
        return out_numbers(g, n, KX_F32, numbers, &list);
    }
    numbers = kx_attr_ints(n, "value_ints", &count);
    if (!kx_named(n, "value_ints"))
        return kx_refuse(g, n, "attribute '%.60s' is not supported", n->attr[0].name);
    list.dim[0] = (int64_t)count;
    return out_numbers(g, n, KX_I64, numbers, &list);
}

/* ---- Shape and Size -------------------------------------------------------------------------- */

/* start and end from opset 15 on: negative ones count from the end, then both are clamped. */
static int32_t clamp_axis(int64_t axis, int32_t rank)
{
    if (axis < 0)
        axis += rank;
    return (int32_t)(axis < 0 ? 0 : axis > rank ? rank : axis);
}

static kldve_status infer_shape(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    kx_shape out = {.rank = 1};
    int32_t rank, start = 0, end;
    const kx_shape *in;

    if (st < 0)
        return st;
    in = &n->in[0]->shape;
    end = rank = in->rank;
    if (g->opset >= 15) {
        start = clamp_axis(kx_attr_int(n, "start", 0), rank);
        end = clamp_axis(kx_attr_int(n, "end", rank), rank);
    }
    out.dim[0] = end > start ? end - start : 0;
    return out_numbers(g, n, KX_I64, &in->dim[start < KX_MAX_RANK ? start : 0], &out);
}

static kldve_status infer_size(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    int64_t count;

    if (st < 0)
        return st;
    count = (int64_t)n->in[0]->count;
    return out_numbers(g, n, KX_I64, &count, &scalar);
}

/* ---- ConstantOfShape ------------------------------------------------------------------------- */

/* One element of the result; all bits zero, which is 0 in every type, without the attribute. */
typedef struct fill_params {
    const void *element;
} fill_params;

static kldve_status infer_fill(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    const kx_value *t = kx_attr_tensor(n, "value");
    const int64_t *dim;
    size_t count;
    fill_params *p;
    kx_shape out;

    if (st < 0 || (st = kx_const_ints(g, n, 0, "shape", &dim, &count)) < 0)
        return st;
    if (count > KX_MAX_RANK)
        return kx_refuse(g, n, "rank %zu, at most %d is supported", count, KX_MAX_RANK);
    if (t && t->count != 1)
        return kx_invalid(g, n, "the value has %zu elements, expected 1", t->count);
    if (!(p = n->params = kx_new(g, 1, sizeof *p)) ||
        !(p->element = t ? kx_value_data(g, t) : kx_new(g, 1, sizeof(int64_t))))
        return kx_nomem(g);
    out.rank = (int32_t)count;
    for (int32_t i = 0; i < out.rank; i++)
        out.dim[i] = dim[i];
    return kx_out_as(g, n, 0, t ? t->dtype : KX_F32, &out, t ? t->onnx_type : KX_ONNX_FLOAT);
}

static void forward_fill(const kx_op_call *call)
{
    const fill_params *p = call->node->params;
    size_t item = kx_dtype_size(call->out[0].dtype);

    for (size_t i = 0; i < call->out[0].count; i++)
        memcpy((char *)call->out[0].data + i * item, p->element, item);
}

/* ---- Range: start, start + delta, ... before limit ------------------------------------------- */

static const double longest = 0x1p40; /* kx_out() refuses shorter ones already */

static bool int_length(const int64_t *start, const int64_t *limit, const int64_t *delta, double *n)
{
    uint64_t span, step;

    if (*delta == 0)
        return false;
    *n = 0;
    if (*delta > 0 ? *limit <= *start : *limit >= *start)
        return true;
    span = *delta > 0 ? (uint64_t)*limit - (uint64_t)*start : (uint64_t)*start - (uint64_t)*limit;
    step = *delta > 0 ? (uint64_t)*delta : 0 - (uint64_t)*delta;
    *n = (double)((span - 1) / step + 1);
    return true;
}

static bool float_length(const float *start, const float *limit, const float *delta, double *n)
{
    *n = ceil(((double)*limit - (double)*start) / (double)*delta);
    if (!(*n > 0))
        *n = 0;
    return *delta != 0.0f && isfinite(*start) && isfinite(*limit) && isfinite(*delta);
}

static kldve_status infer_range(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 3, 3, 1);
    kx_shape out = {.rank = 1};
    const void *number[3];
    double length = 0;
    bool ok;

    if (st < 0)
        return st;
    for (int32_t i = 0; i < 3; i++) {
        if (n->in[i]->count != 1 || n->in[i]->dtype != n->in[0]->dtype ||
            n->in[i]->dtype == KX_BOOL)
            return kx_invalid(g, n, "start, limit and delta must be numbers of one type");
        if (!n->in[i]->raw)
            return kx_refuse(g, n, "input %d must be constant", i);
        if (!(number[i] = kx_value_data(g, n->in[i])))
            return kx_nomem(g);
    }
    ok = kx_is_float(n->in[0]) ? float_length(number[0], number[1], number[2], &length)
                               : int_length(number[0], number[1], number[2], &length);
    if (!ok)
        return kx_invalid(g, n, "delta is 0, or a number is not finite");
    if (length > longest)
        return kx_invalid(g, n, "the range has more than 2^40 elements");
    out.dim[0] = (int64_t)length;
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static void forward_range(const kx_op_call *call)
{
    for (size_t i = 0; i < call->out[0].count; i++)
        if (call->out[0].dtype == KX_F32)
            ((float *)call->out[0].data)[i] =
                (float)((double)*(float *)call->in[0].data +
                        (double)i * (double)*(float *)call->in[2].data);
        else
            ((int64_t *)call->out[0].data)[i] =
                (int64_t)(*(uint64_t *)call->in[0].data + i * *(uint64_t *)call->in[2].data);
}

/* forward NULL: infer() makes the constants, the nodes never run. */
const kx_op kx_constant_ops[] = {
    {.type = "Constant", .since = 1, .infer = infer_constant, .traits = {.bias = KX_BIAS_NONE}},
    {.type = "Shape", .since = 1, .infer = infer_shape, .traits = {.bias = KX_BIAS_NONE}},
    {.type = "Size", .since = 1, .infer = infer_size, .traits = {.bias = KX_BIAS_NONE}},
    {.type = "ConstantOfShape",
     .since = 9,
     .infer = infer_fill,
     .forward = forward_fill,
     .traits = {.bias = KX_BIAS_NONE}},
    {.type = "Range",
     .since = 11,
     .infer = infer_range,
     .forward = forward_range,
     .traits = {.bias = KX_BIAS_NONE}},
    {0},
};
