/* test_faithful.c - the quick figure of KLDVE_FLAG_CHECK: closed forms, its budget, its ends. */
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>

enum { SIDE = 4, PIXELS = SIDE * SIDE };

/* A network that looks at the first pixel: logits 20 x - 10 and 0.  Its layer is its input. */
typedef struct corner {
    kldve_ctx *ctx;
    int32_t batch;
    long *passes;
} corner;

static kldve_status corner_open(kldve_ctx *ctx, const void *config, void **state)
{
    corner *c = kldve_ctx_alloc(ctx, 1, sizeof *c);

    if (!c)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "corner");
    *c = *(const corner *)config;
    c->ctx = ctx;
    *state = c;
    return KLDVE_OK;
}

static void corner_shape(const void *state, kldve_shape *out)
{
    out->in_channels = out->maps = 1;
    out->in_height = out->in_width = out->height = out->width = SIDE;
    out->classes = 2;
    out->batch = ((const corner *)state)->batch;
}

static kldve_status corner_forward(void *state, const float *input, float *logits, float *features)
{
    ++*((corner *)state)->passes;
    logits[0] = 20 * input[0] - 10;
    logits[1] = 0;
    if (features)
        memcpy(features, input, PIXELS * sizeof *features);
    return KLDVE_OK;
}

static kldve_status corner_many(void *state, const float *inputs, float *logits, float *features)
{
    for (int32_t i = 0; i < ((corner *)state)->batch; i++)
        corner_forward(state, inputs + i * PIXELS, logits + 2 * i,
                       features ? features + i * PIXELS : NULL);
    return KLDVE_OK;
}

static kldve_status corner_vjp(void *state, const float *cotangent, float *gradient)
{
    (void)state;
    memset(gradient, 0, PIXELS * sizeof *gradient);
    gradient[0] = 20 * cotangent[0];
    return KLDVE_OK;
}

static void corner_close(void *state)
{
    corner *c = state;

    if (c)
        kldve_ctx_release(c->ctx, c);
}

static const kldve_backend corner_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "corner",
    .open = corner_open,
    .shape = corner_shape,
    .forward = corner_forward,
    .forward_many = corner_many,
    .close = corner_close,
    .vjp = corner_vjp,
};

static const float bright_corner[PIXELS] = {1,    0.1f, 0.2f,  0.3f,  0.4f,  0.5f,  0.6f,  0.7f,
                                            0.8f, 0.9f, 0.15f, 0.25f, 0.35f, 0.45f, 0.55f, 0.65f};

static kldve_record record_of(const kldve_heatmap *map)
{
    kldve_record r = {.struct_size = sizeof r};

    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    return r;
}

