/* test_random_network.c - the map against that of a network with random parameters: 1 for maps that
 * do not depend on them, SSIM and rank correlation of the maps as they are, 0 for flat ones. */
#include "backends/fixture.h"
#include "got.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/metrics.h>

static const char *const names[] = {"random_spearman", "random_spearman_abs", "random_ssim"};
enum { NAMES = 3, SPEARMAN = 0, MAGNITUDES = 1 };

/* A fixture, and the same network with random parameters. */
struct pair {
    fixture own;
    kldve_explainer *random;
    kldve_options how;
};

static const tiny_config net = {CHANNELS, H, W, MAPS, CLASSES, 101, true};

static void pair_open(struct pair *p, kldve_options how)
{
    fixture_open(&p->own, &tiny_backend);
    kldve_explainer_free(p->own.ex);
    p->own.ex = p->random = NULL;
    assert_int_equal(kldve_explainer_new(p->own.ctx, &tiny_backend, &net, &p->own.ex), KLDVE_OK);
    assert_int_equal(kldve_explainer_new(p->own.ctx, &tiny_backend, &net, &p->random), KLDVE_OK);
    assert_int_equal(kldve_explainer_randomise(p->random, KLDVE_RANDOMISE_CASCADE, 1, 3), KLDVE_OK);
    p->how = how;
    p->how.struct_size = sizeof p->how;
}

static void pair_close(struct pair *p)
{
    kldve_explainer_free(p->random);
    fixture_close(&p->own);
}

static kldve_heatmap *explained(struct pair *p, kldve_explainer *ex, const kldve_options *how)
{
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain_input(ex, p->own.input, how, &map), KLDVE_OK);
    return map;
}

static double measured(struct pair *p, const kldve_heatmap *map, const char *name)
{
    const kldve_metric_subject s = {.struct_size = sizeof s,
                                    .explainer = p->own.ex,
                                    .input = p->own.input,
                                    .explained_with = &p->how,
                                    .randomised = p->random};
    double value = 7;

    if (kldve_metric_compute(p->own.ctx, map, name, &s, &value) != KLDVE_OK)
        fail_msg("%s: %s", name, kldve_ctx_message(p->own.ctx));
    return value;
}

/* Half the number of smaller values and those that are not larger: mean ranks but for an offset. */
static double rank_of(const float *v, int at)
{
    double rank = 0;

    for (int i = 0; i < PIXELS; i++)
        rank += v[i] < v[at] ? 1 : v[i] == v[at] ? 0.5 : 0;
    return rank;
}

static double spearman(const float *a, const float *b)
{
    double ab = 0, aa = 0, bb = 0;

    for (int i = 0; i < PIXELS; i++) {
        double x = rank_of(a, i) - PIXELS / 2.0, y = rank_of(b, i) - PIXELS / 2.0;

        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return ab / sqrt(aa * bb);
}

static void drawn(struct pair *p, const kldve_heatmap *map, bool magnitudes, float out[PIXELS])
{
    kldve_record r = {.struct_size = sizeof r};

    assert_int_equal(kldve_heatmap_upsample(p->own.ctx, map, IN_W, IN_H, 0, out), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    for (int i = 0; i < PIXELS && r.sign == KLDVE_SIGN_SIGNED; i++)
        out[i] = magnitudes ? fabsf(out[i] - 0.5f) : out[i] - 0.5f;
}

static void check_ranks(kldve_options how)
{
    struct pair p;
    kldve_heatmap *own, *random;
    kldve_options same;

    pair_open(&p, how);
    own = explained(&p, p.own.ex, &p.how);
    same = p.how;
    same.target_kind = KLDVE_TARGET_INDEX;
    same.target = 0;
    p.how = same;
    kldve_heatmap_free(own);
    own = explained(&p, p.own.ex, &p.how);
    random = explained(&p, p.random, &p.how);
    for (int i = SPEARMAN; i <= MAGNITUDES; i++) {
        float a[PIXELS], b[PIXELS];
        double want;

        drawn(&p, own, i == MAGNITUDES, a);
        drawn(&p, random, i == MAGNITUDES, b);
        want = spearman(a, b);
        assert_true(fabs(measured(&p, own, names[i]) - want) < 1e-6);
        assert_true(want < 0.999);
    }
    kldve_heatmap_free(own);
    kldve_heatmap_free(random);
    pair_close(&p);
}

static void test_ranks(void **state)
{
    (void)state;
    check_ranks((kldve_options){.method = "saliency"});
    check_ranks((kldve_options){.method = "gradient-x-input"});
    check_ranks((kldve_options){.method = "kl-dve", .sign = KLDVE_SIGN_SIGNED});
}

/* Controls are what they are, whatever the network: they fail. */
static void test_controls(void **state)
{
    static const char *const controls[] = {"random", "centre", "edges"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct pair p;
        kldve_heatmap *map;

        pair_open(&p, (kldve_options){.method = controls[i]});
        map = explained(&p, p.own.ex, &p.how);
        for (int k = 0; k < NAMES; k++)
            assert_true(fabs(measured(&p, map, names[k]) - 1) < 1e-9);
        kldve_heatmap_free(map);
        pair_close(&p);
    }
}

static kldve_status flat_where_asked(const kldve_job *job, float *map)
{
    static const float first_logit[1];
    const float *flat_for = job->method->opaque ? job->method->opaque : first_logit;

    for (int i = 0; i < CELLS; i++)
        map[i] = job->logits[0] == *flat_for ? 0 : (float)i;
    return KLDVE_OK;
}

/* Flat in the random network: 0; flat in the true one: no number. */
static void test_flat(void **state)
{
    float flat_for = 0;
    const kldve_method method = {.struct_size = sizeof method,
                                 .name = "flat",
                                 .source = "this test",
                                 .opaque = &flat_for,
                                 .map = flat_where_asked};
    struct pair p;
    kldve_heatmap *own, *random;

    (void)state;
    pair_open(&p, (kldve_options){.method = "lafam"});
    own = explained(&p, p.own.ex, &p.how);
    random = explained(&p, p.random, &p.how);
    assert_int_equal(kldve_method_register(p.own.ctx, &method), KLDVE_OK);
    p.how.method = "flat";
    flat_for = got_logits(random, NULL)[0];
    kldve_heatmap_free(random);
    random = explained(&p, p.own.ex, &p.how);
    for (int k = 0; k < NAMES; k++)
        assert_true(measured(&p, random, names[k]) == 0);
    kldve_heatmap_free(random);
    flat_for = got_logits(own, NULL)[0];
    random = explained(&p, p.own.ex, &p.how);
    for (int k = 0; k < NAMES; k++)
        assert_true(isnan(measured(&p, random, names[k])));
    kldve_heatmap_free(random);
    kldve_heatmap_free(own);
    pair_close(&p);
}

static void test_lacking(void **state)
{
    kldve_metric_subject s = {.struct_size = sizeof s};
    struct pair p;
    kldve_heatmap *map;
    double value = 7;

    (void)state;
    pair_open(&p, (kldve_options){.method = "lafam"});
    map = explained(&p, p.own.ex, &p.how);
    s.explainer = p.own.ex;
    s.input = p.own.input;
    s.explained_with = &p.how;
    assert_int_equal(kldve_metric_compute(p.own.ctx, map, "random_ssim", &s, &value),
                     KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(p.own.ctx),
                        "metric random_ssim needs the network with random parameters "
                        "(kldve_metric_subject.randomised)");
    assert_true(value == 7);
    kldve_heatmap_free(map);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_controls),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_lacking),
    };

    return cmocka_run_group_tests_name("random network", tests, NULL, NULL);
}
