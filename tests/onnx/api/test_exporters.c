/* test_exporters.c - the same network, written by different exporters and in different opsets,
 * gives the same numbers.
 *
 * Channels last, as TensorFlow's converters leave them, must not show from outside.  One operator
 * of one opset is several in another, or has its arguments elsewhere, or different defaults. */
#include "onnx/networks/opened.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/networks/text.h"

#define FIRST                                                                                      \
    "in x 1,3,6,5; w w 4,3,3,3; w b 4; w m 4,5; n Conv x,w,b c pads=[1,1,1,1]; n Sigmoid c r;"
#define LAST "w w 4,3,3,3; w b 4; w m 4,5; n Conv t,w,b c pads=[1,1,1,1]; n Sigmoid c r;"
#define HEAD_FIRST " n Mul r,r q; n GlobalAveragePool q p; n Flatten p f; n MatMul f,m y; out y"
#define HEAD_LAST                                                                                  \
    " n Transpose r s perm=[0,2,3,1]; n Mul s,s q; n ReduceMean q p axes=[1,2] keepdims=0;"        \
    " n MatMul p,m y; out y"

static const char first[] = FIRST HEAD_FIRST;
static const char last[] = "in x 1,6,5,3; n Transpose x t perm=[0,3,1,2];" LAST HEAD_LAST;
static const char open_sizes[] = "in x N,N,N,3; n Transpose x t perm=[0,3,1,2];" LAST HEAD_LAST;
static const char grey_first[] = "in x 1,1,6,5; w w 4,1,3,3; w b 4; w m 4,5; n Conv x,w,b c "
                                 "pads=[1,1,1,1]; n Sigmoid c r;" HEAD_FIRST;
static const char grey_last[] =
    "in x 1,6,5,1; i shape 1,1,6,5; n Reshape x,shape t; w w 4,1,3,3; w b 4; w m 4,5;"
    " n Conv t,w,b c pads=[1,1,1,1]; n Sigmoid c r;" HEAD_LAST;

static kldve_status try_open(opened *o, const char *text, const char *layer)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .layer = layer,
                                        .in_height = 6,
                                        .in_width = 5,
                                        .flags = KLDVE_ONNX_FLAG_VJP_INPUT};

    return opened_text(o, text, &options);
}

static void open_at(opened *o, const char *text, const char *layer)
{
    opened_state(o, try_open(o, text, layer));
}

enum { PIXELS = 3 * 6 * 5, FEATURES = 4 * 6 * 5, CLASSES = 5 };

typedef struct numbers {
    float logits[CLASSES], features[FEATURES], gradient[FEATURES], pixels[PIXELS];
    float again[CLASSES]; /* from changed features */
} numbers;

static void run(opened *o, numbers *out)
{
    const kldve_backend *b = kldve_onnx_backend();
    const float cotangent[CLASSES] = {1, -2, 0.5f, 3, -1};
    float input[PIXELS], changed[FEATURES];
    uint64_t seed = 3;

    memset(out, 0, sizeof *out);
    for (int i = 0; i < PIXELS; i++)
        input[i] = (float)test_normal(&seed);
    assert_int_equal(b->forward(o->state, input, out->logits, out->features), KLDVE_OK);
    assert_int_equal(b->vjp(o->state, cotangent, out->gradient), KLDVE_OK);
    assert_int_equal(b->vjp_input(o->state, cotangent, KLDVE_RULE_GRADIENT, out->pixels), KLDVE_OK);
    for (int i = 0; i < FEATURES; i++)
        changed[i] = out->features[i] * (float)(i % 3);
    assert_int_equal(b->forward_features(o->state, changed, out->again), KLDVE_OK);
}

static void close_to(const float *a, const float *b, size_t n)
{
    double largest = 0;

    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs((double)a[i]));
    assert_true(largest > 1e-6);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs((double)a[i] - (double)b[i]) <= 1e-5 * largest);
}

/* Both networks have the same shape and numbers at their layers. */
static void check_same(const char *a, const char *layer_a, const char *b, const char *layer_b)
{
    opened one, two;
    numbers x, y;

    open_at(&one, a, layer_a);
    open_at(&two, b, layer_b);
    assert_memory_equal(&one.shape, &two.shape, sizeof one.shape);
    assert_int_equal(two.shape.in_height, 6);
    assert_int_equal(two.shape.in_width, 5);
    run(&one, &x);
    run(&two, &y);
    close_to(x.logits, y.logits, CLASSES);
    close_to(x.features, y.features, FEATURES);
    close_to(x.gradient, y.gradient, FEATURES);
    close_to(x.pixels, y.pixels, PIXELS);
    close_to(x.again, y.again, CLASSES);
    opened_close(&one);
    opened_close(&two);
}

