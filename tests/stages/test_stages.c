/* test_stages.c - the pure stages one by one: target, reduction, normalisation, sensitivity, and
 * the structs of older and newer callers. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/block.h"
#include "base/finite.h"
#include "stages/normalise.h"
#include "base/random.h"
#include "stages/reduce.h"
#include "stages/sensitivity.h"
#include "base/struct.h"
#include "stages/target.h"
#include "stages/weights.h"

/* -- target ----------------------------------------------------------------------------------- */

static void test_ranks(void **state)
{
    enum { N = 200 };
    float k[N];
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 20; round++) {
        bool taken[N] = {false};
        float last = INFINITY;
        size_t last_class = 0;

        for (int i = 0; i < N; i++) /* many ties, both zeros */
            k[i] = (float)(int)(test_normal(&seed) * 3) * (i % 2 ? 1.0f : -1.0f);
        k[7] = FLT_MAX;
        k[8] = -FLT_MAX;
        k[9] = 1e-45f;
        for (size_t rank = 0; rank < N; rank++) {
            size_t c = kldve_target_ranked(k, N, rank);

            assert_true(c < N && !taken[c]);
            assert_true(k[c] <= last);
            assert_true(k[c] != last || c > last_class); /* of equal ones the lower index first */
            taken[c] = true;
            last = k[c];
            last_class = c;
        }
    }
}

static void test_probability(void **state)
{
    const float k[4] = {1000, 999, 0, -1000};

    (void)state;
    assert_true(fabs(kldve_target_probability(k, 4, 0) - 1 / (1 + exp(-1))) < 1e-12);
    assert_true(fabs(kldve_target_probability(k, 4, 1) - exp(-1) / (1 + exp(-1))) < 1e-12);
    assert_true(kldve_target_probability(k, 4, 3) == 0);
}

/* -- weights and reduction -------------------------------------------------------------------- */

static void test_reduce(void **state)
{
    static const int32_t sizes[][2] = {{1, 1}, {1, 9}, {5, 1}, {3, 4}, {512, 49}, {40, 3136}};
    uint64_t seed = 2;

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int32_t maps = sizes[s][0], cells = sizes[s][1];
        float *x = malloc(sizeof *x * (size_t)(maps * cells)),
              *e = malloc(sizeof *e * (size_t)cells);
        float *scratch = malloc(sizeof *scratch * (size_t)maps);
        double *a = malloc(sizeof *a * (size_t)maps), largest = 0;

        for (int32_t i = 0; i < maps * cells; i++)
            x[i] = (float)test_normal(&seed);
        for (int32_t c = 0; c < maps; c++) {
            a[c] = test_normal(&seed) * 1e300; /* beyond float32 */
            largest = fmax(largest, fabs(a[c]));
        }
        for (int kind = 0; kind < 3; kind++) {
            if (kind == 0)
                kldve_reduce(x, maps, cells, a, scratch, e);
            else if (kind == 1)
                kldve_reduce_magnitudes(x, maps, cells, a, scratch, e);
            else
                kldve_reduce_sum(x, maps, cells, scratch, e);
            for (int32_t i = 0; i < cells; i++) {
                double want = 0, size = 0;

                for (int32_t c = 0; c < maps; c++) {
                    double w = kind == 2 ? 1 : (kind == 1 ? fabs(a[c]) : a[c]) / largest;

                    want += w * (double)x[c * cells + i];
                    size += fabs(w * (double)x[c * cells + i]);
                }
                assert_true(fabs((double)e[i] - want) <= 1e-6 * size);
            }
        }
        memset(a, 0, sizeof *a * (size_t)maps);
        kldve_reduce(x, maps, cells, a, scratch, e);
        for (int32_t i = 0; i < cells; i++)
            assert_true(e[i] == 0);
        free(x);
        free(e);
        free(scratch);
        free(a);
    }
}

static void test_mean(void **state)
{
    const float g[6] = {1, 2, 6, -1, 0, 4};
    double a[2];

    (void)state;
    kldve_weights_mean(g, 2, 3, a);
    assert_true(a[0] == 3 && a[1] == 1);
}

/* -- normalisation ---------------------------------------------------------------------------- */

