/* test_work.c - what operators say of their work: no kernel is much dearer than that, and the long
 * ones hear on the way that they have to end. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "build/build.h"
#include "graph/work.h"
#include "onnx/networks/text.h"
#include "plain.h"
#include "read/proto.h"

/* A network of one node.  Its work is some millions, its first input is `x`. */
static const struct work_case {
    const char *name, *text;
    bool vjp;       /* it has one for x */
    bool too_short; /* memory is all that it waits for: nobody asks on the way */
} cases[] = {
    {"MatMul", "in x 256,256; in q 256,256; n MatMul x,q y", true, false},
    {"Gemm", "in x 256,256; in q 256,256; n Gemm x,q y transB=1", true, false},
    {"Gemm, both turned", "in x 256,256; in q 256,256; n Gemm x,q y transA=1 transB=1", true,
     false},
    {"Conv", "in x 1,8,64,64; w k 8,8,5,5; n Conv x,k y pads=[2,2,2,2]", true, false},
    {"Conv of a huge kernel", "in x 1,1,60,60; w k 1,1,41,41; n Conv x,k y pads=[20,20,20,20]",
     true, false},
    {"ConvTranspose", "in x 1,8,32,32; w k 8,8,7,7; n ConvTranspose x,k y strides=[2,2]", true,
     false},
    {"AveragePool", "in x 1,4,96,96; n AveragePool x y kernel_shape=[15,15]", true, false},
    {"MaxPool", "in x 1,4,96,96; n MaxPool x y kernel_shape=[15,15]", true, false},
    {"LpPool", "in x 1,4,64,64; n LpPool x y kernel_shape=[15,15]", true, false},
    {"GridSample", "opset 20; in x 1,4,32,32; in q 1,200,200,2; n GridSample x,q y mode='cubic'",
     true, false},
    {"Resize", "in x 1,4,64,64; i s 1,4,256,256; n Resize x,_,_,s y mode='cubic'", true, false},
    {"LRN", "in x 1,64,64,64; n LRN x y size=33", true, false},
    {"RoiAlign",
     "in x 1,4,32,32; in q 4,4; i b 0,0,0,0; n RoiAlign x,q,b y output_height=32 output_width=32 "
     "sampling_ratio=8",
     true, false},
    {"TopK", "in x 1000,1000; i k 100; n TopK x,k y,_ axis=1", true, false},
    {"Inverse", "in x 8,100,100; n com.microsoft:Inverse x y", true, false},
    {"Det", "in x 8,100,100; n Det x y", true, false},
    {"Softmax", "in x 1000,1000; n Softmax x y axis=1", true, false},
    {"LogSoftmax", "in x 1000,1000; n LogSoftmax x y axis=0", true, false},
    {"Erf", "in x 1000,1000; n Erf x y", true, false},
    {"Tanh", "in x 1000,1000; n Tanh x y", true, false},
    {"Add", "in x 1000,1000; in q 1000,1; n Add x,q y", true, true},
    {"Pow", "in x 1000,1000; in q 1000,1000; n Pow x,q y", true, true},
    {"Transpose", "in x 1000,1000; n Transpose x y", true, true},
    {"ReduceSum", "in x 1000,1000; i a 0; n ReduceSum x,a y", true, true},
    {"ReduceProd", "in x 1000,1000; n ReduceProd x y axes=[1]", true, true},
    {"CumSum", "in x 1000,1000; i a 0; n CumSum x,a y", true, true},
    {"Pad", "in x 1000,1000; i p 3,3,3,3; n Pad x,p y mode='reflect'", true, true},
    {"Tile", "in x 500,500; i p 2,2; n Tile x,p y", true, true},
    {"Concat", "in x 1000,500; n Concat x,x y axis=1", true, true},
    {"ArgMax", "in x 1000,1000; n ArgMax x y axis=1", false, true},
    {"Where", "in x 1000,1000; n Greater x,x c; n Where c,x,x y", false, true},
    {"BatchNormalization", "in x 1,10,300,300; w s 10; n BatchNormalization x,s,s,s,s y", true,
     true},
    {"InstanceNormalization", "in x 1,10,300,300; w s 10; n InstanceNormalization x,s,s y", true,
     true},
    {"LayerNormalization", "opset 17; in x 1000,1000; w s 1000; n LayerNormalization x,s,s y", true,
     true},
    {"MeanVarianceNormalization", "in x 1,10,300,300; n MeanVarianceNormalization x y", true, true},
};

typedef struct bench {
    test_heap heap;
    kldve_ctx *ctx;
    kx_model *model;
    kx_graph *graph;
    unsigned char *bytes;
    plain *arrays;
    const kx_node *node; /* the last one */
    kx_tensor dout;
    float *din;
} bench;

