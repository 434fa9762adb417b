/* test_can.c - kldve_explainer_check() says what kldve_explain_input() will, for every method and
 * every way to load a network, and is asked before any forward pass. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <kldve/method.h>
#include <kldve/onnx.h>

static int forwards; /* of the engine, counted on the way to it */

static kldve_status counted_forward(void *state, const float *input, float *logits, float *features)
{
    forwards++;
    return kldve_onnx_backend()->forward(state, input, logits, features);
}

static kldve_status counted_forward_many(void *state, const float *inputs, float *logits,
                                         float *features)
{
    forwards++;
    return kldve_onnx_backend()->forward_many(state, inputs, logits, features);
}

static kldve_onnx *load_demo(kldve_ctx *ctx, uint64_t flags)
{
    kldve_onnx_options o = {.struct_size = sizeof o, .flags = flags, .threads = 1};
    kldve_onnx_files demo = {.struct_size = sizeof demo};
    kldve_onnx *net = NULL;

    if (kldve_onnx_demo(&demo) != KLDVE_OK)
        skip();
    assert_int_equal(kldve_onnx_load_memory(ctx, demo.model, demo.model_nbytes, &o, &net),
                     KLDVE_OK);
    return net;
}

static float *some_input(const kldve_shape *s)
{
    size_t count = (size_t)s->in_channels * (size_t)s->in_height * (size_t)s->in_width;
    float *input = malloc(count * sizeof *input);

    assert_non_null(input);
    for (size_t i = 0; i < count; i++)
        input[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    return input;
}

static kldve_options options_of(const kldve_method *method)
{
    kldve_options o = {.struct_size = sizeof o, .method = method->name};

    if (method->options & KLDVE_OPTION_SAMPLES)
        o.samples = 2;
    if (method->options & KLDVE_OPTION_STRIDE)
        o.stride = 32;
    return o;
}

/* The answer and its reason are those of the call; a refusal costs no forward pass. */
static void check_method(kldve_ctx *ctx, kldve_explainer *ex, const float *input,
                         const kldve_options *o)
{
    char why[600];
    kldve_heatmap *map = NULL;
    kldve_status said, st;

    forwards = 0;
    said = kldve_explainer_check(ex, o);
    strncpy(why, kldve_ctx_message(ctx), sizeof why - 1);
    why[sizeof why - 1] = 0;
    assert_int_equal(forwards, 0);
    st = kldve_explain_input(ex, input, o, &map);
    if (st != said)
        fail_msg("%s: said %d (%s), but the call returned %d (%s)", o->method, said, why, st,
                 kldve_ctx_message(ctx));
    assert_string_equal(kldve_ctx_message(ctx), why);
    assert_true(st == KLDVE_OK ? forwards > 0 : forwards == 0);
    kldve_heatmap_free(map);
}

/* How many methods work. */
static int check_network(uint64_t flags)
{
    kldve_backend counted = *kldve_onnx_backend();
    kldve_shape shape = {.struct_size = sizeof shape};
    kldve_explainer *ex = NULL;
    const kldve_method *method;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_onnx *net = load_demo(ctx, flags);
    float *input;
    int work = 0;

    counted.forward = counted_forward;
    counted.forward_many = counted_forward_many;
    assert_int_equal(kldve_explainer_new(ctx, &counted, net, &ex), KLDVE_OK);
    assert_int_equal(kldve_explainer_shape(ex, &shape), KLDVE_OK);
    input = some_input(&shape);
    for (int32_t i = 0; kldve_method_at(ctx, i, &method) == KLDVE_OK; i++) {
        const kldve_options o = options_of(method);

        if (flags & KLDVE_ONNX_FLAG_PLAIN &&
            method->needs & (KLDVE_NEED_FORWARDS | KLDVE_NEED_FEATURE_FORWARDS))
            continue; /* which work, and take long */
        check_method(ctx, ex, input, &o);
        work += kldve_explainer_check(ex, &o) == KLDVE_OK;
    }
    free(input);
    kldve_explainer_free(ex);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    return work;
}

static void test_every_method(void **state)
{
    int all = check_network(KLDVE_ONNX_FLAG_VJP_INPUT), without_pixels = check_network(0),
        forward_only = check_network(KLDVE_ONNX_FLAG_NO_VJP),
        plain = check_network(KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_VJP_INPUT);

    (void)state;
    assert_true(all > plain && all > without_pixels && without_pixels > forward_only);
    assert_true(forward_only > 5); /* occlusion and its kin */
}

/* Of arrays, with and without their gradient. */
static void test_arrays(void **state)
{
    static const float logits[] = {1, 3, 2}, features[] = {1, 2, 3, 4, 5, 6, 7, 8},
                       gradient[] = {1, 1, 1, 1, -2, -2, -2, -2};
    kldve_arrays a = {.struct_size = sizeof a,
                      .logits = logits,
                      .features = features,
                      .classes = 3,
                      .maps = 2,
                      .height = 2,
                      .width = 2};
    const kldve_method *method;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int work = 0;

    (void)state;
    for (int32_t i = 0; kldve_method_at(ctx, i / 2, &method) == KLDVE_OK; i++) {
        const kldve_options o = options_of(method);
        kldve_heatmap *map = NULL;
        kldve_status said;

        a.gradient = i % 2 ? gradient : NULL;
        said = kldve_arrays_check(ctx, &a, &o);
        assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map), said);
        work += said == KLDVE_OK;
        kldve_heatmap_free(map);
    }
    assert_true(work > 5);
    assert_int_equal(kldve_arrays_check(NULL, &a, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_check(ctx, NULL, NULL), KLDVE_E_ARG);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Options that are wrong are found, too. */
static void test_options(void **state)
{
    const struct {
        kldve_options o;
        kldve_status status;
        const char *says;
    } cases[] = {
        {{.struct_size = sizeof(kldve_options)}, KLDVE_OK, ""},
        {{.struct_size = 0}, KLDVE_E_ARG, "struct_size"},
        {{.struct_size = sizeof(kldve_options), .method = "none"}, KLDVE_E_UNSUPPORTED, "none"},
        {{.struct_size = sizeof(kldve_options),
          .target_kind = KLDVE_TARGET_INDEX,
          .target = 1 << 20},
         KLDVE_E_ARG,
         "1048576"},
        {{.struct_size = sizeof(kldve_options), .deadline_ms = -1}, KLDVE_E_ARG, "deadline_ms"},
        {{.struct_size = sizeof(kldve_options), .samples = 3}, KLDVE_E_ARG, "samples"},
    };
    kldve_explainer *ex = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_onnx *net = load_demo(ctx, 0);

    (void)state;
    assert_int_equal(kldve_explainer_new(ctx, kldve_onnx_backend(), net, &ex), KLDVE_OK);
    assert_int_equal(kldve_explainer_check(NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_check(ex, NULL), KLDVE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(kldve_explainer_check(ex, &cases[i].o), cases[i].status);
        assert_non_null(strstr(kldve_ctx_message(ctx), cases[i].says));
    }
    assert_int_equal(kldve_explainer_check(ex, NULL), KLDVE_OK);
    assert_string_equal(kldve_ctx_message(ctx), "");
    kldve_explainer_free(ex);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
