/* test_neighbours.c - the cotangent of the nearest rivals: golden files, its definition in long
 * double, its limits, and what must not change it. */
#include "problems.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "oracle.h"

/* -- by definition ---------------------------------------------------------------------------- */

static long double entropy(const long double *e, size_t n, size_t c, long double beta,
                           long double *p)
{
    long double sum = 0, h = 0;

    for (size_t i = 0; i < n; i++)
        sum += p[i] = i == c ? 0 : expl(-beta * e[i]);
    for (size_t i = 0; i < n; i++) {
        p[i] /= sum;
        h -= p[i] > 0 ? p[i] * logl(p[i]) : 0;
    }
    return h;
}

/* By bisection of beta; the perplexity is within reach. */
static void by_definition(const double *k, size_t n, size_t c, double perplexity, double *t)
{
    long double *e = calloc(2 * n, sizeof *e), *p = e + n, nearest = INFINITY, low = 0, high = 1;
    long double squares = 0;

    assert_non_null(e);
    for (size_t i = 0; i < n; i++) {
        e[i] = fabsl((long double)k[i] - (long double)k[c]);
        nearest = i == c ? nearest : fminl(nearest, e[i]);
    }
    for (size_t i = 0; i < n; i++)
        e[i] -= nearest;
    while (entropy(e, n, c, high, p) > logl((long double)perplexity))
        high *= 2;
    for (int i = 0; i < 120; i++) {
        long double middle = (low + high) / 2;

        if (entropy(e, n, c, middle, p) > logl((long double)perplexity))
            low = middle;
        else
            high = middle;
    }
    for (size_t i = 0; i < n; i++)
        squares += i == c ? 1 : p[i] * p[i];
    for (size_t i = 0; i < n; i++)
        t[i] = (double)((i == c ? 1 : -p[i]) / sqrtl(squares / (long double)n));
    free(e);
}

static void test_definition(void **state)
{
    static const double perplexities[] = {1.01, 3, 20.5, 99.9};
    fixture *f = start(MANY, 30);

    (void)state;
    for (oracle_kind kind = ORACLE_NORMAL; kind <= ORACLE_GEOMETRIC; kind++) {
        oracle_scores(kind, 1, MANY, 5, f->k);
        assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
        for (size_t i = kind == ORACLE_TIES ? 3 : 0; i < 4; i++)
            for (int32_t c = 0; c < MANY; c += MANY - 1) {
                assert_int_equal(kldve_divergence_neighbours(f->d, c, perplexities[i], f->z),
                                 KLDVE_OK);
                by_definition(f->k, MANY, (size_t)c, perplexities[i], f->other);
                check_near("perplexity", perplexities[i], f->z, f->other, MANY, 1e-11);
            }
    }
    finish(f);
}

