/* test_flags.c - each flag of a result in both directions, from arrays and of backends. */
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>

#include "backends/tiny.h"

enum {
    FLAT = KLDVE_RESULT_FLAT,
    INDIFFERENT = KLDVE_RESULT_CLASS_INDIFFERENT,
    SATURATED = KLDVE_RESULT_SATURATED,
    LIMITED = KLDVE_RESULT_PERPLEXITY_LIMITED,
    PART = KLDVE_RESULT_NOT_ALL_PATHS,
    UNSURE = KLDVE_RESULT_LOW_CONFIDENCE,
    CLIPPED = KLDVE_RESULT_CLIPPED
};

enum { MOST = 40, MAPS = 2, CELLS = 4 };

/* What the first of the scores are; the others are `rest`. */
typedef struct scene {
    const char *name;
    int32_t classes, scores;
    float first[3], rest;
    kldve_options options;
    uint64_t flags;
} scene;

static const scene scenes[] = {
    {"nothing to say", 40, 0, {9, 1, 0}, -1, {0}, 0},
    {"of a number", 1, KLDVE_SCORES_NUMBER, {0.5f}, 0, {0}, 0},
    /* Perplexity 30 wants 32 classes. */
    {"ten classes", 10, 0, {9, 1, 0}, -1, {0}, 0},
    {"ten classes, channel", 10, 0, {9, 1, 0}, -1, {.reading = 2}, LIMITED | INDIFFERENT},
    {"ten classes, rivals", 10, 0, {9, 1, 0}, -1, {.reading = 4}, 0},
    {"ten classes, perplexity 5", 10, 0, {9, 1, 0}, -1, {.reading = 2, .perplexity = 5}, 0},
    {"31 classes", 31, 0, {9, 1, 0}, -1, {.reading = 2}, LIMITED | INDIFFERENT},
    {"32 classes", 32, 0, {9, 1, 0}, -1, {.reading = 2}, 0},
    {"neighbours", 10, 0, {9, 1, 0}, -1, {.reading = 5, .perplexity = 5}, 0},
    {"all neighbours",
     10,
     0,
     {9, 1, 0},
     -1,
     {.reading = 5, .perplexity = 5, .neighbour_perplexity = 9},
     LIMITED},
    {"ten classes of another method", 10, 0, {9, 1, 0}, -1, {.method = "grad-cam"}, 0},
    {"two classes", 2, 0, {9, 1}, 0, {0}, 0},
    /* The target does not matter. */
    {"paper", 40, 0, {9, 1, 0}, -1, {.reading = 1}, INDIFFERENT},
    {"lafam", 40, 0, {9, 1, 0}, -1, {.method = "lafam"}, INDIFFERENT},
    {"eigen-cam", 40, 0, {9, 1, 0}, -1, {.method = "eigen-cam"}, INDIFFERENT},
    {"eigengrad-cam", 40, 0, {9, 1, 0}, -1, {.method = "eigengrad-cam", .sign = 2}, 0},
    /* 24 ln 2 = 16.636 */
    {"almost 1", 2, 0, {16.63f, 0}, 0, {0}, 0},
    {"1 in float32", 2, 0, {16.64f, 0}, 0, {0}, SATURATED},
    {"almost 0", 2, 0, {16.63f, 0}, 0, {.target = 1}, 0},
    {"next to 0", 2, 0, {16.64f, 0}, 0, {.target = 1}, SATURATED},
    {"a class by itself", 40, KLDVE_SCORES_SIGMOID, {16.64f, 0}, -9, {0}, SATURATED},
    {"another class by itself", 40, KLDVE_SCORES_SIGMOID, {16.64f, 3}, -9, {.target = 1}, 0},
    {"a probability of 1", 40, KLDVE_SCORES_RAW, {1, 0}, 0, {0}, SATURATED},
    {"a probability of 0", 40, KLDVE_SCORES_RAW, {0.9f, 0.1f}, 0, {.target = 2}, SATURATED},
    {"a probability between", 40, KLDVE_SCORES_RAW, {0.9f, 0.1f}, 0, {0}, 0},
    /* ln 2 = 0.6931; 39 e^-x / (1 + 39 e^-x) = 1/2 at x = ln 39 = 3.6636 */
    {"twice as likely", 2, 0, {0.70f, 0}, 0, {0}, 0},
    {"not twice as likely", 2, 0, {0.69f, 0}, 0, {0}, UNSURE},
    {"the same of the other", 2, 0, {0.69f, 0}, 0, {.target = 1}, UNSURE},
    {"one score", 1, KLDVE_SCORES_SIGMOID, {-0.70f}, 0, {0}, 0},
    {"one score near 0", 1, KLDVE_SCORES_SIGMOID, {-0.69f}, 0, {0}, UNSURE},
    {"half of all", 40, 0, {3.67f, 0}, 0, {0}, 0},
    {"less than half of all", 40, 0, {3.65f, 0}, 0, {0}, UNSURE},
    {"sure of one, asked for another", 40, 0, {9, 1, 0}, -1, {.target = 5}, 0},
    {"yes to one class", 40, KLDVE_SCORES_SIGMOID, {0.70f}, -3, {0}, 0},
    {"hardly yes to one class", 40, KLDVE_SCORES_SIGMOID, {0.69f}, -3, {0}, UNSURE},
    {"no to all classes", 40, KLDVE_SCORES_SIGMOID, {-2}, -3, {0}, UNSURE},
    {"no to this class", 40, KLDVE_SCORES_SIGMOID, {3}, -0.70f, {.target = 9}, 0},
    {"hardly no to this class", 40, KLDVE_SCORES_SIGMOID, {3}, -0.69f, {.target = 9}, UNSURE},
    {"probabilities that are low", 40, KLDVE_SCORES_RAW, {0.45f, 0.55f}, 0, {0}, UNSURE},
    {"independent ones", 40, KLDVE_SCORES_RAW, {0.9f, 0.9f}, 0.1f, {0}, 0},
};

