/* test_kl_dve.c - the five readings of Eq. (3) against their definitions, written out plainly in
 * float64: docs/method.md, section 2.  The features and gradients come from the reference backend,
 * the class scores from z and the cotangents that tests/divergence compares with golden files. */
#include "support.h"
#include "got.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/kldve.h>

#include "backends/tiny.h"

enum { CHANNELS = 3, H = 5, W = 4, CELLS = H * W, MAPS = 9, CLASSES = 7 };
enum { INPUTS = CHANNELS * CELLS * TINY_PATCH * TINY_PATCH };

static const tiny_config curved = {CHANNELS, H, W, MAPS, CLASSES, 31, true};

struct fixture {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *ex;
    float input[INPUTS];
    float logits[CLASSES], features[MAPS * CELLS];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    uint64_t seed = 5;
    void *net = NULL;

    assert_non_null(f);
    f->ctx = test_ctx(&f->heap);
    for (size_t i = 0; i < INPUTS; i++)
        f->input[i] = (float)test_normal(&seed) * 4;
    assert_int_equal(kldve_explainer_new(f->ctx, &tiny_backend, &curved, &f->ex), KLDVE_OK);
    assert_int_equal(tiny_backend.open(f->ctx, &curved, &net), KLDVE_OK);
    assert_int_equal(tiny_backend.forward(net, f->input, f->logits, f->features), KLDVE_OK);
    tiny_backend.close(net);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    kldve_explainer_free(f->ex);
    kldve_ctx_free(f->ctx);
    assert_int_equal(f->heap.live, 0);
    free(f);
    return 0;
}

