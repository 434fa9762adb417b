/* test_ops_nn.c - the neural-network operators: derivatives against differences, corner cases with
 * their exact results, refusals, every allocation failing.
 *
 * With --dump it writes every case of nn_cases.h, the results of the kernels and the derivatives as
 * text for compare_ops_nn.py. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn_cases.h"
#include "ops/params.h"

/* ---- derivatives and allocations ------------------------------------------------------------- */

static bool is_integer_case(const op_case *c)
{
    return c->inputs[0] == 'i' || c->inputs[0] == 'b';
}

static void test_differences(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int checked = 0;

    (void)state;
    for (size_t i = 0; i < NN_CASES; i++) {
        int inputs = op_check_vjp(&nn_cases[i], ctx);

        if (inputs == 0 && !is_integer_case(&nn_cases[i]))
            fail_msg("%s: no derivative was checked", nn_cases[i].name);
        checked += inputs;
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    assert_true(checked > NN_CASES);
}

static void test_allocations(void **state)
{
    (void)state;
    for (size_t i = 0; i < NN_CASES; i++)
        op_check_allocations(&nn_cases[i]);
}

/* ---- exact results --------------------------------------------------------------------------- */

static const struct exact_case {
    op_case c;
    const char *expected[2];
} exact_cases[] = {
    {{"max: padding never wins", 12, "MaxPool", "kernel_shape=(2) pads=(1,1)", "1x1x2:-3,-5", 1},
     {"1x1x3:-3,-3,-5", NULL}},
    {{"max: dilated window on padding only", 12, "MaxPool",
      "kernel_shape=(2) dilations=(2) pads=(1,1)", "1x1x1:4", 2},
     {"1x1x1:-inf", "i1x1x1:-1"}},
    {{"average: dilated window on padding only", 19, "AveragePool",
      "kernel_shape=(2) dilations=(2) pads=(1,1)", "1x1x1:4", 1},
     {"1x1x1:0", NULL}},
    {{"max: indices by rows", 12, "MaxPool", "kernel_shape=(2,2)",
      "1x2x2x3:1,5,2,3,4,6,9,8,7,3,2,1", 2},
     {"1x2x1x2:5,6,9,8", "i1x2x1x2:1,5,6,7"}},
    {{"max: indices by columns", 12, "MaxPool", "kernel_shape=(2,2) storage_order=1",
      "1x2x2x3:1,5,2,3,4,6,9,8,7,3,2,1", 2},
     {"1x2x1x2:5,6,9,8", "i1x2x1x2:2,5,6,8"}},
    {{"max: indices by columns, 3d", 12, "MaxPool", "kernel_shape=(2,2,2) storage_order=1",
      "1x1x2x2x3:1,5,2,3,4,6,9,8,7,3,2,1", 2},
     {"1x1x1x1x2:9,8", "i1x1x1x1x2:1,5"}},
    {{"conv: a stride over the kernel reads from the first element", 11, "Conv",
      "auto_pad='SAME_LOWER' strides=(4)", "1x1x8:1,2,3,4,5,6,7,8 1x1x1:1", 1},
     {"1x1x2:1,5", NULL}},
    {{"max: ceil_mode ignores windows behind the end", 12, "MaxPool",
      "kernel_shape=(1) strides=(3) ceil_mode=1", "1x1x3:1,2,3", 1},
     {"1x1x1:1", NULL}},
    {{"max: ceil_mode was no attribute in opset 9 semantics", 9, "MaxPool",
      "kernel_shape=(2) strides=(2)", "1x1x3:1,2,3", 1},
     {"1x1x1:2", NULL}},
    {{"softmax of large values", 13, "Softmax", "", "1x3:1000,1000,-1000", 1},
     {"1x3:0.5,0.5,0", NULL}},
    {{"softmax of opset 12 is over all axes behind", 12, "Softmax", "axis=1", "1x2x2:0,0,0,0", 1},
     {"1x2x2:0.25,0.25,0.25,0.25", NULL}},
    {{"log softmax of large values", 13, "LogSoftmax", "", "1x3:10000,10000,0", 1},
     {"1x3:-0.69314718,-0.69314718,-10000.693", NULL}},
    {{"l2 norm of zeros", 7, "LpNormalization", "", "2x2:0,0,3,4", 1}, {"2x2:0,0,0.6,0.8", NULL}},
    {{"mean variance of a constant", 13, "MeanVarianceNormalization", "axes=(1)", "1x3:2,2,2", 1},
     {"1x3:0,0,0", NULL}},
    {{"lrn of an enormous size", 13, "LRN", "size=2147483647 alpha=2147483647.0f beta=1.0f",
      "1x2x1:1,2", 1},
     {"1x2x1:0.16666667,0.33333333", NULL}},
    {{"global max of negative values", 7, "GlobalMaxPool", "", "1x1x3:-3,-2,-5", 1},
     {"1x1x1:-2", NULL}},
    {{"resize of opset 10 down takes the element after", 10, "Resize", "", "1x4:1,2,3,4 c2:1,0.6",
      1},
     {"1x2:1,3", NULL}},
#include "resize_cases.h"
    {{"resize to the same size", 13, "Resize", "", "1x3:1,2,3 _ _ {1,3}", 1}, {"1x3:1,2,3", NULL}},
    {{"resize of integers cuts", 18, "Resize", "mode='linear'", "i1x2:-3,4 _ _ {1,4}", 1},
     {"i1x4:-3,-1,2,4", NULL}},
    {{"resize of integers, nearest", 18, "Resize", "", "i8,1x2:-3,4 _ _ {1,4}", 1},
     {"i1x4:-3,-3,4,4", NULL}},
    {{"resize, antialias does not matter to nearest", 18, "Resize", "antialias=1",
      "1x2:1,2 _ _ {1,4}", 1},
     {"1x4:1,1,2,2", NULL}},
    {{"resize of a constant is folded", 13, "Resize", "mode='linear'", "c1x2:0,4 _ _ {1,4}", 1},
     {"1x4:0,1,3,4", NULL}},
    {{"conv of constants is folded", 11, "Conv", "", "c1x1x3:1,2,3 c1x1x2:1,10", 1},
     {"1x1x2:21,32", NULL}},
    {{"matmul over nothing", 13, "MatMul", "", "2x0 c0x2", 1}, {"2x2:0,0,0,0", NULL}},
    {{"softmax of nothing", 13, "Softmax", "", "c2x0", 1}, {"2x0", NULL}},
    {{"resize, roi far away", 13, "Resize",
      "mode='cubic' coordinate_transformation_mode='tf_crop_and_resize' extrapolation_value=9.0f",
      "2:1,2 c2:-1e30,1e30 _ {3}", 1},
     {"3:9,1,9", NULL}},
    {{"resize, roi not a number", 13, "Resize",
      "mode='linear' coordinate_transformation_mode='tf_crop_and_resize'", "2:1,2 c2:nan,1 _ {2}",
      1},
     {"2:0,0", NULL}},
    {{"pad, cut all", 13, "Pad", "", "3:1,2,3 {-5,3}", 1}, {"1:0", NULL}},
    {{"pad integers", 13, "Pad", "mode='reflect'", "i3:1,2,3 {2,2}", 1},
     {"i7:3,2,1,2,3,2,1", NULL}},
    {{"pad by nothing", 13, "Pad", "", "2:1,2 {0,0}", 1}, {"2:1,2", NULL}},
    {{"pad an empty axis", 13, "Pad", "", "c0x2 {1,0,0,0} s:3", 1}, {"1x2:3,3", NULL}},
};

static void check_exact(const struct exact_case *e, kldve_ctx *ctx)
{
    op_model *m = op_model_new(&e->c);
    kx_graph *g = NULL;
    plain *p;

    if (op_model_graph(m, ctx, &g) != KLDVE_OK)
        fail_msg("%s: %s", e->c.name, kldve_ctx_message(ctx));
    p = plain_new(g);
    op_model_fill(m, p);
    plain_forward(p);
    for (int32_t i = 0; i < e->c.outputs; i++)
        op_expect(e->c.name, plain_value(p, g->output[i]), e->expected[i]);
    plain_free(p);
    kx_graph_free(g);
    op_model_free(m);
}

static void test_exact(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof exact_cases / sizeof *exact_cases; i++)
        check_exact(&exact_cases[i], ctx);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Where no gradient comes back, none is passed on, and outputs nobody wants are not written. */
static void check_nothing_flows(const op_case *c, kldve_ctx *ctx)
{
    op_model *m = op_model_new(c);
    kx_graph *g = NULL;
    kx_tensor dout[KX_MAX_OUT];
    const kx_node *n;
    plain *p;

    assert_int_equal(op_model_graph(m, ctx, &g), KLDVE_OK);
    p = plain_new(g);
    op_model_fill(m, p);
    plain_forward(p);
    n = &g->node[0];
    for (int32_t k = 0; k < n->nout; k++) {
        dout[k] = *plain_value(p, n->out[k]);
        dout[k].data = NULL;
    }
    for (int32_t i = 0; i < n->nin; i++) {
        size_t count = n->in[i] ? n->in[i]->count : 0;
        float *din;

        if (!n->in[i] || n->in[i]->raw || n->in[i]->dtype != KX_F32)
            continue;
        din = calloc(count + 1, sizeof *din);
        plain_vjp(p, n, i, dout, din);
        for (size_t k = 0; k < count; k++)
            if (din[k] != 0)
                fail_msg("%s: input %d has a gradient from nowhere", c->name, i);
        free(din);
    }
    plain_free(p);
    kx_graph_free(g);
    op_model_free(m);
}

static void test_nothing_flows(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < NN_CASES; i++)
        if (!is_integer_case(&nn_cases[i]))
            check_nothing_flows(&nn_cases[i], ctx);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Where several elements are the maximum, the first one gets the gradient. */
static void test_ties(void **state)
{
    static const op_case c = {"ties", 12, "MaxPool", "kernel_shape=(2,2)", "1x1x2x3:2,7,7,7,7,1",
                              1};
    static const float expected[] = {0, 30, 0, 0, 0, 0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    op_model *m = op_model_new(&c);
    kx_graph *g = NULL;
    float dy[] = {10, 20}, dx[6] = {0};
    kx_tensor dout = {KX_F32, {4, {1, 1, 1, 2}}, 2, dy, 0};
    plain *p;

    (void)state;
    assert_int_equal(op_model_graph(m, ctx, &g), KLDVE_OK);
    p = plain_new(g);
    op_model_fill(m, p);
    plain_vjp(p, &g->node[0], 0, &dout, dx);
    for (int i = 0; i < 6; i++)
        assert_float_equal(dx[i], expected[i], 0);
    plain_free(p);
    kx_graph_free(g);
    op_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* A position on the border itself has the derivative 0, as in torch; inside, half of x[2] - x[1].
 */
static void test_border_positions(void **state)
{
    static const op_case c = {"border",
                              20,
                              "GridSample",
                              "padding_mode='border' align_corners=1",
                              "1x1x1x3:1,5,7 1x1x3x2:-1,0,0.5,0,1,0",
                              1};
    static const float expected[] = {0, 0, 2, 0, 0, 0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    op_model *m = op_model_new(&c);
    kx_graph *g = NULL;
    float dy[] = {1, 1, 1}, dx[6] = {0};
    kx_tensor dout = {KX_F32, {4, {1, 1, 1, 3}}, 3, dy, 0};
    plain *p;

    (void)state;
    assert_int_equal(op_model_graph(m, ctx, &g), KLDVE_OK);
    p = plain_new(g);
    op_model_fill(m, p);
    plain_vjp(p, &g->node[0], 1, &dout, dx);
    for (int i = 0; i < 6; i++)
        assert_float_equal(dx[i], expected[i], 1e-6);
    plain_free(p);
    kx_graph_free(g);
    op_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* ---- windows as the plan reads them ---------------------------------------------------------- */

static const struct window_case {
    op_case c;
    int64_t begin[2], end[2], out[2], reach[2]; /* H, W */
} window_cases[] = {
    {{"same upper", 11, "Conv", "auto_pad='SAME_UPPER' strides=(2,2)", "1x1x6x7 1x1x3x4", 1},
     {0, 1},
     {1, 2},
     {3, 4},
     {1, 2}},
    {{"same lower", 11, "Conv", "auto_pad='SAME_LOWER' strides=(2,2)", "1x1x6x7 1x1x3x4", 1},
     {1, 2},
     {0, 1},
     {3, 4},
     {0, 1}},
    {{"a rest that nobody reads", 11, "Conv", "strides=(3,2) pads=(1,0,1,0)", "1x1x7x8 1x1x2x2", 1},
     {1, 0},
     {1, 0},
     {3, 4},
     {0, 0}},
    {{"negative reach", 11, "Conv", "strides=(3,3)", "1x1x7x6 1x1x2x2", 1},
     {0, 0},
     {0, 0},
     {2, 2},
     {-2, -1}},
    {{"ceil reaches behind the padding", 12, "MaxPool",
      "kernel_shape=(3,3) strides=(2,2) ceil_mode=1", "1x1x6x8", 1},
     {0, 0},
     {0, 0},
     {3, 4},
     {1, 1}},
    {{"global", 7, "GlobalAveragePool", "", "1x1x6x8", 1}, {0, 0}, {0, 0}, {1, 1}, {0, 0}},
};

static void test_windows(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof window_cases / sizeof *window_cases; i++) {
        const struct window_case *c = &window_cases[i];
        op_model *m = op_model_new(&c->c);
        kx_graph *g = NULL;
        const kx_window *w;

        assert_int_equal(op_model_graph(m, ctx, &g), KLDVE_OK);
        w = g->node[0].params; /* the first member of both structs */
        assert_int_equal(w->spatial, 2);
        assert_int_equal(w->kernel[KX_D] * w->in[KX_D] * w->out[KX_D] * w->stride[KX_D], 1);
        for (int k = 0; k < 2; k++) {
            int axis = KX_H + k;

            if (w->pad_begin[axis] != c->begin[k] || w->pad_end[axis] != c->end[k] ||
                w->out[axis] != c->out[k] || kx_window_end(w, axis) != c->reach[k])
                fail_msg("%s, axis %d: pads %d %d, out %d, end %d", c->c.name, axis,
                         (int)w->pad_begin[axis], (int)w->pad_end[axis], (int)w->out[axis],
                         (int)kx_window_end(w, axis));
        }
        kx_graph_free(g);
        op_model_free(m);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static const struct refusal {
    op_case c;
    kldve_status status;
    const char *message;
} refusals[] = {
#define F KLDVE_E_FORMAT
#define U KLDVE_E_UNSUPPORTED
    {{"conv: matrix", 11, "Conv", "", "2x3 2x3", 1}, U, "rank 2, supported are 3, 4 and 5"},
    {{"conv: six axes", 11, "Conv", "", "1x1x1x1x1x1 1x1x1x1x1x1", 1}, U, "rank 6"},
    {{"conv: rank of weights", 11, "Conv", "", "1x1x3x3 1x1x3", 1},
     F,
     "the weights have rank 3 and the input has rank 4"},
    {{"conv: channels", 11, "Conv", "", "1x2x3x3 1x3x2x2", 1}, F, "the input has 2"},
    {{"conv: group 0", 11, "Conv", "group=0", "1x2x3x3 1x2x2x2", 1}, F, "do not fit group 0"},
    {{"conv: group does not divide", 11, "Conv", "group=2", "1x2x3x3 3x1x2x2", 1}, F, "group 2"},
    {{"conv: negative group", 11, "Conv", "group=-9223372036854775808", "1x2x3x3 3x1x2x2", 1},
     F,
     "group"},
    {{"conv: no weights", 11, "Conv", "", "1x2x3x3 c0x2x2x2", 1}, F, "do not fit group"},
    {{"conv: empty kernel", 11, "Conv", "", "1x2x3x3 c2x2x0x2", 1}, F, "kernel has 0 elements"},
    {{"conv: empty input", 11, "Conv", "auto_pad='SAME_UPPER'", "1x2x0x3 2x2x1x1", 1},
     F,
     "no elements"},
    {{"conv: kernel_shape", 11, "Conv", "kernel_shape=(2,3)", "1x2x3x3 1x2x2x2", 1},
     F,
     "contradicts"},
    {{"conv: kernel over input", 11, "Conv", "pads=(0,0,1,0)", "1x2x3x3 1x2x5x2", 1},
     F,
     "covers 5 elements, the padded input has only 4"},
    {{"conv: stride 0", 11, "Conv", "strides=(0,1)", "1x2x3x3 1x2x2x2", 1},
     F,
     "'strides' has the value 0"},
    {{"conv: strides count", 11, "Conv", "strides=(1)", "1x2x3x3 1x2x2x2", 1},
     F,
     "'strides' has 1 values for 2"},
    {{"conv: dilation overflow", 11, "Conv", "dilations=(9223372036854775807,1)", "1x2x3x3 1x2x2x2",
      1},
     F,
     "'dilations' has the value"},
    {{"conv: pads count", 11, "Conv", "pads=(1,1)", "1x2x3x3 1x2x2x2", 1},
     F,
     "'pads' has 2 values"},
    {{"conv: negative pads", 11, "Conv", "pads=(-1,0,0,0)", "1x2x3x3 1x2x2x2", 1},
     F,
     "'pads' has the value -1"},
    {{"conv: enormous output", 11, "Conv", "pads=(2147483647,2147483647,0,0)", "1x2x3x3 1x2x2x2",
      1},
     F,
     "2^40 bytes"},
    {{"conv: auto_pad", 11, "Conv", "auto_pad='SAME'", "1x2x3x3 1x2x2x2", 1},
     F,
     "'auto_pad' is 'SAME'"},
    {{"conv: bias", 11, "Conv", "", "1x2x3x3 4x2x2x2 3", 1}, F, "(bias) must have the shape [4]"},
    {{"conv: integers", 11, "Conv", "", "i1x1x1x1:1 1x1x1x1", 1}, U, "input 0 holds integers"},
    {{"conv: one input", 11, "Conv", "", "1x2x3x3", 1}, F, "1 inputs, expected 2 to 3"},
    {{"conv: unknown attribute", 11, "Conv", "activation='relu'", "1x2x3x3 1x2x2x2", 1},
     U,
     "attribute 'activation'"},
    {{"conv: two outputs", 11, "Conv", "", "1x2x3x3 1x2x2x2", 2}, U, "2 outputs"},
    {{"transposed: channels", 11, "ConvTranspose", "", "1x3x3x3 2x3x2x2", 1}, F, "the input has 3"},
    {{"transposed: output padding", 11, "ConvTranspose", "output_padding=(1,0)", "1x2x3x3 2x3x2x2",
      1},
     F,
     "'output_padding' has the value 1"},
    {{"transposed: all is padding", 11, "ConvTranspose", "pads=(2,0,2,0)", "1x2x3x3 2x3x2x2", 1},
     F,
     "leaves no output"},
    {{"transposed: enormous", 11, "ConvTranspose", "strides=(2147483647,2147483647)",
      "1x2x100x1 2x3x2x2", 1},
     F,
     "2^40 bytes"},
    {{"transposed: empty input", 11, "ConvTranspose", "", "1x2x0x3 2x3x2x2", 1}, F, "0 elements"},
    {{"max: no kernel", 12, "MaxPool", "", "1x2x3x3", 1}, F, "'kernel_shape' is missing"},
    {{"max: pads over kernel", 12, "MaxPool", "kernel_shape=(2,2) pads=(2,0,0,0)", "1x2x3x3", 1},
     U,
     "they must be below the kernel"},
    {{"max: enormous kernel", 12, "MaxPool",
      "kernel_shape=(2147483647,2147483647) auto_pad='SAME_UPPER'", "1x2x3x3", 1},
     U,
     "more than 2^31"},
    {{"max: dilations before opset 10", 9, "MaxPool", "kernel_shape=(2,2) dilations=(1,2)",
      "1x2x3x3", 1},
     U,
     "'dilations'"},
    {{"max: ceil_mode before opset 10", 9, "MaxPool", "kernel_shape=(2,2) ceil_mode=1", "1x2x3x3",
      1},
     U,
     "'ceil_mode'"},
    {{"max: uint8", 12, "MaxPool", "kernel_shape=(2,2)", "u8,1x1x2x2:1,2,3,4", 1},
     U,
     "holds integers"},
    {{"average: dilations before opset 19", 18, "AveragePool", "kernel_shape=(2,2) dilations=(1,2)",
      "1x2x3x3", 1},
     U,
     "'dilations'"},
    {{"lp: p", 11, "LpPool", "kernel_shape=(2,2) p=0", "1x2x3x3", 1}, F, "'p' is 0"},
    {{"global: rank", 11, "GlobalAveragePool", "", "2x3", 1}, F, "rank 2"},
    {{"global: empty", 11, "GlobalMaxPool", "", "2x3x0", 1}, F, "no elements"},
    {{"lrn: vector", 13, "LRN", "size=3", "4", 1}, F, "rank 1"},
    {{"lrn: size", 13, "LRN", "", "2x3x2", 1}, F, "'size' is 0"},
    {{"batch norm: training", 15, "BatchNormalization", "training_mode=1", "2x3x2 3 3 3 3", 1},
     U,
     "'training_mode' is 1"},
    {{"batch norm: statistics wanted", 9, "BatchNormalization", "", "2x3x2 3 3 3 3", 3},
     U,
     "output 1 is for training"},
    {{"batch norm: training in opset 6", 6, "BatchNormalization", "", "2x3x2 3 3 3 3", 1},
     U,
     "'is_test' is 0"},
    {{"batch norm: vector", 9, "BatchNormalization", "", "3 3 3 3 3", 1}, U, "rank 1"},
    {{"batch norm: per element", 7, "BatchNormalization", "spatial=0", "2x3x2 3 3 3 3", 1},
     U,
     "'spatial' is 0"},
    {{"batch norm: variance", 9, "BatchNormalization", "", "2x3x2 3 3 3 2", 1},
     F,
     "(var) must have the shape [3]"},
    {{"instance norm: scale", 9, "InstanceNormalization", "", "2x3x2 2 3", 1}, F, "(scale)"},
    {{"instance norm: matrix", 9, "InstanceNormalization", "", "2x3 3 3", 1}, F, "rank 2"},
    {{"instance norm: empty", 9, "InstanceNormalization", "", "2x3x0 3 3", 1}, F, "no elements"},
    {{"group norm: matrix", 18, "GroupNormalization", "num_groups=3", "2x3 3 3", 1}, F, "rank 2"},
    {{"group norm: empty", 18, "GroupNormalization", "num_groups=3", "2x3x0 3 3", 1},
     F,
     "no elements"},
    {{"rms norm: bias", 23, "RMSNormalization", "", "2x3 3 3", 1}, F, ""},
    {{"layer norm: one scale, many biases", 17, "LayerNormalization", "", "2x3 1 3", 1},
     U,
     "different sizes"},
    {{"layer norm: empty", 17, "LayerNormalization", "", "2x0 c0 c0", 1}, F, "no elements"},
    {{"group norm: groups", 18, "GroupNormalization", "num_groups=2", "2x3x2 2 2", 1},
     F,
     "3 channels cannot be split into 2 groups"},
    {{"group norm: 21 is per channel", 21, "GroupNormalization", "num_groups=2", "2x4x2 2 2", 1},
     F,
     "(scale) must have the shape [4]"},
    {{"layer norm: scale", 17, "LayerNormalization", "", "2x3x4 3 4", 1},
     U,
     "input 1 must have the shape"},
    {{"layer norm: axis", 17, "LayerNormalization", "axis=3", "2x3x4 4 4", 1}, F, "axis 3"},
    {{"layer norm: too early", 16, "LayerNormalization", "", "2x3x4 4 4", 1},
     U,
     "LayerNormalization of opset 16 is not supported"},
    {{"l3 norm", 13, "LpNormalization", "p=3", "2x3", 1}, F, "'p' is 3"},
    {{"mean variance: integers", 13, "MeanVarianceNormalization", "axes=(0)", "i2:1,2", 1},
     U,
     "holds integers"},
    {{"mean variance: axes", 13, "MeanVarianceNormalization", "", "2x3x4", 1}, F, "axis 3"},
    {{"gemm: rank", 13, "Gemm", "", "2x3x4 4x5", 1}, F, "rank 3 and 2"},
    {{"gemm: sizes", 13, "Gemm", "transB=1", "3x4 4x5", 1},
     F,
     "the first matrix has 4 columns and the second has 5 rows"},
    {{"gemm: c", 13, "Gemm", "", "3x4 4x5 4x5", 1}, F, "cannot be broadcast to 3 x 5"},
    {{"gemm: c before broadcasting", 6, "Gemm", "", "3x4 4x5 5", 1}, F, "'broadcast'"},
    {{"gemm: c too early", 9, "Gemm", "", "3x4 4x5", 1}, F, "input 2 is missing"},
    {{"matmul: sizes", 13, "MatMul", "", "3x4 5x4", 1}, F, "do not fit"},
    {{"matmul: batch", 13, "MatMul", "", "2x3x4 3x4x5", 1}, F, "do not fit"},
    {{"matmul: scalar", 13, "MatMul", "", "s 2", 1}, F, "a scalar"},
    {{"softmax: axis", 13, "Softmax", "axis=2", "2x3", 1}, F, "axis 2"},
    {{"upsample: opset 10", 10, "Upsample", "", "1x2 c2:1,2", 1}, U, "Upsample of opset 10"},
    {{"upsample: no scales", 7, "Upsample", "", "1x2", 1}, F, "either scales or sizes"},
    {{"upsample: count", 9, "Upsample", "", "1x2 c3:1,2,3", 1},
     F,
     "'scales' has 3 values for 2 axes"},
    {{"upsample: scales not constant", 9, "Upsample", "", "1x2 2", 1},
     U,
     "(scales) must be constant"},
    {{"resize: both", 13, "Resize", "", "1x2 _ c2:1,2 {1,2}", 1}, F, "either scales or sizes"},
    {{"resize: cubic too early", 10, "Resize", "mode='cubic'", "1x2 c2:1,2", 1}, U, "in opset 10"},
    {{"resize: scales of integers", 13, "Resize", "", "1x2 _ {1,2}", 1}, F, "list of numbers"},
    {{"resize: sizes count", 13, "Resize", "", "1x2 _ _ {2}", 1},
     F,
     "'sizes' has 1 values for 2 axes"},
    {{"resize: from nothing", 13, "Resize", "", "1x0 _ _ {1,2}", 1},
     F,
     "a size is 2 for an axis of 0 elements"},
    {{"resize: sizes and aspect", 18, "Resize", "keep_aspect_ratio_policy='not_smaller'",
      "1x100 _ _ {1000000000000,1}", 1},
     F,
     "axis of"},
    {{"resize: scale 0", 13, "Resize", "", "1x2 _ c2:1,0", 1}, F, "a scale is 0"},
    {{"resize: scale infinite", 13, "Resize", "", "1x2 _ c2:1,inf", 1}, F, "a scale is inf"},
    {{"resize: scale nan", 13, "Resize", "", "1x2 _ c2:1,nan", 1}, F, "scale"},
    {{"resize: size 0", 13, "Resize", "", "1x2 _ _ {1,0}", 1},
     F,
     "a size is 0 for an axis of 2 elements"},
    {{"resize: enormous axis", 13, "Resize", "", "1x2 _ _ {1,2000000}", 1}, U, "at most 1048576"},
    {{"resize: enormous array", 13, "Resize", "", "1x2 _ _ {1000000,1000000000}", 1},
     F,
     "2^40 bytes"},
    {{"resize: cubic of integers", 18, "Resize", "mode='cubic'", "i1x2:1,2 _ _ {1,4}", 1},
     U,
     "'nearest' and 'linear' only"},
    {{"resize: antialias of integers", 18, "Resize", "mode='linear' antialias=1",
      "i1x4:1,2,3,4 _ _ {1,2}", 1},
     U,
     "without 'antialias'"},
    {{"resize: bools", 18, "Resize", "", "b1x2:1,0 _ _ {1,4}", 1}, U, "element type"},
    {{"resize: mode", 13, "Resize", "mode='area'", "1x2 _ _ {1,1}", 1}, U, "'mode' is 'area'"},
    {{"resize: symmetric too early", 18, "Resize",
      "coordinate_transformation_mode='half_pixel_symmetric'", "1x2 _ _ {1,1}", 1},
     U,
     "in opset 18"},
    {{"resize: tf_half_pixel_for_nn too late", 13, "Resize",
      "coordinate_transformation_mode='tf_half_pixel_for_nn'", "1x2 _ _ {1,1}", 1},
     U,
     "in opset 13"},
    {{"resize: crop without roi", 13, "Resize",
      "coordinate_transformation_mode='tf_crop_and_resize'", "1x2 _ _ {1,1}", 1},
     F,
     "'roi' has 0 values"},
    {{"resize: crop by scales", 13, "Resize", "coordinate_transformation_mode='tf_crop_and_resize'",
      "1x2 c4:0,0,1,1 c2:1,2", 1},
     U,
     "only with sizes"},
    {{"resize: aspect of scales", 18, "Resize", "keep_aspect_ratio_policy='not_larger'",
      "1x2 _ c2:1,2", 1},
     F,
     "goes with sizes"},
    {{"resize: corners of half an element", 13, "Resize",
      "mode='linear' coordinate_transformation_mode='align_corners'", "1x5 _ c2:1,1.5", 1},
     U,
     "does not give a whole number"},
    {{"resize: axes twice", 18, "Resize", "axes=(1,-1)", "1x2 _ _ {3,3}", 1}, F, "twice"},
    {{"resize: not constant", 13, "Resize", "", "1x2 _ _ i2:1,2", 1},
     U,
     "(sizes) must be constant"},
    {{"pad: count", 13, "Pad", "", "2x3 {1,1}", 1}, F, "'pads' has 2 values for 2 axes"},
    {{"pad: not constant", 13, "Pad", "", "2x3 i4:0,0,1,1", 1}, U, "(pads) must be constant"},
    {{"pad: cut too much", 13, "Pad", "", "3 {-2,-2}", 1}, F, "cuts away more than the 3 elements"},
    {{"pad: cut an edge", 13, "Pad", "mode='edge'", "3 {-1,1}", 1}, U, "negative 'pads'"},
    {{"pad: overflow", 13, "Pad", "", "3 {9223372036854775807,1}", 1},
     U,
     "'pads' are 9223372036854775807"},
    {{"pad: enormous", 13, "Pad", "", "3x3 {2147483647,2147483647,0,0}", 1}, F, "2^40 bytes"},
    {{"pad: repeat nothing", 13, "Pad", "mode='edge'", "c0x3 {1,0,0,0}", 1}, F, "without elements"},
    {{"pad: wrap too early", 18, "Pad", "mode='wrap'", "3 {1,0}", 1},
     U,
     "'wrap', which is not supported in opset 18"},
    {{"pad: value", 13, "Pad", "", "3 {1,0} 2", 1}, F, "(constant_value)"},
    {{"pad: type of value", 13, "Pad", "", "3 {1,0} is:2", 1}, F, "(constant_value)"},
    {{"pad: scalar", 13, "Pad", "", "s {}", 1}, U, "scalar"},
    {{"pad: axis", 18, "Pad", "", "2x3 {1,0} _ {2}", 1}, F, "axis 2"},
#undef F
#undef U
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        op_model *m = op_model_new(&r->c);
        kx_graph *g = NULL;
        kldve_status st = op_model_graph(m, ctx, &g);

        if (st != r->status || !strstr(kldve_ctx_message(ctx), r->message))
            fail_msg("%s: status %d, message \"%s\"", r->c.name, st, kldve_ctx_message(ctx));
        assert_null(g);
        op_model_free(m);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

/* ---- for compare_ops_nn.py ------------------------------------------------------------------- */

static void dump(const char *what, int32_t i, const kx_tensor *t)
{
    printf("%s %d %s", what, i, t->dtype == KX_F32 ? "float" : "int");
    for (int32_t k = 0; k < t->shape.rank; k++)
        printf(" %lld", (long long)t->shape.dim[k]);
    printf(" :");
    for (size_t k = 0; k < t->count; k++)
        if (t->dtype == KX_F32)
            printf(" %.9g", (double)((float *)t->data)[k]);
        else
            printf(" %lld", t->dtype == KX_I64 ? (long long)((int64_t *)t->data)[k]
                                               : (long long)((uint8_t *)t->data)[k]);
    printf("\n");
}

/* Of the whole graph: an operator may stand for several nodes. */
static void dump_graph(plain *p, const kx_graph *g)
{
    kx_tensor dout[KX_MAX_OUT];
    uint64_t seed = 7;
    const kx_value *v;
    char name[16];

    for (int32_t i = 0; i < KX_MAX_IN; i++) {
        snprintf(name, sizeof name, "x%d", i);
        if ((v = kx_graph_find(g, name)))
            dump("in", i, plain_value(p, v));
    }
    for (int32_t i = 0; i < g->noutput; i++) {
        dump("out", i, plain_value(p, g->output[i]));
        dout[i] = *plain_value(p, g->output[i]);
        dout[i].data = NULL;
        if (dout[i].dtype != KX_F32)
            continue;
        dout[i].data = calloc(dout[i].count + 1, sizeof(float));
        for (size_t k = 0; k < dout[i].count; k++)
            ((float *)dout[i].data)[k] = (float)test_normal(&seed);
        dump("dout", i, &dout[i]);
    }
    for (int32_t i = 0; i < g->ninput; i++)
        if (g->input[i]->dtype == KX_F32) {
            kx_tensor din = *plain_value(p, g->input[i]);

            din.data = calloc(din.count + 1, sizeof(float));
            plain_backward(p, g->input[i], dout, din.data);
            dump("din", atoi(g->input[i]->name + 1), &din);
            free(din.data);
        }
    for (int32_t i = 0; i < g->noutput; i++)
        free(dout[i].data);
}

static int dump_cases(void)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    for (size_t i = 0; i < NN_CASES; i++) {
        const op_case *c = &nn_cases[i];
        op_model *m = op_model_new(c);
        kx_graph *g = NULL;
        plain *p;

        if (op_model_graph(m, ctx, &g) != KLDVE_OK) {
            fprintf(stderr, "%s: %s\n", c->name, kldve_ctx_message(ctx));
            return 1;
        }
        p = plain_new(g);
        op_model_fill(m, p);
        plain_forward(p);
        printf("case %s\nop %s %d %s\n", c->name, c->type, c->opset, c->attributes);
        dump_graph(p, g);
        plain_free(p);
        kx_graph_free(g);
        op_model_free(m);
    }
    kldve_ctx_free(ctx);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences),   cmocka_unit_test(test_exact),
        cmocka_unit_test(test_ties),          cmocka_unit_test(test_border_positions),
        cmocka_unit_test(test_nothing_flows), cmocka_unit_test(test_windows),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_allocations),
    };

    if (argc > 1 && strcmp(argv[1], "--dump") == 0)
        return dump_cases();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
