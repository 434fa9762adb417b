/* test_options.c - the options: what is refused, and structs of later releases. */
#include "backends/fixture.h"
#include "got.h"

#include <math.h>
#include <string.h>

#include "backends/broken.h"

enum { INPUTS = CHANNELS * PIXELS };

/* Another network, with five classes. */
static const tiny_config net = {CHANNELS, H, W, 6, 5, 77, true};

#define INNER .inner = &tiny_backend, .inner_config = &net

static void input_of(float *input)
{
    uint64_t seed = 9;

    for (int i = 0; i < INPUTS; i++)
        input[i] = (float)test_normal(&seed);
}

/* -- what is refused -------------------------------------------------------------------------- */

struct option_case {
    const char *name;
    kldve_options options;
    kldve_status status;
    const char *message;
};

#define SIZED .struct_size = sizeof(kldve_options)

static const int32_t twice[] = {2, 0, 2}, outside[] = {0, 5}, all[] = {0, 1, 2, 3, 4};
static const double truth[] = {1, 2, 3, 4, 5}, bad_truth[] = {1, NAN, 3, 4, 5};

static const struct option_case option_cases[] = {
    {"size not set",
     {.struct_size = 0},
     KLDVE_E_ARG,
     "kldve_options: struct_size is 0; set it to sizeof(kldve_options)"},
    {"no such method",
     {SIZED, .method = "magic"},
     KLDVE_E_UNSUPPORTED,
     "unknown method \"magic\"; kldve_method_name() lists the methods"},
    {"samples of a method that repeats nothing",
     {SIZED, .method = "grad-cam", .samples = 9},
     KLDVE_E_ARG,
     "options: samples is set, but the method grad-cam does not read it: leave it at 0"},
    {"window without one",
     {SIZED, .method = "rise", .window = 9},
     KLDVE_E_ARG,
     "options: window is set, but the method rise does not read it: leave it at 0"},
    {"stride without one",
     {SIZED, .method = "lime", .stride = 9},
     KLDVE_E_ARG,
     "options: stride is set, but the method lime does not read it: leave it at 0"},
    {"noise without any",
     {SIZED, .noise = 0.5},
     KLDVE_E_ARG,
     "options: noise is set, but the method kl-dve does not read it: leave it at 0"},
    {"seed without random numbers",
     {SIZED, .method = "occlusion", .seed = 9},
     KLDVE_E_ARG,
     "options: seed is set, but the method occlusion does not read it: leave it at 0"},
    {"reading of a method without",
     {SIZED, .method = "cam", .reading = KLDVE_READING_PAPER},
     KLDVE_E_ARG,
     "options: reading is set, but the method cam does not read it: leave it at 0"},
    {"no such reading", {SIZED, .reading = 6}, KLDVE_E_ARG, "options: unknown reading 6"},
    {"negative reading", {SIZED, .reading = -1}, KLDVE_E_ARG, "options: unknown reading -1"},
    {"no such kind of target",
     {SIZED, .target_kind = 4},
     KLDVE_E_ARG,
     "options: unknown target kind 4"},
    {"set without classes",
     {SIZED, .target_kind = KLDVE_TARGET_SET},
     KLDVE_E_ARG,
     "options: a set of targets needs `targets` and a `target_count` above 0"},
    {"set with a class twice",
     {SIZED, .target_kind = KLDVE_TARGET_SET, .targets = twice, .target_count = 3},
     KLDVE_E_ARG,
     "broken: target index 2 is given twice"},
    {"set with a class that does not exist",
     {SIZED, .target_kind = KLDVE_TARGET_SET, .targets = outside, .target_count = 2},
     KLDVE_E_ARG,
     "broken: target index 5 is not among the 5 classes (0 to 4)"},
    {"set of all classes",
     {SIZED, .target_kind = KLDVE_TARGET_SET, .targets = all, .target_count = 5},
     KLDVE_E_ARG,
     "broken: 5 of 5 classes are targets: leave at least one out"},
    {"class against itself",
     {SIZED, .target_kind = KLDVE_TARGET_VERSUS, .target = 1, .rival = 1},
     KLDVE_E_ARG,
     "options: class 1 is its own rival"},
    {"rival that does not exist",
     {SIZED, .target_kind = KLDVE_TARGET_VERSUS, .target = 1, .rival = 5},
     KLDVE_E_ARG,
     "broken: rival 5 is not among the 5 classes (0 to 4)"},
    {"truth with rivals",
     {SIZED, .truth = truth, .reading = KLDVE_READING_RIVALS},
     KLDVE_E_ARG,
     "options: the reading rivals explains a class, not a truth: choose channel or contrast"},
    {"truth with neighbours",
     {SIZED, .truth = truth, .reading = KLDVE_READING_NEIGHBOURS},
     KLDVE_E_ARG,
     "options: the reading neighbours explains a class, not a truth: choose channel or contrast"},
    {"truth that is no number",
     {SIZED, .truth = bad_truth},
     KLDVE_E_NUMERIC,
     "truth: entry 1 is not a number"},
    {"no such sign", {SIZED, .sign = 4}, KLDVE_E_ARG, "options: unknown sign 4"},
    {"negative samples",
     {SIZED, .samples = -1},
     KLDVE_E_ARG,
     "options: samples, window and stride must not be negative"},
    {"noise above 1",
     {SIZED, .noise = 1.5},
     KLDVE_E_ARG,
     "options: noise is 1.5, it must be 0 to 1"},
    {"smooth 2", {SIZED, .smooth = 2}, KLDVE_E_ARG, "options: smooth is 2, it must be 0 or 1"},
    {"passes without a check",
     {SIZED, .check_passes = 32},
     KLDVE_E_ARG,
     "options: check_passes is set, but KLDVE_FLAG_CHECK is not"},
    {"too few passes",
     {SIZED, .flags = KLDVE_FLAG_CHECK, .check_passes = 4},
     KLDVE_E_ARG,
     "options: check_passes is 4, it must be at least 5, or negative for none"},
    {"negative temperature",
     {SIZED, .temperature = -1},
     KLDVE_E_ARG,
     "options: temperature is -1, it must be above 0"},
    {"temperature that is no number",
     {SIZED, .temperature = NAN},
     KLDVE_E_ARG,
     "options: temperature is nan, it must be above 0"},
    {"perplexity 1",
     {SIZED, .perplexity = 1},
     KLDVE_E_ARG,
     "options: perplexity is 1, it must be above 1"},
    {"neighbour_perplexity 1",
     {SIZED, .reading = KLDVE_READING_NEIGHBOURS, .neighbour_perplexity = 1},
     KLDVE_E_ARG,
     "options: neighbour_perplexity is 1, it must be above 1"},
    {"negative neighbour_perplexity",
     {SIZED, .neighbour_perplexity = -3},
     KLDVE_E_ARG,
     "options: neighbour_perplexity is -3, it must be above 1"},
    {"neighbour_perplexity of another reading",
     {SIZED, .reading = KLDVE_READING_RIVALS, .neighbour_perplexity = 3},
     KLDVE_E_ARG,
     "options: neighbour_perplexity is set, but the reading rivals does not read it: leave it at "
     "0, or choose the reading neighbours"},
    {"neighbour_perplexity of another method",
     {SIZED, .method = "grad-cam", .neighbour_perplexity = 3},
     KLDVE_E_ARG,
     "options: neighbour_perplexity is set, but the method grad-cam does not read it: leave it at "
     "0"},
    {"neighbour_perplexity of a class against a rival",
     {SIZED, .reading = KLDVE_READING_NEIGHBOURS, .neighbour_perplexity = 3,
      .target_kind = KLDVE_TARGET_VERSUS, .target = 1, .rival = 2},
     KLDVE_E_ARG,
     "options: neighbour_perplexity is set, but a class against a rival does not read it: leave it "
     "at 0"},
    {"unknown flag", {SIZED, .flags = 6}, KLDVE_E_UNSUPPORTED, "options: unknown flags 0x6"},
    {"index behind the last class",
     {SIZED, .target_kind = KLDVE_TARGET_INDEX, .target = 5},
     KLDVE_E_ARG,
     "broken: target index 5 is not among the 5 classes (0 to 4)"},
    {"negative rank",
     {SIZED, .target = -1},
     KLDVE_E_ARG,
     "broken: target rank -1 is not among the 5 classes (0 to 4)"},
};