static void test_normalise(void **state)
{
    float map[4] = {-2, 0, 2, 6}, constant[3] = {5, 5, 5}, huge[3] = {-FLT_MAX, 0, FLT_MAX};
    float wavy[3] = {100, 100.00001f, 99.99999f}, tiny[3] = {0, 1e-40f, 2e-40f};
    double scale;

    (void)state;
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, map, 4, &scale), 0);
    assert_true(scale == 1.0 / 8);
    assert_true(map[0] == 0 && map[1] == 0.25f && map[2] == 0.5f && map[3] == 1);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, constant, 3, &scale), 1);
    assert_true(constant[0] == 0 && constant[1] == 0 && constant[2] == 0);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, huge, 3, &scale), 0);
    assert_true(huge[0] == 0 && huge[1] == 0.5f && huge[2] == 1);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, wavy, 3, &scale), 1);
    assert_true(wavy[0] == 0 && wavy[1] == 0 && wavy[2] == 0);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, tiny, 3, &scale), 0);
    assert_true(tiny[0] == 0 && fabsf(tiny[1] - 0.5f) < 1e-4f && tiny[2] == 1);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, map, 0, &scale), 1);
}

static void test_normalise_signed(void **state)
{
    float map[4] = {-2, 0, 1, 8}, constant[2] = {3, 3}, against[3] = {-4, -1, 0};
    double scale;

    (void)state;
    assert_int_equal(kldve_normalise(KLDVE_SIGN_SIGNED, map, 4, &scale), 0);
    assert_true(map[0] == 0.375f && map[1] == 0.5f && map[2] == 0.5625f && map[3] == 1);
    assert_true(scale == 1.0 / 16);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_SIGNED, constant, 2, &scale), 1);
    assert_true(constant[0] == 0.5f && constant[1] == 0.5f && scale == 0);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_SIGNED, against, 3, &scale), 0);
    assert_true(against[0] == 0 && against[1] == 0.375f && against[2] == 0.5f);
}

static void test_sign(void **state)
{
    const float values[3] = {-2, 0, 3},
                expected[4][3] = {{-2, 0, 3}, {0, 0, 3}, {-2, 0, 3}, {2, 0, 3}};

    (void)state;
    for (int32_t sign = KLDVE_SIGN_DEFAULT; sign <= KLDVE_SIGN_ABSOLUTE; sign++) {
        float map[3];

        memcpy(map, values, sizeof map);
        kldve_apply_sign(sign, map, 3);
        assert_memory_equal(map, expected[sign], sizeof map);
    }
}

static void test_score(void **state)
{
    const float k[4] = {1, 2, -3, 0.5f};
    const int32_t set[2] = {3, 1};
    double e[4], sum = 0, p1, weight[4];
    kldve_options o = {.temperature = 2, .target_kind = KLDVE_TARGET_INDEX};

    (void)state;
    for (int i = 0; i < 4; i++)
        sum += e[i] = exp((double)k[i] / 2);
    p1 = e[1] / sum;
    assert_true(kldve_target_score(&o, 1, k, 4, KLDVE_SCORE_LOGIT) == 2);
    assert_true(fabs(kldve_target_score(&o, 1, k, 4, KLDVE_SCORE_PROBABILITY) - p1) < 1e-15);
    assert_true(fabs(kldve_target_score(&o, 1, k, 4, KLDVE_SCORE_LOG_ODDS) - log2(p1 / (1 - p1))) <
                1e-14);
    o.target_kind = KLDVE_TARGET_VERSUS;
    o.rival = 3;
    assert_true(kldve_target_score(&o, 1, k, 4, KLDVE_SCORE_LOGIT) == 1.5);
    kldve_target_weights(&o, 1, 4, weight);
    assert_true(weight[0] == 0 && weight[1] == 1 && weight[2] == 0 && weight[3] == -1);
    o.target_kind = KLDVE_TARGET_SET;
    o.targets = set;
    o.target_count = 2;
    assert_true(kldve_target_score(&o, 1, k, 4, KLDVE_SCORE_LOGIT) == 1.25);
    assert_true(fabs(kldve_target_score(&o, 1, k, 4, KLDVE_SCORE_PROBABILITY) -
                     (e[1] + e[3]) / sum) < 1e-15);
    kldve_target_weights(&o, 1, 4, weight);
    assert_true(weight[0] == 0 && weight[1] == 0.5 && weight[2] == 0 && weight[3] == 0.5);
}

static void test_generator(void **state)
{
    /* The published generator: the first outputs from the states 1234567 and 0. */
    const uint64_t known[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973)};
    kldve_random r = {1234567}, other;
    double sum = 0, squares = 0;
    enum { DRAWS = 100000 };

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_true(kldve_random_bits(&r) == known[i]);
    r.state = 0;
    assert_true(kldve_random_bits(&r) == UINT64_C(0xe220a8397b1dcdaf));
    kldve_random_seed(&r, 5, 1);
    kldve_random_seed(&other, 5, 2);
    assert_true(r.state != other.state);
    for (int i = 0; i < DRAWS; i++) {
        double u = kldve_random_uniform(&other), v = kldve_random_normal(&r);

        assert_true(u >= 0 && u < 1);
        sum += v;
        squares += v * v;
    }
    /* Five standard errors. */
    assert_true(fabs(sum / DRAWS) < 5 / sqrt(DRAWS));
    assert_true(fabs(squares / DRAWS - 1) < 5 * sqrt(2.0 / DRAWS));
}