static const float plain_maps[MAPS * CELLS] = {1, 2, 3, 4, 0, 1, 0, 2};
static const float plain_slope[MAPS * CELLS] = {1, 1, 1, 1, -1, -1, -1, -1};

static kldve_heatmap *explain(kldve_ctx *ctx, const scene *s, const float *maps, const float *slope)
{
    float logits[MOST];
    kldve_arrays a = {.struct_size = sizeof a,
                      .logits = logits,
                      .features = maps,
                      .gradient = slope,
                      .classes = s->classes,
                      .scores = s->scores,
                      .maps = MAPS,
                      .height = 2,
                      .width = 2};
    kldve_options o = s->options;
    kldve_heatmap *map = NULL;

    for (int i = 0; i < MOST; i++)
        logits[i] = i < 3 && i < s->classes && (i == 0 || s->first[i] != 0) ? s->first[i] : s->rest;
    o.struct_size = sizeof o;
    if (kldve_explain_arrays(ctx, &a, &o, &map) != KLDVE_OK)
        fail_msg("%s: %s", s->name, kldve_ctx_message(ctx));
    return map;
}

static uint64_t flags_of(const kldve_heatmap *map)
{
    kldve_record r = {.struct_size = sizeof r};

    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    return r.flags;
}

static void same(const char *name, uint64_t got, uint64_t want)
{
    if (got != want)
        fail_msg("%s: flags 0x%jx, not 0x%jx", name, (uintmax_t)got, (uintmax_t)want);
}

