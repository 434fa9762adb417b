/* test_agreement.c - two maps: figures of SciPy and scikit-image, through heat maps and arrays. */
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/metrics.h>

#include "../stages/pairs.h"
#include "drawn_map.h"

static double of_maps(kldve_ctx *ctx, const kldve_heatmap *a, const kldve_heatmap *b,
                      const char *name)
{
    const kldve_metric_subject subject = {.struct_size = sizeof subject, .other = b};
    double value = -7;

    assert_int_equal(kldve_metric_compute(ctx, a, name, &subject, &value), KLDVE_OK);
    return value;
}

static double of_arrays(kldve_ctx *ctx, const float *a, const float *b, const char *name)
{
    const float *const maps[2] = {a, b};
    double value = -7;

    assert_int_equal(kldve_agreement(ctx, name, maps, PAIR_HEIGHT, PAIR_WIDTH, NULL, &value),
                     KLDVE_OK);
    return value;
}

static void check(kldve_ctx *ctx, const float *a, const float *b, const char *name, double expected)
{
    kldve_heatmap *first = drawn_map(ctx, a, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_DEFAULT);
    kldve_heatmap *second = drawn_map(ctx, b, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_DEFAULT);
    double heat = of_maps(ctx, first, second, name), array = of_arrays(ctx, a, b, name);

    if (fabs(heat - expected) > 1e-6 || fabs(array - expected) > 1e-9)
        fail_msg("%s: %g of maps, %g of arrays, not %g", name, heat, array, expected);
    kldve_heatmap_free(first);
    kldve_heatmap_free(second);
}

