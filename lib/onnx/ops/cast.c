/* cast.c - Cast and CastLike.
 *
 * The engine holds float16, bfloat16 and float64 as float32, and every integer as int64, so a cast
 * rounds or wraps to what the named type can hold, and keeps the wide representation:
 *
 *     float -> integer   towards zero, clamped to int64 (NaN: 0), then wrapped to the type's width
 *     integer -> float   to the nearest float32
 *     float -> float16, bfloat16   to the nearest such number, halves to even
 *     anything -> bool   not 0;   bool -> anything   0 or 1
 *
 * Only float -> float has a derivative, and it is 1. */
#include <math.h>
#include <string.h>

#include "basic.h"
#include "families.h"

typedef struct cast_params {
    int32_t to; /* kx_onnx_type */
} cast_params;

static kldve_status cast_to(kx_graph *g, kx_node *n, int64_t to)
{
    cast_params *p = n->params = kx_new(g, 1, sizeof *p);
    kx_dtype dtype;

    if (!p)
        return kx_nomem(g);
    if (to < 0 || to > INT32_MAX || !kx_dtype_of((int32_t)to, &dtype))
        return kx_refuse(g, n, "element type %lld (%s) is not supported", (long long)to,
                         kx_onnx_type_name(to));
    if (n->in[0]->onnx_type == KX_ONNX_UINT64 && dtype == KX_F32)
        return kx_refuse(g, n, "a cast from uint64 to a float type is not supported");
    p->to = (int32_t)to;
    return kx_out_as(g, n, 0, dtype, &n->in[0]->shape, p->to);
}

static kldve_status infer_cast(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);

    if (st < 0)
        return st;
    if (g->opset >= 19)
        kx_attr_ignore(n, "saturate"); /* of float8 only */
    return cast_to(g, n, kx_attr_int(n, "to", 0));
}

/* The type of input 1, whose elements are not looked at. */
static kldve_status infer_like(kx_graph *g, kx_node *n)
{
    static const int32_t widest[] = {
        [KX_F32] = KX_ONNX_FLOAT, [KX_I64] = KX_ONNX_INT64, [KX_BOOL] = KX_ONNX_BOOL};
    kldve_status st = kx_expect(g, n, 2, 2, 1);

    if (st < 0)
        return st;
    if (g->opset >= 19)
        kx_attr_ignore(n, "saturate");
    return cast_to(g, n, n->in[1]->onnx_type ? n->in[1]->onnx_type : widest[n->in[1]->dtype]);
}

/* To the nearest multiple of 2^k, halves to even, where k is the exponent of the last of `digits`
 * binary digits, but not below `lowest`. */
static float round_to(float x, int digits, int lowest)
{
    int exponent;

    if (x == 0.0f || !isfinite(x))
        return x;
    frexpf(x, &exponent); /* |x| < 2^exponent */
    exponent -= digits;
    if (exponent < lowest)
        exponent = lowest;
    return (float)ldexp(nearbyint(ldexp((double)x, -exponent)), exponent);
}

static float to_float(int32_t onnx_type, float x)
{
    if (onnx_type == KX_ONNX_FLOAT16) {
        x = round_to(x, 11, -24);
        return fabsf(x) > 65504.0f ? copysignf(INFINITY, x) : x;
    }
    return onnx_type == KX_ONNX_BFLOAT16 ? round_to(x, 8, -133) : x;
}

static void from_float(const kx_tensor *in, kx_tensor *out, int32_t to)
{
    const float *x = in->data;

    for (size_t i = 0; i < in->count; i++)
        if (out->dtype == KX_F32)
            ((float *)out->data)[i] = to_float(to, x[i]);
        else if (out->dtype == KX_I64)
            ((int64_t *)out->data)[i] = kx_wrap(to, kx_float_to_int(x[i]));
        else
            ((uint8_t *)out->data)[i] = x[i] != 0.0f;
}

static void from_int(const kx_tensor *in, kx_tensor *out, int32_t to)
{
    for (size_t i = 0; i < in->count; i++) {
        int64_t x = in->dtype == KX_BOOL ? ((uint8_t *)in->data)[i] != 0 : ((int64_t *)in->data)[i];

        if (out->dtype == KX_F32)
            ((float *)out->data)[i] = to_float(to, (float)x);
        else if (out->dtype == KX_I64)
            ((int64_t *)out->data)[i] = kx_wrap(to, x);
        else
            ((uint8_t *)out->data)[i] = x != 0;
    }
}

static void forward(const kx_op_call *call)
{
    const cast_params *p = call->node->params;

    if (kx_cast_copies(call->node))
        kx_copy_forward(call);
    else if (call->in[0].dtype == KX_F32)
        from_float(&call->in[0], &call->out[0], p->to);
    else
        from_int(&call->in[0], &call->out[0], p->to);
}

static void vjp(const kx_op_call *call)
{
    if (call->node->in[0]->dtype == KX_F32 && call->dout[0].dtype == KX_F32)
        kx_copy_vjp(call);
}

bool kx_cast_copies(const kx_node *n)
{
    const cast_params *p = n->params;

    return n->op->forward == forward && n->in[0]->dtype == KX_F32 &&
           (p->to == KX_ONNX_FLOAT || p->to == KX_ONNX_DOUBLE);
}

const kx_op kx_cast_ops[] = {
    {.type = "Cast",
     .since = 6,
     .infer = infer_cast,
     .forward = forward,
     .vjp = vjp,
     .traits = {.effect = KX_EFFECT_ACTIVATES,
                .bias = KX_BIAS_NONE,
                .local = KX_LOCAL_PLACE,
                .formula = KX_FORMULA_CAST}},
    {.type = "CastLike",
     .since = 15,
     .infer = infer_like,
     .forward = forward,
     .vjp = vjp,
     .traits = {.bias = KX_BIAS_NONE, .formula = KX_FORMULA_CAST}},
    {0},
};
