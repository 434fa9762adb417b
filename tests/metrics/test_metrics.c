/* test_metrics.c - metrics by their names: the library's, a host's, and what is refused. */
#include "support.h"
#include "got.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/metrics.h>

enum { CLASSES = 4, MAPS = 2, HEIGHT = 3, WIDTH = 2, DRAWN = 16 * 16 * HEIGHT * WIDTH };

static const float logits[CLASSES] = {3, 1, 0, -1};
static const float features[MAPS * HEIGHT * WIDTH] = {0, 1, 2, 9, 4, 3, 5, 0, 1, 0, 2, 7};
static const float gradient[MAPS * HEIGHT * WIDTH] = {1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1};

static kldve_heatmap *explain(kldve_ctx *ctx, int32_t sign, const float *maps)
{
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = logits,
                                 .features = maps,
                                 .gradient = gradient,
                                 .classes = CLASSES,
                                 .maps = MAPS,
                                 .height = HEIGHT,
                                 .width = WIDTH};
    const kldve_options o = {.struct_size = sizeof o, .method = "grad-cam", .sign = sign};
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain_arrays(ctx, &arrays, &o, &map), KLDVE_OK);
    return map;
}

/* Half the energy of a map that is drawn out here, distances from zero for one with signs. */
static double expected_area(kldve_ctx *ctx, const kldve_heatmap *map, bool with_sign)
{
    float value[DRAWN];
    double area;

    assert_int_equal(kldve_heatmap_upsample(ctx, map, 16 * WIDTH, 16 * HEIGHT, 0, value), KLDVE_OK);
    for (int i = 0; with_sign && i < DRAWN; i++)
        value[i] = fabsf(value[i] - 0.5f);
    assert_int_equal(kldve_metric_energy_area(ctx, value, DRAWN, 0.5, &area), KLDVE_OK);
    return area;
}

