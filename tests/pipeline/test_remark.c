/* test_remark.c - scores that still are probabilities: from arrays, and of a backend. */
#include "support.h"

#include <string.h>

#include <kldve/kldve.h>

enum { MAPS = 2, CELLS = 4, MOST = 5 };

/* A network whose scores are written down. */
typedef struct written {
    const char *name;
    int32_t classes, kind; /* a kldve_scores */
    float scores[MOST];
    bool looks; /* like probabilities */
} written;

static const written cases[] = {
    {"all between 0 and 1", 3, KLDVE_SCORES_RAW, {0.9f, 0, 1}, true},
    {"one above 1", 3, KLDVE_SCORES_RAW, {0.9f, 0, 1.01f}, false},
    {"one below 0", 3, KLDVE_SCORES_RAW, {0.9f, -0.01f, 0.11f}, false},
    {"many that add up to 1", 5, KLDVE_SCORES_RAW, {0.1f, 0.2f, 0.3f, 0.4f, 0}, true},
    {"two between 0 and 1", 2, KLDVE_SCORES_RAW, {0.9f, 0.4f}, false},
    {"two that add up to 1", 2, KLDVE_SCORES_RAW, {0.3f, 0.7f}, true},
    {"up to rounding", 2, KLDVE_SCORES_RAW, {0, 1.0005f}, true},
    {"not quite", 2, KLDVE_SCORES_RAW, {0, 1.002f}, false},
    {"two that add up to 1 with a sign", 2, KLDVE_SCORES_RAW, {-0.3f, 1.3f}, false},
    {"logits before a softmax", 3, KLDVE_SCORES_SOFTMAX, {0.2f, 0.3f, 0.5f}, false},
    {"logits before a sigmoid", 3, KLDVE_SCORES_SIGMOID, {0.2f, 0.3f, 0.5f}, false},
    {"one score", 1, KLDVE_SCORES_RAW, {0.5f}, false},
    {"one score that is 1", 1, KLDVE_SCORES_RAW, {1}, false},
    {"a number", 1, KLDVE_SCORES_NUMBER, {1}, false},
};

static const float maps[MAPS * CELLS] = {1, 2, 3, 4, 0, 1, 0, 2};
static const float slope[MAPS * CELLS] = {1, 1, 1, 1, -1, -1, -1, -1};

static kldve_status written_open(kldve_ctx *ctx, const void *config, void **state)
{
    void *copy = kldve_ctx_alloc(ctx, 1, sizeof(written));

    assert_non_null(copy);
    *state = memcpy(copy, config, sizeof(written));
    return KLDVE_OK;
}

static void written_shape(const void *state, kldve_shape *out)
{
    const written *w = state;

    out->in_channels = 1;
    out->in_height = out->in_width = out->height = out->width = 2;
    out->classes = w->classes;
    out->maps = MAPS;
    out->scores = w->kind;
}

static kldve_status written_forward(void *state, const float *input, float *logits, float *features)
{
    const written *w = state;

    (void)input;
    memcpy(logits, w->scores, (size_t)w->classes * sizeof *logits);
    memcpy(features, maps, sizeof maps);
    return KLDVE_OK;
}

static kldve_status written_vjp(void *state, const float *cotangent, float *gradient)
{
    (void)state;
    (void)cotangent;
    memcpy(gradient, slope, sizeof slope);
    return KLDVE_OK;
}

static kldve_ctx *context;

static void written_close(void *state)
{
    kldve_ctx_release(context, state);
}

static const kldve_backend written_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "written",
    .open = written_open,
    .shape = written_shape,
    .forward = written_forward,
    .close = written_close,
    .vjp = written_vjp,
};

static void check(const written *w, kldve_heatmap *map, const char *also)
{
    const char *remark = kldve_heatmap_remark(map);
    bool looks = remark && strstr(remark, "they look like probabilities");

    if (looks != w->looks)
        fail_msg("%s: %s", w->name, remark ? remark : "nothing is said");
    assert_true(!also || (remark && strstr(remark, also)));
    kldve_heatmap_free(map);
}

