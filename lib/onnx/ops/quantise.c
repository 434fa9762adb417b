/* quantise.c - QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
 *
 *     q = saturate(round(x / scale) + zero),  halves to even,      dx = dq / scale, 0 where
 * saturated x = (q - zero) scale,                                        dq = dx scale
 *
 * The derivative of rounding is taken to be 1 (the straight-through estimator: Bengio, Leonard and
 * Courville, arXiv:1308.3432), scales and zero points count as constants.  Quantised values are
 * float32 arrays that hold integers, so that cotangents flow through them; kx_value.onnx_type tells
 * the type.  Constants of the file, and what a Cast makes, are int64. */
#include "quantise.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "families.h"

kx_levels kx_levels_of(int32_t onnx_type)
{
    switch (onnx_type) {
    case KX_ONNX_UINT8:
        return (kx_levels){0, UINT8_MAX};
    case KX_ONNX_INT8:
        return (kx_levels){INT8_MIN, INT8_MAX};
    case KX_ONNX_UINT16:
        return (kx_levels){0, UINT16_MAX};
    case KX_ONNX_INT16:
        return (kx_levels){INT16_MIN, INT16_MAX};
    case KX_ONNX_INT32:
        return (kx_levels){INT32_MIN, INT32_MAX};
    default:
        return (kx_levels){0, 0};
    }
}

bool kx_is_quantised(const kx_value *v)
{
    return v->dtype != KX_BOOL && kx_levels_of(v->onnx_type).hi > 0;
}

/* ---- scales and zero points ------------------------------------------------------------------ */

kldve_status kx_check_scale(kx_graph *g, kx_node *n, int32_t i)
{
    const kx_value *v = n->in[i];
    const float *scale;

    if (v->dtype != KX_F32)
        return kx_invalid(g, n, "input %d (scale) must be float", i);
    if (!v->raw)
        return KLDVE_OK;
    if (!(scale = kx_value_data(g, v)))
        return kx_nomem(g);
    for (size_t k = 0; k < v->count; k++)
        if (!(scale[k] > 0) || isinf(scale[k]))
            return kx_invalid(g, n, "scale %zu is %g, it must be a number above 0", k,
                              (double)scale[k]);
    return KLDVE_OK;
}

static kldve_status check_blocks(kx_graph *g, kx_node *n, int32_t axis, int64_t block,
                                 kx_quant_params *p)
{
    const kx_shape *x = &n->in[0]->shape, *scale = &n->in[1]->shape;

    if (block < 0 || (block == 0 && x->dim[axis] != scale->dim[axis]))
        return kx_invalid(g, n, "block_size %lld does not fit the scales", (long long)block);
    p->block = block ? block : 1;
    p->blocks = scale->dim[axis];
    for (int32_t i = 0; i < x->rank; i++) {
        int64_t want = i == axis ? x->dim[i] / p->block + (x->dim[i] % p->block != 0) : x->dim[i];

        if (scale->dim[i] != want)
            return kx_invalid(g, n, "dimension %d of the scales is %lld, expected %lld", i,
                              (long long)scale->dim[i], (long long)want);
    }
    p->blocked = true;
    return KLDVE_OK;
}

static kldve_status check_axis(kx_graph *g, kx_node *n, kx_quant_params *p)
{
    const kx_shape *x = &n->in[0]->shape, *scale = &n->in[1]->shape;
    int64_t at = kx_attr_int(n, "axis", 1), block = kx_attr_int(n, "block_size", 0);
    int32_t axis;

    *p = (kx_quant_params){.outer = 1, .n = 1, .inner = (int64_t)n->in[0]->count};
    if (scale->rank <= 1 && n->in[1]->count == 1 && block == 0)
        return KLDVE_OK; /* one for all: the axis is not looked at */
    if (!kx_axis(at, x->rank, &axis))
        return kx_invalid(g, n, "axis %lld is out of range for rank %d", (long long)at, x->rank);
    p->outer = kx_span(x, 0, axis);
    p->n = x->dim[axis];
    p->inner = kx_span(x, axis + 1, x->rank);
    if (scale->rank == x->rank && (scale->rank > 1 || block != 0))
        return check_blocks(g, n, axis, block, p);
    if (scale->rank != 1 || scale->dim[0] != p->n)
        return kx_invalid(g, n, "%zu scales for the %lld elements of axis %d", n->in[1]->count,
                          (long long)p->n, axis);
    p->by_axis = true;
    p->axis = axis;
    return KLDVE_OK;
}

