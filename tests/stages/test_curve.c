/* test_curve.c - the order of pixels, equal steps and the area under a curve. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages/curve.h"

enum { COUNT = 1000 };

static void draw(float value[COUNT], int levels)
{
    uint64_t seed = 5;

    for (int i = 0; i < COUNT; i++) {
        value[i] = (float)test_normal(&seed);
        if (levels > 0)
            value[i] = (float)(floor((double)value[i]) / levels);
    }
}

static void check_order(const float *value, const uint32_t *order)
{
    bool seen[COUNT] = {false};

    for (int i = 0; i < COUNT; i++) {
        assert_true(order[i] < COUNT && !seen[order[i]]);
        seen[order[i]] = true;
        assert_true(i == 0 || value[order[i - 1]] >= value[order[i]]);
    }
}

static void test_order(void **state)
{
    float value[COUNT];
    uint32_t order[COUNT], spare[COUNT];

    (void)state;
    for (int levels = 0; levels < 4; levels++) {
        draw(value, levels);
        value[7] = -0.0f;
        value[8] = 0;
        kldve_curve_order(value, COUNT, 3, order, spare);
        check_order(value, order);
    }
}

/* Equal pixels have one order, whatever the map is; another seed gives another one. */
static void test_ties(void **state)
{
    const float flat[COUNT] = {0};
    float half[COUNT];
    uint32_t all[COUNT], order[COUNT], spare[COUNT];
    int next = 0, same = 0;

    (void)state;
    kldve_curve_order(flat, COUNT, 3, all, spare);
    for (int i = 0; i < COUNT; i++)
        half[i] = i % 2 ? 0 : (float)(i + 1);
    kldve_curve_order(half, COUNT, 3, order, spare);
    for (int i = 0; i < COUNT; i++) /* the odd pixels, in the order that they have among all */
        if (all[i] % 2)
            assert_int_equal(order[COUNT / 2 + next++], all[i]);
    kldve_curve_order(flat, COUNT, 4, order, spare);
    for (int i = 0; i < COUNT; i++)
        same += order[i] == all[i];
    assert_true(same < 20);
}

static void check_steps(size_t count, int32_t steps, int32_t expected, size_t each)
{
    size_t got;

    assert_int_equal(kldve_curve_steps(count, steps, &got), expected);
    assert_int_equal(got, each);
}

static void test_steps(void **state)
{
    (void)state;
    check_steps(224 * 224, 224, 224, 224);
    check_steps(299 * 299, 224, 224, 400);
    check_steps(32 * 32, 224, 205, 5);
    check_steps(10, 7, 5, 2);
    check_steps(10, 100, 10, 1);
    check_steps(10, 1, 1, 10);
    check_steps(1, 1, 1, 1);
}

static void test_change(void **state)
{
    const float source[6] = {10, 11, 12, 20, 21, 22};
    const uint32_t order[3] = {2, 0, 1};
    float input[6] = {0};

    (void)state;
    kldve_curve_change(source, order, 0, 0, 2, 3, input);
    assert_true(input[2] == 0);
    kldve_curve_change(source, order, 1, 2, 2, 3, input);
    assert_true(input[0] == 10 && input[3] == 20 && input[1] == 0 && input[2] == 0);
    kldve_curve_change(source, order, 0, 3, 2, 3, input);
    assert_memory_equal(input, source, sizeof input);
}

static void test_area(void **state)
{
    const double score[4] = {1, 0.5, 0.25, 0};

    (void)state;
    assert_true(fabs(kldve_curve_area(score, 4) - (0.75 + 0.375 + 0.125) / 3) < 1e-15);
    assert_true(kldve_curve_area(score, 1) == 1);
    assert_true(kldve_curve_area(score, 2) == 0.75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),  cmocka_unit_test(test_ties), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_change), cmocka_unit_test(test_area),
    };

    return cmocka_run_group_tests_name("curve", tests, NULL, NULL);
}