static void from_arrays(const written *w, const kldve_options *o, const char *also)
{
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = w->scores,
                                 .features = maps,
                                 .gradient = slope,
                                 .classes = w->classes,
                                 .maps = MAPS,
                                 .height = 2,
                                 .width = 2,
                                 .scores = w->kind};
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain_arrays(context, &arrays, o, &map), KLDVE_OK);
    check(w, map, also);
}

static void from_backend(const written *w, const kldve_options *o, const char *also)
{
    static const float input[CELLS] = {0};
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL, *mean = NULL;

    assert_int_equal(kldve_explainer_new(context, &written_backend, w, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, input, o, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_fuse(context, (const kldve_heatmap *const *)&map, 1, &mean),
                     KLDVE_OK);
    check(w, map, also);
    check(w, mean, also);
    kldve_explainer_free(ex);
}

static void test_probabilities(void **state)
{
    test_heap heap;

    (void)state;
    context = test_ctx(&heap);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        from_arrays(&cases[i], NULL, NULL);
        from_backend(&cases[i], NULL, NULL);
    }
    kldve_ctx_free(context);
    assert_int_equal(heap.live, 0);
}

/* What the method says stays. */
static void test_beside_the_method(void **state)
{
    const kldve_options paper = {.struct_size = sizeof paper, .reading = KLDVE_READING_PAPER};
    const written two = {"two", 2, KLDVE_SCORES_RAW, {0.25f, 0.75f}, true};
    const written no = {"no", 2, KLDVE_SCORES_RAW, {0.25f, 5}, false};
    test_heap heap;

    (void)state;
    context = test_ctx(&heap);
    from_arrays(&two, &paper, "P = Q");
    from_backend(&two, &paper, "P = Q");
    from_backend(&no, &paper, "P = Q");
    kldve_ctx_free(context);
    assert_int_equal(heap.live, 0);
}

/* Maps, gradients, and what is said of a flat map; NULL: it is not flat. */
static const struct {
    float maps[MAPS * CELLS], slope[MAPS * CELLS];
    int32_t sign;
    const char *said;
} flat[] = {
    {{1, 2, 3, 4, 0, 1, 0, 2}, {1, 1, 1, 1}, 0, NULL},
    {{1, 2, 3, 4, 0, 1, 0, 2}, {0}, 0, "the gradient at the layer is 0"},
    {{0}, {1, 1, 1, 1, 2, 2, 2, 2}, 0, "all feature maps are 0"},
    {{1, 2, 3, 4}, {-1, -1, -1, -1}, 0, "what counts against it"},
    {{1, 2, 3, 4}, {-1, -1, -1, -1}, KLDVE_SIGN_SIGNED, NULL},
};

static void test_why_flat(void **state)
{
    static const float scores[] = {3, 1, -2};
    test_heap heap;

    (void)state;
    context = test_ctx(&heap);
    for (size_t i = 0; i < sizeof flat / sizeof *flat; i++) {
        const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                     .logits = scores,
                                     .features = flat[i].maps,
                                     .gradient = flat[i].slope,
                                     .classes = 3,
                                     .maps = MAPS,
                                     .height = 2,
                                     .width = 2};
        const kldve_options o = {.struct_size = sizeof o, .sign = flat[i].sign};
        kldve_record record = {.struct_size = sizeof record};
        kldve_heatmap *map = NULL;

        assert_int_equal(kldve_explain_arrays(context, &arrays, &o, &map), KLDVE_OK);
        assert_int_equal(kldve_heatmap_record(map, &record), KLDVE_OK);
        assert_int_equal((record.flags & KLDVE_RESULT_FLAT) != 0, flat[i].said != NULL);
        if (flat[i].said)
            assert_true(strstr(kldve_heatmap_remark(map), flat[i].said));
        else
            assert_null(kldve_heatmap_remark(map));
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(context);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_beside_the_method),
        cmocka_unit_test(test_why_flat),
    };

    return cmocka_run_group_tests_name("remark", tests, NULL, NULL);
}
