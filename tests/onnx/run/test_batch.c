/* test_batch.c - several inputs at once give the same results as each alone. */
#include "onnx/networks/opened.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/networks/text.h"

enum { BATCH = 3 };

/* `text` is a model written down, or if `file` the name of one of the shared networks. */
static kldve_status try_load(opened *o, const char *text, bool file, const char *layer,
                             int32_t batch, uint64_t flags)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .layer = layer,
                                        .in_height = file ? 0 : 6,
                                        .in_width = file ? 0 : 5,
                                        .batch = batch,
                                        .threads = 2,
                                        .flags = flags};

    return file ? opened_file(o, text, &options) : opened_text(o, text, &options);
}

static void open_it(opened *o, const char *text, bool file, const char *layer, int32_t batch,
                    uint64_t flags)
{
    opened_state(o, try_load(o, text, file, layer, batch, flags));
    assert_int_equal(o->shape.batch, batch);
}

static float *drawn(size_t count, uint64_t seed)
{
    float *v = calloc(count, sizeof *v);

    for (size_t i = 0; i < count; i++)
        v[i] = (float)test_normal(&seed);
    return v;
}

/* Rounding only: other blocks of a matrix product, other tiles. */
static void assert_near(const char *what, const float *got, const float *want, size_t count)
{
    double largest = 0, error = 0;

    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)want[i]));
        error = fmax(error, fabs((double)got[i] - (double)want[i]));
    }
    assert_true(largest > 0);
    if (!(error <= 1e-5 * largest))
        fail_msg("%s: differs by %g of %g", what, error, largest);
}

/* Twice, the second time with the inputs in another order: nothing may be left over. */
static void check(const char *text, bool file, const char *layer, uint64_t flags)
{
    const kldve_backend *b = kldve_onnx_backend();
    float *inputs, *logits, *features, *cotangents, *gradients, *k, *x, *g;
    opened one, many;

    open_it(&one, text, file, layer, 1, flags);
    open_it(&many, text, file, layer, BATCH, flags);
    assert_int_equal(one.features, many.features);
    inputs = drawn(BATCH * one.inputs, 3);
    cotangents = drawn(BATCH * one.classes, 4);
    logits = calloc(BATCH * one.classes, sizeof *logits);
    features = calloc(BATCH * one.features, sizeof *features);
    gradients = calloc(BATCH * one.features, sizeof *gradients);
    k = calloc(one.classes, sizeof *k);
    x = calloc(one.features, sizeof *x);
    g = calloc(one.features, sizeof *g);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; round && i < one.inputs; i++) {
            float first = inputs[i];

            inputs[i] = inputs[(BATCH - 1) * one.inputs + i];
            inputs[(BATCH - 1) * one.inputs + i] = first;
        }
        assert_int_equal(b->forward_many(many.state, inputs, logits, round ? NULL : features),
                         KLDVE_OK);
        assert_int_equal(b->vjp_many(many.state, cotangents, gradients), KLDVE_OK);
        for (size_t i = 0; i < BATCH; i++) {
            assert_int_equal(b->forward(one.state, inputs + i * one.inputs, k, x), KLDVE_OK);
            assert_int_equal(b->vjp(one.state, cotangents + i * one.classes, g), KLDVE_OK);
            assert_near("logits", logits + i * one.classes, k, one.classes);
            assert_near("gradient", gradients + i * one.features, g, one.features);
            if (!round)
                assert_near("features", features + i * one.features, x, one.features);
        }
    }
    /* A batch does not disturb the single input. */
    assert_int_equal(b->forward(many.state, inputs, k, x), KLDVE_OK);
    assert_near("logits", logits, k, one.classes);
    opened_close(&one);
    opened_close(&many);
    free(inputs), free(cotangents), free(logits), free(features), free(gradients);
    free(k), free(x), free(g);
}

