/* test_needs.c - kldve_onnx_memory() says what a network then takes of the allocator. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

/* Within a tenth, and within what a few small blocks take. */
static void assert_near(const char *what, size_t said, size_t real)
{
    enum { SMALL = 64 << 10 };
    size_t most = said > real ? said : real, least = said + real - most;

    if (most - least > most / 10 + SMALL)
        fail_msg("%s: %zu bytes were said, it took %zu", what, said, real);
}

static size_t now(const kldve_ctx *ctx)
{
    size_t held = 0;

    assert_int_equal(kldve_ctx_memory(ctx, &held, NULL), KLDVE_OK);
    return held;
}

static void explain_batch(kldve_explainer *ex, const kldve_shape *s, int32_t count)
{
    size_t each = (size_t)s->in_channels * (size_t)s->in_height * (size_t)s->in_width;
    float *input = calloc(each * (size_t)count, sizeof *input);
    kldve_heatmap *map[4] = {NULL};
    uint64_t seed = 7;

    assert_non_null(input);
    assert_true(count <= 4);
    for (size_t i = 0; i < each * (size_t)count; i++)
        input[i] = (float)test_random(&seed);
    assert_int_equal(count == 1 ? kldve_explain_input(ex, input, NULL, map)
                                : kldve_explain_inputs(ex, input, count, NULL, map),
                     KLDVE_OK);
    for (int32_t i = 0; i < count; i++)
        kldve_heatmap_free(map[i]);
    free(input);
}

/* Load it, explain one input and a batch, and compare at each step. */
static void compare(const void *bytes, size_t nbytes, const kldve_onnx_options *o)
{
    kldve_onnx_needs said = {.struct_size = sizeof said}, held = said;
    kldve_shape shape = {.struct_size = sizeof shape};
    kldve_explainer *ex = NULL;
    kldve_onnx *net = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    size_t before, most = 0;

    assert_int_equal(kldve_onnx_memory_bytes(ctx, bytes, nbytes, o, &said), KLDVE_OK);
    assert_int_equal(now(ctx), 0);
    assert_int_equal(kldve_onnx_load_memory(ctx, bytes, nbytes, o, &net), KLDVE_OK);
    assert_near("network", said.network + said.weights, now(ctx));
    assert_int_equal(kldve_onnx_memory_held(net, &held), KLDVE_OK);
    assert_int_equal(held.network + held.weights, now(ctx));
    assert_int_equal(held.weights, said.weights);
    before = now(ctx);
    assert_int_equal(kldve_explainer_new(ctx, kldve_onnx_backend(), net, &ex), KLDVE_OK);
    assert_int_equal(kldve_explainer_shape(ex, &shape), KLDVE_OK);
    explain_batch(ex, &shape, 1);
    assert_near("explainer", said.explainer, now(ctx) - before);
    assert_int_equal(kldve_ctx_memory(ctx, NULL, &most), KLDVE_OK);
    assert_near("peak", said.peak, most);
    if (o->batch > 1) {
        before = now(ctx);
        explain_batch(ex, &shape, o->batch);
        assert_near("batch", said.batch, now(ctx) - before);
    } else {
        assert_int_equal(said.batch, 0);
    }
    kldve_explainer_free(ex);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_demo(void **state)
{
    kldve_onnx_files demo = {.struct_size = sizeof demo};
    kldve_onnx_options o = {.struct_size = sizeof o, .threads = 1};

    (void)state;
    if (kldve_onnx_demo(&demo) != KLDVE_OK)
        skip();
    compare(demo.model, demo.model_nbytes, &o);
    o.batch = 4;
    compare(demo.model, demo.model_nbytes, &o);
    o.threads = 2;
    o.flags = KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_DIRECT;
    compare(demo.model, demo.model_nbytes, &o);
    o.flags = KLDVE_ONNX_FLAG_PLAIN;
    compare(demo.model, demo.model_nbytes, &o);
}

static void test_networks(void **state)
{
    static const char *const names[] = {"mnist_cnn", "mobilenet_v1_0.25_128", "resnet20_cifar10",
                                        "squeezenet_v1.1", "mobilenet_v2_1.0_224"};
    kldve_onnx_options o = {.struct_size = sizeof o, .threads = 1};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t nbytes;
        void *bytes = test_file_load(
            test_path("%s/assets/models/%s.onnx", test_shared_or_skip(), names[i]), &nbytes);

        compare(bytes, nbytes, &o);
        free(bytes);
    }
}

/* Far less than the network takes, and the same refusals as loading. */
static void test_measuring(void **state)
{
    kldve_onnx_needs said = {.struct_size = sizeof said}, old = said;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    char path[4096];
    size_t most = 0;

    (void)state;
    strcpy(path, test_path("%s/assets/models/squeezenet_v1.1.onnx", test_shared_or_skip()));
    assert_int_equal(kldve_onnx_memory(ctx, path, NULL, &said), KLDVE_OK);
    assert_int_equal(kldve_ctx_memory(ctx, NULL, &most), KLDVE_OK);
    assert_true(most < (said.weights + said.explainer) / 4);
    assert_true(said.files > 4 << 20);
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_WORKING_MEMORY, 7 << 19), KLDVE_OK);
    assert_int_equal(kldve_onnx_memory(ctx, path, NULL, &said), KLDVE_E_LIMIT);
    test_says(ctx, ": the limit 'working-memory' is 3584 KiB; raise it with");
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_WORKING_MEMORY, 0), KLDVE_OK);
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_WEIGHTS, 1 << 20), KLDVE_OK);
    assert_int_equal(kldve_onnx_memory(ctx, path, NULL, &said), KLDVE_E_LIMIT);
    test_says(ctx, "bytes of weights: the limit 'weights' is 1 MiB; raise it with");
    assert_int_equal(kldve_onnx_memory(ctx, "no/such.onnx", NULL, &said), KLDVE_E_IO);
    assert_int_equal(kldve_onnx_memory(ctx, NULL, NULL, &said), KLDVE_E_ARG);
    assert_int_equal(kldve_onnx_memory(ctx, path, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_onnx_memory_bytes(ctx, NULL, 3, NULL, &said), KLDVE_E_ARG);
    assert_int_equal(kldve_onnx_memory_held(NULL, &said), KLDVE_E_ARG);
    old.struct_size = 0;
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_WEIGHTS, 0), KLDVE_OK);
    assert_int_equal(kldve_onnx_memory(ctx, path, NULL, &old), KLDVE_E_ARG);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* The n-th allocation fails, for every n: a status and a message, nothing is left, and the next
 * call works. */
static void test_every_allocation(void **state)
{
    kldve_onnx_files demo = {.struct_size = sizeof demo};
    kldve_onnx_needs said = {.struct_size = sizeof said};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st = KLDVE_E_NOMEM;

    (void)state;
    if (kldve_onnx_demo(&demo) != KLDVE_OK)
        skip();
    for (long n = 0; st != KLDVE_OK; n++) {
        heap.budget = n;
        st = kldve_onnx_memory_bytes(ctx, demo.model, demo.model_nbytes, NULL, &said);
        assert_true(st == KLDVE_OK || st == KLDVE_E_NOMEM);
        assert_int_equal(said.network != 0, st == KLDVE_OK);
        if (st < 0)
            test_says(ctx, "out of memory");
        assert_int_equal(heap.live, 1);
    }
    kldve_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demo),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_measuring),
        cmocka_unit_test(test_every_allocation),
    };

    return cmocka_run_group_tests_name("needs", tests, NULL, NULL);
}
