/* emit.c - see emit.h. */
#include "emit.h"

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

kx_value *kx_emit_reshape(kx_expander *e, kx_value *a, const int64_t *dim, size_t rank)
{
    return kx_emit2(e, "Reshape", a, kx_emit_ints(e, dim, rank));
}

kx_value *kx_emit_transpose(kx_expander *e, kx_value *a, const int64_t *perm, size_t rank)
{
    kx_attr attr = kx_attr_of_ints("perm", perm, rank);

    return kx_emit(e, "Transpose", &a, 1, &attr, 1);
}

kx_value *kx_emit_slice(kx_expander *e, kx_value *a, int32_t axis, int64_t begin, int64_t end)
{
    kx_value *in[4] = {a, kx_emit_ints(e, &begin, 1), kx_emit_ints(e, &end, 1),
                       kx_emit_ints(e, &(int64_t){axis}, 1)};

    return kx_emit(e, "Slice", in, 4, NULL, 0);
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