static void test_same(void **state)
{
    (void)state;
    check_same(first, "r", last, "s");  /* channels last */
    check_same(first, "r", last, "r");  /* channels first inside the same network */
    check_same(first, "q", last, NULL); /* the default: the last with more than one cell */
    check_same(first, "r", open_sizes, "s");
    check_same(grey_first, "r", grey_last, "s"); /* a Reshape instead of a Transpose */
    check_same(grey_first, NULL, grey_last, NULL);
}

/* ---- forms of other opsets and exporters ----------------------------------------------------- */

/* From x to the layer r and from r to q; MIDDLE(...) is what differs. */
#define MIDDLE(...)                                                                                \
    "in x 1,3,6,5; w w 4,3,3,3; w b 4; w m 4,5; n Conv x,w,b c pads=[1,1,1,1]; n Sigmoid c "       \
    "r;" __VA_ARGS__ "; n GlobalAveragePool q p; n Flatten p f; n MatMul f,m y; out y"
#define POOLED(...)                                                                                \
    "in x N,3,6,5; w w 4,3,3,3; w b 4; w m 4,5; n Conv x,w,b c pads=[1,1,1,1]; n Sigmoid c r;"     \
    "n Mul r,r q;" __VA_ARGS__ "n MatMul f,m y; out y"
#define NORM "w s 4; w t 4; w u 4; w v 4; n BatchNormalization r,s,t,u,v q epsilon=0.25"

