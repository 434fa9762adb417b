/* test_channels.c - channels last: a network as TensorFlow's converters write it gives what the
 * same network with channels first gives, seen from outside; which axis the channels are on. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/backend.h>
#include <kldve/onnx.h>

#include "networks/text.h"

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

typedef struct opened {
    test_heap heap;
    kldve_ctx *ctx;
    unsigned char *model;
    kldve_onnx *net;
    void *state;
    kldve_shape shape;
} opened;

static kldve_status try_open(opened *o, const char *text, const char *layer)
{
    kldve_onnx_options options = {.struct_size = sizeof options,
                                  .layer = layer,
                                  .in_height = 6,
                                  .in_width = 5,
                                  .flags = KLDVE_ONNX_VJP_INPUT};
    size_t nbytes;

    memset(o, 0, sizeof *o);
    o->ctx = test_ctx(&o->heap);
    o->model = writer_memory(write_text, text, &nbytes);
    assert_non_null(o->model);
    return kldve_onnx_load_memory(o->ctx, o->model, nbytes, &options, &o->net);
}

static void open_at(opened *o, const char *text, const char *layer)
{
    if (try_open(o, text, layer) < 0 ||
        kldve_onnx_backend()->open(o->ctx, o->net, &o->state) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(o->ctx));
    o->shape.struct_size = sizeof o->shape;
    kldve_onnx_backend()->shape(o->state, &o->shape);
}

static void close_it(opened *o)
{
    kldve_onnx_backend()->close(o->state);
    kldve_onnx_free(o->net);
    kldve_ctx_free(o->ctx);
    free(o->model);
    assert_int_equal(o->heap.live, 0);
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
    assert_true(x.features[0] != x.features[1] && x.gradient[0] != 0 && x.pixels[0] != 0);
    close_to(x.logits, y.logits, CLASSES);
    close_to(x.features, y.features, FEATURES);
    close_to(x.gradient, y.gradient, FEATURES);
    close_to(x.pixels, y.pixels, PIXELS);
    close_to(x.again, y.again, CLASSES);
    close_it(&one);
    close_it(&two);
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
    close_it(&o);
    /* One cell is no layer, whichever axis holds the maps. */
    open_at(&o,
            "in x 1,3,6,5; w w 4,3,3,3; n Conv x,w c; n ReduceMean c p axes=[2,3];"
            "n Transpose p s perm=[0,2,3,1]; w m 4,5; n MatMul s,m u; n Flatten u y; out y",
            NULL);
    assert_int_equal(axis_of(&o, "c", &t), 1);
    assert_int_equal(t.is_layer, 1);
    assert_int_equal(axis_of(&o, "u", &t), 3);
    close_it(&o);
}

static void check_refused(const char *text, const char *layer, kldve_status st, const char *why)
{
    opened o;

    assert_int_equal(try_open(&o, text, layer), st);
    if (!strstr(kldve_ctx_message(o.ctx), why))
        fail_msg("%s", kldve_ctx_message(o.ctx));
    close_it(&o);
}

static void test_refused(void **state)
{
    (void)state;
    /* rows and columns exchanged */
    check_refused("in x 1,3,6,5; w w 4,3,3,3; n Conv x,w c; n Transpose c s perm=[0,3,2,1];"
                  "n ReduceMean s y axes=[1,2] keepdims=0; out y",
                  "s", KLDVE_E_ARG, "cannot be the layer");
    check_refused("in x N,N,N,8; w w 4,8,3,3; n Transpose x t perm=[0,3,1,2]; n Conv t,w y; out y",
                  NULL, KLDVE_E_UNSUPPORTED, "dimension 1 is symbolic");
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

    return cmocka_run_group_tests_name("channels", tests, NULL, NULL);
}
