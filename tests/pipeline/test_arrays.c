/* test_arrays.c - the path without a backend: the same map as with one, and what it refuses. */
#include "support.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/kldve.h>

#include "backends/tiny.h"

enum { CHANNELS = 2, H = 4, W = 3, CELLS = H * W, MAPS = 7, CLASSES = 5 };
enum { INPUTS = CHANNELS * CELLS * TINY_PATCH * TINY_PATCH };

static const tiny_config net = {CHANNELS, H, W, MAPS, CLASSES, 55, true};

/* -- the same map as with a backend ----------------------------------------------------------- */

/* What a host's own inference leaves behind, and its own autograd. */
struct host {
    void *state;
    float input[INPUTS], logits[CLASSES], features[MAPS * CELLS], gradient[MAPS * CELLS];
};

static void host_run(kldve_ctx *ctx, struct host *h)
{
    uint64_t seed = 6;

    for (int i = 0; i < INPUTS; i++)
        h->input[i] = 3 * (float)test_normal(&seed);
    assert_int_equal(tiny_backend.open(ctx, &net, &h->state), KLDVE_OK);
    assert_int_equal(tiny_backend.forward(h->state, h->input, h->logits, h->features), KLDVE_OK);
}

static kldve_arrays arrays_of(const struct host *h)
{
    return (kldve_arrays){
        .struct_size = sizeof(kldve_arrays),
        .logits = h->logits,
        .features = h->features,
        .gradient = h->gradient,
        .classes = CLASSES,
        .maps = MAPS,
        .height = H,
        .width = W,
    };
}

static void same_as_backend(kldve_ctx *ctx, struct host *h, kldve_explainer *ex,
                            const kldve_options *o)
{
    float t[CLASSES];
    kldve_heatmap *from_arrays = NULL, *from_backend = NULL;
    kldve_record a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
    kldve_timings ms = {.struct_size = sizeof ms};
    kldve_arrays arrays = arrays_of(h);
    const double *cotangent;
    size_t count;

    assert_int_equal(kldve_arrays_cotangent(ctx, h->logits, CLASSES, o, t), KLDVE_OK);
    assert_int_equal(tiny_backend.vjp(h->state, t, h->gradient), KLDVE_OK);
    assert_int_equal(kldve_explain_arrays(ctx, &arrays, o, &from_arrays), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, h->input, o, &from_backend), KLDVE_OK);
    assert_memory_equal(kldve_heatmap_values(from_arrays), kldve_heatmap_values(from_backend),
                        CELLS * sizeof(float));
    cotangent = kldve_heatmap_cotangent(from_backend, &count);
    for (int i = 0; i < CLASSES; i++)
        assert_true(t[i] == (count ? (float)cotangent[i] : 0));
    assert_int_equal(kldve_heatmap_record(from_arrays, &a), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(from_backend, &b), KLDVE_OK);
    assert_int_equal(a.target, b.target);
    assert_true(a.kl == b.kl && a.probability == b.probability && a.logit == b.logit);
    assert_int_equal(kldve_heatmap_timings(from_arrays, &ms), KLDVE_OK);
    assert_true(ms.forward == 0 && ms.backward == 0);
    kldve_heatmap_free(from_arrays);
    kldve_heatmap_free(from_backend);
}

static void test_same_as_backend(void **state)
{
    struct host *h = calloc(1, sizeof *h);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    (void)state;
    assert_non_null(h);
    host_run(ctx, h);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, &ex), KLDVE_OK);
    for (int32_t rank = 0; rank < CLASSES; rank++) {
        for (int32_t r = 0; r <= KLDVE_READING_RIVALS; r++)
            same_as_backend(ctx, h, ex,
                            &(kldve_options){.struct_size = sizeof(kldve_options),
                                             .reading = r,
                                             .target = rank,
                                             .temperature = rank % 2 ? 2.5f : 0});
        for (int32_t i = 2; kldve_method_name(i); i++) /* not cam: the head is curved */
            if (tiny_from_arrays(i))
                same_as_backend(ctx, h, ex,
                                &(kldve_options){.struct_size = sizeof(kldve_options),
                                                 .method = kldve_method_name(i),
                                                 .target = rank});
    }
    same_as_backend(ctx, h, ex, NULL);
    kldve_explainer_free(ex);
    tiny_backend.close(h->state);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(h);
}