static void test_networks(void **state)
{
    static const char *const names[] = {
        "mnist_cnn",       "resnet20_cifar10", "mobilenet_v1_0.25_128", "mobilenet_v2_1.0_224",
        "squeezenet_v1.1", "googlenet",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check(names[i], true, NULL, 0);
    check("mnist_cnn", true, NULL, KLDVE_ONNX_FLAG_PLAIN);
    check("resnet20_cifar10", true, NULL, KLDVE_ONNX_FLAG_DIRECT);
}

#define BODY                                                                                       \
    " w w 4,3,3,3; w b 4; w m 4,5; n Conv t,w,b c pads=[1,1,1,1]; n Sigmoid c r; n Mul r,r q;"

/* Whatever the network does to its arrays: one input does not see another. */
static void test_shapes(void **state)
{
    static const char *const texts[] = {
        /* the 1 of the file in the new shape, and after a dimension that is computed */
        "in x 1,3,6,5; n Identity x t;" BODY " n GlobalAveragePool q p; i s 1,4; n Reshape p,s f;"
        " n MatMul f,m y; out y",
        "in x 1,3,6,5; n Identity x t;" BODY " n GlobalAveragePool q p; i s 1,-1; n Reshape p,s f;"
        " n MatMul f,m y; out y",
        "in x N,3,6,5; n Identity x t;" BODY " n GlobalAveragePool q p; i s -1,4; n Reshape p,s f;"
        " n MatMul f,m y; out y",
        /* the shape computed, as PyTorch's view(x.size(0), -1) */
        "in x N,3,6,5; n Identity x t;" BODY " n GlobalAveragePool q p; n Shape p s; i zero 0;"
        " n Gather s,zero d; i rest -1; n Concat d,rest e axis=0; n Reshape p,e f; n MatMul f,m y;"
        " out y",
        /* squeezed and put back; softmax over the classes */
        "in x N,3,6,5; n Identity x t;" BODY " n GlobalAveragePool q p; i a 2,3; n Squeeze p,a f;"
        " i u 1; n Unsqueeze f,u g; n MatMul g,m h; n Squeeze h,u l; n Softmax l z axis=1;"
        " n Add z,l y; out y",
        /* channels last */
        "in x 1,6,5,3; n Transpose x t perm=[0,3,1,2];" BODY " n Transpose q v perm=[0,2,3,1];"
        " n ReduceMean v p axes=[1,2] keepdims=0; n MatMul p,m y; out y",
        /* a gate by channel, a constant with an axis 0 of 1, parts and their concatenation */
        "in x 1,3,6,5; n Identity x t;" BODY " n GlobalAveragePool q p; n Sigmoid p s; n Mul q,s o;"
        " w k 1,4,1,1; n Add o,k o1; n Split o1 o2,o3 axis=1; n Concat o3,o2,o1 o4 axis=1;"
        " w m2 8,5; n GlobalMaxPool o4 p2; n Flatten p2 f; n MatMul f,m2 y; out y",
        /* what would mix inputs that follow each other in one array */
        "in x 1,3,6,5; n Identity x t;" BODY " n Softmax q v axis=0; n Add v,q v1; n "
        "MeanVarianceNormalization v1 v2; n Mul v2,q v3; n GlobalMaxPool v3 p; n Flatten p f; n "
        "MatMul "
        "f,m y; out y",
        /* attention: products of two arrays */
        "in x 1,3,6,5; n Identity x t;" BODY " i s 1,4,30; n Reshape q,s a; n Transpose a a1 "
        "perm=[0,2,1]; n MatMul a,a1 e; n Softmax e g axis=2; n MatMul g,a h; n ReduceMean h f "
        "axes=[2] keepdims=0; n MatMul f,m y; out y",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check(texts[i], false, NULL, 0);
        check(texts[i], false, "c", 0);
        check(texts[i], false, "c", KLDVE_ONNX_FLAG_PLAIN);
    }
}

#define TAIL " n GlobalAveragePool v p; n Flatten p f; n MatMul f,m y; out y"

static void test_options(void **state)
{
    static const char text[] = "in x 1,3,6,5; n Identity x t;" BODY " n Identity q v;" TAIL;
    const kldve_backend *b = kldve_onnx_backend();
    float x[3 * 6 * 5] = {0}, k[5], g[4 * 6 * 5];
    opened o;

    (void)state;
    assert_int_equal(try_load(&o, text, false, NULL, -2, 0), KLDVE_E_ARG);
    opened_close(&o);
    assert_int_equal(try_load(&o, text, false, NULL, KLDVE_ONNX_BATCH_AUTO, 0), KLDVE_OK);
    assert_int_equal(b->open(o.ctx, o.net, &o.state), KLDVE_OK);
    o.shape.struct_size = sizeof o.shape;
    b->shape(o.state, &o.shape);
    assert_int_equal(o.shape.batch, 4); /* two threads */
    opened_close(&o);
    assert_int_equal(try_load(&o, text, false, NULL, 1025, 0), KLDVE_E_ARG);
    opened_close(&o);
    open_it(&o, text, false, NULL, 1, 0);
    assert_int_equal(b->forward_many(o.state, x, k, NULL), KLDVE_E_UNSUPPORTED);
    assert_int_equal(b->vjp_many(o.state, k, g), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "batch"));
    opened_close(&o);
    open_it(&o, text, false, NULL, 2, 0);
    assert_int_equal(b->vjp_many(o.state, k, g), KLDVE_E_ARG); /* nothing to look back on */
    opened_close(&o);
}

/* Of a network of convolutions a batch gains nothing without further threads; of dense layers it
 * reads the weights once. */
