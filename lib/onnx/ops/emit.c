/* emit.c - see emit.h. */
#include "emit.h"

#include <string.h>

#include "basic.h"
#include "read/proto.h"

kx_value *kx_emit_copy(kx_expander *e, kx_value *a)
{
    return kx_emit1(e, "Identity", a);
}

static kx_value *constant(kx_expander *e, kx_attr attr)
{
    return kx_emit(e, "Constant", NULL, 0, &attr, 1);
}

kx_value *kx_emit_float(kx_expander *e, float x)
{
    return constant(e, kx_attr_of_float("value_float", x));
}

kx_value *kx_emit_int(kx_expander *e, int64_t x)
{
    return constant(e, kx_attr_of_int("value_int", x));
}

kx_value *kx_emit_ints(kx_expander *e, const int64_t *x, size_t count)
{
    return constant(e, kx_attr_of_ints("value_ints", x, count));
}

kx_value *kx_emit_floats(kx_expander *e, const float *x, const kx_shape *shape)
{
    kx_value *v = kx_new(e->g, 1, sizeof *v);
    kx_attr attr = {.name = "value", .type = KX_ATTR_TENSOR, .t = v};

    if (!v || !x) {
        e->status = e->status < 0 ? e->status : kx_nomem(e->g);
        return NULL;
    }
    v->dtype = KX_F32;
    v->onnx_type = KX_ONNX_FLOAT;
    v->shape = *shape;
    v->count = (size_t)kx_span(shape, 0, shape->rank);
    v->raw = x;
    return constant(e, attr);
}

kx_value *kx_emit_range(kx_expander *e, int64_t start, int64_t count)
{
    kx_value *in[3] = {kx_emit_int(e, start), kx_emit_int(e, start + count), kx_emit_int(e, 1)};

    return kx_emit(e, "Range", in, 3, NULL, 0);
}

kx_value *kx_emit_cast(kx_expander *e, kx_value *a, int32_t onnx_type)
{
    kx_attr to = kx_attr_of_int("to", onnx_type);

    return kx_emit(e, "Cast", &a, 1, &to, 1);
}

kx_value *kx_emit_reshape(kx_expander *e, kx_value *a, const int64_t *dim, size_t rank)
{
    return kx_emit2(e, "Reshape", a, kx_emit_ints(e, dim, rank));
}

kx_value *kx_emit_transpose(kx_expander *e, kx_value *a, const int64_t *perm, size_t rank)
{
    kx_attr attr = kx_attr_of_ints("perm", perm, rank);

    return kx_emit(e, "Transpose", &a, 1, &attr, 1);
}

kx_value *kx_emit_channels(kx_expander *e, kx_value *x, bool to_last)
{
    int32_t rank = x ? x->shape.rank : 0;
    int64_t perm[KX_MAX_RANK] = {0};

    for (int32_t i = 1; i < rank; i++)
        perm[i] = to_last ? (i < rank - 1 ? i + 1 : 1) : (i == 1 ? rank - 1 : i - 1);
    return kx_emit_transpose(e, x, perm, (size_t)rank);
}

kx_value *kx_emit_slice(kx_expander *e, kx_value *a, int32_t axis, int64_t begin, int64_t end)
{
    kx_value *in[4] = {a, kx_emit_ints(e, &begin, 1), kx_emit_ints(e, &end, 1),
                       kx_emit_ints(e, &(int64_t){axis}, 1)};

    return kx_emit(e, "Slice", in, 4, NULL, 0);
}

kx_value *kx_emit_swish(kx_expander *e, kx_value *x, float alpha)
{
    kx_value *inner = alpha == 1.0f ? x : kx_emit2(e, "Mul", x, kx_emit_float(e, alpha));

    return kx_emit2(e, "Mul", x, kx_emit1(e, "Sigmoid", inner));
}

/* Concat takes KX_MAX_IN operands: pieces of pieces, until one is left. */
kx_value *kx_emit_join(kx_expander *e, kx_value **piece, int64_t count, int64_t axis)
{
    kx_attr attr = kx_attr_of_int("axis", axis);

    while (count > 1 && e->status == KLDVE_OK) {
        int64_t joined = 0;

        for (int64_t i = 0; i < count; i += KX_MAX_IN) {
            int64_t n = count - i < KX_MAX_IN ? count - i : KX_MAX_IN;

            piece[joined++] = kx_emit(e, "Concat", piece + i, (int32_t)n, &attr, 1);
        }
        count = joined;
    }
    return piece[0];
}

kldve_status kx_known_number(kx_expander *e, int32_t i, const char *what, double *out)
{
    const kx_value *v = e->n->in[i];
    const void *data;

    if (v->count != 1)
        return kx_invalid(e->g, e->n, "input %d (%s) must be one number", i, what);
    if (!v->raw)
        return kx_refuse(e->g, e->n, "input %d (%s) must be constant", i, what);
    if (!(data = kx_value_data(e->g, v)))
        return kx_nomem(e->g);
    *out = v->dtype == KX_I64   ? (double)*(const int64_t *)data
           : v->dtype == KX_F32 ? (double)*(const float *)data
                                : (double)*(const uint8_t *)data;
    return KLDVE_OK;
}

kldve_status kx_known_int(kx_expander *e, int32_t i, const char *what, int64_t *out)
{
    double number = 0;
    kldve_status st = kx_known_number(e, i, what, &number);

    if (st == KLDVE_OK)
        *out = kx_float_to_int(number);
    return st;
}

bool kx_named(const kx_node *n, const char *attribute)
{
    for (int32_t i = 0; i < n->nattr; i++)
        if (strcmp(n->attr[i].name, attribute) == 0)
            return true;
    return false;
}

kx_value *kx_input(const kx_expander *e, int32_t i)
{
    return kx_has(e->n, i) ? e->n->in[i] : NULL;
}

static bool listed(const char *name, const char *const *list, int32_t count)
{
    for (int32_t k = 0; k < count; k++)
        if (strcmp(name, list[k]) == 0)
            return true;
    return false;
}

kx_value *kx_emit_passing(kx_expander *e, const char *type, kx_value *const *in, int32_t nin,
                          const char *const *except, int32_t excepted)
{
    kx_attr *attr = kx_new(e->g, (size_t)e->n->nattr, sizeof *attr);
    int32_t count = 0;

    if (!attr) {
        e->status = e->status < 0 ? e->status : kx_nomem(e->g);
        return NULL;
    }
    for (int32_t i = 0; i < e->n->nattr; i++)
        if (!listed(e->n->attr[i].name, except, excepted)) {
            attr[count++] = e->n->attr[i];
            e->n->attr[i].used = true;
        }
    return kx_emit(e, type, in, nin, attr, count);
}