/* Scale and zero point, input 1 and 2, of a tensor of integers of the type `quantised`. */
static kldve_status check_params(kx_graph *g, kx_node *n, int32_t quantised)
{
    kx_quant_params *p = n->params = kx_new(g, 1, sizeof *p);
    const kx_value *zero = kx_has(n, 2) ? n->in[2] : NULL;
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = check_axis(g, n, p)) < 0 || (st = kx_check_scale(g, n, 1)) < 0)
        return st;
    p->levels = kx_levels_of(quantised);
    if (zero && zero->onnx_type != quantised)
        return kx_invalid(g, n, "the zero point is of element type %d, the integers of type %d",
                          zero->onnx_type, quantised);
    if (zero && zero->count != n->in[1]->count)
        return kx_invalid(g, n, "%zu zero points for %zu scales", zero->count, n->in[1]->count);
    return KLDVE_OK;
}

static float integer_at(const kx_tensor *t, int64_t i)
{
    return !t->data             ? 0.0f
           : t->dtype == KX_F32 ? ((const float *)t->data)[i]
                                : (float)((const int64_t *)t->data)[i];
}

/* ---- runs ------------------------------------------------------------------------------------ */

/* Elements [at, at + n) with the same scale and zero point. */
typedef struct piece {
    int64_t at, n;
    float scale, zero;
} piece;

static void each_piece(const kx_op_call *call, void (*work)(const kx_op_call *call, piece p))
{
    const kx_quant_params *q = call->node->params;
    const kx_tensor none = {.data = NULL};
    const kx_tensor *zero = kx_has(call->node, 2) ? &call->in[2] : &none;
    int64_t n = q->blocked ? 1 : q->inner;
    piece p = {.n = n};

    if (q->inner == 0)
        return;
    for (int64_t o = 0; o < q->outer; o++)
        for (int64_t i = 0; i < q->n; i++)
            for (int64_t j = 0; j < q->inner; j += n) {
                int64_t k = q->blocked   ? (o * q->blocks + i / q->block) * q->inner + j
                            : q->by_axis ? i
                                         : 0;

                p.scale = ((const float *)call->in[1].data)[k];
                p.zero = integer_at(zero, k);
                work(call, p);
                p.at += n;
            }
}

/* To the nearest integer, halves to even: |x| < 2^22, and the processor rounds that way. */
static inline float rounded(float x)
{
    const float shift = 0x1.8p23f; /* its last digit is 1 */

    return (x + shift) - shift;
}

/* ---- QuantizeLinear -------------------------------------------------------------------------- */

/* The type of the results: what the zero point has, or the attribute says. */
static kldve_status quantised_type(kx_graph *g, kx_node *n, int32_t *type)
{
    int64_t named = kx_attr_int(n, "output_dtype", 0);

    *type = kx_has(n, 2) ? n->in[2]->onnx_type : named ? (int32_t)named : KX_ONNX_UINT8;
    if (named < 0 || named > INT32_MAX || (named && *type != (int32_t)named))
        return kx_invalid(g, n, "output_dtype is %lld, the zero point has type %d",
                          (long long)named, *type);
    if (*type == KX_ONNX_INT32 || kx_levels_of(*type).hi == 0)
        return kx_refuse(g, n,
                         "results of element type %d are not supported, only int8, uint8, "
                         "int16 and uint16",
                         *type);
    return KLDVE_OK;
}

static kldve_status infer_quantise(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 3, 1);
    int32_t type;

    if (st < 0)
        return st;
    kx_attr_ignore(n, "saturate"); /* of float8 only */
    kx_attr_ignore(n, "precision");
    if (n->in[0]->dtype != KX_F32)
        return kx_refuse(g, n, "the input must be float");
    if ((st = quantised_type(g, n, &type)) < 0 || (st = check_params(g, n, type)) < 0)
        return st;
    return kx_out_as(g, n, 0, KX_F32, &n->in[0]->shape, type);
}

static void quantise(const kx_op_call *call, piece p)
{
    const kx_quant_params *q = call->node->params;
    const float *x = (const float *)call->in[0].data + p.at;
    float *y = (float *)call->out[0].data + p.at;
    const float lo = (float)q->levels.lo - p.zero, hi = (float)q->levels.hi - p.zero;

    for (int64_t i = 0; i < p.n; i++) {
        float v = x[i] / p.scale;

        v = v > lo ? v : lo; /* NaN becomes lo */
        v = v < hi ? v : hi;
        y[i] = rounded(v) + p.zero;
    }
}