static void test_automatic(void **state)
{
    static const char *const plain = "in x 1,3,6,5; n Identity x t;" BODY " n Identity q v;" TAIL;
    static const char *const dense =
        "in x 1,3,6,5; n Identity x t;" BODY " n Flatten q f; t big f32 120,2200 0.01,-0.02;"
        " n MatMul f,big y; out y";
    const struct {
        const char *text;
        int32_t threads, batch;
    } cases[] = {{plain, 1, 1}, {plain, 2, 4}, {plain, 6, 6},
                 {dense, 1, 8}, {dense, 3, 8}, {dense, 9, 9}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const kldve_onnx_options options = {.struct_size = sizeof options,
                                            .batch = KLDVE_ONNX_BATCH_AUTO,
                                            .threads = cases[i].threads};
        opened o;

        opened_state(&o, opened_text(&o, cases[i].text, &options));
        assert_int_equal(o.shape.batch, cases[i].batch);
        opened_close(&o);
    }
}

/* Loading, opening and the first batch with every allocation failing once; none from then on, and
 * none for batches before. */
static void test_memory(void **state)
{
    static const char text[] = "in x 1,3,6,5; n Identity x t;" BODY " n Identity q v;" TAIL;
    const kldve_backend *b = kldve_onnx_backend();
    float *x = drawn(BATCH * 3 * 6 * 5, 1), k[BATCH * 5], g[BATCH * 4 * 6 * 5];
    bool done = false;

    (void)state;
    for (long budget = 0; !done; budget++) {
        kldve_onnx_options options = {.struct_size = sizeof options, .batch = BATCH};
        opened o = {0};
        size_t nbytes;
        kldve_status st;

        o.ctx = test_ctx(&o.heap);
        o.model = writer_memory(write_text, text, &nbytes);
        o.heap.budget = budget;
        st = kldve_onnx_load_memory(o.ctx, o.model, nbytes, &options, &o.net);
        if (st == KLDVE_OK)
            st = b->open(o.ctx, o.net, &o.state);
        if (st == KLDVE_OK)
            st = b->forward_many(o.state, x, k, NULL);
        done = st == KLDVE_OK;
        if (!done)
            assert_int_equal(st, KLDVE_E_NOMEM);
        if (done) {
            long before = o.heap.calls;

            assert_int_equal(b->forward_many(o.state, x, k, NULL), KLDVE_OK);
            assert_int_equal(b->vjp_many(o.state, k, g), KLDVE_OK);
            assert_int_equal(o.heap.calls, before);
        }
        opened_close(&o);
        assert_true(budget < 100000);
    }
    free(x);
}

/* A network loaded for batches that never runs one costs as much as for one input. */
static void test_memory_of_one(void **state)
{
    static const char text[] = "in x 1,3,6,5; n Identity x t;" BODY " n Identity q v;" TAIL;
    long bytes[2], calls[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        opened o;
        kldve_explainer *ex = NULL;
        kldve_heatmap *map = NULL;
        float *x = drawn(3 * 6 * 5, 1);
        long bytes_before, calls_before;

        assert_int_equal(try_load(&o, text, false, NULL, i == 0 ? 2 : 1024, 0), KLDVE_OK);
        bytes_before = (long)o.heap.bytes;
        calls_before = o.heap.calls;
        assert_int_equal(kldve_explainer_new(o.ctx, kldve_onnx_backend(), o.net, &ex), KLDVE_OK);
        assert_int_equal(kldve_explain_input(ex, x, NULL, &map), KLDVE_OK);
        bytes[i] = (long)o.heap.bytes - bytes_before;
        calls[i] = o.heap.calls - calls_before;
        kldve_heatmap_free(map);
        kldve_explainer_free(ex);
        opened_close(&o);
        free(x);
    }
    assert_int_equal(bytes[0], bytes[1]);
    assert_int_equal(calls[0], calls[1]);
}

/* One copy of the weights, but for Winograd's, whose form depends on the number of threads. */
static void test_weights_are_shared(void **state)
{
    opened one, many;

    (void)state;
    assert_int_equal(try_load(&one, "googlenet", true, NULL, 1, KLDVE_ONNX_FLAG_DIRECT), KLDVE_OK);
    assert_int_equal(try_load(&many, "googlenet", true, NULL, BATCH, KLDVE_ONNX_FLAG_DIRECT),
                     KLDVE_OK);
    assert_true(one.heap.bytes > 20000000);
    assert_true((double)many.heap.bytes < 1.2 * (double)one.heap.bytes);
    opened_close(&one);
    opened_close(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_automatic),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_of_one),
        cmocka_unit_test(test_weights_are_shared),
    };

    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
