/* test_options.c - what all methods share: sets of classes and rivals, a truth, signs, augmentation
 * smoothing, fused maps. */
#include "backends/fixture.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>

static int set_up(void **state)
{
    static fixture f;

    fixture_open(&f, &tiny_backend);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static kldve_heatmap *explain(fixture *f, kldve_options o)
{
    kldve_heatmap *map = NULL;

    o.struct_size = sizeof o;
    if (kldve_explain_input(f->ex, f->input, &o, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(f->ctx));
    return map;
}

static kldve_record record_of(const kldve_heatmap *map)
{
    kldve_record r = {.struct_size = sizeof r};

    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    return r;
}

static void assert_same_map(const kldve_heatmap *a, const kldve_heatmap *b)
{
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf(kldve_heatmap_values(a)[i] - kldve_heatmap_values(b)[i]) < 1e-5f);
}

/* -- their struct ----------------------------------------------------------------------------- */

/* Options of a later release: what it added may be there as long as it says nothing. */
static void test_later_release(void **state)
{
    fixture *f = *state;
    struct {
        kldve_options known;
        double added[2];
    } later = {.known = {.method = "hires-cam",
                         .target_kind = KLDVE_TARGET_VERSUS,
                         .target = 2,
                         .rival = 5,
                         .sign = KLDVE_SIGN_SIGNED,
                         .smooth = 1}};
    kldve_heatmap *expected = explain(f, later.known), *map = NULL;

    later.known.struct_size = sizeof later;
    assert_int_equal(kldve_explain_input(f->ex, f->input, &later.known, &map), KLDVE_OK);
    assert_memory_equal(kldve_heatmap_values(map), kldve_heatmap_values(expected),
                        CELLS * sizeof(float));
    kldve_heatmap_free(map);
    map = NULL;
    later.added[1] = 1;
    assert_int_equal(kldve_explain_input(f->ex, f->input, &later.known, &map), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(f->ctx), "kldve_options: byte "));
    assert_null(map);
    later.known.struct_size = offsetof(kldve_options, method); /* nothing but the size */
    assert_int_equal(kldve_explain_input(f->ex, f->input, &later.known, &map), KLDVE_E_ARG);
    assert_null(map);
    kldve_heatmap_free(expected);
}

/* -- targets ---------------------------------------------------------------------------------- */

static void test_set_of_one(void **state)
{
    const int32_t one = 4;

    for (int32_t reading = KLDVE_READING_PAPER; reading <= KLDVE_READING_RIVALS; reading++) {
        kldve_heatmap *set = explain(*state, (kldve_options){.reading = reading,
                                                             .target_kind = KLDVE_TARGET_SET,
                                                             .targets = &one,
                                                             .target_count = 1});
        kldve_heatmap *index = explain(
            *state,
            (kldve_options){.reading = reading, .target_kind = KLDVE_TARGET_INDEX, .target = one});

        assert_same_map(set, index);
        assert_int_equal(record_of(set).target, one);
        assert_true(fabs(record_of(set).kl - record_of(index).kl) < 1e-12);
        kldve_heatmap_free(set);
        kldve_heatmap_free(index);
    }
}

/* The cotangent of a set is the sum of the classes' terms, and Grad-CAM's the mean of its logits.
 */
static void test_set(void **state)
{
    fixture *f = *state;
    const int32_t both[] = {1, 3};
    const size_t positives[] = {1, 3};
    const kldve_options o = {.target_kind = KLDVE_TARGET_SET, .targets = both, .target_count = 2};
    kldve_heatmap *set = explain(f, o);
    double sum[CLASSES] = {0}, term[CLASSES], scores[CLASSES], z[CLASSES], kl;
    kldve_divergence *d = NULL;
    kldve_options cam = o;
    size_t n;

    for (int i = 0; i < CLASSES; i++)
        scores[i] = (double)kldve_heatmap_logits(set, NULL)[i];
    assert_int_equal(kldve_divergence_new(f->ctx, CLASSES, NULL, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, scores), KLDVE_OK);
    for (int j = 0; j < 2; j++) {
        assert_int_equal(kldve_divergence_contrast(d, positives[j], term), KLDVE_OK);
        for (int i = 0; i < CLASSES; i++)
            sum[i] += term[i];
    }
    assert_memory_equal(kldve_heatmap_cotangent(set, &n), sum, sizeof sum);
    assert_int_equal(kldve_divergence_positives(d, positives, 2, z, &kl), KLDVE_OK);
    assert_memory_equal(kldve_heatmap_z(set, &n), z, sizeof z);
    assert_true(record_of(set).kl == kl);
    kldve_divergence_free(d);
    kldve_heatmap_free(set);

    cam.method = "grad-cam";
    set = explain(f, cam);
    for (int i = 0; i < CLASSES; i++)
        assert_true(kldve_heatmap_cotangent(set, &n)[i] == (i == 1 || i == 3 ? 0.5 : 0));
    kldve_heatmap_free(set);
}

