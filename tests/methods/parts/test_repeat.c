/* test_repeat.c - repeated passes: the same seed gives the same map; cancelling. */
#include "../repeats.h"
#include "got.h"

#include <stdio.h>
#include <string.h>

static const char *const repeated[] = {
    "occlusion",    "prediction-difference", "rise",        "score-cam",
    "ablation-cam", "recipro-cam",           "kernel-shap", "lime"};

enum { REPEATED = sizeof repeated / sizeof *repeated };

static void test_seeds(void **state)
{
    float input[INPUTS];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    (void)state;
    draw_input(input);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &curved, &ex), KLDVE_OK);
    for (int m = 0; m < REPEATED; m++) {
        kldve_options o = {.struct_size = sizeof o, .method = repeated[m]};
        bool samples = method_named(repeated[m])->options & KLDVE_OPTION_SAMPLES;
        bool draws = method_named(repeated[m])->options & KLDVE_OPTION_SEED;
        kldve_heatmap *map[3] = {NULL, NULL, NULL};
        const float *error[2];
        size_t count, size;
        kldve_record r = {.struct_size = sizeof r};

        for (int i = 0; i < 3; i++) {
            o.samples = samples ? 30 : 0;
            o.seed = draws && i == 2;
            assert_int_equal(kldve_explain_input(ex, input, &o, &map[i]), KLDVE_OK);
        }
        assert_int_equal(kldve_heatmap_record(map[0], &r), KLDVE_OK);
        size = (size_t)r.height * (size_t)r.width * sizeof(float);
        assert_memory_equal(got_values(map[0]), got_values(map[1]), size);
        error[0] = got_error(map[0], &count);
        error[1] = got_error(map[1], &count);
        assert_true((error[0] != NULL) == (method_named(repeated[m])->random == 1));
        if (error[0]) {
            assert_memory_equal(error[0], error[1], size);
            assert_memory_not_equal(got_values(map[0]), got_values(map[2]), size);
        }
        for (int i = 0; i < 3; i++)
            kldve_heatmap_free(map[i]);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

struct stop {
    const char *stage;
    int64_t after, last;
};

static int32_t stop_after(void *opaque, const char *stage, int64_t done, int64_t total)
{
    struct stop *s = opaque;

    if (strcmp(stage, s->stage) != 0)
        return 0;
    assert_true(done >= 0 && done < total);
    s->last = done;
    return done >= s->after;
}

static void test_cancel(void **state)
{
    float input[INPUTS];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    (void)state;
    draw_input(input);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &curved, &ex), KLDVE_OK);
    for (int m = 0; m < REPEATED; m++) {
        kldve_options o = {.struct_size = sizeof o, .method = repeated[m]};
        kldve_heatmap *map = NULL;
        struct stop stop = {repeated[m], 2, -1};
        char message[64];
        long live;

        if (method_named(repeated[m])->options & KLDVE_OPTION_SAMPLES)
            o.samples = 100;
        if (strcmp(repeated[m], "score-cam") == 0)
            stop.after = 0; /* five maps are one batch */
        /* From now on, the network has what it keeps for further passes. */
        assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_OK);
        kldve_heatmap_free(map);
        map = NULL;
        live = heap.live;
        kldve_ctx_set_progress(ctx, stop_after, &stop);
        assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_E_CANCELLED);
        kldve_ctx_set_progress(ctx, NULL, NULL);
        snprintf(message, sizeof message, "cancelled during %s", repeated[m]);
        assert_string_equal(kldve_ctx_message(ctx), message);
        assert_null(map);
        assert_true(stop.last >= stop.after);
        assert_int_equal(heap.live, live);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

TEST_MAIN(repeat)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("repeat", tests, NULL, NULL);
}