static kldve_record explain(const corner *config, const kldve_options *o)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    kldve_record r;

    assert_int_equal(kldve_explainer_new(ctx, &corner_backend, config, &ex), KLDVE_OK);
    if (kldve_explain_input(ex, bright_corner, o, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    r = record_of(map);
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    return r;
}

/* The probability is 1 with the first pixel and 0 without it.  With n steps the map, which ranks it
 * first, has insertion 1 - 1/2n and deletion 1/2n; the middle has it among the last, so that it
 * comes in one of the last two steps. */
static void test_closed_form(void **state)
{
    static const int32_t batches[] = {0, 4, 7};
    long passes = 0;

    (void)state;
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
        for (int32_t budget = 5; budget <= 32; budget++) {
            const corner config = {NULL, batches[b], &passes};
            const kldve_options o = {.struct_size = sizeof o,
                                     .method = "lafam",
                                     .flags = KLDVE_FLAG_CHECK,
                                     .check_passes = budget};
            kldve_record r;
            double n;

            passes = 0;
            r = explain(&config, &o);
            assert_true(r.check_passes <= budget && r.check_passes > 0);
            assert_int_equal(passes, 1 + r.check_passes);
            n = (r.check_passes + 3) / 4;
            assert_true(fabs(r.faithfulness - (1 - 1 / n)) < 1e-3);
            assert_true(r.faithfulness_control < 0);
        }
}

/* The control is the method `centre`, and the default is 32 passes at most. */
static void test_control(void **state)
{
    long passes = 0;
    const corner config = {NULL, 0, &passes};
    kldve_options o = {.struct_size = sizeof o, .method = "centre", .flags = KLDVE_FLAG_CHECK};
    kldve_record r = explain(&config, &o);

    (void)state;
    assert_int_equal(r.check_passes, 29);
    assert_true(r.faithfulness == r.faithfulness_control);
    o.check_passes = -1;
    r = explain(&config, &o);
    assert_int_equal(r.check_passes, 0);
    assert_true(isnan(r.faithfulness) && isnan(r.faithfulness_control));
    o.method = "kl-dve"; /* its map is the first pixel */
    o.flags = 0;
    o.check_passes = 0;
    r = explain(&config, &o);
    assert_true(isnan(r.faithfulness) && r.check_passes == 0);
}

/* Smoothed maps, too; of a flat map there is nothing to measure. */
static void test_maps(void **state)
{
    long passes = 0;
    const corner config = {NULL, 0, &passes};
    kldve_options o = {.struct_size = sizeof o, .smooth = 1, .flags = KLDVE_FLAG_CHECK};
    kldve_record r = explain(&config, &o);

    (void)state;
    assert_true(r.faithfulness > r.faithfulness_control);
    o.smooth = 0;
    o.target = 1; /* the other class, whose weight is negative */
    r = explain(&config, &o);
    assert_true(r.flags & KLDVE_RESULT_FLAT);
    assert_true(isnan(r.faithfulness) && r.check_passes == 0);
}

/* Several inputs have the figures of each. */
static void test_many(void **state)
{
    const kldve_options o = {.struct_size = sizeof o, .method = "lafam", .flags = KLDVE_FLAG_CHECK};
    long passes = 0;
    const corner config = {NULL, 3, &passes};
    float inputs[5 * PIXELS];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *maps[5];

    (void)state;
    for (int i = 0; i < 5 * PIXELS; i++)
        inputs[i] = bright_corner[(i + i / PIXELS) % PIXELS] + (i % PIXELS == 0 ? 0.5f : 0);
    assert_int_equal(kldve_explainer_new(ctx, &corner_backend, &config, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_inputs(ex, inputs, 5, &o, maps), KLDVE_OK);
    for (int i = 0; i < 5; i++) {
        kldve_record many = record_of(maps[i]), one;
        kldve_heatmap *map = NULL;

        assert_int_equal(kldve_explain_input(ex, inputs + i * PIXELS, &o, &map), KLDVE_OK);
        one = record_of(map);
        assert_true(many.faithfulness == one.faithfulness);
        assert_true(many.faithfulness_control == one.faithfulness_control);
        assert_int_equal(many.check_passes, one.check_passes);
        kldve_heatmap_free(map);
        kldve_heatmap_free(maps[i]);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- how it ends ------------------------------------------------------------------------------ */

static int32_t stop_in_check(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)total;
    *(long *)opaque += strcmp(stage, "check") == 0;
    return strcmp(stage, "check") == 0 && done >= 4;
}

static void test_cancel(void **state)
{
    const kldve_options o = {.struct_size = sizeof o, .flags = KLDVE_FLAG_CHECK};
    long passes = 0, polls = 0;
    const corner config = {NULL, 4, &passes};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explainer_new(ctx, &corner_backend, &config, &ex), KLDVE_OK);
    kldve_ctx_set_progress(ctx, stop_in_check, &polls);
    assert_int_equal(kldve_explain_input(ex, bright_corner, &o, &map), KLDVE_E_CANCELLED);
    assert_null(map);
    assert_int_equal(polls, 2);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_no_memory(void **state)
{
    const kldve_options o = {.struct_size = sizeof o, .flags = KLDVE_FLAG_CHECK};
    long passes = 0;
    const corner config = {NULL, 0, &passes};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    kldve_status st = KLDVE_E_NOMEM;

    (void)state;
    assert_int_equal(kldve_explainer_new(ctx, &corner_backend, &config, &ex), KLDVE_OK);
    for (long budget = 0; st != KLDVE_OK; budget++) {
        heap.budget = budget;
        st = kldve_explain_input(ex, bright_corner, &o, &map);
        assert_true(st == KLDVE_OK ? budget > 7 : st == KLDVE_E_NOMEM && !map);
        assert_true(budget < 64);
    }
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* What cannot run again says so where passes are asked for. */
static void test_arrays(void **state)
{
    static const float logits[3] = {3, 1, 0};
    const kldve_arrays a = {.struct_size = sizeof a,
                            .logits = logits,
                            .features = bright_corner,
                            .classes = 3,
                            .maps = 1,
                            .height = SIDE,
                            .width = SIDE};
    kldve_options o = {.struct_size = sizeof o, .method = "lafam", .flags = KLDVE_FLAG_CHECK};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map), KLDVE_OK);
    assert_true(isnan(record_of(map).faithfulness));
    kldve_heatmap_free(map);
    o.check_passes = 32;
    assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(ctx), "the network itself for check_passes"));
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_form), cmocka_unit_test(test_control),
        cmocka_unit_test(test_maps),        cmocka_unit_test(test_many),
        cmocka_unit_test(test_cancel),      cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_arrays),
    };

    return cmocka_run_group_tests_name("faithful", tests, NULL, NULL);
}