static void open_bench(bench *b, const struct work_case *c)
{
    const kx_graph_options options = {0};
    char text[400];
    size_t n;

    *b = (bench){.ctx = NULL};
    b->ctx = test_ctx(&b->heap);
    snprintf(text, sizeof text, "%s; out y", c->text);
    b->bytes = writer_memory(write_text, text, &n);
    if (kx_model_read(b->ctx, b->bytes, n, &b->model) < 0 ||
        kx_graph_new(b->ctx, b->model, &options, &b->graph) < 0)
        fail_msg("%s: %s", c->name, kldve_ctx_message(b->ctx));
    b->arrays = plain_new(b->graph);
    b->node = &b->graph->node[b->graph->nnode - 1];
    for (int32_t i = 0; i < b->graph->ninput; i++) {
        kx_tensor *t = plain_value(b->arrays, b->graph->input[i]);

        for (size_t k = 0; k < t->count; k++)
            ((float *)t->data)[k] = (float)(k * 7 % 97) / 97 + 0.01F;
    }
    b->dout = *plain_value(b->arrays, b->node->out[0]);
    b->dout.data = calloc(b->dout.count, kx_dtype_size(b->dout.dtype));
    b->din = calloc(b->graph->input[0]->count, sizeof *b->din);
    assert_non_null(b->dout.data);
    assert_non_null(b->din);
}

static void close_bench(bench *b)
{
    free(b->din);
    free(b->dout.data);
    plain_free(b->arrays);
    kx_graph_free(b->graph);
    kx_model_free(b->model);
    free(b->bytes);
    kldve_ctx_free(b->ctx);
    assert_int_equal(b->heap.live, 0);
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Processor time of all nodes, forward or back to x. */
static double run(bench *b, bool vjp)
{
    double start = seconds();

    if (vjp)
        plain_vjp(b->arrays, b->node, 0, &b->dout, b->din);
    else
        plain_forward(b->arrays);
    return seconds() - start;
}

static double work_of(const bench *b)
{
    double sum = 0;

    for (int32_t i = 0; i < b->graph->nnode; i++)
        sum += kx_node_work(&b->graph->node[i]);
    return sum;
}

/* Nanoseconds for each multiplication that was announced: the least of three runs. */
static double dearness(bench *b, bool vjp)
{
    double least = run(b, vjp);

    for (int i = 0; i < 2; i++) {
        double t = run(b, vjp);

        least = t < least ? t : least;
    }
    return 1e9 * least / work_of(b);
}

/* A kernel that has done an eighth of its work finds that the call was cancelled. */
static void check_stops(bench *b, const char *name, bool vjp)
{
    kx_pace pace = {.ctx = b->ctx, .left = work_of(b) / 8};

    kldve_ctx_cancel(b->ctx);
    b->arrays->pace = &pace;
    run(b, vjp);
    if (pace.status != KLDVE_E_CANCELLED)
        fail_msg("%s%s: it does not hear that it has to end", name, vjp ? ", VJP" : "");
    pace = (kx_pace){.ctx = b->ctx, .follows = true}; /* as a thread of a team */
    run(b, vjp);
    assert_int_equal(pace.status, KLDVE_E_CANCELLED);
    kldve_ctx_resume(b->ctx);
    pace = (kx_pace){.ctx = b->ctx};
    run(b, vjp);
    assert_int_equal(pace.status, KLDVE_OK);
    b->arrays->pace = NULL;
}

static void test_estimates_and_stops(void **state)
{
    enum { DEAREST = 50 };
    double unit = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int vjp = 0; vjp <= cases[i].vjp; vjp++) {
            double each;
            bench b;

            open_bench(&b, &cases[i]);
            assert_true(work_of(&b) > 1e5);
            each = dearness(&b, vjp);
            unit = i == 0 && !vjp ? fmax(each, 0.6) : unit; /* clang makes vectors of it */
            if (each > DEAREST * unit)
                fail_msg("%s%s: %.1f ns for each multiplication, a product of matrices takes %.1f",
                         cases[i].name, vjp ? ", VJP" : "", each, unit);
            if (!cases[i].too_short)
                check_stops(&b, cases[i].name, vjp);
            close_bench(&b);
        }
}

/* Of an operator that says nothing of its work: elements that are there. */
static void test_touched(void **state)
{
    kx_value x = {.count = 1000}, y = {.count = 10};
    kx_value *in[2] = {&x, NULL}, *out[1] = {&y};
    const kx_op op = {.type = "Relu"};
    const kx_node n = {.op = &op, .nin = 2, .nout = 1, .in = in, .out = out};

    (void)state;
    assert_true(kx_node_work(&n) == 1010);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_estimates_and_stops),
        cmocka_unit_test(test_touched),
    };

    return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
