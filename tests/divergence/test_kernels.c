/* test_kernels.c - the instruction sets of this processor give the same bits; the inner loops agree
 * with their definitions at every length. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "divergence/kernels.h"
#include "divergence/pack.h"

enum { MOST = 77 };

typedef struct data {
    double x[MOST + 8], q[MOST + 8], a[MOST + 8], b[MOST + 8], c[MOST + 8], d[MOST + 8];
} data;

static data make(uint64_t seed)
{
    data s;

    memset(&s, 0, sizeof s);
    for (size_t i = 0; i < MOST; i++) {
        s.x[i] = 3 * test_normal(&seed);
        s.q[i] = test_random(&seed) + 0.1;
        s.a[i] = test_normal(&seed);
        s.b[i] = test_random(&seed);
        s.c[i] = 0.01 * test_random(&seed);
        s.d[i] = test_random(&seed);
    }
    return s;
}

/* Every kernel once, results appended to out. */
static size_t run_all(const kldve_kernels *k, size_t n, double *out)
{
    data s = make(n + 1), r = make(n + 2);
    kldve_row row = {0.3, 0.7, 0.01, 2.5, 0.125};
    kldve_pull set = {s.x, s.a, r.d, s.b, s.c, s.d};
    kldve_slot one = {n < 32 ? 2 : 4, n < 32 ? 11 : 32, s.x, s.q, s.a, s.b, s.d};
    kldve_slot two = {3, 24, r.x, r.q, r.a, r.b, r.c};
    double *o = out;

    o[0] = k->extent(s.x, n, o + 1, o + 2);
    o += 3;
    for (int narrow = 0; narrow < 2; narrow++) {
        *o++ = k->pairs(s.x, n, narrow, r.a, r.b);
        memcpy(o, r.a, n * sizeof *o);
        memcpy(o + n, r.b, n * sizeof *o);
        o += 2 * n;
        r = make(n + 2);
        *o++ = k->meet_self(&one, narrow, narrow);
    }
    *o++ = k->pairs_log(s.x, n, 1e3);
    *o++ = k->row_log(s.x, n, 0.5, 1e3);
    *o++ = k->meet(&one, &two, 0.25);
    *o++ = k->meet_log(&one, &two, 0.25);
    k->gauss(s.x, s.q, 0, n, &row, memset(o, 0, 3 * sizeof *o));
    o += 3;
    *o = 0;
    o[1] = k->pull(&set, &row, 0, n, o);
    o += 2;
    k->joint(&set, &row, n, o);
    o += n;
    k->peaks(s.a, s.b, n, 2, -3, o);
    o += 3;
    *o++ = k->gradient(s.x, n, 0.1, s.a, s.b, 2, 3, 4, r.c);
    k->forces(s.x, n, 0.1, true, r.x, o);
    o += 2;
    k->decay(s.b, n, 1.5, o);
    o += 3;
    *o++ = k->shares(r.d, n, 2.5, -0.125);
    memset(o, 0, 24 * sizeof *o);
    k->moments(s.x, s.q, n, 0, 0.1, 24, o);
    k->evaluate(s.x, n, 0, 0.1, 24, o, s.q, r.q, r.b);
    o += 24;
    k->combine(s.a, 8, s.b, o);
    o += 8;
    memcpy(o, &s, sizeof s);
    o += sizeof s / sizeof *o;
    memcpy(o, &r, sizeof r);
    o += sizeof r / sizeof *o;
    return (size_t)(o - out);
}

static void test_same_bits(void **state)
{
    enum { ROOM = 4096 };
    double *first = malloc(2 * ROOM * sizeof *first), *other = first + ROOM;
    const kldve_kernels *best = kldve_kernels_at(0), *k;

    (void)state;
    for (size_t n = 1; n <= MOST; n++) {
        size_t count = run_all(best, n, first);

        assert_true(count <= ROOM);
        for (size_t i = 1; (k = kldve_kernels_at(i)); i++) {
            assert_int_equal(run_all(k, n, other), count);
            if (memcmp(first, other, count * sizeof *first) != 0)
                fail_msg("%s and %s differ at n = %zu", best->name, k->name, n);
        }
    }
    free(first);
}

static void test_names(void **state)
{
    size_t count = 0;

    (void)state;
    while (kldve_kernels_at(count))
        print_message("kernels: %s\n", kldve_kernels_at(count++)->name);
    assert_true(count >= 1);
    assert_string_equal(kldve_kernels_at(count - 1)->name, "baseline");
    assert_ptr_equal(kldve_kernels_best(), kldve_kernels_at(0));
}

static void assert_close(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fabs(expected)))
        fail_msg("%.17g is not %.17g", got, expected);
}

/* S1, S2, S3 and Z by their definitions, and the two ways of the logarithm. */
static void test_pairs(void **state)
{
    (void)state;
    for (size_t n = 2; n <= MOST; n++) {
        data s = make(n);
        double total = 0, logs = 0, s1[MOST + 8], s2[MOST + 8];

        double pairs = kldve_kernels_best()->pairs(s.x, n, false, s1, s2);

        for (size_t i = 0; i < n; i++) {
            double sum1 = 0, sum2 = 0, row = 0;

            for (size_t j = 0; j < n; j++) {
                double d = s.x[i] - s.x[j], w = 1 / (1 + d * d);

                sum1 += w * d;
                sum2 += w * w * d;
                total += i != j ? w : 0;
                row += log1p(d * d);
            }
            assert_true(fabs(s1[i] - sum1) <= 1e-13 && fabs(s2[i] - sum2) <= 1e-13);
            assert_close(kldve_kernels_best()->row_log(s.x, n, s.x[i], 40), row, 1e-14);
            logs += row;
        }
        assert_close(pairs, total, 1e-14);
        assert_close(kldve_kernels_best()->pairs_log(s.x, n, 40), logs, 1e-14);
    }
}

/* exp and log of packs against the C library's. */
static void test_elementary(void **state)
{
    double x[PACK], got[PACK];

    (void)state;
    for (double start = -699; start < 0; start += 0.37) {
        for (int i = 0; i < PACK; i++)
            x[i] = start + 0.046 * i < 0 ? start + 0.046 * i : 0;
        store(got, exp_pack(load(x)));
        for (int i = 0; i < PACK; i++)
            assert_close(got[i], exp(x[i]), 5e-16);
    }
    for (double start = 1e-300; start < 1e300; start *= 1.37) {
        for (int i = 0; i < PACK; i++)
            x[i] = start * (1 + 0.04 * i);
        store(got, log_pack(load(x)));
        for (int i = 0; i < PACK; i++)
            assert_true(fabs(got[i] - log(x[i])) <= 4e-16 * fabs(log(x[i])) + 1e-16);
    }
    for (int i = 0; i < PACK; i++)
        x[i] = 1 + ldexp(1, -6 * i - 4);
    store(got, log_pack(load(x)));
    for (int i = 0; i < PACK; i++)
        assert_close(got[i], log(x[i]), 4e-16);
    store(got, exp_pack(fill(-1e300)));
    assert_true(got[0] >= 0 && got[0] < 1e-300);
}

TEST_MAIN(kernels)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_elementary),
    };

    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
