/* test_narrow.c - weights of 8 and 16 bits become float32 when the graph is built, however many
 * there are, but a small file cannot ask for much memory. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "build/build.h"
#include "graph/graph.h"
#include "read/model.h"

enum { CHANNELS = 4, LARGE = 20 << 20 /* 80 MiB as float32 */ };

static const float scales[CHANNELS] = {0.5f, 0.25f, 2.0f, 0.125f};
static const struct width {
    const char *name;
    int32_t type;
    int32_t nbytes, lowest, zero;
} widths[] = {
    {"int8", KX_ONNX_INT8, 1, INT8_MIN, 3},
    {"uint8", KX_ONNX_UINT8, 1, 0, 128},
    {"int16", KX_ONNX_INT16, 2, INT16_MIN, -7},
    {"uint16", KX_ONNX_UINT16, 2, 0, 1000},
};

/* x + DequantizeLinear(weights [CHANNELS][count / CHANNELS]), whose integers are lowest, lowest +
 * 1, ... in each channel, and the same again. */
typedef struct network {
    const struct width *of;
    int64_t count;
    unsigned char *bytes; /* one more than needed: the weights lie at an odd address */
    unsigned char zero[2 * CHANNELS];
    const char *in[3], *out[1], *sum_in[2], *sum_out[1];
    kx_proto_tensor tensor[3];
    kx_proto_attr axis;
    kx_proto_node node[2];
    kx_proto_value input, output;
    kx_model model;
} network;

static int32_t level(const network *n, int64_t i)
{
    return n->of->lowest + (int32_t)(i % (n->count / CHANNELS) % 200);
}

static network *network_new(const struct width *of, int64_t count)
{
    network *n = calloc(1, sizeof *n);

    assert_non_null(n);
    n->of = of;
    n->count = count;
    n->bytes = malloc((size_t)count * (size_t)of->nbytes + 1);
    assert_non_null(n->bytes);
    for (int64_t i = 0; i < count; i++) {
        int32_t q = level(n, i); /* little-endian */

        memcpy(n->bytes + 1 + i * of->nbytes, &q, (size_t)of->nbytes);
    }
    for (int c = 0; c < CHANNELS; c++)
        memcpy(n->zero + c * of->nbytes, &of->zero, (size_t)of->nbytes);
    n->tensor[0] = (kx_proto_tensor){.name = "q",
                                     .dtype = of->type,
                                     .rank = 2,
                                     .dim = {CHANNELS, count / CHANNELS},
                                     .count = (size_t)count,
                                     .data = n->bytes + 1};
    n->tensor[1] = (kx_proto_tensor){.name = "s",
                                     .dtype = KX_ONNX_FLOAT,
                                     .rank = 1,
                                     .dim = {CHANNELS},
                                     .count = CHANNELS,
                                     .data = (const unsigned char *)scales};
    n->tensor[2] = (kx_proto_tensor){.name = "z",
                                     .dtype = of->type,
                                     .rank = 1,
                                     .dim = {CHANNELS},
                                     .count = CHANNELS,
                                     .data = n->zero};
    n->in[0] = "q", n->in[1] = "s", n->in[2] = "z", n->out[0] = "w";
    n->sum_in[0] = "x", n->sum_in[1] = "w", n->sum_out[0] = "y";
    n->axis = (kx_proto_attr){.name = "axis", .type = KX_ATTR_INT, .i = 0};
    n->node[0] = (kx_proto_node){.name = "w",
                                 .type = "DequantizeLinear",
                                 .domain = "",
                                 .nin = 3,
                                 .nout = 1,
                                 .nattr = 1,
                                 .in = n->in,
                                 .out = n->out,
                                 .attr = &n->axis};
    n->node[1] = (kx_proto_node){.name = "y",
                                 .type = "Add",
                                 .domain = "",
                                 .nin = 2,
                                 .nout = 1,
                                 .in = n->sum_in,
                                 .out = n->sum_out};
    n->input = (kx_proto_value){.name = "x", .dtype = KX_ONNX_FLOAT, .rank = 1, .dim = {1}};
    n->output = (kx_proto_value){.name = "y", .dtype = KX_ONNX_FLOAT, .rank = -1};
    n->model = (kx_model){.opset = 21,
                          .ir_version = 9,
                          .nnode = 2,
                          .node = n->node,
                          .ninitializer = 3,
                          .initializer = n->tensor,
                          .ninput = 1,
                          .input = &n->input,
                          .noutput = 1,
                          .output = &n->output,
                          .nbytes = (size_t)(count * of->nbytes)};
    return n;
}

static void network_free(network *n)
{
    free(n->bytes);
    free(n);
}

static kx_graph *build(kldve_ctx *ctx, const network *n)
{
    const kx_graph_options options = {0};
    kx_graph *g = NULL;

    if (kx_graph_new(ctx, &n->model, &options, &g) < 0)
        fail_msg("%s: %s", n->of->name, kldve_ctx_message(ctx));
    return g;
}

/* Every weight, computed from the definition. */
static void check_weights(const network *n, const kx_graph *g)
{
    const kx_value *w = kx_graph_find(g, "w");
    const float *data;

    assert_non_null(w);
    assert_non_null(w->raw);
    data = w->raw;
    for (int64_t i = 0; i < n->count; i++) {
        float want =
            (float)(level(n, i) - n->of->zero) * scales[i / (n->count / CHANNELS)]; /* exact */

        if (data[i] != want)
            fail_msg("%s: weight %lld is %g, expected %g", n->of->name, (long long)i,
                     (double)data[i], (double)want);
    }
}

static void test_values(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        network *n = network_new(&widths[i], 1000);
        kx_graph *g = build(ctx, n);

        assert_int_equal(g->nnode, 1);
        check_weights(n, g);
        kx_graph_free(g);
        network_free(n);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_large(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    network *n = network_new(&widths[0], LARGE);
    kx_graph *g = build(ctx, n);

    (void)state;
    assert_int_equal(g->nnode, 1);
    check_weights(n, g);
    kx_graph_free(g);
    n->model.nbytes = 1000; /* as if the file had said it in a few bytes */
    g = build(ctx, n);
    assert_int_equal(g->nnode, 2);
    assert_null(kx_graph_find(g, "w")->raw);
    kx_graph_free(g);
    network_free(n);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Operators that want them as integers get them: Cast to float. */
static void test_as_integers(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        network *n = network_new(&widths[i], 1000);
        kx_graph *g;
        const kx_value *w;

        n->node[0].type = "Cast";
        n->node[0].nin = 1;
        n->axis = (kx_proto_attr){.name = "to", .type = KX_ATTR_INT, .i = KX_ONNX_FLOAT};
        g = build(ctx, n);
        w = kx_graph_find(g, "w");
        assert_non_null(w->raw);
        for (int64_t k = 0; k < n->count; k++)
            assert_int_equal((int32_t)((const float *)w->raw)[k], level(n, k));
        kx_graph_free(g);
        network_free(n);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_as_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