/* Every number of classes, so that packs end everywhere, and every target. */
static void test_sizes(void **state)
{
    double k[FEW], t[FEW], expected[FEW];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    oracle_scores(ORACLE_UNIFORM, 1, FEW, 9, k);
    for (size_t n = 3; n <= 35; n++) {
        kldve_divergence *d =
            new_divergence(ctx, n, 30, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_LIMIT);

        assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
        for (size_t c = 0; c < n; c++) {
            assert_int_equal(kldve_divergence_neighbours(d, (int32_t)c, 1.75, t), KLDVE_OK);
            by_definition(k, n, c, 1.75, expected);
            check_near("classes", (double)n, t, expected, n, 1e-12);
        }
        kldve_divergence_free(d);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void check_golden(const char *folder, int32_t summation)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int32_t target = (int32_t)golden_number(folder, "target");
    size_t n;
    kldve_divergence *d = golden_open_onehot(ctx, folder, summation, &n);
    double *t = malloc(n * sizeof *t);

    assert_int_equal(kldve_divergence_neighbours(d, target, 0, t), KLDVE_OK);
    golden_check(folder, "neighbours_cotangent", t);
    free(t);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_golden(void **state)
{
    (void)state;
    golden_models(check_golden);
}

/* -- limits ----------------------------------------------------------------------------------- */

typedef struct limit_case {
    const char *name;
    size_t n;
    int32_t target;
    double perplexity;
    double k[8], share[8]; /* p of the rivals, before the division by the deviation */
} limit_case;

static const limit_case limits[] = {
    {"perplexity of n - 1", 5, 1, 4, {1, 9, 3, 2, 7}, {.25, 0, .25, .25, .25}},
    {"perplexity above n - 1", 5, 4, 1e6, {1, 9, 3, 2, 7}, {.25, .25, .25, .25, 0}},
    {"all scores are equal", 4, 2, 2, {5, 5, 5, 5}, {1. / 3, 1. / 3, 0, 1. / 3}},
    {"all rivals are as far", 4, 0, 2, {5, 6, 4, 6}, {0, 1. / 3, 1. / 3, 1. / 3}},
    {"two tied, perplexity 2", 6, 0, 2, {9, 7, 1, 7, 2, 3}, {0, .5, 0, .5, 0, 0}},
    {"three tied around the target", 6, 2, 2.5, {6, 4, 5, 6, 9, 1}, {1. / 3, 1. / 3, 0, 1. / 3}},
    {"tied with the target", 5, 4, 1.5, {3, 3, 1, 0, 3}, {.5, .5, 0, 0, 0}},
    {"two classes", 2, 0, 30, {1, 4}, {0, 1}},
    {"two equal classes", 2, 1, 0, {1, 1}, {1, 0}},
    {"three classes at the default", 3, 2, 0, {7, -1, 2}, {.5, .5, 0}},
};

/* The default perplexity of three classes is out of reach. */
static void check_limit(void **state)
{
    const limit_case *l = *state;
    double t[8], squares = 1, deviation;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d =
        new_divergence(ctx, l->n, 30, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_LIMIT);

    assert_int_equal(kldve_divergence_set_scores(d, l->k), KLDVE_OK);
    assert_int_equal(kldve_divergence_neighbours(d, l->target, l->perplexity, t), KLDVE_OK);
    for (size_t i = 0; i < l->n; i++)
        squares += l->share[i] * l->share[i];
    deviation = sqrt(squares / (double)l->n);
    for (size_t i = 0; i < l->n; i++) {
        double want = ((int32_t)i == l->target ? 1 : -l->share[i]) / deviation;

        if (!(fabs(t[i] - want) <= 1e-14))
            fail_msg("t[%zu] = %.17g is not %.17g", i, t[i], want);
    }
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Between two of three: by hand, p = u / (1 + u) with the entropy of the perplexity. */
static void test_three(void **state)
{
    static const double k[3] = {4, 1, 0};
    double t[3], p;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d =
        new_divergence(ctx, 3, 30, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_LIMIT);

    (void)state;
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_neighbours(d, 0, 1.5, t), KLDVE_OK);
    p = -t[1] / t[0];
    assert_true(p > .5 && fabs(-t[2] / t[0] - (1 - p)) < 1e-14);
    assert_true(fabs(-p * log(p) - (1 - p) * log(1 - p) - log(1.5)) < 1e-12);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_default(void **state)
{
    static const struct {
        int32_t n;
        double perplexity;
    } cases[] = {{2, 3}, {10, 3}, {31, 3}, {101, 10}, {1000, 99.9}, {1001, 100}, {1000000, 100}};
    fixture *f = start(MANY, 30);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(kldve_divergence_neighbour_perplexity(cases[i].n) == cases[i].perplexity);
    assert_int_equal(kldve_divergence_neighbours(f->d, 3, 0, f->z), KLDVE_OK);
    by_definition(f->k, MANY, 3, 69.9, f->other);
    check_near("default", 69.9, f->z, f->other, MANY, 1e-11);
    finish(f);
}

/* The perplexity of the options is that of 0 and of kldve_divergence_many(). */
static void test_options(void **state)
{
    kldve_divergence_options o = {.struct_size = sizeof o, .neighbour_perplexity = 12};
    const int32_t target = 5;
    fixture *f = start(MANY, 30);
    kldve_divergence *d = NULL;

    (void)state;
    assert_int_equal(kldve_divergence_new(f->ctx, MANY, &o, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, f->k), KLDVE_OK);
    assert_int_equal(kldve_divergence_neighbours(f->d, target, 12, f->z), KLDVE_OK);
    assert_int_equal(kldve_divergence_neighbours(d, target, 0, f->other), KLDVE_OK);
    assert_memory_equal(f->z, f->other, sizeof f->z);
    assert_int_equal(kldve_divergence_many(d, KLDVE_CLASS_TERM_NEIGHBOURS, &target, 1, f->third),
                     KLDVE_OK);
    assert_memory_equal(f->z, f->third, sizeof f->z);
    kldve_divergence_free(d);
    finish(f);
}

static void test_refused(void **state)
{
    static const double bad[] = {1, 0.5, -3, NAN, INFINITY};
    kldve_divergence_options o = {.struct_size = sizeof o, .neighbour_perplexity = 1};
    kldve_divergence *none = NULL;
    fixture *f = start(FEW, 30);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        f->z[0] = -7;
        assert_int_equal(kldve_divergence_neighbours(f->d, 0, bad[i], f->z), KLDVE_E_ARG);
        assert_non_null(strstr(kldve_ctx_message(f->ctx), "neighbours: perplexity is "));
        assert_true(f->z[0] == -7);
    }
    assert_int_equal(kldve_divergence_neighbours(f->d, FEW, 3, f->z), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(f->ctx),
                        "neighbours: target 60 is not among the 60 classes");
    assert_int_equal(kldve_divergence_neighbours(f->d, 0, 3, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_neighbours(NULL, 0, 3, f->z), KLDVE_E_ARG);
    assert_int_equal(kldve_divergence_new(f->ctx, FEW, &o, &none), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(f->ctx),
                        "divergence: neighbour_perplexity is 1, it must be above 1");
    assert_null(none);
    finish(f);
}

/* -- what does not change it ------------------------------------------------------------------ */

static void neighbours_of(fixture *f, const double *k, int32_t target, double *t)
{
    assert_int_equal(kldve_divergence_set_scores(f->d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_neighbours(f->d, target, 40, t), KLDVE_OK);
}

/* A shift and a unit of the scores, the temperature, and the sign of all. */
static void test_invariant(void **state)
{
    static const double units[] = {1e-30, 1e-3, 7, 1e30, -1};
    fixture *f = start(MANY, 30);
    double *k = malloc(MANY * sizeof *k);

    (void)state;
    for (int32_t target = 0; target < 3; target++) {
        neighbours_of(f, f->k, target, f->z);
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            for (size_t i = 0; i < MANY; i++)
                k[i] = units[u] * f->k[i];
            neighbours_of(f, k, target, f->other);
            check_near("unit", units[u], f->other, f->z, MANY, 1e-11);
        }
        for (size_t i = 0; i < MANY; i++)
            k[i] = f->k[i] + 512;
        neighbours_of(f, k, target, f->other);
        check_near("shift", 512, f->other, f->z, MANY, 1e-10);
    }
    assert_int_equal(kldve_divergence_set_temperature(f->d, 0.01), KLDVE_OK);
    neighbours_of(f, f->k, 2, f->other);
    check_near("temperature", 0.01, f->other, f->z, MANY, 1e-11);
    free(k);
    finish(f);
}

/* At a tie of the first two classes the second is what the first is told from: `rivals` gives it
 * no weight there. */
static void test_tie(void **state)
{
    const size_t first = 0, second = 1;
    fixture *f = start(MANY, 30);

    (void)state;
    for (double gap = 0; gap < 0.3; gap += 0.029) {
        double sixth = -INFINITY, above[6];

        oracle_scores(ORACLE_NORMAL, 1, MANY, 3, f->k);
        for (size_t i = 0; i < MANY; i++)
            f->k[i] = i == first ? 14 : i == second ? 14 - gap : fmin(f->k[i], 12);
        /* The ranks from the third on, as those of a network: half a unit and more below. */
        for (size_t i = 0; i < 6; i++) {
            above[i] = 13 - 0.5 * (double)i;
            f->k[2 + i] = above[i];
        }
        sixth = above[3];
        assert_true(sixth < 14 - gap);
        assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
        assert_int_equal(kldve_divergence_neighbours(f->d, 0, 0, f->z), KLDVE_OK);
        for (size_t i = 2; i < MANY; i++)
            assert_true(f->z[i] > f->z[second]);
        assert_true(f->z[second] / f->z[5] >= 1.66);
        assert_int_equal(kldve_divergence_rivals(f->d, 0, f->other), KLDVE_OK);
        assert_true(gap > 0.1 || f->other[second] / f->other[2] < 0.5);
    }
    finish(f);
}

/* A class that is not the first: both sides count, and the farther one less. */
static void test_low_rank(void **state)
{
    fixture *f = start(MANY, 30);
    int32_t target = 17;
    double sum = 0;

    (void)state;
    assert_int_equal(kldve_divergence_neighbours(f->d, target, 25, f->z), KLDVE_OK);
    for (size_t i = 0; i < MANY; i++)
        sum += f->z[i];
    assert_true(fabs(sum) < 1e-10);
    for (size_t i = 0; i < MANY; i++)
        for (size_t j = 0; j < MANY; j += 13)
            if ((int32_t)i != target && (int32_t)j != target &&
                fabs(f->k[i] - f->k[target]) < fabs(f->k[j] - f->k[target]))
                assert_true(f->z[i] <= f->z[j]);
    finish(f);
}

TEST_MAIN(neighbours)
{
    enum { LIMITS = sizeof limits / sizeof *limits };
    struct CMUnitTest tests[LIMITS + 10] = {
        cmocka_unit_test(test_golden),  cmocka_unit_test(test_definition),
        cmocka_unit_test(test_sizes),   cmocka_unit_test(test_three),
        cmocka_unit_test(test_default), cmocka_unit_test(test_options),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_invariant),
        cmocka_unit_test(test_tie),     cmocka_unit_test(test_low_rank),
    };

    for (size_t i = 0; i < LIMITS; i++)
        tests[10 + i] = (struct CMUnitTest){limits[i].name, check_limit, NULL, NULL,
                                            (void *)(uintptr_t)&limits[i]};
    return cmocka_run_group_tests_name("neighbours", tests, NULL, NULL);
}
