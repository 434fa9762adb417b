/* test_features.c - a backend that is a head: its maps are those that arrays of the same numbers
 * make; scores of the caller are compared; what needs the whole network is refused. */
#include "got.h"
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/kldve.h>
#include <kldve/method.h>

enum { MAPS = 3, SIDE = 2, CELLS = SIDE * SIDE, OTHERS = 2, HEAD = MAPS * CELLS + OTHERS };
enum { MOST_CLASSES = 3 };

/* ---- a head: scores are weighted sums of the maps and of two more numbers -------------------- */

typedef struct config {
    int32_t classes, maps;
    int64_t head;
} config;

static float weight(int32_t class, int32_t i)
{
    return 0.5f * (float)((class * 7 + i * 5) % 11) - 2;
}

static kldve_status head_open(kldve_ctx *ctx, const void *given, void **state)
{
    (void)ctx;
    memcpy(state, &given, sizeof given);
    return KLDVE_OK;
}

static void head_close(void *state)
{
    (void)state;
}

static void head_shape(const void *state, kldve_shape *out)
{
    const config *c = state;

    *out = (kldve_shape){.struct_size = sizeof *out,
                         .in_channels = 3,
                         .in_height = 8,
                         .in_width = 8,
                         .classes = c->classes,
                         .maps = c->maps,
                         .height = c->maps ? SIDE : 0,
                         .width = c->maps ? SIDE : 0,
                         .head = c->head};
}

static kldve_status head_forward(void *state, const float *values, float *logits, float *features)
{
    const config *c = state;

    for (int32_t k = 0; k < c->classes; k++) {
        logits[k] = 0;
        for (int32_t i = 0; i < HEAD; i++)
            logits[k] += weight(k, i) * values[i];
    }
    memcpy(features, values, MAPS * CELLS * sizeof *features);
    return KLDVE_OK;
}

static kldve_status head_vjp(void *state, const float *cotangent, float *gradient)
{
    const config *c = state;

    for (int32_t i = 0; i < MAPS * CELLS; i++) {
        gradient[i] = 0;
        for (int32_t k = 0; k < c->classes; k++)
            gradient[i] += cotangent[k] * weight(k, i);
    }
    return KLDVE_OK;
}

static const kldve_backend backend = {.struct_size = sizeof backend,
                                      .name = "head",
                                      .open = head_open,
                                      .shape = head_shape,
                                      .forward = head_forward,
                                      .close = head_close,
                                      .vjp = head_vjp};

static const float values[HEAD] = {0.5f, 1, 0, 2, 1.5f, 0.25f, 3, 1, 0, 0, 1, 0.75f, 2, -1};

typedef struct fixture {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *explainer;
} fixture;

static void begin(fixture *f, const config *c)
{
    f->explainer = NULL;
    f->ctx = test_ctx(&f->heap);
    assert_int_equal(kldve_explainer_new(f->ctx, &backend, c, &f->explainer), KLDVE_OK);
}

static void end(fixture *f)
{
    kldve_explainer_free(f->explainer);
    kldve_ctx_free(f->ctx);
    assert_int_equal(f->heap.live, 0);
}

/* ---- the same maps as from arrays ------------------------------------------------------------ */

static void compare(int32_t classes, const char *method)
{
    const config c = {classes, MAPS, HEAD};
    const kldve_options options = {.struct_size = sizeof options, .method = method};
    const kldve_feature_maps given = {.struct_size = sizeof given, .values = values, .count = HEAD};
    float logits[MOST_CLASSES], features[MAPS * CELLS], gradient[MAPS * CELLS];
    float cotangent[2 * MOST_CLASSES];
    kldve_arrays arrays = {.struct_size = sizeof arrays,
                           .logits = logits,
                           .features = features,
                           .gradient = gradient,
                           .classes = classes,
                           .maps = MAPS,
                           .height = SIDE,
                           .width = SIDE};
    kldve_heatmap *expected = NULL, *found = NULL;
    fixture f;

    begin(&f, &c);
    assert_int_equal(head_forward((void *)(uintptr_t)&c, values, logits, features), KLDVE_OK);
    assert_int_equal(kldve_arrays_cotangent(f.ctx, logits, classes, &options, cotangent), KLDVE_OK);
    assert_int_equal(head_vjp((void *)(uintptr_t)&c, cotangent, gradient), KLDVE_OK);
    assert_int_equal(kldve_explain_arrays(f.ctx, &arrays, &options, &expected), KLDVE_OK);
    assert_int_equal(kldve_explain_features(f.explainer, &given, &options, &found), KLDVE_OK);
    assert_memory_equal(got_values(found), got_values(expected),
                        CELLS * sizeof(float));
    kldve_heatmap_free(expected);
    kldve_heatmap_free(found);
    end(&f);
}

