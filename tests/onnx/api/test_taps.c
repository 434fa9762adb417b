/* test_taps.c - the tensors that a head of a random network takes hold all that its scores need:
 * fed with what the plain kernels compute there, it has the scores and the feature maps of the
 * whole network. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

#include "build/build.h"
#include "onnx/ops/plain.h"
#include "onnx/plan/random_network.h"
#include "read/proto.h"

enum { NETWORKS = 40, LAYERS = 3 };

/* A network and every number in it, by the plain kernels. */
typedef struct numbers {
    unsigned char *bytes;
    size_t nbytes;
    kx_model *model;
    kx_graph *graph;
    plain *run;
} numbers;

static void numbers_open(numbers *n, kldve_ctx *ctx, uint64_t seed)
{
    const random_network network = {.seed = seed};
    const kx_graph_options options = {.batch = 1};
    uint64_t noise = seed + 100;
    kx_tensor *input;

    n->bytes = writer_memory(random_network_write, &network, &n->nbytes);
    assert_int_equal(kx_model_read(ctx, n->bytes, n->nbytes, &n->model), KLDVE_OK);
    assert_int_equal(kx_graph_new(ctx, n->model, &options, &n->graph), KLDVE_OK);
    n->run = plain_new(n->graph);
    input = plain_value(n->run, n->graph->input[0]);
    for (size_t i = 0; i < input->count; i++)
        ((float *)input->data)[i] = (float)test_normal(&noise);
    plain_forward(n->run);
}

static void numbers_close(numbers *n)
{
    plain_free(n->run);
    kx_graph_free(n->graph);
    kx_model_free(n->model);
    free(n->bytes);
}

typedef struct opened {
    kldve_onnx *net;
    void *state;
    kldve_shape shape;
    float *logits, *features;
} opened;

static bool open_as(opened *o, kldve_ctx *ctx, const numbers *n, const char *layer, uint64_t flags)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .layer = layer, .threads = 1, .flags = flags};
    size_t maps;

    memset(o, 0, sizeof *o);
    if (kldve_onnx_load_memory(ctx, n->bytes, n->nbytes, &options, &o->net) < 0)
        return false;
    assert_int_equal(kldve_onnx_backend()->open(ctx, o->net, &o->state), KLDVE_OK);
    o->shape.struct_size = sizeof o->shape;
    kldve_onnx_backend()->shape(o->state, &o->shape);
    maps = (size_t)o->shape.maps * (size_t)o->shape.height * (size_t)o->shape.width;
    o->logits = calloc((size_t)o->shape.classes, sizeof(float));
    o->features = calloc(maps + 1, sizeof(float));
    return true;
}

static void close_it(opened *o)
{
    if (o->state)
        kldve_onnx_backend()->close(o->state);
    kldve_onnx_free(o->net);
    free(o->logits);
    free(o->features);
}

/* What the head takes, one tensor behind the other; the caller frees it. */
static float *tapped(const opened *head, const numbers *n)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    float *all = calloc((size_t)head->shape.head, sizeof *all);
    size_t count = 0;

    for (int32_t i = 0; kldve_onnx_tap_at(head->net, i, &t) == KLDVE_OK; i++) {
        const kx_value *v = kx_graph_find(n->graph, t.name);
        const kx_tensor *at = plain_value(n->run, v);

        assert_true(v->producer >= 0 && count + at->count <= (size_t)head->shape.head);
        for (size_t k = 0; k < at->count; k++)
            all[count + k] = v->dtype == KX_F32 ? ((const float *)at->data)[k]
                                                : (float)((const int64_t *)at->data)[k];
        count += at->count;
    }
    assert_int_equal(count, head->shape.head);
    return all;
}

static void assert_near(const char *what, uint64_t seed, const char *layer, const float *a,
                        const float *b, size_t n)
{
    double most = 1e-3;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)b[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= 1e-4 * most))
            fail_msg("seed %d, layer %s: %s %d is %g, not %g", (int)seed, layer, what, (int)i,
                     (double)a[i], (double)b[i]);
}

/* Whether the layer has a head. */
static bool compare(kldve_ctx *ctx, const numbers *n, uint64_t seed, const char *layer)
{
    const kldve_backend *b = kldve_onnx_backend();
    const kx_tensor *picture = plain_value(n->run, n->graph->input[0]);
    float *input = calloc(picture->count, sizeof *input), *values;
    opened whole, head;
    size_t maps;

    if (!open_as(&whole, ctx, n, layer, 0)) { /* some end in maps */
        free(input);
        return false;
    }
    if (!open_as(&head, ctx, n, layer, KLDVE_ONNX_FLAG_HEAD)) {
        test_says(ctx, "cannot be loaded as a head");
        close_it(&whole);
        free(input);
        return false;
    }
    values = tapped(&head, n);
    assert_int_equal(kldve_onnx_arrange(whole.net, picture->data, input), KLDVE_OK);
    assert_int_equal(b->forward(whole.state, input, whole.logits, whole.features), KLDVE_OK);
    assert_int_equal(b->forward(head.state, values, head.logits, head.features), KLDVE_OK);
    maps = (size_t)whole.shape.maps * (size_t)whole.shape.height * (size_t)whole.shape.width;
    assert_near("logit", seed, layer, head.logits, whole.logits, (size_t)whole.shape.classes);
    assert_near("feature", seed, layer, head.features, whole.features, maps);
    free(values);
    free(input);
    close_it(&whole);
    close_it(&head);
    return true;
}

/* A tensor that can be the layer; false: there is none. */
static bool draw_layer(kldve_ctx *ctx, const numbers *n, uint64_t *seed, char layer[64])
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_LIST};
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    kldve_onnx *net = NULL;
    int found = 0;

    assert_int_equal(kldve_onnx_load_memory(ctx, n->bytes, n->nbytes, &options, &net), KLDVE_OK);
    for (int32_t i = 1; kldve_onnx_tensor_at(net, i, &t) == KLDVE_OK; i++)
        if (t.explainable && !t.is_logits && test_random(seed) * ++found < 1)
            snprintf(layer, 64, "%s", t.name);
    kldve_onnx_free(net);
    return found > 0;
}

static void test_random_networks(void **state)
{
    int heads = 0;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        uint64_t draws = seed;
        char layer[64];
        numbers n;

        numbers_open(&n, ctx, seed);
        for (int i = 0; i < LAYERS && draw_layer(ctx, &n, &draws, layer); i++)
            heads += compare(ctx, &n, seed, layer);
        numbers_close(&n);
    }
    assert_true(heads > NETWORKS);
    print_message("%d heads\n", heads);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_networks)};

    return cmocka_run_group_tests_name("taps", tests, NULL, NULL);
}
