/* test_layerless.c - a network without a layer, k = W x + b: methods that explain the input work,
 * the others are refused. */
#include "support.h"
#include "got.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>

enum { NUMBERS = 9, CLASSES = 4 };

static float weight[CLASSES][NUMBERS], input[NUMBERS];

static kldve_status lin_open(kldve_ctx *ctx, const void *config, void **state)
{
    (void)config;
    *state = ctx;
    return KLDVE_OK;
}

static void lin_shape(const void *state, kldve_shape *out)
{
    (void)state;
    out->in_channels = out->in_height = 1;
    out->in_width = NUMBERS;
    out->classes = CLASSES;
}

static kldve_status lin_forward(void *state, const float *x, float *logits, float *features)
{
    (void)state;
    (void)features;
    for (int c = 0; c < CLASSES; c++) {
        logits[c] = (float)c / 8;
        for (int i = 0; i < NUMBERS; i++)
            logits[c] += weight[c][i] * x[i];
    }
    return KLDVE_OK;
}

static kldve_status lin_vjp(void *state, const float *cotangent, float *gradient)
{
    (void)state;
    (void)cotangent;
    (void)gradient;
    fail_msg("there is no layer");
    return KLDVE_E_NO_VJP;
}

static kldve_status lin_vjp_input(void *state, const float *cotangent, int32_t rule,
                                  float *gradient)
{
    (void)state;
    (void)rule;
    memset(gradient, 0, NUMBERS * sizeof *gradient);
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < NUMBERS; i++)
            gradient[i] += cotangent[c] * weight[c][i];
    return KLDVE_OK;
}

static void lin_close(void *state)
{
    (void)state;
}

static const kldve_backend linear = {.struct_size = sizeof linear,
                                     .name = "linear",
                                     .open = lin_open,
                                     .shape = lin_shape,
                                     .forward = lin_forward,
                                     .close = lin_close,
                                     .vjp = lin_vjp,
                                     .vjp_input = lin_vjp_input};

static kldve_explainer *open_linear(kldve_ctx *ctx)
{
    kldve_explainer *ex = NULL;
    uint64_t seed = 21;

    for (int i = 0; i < NUMBERS; i++)
        input[i] = (float)test_normal(&seed);
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < NUMBERS; i++)
            weight[c][i] = (float)test_normal(&seed);
    assert_int_equal(kldve_explainer_new(ctx, &linear, NULL, &ex), KLDVE_OK);
    return ex;
}

static void test_every_method(void **state)
{
    const uint32_t of_layer =
        KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT | KLDVE_NEED_FEATURE_FORWARDS;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open_linear(ctx);
    int made = 0;

    (void)state;
    for (int32_t m = 0; got_method(NULL, m); m++) {
        const kldve_method *method = got_method(NULL, m);
        const kldve_options o = {.struct_size = sizeof o, .method = method->name};
        kldve_record r = {.struct_size = sizeof r};
        kldve_heatmap *map = NULL;
        kldve_status st;

        if (method->needs & KLDVE_NEED_BIAS_GRADIENT)
            continue; /* this backend has none */
        st = kldve_explain_input(ex, input, &o, &map);
        if (method->needs & of_layer || method->resolution == KLDVE_RESOLUTION_CELLS) {
            assert_int_equal(st, KLDVE_E_UNSUPPORTED);
            assert_non_null(strstr(kldve_ctx_message(ctx), "a layer with cells, which this"));
            continue;
        }
        if (st != KLDVE_OK)
            fail_msg("%s: %s", method->name, kldve_ctx_message(ctx));
        assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
        assert_true(r.height == 1 && r.width == NUMBERS && r.maps == 0);
        kldve_heatmap_free(map);
        made++;
    }
    assert_true(made > 10);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Of a linear network: W_c x, zero at 0.5 and the largest magnitude at 0 or 1. */
static void test_gradient_x_input(void **state)
{
    const kldve_options o = {.struct_size = sizeof o,
                             .method = "gradient-x-input",
                             .target_kind = KLDVE_TARGET_INDEX,
                             .target = 2,
                             .sign = KLDVE_SIGN_SIGNED,
                             .smooth = 0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open_linear(ctx);
    kldve_heatmap *map = NULL;
    double largest = 0;

    (void)state;
    assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_OK);
    for (int i = 0; i < NUMBERS; i++)
        largest = fmax(largest, fabs((double)(weight[2][i] * input[i])));
    for (int i = 0; i < NUMBERS; i++) {
        double want = 0.5 + 0.5 * (double)(weight[2][i] * input[i]) / largest;

        assert_true(fabs((double)got_values(map)[i] - want) < 1e-5);
    }
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
}

/* A layer has three sizes or none. */
static void half_shape(const void *state, kldve_shape *out)
{
    lin_shape(state, out);
    out->maps = 3;
}

static void test_half_a_layer(void **state)
{
    kldve_backend half = linear;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    (void)state;
    half.shape = half_shape;
    assert_int_equal(kldve_explainer_new(ctx, &half, NULL, &ex), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(ctx), "feature maps are 3 x 0 x 0, all sizes must"));
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method),
        cmocka_unit_test(test_gradient_x_input),
        cmocka_unit_test(test_half_a_layer),
    };

    return cmocka_run_group_tests_name("layerless", tests, NULL, NULL);
}
