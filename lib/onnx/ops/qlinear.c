/* qlinear.c - operators on quantised operands, written as what they mean: dequantise, compute,
 * quantise.  The planner puts the three together again and computes with integers
 * (plan/quantised.c).
 *
 * Names and order of the inputs: ONNX for its own domain; for com.microsoft
 * docs/ContribOperators.md of ONNX Runtime. */
#include "quantise.h"

#include "emit.h"
#include "families.h"

/* ---- operands -------------------------------------------------------------------------------- */

static kldve_status expect(kx_expander *e, int32_t lo, int32_t hi)
{
    return e->status = kx_expect(e->g, e->n, lo, hi, 1);
}

/* Further inputs that may not be missing; zero points in front of them may. */
static kldve_status require(kx_expander *e, int32_t n, const int32_t *list)
{
    for (int32_t i = 0; i < n && e->status == KLDVE_OK; i++)
        if (!kx_input(e, list[i]))
            e->status = kx_invalid(e->g, e->n, "required input %d is missing", list[i]);
    return e->status;
}

/* Operand q, whose scale and zero point are the inputs behind it. */
static kx_value *real(kx_expander *e, int32_t q, int32_t axis)
{
    return kx_emit_dequantised(e, kx_input(e, q), kx_input(e, q + 1), kx_input(e, q + 2), axis);
}

/* x quantised with the scale in input i and the zero point behind it. */
static kldve_status quantised(kx_expander *e, kx_value *x, int32_t i, int32_t axis)
{
    e->out[0] = kx_emit_quantised(e, x, kx_input(e, i), kx_input(e, i + 1), axis);
    return e->status;
}