static void test_versus(void **state)
{
    static const char *const methods[] = {"kl-dve", "grad-cam", "layer-cam"};

    for (size_t m = 0; m < 3; m++) {
        kldve_heatmap *map = explain(*state, (kldve_options){.method = methods[m],
                                                             .target_kind = KLDVE_TARGET_VERSUS,
                                                             .target = 2,
                                                             .rival = 5});
        size_t n;
        const double *t = kldve_heatmap_cotangent(map, &n);

        for (size_t i = 0; i < n; i++)
            assert_true(t[i] == (i == 2 ? 1 : i == 5 ? -1 : 0));
        kldve_heatmap_free(map);
    }
}

/* Swapping the two changes the sign of a signed map and nothing else. */
static void test_versus_swapped(void **state)
{
    kldve_options o = {.method = "hires-cam",
                       .target_kind = KLDVE_TARGET_VERSUS,
                       .target = 2,
                       .rival = 5,
                       .sign = KLDVE_SIGN_SIGNED};
    kldve_heatmap *there = explain(*state, o), *back;

    o.target = 5;
    o.rival = 2;
    back = explain(*state, o);
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf(kldve_heatmap_values(there)[i] + kldve_heatmap_values(back)[i] - 1) <
                    1e-5f);
    kldve_heatmap_free(there);
    kldve_heatmap_free(back);
}

/* -- the truth -------------------------------------------------------------------------------- */

static void test_truth(void **state)
{
    fixture *f = *state;
    const double y[CLASSES] = {0.3, 2, -1, 0.7, 4, 1.5};
    double scores[CLASSES], z[CLASSES], kl;
    const kldve_divergence_options limit = {
        .struct_size = sizeof limit, .unattainable = KLDVE_UNATTAINABLE_LIMIT, .perplexity = 2.5};
    kldve_heatmap *map = explain(f, (kldve_options){.truth = y, .perplexity = 2.5});
    kldve_heatmap *channel = explain(
        f, (kldve_options){.truth = y, .perplexity = 2.5, .reading = KLDVE_READING_CHANNEL});
    kldve_divergence *d = NULL;
    size_t n;

    for (int i = 0; i < CLASSES; i++)
        scores[i] = (double)kldve_heatmap_logits(map, NULL)[i];
    assert_int_equal(kldve_divergence_new(f->ctx, CLASSES, &limit, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, scores), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, y, z, &kl), KLDVE_OK);
    assert_memory_equal(kldve_heatmap_z(map, &n), z, sizeof z);
    assert_true(record_of(map).kl == kl);
    assert_int_equal(kldve_standardise(z, CLASSES, z), 0);
    assert_memory_equal(kldve_heatmap_cotangent(map, &n), z, sizeof z);
    assert_memory_equal(kldve_heatmap_cotangent(channel, &n), z, sizeof z);
    kldve_divergence_free(d);
    kldve_heatmap_free(channel);
    kldve_heatmap_free(map);
}

/* -- signs ------------------------------------------------------------------------------------ */

#define VERSUS .method = "hires-cam", .target_kind = KLDVE_TARGET_VERSUS, .target = 2, .rival = 5

