/* test_bombs.c - small files that ask for much: what building a graph refuses, or leaves for the
 * run, where it can be cancelled. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build/build.h"
#include "onnx/networks/onnx_writer.h"
#include "onnx/networks/text.h"
#include "read/proto.h"

/* ---- folding --------------------------------------------------------------------------------- */

static const struct product {
    const char *name, *text;
    bool folds;
} products[] = {
    {"a small product", "i s 30,30; n ConstantOfShape s k; n MatMul k,k m", true},
    {"a product of 64 billion steps", "i s 4000,4000; n ConstantOfShape s k; n MatMul k,k m",
     false},
    {"many products of a billion steps each",
     "i s 900,900; n ConstantOfShape s k; n MatMul k,k a; n MatMul a,k b; n MatMul b,k m", false},
    {"the same by Gemm", "i s 4000,4000; n ConstantOfShape s k; n Gemm k,k m", false},
    {"the same by Einsum",
     "i s 4000,4000; n ConstantOfShape s k; n Einsum k,k m equation='ij,jk->ik'", false},
    {"a convolution of a million taps",
     "i s 1,1,1000,1000; i t 1,1,1001,1001; n ConstantOfShape s k; n ConstantOfShape t q; "
     "n Conv k,q m pads=[500,500,500,500]",
     false},
    {"a pooling of a million taps",
     "i s 1,1,1200,1200; n ConstantOfShape s k; n AveragePool k m kernel_shape=[1000,1000]", false},
    {"a cubic sample of much",
     "i s 1,1,9,9; i t 1,4000,4000,2; n ConstantOfShape s k; n ConstantOfShape t q; "
     "n GridSample k,q m mode='cubic'",
     false},
};

/* Lists of sequences are copied by every node that changes them. */
static void test_copied_sequences(void **state)
{
    enum { NODES = 3 * 8192, ROOM = NODES * 48 };
    const kx_graph_options options = {0};
    char *text = malloc(ROOM);
    size_t at = 0, n;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;
    kx_graph *g = NULL;
    unsigned char *bytes;

    (void)state;
    assert_non_null(text);
    at += (size_t)snprintf(text, ROOM, "opset 20; in x 2000,2; n SplitToSequence x s0; ");
    for (int i = 0; i < NODES / 2; i++)
        at += (size_t)snprintf(text + at, ROOM - at,
                               "n SequenceErase s%d t%d; n SequenceInsert t%d,x s%d; ", i, i, i,
                               i + 1);
    snprintf(text + at, ROOM - at, "n SequenceAt s%d,p y; i p 0; out y", NODES / 2);
    bytes = writer_memory(write_text, text, &n);
    assert_int_equal(kx_model_read(ctx, bytes, n, &m), KLDVE_OK);
    assert_int_equal(kx_graph_new(ctx, m, &options, &g), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(ctx), "all sequences together"));
    kx_model_free(m);
    free(bytes);
    free(text);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Each constant is allowed; the graph as a whole has a limit, which is not passed. */