static void test_same_as_arrays(void **state)
{
    (void)state;
    for (int32_t classes = 1; classes <= MOST_CLASSES; classes++) {
        compare(classes, "kl-dve");
        compare(classes, "grad-cam");
        compare(classes, "lafam");
    }
}

/* ---- the caller's scores --------------------------------------------------------------------- */

/* Scores of the caller: the head's, times a factor. */
static kldve_status explain_scaled(int32_t classes, float factor)
{
    const config c = {classes, MAPS, HEAD};
    float logits[MOST_CLASSES], features[MAPS * CELLS];
    kldve_feature_maps given = {
        .struct_size = sizeof given, .values = values, .logits = logits, .count = HEAD};
    kldve_heatmap *map = NULL;
    fixture f;
    kldve_status st;

    begin(&f, &c);
    assert_int_equal(head_forward((void *)(uintptr_t)&c, values, logits, features), KLDVE_OK);
    for (int32_t k = 0; k < classes; k++)
        logits[k] *= factor;
    st = kldve_explain_features(f.explainer, &given, NULL, &map);
    if (st < 0)
        test_says(f.ctx, "are these the tensors that the head takes, in its order?");
    kldve_heatmap_free(map);
    end(&f);
    return st;
}

static void test_scores(void **state)
{
    (void)state;
    for (int32_t classes = 1; classes <= MOST_CLASSES; classes++) {
        assert_int_equal(explain_scaled(classes, 1), KLDVE_OK);
        assert_int_equal(explain_scaled(classes, 1.03f), KLDVE_OK); /* as float16 may be off */
        assert_int_equal(explain_scaled(classes, 1.2f), KLDVE_E_ARG);
        assert_int_equal(explain_scaled(classes, -1), KLDVE_E_ARG);
        assert_int_equal(explain_scaled(classes, INFINITY), KLDVE_E_ARG);
    }
}

/* ---- what is refused ------------------------------------------------------------------------- */

static const struct bad_head {
    const char *name;
    config config;
} bad_heads[] = {
    {"a negative count", {3, MAPS, -1}},
    {"a head without a layer", {3, 0, HEAD}},
    {"more than can be addressed", {3, MAPS, INT64_MAX}},
};

static void test_bad_heads(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof bad_heads / sizeof *bad_heads; i++) {
        kldve_explainer *explainer = NULL;

        assert_int_equal(kldve_explainer_new(ctx, &backend, &bad_heads[i].config, &explainer),
                         KLDVE_E_ARG);
        test_says(ctx, "head: shape: head is");
        assert_null(explainer);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* A method of the host that does not say what it needs finds no input, and cannot run one. */
static kldve_status curious_map(const kldve_job *job, float *map)
{
    float logits[MOST_CLASSES], input[3 * 8 * 8] = {0};

    assert_null(job->input);
    assert_int_equal(kldve_job_forward(job, input, logits), KLDVE_E_UNSUPPORTED);
    assert_int_equal(kldve_job_forward_many(job, input, 1, logits), KLDVE_E_UNSUPPORTED);
    for (int32_t i = 0; i < CELLS; i++)
        map[i] = job->features[i];
    return KLDVE_OK;
}

static void test_method_of_the_host(void **state)
{
    const config c = {3, MAPS, HEAD};
    const kldve_method curious = {.struct_size = sizeof curious,
                                  .name = "curious",
                                  .title = "Curious",
                                  .source = "this test",
                                  .needs = KLDVE_NEED_FEATURES,
                                  .sign = KLDVE_SIGN_POSITIVE,
                                  .map = curious_map};
    const kldve_options options = {.struct_size = sizeof options, .method = "curious"};
    const kldve_feature_maps given = {.struct_size = sizeof given, .values = values, .count = HEAD};
    kldve_heatmap *map = NULL;
    fixture f;

    (void)state;
    begin(&f, &c);
    assert_int_equal(kldve_method_register(f.ctx, &curious), KLDVE_OK);
    assert_int_equal(kldve_explain_features(f.explainer, &given, &options, &map), KLDVE_OK);
    kldve_heatmap_free(map);
    end(&f);
}

static void test_null(void **state)
{
    const config c = {3, MAPS, HEAD};
    const kldve_feature_maps given = {.struct_size = sizeof given, .values = values, .count = HEAD};
    kldve_heatmap *map = NULL;
    fixture f;

    (void)state;
    begin(&f, &c);
    assert_int_equal(kldve_explain_features(NULL, &given, NULL, &map), KLDVE_E_ARG);
    assert_int_equal(kldve_explain_features(f.explainer, NULL, NULL, &map), KLDVE_E_ARG);
    assert_int_equal(kldve_explain_features(f.explainer, &given, NULL, NULL), KLDVE_E_ARG);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_arrays),     cmocka_unit_test(test_scores),
        cmocka_unit_test(test_bad_heads),          cmocka_unit_test(test_null),
        cmocka_unit_test(test_method_of_the_host),
    };

    return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