static kldve_heatmap *explain(struct fixture *f, kldve_reading reading, int32_t target)
{
    kldve_options o = {.struct_size = sizeof o,
                       .reading = (int32_t)reading,
                       .target_kind = KLDVE_TARGET_INDEX,
                       .target = target};
    kldve_heatmap *map = NULL;

    if (kldve_explain_input(f->ex, f->input, &o, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(f->ctx));
    return map;
}

/* -- the definitions -------------------------------------------------------------------------- */

static void standardised(const double *in, size_t n, double *out)
{
    double mean = 0, variance = 0;

    for (size_t i = 0; i < n; i++)
        mean += in[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += (in[i] - mean) * (in[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++)
        out[i] = (in[i] - mean) / sqrt(variance);
}

static void min_max(double *e)
{
    double low = e[0], high = e[0];

    for (int i = 0; i < CELLS; i++) {
        low = fmin(low, e[i]);
        high = fmax(high, e[i]);
    }
    for (int i = 0; i < CELLS; i++)
        e[i] = (e[i] - low) / (high - low);
}

/* a_m = mean over space of the VJP of t. */
static void mean_gradient(struct fixture *f, const double *t, double *a)
{
    float cotangent[CLASSES], logits[CLASSES], features[MAPS * CELLS], g[MAPS * CELLS];
    void *net = NULL;

    for (int i = 0; i < CLASSES; i++)
        cotangent[i] = (float)t[i];
    assert_int_equal(tiny_backend.open(f->ctx, &curved, &net), KLDVE_OK);
    assert_int_equal(tiny_backend.forward(net, f->input, logits, features), KLDVE_OK);
    assert_int_equal(tiny_backend.vjp(net, cotangent, g), KLDVE_OK);
    tiny_backend.close(net);
    for (int m = 0; m < MAPS; m++) {
        a[m] = 0;
        for (int i = 0; i < CELLS; i++)
            a[m] += (double)g[m * CELLS + i] / CELLS;
    }
}

static void weighted(const struct fixture *f, const double *a, bool magnitude, bool relu, double *e)
{
    for (int i = 0; i < CELLS; i++) {
        e[i] = 0;
        for (int m = 0; m < MAPS; m++)
            e[i] += (magnitude ? fabs(a[m]) : a[m]) * (double)f->features[m * CELLS + i];
        if (relu)
            e[i] = fmax(e[i], 0);
    }
    min_max(e);
}

/* Algorithm 1, line by line. */
static void algorithm_1(const struct fixture *f, const double *alpha, double *e)
{
    memset(e, 0, CELLS * sizeof *e);
    for (int i = 0; i < MAPS; i++) {
        double temp[CELLS] = {0};

        for (int j = 0; j < CLASSES; j++)
            for (int p = 0; p < CELLS; p++)
                temp[p] += (double)f->features[i * CELLS + p] * fabs(alpha[j]);
        for (int p = 0; p < CELLS; p++)
            e[p] += temp[p];
    }
    min_max(e);
}

static void same_map(const kldve_heatmap *map, const double *e)
{
    const float *values = got_values(map);

    for (int i = 0; i < CELLS; i++)
        if (fabs((double)values[i] - e[i]) > 2e-6)
            fail_msg("cell %d: %.9g, expected %.9g", i, (double)values[i], e[i]);
}

typedef kldve_status getter(const kldve_heatmap *map, const double **values, int32_t *count);

static void same_array(const kldve_heatmap *map, getter *get, const double *want, size_t expected)
{
    const double *got;
    double max = 0;
    int32_t length;
    size_t count;

    assert_int_equal(get(map, &got, &length), KLDVE_OK);
    count = (size_t)length;
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++)
        max = fmax(max, fabs(want[i]));
    for (size_t i = 0; i < count; i++)
        if (fabs(got[i] - want[i]) > 1e-6 * max)
            fail_msg("item %zu: %.9g, expected %.9g", i, got[i], want[i]);
}

/* -- the tests -------------------------------------------------------------------------------- */

static void test_paper(void **state)
{
    struct fixture *f = *state;
    kldve_heatmap *map = explain(f, KLDVE_READING_PAPER, 2);
    double e[CELLS], sum = 0, all[MAPS];
    size_t count;

    algorithm_1(f, got_alpha(map, &count), e);
    same_map(map, e);
    for (size_t j = 0; j < count; j++)
        sum += fabs(got_alpha(map, NULL)[j]);
    for (int m = 0; m < MAPS; m++)
        all[m] = sum;
    same_array(map, kldve_heatmap_weights, all, MAPS);
    assert_null(got_cotangent(map, &count));
    assert_int_equal(count, 0);
    kldve_heatmap_free(map);
}

static void test_paper_ignores_the_class(void **state)
{
    struct fixture *f = *state;
    kldve_heatmap *first = explain(f, KLDVE_READING_PAPER, 0);

    for (int32_t c = 1; c < CLASSES; c++) {
        kldve_heatmap *map = explain(f, KLDVE_READING_PAPER, c);

        assert_memory_equal(got_values(first), got_values(map), CELLS * sizeof(float));
        kldve_heatmap_free(map);
    }
    kldve_heatmap_free(first);
}

static void test_channel(void **state)
{
    struct fixture *f = *state;
    kldve_heatmap *map = explain(f, KLDVE_READING_CHANNEL, 3);
    double a[MAPS], alpha[CLASSES], e[CELLS];
    size_t count;

    standardised(got_z(map, &count), CLASSES, alpha);
    assert_int_equal(count, CLASSES);
    same_array(map, kldve_heatmap_alpha, alpha, CLASSES);
    same_array(map, kldve_heatmap_cotangent, alpha, CLASSES);
    mean_gradient(f, alpha, a);
    standardised(a, MAPS, a);
    same_array(map, kldve_heatmap_weights, a, MAPS);
    weighted(f, a, true, false, e);
    same_map(map, e);
    kldve_heatmap_free(map);
}

/* The map of a cotangent t. */
static void check_cotangent(struct fixture *f, const kldve_heatmap *map, const double *t)
{
    double a[MAPS], e[CELLS];

    same_array(map, kldve_heatmap_cotangent, t, CLASSES);
    mean_gradient(f, t, a);
    same_array(map, kldve_heatmap_weights, a, MAPS);
    weighted(f, a, false, true, e);
    same_map(map, e);
}

static void check_oriented(struct fixture *f, kldve_reading reading, int32_t c)
{
    kldve_heatmap *map = explain(f, reading, c);
    double t[CLASSES];

    t[c] = 0;
    for (int i = 0; i < CLASSES; i++) {
        double d = fabs((double)f->logits[i] - (double)f->logits[c]), w = 1 / (1 + d * d);

        if (i != c) {
            t[i] = -(reading == KLDVE_READING_RIVALS ? w * w : w) * d;
            t[c] -= t[i];
        }
    }
    standardised(t, CLASSES, t); /* the mean is 0 */
    check_cotangent(f, map, t);
    kldve_heatmap_free(map);
}

/* Targets whose weighted sum is positive somewhere: checked by min_max() of the oracle, which gives
 * NaN on a constant map. */
static void test_contrast(void **state)
{
    for (int32_t c = 0; c < CLASSES; c++)
        check_oriented(*state, KLDVE_READING_CONTRAST, c);
}

static void test_rivals(void **state)
{
    for (int32_t c = 0; c < CLASSES; c++)
        check_oriented(*state, KLDVE_READING_RIVALS, c);
}

/* -p at the rivals, and the perplexity of p. */
static double shares(const struct fixture *f, int32_t c, double beta, double *t)
{
    double sum = 0, entropy = 0;

    for (int i = 0; i < CLASSES; i++) {
        t[i] = exp(-beta * fabs((double)f->logits[i] - (double)f->logits[c]));
        sum += i == c ? 0 : t[i];
    }
    for (int i = 0; i < CLASSES; i++) {
        t[i] = i == c ? 1 : -t[i] / sum;
        entropy -= i == c ? 0 : -t[i] * log(-t[i]);
    }
    return exp(entropy);
}

static void check_neighbours(struct fixture *f, int32_t c, double perplexity, double expected)
{
    const kldve_options o = {.struct_size = sizeof o,
                             .reading = KLDVE_READING_NEIGHBOURS,
                             .target_kind = KLDVE_TARGET_INDEX,
                             .target = c,
                             .neighbour_perplexity = perplexity};
    double t[CLASSES], low = 0, high = 1e3;
    kldve_record r = {.struct_size = sizeof r};
    kldve_heatmap *map = NULL;

    for (int i = 0; i < 100; i++) {
        double beta = (low + high) / 2;

        *(shares(f, c, beta, t) > expected ? &low : &high) = beta;
    }
    standardised(t, CLASSES, t); /* the mean is 0 */
    assert_int_equal(kldve_explain_input(f->ex, f->input, &o, &map), KLDVE_OK);
    check_cotangent(f, map, t);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_true(r.neighbour_perplexity == expected);
    kldve_heatmap_free(map);
}

static void test_neighbours(void **state)
{
    for (int32_t c = 0; c < CLASSES; c++)
        check_neighbours(*state, c, 0, 3);
}

static void test_neighbour_perplexity(void **state)
{
    kldve_record r = {.struct_size = sizeof r};
    kldve_heatmap *map = explain(*state, KLDVE_READING_RIVALS, 0);

    for (int32_t c = 0; c < CLASSES; c++)
        check_neighbours(*state, c, 1.5, 1.5);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_true(r.neighbour_perplexity == 0);
    kldve_heatmap_free(map);
}

static void test_default_is_neighbours(void **state)
{
    struct fixture *f = *state;
    kldve_heatmap *plain = NULL, *neighbours;
    kldve_record r = {.struct_size = sizeof r};

    assert_int_equal(kldve_explain_input(f->ex, f->input, NULL, &plain), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(plain, &r), KLDVE_OK);
    assert_int_equal(r.reading, KLDVE_READING_NEIGHBOURS);
    assert_string_equal(r.method, "kl-dve");
    for (int i = 0; i < CLASSES; i++)
        assert_true(f->logits[i] <= f->logits[r.target]);
    neighbours = explain(f, KLDVE_READING_NEIGHBOURS, r.target);
    assert_memory_equal(got_values(plain), got_values(neighbours), CELLS * sizeof(float));
    kldve_heatmap_free(plain);
    kldve_heatmap_free(neighbours);
}

static void test_record(void **state)
{
    struct fixture *f = *state;
    kldve_heatmap *map = explain(f, KLDVE_READING_RIVALS, 4);
    kldve_record r = {.struct_size = sizeof r};
    kldve_timings ms = {.struct_size = sizeof ms};
    double sum = 0;
    size_t count;

    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    for (int i = 0; i < CLASSES; i++)
        sum += exp((double)f->logits[i]);
    assert_int_equal(r.struct_size, sizeof r);
    assert_int_equal(r.target, 4);
    assert_int_equal(r.reading, KLDVE_READING_RIVALS);
    assert_int_equal(r.classes, CLASSES);
    assert_int_equal(r.maps, MAPS);
    assert_int_equal(r.height, H);
    assert_int_equal(r.width, W);
    assert_true(r.logit == f->logits[4]);
    assert_true(fabs((double)r.probability - exp((double)f->logits[4]) / sum) < 1e-6);
    assert_true(r.kl > 0);
    assert_true(isnan(r.class_sensitivity));
    assert_false(r.flags & KLDVE_RESULT_FLAT);
    assert_int_equal(kldve_heatmap_timings(map, &ms), KLDVE_OK);
    assert_int_equal(ms.struct_size, sizeof ms);
    assert_true(ms.forward > 0 && ms.divergence > 0 && ms.backward > 0 && ms.reduce > 0);
    assert_true(ms.preprocess == 0);
    assert_true(r.seen_x == 0 && r.seen_y == 0 && r.seen_width == 1 && r.seen_height == 1);
    assert_memory_equal(got_logits(map, &count), f->logits, sizeof f->logits);
    assert_int_equal(count, CLASSES);
    kldve_heatmap_free(map);
}

static void test_ranks(void **state)
{
    struct fixture *f = *state;
    float last = INFINITY;

    for (int32_t rank = 0; rank < CLASSES; rank++) {
        kldve_options o = {.struct_size = sizeof o,
                           .reading = KLDVE_READING_PAPER,
                           .target_kind = KLDVE_TARGET_RANK,
                           .target = rank};
        kldve_record r = {.struct_size = sizeof r};
        kldve_heatmap *map = NULL;

        assert_int_equal(kldve_explain_input(f->ex, f->input, &o, &map), KLDVE_OK);
        assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
        assert_true(r.logit < last);
        last = r.logit;
        kldve_heatmap_free(map);
    }
}

static void test_reading_names(void **state)
{
    int32_t reading = -1;

    (void)state;
    for (int32_t i = KLDVE_READING_PAPER; i <= KLDVE_READING_NEIGHBOURS; i++) {
        assert_int_equal(kldve_reading_from_name(kldve_reading_name(i), &reading), KLDVE_OK);
        assert_int_equal(reading, i);
    }
    assert_null(kldve_reading_name(0));
    assert_null(kldve_reading_name(6));
    assert_int_equal(kldve_reading_from_name("Paper", &reading), KLDVE_E_NOT_FOUND);
    assert_int_equal(kldve_reading_from_name("", &reading), KLDVE_E_NOT_FOUND);
    assert_int_equal(kldve_reading_from_name(NULL, &reading), KLDVE_E_ARG);
}

TEST_MAIN(kl_dve)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_paper, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paper_ignores_the_class, setup, teardown),
        cmocka_unit_test_setup_teardown(test_channel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_contrast, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rivals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_neighbours, setup, teardown),
        cmocka_unit_test_setup_teardown(test_neighbour_perplexity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_default_is_neighbours, setup, teardown),
        cmocka_unit_test_setup_teardown(test_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ranks, setup, teardown),
        cmocka_unit_test(test_reading_names),
    };

    return cmocka_run_group_tests_name("kl dve", tests, NULL, NULL);
}
