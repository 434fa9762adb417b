/* recurrent_quantised.c - com.microsoft's DynamicQuantizeLSTM: an LSTM whose weights are integers,
 * and which rounds its input and, at every step, its state to the levels of uint8, as
 * DynamicQuantizeLinear does.
 *
 * Inputs: those of an LSTM, but W [directions][n][4 * hidden] and R [directions][hidden][4 *
 * hidden], then scale and zero point of W and of R: [directions] or [directions][4 * hidden]. */
#include "basic.h"
#include "families.h"
#include "quantise.h"
#include "recurrent.h"

enum { X, W, R, OF_LSTM = 8, W_SCALE = OF_LSTM, W_ZERO, R_SCALE, R_ZERO, INPUTS };

/* [directions] or [directions][columns], as [directions][1][1 or columns]; checked. */
static kx_value *beside(kx_expander *e, int32_t i, const kx_shape *w)
{
    kx_value *v = e->n->in[i];
    int64_t dim[3] = {w->dim[0], 1, v->shape.rank == 2 ? w->dim[2] : 1};
    int64_t columns = v->shape.rank == 2 ? v->shape.dim[1] : 1;

    if (v->shape.rank < 1 || v->shape.rank > 2 || v->shape.dim[0] != dim[0] || columns != dim[2]) {
        e->status = kx_invalid(e->g, e->n, "input %d does not fit the weights", i);
        return NULL;
    }
    return kx_emit_reshape(e, v, dim, 3);
}

/* The weights as an LSTM has them: (w - zero) scale, [directions][4 * hidden][n]. */
static kx_value *weights(kx_expander *e, int32_t i, int32_t scale, int32_t zero)
{
    static const int64_t turn[3] = {0, 2, 1};
    const kx_shape *shape = &e->n->in[i]->shape;
    kx_value *w, *factor, *shift;

    if (shape->rank != 3 || !kx_is_quantised(e->n->in[i])) {
        e->status = kx_invalid(e->g, e->n, "input %d must be integers of rank 3", i);
        return NULL;
    }
    if ((e->status = kx_check_scale(e->g, e->n, scale)) < 0 ||
        !(factor = beside(e, scale, shape)) || !(shift = beside(e, zero, shape)))
        return NULL;
    w = kx_emit2(e, "Sub", kx_emit_cast(e, e->n->in[i], KX_ONNX_FLOAT),
                 kx_emit_cast(e, shift, KX_ONNX_FLOAT));
    return kx_emit_transpose(e, kx_emit2(e, "Mul", w, factor), turn, 3);
}

static kldve_status expand_dynamic_lstm(kx_expander *e)
{
    kx_value *w, *r, *x;
    kldve_status st = kx_expect(e->g, e->n, 3, INPUTS, 3);

    if (st < 0)
        return st;
    for (int32_t i = OF_LSTM; i < INPUTS; i++)
        if (!kx_has(e->n, i))
            return kx_invalid(e->g, e->n, "required input %d is missing", i);
    w = weights(e, W, W_SCALE, W_ZERO);
    r = e->status == KLDVE_OK ? weights(e, R, R_SCALE, R_ZERO) : NULL;
    x = e->status == KLDVE_OK ? kx_emit_dynamic(e, e->n->in[X]) : NULL;
    if (e->status < 0)
        return e->status;
    e->n->in[X] = x;
    e->n->in[W] = w;
    e->n->in[R] = r;
    e->n->nin = OF_LSTM;
    return kx_expand_lstm(e, true);
}

const kx_op kx_recurrent_quantised_ops[] = {
    {.type = "DynamicQuantizeLSTM",
     .domain = "com.microsoft",
     .since = 1,
     .expand = expand_dynamic_lstm},
    {0},
};
