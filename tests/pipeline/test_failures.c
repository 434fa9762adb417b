/* test_failures.c - everything that can go wrong between opening a backend and the map: the status,
 * the message, nothing leaked, *out untouched, and the explainer still usable afterwards. */
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/kldve.h>

#include "backends/broken.h"
#include "backends/tiny.h"

enum { CLASSES = 5, CELLS = 12, MAPS = 6, INPUTS = 2 * CELLS * TINY_PATCH * TINY_PATCH };

static const tiny_config net = {2, 3, 4, MAPS, CLASSES, 77, true};

/* What happens with one broken step. */
struct failure {
    const char *name;
    broken_config config;
    kldve_status status;
    const char *message; /* all of it */
};

#define INNER .inner = &tiny_backend, .inner_config = &net
#define SHAPE(...)                                                                                 \
    {                                                                                              \
        sizeof(kldve_shape), __VA_ARGS__, 0                                                        \
    }

static const struct failure failures[] = {
    {"open fails with a reason",
     {INNER, .step = BROKEN_OPEN, .status = KLDVE_E_FORMAT, .message = "the file is damaged"},
     KLDVE_E_FORMAT,
     "broken: open: the file is damaged"},
    {"open fails without a reason",
     {INNER, .step = BROKEN_OPEN, .status = KLDVE_E_IO},
     KLDVE_E_IO,
     "broken: open: input or output error"},
    {"open returns what is no status",
     {INNER, .step = BROKEN_OPEN, .status = (kldve_status)1},
     KLDVE_E_BACKEND,
     "broken: open: returned 1, which is not a status"},
    {"input of no height",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 0, 8, 5, 6, 3, 4)},
     KLDVE_E_ARG,
     "broken: shape: the input is 3 x 0 x 8, all sizes must be at least 1"},
    {"negative number of maps",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 8, 8, 5, -6, 3, 4)},
     KLDVE_E_ARG,
     "broken: shape: the feature maps are -6 x 3 x 4, all sizes must be at least 1"},
    {"two classes",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 8, 8, 2, 6, 3, 4)},
     KLDVE_E_UNSUPPORTED,
     "broken: shape: 2 classes, the method needs at least 3"},
    {"no class",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 8, 8, 0, 6, 3, 4)},
     KLDVE_E_ARG,
     "broken: shape: 0 classes, the method needs at least 3"},
    {"sizes that overflow",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(INT32_MAX, INT32_MAX, INT32_MAX, 5, 6, 3, 4)},
     KLDVE_E_LIMIT,
     "broken: shape: an array has more values than can be addressed"},
    {"more cells than BLAS can count",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 8, 8, 5, 1, 65536, 65536)},
     KLDVE_E_LIMIT,
     "broken: shape: an array has more values than can be addressed"},
    {"forward fails with a reason",
     {INNER, .step = BROKEN_FORWARD, .status = KLDVE_E_BACKEND, .message = "the driver is gone"},
     KLDVE_E_BACKEND,
     "broken: forward: the driver is gone"},
    {"forward fails without a reason",
     {INNER, .step = BROKEN_FORWARD, .status = KLDVE_E_BACKEND},
     KLDVE_E_BACKEND,
     "broken: forward: backend failure"},
    {"logit that is not a number",
     {INNER, .step = BROKEN_LOGITS, .poison = NAN},
     KLDVE_E_NUMERIC,
     "broken: logit 1 of 5 is not a number"},
    {"infinite logit",
     {INNER, .step = BROKEN_LOGITS, .poison = INFINITY},
     KLDVE_E_NUMERIC,
     "broken: logit 1 of 5 is infinite"},
    {"infinite feature",
     {INNER, .step = BROKEN_FEATURES, .poison = -INFINITY},
     KLDVE_E_NUMERIC,
     "broken: feature 71 of 72 is minus infinity"},
    {"backward fails",
     {INNER, .step = BROKEN_VJP, .status = KLDVE_E_UNSUPPORTED, .message = "Gelu has no VJP"},
     KLDVE_E_UNSUPPORTED,
     "broken: backward: Gelu has no VJP"},
    {"gradient that is not a number",
     {INNER, .step = BROKEN_GRADIENT, .poison = NAN},
     KLDVE_E_NUMERIC,
     "broken: gradient 0 of 72 is not a number"},
};

static void input_of(float *input)
{
    uint64_t seed = 9;

    for (int i = 0; i < INPUTS; i++)
        input[i] = (float)test_normal(&seed);
}

