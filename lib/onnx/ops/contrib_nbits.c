/* contrib_nbits.c - MatMulNBits of ONNX Runtime (domain com.microsoft): y = a W, whose weights have
 * 2, 4 or 8 bits in blocks along the inner axis:
 *
 *     W[k][n] = (q[n][k] - zero[n][k / block]) scale[n][k / block]
 *
 * q is packed, the low bits first, [n][blocks][block * bits / 8] bytes; W becomes a constant. */
#include "basic.h"
#include "emit.h"
#include "families.h"

enum { A, PACKED, SCALES, ZEROS, ORDER, BIAS, MAX_WEIGHTS = 1 << 28 /* 1 GiB as floats */ };

typedef struct nbits {
    int64_t inner, columns, bits, block, blocks;
    const int64_t *packed; /* bytes */
    const float *scale;
    const int64_t *zero_bytes; /* packed [n][row_bytes], or NULL */
    const float *zero_floats;  /* [n][blocks], or NULL */
    int64_t row_bytes;
} nbits;

static kldve_status constant_input(kx_expander *e, int32_t i, kx_dtype dtype, int64_t count,
                                   const void *out)
{
    const kx_value *v = e->n->in[i];
    const void *data;

    if (!v->raw)
        return kx_refuse(e->g, e->n, "input %d must be constant", i);
    if (v->dtype != dtype || (int64_t)v->count != count)
        return kx_invalid(e->g, e->n, "input %d has %zu elements, expected %lld", i, v->count,
                          (long long)count);
    if (!(data = kx_value_data(e->g, v)))
        return kx_nomem(e->g);
    *(const void **)(uintptr_t)out = data;
    return KLDVE_OK;
}

static kldve_status read_numbers(kx_expander *e, nbits *b)
{
    b->inner = kx_attr_int(e->n, "K", 0);
    b->columns = kx_attr_int(e->n, "N", 0);
    b->bits = kx_attr_int(e->n, "bits", 4);
    b->block = kx_attr_int(e->n, "block_size", 0);
    kx_attr_ignore(e->n, "accuracy_level");
    kx_attr_ignore(e->n, "weight_prepacked");
    if ((b->bits != 2 && b->bits != 4 && b->bits != 8) || b->block < 16 || b->block > 1 << 20 ||
        b->block % 8 != 0 || b->inner < 1 || b->columns < 1 || b->inner > MAX_WEIGHTS ||
        b->columns > MAX_WEIGHTS / b->inner)
        return kx_refuse(
            e->g, e->n, "attributes K %lld, N %lld, bits %lld, block_size %lld are not supported",
            (long long)b->inner, (long long)b->columns, (long long)b->bits, (long long)b->block);
    b->blocks = (b->inner + b->block - 1) / b->block;
    b->row_bytes = (b->blocks * b->bits + 7) / 8;
    return kx_input(e, ORDER) ? kx_refuse(e->g, e->n, "an order of the blocks is not supported")
                              : KLDVE_OK;
}

static kldve_status read_weights(kx_expander *e, nbits *b)
{
    const kx_value *zero = kx_input(e, ZEROS);
    kldve_status st = constant_input(e, PACKED, KX_I64,
                                     b->columns * b->blocks * (b->block * b->bits / 8), &b->packed);

    if (st < 0 || (st = constant_input(e, SCALES, KX_F32, b->columns * b->blocks, &b->scale)) < 0 ||
        !zero)
        return st;
    if (zero->dtype == KX_F32)
        return constant_input(e, ZEROS, KX_F32, b->columns * b->blocks, &b->zero_floats);
    return constant_input(e, ZEROS, KX_I64, b->columns * b->row_bytes, &b->zero_bytes);
}

/* Number i of a run of packed ones. */
static int64_t unpack(const nbits *b, const int64_t *bytes, int64_t i)
{
    int64_t per_byte = 8 / b->bits;

    return (bytes[i / per_byte] >> (i % per_byte * b->bits)) & ((1 << b->bits) - 1);
}

static float zero_of(const nbits *b, int64_t n, int64_t block)
{
    if (b->zero_floats)
        return b->zero_floats[n * b->blocks + block];
    if (b->zero_bytes)
        return (float)unpack(b, b->zero_bytes + n * b->row_bytes, block);
    return (float)(1 << (b->bits - 1));
}

/* [inner][columns] */
static float *weights(kx_expander *e, const nbits *b)
{
    float *w = kx_new(e->g, (size_t)(b->inner * b->columns), sizeof *w);
    int64_t row = b->blocks * (b->block * b->bits / 8);

    for (int64_t n = 0; w && n < b->columns; n++)
        for (int64_t k = 0; k < b->inner; k++) {
            int64_t block = k / b->block;
            float q = (float)unpack(b, b->packed + n * row, k);

            w[k * b->columns + n] = (q - zero_of(b, n, block)) * b->scale[n * b->blocks + block];
        }
    return w;
}

static kldve_status expand(kx_expander *e)
{
    nbits b = {0};
    kx_value *y;
    kldve_status st = kx_expect(e->g, e->n, 3, 6, 1);

    if (st < 0 || (st = read_numbers(e, &b)) < 0 || (st = read_weights(e, &b)) < 0)
        return st;
    y = kx_emit2(e, "MatMul", e->n->in[A],
                 kx_emit_floats(e, weights(e, &b), &(kx_shape){2, {b.inner, b.columns}}));
    e->out[0] = kx_input(e, BIAS) ? kx_emit2(e, "Add", y, kx_input(e, BIAS)) : y;
    return e->status;
}

const kx_op kx_contrib_nbits_ops[] = {
    {.type = "MatMulNBits", .domain = "com.microsoft", .since = 1, .expand = expand},
    {0},
};
