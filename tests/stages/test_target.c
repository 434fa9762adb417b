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

static kldve_shape shape_of(int32_t classes, int32_t scores, int32_t single)
{
    return (kldve_shape){
        .struct_size = sizeof(kldve_shape), .classes = classes, .scores = scores, .single = single};
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-14 * fmax(1, fabs(want))))
        fail_msg("%.17g, not %.17g", got, want);
}

static void test_probabilities(void **state)
{
    const float k[4] = {1000, 999, 0, -1000}, x[2] = {-3, 0};
    kldve_shape s = shape_of(4, KLDVE_SCORES_RAW, 0);
    double p[4];

    (void)state;
    for (s.scores = KLDVE_SCORES_SOFTMAX; s.scores <= KLDVE_SCORES_RAW; s.scores += 2) {
        assert_true(kldve_target_probabilities(&s, k, 1, p));
        near(p[0], 1 / (1 + exp(-1)));
        near(p[1], exp(-1) / (1 + exp(-1)));
        assert_true(p[3] == 0);
        assert_true(kldve_target_probabilities(&s, k, 2, p));
        near(p[0], 1 / (1 + exp(-0.5)));
    }
    s.scores = KLDVE_SCORES_SIGMOID; /* each by itself: no sum of 1 */
    assert_true(kldve_target_probabilities(&s, k, 1, p));
    assert_true(p[0] == 1 && p[1] == 1 && p[2] == 0.5 && p[3] == 0);
    assert_true(kldve_target_probabilities(&s, (const float[4]){1, 2, -3, 0}, 2, p));
    near(p[1], 1 / (1 + exp(-1)));
    near(p[2], 1 / (1 + exp(1.5)));
    s = shape_of(2, KLDVE_SCORES_SIGMOID, 1); /* one score: yes and no */
    assert_true(kldve_target_probabilities(&s, x, 1, p));
    near(p[0], 1 / (1 + exp(3)));
    near(p[1], 1 / (1 + exp(-3)));
    s.scores = KLDVE_SCORES_NUMBER;
    p[0] = 7;
    assert_false(kldve_target_probabilities(&s, x, 1, p));
    assert_true(p[0] == 7);
}

static void test_sigmoid(void **state)
{
    (void)state;
    assert_true(kldve_target_sigmoid(0) == 0.5);
    assert_true(kldve_target_sigmoid(1e9) == 1 && kldve_target_sigmoid(-1e9) == 0);
    for (double x = -40; x <= 40; x += 0.7)
        near(kldve_target_sigmoid(x) + kldve_target_sigmoid(-x), 1);
    assert_true(fabs(kldve_target_sigmoid(-30) / exp(-30) - 1) < 1e-12); /* no cancellation */
}

static void test_score(void **state)
{
    const float k[4] = {1, 2, -3, 0.5f};
    const int32_t set[2] = {3, 1};
    const kldve_shape s = shape_of(4, KLDVE_SCORES_SOFTMAX, 0);
    double e[4], sum = 0, p1, weight[4];
    kldve_options o = {.temperature = 2, .target_kind = KLDVE_TARGET_INDEX};

    (void)state;
    for (int i = 0; i < 4; i++)
        sum += e[i] = exp((double)k[i] / 2);
    p1 = e[1] / sum;
    assert_true(kldve_target_score(&o, &s, 1, k, KLDVE_SCORE_LOGIT) == 2);
    near(kldve_target_score(&o, &s, 1, k, KLDVE_SCORE_PROBABILITY), p1);
    near(kldve_target_score(&o, &s, 1, k, KLDVE_SCORE_LOG_ODDS), log2(p1 / (1 - p1)));
    o.target_kind = KLDVE_TARGET_VERSUS;
    o.rival = 3;
    assert_true(kldve_target_score(&o, &s, 1, k, KLDVE_SCORE_LOGIT) == 1.5);
    kldve_target_weights(&o, &s, 1, weight);
    assert_true(weight[0] == 0 && weight[1] == 1 && weight[2] == 0 && weight[3] == -1);
    o.target_kind = KLDVE_TARGET_SET;
    o.targets = set;
    o.target_count = 2;
    assert_true(kldve_target_score(&o, &s, 1, k, KLDVE_SCORE_LOGIT) == 1.25);
    near(kldve_target_score(&o, &s, 1, k, KLDVE_SCORE_PROBABILITY), (e[1] + e[3]) / sum);
    kldve_target_weights(&o, &s, 1, weight);
    assert_true(weight[0] == 0 && weight[1] == 0.5 && weight[2] == 0 && weight[3] == 0.5);
}

