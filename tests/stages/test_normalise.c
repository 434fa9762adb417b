/* test_normalise.c - signs, and maps to 0..1. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <kldve/kldve.h>

#include "stages/normalise.h"

static void test_normalise(void **state)
{
    float map[4] = {-2, 0, 2, 6}, constant[3] = {5, 5, 5}, huge[3] = {-FLT_MAX, 0, FLT_MAX};
    float wavy[3] = {100, 100.00001f, 99.99999f}, tiny[3] = {0, 1e-40f, 2e-40f};
    double range[2];

    (void)state;
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, map, 4, range), 0);
    assert_true(range[0] == -2 && range[1] == 6);
    assert_true(map[0] == 0 && map[1] == 0.25f && map[2] == 0.5f && map[3] == 1);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, constant, 3, range), 1);
    assert_true(constant[0] == 0 && constant[1] == 0 && constant[2] == 0);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, huge, 3, range), 0);
    assert_true(huge[0] == 0 && huge[1] == 0.5f && huge[2] == 1);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, wavy, 3, range), 1);
    assert_true(wavy[0] == 0 && wavy[1] == 0 && wavy[2] == 0);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, tiny, 3, range), 0);
    assert_true(tiny[0] == 0 && fabsf(tiny[1] - 0.5f) < 1e-4f && tiny[2] == 1);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_DEFAULT, map, 0, range), 1);
}

static void test_normalise_signed(void **state)
{
    float map[4] = {-2, 0, 1, 8}, constant[2] = {3, 3}, against[3] = {-4, -1, 0};
    double range[2];

    (void)state;
    assert_int_equal(kldve_normalise(KLDVE_SIGN_SIGNED, map, 4, range), 0);
    assert_true(map[0] == 0.375f && map[1] == 0.5f && map[2] == 0.5625f && map[3] == 1);
    assert_true(range[0] == -8 && range[1] == 8);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_SIGNED, constant, 2, range), 1);
    assert_true(constant[0] == 0.5f && constant[1] == 0.5f && range[0] == 3 && range[1] == 3);
    assert_int_equal(kldve_normalise(KLDVE_SIGN_SIGNED, against, 3, range), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalise),
        cmocka_unit_test(test_normalise_signed),
        cmocka_unit_test(test_sign),
    };

    return cmocka_run_group_tests_name("normalise", tests, NULL, NULL);
}