static void test_signs(void **state)
{
    kldve_heatmap *plain = explain(*state, (kldve_options){VERSUS});
    kldve_heatmap *map[KLDVE_SIGN_ABSOLUTE + 1];
    bool against = false;

    for (int32_t sign = KLDVE_SIGN_POSITIVE; sign <= KLDVE_SIGN_ABSOLUTE; sign++) {
        map[sign] = explain(*state, (kldve_options){VERSUS, .sign = sign});
        assert_int_equal(record_of(map[sign]).sign, sign);
    }
    assert_same_map(plain, map[KLDVE_SIGN_POSITIVE]);
    for (int i = 0; i < CELLS; i++) {
        float s = kldve_heatmap_values(map[KLDVE_SIGN_SIGNED])[i];
        float p = kldve_heatmap_values(plain)[i];

        against |= s < 0.45f;
        /* Positive values keep their order of size; the smallest of them is moved to 0. */
        assert_true(s > 0.5f || p == 0 || fabsf(s - 0.5f) < 1e-6f);
    }
    assert_true(against);
    for (int i = 0; i < CELLS; i++) /* up to the shift of the smallest magnitude to 0 */
        for (int j = 0; j < CELLS; j++) {
            const float *s = kldve_heatmap_values(map[KLDVE_SIGN_SIGNED]);
            const float *a = kldve_heatmap_values(map[KLDVE_SIGN_ABSOLUTE]);

            assert_true(fabsf(s[i] - 0.5f) <= fabsf(s[j] - 0.5f) + 1e-6f || a[i] >= a[j]);
        }
    for (int32_t sign = KLDVE_SIGN_POSITIVE; sign <= KLDVE_SIGN_ABSOLUTE; sign++)
        kldve_heatmap_free(map[sign]);
    kldve_heatmap_free(plain);
}

/* -- smoothing -------------------------------------------------------------------------------- */

/* The mean of the six maps made one by one. */
static void test_smooth(void **state)
{
    static const float factor[] = {1, 0.9f, 1.1f};
    fixture *f = *state;
    kldve_heatmap *smooth = explain(f, (kldve_options){.smooth = 1});
    float original[CHANNELS * PIXELS], mean[CELLS] = {0}, low, high;
    int32_t target = record_of(smooth).target;

    memcpy(original, f->input, sizeof original);
    for (int v = 0; v < 6; v++) {
        kldve_heatmap *map;

        for (int i = 0; i < CHANNELS * PIXELS; i++)
            f->input[i] = factor[v % 3] * original[v < 3 ? i : i - i % IN_W + IN_W - 1 - i % IN_W];
        map = explain(f, (kldve_options){.target_kind = KLDVE_TARGET_INDEX, .target = target});
        for (int i = 0; i < CELLS; i++)
            mean[i] += kldve_heatmap_values(map)[v < 3 ? i : i - i % W + W - 1 - i % W] / 6;
        kldve_heatmap_free(map);
    }
    low = high = mean[0];
    for (int i = 1; i < CELLS; i++) {
        low = fminf(low, mean[i]);
        high = fmaxf(high, mean[i]);
    }
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf((mean[i] - low) / (high - low) - kldve_heatmap_values(smooth)[i]) <
                    1e-5f);
    kldve_heatmap_free(smooth);
}

static void test_smooth_needs_a_network(void **state)
{
    fixture *f = *state;
    float logits[CLASSES] = {1, 2, 3, 4, 5, 6}, features[MAPS * CELLS] = {0};
    kldve_arrays a = {sizeof a, logits, features, features, CLASSES, MAPS, H, W};
    kldve_options o = {.struct_size = sizeof o, .smooth = 1};
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain_arrays(f->ctx, &a, &o, &map), KLDVE_E_UNSUPPORTED);
    assert_null(map);
}

/* Every allocation fails once; nothing is written then, nothing is left. */
static void test_allocations(void **state)
{
    fixture *f = *state;
    const int32_t both[] = {1, 3};
    kldve_options o = {.struct_size = sizeof o,
                       .smooth = 1,
                       .target_kind = KLDVE_TARGET_SET,
                       .targets = both,
                       .target_count = 2,
                       .flags = KLDVE_FLAG_CHECK};
    kldve_heatmap *map = NULL, *fused = NULL;
    kldve_status st = KLDVE_E_NOMEM;

    for (long budget = 0; st == KLDVE_E_NOMEM; budget++) {
        assert_true(budget < 100);
        f->heap.budget = budget;
        st = kldve_explain_input(f->ex, f->input, &o, &map);
        if (st == KLDVE_OK)
            break;
        assert_int_equal(st, KLDVE_E_NOMEM);
        assert_null(map);
    }
    st = KLDVE_E_NOMEM;
    for (long budget = 0; st == KLDVE_E_NOMEM; budget++) {
        f->heap.budget = budget;
        st = kldve_heatmap_fuse((const kldve_heatmap *const[]){map, map}, 2, &fused);
    }
    assert_int_equal(st, KLDVE_OK);
    f->heap.budget = -1;
    kldve_heatmap_free(fused);
    kldve_heatmap_free(map);
}

