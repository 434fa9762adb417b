/* test_batches.c - a network that runs several inputs at once gives every metric the same number.
 */
#include "backends/pair.h"

#include <math.h>
#include <string.h>

#include <kldve/metrics.h>

static kldve_status measure(struct pair *f, kldve_explainer *ex, const char *name, double *value)
{
    const kldve_options options = {.struct_size = sizeof options, .method = "grad-cam"};
    kldve_metric_subject subject = KLDVE_METRIC_SUBJECT_INIT;
    kldve_heatmap *map = NULL;
    kldve_status st;

    subject.explainer = ex;
    subject.input = pair_inputs[0];
    subject.explained_with = &options;
    assert_int_equal(kldve_explain_input(ex, pair_inputs[0], &options, &map), KLDVE_OK);
    st = kldve_metric_compute(f->ctx, map, name, &subject, value);
    kldve_heatmap_free(map);
    return st;
}

static void test_same(void **state)
{
    const uint64_t had = KLDVE_METRIC_NEED_NETWORK | KLDVE_METRIC_NEED_EXPLANATIONS;
    struct pair f;
    const kldve_metric *m;
    double together, alone;

    (void)state;
    pair_open(&f, &pair_curved);
    for (int32_t i = 0; kldve_metric_at(NULL, i, &m) == KLDVE_OK; i++) {
        if (m->needs & ~had || measure(&f, f.plain, m->name, &alone) == KLDVE_E_UNSUPPORTED)
            continue;
        assert_int_equal(measure(&f, f.ex, m->name, &together), KLDVE_OK);
        if (memcmp(&together, &alone, sizeof alone) != 0)
            fail_msg("%s: %.17g in batches, %.17g alone", m->name, together, alone);
    }
    assert_true(f.counts.forward_many > 10);
    pair_close(&f);
}

/* A network of one input at a time runs each pass once; batches leave less than one batch over. */
static void test_counts(void **state)
{
    struct pair f;
    double value;
    long alone;

    (void)state;
    pair_open(&f, &pair_curved);
    assert_int_equal(measure(&f, f.ex, "pixel_flipping", &value), KLDVE_OK);
    alone = f.counts.forward - 1; /* that of the map */
    assert_true(f.counts.forward_many >= 30);
    assert_true(alone < BATCH);
    pair_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_counts),
    };

    return cmocka_run_group_tests_name("metrics in batches", tests, NULL, NULL);
}