static void forward_quantise(const kx_op_call *call)
{
    each_piece(call, quantise);
}

static void quantise_vjp(const kx_op_call *call, piece p)
{
    const kx_quant_params *q = call->node->params;
    const float *x = (const float *)call->in[0].data + p.at;
    const float *dy = (const float *)call->dout[0].data + p.at;
    float *dx = (float *)call->din->data + p.at;
    const float lo = (float)q->levels.lo - p.zero, hi = (float)q->levels.hi - p.zero;

    for (int64_t i = 0; i < p.n; i++) {
        float v = x[i] / p.scale;

        v = v > lo - 1 ? v : lo - 1;
        v = rounded(v < hi + 1 ? v : hi + 1);
        dx[i] += v >= lo && v <= hi ? dy[i] / p.scale : 0.0f;
    }
}

static void vjp_quantise(const kx_op_call *call)
{
    if (call->which == 0 && call->dout[0].data)
        each_piece(call, quantise_vjp);
}

/* ---- DequantizeLinear ------------------------------------------------------------------------ */

/* For the planner, which computes with the integers. */
static void remember_levels(const kx_node *n)
{
    const kx_quant_params *p = n->params;
    kx_value *out = n->out[0];

    if (!out || p->blocked)
        return;
    out->levels = n->in[0];
    out->scale = n->in[1];
    out->scale_axis = p->axis;
}

static kldve_status infer_dequantise(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 3, 1);

    if (st < 0)
        return st;
    if (!kx_is_quantised(n->in[0]))
        return kx_refuse(g, n,
                         "the input has element type %d, only int8, uint8, int16, uint16 and "
                         "int32 are supported",
                         n->in[0]->onnx_type);
    if ((st = check_params(g, n, n->in[0]->onnx_type)) < 0)
        return st;
    remember_levels(n);
    return kx_out_as(g, n, 0, KX_F32, &n->in[0]->shape, KX_ONNX_FLOAT);
}

/* Weights of millions, straight from the file; 16 bits may lie at odd addresses there. */
static void dequantise_narrow(const kx_tensor *t, piece p, float *y)
{
    const unsigned char *bytes = t->data;
    const int32_t zero = (int32_t)p.zero;

    for (int64_t i = 0; t->narrow == KX_ONNX_UINT8 && i < p.n; i++)
        y[i] = (float)(bytes[p.at + i] - zero) * p.scale;
    for (int64_t i = 0; t->narrow == KX_ONNX_INT8 && i < p.n; i++)
        y[i] = (float)((int8_t)bytes[p.at + i] - zero) * p.scale;
    for (int64_t i = 0; t->narrow == KX_ONNX_UINT16 && i < p.n; i++) {
        uint16_t x;

        memcpy(&x, bytes + 2 * (p.at + i), sizeof x);
        y[i] = (float)(x - zero) * p.scale;
    }
    for (int64_t i = 0; t->narrow == KX_ONNX_INT16 && i < p.n; i++) {
        int16_t x;

        memcpy(&x, bytes + 2 * (p.at + i), sizeof x);
        y[i] = (float)(x - zero) * p.scale;
    }
}

static void dequantise(const kx_op_call *call, piece p)
{
    float *y = (float *)call->out[0].data + p.at;

    if (call->in[0].narrow) {
        dequantise_narrow(&call->in[0], p, y);
    } else if (call->in[0].dtype == KX_F32) {
        const float *x = (const float *)call->in[0].data + p.at;

        for (int64_t i = 0; i < p.n; i++)
            y[i] = (x[i] - p.zero) * p.scale;
    } else {
        const int64_t *x = (const int64_t *)call->in[0].data + p.at, zero = (int64_t)p.zero;

        for (int64_t i = 0; i < p.n; i++)
            y[i] = (float)(x[i] - zero) * p.scale;
    }
}

static void forward_dequantise(const kx_op_call *call)
{
    each_piece(call, dequantise);
}

static void dequantise_vjp(const kx_op_call *call, piece p)
{
    const float *dy = (const float *)call->dout[0].data + p.at;
    float *dx = (float *)call->din->data + p.at;

    for (int64_t i = 0; i < p.n; i++)
        dx[i] += dy[i] * p.scale;
}

