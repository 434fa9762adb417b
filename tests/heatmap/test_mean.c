/* test_mean.c - the mean of several heat maps. */
#include "backends/fixture.h"
#include "got.h"

#include <math.h>

static void assert_same_map(const kldve_heatmap *a, const kldve_heatmap *b)
{
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf(got_values(a)[i] - got_values(b)[i]) < 1e-5f);
}

static void test_fuse(void **state)
{
    fixture *f = *state;
    kldve_heatmap *a = fixture_explain(f, (kldve_options){0});
    kldve_heatmap *b = fixture_explain(f, (kldve_options){.method = "layer-cam"});
    kldve_heatmap *s = fixture_explain(f, (kldve_options){.sign = KLDVE_SIGN_SIGNED});
    kldve_heatmap *fused = NULL;
    float sum[CELLS], low, high;

    assert_int_equal(kldve_heatmap_fuse(f->ctx, (const kldve_heatmap *const[]){a, b}, 2, &fused),
                     KLDVE_OK);
    for (int i = 0; i < CELLS; i++)
        sum[i] = got_values(a)[i] + got_values(b)[i];
    low = high = sum[0];
    for (int i = 1; i < CELLS; i++) {
        low = fminf(low, sum[i]);
        high = fmaxf(high, sum[i]);
    }
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf((sum[i] - low) / (high - low) - got_values(fused)[i]) < 1e-5f);
    assert_string_equal(fixture_record(fused).method, "kl-dve");
    kldve_heatmap_free(fused);
    fused = NULL;

    assert_int_equal(kldve_heatmap_fuse(f->ctx, (const kldve_heatmap *const[]){s}, 1, &fused),
                     KLDVE_OK);
    assert_same_map(fused, s);
    kldve_heatmap_free(fused);
    fused = NULL;
    assert_int_equal(kldve_heatmap_fuse(f->ctx, (const kldve_heatmap *const[]){a, s}, 2, &fused),
                     KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_fuse(f->ctx, (const kldve_heatmap *const[]){a, NULL}, 2, &fused),
                     KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_fuse(f->ctx, NULL, 1, &fused), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_fuse(f->ctx, (const kldve_heatmap *const[]){a}, 0, &fused),
                     KLDVE_E_ARG);
    assert_null(fused);
    kldve_heatmap_free(a);
    kldve_heatmap_free(b);
    kldve_heatmap_free(s);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_fuse),
    };

    return cmocka_run_group_tests_name("mean", tests, NULL, NULL);
}