/* -- several maps ----------------------------------------------------------------------------- */

static void test_fuse(void **state)
{
    fixture *f = *state;
    kldve_heatmap *a = explain(f, (kldve_options){0});
    kldve_heatmap *b = explain(f, (kldve_options){.method = "layer-cam"});
    kldve_heatmap *s = explain(f, (kldve_options){.sign = KLDVE_SIGN_SIGNED});
    kldve_heatmap *fused = NULL;
    float sum[CELLS], low, high;

    assert_int_equal(kldve_heatmap_fuse((const kldve_heatmap *const[]){a, b}, 2, &fused), KLDVE_OK);
    for (int i = 0; i < CELLS; i++)
        sum[i] = kldve_heatmap_values(a)[i] + kldve_heatmap_values(b)[i];
    low = high = sum[0];
    for (int i = 1; i < CELLS; i++) {
        low = fminf(low, sum[i]);
        high = fmaxf(high, sum[i]);
    }
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf((sum[i] - low) / (high - low) - kldve_heatmap_values(fused)[i]) < 1e-5f);
    assert_string_equal(record_of(fused).method, "kl-dve");
    kldve_heatmap_free(fused);
    fused = NULL;

    assert_int_equal(kldve_heatmap_fuse((const kldve_heatmap *const[]){s}, 1, &fused), KLDVE_OK);
    assert_same_map(fused, s);
    kldve_heatmap_free(fused);
    fused = NULL;
    assert_int_equal(kldve_heatmap_fuse((const kldve_heatmap *const[]){a, s}, 2, &fused),
                     KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_fuse((const kldve_heatmap *const[]){a, NULL}, 2, &fused),
                     KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_fuse(NULL, 1, &fused), KLDVE_E_ARG);
    assert_int_equal(kldve_heatmap_fuse((const kldve_heatmap *const[]){a}, 0, &fused), KLDVE_E_ARG);
    assert_null(fused);
    kldve_heatmap_free(a);
    kldve_heatmap_free(b);
    kldve_heatmap_free(s);
}

/* -- standard errors -------------------------------------------------------------------------- */

static kldve_status drawn(const kldve_job *job, float *map)
{
    if (!job->error)
        return kldve_ctx_fail(job->ctx, KLDVE_E_ARG, "drawn: no room for the error");
    for (int i = 0; i < CELLS; i++) {
        map[i] = (float)i;
        job->error[i] = 0.5f;
    }
    return KLDVE_OK;
}

static const kldve_method drawn_method = {
    .struct_size = sizeof(kldve_method),
    .name = "drawn",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES,
    .map = drawn,
    .random = 1,
};

static void test_error(void **state)
{
    fixture *f = *state;
    kldve_heatmap *map;
    size_t count = 1;

    assert_int_equal(kldve_method_register(f->ctx, &drawn_method), KLDVE_OK);
    map = explain(f, (kldve_options){.method = "drawn"});
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf(kldve_heatmap_error(map, &count)[i] - 0.5f / (CELLS - 1)) < 1e-7f);
    assert_int_equal(count, CELLS);
    kldve_heatmap_free(map);
    map = explain(f, (kldve_options){0});
    assert_null(kldve_heatmap_error(map, &count));
    assert_int_equal(count, 0);
    kldve_heatmap_free(map);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_later_release), CASE(test_set_of_one),     CASE(test_set),
        CASE(test_versus),        CASE(test_versus_swapped), CASE(test_truth),
        CASE(test_signs),         CASE(test_smooth),         CASE(test_smooth_needs_a_network),
        CASE(test_allocations),   CASE(test_fuse),           CASE(test_error),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