/* Classes by themselves: the others do not matter, and a set is "any of these". */
static void test_independent(void **state)
{
    const float k[4] = {1, 2, -3, 0.5f}, other[4] = {9, 2, 9, 0.5f};
    const int32_t set[2] = {3, 1};
    const kldve_shape s = shape_of(4, KLDVE_SCORES_SIGMOID, 0);
    double p1 = 1 / (1 + exp(-1)), p3 = 1 / (1 + exp(-0.25)), any = 1 - (1 - p1) * (1 - p3);
    kldve_options o = {.temperature = 2, .target_kind = KLDVE_TARGET_INDEX};

    (void)state;
    for (int i = 0; i < 2; i++) {
        const float *logits = i ? other : k;

        o.target_kind = KLDVE_TARGET_INDEX;
        near(kldve_target_score(&o, &s, 1, logits, KLDVE_SCORE_PROBABILITY), p1);
        near(kldve_target_score(&o, &s, 1, logits, KLDVE_SCORE_LOG_ODDS), 1 / log(2));
        o.target_kind = KLDVE_TARGET_VERSUS;
        o.rival = 3;
        near(kldve_target_score(&o, &s, 1, logits, KLDVE_SCORE_PROBABILITY), p1 - p3);
        near(kldve_target_score(&o, &s, 1, logits, KLDVE_SCORE_LOG_ODDS), 0.75 / log(2));
        o.target_kind = KLDVE_TARGET_SET;
        o.targets = set;
        o.target_count = 2;
        near(kldve_target_score(&o, &s, 1, logits, KLDVE_SCORE_PROBABILITY), any);
        near(kldve_target_score(&o, &s, 1, logits, KLDVE_SCORE_LOG_ODDS), log2(any / (1 - any)));
    }
}

/* One score x is explained as x for "yes" and -x for "no"; a number has nothing else. */
static void test_single(void **state)
{
    const float k[2] = {-1.5f, 0};
    kldve_shape s = shape_of(2, KLDVE_SCORES_SIGMOID, 1);
    kldve_options o = {.temperature = 1};
    double weight[2];

    (void)state;
    assert_int_equal(kldve_target_choose(&o, &s, k), 1); /* "no" ranks first */
    for (int32_t c = 0; c < 2; c++) {
        double x = c == 0 ? -1.5 : 1.5;

        kldve_target_weights(&o, &s, c, weight);
        assert_true(weight[c] == 1 && weight[1 - c] == -1);
        assert_true(kldve_target_score(&o, &s, c, k, KLDVE_SCORE_LOGIT) == x);
        near(kldve_target_score(&o, &s, c, k, KLDVE_SCORE_PROBABILITY), 1 / (1 + exp(-x)));
        near(kldve_target_score(&o, &s, c, k, KLDVE_SCORE_LOG_ODDS), x / log(2));
    }
    s.scores = KLDVE_SCORES_NUMBER;
    for (int32_t rank = 0; rank < 2; rank++) {
        o.target = rank;
        assert_int_equal(kldve_target_choose(&o, &s, k), rank); /* not by size */
        for (int32_t kind = KLDVE_SCORE_LOGIT; kind <= KLDVE_SCORE_LOG_ODDS; kind++)
            assert_true(kldve_target_score(&o, &s, rank, k, kind) == (rank ? 1.5 : -1.5));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),       cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_sigmoid),     cmocka_unit_test(test_score),
        cmocka_unit_test(test_independent), cmocka_unit_test(test_single),
    };

    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