static void vjp_dequantise(const kx_op_call *call)
{
    if (call->which == 0 && call->dout[0].data)
        each_piece(call, dequantise_vjp);
}

/* ---- DynamicQuantizeLinear ------------------------------------------------------------------- */

static const kx_shape scalar = {.rank = 0};

static kldve_status infer_dynamic(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 3);

    if (st < 0)
        return st;
    if (n->in[0]->dtype != KX_F32)
        return kx_refuse(g, n, "the input must be float");
    if ((st = kx_out_as(g, n, 0, KX_F32, &n->in[0]->shape, KX_ONNX_UINT8)) < 0 ||
        (st = kx_out_as(g, n, 1, KX_F32, &scalar, KX_ONNX_FLOAT)) < 0)
        return st;
    return kx_out_as(g, n, 2, KX_F32, &scalar, KX_ONNX_UINT8);
}

/* 0..255 cover what lies between the smallest and the largest element, and 0. */
static void range_of(const kx_tensor *x, float *scale, float *zero)
{
    const float *data = x->data;
    float lo = 0, hi = 0;

    for (size_t i = 0; i < x->count; i++) {
        lo = data[i] < lo ? data[i] : lo;
        hi = data[i] > hi ? data[i] : hi;
    }
    *scale = hi > lo ? (hi - lo) / 255 : 1;
    *zero = nearbyintf(fminf(fmaxf(-lo / *scale, 0), 255));
}

static void forward_dynamic(const kx_op_call *call)
{
    const float *x = call->in[0].data;
    float *y = call->out[0].data, scale, zero;

    range_of(&call->in[0], &scale, &zero);
    for (size_t i = 0; y && i < call->in[0].count; i++)
        y[i] = fminf(fmaxf(nearbyintf(x[i] / scale) + zero, 0), 255);
    if (call->node->nout > 1 && call->out[1].data)
        *(float *)call->out[1].data = scale;
    if (call->node->nout > 2 && call->out[2].data)
        *(float *)call->out[2].data = zero;
}

/* Nothing is saturated by more than the rounding of the zero point. */
static void vjp_dynamic(const kx_op_call *call)
{
    const float *dy = call->dout[0].data;
    float *dx = call->din->data, scale, zero;

    if (!dy)
        return;
    range_of(&call->in[0], &scale, &zero);
    for (size_t i = 0; i < call->in[0].count; i++)
        dx[i] += dy[i] / scale;
}

#define QUANTISE                                                                                   \
    .type = "QuantizeLinear", .infer = infer_quantise, .forward = forward_quantise,                \
    .vjp = vjp_quantise, .vjp_needs = KX_NEEDS_IN(0) | KX_NEEDS_IN(1) | KX_NEEDS_IN(2),            \
    .traits = {.effect = KX_EFFECT_ACTIVATES,                                                      \
               .bias = KX_BIAS_OWN,                                                                \
               .local = KX_LOCAL_PLACE,                                                            \
               .settings = ~UINT64_C(1),                                                           \
               .rounds = true}
#define DEQUANTISE                                                                                 \
    .type = "DequantizeLinear", .infer = infer_dequantise, .forward = forward_dequantise,          \
    .vjp = vjp_dequantise, .vjp_needs = KX_NEEDS_IN(1) | KX_NEEDS_IN(2), .narrow = true,           \
    .traits = {.effect = KX_EFFECT_ACTIVATES,                                                      \
               .bias = KX_BIAS_OWN,                                                                \
               .local = KX_LOCAL_PLACE,                                                            \
               .settings = ~UINT64_C(1)}

const kx_op kx_quantise_ops[] = {
    {QUANTISE, .since = 10},
    {QUANTISE, .domain = "com.microsoft", .since = 1},
    {DEQUANTISE, .since = 10},
    {DEQUANTISE, .domain = "com.microsoft", .since = 1},
    {.type = "DynamicQuantizeLinear",
     .since = 11,
     .infer = infer_dynamic,
     .forward = forward_dynamic,
     .vjp = vjp_dynamic,
     .vjp_needs = KX_NEEDS_IN(0),
     .traits = {.effect = KX_EFFECT_ACTIVATES, .bias = KX_BIAS_OWN, .rounds = true}},
    {0},
};