/* -- what it refuses -------------------------------------------------------------------------- */

static const float good[60] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9};
static const float with_nan[60] = {3, 1, NAN};

#define ARRAYS(k, x, g, n, m, h, w)                                                                \
    {                                                                                              \
        .struct_size = sizeof(kldve_arrays), .logits = (k), .features = (x), .gradient = (g),      \
        .classes = (n), .maps = (m), .height = (h), .width = (w)                                   \
    }

static const struct refusal {
    const char *name;
    kldve_arrays arrays;
    kldve_options options;
    kldve_status status;
    const char *message;
} refusals[] = {
    {"size not set",
     {.struct_size = 0},
     {0},
     KLDVE_E_ARG,
     "kldve_arrays: struct_size is 0; set it to sizeof(kldve_arrays)"},
    {"no logits",
     ARRAYS(NULL, good, good, 4, 3, 2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: the logits are NULL"},
    {"no features",
     ARRAYS(good, NULL, good, 4, 3, 2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: the features are NULL"},
    {"one number of four scores",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .scores = KLDVE_SCORES_NUMBER},
     {0},
     KLDVE_E_ARG,
     "arrays: 4 scores are not one number"},
    {"no such kind of scores",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .scores = 7},
     {0},
     KLDVE_E_ARG,
     "arrays: there are no scores of kind 7"},
    {"reserved",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .reserved = 1},
     {0},
     KLDVE_E_UNSUPPORTED,
     "arrays: a reserved member is set, it must be 0"},
    {"third of two classes",
     ARRAYS(good, good, good, 1, 3, 2, 2),
     {.target = 2},
     KLDVE_E_ARG,
     "arrays: target rank 2 is not among the 2 classes (0 to 1)"},
    {"negative number of classes",
     ARRAYS(good, good, good, -1, 3, 2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: -1 classes, there must be at least 1"},
    {"no map",
     ARRAYS(good, good, good, 4, 0, 2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: the feature maps are 0 x 2 x 2, all sizes must be at least 1"},
    {"negative height",
     ARRAYS(good, good, good, 4, 3, -2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: the feature maps are 3 x -2 x 2, all sizes must be at least 1"},
    {"sizes that overflow",
     ARRAYS(good, good, good, 4, INT_MAX, INT_MAX, INT_MAX),
     {0},
     KLDVE_E_ARG,
     "arrays: the feature maps have more values than can be addressed"},
    {"logit that is not a number",
     ARRAYS(with_nan, good, good, 4, 3, 2, 2),
     {0},
     KLDVE_E_NUMERIC,
     "arrays: logit 2 of 4 is not a number"},
    {"feature that is not a number",
     ARRAYS(good, with_nan, good, 4, 3, 2, 2),
     {0},
     KLDVE_E_NUMERIC,
     "arrays: feature 2 of 12 is not a number"},
    {"gradient that is not a number",
     ARRAYS(good, good, with_nan, 4, 3, 2, 2),
     {0},
     KLDVE_E_NUMERIC,
     "arrays: gradient 2 of 12 is not a number"},
    {"no gradient",
     ARRAYS(good, good, NULL, 4, 3, 2, 2),
     {0},
     KLDVE_E_NO_VJP,
     "arrays: the reading contrast needs kldve_arrays.gradient (the reading paper needs no "
     "gradient)"},
    {"no gradient for Grad-CAM",
     ARRAYS(good, good, NULL, 4, 3, 2, 2),
     {.method = "grad-cam"},
     KLDVE_E_NO_VJP,
     "arrays: the method grad-cam needs kldve_arrays.gradient (the reading paper needs no "
     "gradient)"},
    {"check with one gradient",
     ARRAYS(good, good, good, 4, 3, 2, 2),
     {.flags = KLDVE_FLAG_CHECK},
     KLDVE_E_NO_VJP,
     "arrays: the reading contrast needs a second gradient for KLDVE_FLAG_CHECK"},
    {"target out of range",
     ARRAYS(good, good, good, 4, 3, 2, 2),
     {.target = 4},
     KLDVE_E_ARG,
     "arrays: target rank 4 is not among the 4 classes (0 to 3)"},
    {"no such method",
     ARRAYS(good, good, good, 4, 3, 2, 2),
     {.method = "lime-green"},
     KLDVE_E_UNSUPPORTED,
     "unknown method \"lime-green\"; kldve_method_name() lists the methods"},
};

static void check_refusal(void **state)
{
    const struct refusal *r = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_options o = r->options;
    kldve_heatmap *map = NULL;

    o.struct_size = sizeof o;
    assert_int_equal(kldve_explain_arrays(ctx, &r->arrays, &o, &map), r->status);
    assert_string_equal(kldve_ctx_message(ctx), r->message);
    assert_null(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_cotangent_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_options o = {.struct_size = sizeof o, .target = 4};
    float t[4] = {7, 7, 7, 7};

    (void)state;
    assert_int_equal(kldve_arrays_cotangent(NULL, good, 4, NULL, t), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, NULL, 4, NULL, t), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, good, 4, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, good, 0, NULL, t), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, with_nan, 4, NULL, t), KLDVE_E_NUMERIC);
    assert_string_equal(kldve_ctx_message(ctx), "arrays: logit 2 of 4 is not a number");
    assert_int_equal(kldve_arrays_cotangent(ctx, good, 4, &o, t), KLDVE_E_ARG);
    assert_int_equal(kldve_explain_arrays(ctx, NULL, NULL, NULL), KLDVE_E_ARG);
    for (int i = 0; i < 4; i++)
        assert_true(t[i] == 7);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_check_without_gradient(void **state)
{
    const kldve_arrays arrays = ARRAYS(good, good, NULL, 4, 3, 2, 2);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_options o = {
        .struct_size = sizeof o, .reading = KLDVE_READING_PAPER, .flags = KLDVE_FLAG_CHECK};
    kldve_record r = {.struct_size = sizeof r};
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain_arrays(ctx, &arrays, &o, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_true(r.class_sensitivity == 0);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_allocations(void **state)
{
    const kldve_arrays arrays = ARRAYS(good, good, good, 4, 3, 2, 2);
    long calls = 1;

    (void)state;
    for (long budget = 0; budget <= calls; budget++) {
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kldve_heatmap *map = NULL;
        float t[4] = {7, 7, 7, 7};
        kldve_status of_map, of_cotangent;

        heap.calls = 0;
        assert_int_equal(kldve_explain_arrays(ctx, &arrays, NULL, &map), KLDVE_OK);
        calls = heap.calls;
        kldve_heatmap_free(map);
        map = NULL;
        heap.budget = budget;
        of_map = kldve_explain_arrays(ctx, &arrays, NULL, &map);
        heap.budget = budget;
        of_cotangent = kldve_arrays_cotangent(ctx, good, 4, NULL, t);
        heap.budget = -1;
        assert_int_equal(of_map, budget < calls ? KLDVE_E_NOMEM : KLDVE_OK);
        assert_int_equal(of_cotangent, of_map);
        assert_true((map != NULL) == (of_map == KLDVE_OK));
        assert_true((t[0] == 7) == (of_map != KLDVE_OK));
        assert_true((*kldve_ctx_message(ctx) != 0) == (of_map != KLDVE_OK));
        kldve_heatmap_free(map);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(test_same_as_backend),
        cmocka_unit_test(test_cotangent_refuses),
        cmocka_unit_test(test_check_without_gradient),
        cmocka_unit_test(test_allocations),
    };
    int failed = TEST_RUN_CASES("arrays refused", refusals, check_refusal);

    return failed + cmocka_run_group_tests_name("arrays", rest, NULL, NULL);
}