static void check_failure(void **state)
{
    const struct failure *f = *state;
    broken_config config = f->config;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *const no_explainer = (kldve_explainer *)(void *)&heap;
    kldve_heatmap *const no_map = (kldve_heatmap *)(void *)&heap;
    kldve_explainer *ex = no_explainer;
    kldve_heatmap *map = no_map;
    float input[INPUTS];
    long open_states = 0;
    kldve_status st;

    input_of(input);
    config.open_states = &open_states;
    st = kldve_explainer_new(ctx, &broken_backend, &config, &ex);
    if (st == KLDVE_OK) {
        st = kldve_explain_input(ex, input, NULL, &map);
        assert_ptr_equal(map, no_map);
        kldve_explainer_free(ex);
    } else {
        assert_ptr_equal(ex, no_explainer);
    }
    assert_int_equal(st, f->status);
    assert_string_equal(kldve_ctx_message(ctx), f->message);
    assert_int_equal(open_states, 0);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- tables that are not backends ------------------------------------------------------------- */

static void refuse_table(const kldve_backend *backend, const char *message)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    assert_int_equal(kldve_explainer_new(ctx, backend, &net, &ex), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), message);
    assert_null(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_tables(void **state)
{
    kldve_backend b = tiny_backend;

    (void)state;
    refuse_table(NULL, "the backend is NULL");
    b.struct_size = 0;
    refuse_table(&b, "kldve_backend: struct_size is 0; set it to sizeof(kldve_backend)");
    b = tiny_backend;
    b.name = NULL;
    refuse_table(&b, "backend without a name: the table has no name");
    b = tiny_backend;
    b.forward = NULL;
    refuse_table(&b, "backend tiny: the table has no forward");
    b = tiny_backend;
    b.close = NULL;
    refuse_table(&b, "backend tiny: the table has no close");
}

/* -- options ---------------------------------------------------------------------------------- */

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
    {"no such reading", {SIZED, .reading = 5}, KLDVE_E_ARG, "options: unknown reading 5"},
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
    {"set with a class that is none",
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
    {"rival that is none",
     {SIZED, .target_kind = KLDVE_TARGET_VERSUS, .target = 1, .rival = 5},
     KLDVE_E_ARG,
     "broken: rival 5 is not among the 5 classes (0 to 4)"},
    {"truth with rivals",
     {SIZED, .truth = truth, .reading = KLDVE_READING_RIVALS},
     KLDVE_E_ARG,
     "options: the reading rivals explains a class, not a truth: choose channel or contrast"},
    {"truth that is no number",
     {SIZED, .truth = bad_truth},
     KLDVE_E_NUMERIC,
     "truth: entry 1 is not a number"},
    {"no such sign", {SIZED, .sign = 4}, KLDVE_E_ARG, "options: unknown sign 4"},
    {"negative samples",
     {SIZED, .samples = -1},
     KLDVE_E_ARG,
     "options: samples, window and stride must not be negative"},
    {"noise above 1", {SIZED, .noise = 1.5}, KLDVE_E_ARG, "options: noise is 1.5, it must be 0 to 1"},
    {"smooth 2", {SIZED, .smooth = 2}, KLDVE_E_ARG, "options: smooth is 2, it must be 0 or 1"},
    {"reserved member",
     {SIZED, .reserved = 1},
     KLDVE_E_UNSUPPORTED,
     "options: a reserved member is set, it must be 0"},
    {"negative temperature",
     {SIZED, .temperature = -1},
     KLDVE_E_ARG,
     "options: temperature is -1, it must be above 0"},
    {"temperature that is no number",
     {SIZED, .temperature = NAN},
     KLDVE_E_ARG,
     "options: temperature is nan, it must be above 0"},
    {"perplexity 1", {SIZED, .perplexity = 1}, KLDVE_E_ARG, "options: perplexity is 1, it must be above 1"},
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

/* -- without a VJP ---------------------------------------------------------------------------- */

static void test_no_vjp(void **state)
{
    static const struct {
        const char *method;
        int32_t reading;
        const char *message; /* NULL: works */
    } cases[] = {
        {NULL, KLDVE_READING_PAPER, NULL},
        {"lafam", 0, NULL},
        {"eigen-cam", 0, NULL},
        {NULL, KLDVE_READING_CHANNEL,
         "plain: the reading channel needs a gradient, which this backend cannot give (the reading "
         "paper needs none)"},
        {NULL, 0,
         "plain: the reading contrast needs a gradient, which this backend cannot give (the "
         "reading "
         "paper needs none)"},
        {"grad-cam", 0,
         "plain: the method grad-cam needs a gradient, which this backend cannot give (the reading "
         "paper needs none)"},
    };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    float input[INPUTS];

    (void)state;
    input_of(input);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend_plain, &net, &ex), KLDVE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kldve_options o = {SIZED, .method = cases[i].method, .reading = cases[i].reading};
        kldve_heatmap *map = NULL;
        kldve_status st = kldve_explain_input(ex, input, &o, &map);

        assert_int_equal(st, cases[i].message ? KLDVE_E_NO_VJP : KLDVE_OK);
        if (cases[i].message)
            assert_string_equal(kldve_ctx_message(ctx), cases[i].message);
        kldve_heatmap_free(map);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- calls that fail and calls that do not ---------------------------------------------------- */

/* A backend without a reason must not be given that of an older failure, and a success in between
 * must not make the older one disappear. */
static void test_messages_do_not_mix(void **state)
{
    broken_config config = {INNER, .step = BROKEN_FORWARD, .status = KLDVE_E_BACKEND, .after = 1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[INPUTS];

    (void)state;
    input_of(input);
    kldve_ctx_fail(ctx, KLDVE_E_IO, "an older failure");
    assert_int_equal(kldve_explainer_new(ctx, &broken_backend, &config, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_OK);
    assert_string_equal(kldve_ctx_message(ctx), "an older failure");
    kldve_heatmap_free(map);
    map = NULL;
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_E_BACKEND);
    assert_string_equal(kldve_ctx_message(ctx), "broken: forward: backend failure");
    assert_null(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static int32_t stop_at(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)done;
    (void)total;
    return strcmp(stage, opaque) == 0;
}

static void test_cancel(void **state)
{
    static const char *const stages[] = {"forward", "backward"};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[INPUTS];

    (void)state;
    input_of(input);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, &ex), KLDVE_OK);
    for (size_t i = 0; i < 2; i++) {
        char stage[16];

        strcpy(stage, stages[i]);
        kldve_ctx_set_progress(ctx, stop_at, stage);
        assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_E_CANCELLED);
        assert_non_null(strstr(kldve_ctx_message(ctx), stage));
        assert_null(map);
    }
    kldve_ctx_set_progress(ctx, NULL, NULL);
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_OK);
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_null_arguments(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[INPUTS] = {0};

    (void)state;
    assert_int_equal(kldve_explainer_new(NULL, &tiny_backend, &net, &ex), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(NULL, input, NULL, &map), KLDVE_E_ARG);
    assert_int_equal(kldve_explain_input(ex, NULL, NULL, &map), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "explain: the input is NULL");
    assert_int_equal(kldve_explain_input(ex, input, NULL, NULL), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "explain: the result is NULL");
    assert_int_equal(kldve_explain(NULL, NULL, NULL, &map), KLDVE_E_ARG);
    assert_int_equal(kldve_explain(ex, NULL, NULL, &map), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "explain: the picture is NULL");
    assert_int_equal(kldve_explainer_set_input(NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_set_input(ex, NULL), KLDVE_E_ARG);
    kldve_explainer_free(NULL);
    kldve_heatmap_free(NULL);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

enum {
    FAILURES = sizeof failures / sizeof *failures,
    OPTION_CASES = sizeof option_cases / sizeof *option_cases
};

int main(void)
{
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(test_tables), cmocka_unit_test(test_newer_options),
        cmocka_unit_test(test_no_vjp), cmocka_unit_test(test_messages_do_not_mix),
        cmocka_unit_test(test_cancel), cmocka_unit_test(test_null_arguments),
    };
    struct CMUnitTest named[FAILURES + OPTION_CASES];
    int failed;

    memset(named, 0, sizeof named);
    for (size_t i = 0; i < FAILURES; i++) {
        named[i].name = failures[i].name;
        named[i].test_func = check_failure;
        named[i].initial_state = (void *)(uintptr_t)&failures[i];
    }
    for (size_t i = 0; i < OPTION_CASES; i++) {
        named[FAILURES + i].name = option_cases[i].name;
        named[FAILURES + i].test_func = check_option;
        named[FAILURES + i].initial_state = (void *)(uintptr_t)&option_cases[i];
    }
    failed = cmocka_run_group_tests_name("failures by stage", named, NULL, NULL);
    return failed + cmocka_run_group_tests_name("failures", rest, NULL, NULL);
}