static void check_option(void **state)
{
    const struct option_case *c = *state;
    const broken_config config = {INNER};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[INPUTS];

    input_of(input);
    assert_int_equal(kldve_explainer_new(ctx, &broken_backend, &config, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, input, &c->options, &map), c->status);
    assert_string_equal(kldve_ctx_message(ctx), c->message);
    assert_null(map);
    /* None of it spoils the explainer. */
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_OK);
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- later releases --------------------------------------------------------------------------- */

/* A program compiled against a later release, with a longer struct. */
static void test_newer_options(void **state)
{
    struct {
        kldve_options known;
        uint64_t unknown;
    } newer = {{.struct_size = sizeof newer}, 0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[INPUTS];

    (void)state;
    input_of(input);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, input, &newer.known, &map), KLDVE_OK);
    kldve_heatmap_free(map);
    map = NULL;
    newer.unknown = 1;
    assert_int_equal(kldve_explain_input(ex, input, &newer.known, &map), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(ctx), "kldve_options: byte "));
    assert_null(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
}

/* Options of a later release: what it added may be there as long as it says nothing. */
static void test_later_release(void **state)
{
    fixture *f = *state;
    struct {
        kldve_options known;
        double added[2];
    } later = {.known = {.method = "hires-cam",
                         .target_kind = KLDVE_TARGET_VERSUS,
                         .target = 2,
                         .rival = 5,
                         .sign = KLDVE_SIGN_SIGNED,
                         .smooth = 1}};
    kldve_heatmap *expected = fixture_explain(f, later.known), *map = NULL;

    later.known.struct_size = sizeof later;
    assert_int_equal(kldve_explain_input(f->ex, f->input, &later.known, &map), KLDVE_OK);
    assert_memory_equal(got_values(map), got_values(expected), CELLS * sizeof(float));
    kldve_heatmap_free(map);
    map = NULL;
    later.added[1] = 1;
    assert_int_equal(kldve_explain_input(f->ex, f->input, &later.known, &map), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(f->ctx), "kldve_options: byte "));
    assert_null(map);
    later.known.struct_size = offsetof(kldve_options, method); /* nothing but the size */
    assert_int_equal(kldve_explain_input(f->ex, f->input, &later.known, &map), KLDVE_E_ARG);
    assert_null(map);
    kldve_heatmap_free(expected);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_later_release),
        cmocka_unit_test(test_newer_options),
    };
    int failed = TEST_RUN_CASES("options that are refused", option_cases, check_option);

    return failed + cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
