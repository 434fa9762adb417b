/* input_values.c - the values of inputs other than the picture.  See input_parts.h. */
#include "input_parts.h"

#include <math.h>
#include <string.h>

/* ---- what the user gives ------------------------------------------------------------------ */

static bool is_known(int32_t type)
{
    return type == KLDVE_ONNX_TYPE_FLOAT32 || type == KLDVE_ONNX_TYPE_UINT8 ||
           type == KLDVE_ONNX_TYPE_INT32 || type == KLDVE_ONNX_TYPE_INT64 ||
           type == KLDVE_ONNX_TYPE_BOOL || type == KLDVE_ONNX_TYPE_FLOAT64;
}

static double number(const kldve_onnx_input *in, size_t i)
{
    switch (in->type) {
    case KLDVE_ONNX_TYPE_FLOAT32:
        return (double)((const float *)in->data)[i];
    case KLDVE_ONNX_TYPE_INT32:
        return (double)((const int32_t *)in->data)[i];
    case KLDVE_ONNX_TYPE_INT64:
        return (double)((const int64_t *)in->data)[i];
    case KLDVE_ONNX_TYPE_FLOAT64:
        return ((const double *)in->data)[i];
    default:
        return (double)((const uint8_t *)in->data)[i];
    }
}

static int32_t without_ones(int32_t rank, const int64_t *dim, int64_t *out)
{
    int32_t n = 0;

    for (int32_t i = 0; i < rank; i++)
        if (dim[i] != 1)
            out[n++] = dim[i];
    return n;
}

/* The same dimensions, apart from those of 1. */
static bool fits(const kldve_onnx_input *in, const kx_proto_value *v)
{
    int64_t one[KX_PROTO_MAX_RANK], other[KX_PROTO_MAX_RANK];
    int32_t n = without_ones(in->rank, in->dims, one);

    return n == without_ones(v->rank, v->dim, other) &&
           memcmp(one, other, (size_t)n * sizeof *one) == 0;
}

/* ---- as the network computes -------------------------------------------------------------- */

static int32_t kept_as(int32_t type)
{
    switch (type) {
    case KX_ONNX_FLOAT:
    case KX_ONNX_FLOAT16:
    case KX_ONNX_BFLOAT16:
    case KX_ONNX_DOUBLE:
        return KX_ONNX_FLOAT;
    case KX_ONNX_BOOL:
        return KX_ONNX_BOOL;
    case KX_ONNX_STRING:
        return KX_ONNX_STRING;
    default:
        return KX_ONNX_INT64;
    }
}

static bool store(double x, int32_t type, size_t i, void *to)
{
    if (type == KX_ONNX_FLOAT) {
        ((float *)to)[i] = (float)x;
        return isfinite((float)x);
    }
    if (!(fabs(x) < 9.2e18) || x != floor(x))
        return false;
    if (type == KX_ONNX_BOOL)
        ((uint8_t *)to)[i] = x != 0;
    else
        ((int64_t *)to)[i] = (int64_t)x;
    return true;
}

static kldve_status count_of(const kx_settler *s, const kx_proto_value *v, size_t *count)
{
    enum { MOST = 1 << 28 };

    *count = 1;
    for (int32_t i = 0; i < v->rank; i++) {
        if (v->dim[i] < 1)
            return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                                   "input '%.60s': dimension %d is %lld, it must be at least 1",
                                   v->name, (int)i, (long long)v->dim[i]);
        if (v->dim[i] > MOST || *count > (size_t)(MOST / v->dim[i]))
            return kldve_ctx_failf(s->ctx, KLDVE_E_UNSUPPORTED,
                                   "input '%.60s' has more than %d elements", v->name, MOST);
        *count *= (size_t)v->dim[i];
    }
    return KLDVE_OK;
}

static kldve_status copy(const kx_settler *s, const kldve_onnx_input *in, const kx_proto_value *v,
                         size_t count, int32_t type, void *to)
{
    char text[KX_INPUT_TEXT] = "";

    kx_settle_list(v, text);
    if (!in->data || !is_known(in->type) || in->rank < 0 || in->rank > KX_PROTO_MAX_RANK ||
        (in->rank > 0 && !in->dims))
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                               "the value of input '%.60s' has no data, an unknown type or a wrong "
                               "number of axes",
                               v->name);
    if (in->rank > 0 && !fits(in, v))
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                               "the value that is given has another shape than the input %s", text);
    for (size_t i = 0; i < count; i++)
        if (!store(number(in, in->rank > 0 ? i : 0), type, i, to))
            return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                                   "the value that is given for the input %s has %g, which the "
                                   "type cannot hold",
                                   text, number(in, in->rank > 0 ? i : 0));
    return KLDVE_OK;
}

kldve_status kx_settle_value(kx_settler *s, const kx_proto_value *v, kx_proto_tensor *out)
{
    const kldve_onnx_input *given = kx_settle_given(s, v->name);
    bool state = kx_settle_is_state(s->m, v) && kept_as(v->dtype) == KX_ONNX_FLOAT;
    char text[KX_INPUT_TEXT] = "";
    size_t count;
    void *data;
    kldve_status st;

    kx_settle_list(v, text);
    if (v->rank < 0 || kept_as(v->dtype) == KX_ONNX_STRING || (!given && !state))
        return kldve_ctx_failf(s->ctx, KLDVE_E_UNSUPPORTED,
                               "the picture is input '%.60s'; the input %s needs a value: give it "
                               "(--input %.60s=FILE.npy, or a number for all its elements)",
                               s->file_picture->name, text, v->name);
    if ((st = count_of(s, v, &count)) < 0)
        return st;
    data = kx_arena_alloc(s->arena, count + 1, sizeof(int64_t)); /* zeros */
    if (!data)
        return kx_settle_nomem(s);
    *out = (kx_proto_tensor){.name = v->name,
                             .dtype = kept_as(v->dtype),
                             .rank = v->rank,
                             .count = count,
                             .data = data,
                             .made = true};
    memcpy(out->dim, v->dim, sizeof out->dim);
    if (given)
        return copy(s, given, v, count, out->dtype, data);
    return kx_settle_say(s,
                         "the input %s is zero: it seems to be a state, because an output has its "
                         "shape; give another value with --input %.60s=FILE.npy",
                         text, v->name);
}
