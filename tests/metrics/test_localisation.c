/* test_localisation.c - maps against where the object is, the spread of maps: numbers of
 * reference.py, and what is left over. */
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/metrics.h>

#include "cases.h"
#include "drawn_map.h"

enum {
    TRUTHS = sizeof truth_cases / sizeof *truth_cases,
    MAPS = sizeof map_cases / sizeof *map_cases
};

static const struct figure {
    const char *name;
    kldve_metric_options options;
} figures[7] = {
    {"pointing_game", {.struct_size = sizeof(kldve_metric_options)}},
    {"pointing_game", {.struct_size = sizeof(kldve_metric_options), .tolerance = 2}},
    {"energy_inside", {.struct_size = sizeof(kldve_metric_options)}},
    {"relevance_rank", {.struct_size = sizeof(kldve_metric_options)}},
    {"top_inside", {.struct_size = sizeof(kldve_metric_options)}},
    {"top_inside", {.struct_size = sizeof(kldve_metric_options), .part = 0.25}},
    {"best_iou", {.struct_size = sizeof(kldve_metric_options)}},
};

static double measure(kldve_ctx *ctx, const kldve_heatmap *map, const struct figure *f,
                      const uint8_t *truth)
{
    const kldve_metric_subject subject = {
        .struct_size = sizeof subject, .truth = truth, .options = &f->options};
    double value = -1;

    assert_int_equal(kldve_metric_compute(ctx, map, f->name, &subject, &value), KLDVE_OK);
    return value;
}

static void fill_box(uint8_t truth[PAIR_COUNT], const int box[4])
{
    memset(truth, 0, PAIR_COUNT);
    for (int y = box[1]; y < box[3]; y++)
        for (int x = box[0]; x < box[2]; x++)
            truth[y * PAIR_WIDTH + x] = 255;
}

static void test_inside(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t truth[PAIR_COUNT];
    float value[PAIR_COUNT];

    (void)state;
    for (int i = 0; i < TRUTHS; i++) {
        const struct truth_case *c = &truth_cases[i];

        pair_make(map_cases[c->map].rule, value);
        fill_box(truth, c->box);
        kldve_heatmap *map = drawn_map(ctx, value, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_DEFAULT);

        for (int j = 0; j < 7; j++)
            if (fabs(measure(ctx, map, &figures[j], truth) - c->expected[j]) > 1e-6)
                fail_msg("case %d, %s: %g, not %g", i, figures[j].name,
                         measure(ctx, map, &figures[j], truth), c->expected[j]);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_spread(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    float value[PAIR_COUNT];
    double entropy, gini;

    (void)state;
    for (int i = 0; i < MAPS; i++) {
        pair_make(map_cases[i].rule, value);
        kldve_heatmap *map = drawn_map(ctx, value, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_DEFAULT);

        assert_int_equal(kldve_metric_compute(ctx, map, "entropy", NULL, &entropy), KLDVE_OK);
        assert_int_equal(kldve_metric_compute(ctx, map, "gini", NULL, &gini), KLDVE_OK);
        assert_true(fabs(entropy - map_cases[i].entropy) < 1e-6);
        assert_true(fabs(gini - map_cases[i].gini) < 1e-6);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* No object: no number.  A flat map: what chance gives, but no share of an energy that is 0. */
static void test_nothing(void **state)
{
    static const float flat[PAIR_COUNT];
    static const uint8_t none[PAIR_COUNT];
    const double chance = 8.0 * 5 / PAIR_COUNT;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t truth[PAIR_COUNT];
    float value[PAIR_COUNT];
    double spread = 0;

    (void)state;
    fill_box(truth, (const int[4]){4, 3, 12, 8});
    pair_make(map_cases[0].rule, value);
    kldve_heatmap *map = drawn_map(ctx, value, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_DEFAULT);
    kldve_heatmap *empty = drawn_map(ctx, flat, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_DEFAULT);

    for (int j = 0; j < 7; j++) {
        double found = measure(ctx, empty, &figures[j], truth);

        assert_true(isnan(measure(ctx, map, &figures[j], none)));
        assert_true(isnan(measure(ctx, empty, &figures[j], none)));
        if (strcmp(figures[j].name, "energy_inside") == 0)
            assert_true(isnan(found));
        else if (figures[j].options.tolerance == 0)
            assert_true(fabs(found - chance) < 1e-12);
    }
    assert_int_equal(kldve_metric_compute(ctx, empty, "entropy", NULL, &spread), KLDVE_OK);
    assert_true(isnan(spread));
    assert_int_equal(kldve_metric_compute(ctx, empty, "gini", NULL, &spread), KLDVE_OK);
    assert_true(isnan(spread));
    kldve_heatmap_free(map);
    kldve_heatmap_free(empty);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* What speaks against the target is not evidence for it: the figures of a map with signs are those
 * of its positive part. */
static void test_signs(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t truth[PAIR_COUNT];
    float value[PAIR_COUNT], positive[PAIR_COUNT];

    (void)state;
    fill_box(truth, (const int[4]){2, 5, 4, 13});
    pair_make(map_cases[0].rule, value);
    for (int i = 0; i < PAIR_COUNT; i++) {
        value[i] -= 0.25f;
        positive[i] = value[i] > 0 ? value[i] : 0;
    }
    kldve_heatmap *with = drawn_map(ctx, value, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_SIGNED);
    kldve_heatmap *without = drawn_map(ctx, positive, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_DEFAULT);

    for (int j = 0; j < 7; j++)
        assert_true(fabs(measure(ctx, with, &figures[j], truth) -
                         measure(ctx, without, &figures[j], truth)) < 1e-6);
    kldve_heatmap_free(with);
    kldve_heatmap_free(without);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_one_cell(void **state)
{
    const float one = 1;
    const uint8_t yes = 1;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = drawn_map(ctx, &one, 1, 1, KLDVE_SIGN_DEFAULT);

    (void)state;
    for (int j = 0; j < 7; j++) {
        double found = measure(ctx, map, &figures[j], &yes);

        assert_true(strcmp(figures[j].name, "energy_inside") == 0 ? isnan(found) : found == 1);
    }
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_refused(void **state)
{
    static const float flat[4];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = drawn_map(ctx, flat, 2, 2, KLDVE_SIGN_DEFAULT);
    const uint8_t truth[4] = {1};
    kldve_metric_options o = {.struct_size = sizeof o, .tolerance = -1};
    const kldve_metric_subject subject = {
        .struct_size = sizeof subject, .truth = truth, .options = &o};
    double value = 7;

    (void)state;
    for (int j = 0; j < 7; j++) {
        assert_int_equal(kldve_metric_compute(ctx, map, figures[j].name, NULL, &value),
                         KLDVE_E_UNSUPPORTED);
        assert_non_null(strstr(kldve_ctx_message(ctx), "where the object is"));
    }
    assert_int_equal(kldve_metric_compute(ctx, map, "pointing_game", &subject, &value),
                     KLDVE_E_ARG);
    o.tolerance = (double)NAN;
    assert_int_equal(kldve_metric_compute(ctx, map, "pointing_game", &subject, &value),
                     KLDVE_E_ARG);
    o.tolerance = 1;
    assert_int_equal(kldve_metric_compute(ctx, map, "best_iou", &subject, &value), KLDVE_E_ARG);
    assert_true(value == 7);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inside),   cmocka_unit_test(test_spread),
        cmocka_unit_test(test_nothing),  cmocka_unit_test(test_signs),
        cmocka_unit_test(test_one_cell), cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("localisation", tests, NULL, NULL);
}