static const struct pair {
    const char *name, *one, *other; /* both have a layer r of 4 x 6 x 5 */
} pairs[] = {
    {"flatten by Shape, Gather, Concat, Reshape", first,
     POOLED("n GlobalAveragePool q p; n Shape p sh; i zero 0; i rest -1; n Squeeze zero z;"
            "n Gather sh,z g axis=0; n Unsqueeze g,zero n0; n Concat n0,rest to axis=0;"
            "n Reshape p,to f;")},
    {"flatten by Shape with an end", first,
     POOLED("opset 15; n GlobalAveragePool q p; n Shape p n0 start=0 end=1; i rest -1;"
            "n Concat n0,rest to axis=0; n Reshape p,to f;")},
    {"flatten by Reshape to 0, -1", first,
     POOLED("n GlobalAveragePool q p; i to 0,-1; n Reshape p,to f;")},
    {"mean, axes an attribute", first, POOLED("opset 11; n ReduceMean q f axes=[2,3] keepdims=0;")},
    {"mean, axes an input", first,
     POOLED("opset 18; i axes 2,3; n ReduceMean q,axes f keepdims=0;")},
    {"squeeze, axes an attribute", first,
     POOLED("opset 12; n GlobalAveragePool q p; n Squeeze p f axes=[2,3];")},
    {"squeeze, axes an input", first,
     POOLED("n GlobalAveragePool q p; i axes -1,-2; n Squeeze p,axes f;")},
    {"mean as sum and division", first,
     POOLED(
         "i n 30; n Cast n fn to=1; i axes 2,3; n ReduceSum q,axes s keepdims=0; n Div s,fn f;")},
    {"normalisation of opset 7", MIDDLE("opset 7;" NORM),
     MIDDLE("w s 4,1,1; w t 4,1,1; w u 4,1,1; w v 4,1,1; n Sub r,u d; i one 1; i four 4;"
            "n Cast one a to=1; n Cast four e to=1; n Div a,e eps; n Add v,eps w0; n Sqrt w0 w1;"
            "n Div d,w1 g; n Mul g,s h; n Add h,t q")},
    {"normalisation of opset 9", MIDDLE("opset 9;" NORM), MIDDLE("opset 13;" NORM)},
    {"normalisation of opset 14", MIDDLE("opset 14;" NORM), MIDDLE("opset 9;" NORM)},
    {"normalisation of opset 15", MIDDLE("opset 15;" NORM " training_mode=0"),
     MIDDLE("opset 9;" NORM)},
    {"dropout of opset 7", MIDDLE("n Identity r q"), MIDDLE("opset 7; n Dropout r q ratio=0.5")},
    {"dropout of opset 12", MIDDLE("n Identity r q"),
     MIDDLE("opset 12; w p0 -; n Dropout r,p0 q,k")},
    {"padding, an attribute",
     MIDDLE("n AveragePool r q kernel_shape=[3,3] pads=[1,0,2,1] count_include_pad=1"),
     MIDDLE("opset 10; n Pad r a pads=[0,0,1,0,0,0,2,1]; n AveragePool a q kernel_shape=[3,3]")},
    {"padding, an input",
     MIDDLE("n AveragePool r q kernel_shape=[3,3] pads=[1,0,2,1] count_include_pad=1"),
     MIDDLE("i pads 0,0,1,0,0,0,2,1; n Pad r,pads a; n AveragePool a q kernel_shape=[3,3]")},
    {"padding by name", MIDDLE("w k 4,4,3,3; n Conv r,k q strides=[2,2] auto_pad='SAME_UPPER'"),
     MIDDLE("w k 4,4,3,3; n Conv r,k q strides=[2,2] pads=[0,1,1,1]")},
    {"clip, attributes", MIDDLE("opset 10; n Elu r e; n Clip e q min=-3.5 max=0.75"),
     MIDDLE("i n 3; n Cast n a to=1; i k 4; n Cast k d to=1; n Div a,d hi; n Min r,hi q")},
    {"clip, inputs",
     MIDDLE("i n 3; n Cast n a to=1; i k 4; n Cast k d to=1; n Div a,d h;"
            "n Squeeze h lo; n Clip r,lo q"),
     MIDDLE("i n 3; n Cast n a to=1; i k 4; n Cast k d to=1; n Div a,d lo; n Max r,lo q")},
    {"enlarged by opset 7",
     MIDDLE("i to 1,4,12,10; n Resize r,_,_,to e mode='nearest' nearest_mode='floor' "
            "coordinate_transformation_mode='asymmetric'; w z 12,10; n Mul e,z q"),
     MIDDLE("opset 7; n Upsample r e scales=[1.0,1.0,2.0,2.0] mode='nearest'; w z 12,10; n Mul e,z "
            "q")},
    {"enlarged by opset 10",
     MIDDLE("i to 1,4,12,10; n Resize r,_,_,to e mode='linear' "
            "coordinate_transformation_mode='asymmetric'; w z 12,10; n Mul e,z q"),
     MIDDLE("opset 10; i n 1,1,2,2; n Cast n k to=1; n Resize r,k e mode='linear'; w z 12,10;"
            "n Mul e,z q")},
    {"enlarged by opset 11",
     MIDDLE("i n 1,1,2,2; n Cast n k to=1; n Resize r,_,k e mode='linear'; w z 12,10; n Mul e,z q"),
     MIDDLE("opset 11; w o 0; i to 1,4,12,10; n Resize r,o,o,to e mode='linear'; w z 12,10;"
            "n Mul e,z q")},
    {"softmax of opset 11", MIDDLE("opset 11; n Softmax r e axis=1; n Mul e,r q"),
     MIDDLE("i to 1,120; i back 1,4,6,5; n Reshape r,to a; n Softmax a d axis=-1;"
            "n Reshape d,back e; n Mul e,r q")},
    {"softmax of opset 13", MIDDLE("n Softmax r e axis=1; n Mul e,r q"),
     MIDDLE("n Exp r e; i axes 1; n ReduceSum e,axes s; n Div e,s d; n Mul d,r q")},
    {"softmax by default", MIDDLE("n Softmax r e; n Mul e,r q"),
     MIDDLE("n Exp r e; i axes 3; n ReduceSum e,axes s; n Div e,s d; n Mul d,r q")},
    {"layer normalisation with channels last",
     MIDDLE("opset 17; w s 4; w t 4; n Transpose r a perm=[0,2,3,1];"
            "n LayerNormalization a,s,t d axis=-1 epsilon=0.25; n Transpose d q perm=[0,3,1,2]"),
     MIDDLE("w s 4,1,1; w t 4,1,1; n ReduceMean r u axes=[1]; n Sub r,u d; n Mul d,d g;"
            "n ReduceMean g v axes=[1]; i one 1; i four 4; n Cast one o to=1; n Cast four e to=1;"
            "n Div o,e eps; n Add v,eps w0; n Sqrt w0 w1; n Div d,w1 h; n Mul h,s j; n Add j,t q")},
    {"parts by opset 11",
     MIDDLE("opset 11; n Split r a,d axis=1 split=[1,3]; n Concat d,a q axis=1"),
     MIDDLE("i order 1,2,3,0; n Gather r,order q axis=1")},
    {"parts by opset 13", MIDDLE("i s 1,3; n Split r,s a,d axis=1; n Concat d,a q axis=1"),
     MIDDLE("i order 1,2,3,0; n Gather r,order q axis=1")},
    {"parts by opset 18",
     MIDDLE("opset 18; n Split r a,d axis=1 num_outputs=2; n Concat d,a q axis=1"),
     MIDDLE("i order 2,3,0,1; n Gather r,order q axis=1")},
    {"a part by opset 9", MIDDLE("opset 9; n Slice r q axes=[2,3] starts=[1,0] ends=[9,-1]"),
     MIDDLE("i at 1,0; i to 9,-1; i axes 2,3; n Slice r,at,to,axes q")},
};

