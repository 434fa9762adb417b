/* qlinear.c - operators on quantised operands, written as what they mean: dequantise, compute,
 * quantise.  The planner puts the three together again and computes with integers
 * (plan/quantised.c); a node that it does not recognise runs as floats, whose products of such
 * small integers are exact.
 *
 * Names and order of the inputs: ONNX for its own domain; for com.microsoft
 * docs/ContribOperators.md of ONNX Runtime. */
#include "quantise.h"

#include "families.h"

/* ---- operands -------------------------------------------------------------------------------- */

static kx_value *input(const kx_rewrite *r, int32_t i)
{
    return kx_has(r->node, i) ? r->node->in[i] : NULL;
}

/* Number and presence of the inputs; the types of quantised operands. */
static kldve_status expect(kx_rewrite *r, int32_t lo, int32_t hi)
{
    kldve_status st = kx_expect(r->g, r->node, lo, hi, 1);

    if (st == KLDVE_OK && !r->node->out[0])
        st = kx_invalid(r->g, r->node, "its output has no name");
    return st;
}

/* Operand q with scale and zero point in the inputs behind it. */
static kx_value *real(kx_rewrite *r, int32_t q, int32_t axis)
{
    return kx_emit_dequantised(r, input(r, q), input(r, q + 1), input(r, q + 2), axis);
}

/* The integers themselves, less their zero point. */
static kx_value *whole(kx_rewrite *r, int32_t q, int32_t zero, int32_t axis)
{
    static const float one = 1;
    const kx_value *z = input(r, zero);
    kx_value *scale = NULL;

    if (!z || z->count == 1) {
        scale = kx_emit_floats(r, &one, 1);
    } else if (z->count > 1 && z->count < INT32_MAX) {
        float *ones = kx_new(r->g, z->count, sizeof *ones);

        for (size_t i = 0; ones && i < z->count; i++)
            ones[i] = 1;
        scale = ones ? kx_emit_floats(r, ones, z->count) : NULL;
    }
    if (!scale && r->st == KLDVE_OK)
        r->st = kx_nomem(r->g);
    return kx_emit_dequantised(r, input(r, q), scale, input(r, zero), axis);
}

static kx_value *binary(kx_rewrite *r, const char *type, kx_value *a, kx_value *b)
{
    return kx_emit(r, (kx_part){.type = type, .in = {a, b}, .nin = 2});
}

/* Sums of products are int32. */
static kldve_status int32_out(kx_rewrite *r)
{
    if (r->st == KLDVE_OK)
        r->node->out[0]->onnx_type = KX_ONNX_INT32;
    return r->st;
}

/* All attributes go to the node that is added. */
static void hand_on(kx_rewrite *r, kx_part *part)
{
    part->attr = r->node->attr;
    part->nattr = r->node->nattr;
    for (int32_t i = 0; i < r->node->nattr; i++)
        kx_attr_ignore(r->node, r->node->attr[i].name);
}

/* A bias of int32 has the scale of the products. */
static kx_value *real_bias(kx_rewrite *r, int32_t bias, int32_t x_scale, int32_t w_scale)
{
    if (!input(r, bias))
        return NULL;
    return kx_emit_dequantised(r, input(r, bias),
                               binary(r, "Mul", input(r, x_scale), input(r, w_scale)), NULL, 0);
}

/* ---- convolutions ---------------------------------------------------------------------------- */

/* x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias */
static kldve_status qlinear_conv(kx_rewrite *r)
{
    kldve_status st = expect(r, 8, 9);
    kx_part conv = {.type = "Conv", .nin = 3};
    kx_value *y;

    if (st < 0)
        return st;
    hand_on(r, &conv);
    conv.in[0] = real(r, 0, 1);
    conv.in[1] = real(r, 3, 0);
    conv.in[2] = real_bias(r, 8, 1, 4);
    y = kx_emit(r, conv);
    kx_emit_quantised(r, y, input(r, 6), input(r, 7), 1, r->node->out[0]);
    return r->st;
}

/* x, w, x_zero, w_zero */
static kldve_status conv_integer(kx_rewrite *r)
{
    kldve_status st = expect(r, 2, 4);
    kx_part conv = {.type = "Conv", .nin = 2};

    if (st < 0)
        return st;
    hand_on(r, &conv);
    conv.in[0] = whole(r, 0, 2, 1);
    conv.in[1] = whole(r, 1, 3, 0);
    conv.out = r->node->out[0];
    kx_emit(r, conv);
    return int32_out(r);
}

/* ---- matrices -------------------------------------------------------------------------------- */

/* a and b may have a scale for each row and each column. */
static kx_value *rows(kx_rewrite *r, int32_t q)
{
    return real(r, q, -2);
}

