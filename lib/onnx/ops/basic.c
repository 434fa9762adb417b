/* basic.c - see basic.h. */
#include "basic.h"

#include <assert.h>
#include <math.h>
#include <string.h>

kldve_status kx_out_as(kx_graph *g, kx_node *n, int32_t i, kx_dtype dtype, const kx_shape *shape,
                       int32_t onnx_type)
{
    kldve_status st = kx_out(g, n, i, dtype, shape);

    if (st == KLDVE_OK && i < n->nout && n->out[i])
        n->out[i]->onnx_type = onnx_type;
    return st;
}

kldve_status kx_out_like(kx_graph *g, kx_node *n, int32_t i, const kx_value *like,
                         const kx_shape *shape)
{
    return kx_out_as(g, n, i, like->dtype, shape, like->onnx_type);
}

kldve_status kx_const_ints(kx_graph *g, kx_node *n, int32_t i, const char *what,
                           const int64_t **ints, size_t *count)
{
    const kx_value *v = kx_has(n, i) ? n->in[i] : NULL;

    *ints = NULL;
    *count = 0;
    if (!v)
        return KLDVE_OK;
    if (v->dtype != KX_I64 || v->shape.rank > 1)
        return kx_invalid(g, n, "input %d (%s) must be a list of integers", i, what);
    if (!v->raw)
        return kx_refuse(g, n, "input %d (%s) must be constant", i, what);
    *ints = kx_value_ints(g, v);
    if (!*ints)
        return kx_nomem(g);
    *count = v->count;
    return KLDVE_OK;
}

kldve_status kx_ints(kx_graph *g, kx_node *n, const char *name, int32_t i, int32_t moved,
                     const int64_t **ints, size_t *count)
{
    if (g->opset >= moved)
        return kx_const_ints(g, n, i, name, ints, count);
    *ints = kx_attr_ints(n, name, count);
    return KLDVE_OK;
}

kldve_status kx_mark_axes(kx_graph *g, kx_node *n, const int64_t *axes, size_t count, int32_t rank,
                          bool *marked)
{
    int32_t axis;

    assert(rank >= 0 && rank <= KX_MAX_RANK);
    memset(marked, 0, (size_t)rank * sizeof *marked);
    for (size_t i = 0; i < count; i++) {
        if (!kx_axis(axes[i], rank, &axis))
            return kx_invalid(g, n, "axis %lld is out of range for rank %d", (long long)axes[i],
                              rank);
        if (marked[axis])
            return kx_invalid(g, n, "axis %lld is given twice", (long long)axes[i]);
        marked[axis] = true;
    }
    return KLDVE_OK;
}

kldve_status kx_axis_attr(kx_graph *g, kx_node *n, const char *name, int64_t def, int32_t rank,
                          int32_t *axis)
{
    int64_t value = kx_attr_int(n, name, def);

    if (!kx_axis(value, rank, axis))
        return kx_invalid(g, n, "axis %lld is out of range for rank %d", (long long)value, rank);
    return KLDVE_OK;
}

int64_t kx_wrap(int32_t onnx_type, int64_t x)
{
    uint64_t u = (uint64_t)x;

    switch (onnx_type) {
    case KX_ONNX_UINT8:
        return (int64_t)(u & 0xff);
    case KX_ONNX_UINT16:
        return (int64_t)(u & 0xffff);
    case KX_ONNX_UINT32:
        return (int64_t)(u & 0xffffffff);
    case KX_ONNX_INT8:
        return (int64_t)((u + 0x80) & 0xff) - 0x80;
    case KX_ONNX_INT16:
        return (int64_t)((u + 0x8000) & 0xffff) - 0x8000;
    case KX_ONNX_INT32:
        return (int64_t)((u + 0x80000000) & 0xffffffff) - 0x80000000;
    default:
        return x;
    }
}

void kx_wrap_all(int32_t onnx_type, int64_t *x, size_t count)
{
    if (onnx_type != KX_ONNX_INT64 && onnx_type != KX_ONNX_UINT64)
        for (size_t i = 0; i < count; i++)
            x[i] = kx_wrap(onnx_type, x[i]);
}

int64_t kx_float_to_int(double x)
{
    if (isnan(x))
        return 0;
    if (x >= 0x1p63)
        return INT64_MAX;
    return x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}

void kx_copy_forward(const kx_op_call *call)
{
    assert(call->in[0].count == call->out[0].count && call->in[0].dtype == call->out[0].dtype);
    if (call->out[0].data && call->out[0].data != call->in[0].data)
        memcpy(call->out[0].data, call->in[0].data,
               call->in[0].count * kx_dtype_size(call->in[0].dtype));
}

void kx_copy_vjp(const kx_op_call *call)
{
    const float *from = call->dout[0].data;
    float *to = call->din->data;

    if (call->which != 0 || !from)
        return;
    assert(call->din->count == call->dout[0].count);
    for (size_t i = 0; i < call->din->count; i++)
        to[i] += from[i];
}

void kx_move_forward(const kx_op_call *call)
{
    const kx_walk_params *p = call->node->params;

    kx_walk_copy(&p->walk, kx_dtype_size(call->in[0].dtype), call->in[0].data, call->out[0].data);
}

void kx_move_vjp(const kx_op_call *call)
{
    const kx_walk_params *p = call->node->params;

    if (call->which == 0 && call->dout[0].data)
        kx_walk_add(&p->walk, 0, 1.0f, call->dout[0].data, call->din->data);
}

kldve_status kx_check_indices(kx_graph *g, kx_node *n, const int64_t *length, size_t lengths)
{
    const kx_value *v = n->in[1];
    const int64_t *index;

    assert(lengths > 0);
    if (v->dtype != KX_I64)
        return kx_invalid(g, n, "input 1 (indices) must be integers");
    for (size_t k = 0; k < lengths; k++)
        if (length[k] == 0 && v->count > 0)
            return kx_invalid(g, n, "the indexed axis is empty");
    if (!v->raw)
        return KLDVE_OK;
    if (!(index = kx_value_ints(g, v)))
        return kx_nomem(g);
    for (size_t i = 0; i < v->count; i++)
        if (index[i] < -length[i % lengths] || index[i] >= length[i % lengths])
            return kx_invalid(g, n, "index %lld is outside an axis of length %lld",
                              (long long)index[i], (long long)length[i % lengths]);
    return KLDVE_OK;
}
