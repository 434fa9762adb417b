/* test_target.c - ranks, probabilities and scores of targets. */
#include "support.h"

#include <float.h>
#include <math.h>

#include "stages/target.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_probability),
        cmocka_unit_test(test_score),
    };

    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
