/* bits.c - BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot, BitShift: integers, so without VJP. */
#include <string.h>

#include "basic.h"
#include "binary.h"
#include "emit.h"
#include "families.h"

static int64_t shifted_left(int64_t x, int64_t by)
{
    return by >= 0 && by < 64 ? (int64_t)((uint64_t)x << by) : 0;
}

/* Of unsigned numbers: zeros come in. */
static int64_t shifted_right(int64_t x, int64_t by)
{
    return by >= 0 && by < 64 ? (int64_t)((uint64_t)x >> by) : 0;
}

/* Of signed ones: the sign comes in. */
static int64_t shifted_signed(int64_t x, int64_t by)
{
    return by >= 0 && by < 64 ? x >> by : x < 0 ? -1 : 0;
}

static bool is_signed(const kx_value *v)
{
    return v->onnx_type == KX_ONNX_INT8 || v->onnx_type == KX_ONNX_INT16 ||
           v->onnx_type == KX_ONNX_INT32 || v->onnx_type == KX_ONNX_INT64;
}

KX_BINARY(and_bits, int64_t, int64_t, int64_t, x &y)
KX_BINARY(or_bits, int64_t, int64_t, int64_t, x | y)
KX_BINARY(xor_bits, int64_t, int64_t, int64_t, x ^ y)
KX_BINARY(shift_left, int64_t, int64_t, int64_t, shifted_left(x, y))
KX_BINARY(shift_right, int64_t, int64_t, int64_t, shifted_right(x, y))
KX_BINARY(shift_right_signed, int64_t, int64_t, int64_t, shifted_signed(x, y))

static kldve_status infer(kx_graph *g, kx_node *n, kx_binary_kernel *kernel)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    kx_binary_params *p;
    kx_shape out;

    if (st < 0 || (st = kx_binary_same_type(g, n)) < 0)
        return st;
    if (n->in[0]->dtype != KX_I64)
        return kx_invalid(g, n, "the operands must be integers");
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    p->kernel = kernel;
    if ((st = kx_binary_walk(g, n, p, &out)) < 0)
        return st;
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static kldve_status infer_and(kx_graph *g, kx_node *n)
{
    return infer(g, n, and_bits);
}

static kldve_status infer_or(kx_graph *g, kx_node *n)
{
    return infer(g, n, or_bits);
}

static kldve_status infer_xor(kx_graph *g, kx_node *n)
{
    return infer(g, n, xor_bits);
}

static kldve_status infer_shift(kx_graph *g, kx_node *n)
{
    const char *direction = kx_attr_string(n, "direction", "");
    bool left = strcmp(direction, "LEFT") == 0;

    if (!left && strcmp(direction, "RIGHT") != 0)
        return kx_invalid(g, n, "attribute 'direction' is '%.40s', expected LEFT or RIGHT",
                          direction);
    if (left)
        return infer(g, n, shift_left);
    return infer(g, n,
                 n->nin > 0 && n->in[0] && is_signed(n->in[0]) ? shift_right_signed : shift_right);
}

static kldve_status expand_not(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);

    if (st == KLDVE_OK)
        e->out[0] = kx_emit2(e, "BitwiseXor", e->n->in[0], kx_emit_int(e, -1));
    return st < 0 ? st : e->status;
}

#define ENTRY(name, first, fn)                                                                     \
    {                                                                                              \
        .type = name, .since = first, .infer = fn, .forward = kx_binary_forward, .traits = {       \
            .bias = KX_BIAS_NONE                                                                   \
        }                                                                                          \
    }

const kx_op kx_bits_ops[] = {
    ENTRY("BitwiseAnd", 18, infer_and),
    ENTRY("BitwiseOr", 18, infer_or),
    ENTRY("BitwiseXor", 18, infer_xor),
    ENTRY("BitShift", 11, infer_shift),
    {.type = "BitwiseNot", .since = 18, .expand = expand_not},
    {0},
};