static void test_sensitivity(void **state)
{
    const float a[4] = {0, 1, 0.5f, 0.25f}, opposite[4] = {1, 0, 0.5f, 0.75f}, flat[4] = {0};
    const float stretched[4] = {0.1f, 0.9f, 0.5f, 0.3f};

    (void)state;
    assert_true(kldve_sensitivity(a, a, 4) == 0);
    assert_true(kldve_sensitivity(flat, flat, 4) == 0);
    assert_true(kldve_sensitivity(a, flat, 4) == 1);
    assert_true(kldve_sensitivity(flat, a, 4) == 1);
    assert_true(fabs(kldve_sensitivity(a, opposite, 4) - 2) < 1e-12);
    assert_true(fabs(kldve_sensitivity(a, stretched, 4)) < 1e-7);
}

/* -- foundation ------------------------------------------------------------------------------- */

static void test_finite(void **state)
{
    float v[100] = {0};

    (void)state;
    v[3] = FLT_MAX;
    v[4] = -1e-45f;
    assert_int_equal(kldve_finite(v, 100), 100);
    assert_int_equal(kldve_finite(v, 0), 0);
    v[99] = NAN;
    assert_int_equal(kldve_finite(v, 100), 99);
    assert_int_equal(kldve_finite(v, 99), 99);
    v[50] = -INFINITY;
    assert_int_equal(kldve_finite(v, 100), 50);
}

static void test_block(void **state)
{
    kldve_block block = {NULL, 0, false};
    unsigned char base[256];

    (void)state;
    assert_null(kldve_block_cut(&block, 3, 4));
    assert_null(kldve_block_cut(&block, 64, 1));
    assert_int_equal(block.size, 128);
    block = (kldve_block){base, 0, false};
    assert_ptr_equal(kldve_block_cut(&block, 3, 4), base);
    assert_ptr_equal(kldve_block_cut(&block, 64, 1), base + 64);
    assert_null(kldve_block_cut(&block, SIZE_MAX, 2));
    assert_true(block.overflow);
    assert_null(kldve_block_cut(&block, 1, 1));
}

struct grown {
    size_t struct_size;
    int32_t old, added;
};

static void test_struct_ages(void **state)
{
    const size_t old_size = offsetof(struct grown, added);
    struct {
        struct grown known;
        int64_t later; /* no padding behind it: that would not be zero */
    } newer = {{sizeof newer, 1, 2}, 0};
    struct grown src = {old_size, 3, 4}, dst;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    assert_int_equal(kldve_struct_load(ctx, "it", &src, old_size, &dst, sizeof dst), KLDVE_OK);
    assert_true(dst.struct_size == sizeof dst && dst.old == 3 && dst.added == 0);
    assert_int_equal(kldve_struct_load(ctx, "it", &newer, old_size, &dst, sizeof dst), KLDVE_OK);
    assert_true(dst.struct_size == sizeof dst && dst.old == 1 && dst.added == 2);
    newer.later = 1;
    assert_int_equal(kldve_struct_load(ctx, "it", &newer, old_size, &dst, sizeof dst),
                     KLDVE_E_UNSUPPORTED);
    src.struct_size = old_size - 1;
    assert_int_equal(kldve_struct_load(ctx, "it", &src, old_size, &dst, sizeof dst), KLDVE_E_ARG);
    src = (struct grown){old_size, 0, 9};
    kldve_struct_store(&dst, sizeof dst, &src);
    assert_true(src.struct_size == old_size && src.old == 1 && src.added == 9);
    newer.later = 7;
    kldve_struct_store(&dst, sizeof dst, &newer.known);
    assert_true(newer.known.struct_size == sizeof newer && newer.later == 7);
    kldve_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),       cmocka_unit_test(test_probability),
        cmocka_unit_test(test_reduce),      cmocka_unit_test(test_mean),
        cmocka_unit_test(test_normalise),   cmocka_unit_test(test_normalise_signed),
        cmocka_unit_test(test_sign),        cmocka_unit_test(test_score),
        cmocka_unit_test(test_generator),   cmocka_unit_test(test_sensitivity),
        cmocka_unit_test(test_finite),      cmocka_unit_test(test_block),
        cmocka_unit_test(test_struct_ages),
    };

    return cmocka_run_group_tests_name("stages", tests, NULL, NULL);
}