static void test_figures(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    float a[PAIR_COUNT], b[PAIR_COUNT];

    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        double mean = 0, most = 0;

        pair_make(pairs[i].a, a);
        pair_make(pairs[i].b, b);
        for (int j = 0; j < PAIR_COUNT; j++) {
            mean += fabs((double)a[j] - (double)b[j]) / PAIR_COUNT;
            most = fmax(most, fabs((double)a[j] - (double)b[j]));
        }
        check(ctx, a, b, "pearson", pairs[i].pearson);
        check(ctx, a, b, "spearman", pairs[i].spearman);
        check(ctx, a, b, "ssim", pairs[i].ssim);
        check(ctx, a, b, "mean_difference", mean);
        check(ctx, a, b, "max_difference", most);
        check(ctx, a, a, "top_overlap", 1);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Another unit changes only the differences. */
static void test_unit(void **state)
{
    static const char *const same[] = {"pearson", "spearman", "ssim", "top_overlap"};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    float a[PAIR_COUNT], b[PAIR_COUNT], c[PAIR_COUNT], d[PAIR_COUNT];

    (void)state;
    pair_make(pairs[1].a, a);
    pair_make(pairs[1].b, b);
    for (int i = 0; i < PAIR_COUNT; i++) {
        c[i] = 512 * a[i];
        d[i] = 512 * b[i];
    }
    for (int i = 0; i < 4; i++)
        assert_true(fabs(of_arrays(ctx, a, b, same[i]) - of_arrays(ctx, c, d, same[i])) < 1e-9);
    assert_true(fabs(512 * of_arrays(ctx, a, b, "mean_difference") -
                     of_arrays(ctx, c, d, "mean_difference")) < 1e-9);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Signs are kept: a map and its negative disagree. */
static void test_signs(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    float a[PAIR_COUNT], b[PAIR_COUNT];

    (void)state;
    pair_make(pairs[0].a, a);
    for (int i = 0; i < PAIR_COUNT; i++) {
        a[i] -= 0.5f;
        b[i] = -a[i];
    }
    kldve_heatmap *first = drawn_map(ctx, a, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_SIGNED);
    kldve_heatmap *second = drawn_map(ctx, b, PAIR_HEIGHT, PAIR_WIDTH, KLDVE_SIGN_SIGNED);

    assert_true(fabs(of_maps(ctx, first, second, "pearson") + 1) < 1e-6);
    assert_true(fabs(of_maps(ctx, first, second, "spearman") + 1) < 1e-6);
    assert_true(fabs(of_maps(ctx, first, second, "max_difference") - 1) < 1e-6);
    kldve_heatmap_free(first);
    kldve_heatmap_free(second);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* A constant map has no correlation, a small one no window; both have differences. */
static void test_nothing(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    float a[PAIR_COUNT], flat[PAIR_COUNT];
    const float *const small[2] = {a, flat};
    double value = 0;

    (void)state;
    pair_make(pairs[0].a, a);
    for (int i = 0; i < PAIR_COUNT; i++)
        flat[i] = 0.3f;
    assert_true(isnan(of_arrays(ctx, a, flat, "pearson")));
    assert_true(isnan(of_arrays(ctx, flat, a, "spearman")));
    assert_true(isnan(of_arrays(ctx, flat, flat, "pearson")));
    assert_true(of_arrays(ctx, flat, flat, "max_difference") == 0);
    assert_true(fabs(of_arrays(ctx, flat, flat, "ssim") - 1) < 1e-12);
    assert_int_equal(kldve_agreement(ctx, "ssim", small, 10, 11, NULL, &value), KLDVE_OK);
    assert_true(isnan(value));
    assert_int_equal(kldve_agreement(ctx, "pearson", small, 1, 1, NULL, &value), KLDVE_OK);
    assert_true(isnan(value));
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static kldve_status host_compute(const kldve_metric_job *job, double *value)
{
    (void)job;
    *value = 0;
    return KLDVE_OK;
}

static void expect(kldve_ctx *ctx, kldve_status st, const char *text)
{
    assert_true(st < 0);
    if (!strstr(kldve_ctx_message(ctx), text))
        fail_msg("\"%s\" should have \"%s\"", kldve_ctx_message(ctx), text);
}

static void test_refused(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    float a[4] = {0, 1, 0.5f, 2}, bad[4] = {0, 1, NAN, 2};
    const float *const maps[2] = {a, a}, *const wrong[2] = {a, bad}, *const none[2] = {a, NULL};
    kldve_metric_options o = {.struct_size = sizeof o, .part = 0.5};
    const kldve_metric own = {.struct_size = sizeof own,
                              .name = "own",
                              .low = 0,
                              .high = 1,
                              .compute = host_compute,
                              .needs = KLDVE_METRIC_NEED_OTHER,
                              .family = "agreement"};
    double value = 7;

    (void)state;
    expect(ctx, kldve_agreement(ctx, "pearson", maps, 0, 2, NULL, &value), "0 x 2");
    expect(ctx, kldve_agreement(ctx, "pearson", maps, 65536, 65536, NULL, &value), "65536");
    expect(ctx, kldve_agreement(ctx, "pearson", wrong, 2, 2, NULL, &value), "not a number");
    expect(ctx, kldve_agreement(ctx, "pearson", none, 2, 2, NULL, &value), "NULL");
    expect(ctx, kldve_agreement(ctx, "pearson", NULL, 2, 2, NULL, &value), "NULL");
    expect(ctx, kldve_agreement(ctx, "nothing", maps, 2, 2, NULL, &value), "nothing");
    expect(ctx, kldve_agreement(ctx, "energy_area", maps, 2, 2, NULL, &value), "energy_area");
    expect(ctx, kldve_agreement(ctx, "pearson", maps, 2, 2, &o, &value), "part");
    o.part = 2;
    expect(ctx, kldve_agreement(ctx, "top_overlap", maps, 2, 2, &o, &value), "part");
    assert_int_equal(kldve_metric_register(ctx, &own), KLDVE_OK);
    expect(ctx, kldve_agreement(ctx, "own", maps, 2, 2, NULL, &value), "own");
    assert_int_equal(kldve_agreement(NULL, "pearson", maps, 2, 2, NULL, &value), KLDVE_E_ARG);
    assert_true(value == 7);
    o.part = 0.5;
    assert_int_equal(kldve_agreement(ctx, "top_overlap", maps, 2, 2, &o, &value), KLDVE_OK);
    assert_true(value == 1);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* As heat maps are scaled up. */
static void test_upsample(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    const float small[6] = {0, 1, 0.25f, 0.5f, 0.75f, 0.125f};
    float own[7 * 9], expected[7 * 9];
    kldve_heatmap *map = drawn_map(ctx, small, 2, 3, KLDVE_SIGN_DEFAULT);

    (void)state;
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 9, 7, 0, expected), KLDVE_OK);
    assert_int_equal(kldve_map_upsample(ctx, small, 2, 3, own, 7, 9), KLDVE_OK);
    assert_memory_equal(own, expected, sizeof own);
    expect(ctx, kldve_map_upsample(ctx, small, 0, 3, own, 7, 9), "0 x 3");
    expect(ctx, kldve_map_upsample(ctx, small, 2, 3, own, 7, -1), "7 x -1");
    expect(ctx, kldve_map_upsample(ctx, NULL, 2, 3, own, 7, 9), "NULL");
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures), cmocka_unit_test(test_unit),
        cmocka_unit_test(test_signs),   cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_upsample),
    };

    return cmocka_run_group_tests_name("agreement", tests, NULL, NULL);
}