static kx_value *columns(kx_rewrite *r, int32_t q)
{
    return real(r, q, -1);
}

/* a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero */
static kldve_status qlinear_matmul(kx_rewrite *r)
{
    kldve_status st = expect(r, 8, 8);

    if (st < 0)
        return st;
    kx_emit_quantised(r, binary(r, "MatMul", rows(r, 0), columns(r, 3)), input(r, 6), input(r, 7),
                      -2, r->node->out[0]);
    return r->st;
}

/* a, b, a_zero, b_zero */
static kldve_status matmul_integer(kx_rewrite *r)
{
    kldve_status st = expect(r, 2, 4);

    if (st < 0)
        return st;
    kx_emit(r, (kx_part){.type = "MatMul",
                         .in = {whole(r, 0, 2, -2), whole(r, 1, 3, -1)},
                         .nin = 2,
                         .out = r->node->out[0]});
    return int32_out(r);
}

/* To the node's own output, with a bias if there is one. */
static void add_bias(kx_rewrite *r, kx_part product, kx_value *bias)
{
    if (!bias)
        product.out = r->node->out[0];
    product.in[0] = kx_emit(r, product);
    if (bias)
        kx_emit(r,
                (kx_part){
                    .type = "Add", .in = {product.in[0], bias}, .nin = 2, .out = r->node->out[0]});
}

/* a (float), b, b_scale, b_zero, bias (float): a is quantised as it comes. */
static kldve_status dynamic_matmul(kx_rewrite *r)
{
    kldve_status st = expect(r, 3, 5);
    kx_value *a, *b;

    if (st < 0)
        return st;
    a = kx_emit_dynamic(r, input(r, 0));
    b = kx_emit_dequantised(r, input(r, 1), input(r, 2), input(r, 3), -1);
    add_bias(r, (kx_part){.type = "MatMul", .in = {a, b}, .nin = 2}, input(r, 4));
    return r->st;
}

/* a, b, a_scale, b_scale, a_zero, b_zero, bias (float) */
static kldve_status matmul_integer_to_float(kx_rewrite *r)
{
    kldve_status st = expect(r, 4, 7);
    kx_value *a, *b;

    if (st < 0)
        return st;
    a = kx_emit_dequantised(r, input(r, 0), input(r, 2), input(r, 4), -2);
    b = kx_emit_dequantised(r, input(r, 1), input(r, 3), input(r, 5), -1);
    add_bias(r, (kx_part){.type = "MatMul", .in = {a, b}, .nin = 2}, input(r, 6));
    return r->st;
}

/* a, a_scale, a_zero, b, b_scale, b_zero, bias (int32, scale a_scale b_scale), y_scale, y_zero:
 * alpha A' B' + bias, float without y_scale.  The bias has alpha in its scale. */
static kldve_status qgemm(kx_rewrite *r)
{
    kldve_status st = expect(r, 6, 9);
    float alpha = kx_attr_float(r->node, "alpha", 1);
    int64_t a = kx_attr_int(r->node, "transA", 0), b = kx_attr_int(r->node, "transB", 0);
    const kx_attr attr[] = {kx_float_attr("alpha", alpha), kx_int_attr("transA", a),
                            kx_int_attr("transB", b)};
    kx_part gemm = {.type = "Gemm", .nin = 3, .attr = attr, .nattr = 3};
    kx_value *y;

    if (st < 0)
        return st;
    gemm.in[0] = real(r, 0, a ? 1 : 0);
    gemm.in[1] = real(r, 3, b ? 0 : 1);
    gemm.in[2] = real_bias(r, 6, 1, 4);
    if (gemm.in[2] && alpha != 1)
        gemm.in[2] = binary(r, "Mul", gemm.in[2], kx_emit_floats(r, &alpha, 1));
    if (!input(r, 7))
        gemm.out = r->node->out[0];
    y = kx_emit(r, gemm);
    if (input(r, 7))
        kx_emit_quantised(r, y, input(r, 7), input(r, 8), 1, r->node->out[0]);
    return r->st;
}

/* ---- elementwise ----------------------------------------------------------------------------- */

/* a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero */
static kldve_status binary_of(kx_rewrite *r, const char *type)
{
    kldve_status st = expect(r, 7, 8);

    if (st < 0)
        return st;
    kx_emit_quantised(r, binary(r, type, real(r, 0, 1), real(r, 3, 1)), input(r, 6), input(r, 7), 1,
                      r->node->out[0]);
    return r->st;
}

static kldve_status qlinear_add(kx_rewrite *r)
{
    return binary_of(r, "Add");
}

static kldve_status qlinear_mul(kx_rewrite *r)
{
    return binary_of(r, "Mul");
}