static void test_energy_area(void **state)
{
    static const float nothing[MAPS * HEIGHT * WIDTH];
    static const int32_t signs[] = {KLDVE_SIGN_POSITIVE, KLDVE_SIGN_SIGNED, KLDVE_SIGN_ABSOLUTE};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double area = -1, before = -1;

    (void)state;
    for (int i = 0; i < 3; i++) {
        kldve_heatmap *map = explain(ctx, signs[i], features);

        assert_int_equal(kldve_metric_compute(ctx, map, "energy_area", NULL, &area), KLDVE_OK);
        assert_true(area == expected_area(ctx, map, signs[i] == KLDVE_SIGN_SIGNED));
        assert_true(area > 0 && area < 1 && area != before);
        before = area;
        kldve_heatmap_free(map);
    }
    kldve_heatmap *flat = explain(ctx, KLDVE_SIGN_DEFAULT, nothing);

    assert_int_equal(kldve_metric_compute(ctx, flat, "energy_area", NULL, &area), KLDVE_OK);
    assert_true(isnan(area));
    kldve_heatmap_free(flat);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Every entry can be found by its own name and says what it is. */
static void test_entries(void **state)
{
    const kldve_metric *metric, *found = NULL;
    int32_t count = 0;

    (void)state;
    for (; (metric = got_metric(NULL, count)) != NULL; count++) {
        assert_int_equal(kldve_metric_find(NULL, metric->name, &found), KLDVE_OK);
        assert_ptr_equal(found, metric);
        assert_true(metric->title && metric->summary && metric->source && metric->compute);
        assert_true(metric->low < metric->high);
        assert_true(!metric->is_share || (metric->low == 0 && metric->high == 1));
    }
    assert_true(count >= 1);
    assert_null(got_metric(NULL, -1));
    assert_int_equal(kldve_metric_find(NULL, "energy", &found), KLDVE_E_NOT_FOUND);
    assert_int_equal(kldve_metric_find(NULL, NULL, &found), KLDVE_E_ARG);
}

/* docs/metrics.md lists the metrics of the library, in their order and in their own words. */
static void test_page(void **state)
{
    static const char *const better[] = {"-", "lower", "higher"};
    const kldve_metric *m;
    char row[512];
    size_t nbytes;
    char *page = test_file_load(test_path("%s/docs/metrics.md", getenv("KLDVE_SOURCE")), &nbytes);
    const char *at =
        strstr(page, "| name | title | family | what it is | range | better | source |\n");

    (void)state;
    assert_non_null(at);
    at = strchr(strchr(at, '\n') + 1, '\n') + 1;
    for (int32_t i = 0; (m = got_metric(NULL, i)) != NULL; i++) {
        snprintf(row, sizeof row, "| `%s` | %s | %s | %s | %g to %g | %s | %s |\n", m->name,
                 m->title, m->family, m->summary, m->low, m->high, better[m->better], m->source);
        if (strncmp(at, row, strlen(row)) != 0)
            fail_msg("docs/metrics.md: row %d of the metrics should be %s", (int)i + 1, row);
        at += strlen(row);
    }
    assert_true(*at != '|');
    free(page);
}

/* ---- a host's metric --------------------------------------------------------------------- */

static kldve_status largest(const kldve_metric_job *job, double *value)
{
    assert_int_equal(job->width, 16 * WIDTH);
    assert_int_equal(job->height, 16 * HEIGHT);
    *value = 0;
    for (int i = 0; i < DRAWN; i++)
        *value = fmax(*value, (double)job->values[i]);
    *value = round(*value) * *(const double *)job->metric->opaque;
    return KLDVE_OK;
}

static kldve_status broken(const kldve_metric_job *job, double *value)
{
    *value = 1; /* must not reach the caller */
    return kldve_ctx_fail(job->ctx, KLDVE_E_BACKEND, "the metric is broken");
}

static const double once = 1, ten_times = 10;

static const kldve_metric good = {
    .struct_size = sizeof(kldve_metric),
    .name = "largest",
    .source = "this test",
    .low = 0,
    .high = 5,
    .opaque = &once,
    .compute = largest,
};

static void test_host(void **state)
{
    const kldve_metric *found = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_metric too_large = good, fails = good;
    kldve_heatmap *map = explain(ctx, KLDVE_SIGN_DEFAULT, features);
    double value = 7;
    int32_t count = 0;

    (void)state;
    too_large.name = "too_large";
    too_large.opaque = &ten_times;
    fails.name = "fails";
    fails.compute = broken;
    assert_int_equal(kldve_metric_compute(ctx, map, "largest", NULL, &value), KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(ctx),
                        "unknown metric \"largest\"; kldve_metric_at() lists the metrics");
    assert_int_equal(kldve_metric_register(ctx, &good), KLDVE_OK);
    assert_int_equal(kldve_metric_register(ctx, &too_large), KLDVE_OK);
    assert_int_equal(kldve_metric_register(ctx, &fails), KLDVE_OK);
    while (got_metric(NULL, count))
        count++;
    assert_memory_equal(got_metric(ctx, count), &good, sizeof good);
    assert_int_equal(kldve_metric_find(ctx, "too_large", &found), KLDVE_OK);
    assert_memory_equal(found, &too_large, sizeof too_large);
    assert_null(got_metric(ctx, count + 3));
    assert_int_equal(kldve_metric_compute(ctx, map, "too_large", NULL, &value), KLDVE_E_NUMERIC);
    assert_string_equal(kldve_ctx_message(ctx),
                        "metric too_large: 10 is outside its range, 0 to 5");
    assert_int_equal(kldve_metric_compute(ctx, map, "fails", NULL, &value), KLDVE_E_BACKEND);
    assert_string_equal(kldve_ctx_message(ctx), "the metric is broken");
    assert_true(value == 7);
    assert_int_equal(kldve_metric_compute(ctx, map, "largest", NULL, &value), KLDVE_OK);
    assert_true(value == 1);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* ---- failures ---------------------------------------------------------------------------- */

static void refuse(kldve_ctx *ctx, kldve_metric m, const char *message)
{
    assert_int_equal(kldve_metric_register(ctx, &m), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), message);
}

static void test_register_refuses(void **state)
{
    struct {
        kldve_metric metric;
        void *later; /* a member of a later release */
    } newer = {.metric = good, .later = &newer};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_metric m = good;

    (void)state;
    assert_int_equal(kldve_metric_register(NULL, &good), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_register(ctx, NULL), KLDVE_E_ARG);
    m.struct_size = 8;
    assert_int_equal(kldve_metric_register(ctx, &m), KLDVE_E_ARG);
    newer.metric.struct_size = sizeof newer;
    assert_int_equal(kldve_metric_register(ctx, &newer.metric), KLDVE_E_UNSUPPORTED);
    m = good;
    m.name = NULL;
    refuse(ctx, m, "register: the metric name \"\" is not [a-z0-9_]+");
    m.name = "kl-dve";
    refuse(ctx, m, "register: the metric name \"kl-dve\" is not [a-z0-9_]+");
    m.name = "energy_area";
    refuse(ctx, m, "register: a metric \"energy_area\" already exists, choose another name");
    m = good;
    m.compute = NULL;
    refuse(ctx, m, "register: the metric largest has no compute()");
    m = good;
    m.low = 5;
    refuse(ctx, m, "register: the metric largest: set low below high, not 5 and 5");
    m = good;
    m.better = 3;
    refuse(ctx, m, "register: the metric largest: `better` is 3, not a kldve_better");
    heap.budget = 0;
    assert_int_equal(kldve_metric_register(ctx, &good), KLDVE_E_NOMEM);
    heap.budget = -1;
    assert_int_equal(kldve_metric_register(ctx, &good), KLDVE_OK);
    refuse(ctx, good, "register: a metric \"largest\" already exists, choose another name");
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_compute_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = explain(ctx, KLDVE_SIGN_DEFAULT, features);
    double value = 7;
    long live = heap.live;

    (void)state;
    assert_int_equal(kldve_metric_compute(ctx, NULL, "energy_area", NULL, &value), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_compute(ctx, map, NULL, NULL, &value), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "metric: the name is NULL");
    assert_int_equal(kldve_metric_compute(ctx, map, "energy_area", NULL, NULL), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "metric: the result is NULL");
    heap.budget = 0;
    assert_int_equal(kldve_metric_compute(ctx, map, "energy_area", NULL, &value), KLDVE_E_NOMEM);
    assert_string_equal(kldve_ctx_message(ctx), "metric energy_area: out of memory");
    heap.budget = -1;
    assert_true(value == 7 && heap.live == live);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Together they are what each is alone, in any order, with signs and without. */
static void test_several(void **state)
{
    static const char *const names[] = {"ties", "gini", "energy_area", "complexity", "entropy",
                                        "gini", "ties", "energy_area", "spearman"};
    enum { ALL = sizeof names / sizeof *names, OF_MAP_ALONE = ALL - 1 };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double value[ALL], alone, kept[ALL] = {7};

    (void)state;
    for (int sign = KLDVE_SIGN_POSITIVE; sign <= KLDVE_SIGN_SIGNED; sign++) {
        kldve_heatmap *map = explain(ctx, sign, features);
        const kldve_metric_subject subject = {.struct_size = sizeof subject, .other = map};
        long live = heap.live;

        assert_int_equal(kldve_metric_compute_several(ctx, map, names, ALL, &subject, value),
                         KLDVE_OK);
        for (int i = 0; i < ALL; i++) {
            assert_int_equal(kldve_metric_compute(ctx, map, names[i], &subject, &alone), KLDVE_OK);
            assert_true(value[i] == alone);
        }
        assert_true(value[ALL - 1] == 1 && heap.live == live);
        assert_int_equal(kldve_metric_compute_several(ctx, map, names, ALL, NULL, kept),
                         KLDVE_E_UNSUPPORTED);
        test_says(ctx, "metric spearman needs a second map");
        for (long n = 0; heap.budget = n,
                  kldve_metric_compute_several(ctx, map, names, OF_MAP_ALONE, NULL, value) < 0;
             n++)
            assert_true(heap.live == live);
        heap.budget = -1;
        assert_true(kept[0] == 7 && heap.live == live);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_several_refuses(void **state)
{
    static const char *const names[] = {"gini", NULL}, *const unknown[] = {"gini", "nothing"};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = explain(ctx, KLDVE_SIGN_DEFAULT, features);
    double value[2] = {7, 7};

    (void)state;
    assert_int_equal(kldve_metric_compute_several(ctx, map, NULL, 2, NULL, value), KLDVE_E_ARG);
    test_says(ctx, "the names are NULL");
    assert_int_equal(kldve_metric_compute_several(ctx, map, names, 2, NULL, value), KLDVE_E_ARG);
    test_says(ctx, "name 1 is NULL");
    assert_int_equal(kldve_metric_compute_several(ctx, map, names, 0, NULL, value), KLDVE_E_ARG);
    assert_int_equal(kldve_metric_compute_several(ctx, map, names, 1025, NULL, value), KLDVE_E_ARG);
    test_says(ctx, "1025 metrics, there must be 1 to 1024");
    assert_int_equal(kldve_metric_compute_several(ctx, map, unknown, 2, NULL, value),
                     KLDVE_E_UNSUPPORTED);
    test_says(ctx, "unknown metric \"nothing\"");
    assert_true(value[0] == 7 && value[1] == 7);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_energy_area),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_register_refuses),
        cmocka_unit_test(test_compute_refuses),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_several_refuses),
    };

    return cmocka_run_group_tests_name("metrics by name", tests, NULL, NULL);
}
