/* test_unit.c - a unit as bytes: back to the same unit, and what is no unit is refused. */
#include "../support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/unit.h"

enum { METHODS = 3, METRICS = 2 };

static unit example(void)
{
    unit u;

    assert_true(unit_new(&u, METHODS, METRICS));
    u.network = 4;
    u.question = 1 << 30;
    for (int32_t i = 0; i < METHODS; i++) {
        u.method[i] = (unit_method){.target = i, .logit = -1.5f, .probability = 0.25f};
        u.method[i].flags = UINT64_C(1) << 63 | (uint32_t)i;
        u.method[i].ms = 0.1;
    }
    strcpy(u.method[1].why, "the layer has no gradient");
    for (size_t i = 0; i < METHODS * METRICS; i++)
        u.value[i] = 1.0 / (double)(i + 1);
    u.value[3] = (double)NAN;
    u.value[4] = -0.0;
    u.asked[5] = 0;
    return u;
}

static void comes_back(void **state)
{
    unit u = example(), v;
    unsigned char *bytes, *again;
    size_t n, m;

    (void)state;
    assert_true(unit_pack(&u, &bytes, &n));
    assert_true(unit_unpack(bytes, n, &v));
    assert_true(unit_pack(&v, &again, &m));
    assert_int_equal(m, n);
    assert_memory_equal(again, bytes, n);
    free(again);
    assert_int_equal(v.network, 4);
    assert_true(v.value[1] == 0.5 && v.method[0].ms == 0.1);
    assert_int_equal(v.question, 1 << 30);
    assert_true(v.method[2].flags == (UINT64_C(1) << 63 | 2));
    assert_string_equal(v.method[1].why, "the layer has no gradient");
    assert_true(isnan(v.value[3]) && signbit(v.value[4]) && v.asked[5] == 0);
    unit_free(&v);
    unit_free(&u);
    free(bytes);
}

/* The bytes are part of what processes of different machines send each other: of a unit of one cell
 * they are written out here. */
static void bytes_are_fixed(void **state)
{
    static const unsigned char expected[] = {
        'k', 'n', 'u',  '1',  7, 0,   0,   0, 2, 1, 0, 0, 0, 0, 0,    0,    1,
        0,   0,   0,    1,    0, 0,   0,   0, 0, 5, 0, 0, 0, 0, 0,    0x80, 0x3f,
        0,   0,   0,    0x3f, 9, 0,   0,   0, 0, 0, 0, 0, 0, 0, 0,    0,    0,
        0,   0,   0x40, 2,    0, 'n', 'o', 1, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f};
    unit u;
    unsigned char *bytes;
    size_t n;

    (void)state;
    assert_true(unit_new(&u, 1, 1));
    u.network = 7;
    u.question = 258;
    u.method[0] = (unit_method){5, 1.0f, 0.5f, 9, 2.0, "no"};
    u.value[0] = 1.0;
    assert_true(unit_pack(&u, &bytes, &n));
    assert_int_equal(n, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
    free(bytes);
    unit_free(&u);
}

static void a_part_is_refused(void **state)
{
    unit u = example(), v;
    unsigned char *bytes;
    size_t n;

    (void)state;
    assert_true(unit_pack(&u, &bytes, &n));
    for (size_t i = 0; i < n; i++) {
        unsigned char *part = malloc(i + 1); /* of just this size, for the sanitizers */

        memcpy(part, bytes, i);
        assert_false(unit_unpack(part, i, &v));
        free(part);
    }
    bytes = realloc(bytes, n + 1);
    bytes[n] = 0;
    assert_false(unit_unpack(bytes, n + 1, &v));
    free(bytes);
    unit_free(&u);
}

/* Whatever a byte becomes: no crash, and what is taken is a unit whose texts end. */
static void changed_bytes_do_no_harm(void **state)
{
    unit u = example(), v;
    unsigned char *bytes;
    size_t n;

    (void)state;
    assert_true(unit_pack(&u, &bytes, &n));
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1 << bit);
            if (unit_unpack(bytes, n, &v)) {
                assert_true(v.methods >= 1 && strlen(v.method[0].why) < UNIT_WHY_SIZE);
                unit_free(&v);
            }
            bytes[i] ^= (unsigned char)(1 << bit);
        }
    free(bytes);
    unit_free(&u);
}

static void sizes_are_limited(void **state)
{
    unit u;

    (void)state;
    assert_false(unit_new(&u, 0, 1));
    assert_false(unit_new(&u, 1, -1));
    assert_false(unit_new(&u, INT32_MAX, INT32_MAX));
    assert_false(unit_new(&u, UNIT_CELLS_MAX, 2));
}

TEST_MAIN(unit)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),        cmocka_unit_test(bytes_are_fixed),
        cmocka_unit_test(a_part_is_refused), cmocka_unit_test(changed_bytes_do_no_harm),
        cmocka_unit_test(sizes_are_limited),
    };

    return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