/* x, x_scale, x_zero, y_scale, y_zero through another operator. */
static kldve_status through(kx_rewrite *r, kx_part part)
{
    part.nin = 1;
    part.in[0] = real(r, 0, 1);
    kx_emit_quantised(r, kx_emit(r, part), input(r, 3), input(r, 4), 1, r->node->out[0]);
    return r->st;
}

static kldve_status qlinear_sigmoid(kx_rewrite *r)
{
    kldve_status st = expect(r, 4, 5);

    return st < 0 ? st : through(r, (kx_part){.type = "Sigmoid"});
}

static kldve_status qlinear_leaky_relu(kx_rewrite *r)
{
    kldve_status st = expect(r, 4, 5);
    kx_part part = {.type = "LeakyRelu"};

    if (st < 0)
        return st;
    hand_on(r, &part);
    return through(r, part);
}

/* Attribute 'opset' is that of the Softmax that was quantised: before 13 it flattens. */
static kldve_status qlinear_softmax(kx_rewrite *r)
{
    kldve_status st = expect(r, 4, 5);
    int64_t opset = kx_attr_int(r->node, "opset", 13);
    int64_t axis = kx_attr_int(r->node, "axis", opset < 13 ? 1 : -1);
    const kx_attr attr = kx_int_attr("axis", axis);
    int32_t at;

    if (st < 0)
        return st;
    if (opset < 13 && (!kx_axis(axis, r->node->in[0]->shape.rank, &at) ||
                       kx_span(&r->node->in[0]->shape, at + 1, r->node->in[0]->shape.rank) != 1))
        return kx_refuse(r->g, r->node, "a softmax over several axes is not supported");
    return through(r, (kx_part){.type = "Softmax", .attr = &attr, .nattr = 1});
}

/* ---- pools ----------------------------------------------------------------------------------- */

static kldve_status qlinear_average_pool(kx_rewrite *r)
{
    kldve_status st = expect(r, 4, 5);
    kx_part part = {.type = "AveragePool"};

    if (st < 0)
        return st;
    if (kx_attr_int(r->node, "channels_last", 0))
        return kx_refuse(r->g, r->node, "channels_last is not supported");
    hand_on(r, &part);
    return through(r, part);
}

/* The mean over all spatial axes: from 2 on, or from 1 up to the last but one. */
static kldve_status qlinear_global_average_pool(kx_rewrite *r)
{
    kldve_status st = expect(r, 4, 5);
    bool last = kx_attr_int(r->node, "channels_last", 0) != 0;
    int64_t axes[KX_MAX_RANK];
    size_t n = 0;
    kx_attr attr;

    if (st < 0)
        return st;
    if (!last)
        return through(r, (kx_part){.type = "GlobalAveragePool"});
    for (int32_t i = 1; i + 1 < r->node->in[0]->shape.rank; i++)
        axes[n++] = i;
    attr = kx_ints_attr("axes", axes, n);
    return through(r, (kx_part){.type = "ReduceMean", .attr = &attr, .nattr = 1});
}

/* ---- concatenation --------------------------------------------------------------------------- */

/* y_scale, y_zero, then x, scale, zero of each operand */
static kldve_status qlinear_concat(kx_rewrite *r)
{
    kldve_status st = expect(r, 5, KX_MAX_IN);
    kx_part part = {.type = "Concat"};
    kx_value *list[KX_MAX_IN];

    if (st < 0)
        return st;
    if ((r->node->nin - 2) % 3 != 0)
        return kx_invalid(r->g, r->node, "%d inputs, expected 2 and 3 for each operand",
                          r->node->nin);
    for (int32_t i = 2; i < r->node->nin; i += 3) {
        if (!input(r, i) || !input(r, i + 1))
            return kx_invalid(r->g, r->node, "required input %d is missing", i);
        list[part.nin++] = real(r, i, 1);
    }
    part.list = list;
    hand_on(r, &part);
    kx_emit_quantised(r, kx_emit(r, part), input(r, 0), input(r, 1), 1, r->node->out[0]);
    return r->st;
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
    {.type = "QLinearSigmoid", MICROSOFT, .expand = qlinear_sigmoid},
    {.type = "QLinearLeakyRelu", MICROSOFT, .expand = qlinear_leaky_relu},
    {.type = "QLinearSoftmax", MICROSOFT, .expand = qlinear_softmax},
    {.type = "QLinearAveragePool", MICROSOFT, .expand = qlinear_average_pool},
    {.type = "QLinearGlobalAveragePool", MICROSOFT, .expand = qlinear_global_average_pool},
    {.type = "QLinearConcat", MICROSOFT, .expand = qlinear_concat},
    {0},
};