static void test_many_constants(void **state)
{
    enum { LIMIT = 64 << 20, WINDOWS = 40 /* of 4 MiB */ };
    const kx_graph_options options = {0};
    char text[4000];
    size_t at = 0, n, most = 0;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;
    kx_graph *g = NULL;
    unsigned char *bytes;

    (void)state;
    at += (size_t)snprintf(text, sizeof text, "opset 20; i s 1048576; in s0 1048576; ");
    for (int i = 0; i < WINDOWS; i++)
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "n HannWindow s w%d; n Add s%d,w%d s%d; ", i, i, i, i + 1);
    snprintf(text + at, sizeof text - at, "out s%d", WINDOWS);
    bytes = writer_memory(write_text, text, &n);
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_GRAPH, LIMIT), KLDVE_OK);
    assert_int_equal(kx_model_read(ctx, bytes, n, &m), KLDVE_OK);
    assert_int_equal(kx_graph_new(ctx, m, &options, &g), KLDVE_E_LIMIT);
    test_says(ctx, "nodes and computed constants need more: the limit 'graph' is 64 MiB; raise it");
    assert_int_equal(kldve_ctx_memory(ctx, NULL, &most), KLDVE_OK);
    assert_true(most > LIMIT / 2 && most < LIMIT + (4 << 20));
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_GRAPH, 8 * (int64_t)LIMIT), KLDVE_OK);
    if (kx_graph_new(ctx, m, &options, &g) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    kx_graph_free(g);
    kx_model_free(m);
    free(bytes);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static bool has_node(const kx_graph *g, const char *name)
{
    for (int32_t i = 0; i < g->nnode; i++)
        if (strcmp(g->node[i].name, name) == 0)
            return true;
    return false;
}

static void check_product(void **state)
{
    const struct product *c = *state;
    const kx_graph_options options = {0};
    char text[600];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;
    kx_graph *g = NULL;
    unsigned char *bytes;
    size_t n;

    snprintf(text, sizeof text,
             "opset 20; in x 1,2; %s; n ReduceMax m r keepdims=0; n Add x,r y; out y", c->text);
    bytes = writer_memory(write_text, text, &n);
    if (kx_model_read(ctx, bytes, n, &m) < 0 || kx_graph_new(ctx, m, &options, &g) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_int_equal(has_node(g, "m"), !c->folds);
    kx_graph_free(g);
    kx_model_free(m);
    free(bytes);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* ---- loops ----------------------------------------------------------------------------------- */

typedef struct loop {
    int64_t rounds;
    int unread; /* nodes of the body that nobody reads */
} loop;

static void plain_value(writer *w, uint32_t field, const char *name)
{
    write_begin(w, field);
    write_string(w, 1, name);
    write_end(w);
}

static void write_body(writer *w, const loop *l)
{
    plain_value(w, GRAPH_INPUT, "i");
    plain_value(w, GRAPH_INPUT, "c");
    plain_value(w, GRAPH_INPUT, "v");
    for (int k = 0; k < l->unread; k++) {
        char name[32];

        snprintf(name, sizeof name, "z%d", k);
        onnx_node(w, "Relu", "v", name);
        onnx_node_end(w);
    }
    plain_value(w, GRAPH_OUTPUT, "c");
    plain_value(w, GRAPH_OUTPUT, "v");
}

static void write_loop(writer *w, const void *arg)
{
    const loop *l = arg;
    const int64_t dim[2] = {1, 2};

    onnx_header(w, 8, 17);
    write_begin(w, MODEL_GRAPH);
    onnx_value(w, GRAPH_INPUT, "x", 2, dim);
    onnx_int64s(w, "n", 1, &l->rounds);
    onnx_node(w, "Loop", "n,,x", "y");
    write_begin(w, NODE_ATTRIBUTE);
    write_string(w, ATTR_NAME, "body");
    write_varint(w, ATTR_TYPE, 5);
    write_begin(w, 6);
    write_body(w, l);
    write_end(w);
    write_end(w);
    onnx_node_end(w);
    onnx_value(w, GRAPH_OUTPUT, "y", 2, dim);
    write_end(w);
}

static kldve_status build_loop(kldve_ctx *ctx, const loop *l)
{
    const kx_graph_options options = {0};
    kx_model *m = NULL;
    kx_graph *g = NULL;
    size_t n;
    unsigned char *bytes = writer_memory(write_loop, l, &n);
    kldve_status st = kx_model_read(ctx, bytes, n, &m);

    if (st == KLDVE_OK)
        st = kx_graph_new(ctx, m, &options, &g);
    kx_graph_free(g);
    kx_model_free(m);
    free(bytes);
    return st;
}

/* A round costs nothing but a table of the names of its body. */
static void test_names_of_loops(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    if (build_loop(ctx, &(loop){4000, 3}) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_int_equal(build_loop(ctx, &(loop){4000, 2000}), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(ctx), "names"));
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    enum { PRODUCTS = sizeof products / sizeof *products };
    struct CMUnitTest tests[PRODUCTS + 3];

    for (size_t i = 0; i < PRODUCTS; i++) {
        tests[i] = (struct CMUnitTest)cmocka_unit_test(check_product);
        tests[i].name = products[i].name;
        tests[i].initial_state = (void *)(uintptr_t)&products[i];
    }
    tests[PRODUCTS] = (struct CMUnitTest)cmocka_unit_test(test_names_of_loops);
    tests[PRODUCTS + 1] = (struct CMUnitTest)cmocka_unit_test(test_copied_sequences);
    tests[PRODUCTS + 2] = (struct CMUnitTest)cmocka_unit_test(test_many_constants);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