/* One, or as many ones as there are zero points. */
static kx_value *ones(kx_expander *e, const kx_value *zero)
{
    size_t count = zero ? zero->count : 1;
    float *one = count > 1 ? kx_new(e->g, count, sizeof *one) : NULL;
    const kx_attr attr = {
        .name = "value_floats", .type = KX_ATTR_FLOATS, .floats = one, .count = count};

    if (count <= 1)
        return kx_emit_float(e, 1);
    if (!one) {
        e->status = kx_nomem(e->g);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        one[i] = 1;
    return kx_emit(e, "Constant", NULL, 0, &attr, 1);
}

/* The integers themselves, less their zero point. */
static kx_value *whole(kx_expander *e, int32_t q, int32_t zero, int32_t axis)
{
    return kx_emit_dequantised(e, kx_input(e, q), ones(e, kx_input(e, zero)), kx_input(e, zero),
                               axis);
}

/* Sums of products of integers. */
static kldve_status int32_out(kx_expander *e, kx_value *y)
{
    if (y)
        y->onnx_type = KX_ONNX_INT32;
    e->out[0] = y;
    return e->status;
}

/* A bias of int32 has the scale of the products; NULL: none. */
static kx_value *real_bias(kx_expander *e, int32_t bias, int32_t x_scale, int32_t w_scale)
{
    if (!kx_input(e, bias))
        return NULL;
    return kx_emit_dequantised(e, kx_input(e, bias),
                               kx_emit2(e, "Mul", kx_input(e, x_scale), kx_input(e, w_scale)), NULL,
                               0);
}

/* ---- channels in the last axis: attribute 'channels_last' -------------------------------------
 */

static const char channels_last_name[] = "channels_last";

static bool channels_last(kx_expander *e)
{
    return kx_attr_int(e->n, channels_last_name, 0) != 0;
}

static kx_value *passing(kx_expander *e, const char *type, kx_value *const *in, int32_t nin)
{
    static const char *const own[] = {channels_last_name};

    return kx_emit_passing(e, type, in, nin, own, 1);
}

/* [n][space...][channels] -> [n][channels][space...], and back. */
static kx_value *first(kx_expander *e, bool last, kx_value *x)
{
    return last ? kx_emit_channels(e, x, false) : x;
}

static kx_value *behind(kx_expander *e, bool last, kx_value *x)
{
    return last ? kx_emit_channels(e, x, true) : x;
}

/* ---- convolutions ---------------------------------------------------------------------------- */

/* x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias */
static kldve_status qlinear_conv(kx_expander *e)
{
    bool last = channels_last(e);
    kx_value *in[3];

    if (expect(e, 8, 9) < 0)
        return e->status;
    in[0] = first(e, last, real(e, 0, 1));
    in[1] = real(e, 3, 0);
    in[2] = real_bias(e, 8, 1, 4);
    return quantised(e, behind(e, last, passing(e, "Conv", in, in[2] ? 3 : 2)), 6, 1);
}

/* x, w, x_zero, w_zero */
static kldve_status conv_integer(kx_expander *e)
{
    kx_value *in[2];

    if (expect(e, 2, 4) < 0)
        return e->status;
    in[0] = whole(e, 0, 2, 1);
    in[1] = whole(e, 1, 3, 0);
    return int32_out(e, kx_emit_passing(e, "Conv", in, 2, NULL, 0));
}

/* ---- matrices: a may have a scale for each row, b one for each column ------------------------ */

enum { ROWS = -2, COLUMNS = -1 };

/* a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero */
static kldve_status qlinear_matmul(kx_expander *e)
{
    kx_value *a, *b;

    if (expect(e, 8, 8) < 0)
        return e->status;
    a = real(e, 0, ROWS);
    b = real(e, 3, COLUMNS);
    return quantised(e, kx_emit2(e, "MatMul", a, b), 6, ROWS);
}

/* a, b, a_zero, b_zero */
static kldve_status matmul_integer(kx_expander *e)
{
    kx_value *a, *b;

    if (expect(e, 2, 4) < 0)
        return e->status;
    a = whole(e, 0, 2, ROWS);
    b = whole(e, 1, 3, COLUMNS);
    return int32_out(e, kx_emit2(e, "MatMul", a, b));
}

static kldve_status product(kx_expander *e, kx_value *a, kx_value *b, kx_value *bias)
{
    kx_value *y = kx_emit2(e, "MatMul", a, b);

    e->out[0] = bias ? kx_emit2(e, "Add", y, bias) : y;
    return e->status;
}

/* a (float), b, b_scale, b_zero, bias (float): a is quantised as it comes. */
static kldve_status dynamic_matmul(kx_expander *e)
{
    kx_value *a, *b;

    if (expect(e, 3, 5) < 0)
        return e->status;
    a = kx_emit_dynamic(e, kx_input(e, 0));
    b = kx_emit_dequantised(e, kx_input(e, 1), kx_input(e, 2), kx_input(e, 3), COLUMNS);
    return product(e, a, b, kx_input(e, 4));
}

/* a, b, a_scale, b_scale, a_zero, b_zero, bias (float) */
static kldve_status matmul_integer_to_float(kx_expander *e)
{
    kx_value *a, *b;

    if (expect(e, 4, 7) < 0)
        return e->status;
    a = kx_emit_dequantised(e, kx_input(e, 0), kx_input(e, 2), kx_input(e, 4), ROWS);
    b = kx_emit_dequantised(e, kx_input(e, 1), kx_input(e, 3), kx_input(e, 5), COLUMNS);
    return product(e, a, b, kx_input(e, 6));
}

/* alpha A' B' + bias: a, a_scale, a_zero, b, b_scale, b_zero, bias, y_scale, y_zero.  The bias is
 * of int32 with the scale alpha a_scale b_scale; without y_scale the result is float. */
static kldve_status qgemm(kx_expander *e)
{
    float alpha = kx_attr_float(e->n, "alpha", 1);
    int64_t a = kx_attr_int(e->n, "transA", 0), b = kx_attr_int(e->n, "transB", 0);
    const kx_attr attr[] = {kx_attr_of_float("alpha", alpha), kx_attr_of_int("transA", a),
                            kx_attr_of_int("transB", b)};
    kx_value *in[3], *y;

    if (expect(e, 6, 9) < 0)
        return e->status;
    in[0] = real(e, 0, a ? 1 : 0);
    in[1] = real(e, 3, b ? 0 : 1);
    in[2] = real_bias(e, 6, 1, 4);
    if (in[2] && alpha != 1)
        in[2] = kx_emit2(e, "Mul", in[2], kx_emit_float(e, alpha));
    y = kx_emit(e, "Gemm", in, in[2] ? 3 : 2, attr, 3);
    if (kx_input(e, 7))
        return quantised(e, y, 7, 1);
    e->out[0] = y;
    return e->status;
}

/* ---- elementwise ----------------------------------------------------------------------------- */

/* a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero */
static kldve_status binary(kx_expander *e, const char *type)
{
    kx_value *a, *b;

    if (expect(e, 2, 8) < 0 || require(e, 3, (const int32_t[]){3, 4, 6}) < 0)
        return e->status;
    a = real(e, 0, 1);
    b = real(e, 3, 1);
    return quantised(e, kx_emit2(e, type, a, b), 6, 1);
}

static kldve_status qlinear_add(kx_expander *e)
{
    return binary(e, "Add");
}

static kldve_status qlinear_mul(kx_expander *e)
{
    return binary(e, "Mul");
}

/* condition, x, x_scale, x_zero, y, y_scale, y_zero, z_scale, z_zero */
static kldve_status qlinear_where(kx_expander *e)
{
    kx_value *in[3];

    if (expect(e, 2, 9) < 0 || require(e, 4, (const int32_t[]){2, 4, 5, 7}) < 0)
        return e->status;
    in[0] = kx_input(e, 0);
    in[1] = real(e, 1, 1);
    in[2] = real(e, 4, 1);
    return quantised(e, kx_emit(e, "Where", in, 3, NULL, 0), 7, 1);
}

/* ---- of one operand: x, x_scale, x_zero, y_scale, y_zero ------------------------------------- */

static kldve_status expect_unary(kx_expander *e)
{
    return expect(e, 2, 5) < 0 ? e->status : require(e, 1, (const int32_t[]){3});
}

static kldve_status qlinear_sigmoid(kx_expander *e)
{
    if (expect_unary(e) < 0)
        return e->status;
    return quantised(e, kx_emit1(e, "Sigmoid", real(e, 0, 1)), 3, 1);
}

static kldve_status qlinear_leaky_relu(kx_expander *e)
{
    kx_value *x;

    if (expect_unary(e) < 0)
        return e->status;
    x = real(e, 0, 1);
    return quantised(e, kx_emit_passing(e, "LeakyRelu", &x, 1, NULL, 0), 3, 1);
}

/* Attribute 'opset' is that of the Softmax that was quantised: before 13 it flattens. */
static kldve_status qlinear_softmax(kx_expander *e)
{
    int64_t opset = kx_attr_int(e->n, "opset", 13);
    int64_t axis = kx_attr_int(e->n, "axis", opset < 13 ? 1 : -1);
    const kx_attr attr = kx_attr_of_int("axis", axis);
    const kx_shape *s;
    kx_value *x;
    int32_t at;

    if (expect_unary(e) < 0)
        return e->status;
    s = &e->n->in[0]->shape;
    if (opset < 13 && (!kx_axis(axis, s->rank, &at) || kx_span(s, at + 1, s->rank) != 1))
        return kx_refuse(e->g, e->n, "a softmax over several axes is not supported");
    x = real(e, 0, 1);
    return quantised(e, kx_emit(e, "Softmax", &x, 1, &attr, 1), 3, 1);
}

static kldve_status qlinear_average_pool(kx_expander *e)
{
    bool last = channels_last(e);
    kx_value *x;

    if (expect_unary(e) < 0)
        return e->status;
    x = first(e, last, real(e, 0, 1));
    return quantised(e, behind(e, last, passing(e, "AveragePool", &x, 1)), 3, 1);
}

/* The mean over all spatial axes: from 2 on, or from 1 up to the last but one. */
static kldve_status qlinear_global_average_pool(kx_expander *e)
{
    bool last = kx_attr_int(e->n, "channels_last", 0) != 0;
    kx_value *in[2];
    int64_t axes[KX_MAX_RANK];
    size_t n = 0;

    if (expect_unary(e) < 0)
        return e->status;
    in[0] = real(e, 0, 1);
    if (!last)
        return quantised(e, kx_emit1(e, "GlobalAveragePool", in[0]), 3, 1);
    for (int32_t i = 1; i + 1 < e->n->in[0]->shape.rank; i++)
        axes[n++] = i;
    in[1] = kx_emit_ints(e, axes, n);
    return quantised(e, kx_emit2(e, "ReduceMean", in[0], in[1]), 3, 1);
}

/* ---- concatenation --------------------------------------------------------------------------- */

/* y_scale, y_zero, then x, scale, zero of each operand */
static kldve_status qlinear_concat(kx_expander *e)
{
    kx_value *list[KX_MAX_IN];
    int32_t count = 0;

    if (expect(e, 1, KX_MAX_IN) < 0)
        return e->status;
    if (e->n->nin % 3 == 0) /* the last zero point may be missing */
        return kx_invalid(e->g, e->n, "%d inputs, expected 2 and 3 for each operand", e->n->nin);
    for (int32_t i = 2; i < e->n->nin; i += 3) {
        if (require(e, 2, (const int32_t[]){i, i + 1}) < 0)
            return e->status;
        list[count++] = real(e, i, 1);
    }
    return quantised(e, kx_emit_passing(e, "Concat", list, count, NULL, 0), 0, 1);
}

#define MICROSOFT .domain = "com.microsoft", .since = 1

const kx_op kx_qlinear_ops[] = {
    {.type = "QLinearConv", .since = 10, .expand = qlinear_conv},
    {.type = "QLinearConv", MICROSOFT, .expand = qlinear_conv},
    {.type = "ConvInteger", .since = 10, .expand = conv_integer},
    {.type = "QLinearMatMul", .since = 10, .expand = qlinear_matmul},
    {.type = "MatMulInteger", .since = 10, .expand = matmul_integer},
    {.type = "DynamicQuantizeMatMul", MICROSOFT, .expand = dynamic_matmul},
    {.type = "MatMulIntegerToFloat", MICROSOFT, .expand = matmul_integer_to_float},
    {.type = "QGemm", MICROSOFT, .expand = qgemm},
    {.type = "QLinearAdd", MICROSOFT, .expand = qlinear_add},
    {.type = "QLinearMul", MICROSOFT, .expand = qlinear_mul},
    {.type = "QLinearWhere", MICROSOFT, .expand = qlinear_where},
    {.type = "QLinearSigmoid", MICROSOFT, .expand = qlinear_sigmoid},
    {.type = "QLinearLeakyRelu", MICROSOFT, .expand = qlinear_leaky_relu},
    {.type = "QLinearSoftmax", MICROSOFT, .expand = qlinear_softmax},
    {.type = "QLinearAveragePool", MICROSOFT, .expand = qlinear_average_pool},
    {.type = "QLinearGlobalAveragePool", MICROSOFT, .expand = qlinear_global_average_pool},
    {.type = "QLinearConcat", MICROSOFT, .expand = qlinear_concat},
    {0},
};
