/* test_divergence.c - the object: options, scores and arguments that are refused, with their
 * messages; the temperature; every allocation failed once. */
#include "problems.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "oracle.h"

typedef struct option_case {
    const char *name;
    kldve_divergence_options options;
    int32_t n;
    const char *message;
} option_case;

#define WITH(...)                                                                                  \
    {                                                                                              \
        .struct_size = sizeof(kldve_divergence_options), __VA_ARGS__                               \
    }

static void test_options(void **state)
{
    const option_case cases[] = {
        {"no size", {.struct_size = 0}, 10, "struct_size"},
        {"perplexity 1", WITH(.perplexity = 1), 10, "perplexity is 1, it must be above 1"},
        {"perplexity NaN", WITH(.perplexity = NAN), 10, "perplexity is nan"},
        {"perplexity infinite", WITH(.perplexity = INFINITY), 10, "perplexity is inf"},
        {"temperature below 0", WITH(.temperature = -1), 10,
         "temperature is -1, it must be above 0"},
        {"temperature NaN", WITH(.temperature = NAN), 10, "temperature is nan"},
        {"tolerance 1", WITH(.tolerance = 1), 10, "tolerance is 1, it must be 1e-14"},
        {"tolerance tiny", WITH(.tolerance = 1e-20), 10, "tolerance is 1e-20"},
        {"tolerance NaN", WITH(.tolerance = NAN), 10, "tolerance is nan"},
        {"summation 3", WITH(.summation = 3), 10, "unknown summation 3"},
        {"summation -1", WITH(.summation = -1), 10, "unknown summation -1"},
        {"unattainable 2", WITH(.unattainable = 2), 10, "unknown value 2"},
        {"no scores", WITH(.perplexity = 0), 0, "0 scores, at least 2"},
        {"one score", WITH(.perplexity = 0), 1, "1 scores, at least 2"},
        {"fewer than none", WITH(.perplexity = 0), -1, "-1 scores, at least 2"},
    };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kldve_divergence *d = NULL;

        if (kldve_divergence_new(ctx, cases[i].n, &cases[i].options, &d) != KLDVE_E_ARG || d)
            fail_msg("%s is not refused", cases[i].name);
        if (!strstr(kldve_ctx_message(ctx), cases[i].message))
            fail_msg("%s: the message is \"%s\"", cases[i].name, kldve_ctx_message(ctx));
    }
    assert_int_equal(kldve_divergence_new(ctx, 10, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_new(NULL, 10, NULL, NULL), KLDVE_E_ARG);
    kldve_divergence_free(NULL);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* NaN, infinity and too wide a range, wherever they stand; the object then has no scores. */
static void test_scores(void **state)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e80, -1.7e308};
    static const size_t places[] = {0, 7, 8, 30};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = NULL;
    double k[31], z[31];

    (void)state;
    assert_int_equal(kldve_divergence_new(ctx, 31, NULL, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(d, 0, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_set_scores(d, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_set_scores(NULL, k), KLDVE_E_ARG);
    for (size_t b = 0; b < 5; b++)
        for (size_t p = 0; p < 4; p++) {
            char name[32];

            oracle_scores(ORACLE_NORMAL, 1, 31, 4, k);
            assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
            k[places[p]] = bad[b];
            assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_E_NUMERIC);
            snprintf(name, sizeof name, b < 3 ? "entry %zu is" : "span", places[p]);
            assert_non_null(strstr(kldve_ctx_message(ctx), name));
            assert_int_equal(kldve_divergence_onehot(d, 0, z, NULL), KLDVE_E_ARG);
            assert_int_equal(kldve_divergence_contrast(d, 0, z), KLDVE_E_ARG);
            assert_int_equal(kldve_divergence_truth(d, k, z, NULL), KLDVE_E_ARG);
        }
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_arguments(void **state)
{
    static const int32_t twice[] = {1, 2, 1}, beyond[] = {1, 31}, below[] = {1, -1};
    static const double cold[] = {1, 0};
    kldve_divergence_info info = {.struct_size = 1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = NULL;
    double k[31], z[62], y[31] = {1}, value;

    (void)state;
    assert_int_equal(kldve_divergence_new(ctx, 31, NULL, &d), KLDVE_OK);
    oracle_scores(ORACLE_NORMAL, 1, 31, 4, k);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_contrast(d, 0, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_base(d, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_delta(d, 0, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_many(d, KLDVE_CLASS_TERM_NEIGHBOURS + 1, twice, 2, z), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_many(d, 0, beyond, 2, z), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_many(d, 0, below, 2, z), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_many(d, 0, twice, -1, z), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_many(d, 0, NULL, 2, z), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_many(d, 0, NULL, 0, NULL), KLDVE_OK);
    assert_int_equal(kldve_divergence_positives(d, twice, 3, z, NULL), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(ctx), "target 1 is given twice"));
    assert_int_equal(kldve_divergence_positives(d, beyond, 2, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_positives(d, below, 2, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_positives(d, twice, -1, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_positives(d, twice, 0, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_positives(d, twice, 31, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_positives(d, NULL, 1, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_set_temperature(d, 0), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_set_temperature(d, NAN), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_sweep(d, 31, cold, 1, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_sweep(d, -1, cold, 1, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_sweep(d, 0, cold, -1, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_sweep(d, 0, NULL, 1, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_sweep(d, 0, cold, 2, z, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_onehot(d, 0, z, NULL), KLDVE_OK); /* still usable */
    assert_int_equal(kldve_divergence_get_info(d, &info), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_get_info(d, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_measure(d, 0, &value), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_truth(d, NULL, z, NULL), KLDVE_E_ARG);
    y[9] = 0.1;
    assert_int_equal(kldve_divergence_plain(d, 0, y, z, &value), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(ctx), "sum to 1.1"));
    y[9] = -0.1;
    assert_int_equal(kldve_divergence_plain(d, 0, y, z, &value), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_plain(d, 0, NULL, z, &value), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_plain(d, 3, y, z, &value), KLDVE_E_ARG);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Scores divided by T at T = 1 and scores at T, and a sweep over it. */
static void test_temperature(void **state)
{
    static const double temperatures[] = {0.25, 1, 3, 40};
    fixture *f = start(MANY, 30), *g = start(MANY, 30);
    double *z = malloc(4 * MANY * sizeof *z), kl[4], own;

    (void)state;
    assert_int_equal(kldve_divergence_onehot(f->d, 1, f->other, NULL), KLDVE_OK);
    assert_int_equal(kldve_divergence_sweep(f->d, 1, temperatures, 4, z, kl), KLDVE_OK);
    for (size_t t = 0; t < 4; t++) {
        for (size_t i = 0; i < MANY; i++)
            g->k[i] = f->k[i] / temperatures[t];
        assert_int_equal(kldve_divergence_set_scores(g->d, g->k), KLDVE_OK);
        assert_int_equal(kldve_divergence_onehot(g->d, 1, g->z, &own), KLDVE_OK);
        check_near("temperature", temperatures[t], z + t * MANY, g->z, MANY, 1e-11);
        assert_true(fabs(own - kl[t]) <= 1e-12);
        assert_int_equal(kldve_divergence_set_temperature(f->d, temperatures[t]), KLDVE_OK);
        assert_int_equal(kldve_divergence_onehot(f->d, 1, f->z, NULL), KLDVE_OK);
        assert_memory_equal(f->z, z + t * MANY, sizeof f->z);
        assert_int_equal(kldve_divergence_set_temperature(f->d, 1), KLDVE_OK);
    }
    assert_int_equal(kldve_divergence_onehot(f->d, 1, f->z, NULL), KLDVE_OK);
    assert_memory_equal(f->z, f->other, sizeof f->z);
    free(z);
    finish(f);
    finish(g);
}

enum { SCORES = 2000 };

/* Everything that allocates, once through: KLDVE_OK, or the first failure. */
static kldve_status run(kldve_ctx *ctx, const double *k, const double *y, double *z)
{
    static int32_t targets[300];
    kldve_divergence_options o = {.struct_size = sizeof o,
                                  .summation = KLDVE_SUMMATION_CHEBYSHEV,
                                  .unattainable = KLDVE_UNATTAINABLE_LIMIT};
    kldve_divergence *d = NULL;
    kldve_status st = kldve_divergence_new(ctx, SCORES, &o, &d);
    double kl = -1;

    if (st < 0) {
        assert_null(d);
        return st;
    }
    for (size_t i = 0; i < 300; i++)
        targets[i] = (int32_t)(3 * i);
    st = kldve_divergence_set_scores(d, k);
    if (st == KLDVE_OK)
        st = kldve_divergence_onehot(d, 0, z, &kl);
    if (st == KLDVE_OK)
        st = kldve_divergence_positives(d, targets, 300, z, &kl);
    if (st == KLDVE_OK)
        st = kldve_divergence_truth(d, y, z, &kl);
    if (st == KLDVE_OK)
        st = kldve_divergence_truth(d, y, z, &kl);
    kldve_divergence_free(d);
    return st;
}

static void test_allocations(void **state)
{
    double *k = malloc(3 * SCORES * sizeof *k), *y = k + SCORES, *z = y + SCORES;
    kldve_status st = KLDVE_E_NOMEM;
    long allowed = 0;

    (void)state;
    oracle_scores(ORACLE_UNIFORM, 300, SCORES, 1, k); /* wide: many clusters, grown step by step */
    for (size_t i = 0; i < SCORES; i++)
        y[i] = i % 2 ? k[i] : 0;
    while (st != KLDVE_OK) {
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);

        heap.budget = allowed++;
        st = run(ctx, k, y, z);
        if (st < 0) {
            assert_int_equal(st, KLDVE_E_NOMEM);
            if (!strstr(kldve_ctx_message(ctx), "out of memory"))
                fail_msg("allocation %ld: the message is \"%s\"", allowed, kldve_ctx_message(ctx));
        }
        heap.budget = -1;
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
        assert_true(allowed < 1000);
    }
    assert_true(allowed > 20);
    free(k);
}

TEST_MAIN(divergence)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),     cmocka_unit_test(test_scores),
        cmocka_unit_test(test_arguments),   cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests_name("divergence", tests, NULL, NULL);
}
