/* test_class_correlation.c - the map against the maps of other classes, which are explained here by
 * their index. */
#include "backends/fixture.h"

#include <math.h>

#include <kldve/metrics.h>

/* -- by other means: rank by counting, correlation by moments --------------------------------- */

/* How many classes have more, the earlier of equal ones first. */
static int rank_of(const float *k, int n, int c)
{
    int rank = 0;

    for (int i = 0; i < n; i++)
        rank += k[i] > k[c] || (k[i] == k[c] && i < c);
    return rank;
}

static int32_t class_at(const float *k, int n, int rank)
{
    for (int c = 0; c < n; c++)
        if (rank_of(k, n, c) == rank)
            return c;
    return -1;
}

static double correlation(const float *a, const float *b, int n)
{
    long double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;

    for (int i = 0; i < n; i++) {
        sa += (long double)a[i];
        sb += (long double)b[i];
        saa += (long double)a[i] * (long double)a[i];
        sbb += (long double)b[i] * (long double)b[i];
        sab += (long double)a[i] * (long double)b[i];
    }
    return (double)((n * sab - sa * sb) / sqrtl((n * saa - sa * sa) * (n * sbb - sb * sb)));
}

/* Of the map and the one of another class. */
static double expected(fixture *f, const kldve_heatmap *map, kldve_options o, int32_t other)
{
    float a[PIXELS], b[PIXELS];
    kldve_heatmap *second;

    o.target_kind = KLDVE_TARGET_INDEX;
    o.target = other;
    second = fixture_explain(f, o);
    assert_int_equal(kldve_heatmap_upsample(f->ctx, map, IN_W, IN_H, 0, a), KLDVE_OK);
    assert_int_equal(kldve_heatmap_upsample(f->ctx, second, IN_W, IN_H, 0, b), KLDVE_OK);
    kldve_heatmap_free(second);
    return correlation(a, b, PIXELS);
}

static double measure(fixture *f, const kldve_heatmap *map, const kldve_options *o,
                      const char *name)
{
    const kldve_metric_subject s = {
        .struct_size = sizeof s, .explainer = f->ex, .input = f->input, .explained_with = o};
    double value = -7;

    assert_int_equal(kldve_metric_compute(f->ctx, map, name, &s, &value), KLDVE_OK);
    return value;
}

/* ---------------------------------------------------------------------------------------------- */

/* Every class, from above and from below the middle, with and without signs. */
static void test_classes(void **state)
{
    static const char *const methods[] = {"kl-dve", "grad-cam", "gradient-x-input"};
    static const int32_t signs[] = {KLDVE_SIGN_DEFAULT, KLDVE_SIGN_SIGNED};
    fixture *f = *state;

    for (int m = 0; m < 6; m++)
        for (int rank = 0; rank < CLASSES; rank++) {
            const kldve_options o = {.struct_size = sizeof o,
                                     .method = methods[m % 3],
                                     .sign = signs[m / 3],
                                     .target = rank};
            kldve_heatmap *map = fixture_explain(f, o);
            const float *k;
            int32_t n, second, median;

            assert_int_equal(kldve_heatmap_logits(map, &k, &n), KLDVE_OK);
            second = class_at(k, n, rank == 0);
            median = class_at(k, n, rank == CLASSES / 2 ? CLASSES / 2 + 1 : CLASSES / 2);
            double s = expected(f, map, o, second), d = expected(f, map, o, median);
            double own_s = measure(f, map, &o, "class_second");
            double own_d = measure(f, map, &o, "class_median");

            assert_true(isnan(s) ? isnan(own_s) : fabs(s - own_s) < 1e-6);
            assert_true(isnan(d) ? isnan(own_d) : fabs(d - own_d) < 1e-6);
            kldve_heatmap_free(map);
        }
}

/* The reading that ignores the class has 1. */
static void test_paper(void **state)
{
    fixture *f = *state;
    const kldve_options o = {.struct_size = sizeof o, .reading = KLDVE_READING_PAPER};
    kldve_heatmap *map = fixture_explain(f, o);

    assert_true(measure(f, map, &o, "class_second") == 1);
    assert_true(measure(f, map, &o, "class_median") == 1);
    kldve_heatmap_free(map);
}

/* Classes of a set are not other classes: all but the last two, then all but one. */
static void test_set(void **state)
{
    fixture *f = *state;
    int32_t targets[CLASSES];
    kldve_heatmap *top = fixture_explain(f, (kldve_options){.method = "grad-cam"});
    const float *k;
    int32_t n;

    assert_int_equal(kldve_heatmap_logits(top, &k, &n), KLDVE_OK);
    for (int i = 0; i < CLASSES; i++)
        targets[i] = class_at(k, n, i);
    for (int count = CLASSES - 2; count < CLASSES; count++) {
        const kldve_options o = {.struct_size = sizeof o,
                                 .method = "grad-cam",
                                 .sign = KLDVE_SIGN_SIGNED,
                                 .target_kind = KLDVE_TARGET_SET,
                                 .targets = targets,
                                 .target_count = count};
        kldve_heatmap *map = fixture_explain(f, o);
        double s = expected(f, map, o, targets[count]);

        assert_true(fabs(measure(f, map, &o, "class_second") - s) < 1e-6);
        assert_true(fabs(measure(f, map, &o, "class_median") - s) < 1e-6);
        kldve_heatmap_free(map);
    }
    kldve_heatmap_free(top);
}

/* Of two classes both metrics are about the other one. */
static void test_two(void **state)
{
    fixture *f = *state;
    const tiny_config two = {CHANNELS, H, W, MAPS, 2, 101, true};
    kldve_explainer *all = f->ex;

    assert_int_equal(kldve_explainer_new(f->ctx, &tiny_backend, &two, &f->ex), KLDVE_OK);
    for (int32_t c = 0; c < 2; c++) {
        const kldve_options o = {.struct_size = sizeof o,
                                 .method = "grad-cam",
                                 .sign = KLDVE_SIGN_SIGNED,
                                 .target_kind = KLDVE_TARGET_INDEX,
                                 .target = c};
        kldve_heatmap *map = fixture_explain(f, o);
        double other = expected(f, map, o, 1 - c);

        assert_true(fabs(measure(f, map, &o, "class_second") - other) < 1e-6);
        assert_true(fabs(measure(f, map, &o, "class_median") - other) < 1e-6);
        kldve_heatmap_free(map);
    }
    kldve_explainer_free(f->ex);
    f->ex = all;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_classes, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_paper, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_set, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_two, fixture_set_up, fixture_tear_down),
    };

    return cmocka_run_group_tests_name("class_correlation", tests, NULL, NULL);
}