static void check_scene(void **state)
{
    const scene *s = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = explain(ctx, s, plain_maps, plain_slope);

    same(s->name, flags_of(map), s->flags);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- what the sign rule cuts off -------------------------------------------------------------- */

static const struct {
    const char *name, *method;
    float maps[MAPS * CELLS], slope;
    int32_t sign;
    uint64_t flags;
} cuts[] = {
    {"as much as is kept", NULL, {1, 2, 3, 4, 0, 1, 0, 9}, 1, 0, 0},
    {"more than is kept", NULL, {1, 2, 3, 4, 0, 1, 0, 10}, 1, 0, CLIPPED},
    {"with both signs", NULL, {1, 2, 3, 4, 0, 1, 0, 10}, 1, KLDVE_SIGN_SIGNED, 0},
    {"magnitudes", NULL, {1, 2, 3, 4, 0, 1, 0, 10}, 1, KLDVE_SIGN_ABSOLUTE, 0},
    {"everything", NULL, {1, 2, 3, 4, 0, 1, 0, 2}, -1, 0, CLIPPED | FLAT},
    {"nothing there", NULL, {0}, 1, 0, FLAT},
    {"by the default of the library", "grad-cam", {1, 2, 3, 4, 0, 1, 0, 10}, 1, 0, CLIPPED},
    {"by the option", "lafam", {-9, 1, 2, 3}, 1, KLDVE_SIGN_POSITIVE, INDIFFERENT | CLIPPED},
    {"less by the option", "lafam", {-5, 1, 2, 3}, 1, KLDVE_SIGN_POSITIVE, INDIFFERENT},
};

static void test_cut(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        const scene s = {cuts[i].name,
                         40,
                         0,
                         {9, 1, 0},
                         -1,
                         {.method = cuts[i].method, .sign = cuts[i].sign},
                         0};
        float slope[MAPS * CELLS];
        kldve_heatmap *map;

        for (int j = 0; j < MAPS * CELLS; j++)
            slope[j] = j < CELLS ? cuts[i].slope : -cuts[i].slope;
        map = explain(ctx, &s, cuts[i].maps, slope);
        same(s.name, flags_of(map), cuts[i].flags);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- a truth ---------------------------------------------------------------------------------- */

static void test_truth(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double truth[MOST];
    scene s = {"truth", 40, 0, {9, 1, 0}, -1, {.reading = 2, .truth = truth}, 0};
    kldve_heatmap *map;

    (void)state;
    for (int i = 0; i < MOST; i++)
        truth[i] = i + 0.1 * i * i;
    map = explain(ctx, &s, plain_maps, plain_slope);
    same("all rows have it", flags_of(map), INDIFFERENT);
    kldve_heatmap_free(map);
    /* 38 neighbours at distance 0 are more than the perplexity. */
    memset(truth, 0, sizeof truth);
    truth[0] = 1;
    map = explain(ctx, &s, plain_maps, plain_slope);
    same("rows of equal values", flags_of(map), INDIFFERENT | LIMITED);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- of networks ------------------------------------------------------------------------------ */

static void partial_shape(const void *state, kldve_shape *out)
{
    tiny_backend.shape(state, out);
    out->all_paths = -1;
}

/* The same slope for every class. */
static kldve_status blind_vjp(void *state, const float *cotangent, float *gradient)
{
    kldve_shape s = {.struct_size = sizeof s};

    (void)cotangent;
    tiny_backend.shape(state, &s);
    for (int32_t i = 0; i < s.maps * s.height * s.width; i++)
        gradient[i] = 1;
    return KLDVE_OK;
}

static uint64_t of_network(kldve_ctx *ctx, const kldve_backend *backend, const kldve_options *o)
{
    static const tiny_config net = {1, 3, 3, 4, 40, 5, true};
    float input[9 * TINY_PATCH * TINY_PATCH];
    uint64_t seed = 4, flags;
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;

    for (size_t i = 0; i < sizeof input / sizeof *input; i++)
        input[i] = 3 * (float)(seed = seed * 6364136223846793005u + 1442695040888963407u) / 1.9e19f;
    assert_int_equal(kldve_explainer_new(ctx, backend, &net, &ex), KLDVE_OK);
    if (kldve_explain_input(ex, input, o, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    flags = flags_of(map);
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    return flags;
}

static void test_paths(void **state)
{
    static const struct {
        const char *method;
        uint64_t part;
    } methods[] = {{"kl-dve", PART},          {"lafam", PART}, {"ablation-cam", PART},
                   {"guided-grad-cam", PART}, {"saliency", 0}, {"occlusion", 0}};
    kldve_backend partial = tiny_backend;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    partial.shape = partial_shape;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const kldve_options o = {.struct_size = sizeof o, .method = methods[i].method};

        same(o.method, of_network(ctx, &partial, &o) & PART, methods[i].part);
        same(o.method, of_network(ctx, &tiny_backend, &o) & PART, 0);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* A detector whose rows all have the scores of the picture, and a box with a score. */
static float box_score;

static void rows_shape(const void *state, kldve_shape *out)
{
    tiny_backend.shape(state, out);
    out->picks = KLDVE_PICKS_ROW;
}

static kldve_status rows_pick(void *state, kldve_pick *pick, float *logits)
{
    (void)state;
    (void)logits;
    pick->has_box = 1;
    pick->score = box_score;
    return KLDVE_OK;
}

/* A score that is no probability says nothing: then the classes do, of which none stands out. */
static void test_rows(void **state)
{
    static const struct {
        float score;
        uint64_t unsure;
    } rows[] = {{0.49f, UNSURE}, {0.51f, 0}, {0, UNSURE}, {1, 0}, {7.5f, UNSURE}};
    const kldve_options o = {.struct_size = sizeof o, .pick = KLDVE_PICK_BEST};
    kldve_backend detector = tiny_backend;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    detector.shape = rows_shape;
    detector.pick = rows_pick;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        box_score = rows[i].score;
        same("row", of_network(ctx, &detector, &o) & UNSURE, rows[i].unsure);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* What --check finds; smoothing keeps it. */
static void test_measured(void **state)
{
    kldve_backend blind = tiny_backend;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    blind.vjp = blind_vjp;
    for (int32_t smooth = 0; smooth < 2; smooth++) {
        const kldve_options plain = {.struct_size = sizeof plain, .smooth = smooth},
                            check = {.struct_size = sizeof check,
                                     .smooth = smooth,
                                     .flags = KLDVE_FLAG_CHECK};

        same("unmeasured", of_network(ctx, &blind, &plain) & INDIFFERENT, 0);
        same("blind", of_network(ctx, &blind, &check) & INDIFFERENT, INDIFFERENT);
        same("seeing", of_network(ctx, &tiny_backend, &check) & INDIFFERENT, 0);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- means, methods of a host, names ---------------------------------------------------------- */

static void test_mean(void **state)
{
    const scene paper = {"paper", 10, 0, {9, 1, 0}, -1, {.reading = 1}, 0},
                unsure = {"unsure", 40, 0, {0.5f, 0}, 0, {0}, 0},
                flat = {"flat", 40, 0, {9, 1, 0}, -1, {0}, 0};
    static const float none[MAPS * CELLS];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map[3], *mean = NULL;

    (void)state;
    map[0] = explain(ctx, &paper, plain_maps, plain_slope);
    map[1] = explain(ctx, &flat, plain_maps, none);
    map[2] = explain(ctx, &unsure, plain_maps, plain_slope);
    same("flat", flags_of(map[1]), FLAT);
    assert_int_equal(kldve_heatmap_fuse(ctx, (const kldve_heatmap *const *)map, 1, &mean),
                     KLDVE_OK);
    same("a mean of one", flags_of(mean), INDIFFERENT);
    kldve_heatmap_free(mean);
    assert_int_equal(kldve_heatmap_fuse(ctx, (const kldve_heatmap *const *)map, 3, &mean),
                     KLDVE_OK);
    same("a mean of three", flags_of(mean), UNSURE);
    kldve_heatmap_free(mean);
    for (int i = 0; i < 3; i++)
        kldve_heatmap_free(map[i]);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static kldve_status ones(const kldve_job *job, double *weights)
{
    for (int32_t i = 0; i < job->shape->maps; i++)
        weights[i] = 1;
    return KLDVE_OK;
}

static uint64_t of_host(const kldve_job *job)
{
    return job->target == 0 ? KLDVE_RESULT_CLASS_INDIFFERENT : 0;
}

static void test_host(void **state)
{
    const kldve_method method = {.struct_size = sizeof method,
                                 .name = "ones",
                                 .needs = KLDVE_NEED_FEATURES,
                                 .weights = ones,
                                 .result_flags = of_host};
    scene s = {"ones", 40, 0, {9, 1, 0}, -1, {.method = "ones"}, 0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    assert_int_equal(kldve_method_register(ctx, &method), KLDVE_OK);
    for (int32_t target = 0; target < 2; target++) {
        kldve_heatmap *map;

        s.options.target = target;
        map = explain(ctx, &s, plain_maps, plain_slope);
        same(s.name, flags_of(map), target == 0 ? INDIFFERENT : 0);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_names(void **state)
{
    int flags = 0;

    (void)state;
    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1, flags++) {
        assert_non_null(kldve_result_flag_sentence(flag));
        for (uint64_t other = 1; other < flag; other <<= 1)
            assert_string_not_equal(kldve_result_flag_name(flag), kldve_result_flag_name(other));
    }
    assert_int_equal(1 << flags, 2 * KLDVE_RESULT_CLIPPED);
    assert_string_equal(kldve_result_flag_name(KLDVE_RESULT_NON_FINITE), "non-finite");
    assert_null(kldve_result_flag_name(0));
    assert_null(kldve_result_flag_name(3));
    assert_null(kldve_result_flag_sentence(0));
    assert_null(kldve_result_flag_sentence((uint64_t)1 << 63));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),      cmocka_unit_test(test_truth), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_measured), cmocka_unit_test(test_mean),  cmocka_unit_test(test_host),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_rows),
    };
    int failed = TEST_RUN_CASES("scores by name", scenes, check_scene);

    return failed + cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