static void check_pair(void **state)
{
    const struct pair *p = *state;

    check_same(p->one, "r", p->other, "r");
}

/* ---- channels last --------------------------------------------------------------------------- */

static int32_t axis_of(const opened *o, const char *name, kldve_onnx_tensor *t)
{
    t->struct_size = sizeof *t;
    for (int32_t i = 0; kldve_onnx_tensor_at(o->net, i, t) == KLDVE_OK; i++)
        if (strcmp(t->name, name) == 0)
            return t->channel_axis;
    fail_msg("no tensor %s", name);
    return -1;
}

static void test_listed(void **state)
{
    opened o;
    kldve_onnx_tensor t;
    int32_t count = 0;

    (void)state;
    open_at(&o, last, "s");
    t.struct_size = sizeof t;
    while (kldve_onnx_tensor_at(o.net, count, &t) == KLDVE_OK)
        count++;
    assert_int_equal(count, 8); /* what the file has, and no more */
    assert_int_equal(axis_of(&o, "x", &t), 3);
    assert_string_equal(t.op, "");
    assert_int_equal(t.dim[3], 3);
    assert_int_equal(t.explainable, 0);
    assert_int_equal(axis_of(&o, "t", &t), 1);
    assert_string_equal(t.op, "Transpose");
    assert_int_equal(axis_of(&o, "r", &t), 1);
    assert_int_equal(axis_of(&o, "s", &t), 3);
    assert_int_equal(t.is_layer, 1);
    assert_int_equal(t.dim[3], 4);
    assert_int_equal(axis_of(&o, "p", &t), 0);
    opened_close(&o);
    /* One cell does not make a layer, whichever axis holds the maps. */
    open_at(&o,
            "in x 1,3,6,5; w w 4,3,3,3; n Conv x,w c; n ReduceMean c p axes=[2,3];"
            "n Transpose p s perm=[0,2,3,1]; w m 4,5; n MatMul s,m u; n Flatten u y; out y",
            NULL);
    assert_int_equal(axis_of(&o, "c", &t), 1);
    assert_int_equal(t.is_layer, 1);
    assert_int_equal(axis_of(&o, "u", &t), 3);
    opened_close(&o);
}

static void check_refused(const char *text, const char *layer, kldve_status st, const char *why)
{
    opened o;

    assert_int_equal(try_open(&o, text, layer), st);
    if (!strstr(kldve_ctx_message(o.ctx), why))
        fail_msg("%s", kldve_ctx_message(o.ctx));
    opened_close(&o);
}

static void test_refused(void **state)
{
    (void)state;
    /* columns before rows on one axis */
    check_refused("in x 1,3,6,5; w w 4,3,3,3; n Conv x,w c; n Transpose c t perm=[0,1,3,2];"
                  "i to 1,4,12; n Reshape t,to s; n ReduceMean s y axes=[2] keepdims=0; out y",
                  "s", KLDVE_E_ARG, "cannot be the layer");
    check_refused("in x N,N,N,8; w w 4,8,3,3; n Transpose x t perm=[0,3,1,2]; n Conv t,w y; out y",
                  NULL, KLDVE_E_ARG, "fixes the size of its input, 'x', at 6 x 8");
}

/* Every allocation of loading and opening fails once. */
static void test_allocations(void **state)
{
    size_t nbytes;
    unsigned char *model = writer_memory(write_text, last, &nbytes);
    bool done = false;

    (void)state;
    assert_non_null(model);
    for (long budget = 0; !done; budget++) {
        kldve_onnx_options options = {.struct_size = sizeof options, .layer = "s"};
        kldve_onnx *net = NULL;
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kldve_status st;

        heap.budget = budget;
        st = kldve_onnx_load_memory(ctx, model, nbytes, &options, &net);
        done = st == KLDVE_OK;
        assert_true(done || (st == KLDVE_E_NOMEM && !net));
        kldve_onnx_free(net);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_allocations),
    };
    int failed = TEST_RUN_CASES("exporters' spellings", pairs, check_pair);

    return failed + cmocka_run_group_tests_name("exporters", tests, NULL, NULL);
}
