/* test_pace.c - how long work will still take: work whose times are known, and words for them. */
#include "../support.h"

#include <stdio.h>
#include <string.h>

#include "cli/pace.h"

/* Steps of one second after a first one of a minute. */
static void slow_first_step(void **state)
{
    pace p;

    (void)state;
    pace_begin(&p);
    assert_true(pace_left(&p, 0, 100) < 0);
    for (int i = 0; i < 3; i++)
        pace_reach(&p, 60000 + 1000 * i, i + 1);
    assert_float_equal(pace_left(&p, 62000, 100), 97000, 1e-6);
    assert_float_equal(pace_left(&p, 62500, 100), 96500, 1e-6); /* counts down in between */
    assert_float_equal(pace_left(&p, 1e9, 100), 0, 0);          /* and not below nothing */
}

/* Sixteen threads that end their first pieces together say nothing about the next ones. */
static void first_steps_together(void **state)
{
    pace p;

    (void)state;
    pace_begin(&p);
    for (int i = 0; i < 16; i++)
        pace_reach(&p, 5000 + i, i + 1);
    assert_true(pace_left(&p, 5015, 1000) < 0);
    for (int i = 16; i < 32; i++)
        pace_reach(&p, 10000 + i, i + 1);
    assert_in_range((int)pace_left(&p, 10031, 1000), 100000, 400000);
}

/* Work that becomes slower: after half a minute the old pace does not count. */
static void changing_pace(void **state)
{
    double ms = 0;
    pace p;

    (void)state;
    pace_begin(&p);
    for (int i = 1; i <= 100; i++)
        pace_reach(&p, ms += 10, i);
    for (int i = 101; i <= 160; i++)
        pace_reach(&p, ms += 1000, i);
    assert_float_equal(pace_left(&p, ms, 200), 40000, 2000);
}

/* A longer list after a shorter one. */
static void new_work(void **state)
{
    pace p;

    (void)state;
    pace_begin(&p);
    for (int i = 1; i <= 10; i++)
        pace_reach(&p, 1000.0 * i, i);
    pace_reach(&p, 11000, 1);
    assert_true(pace_left(&p, 11000, 10) < 0);
    pace_reach(&p, 13000, 2);
    assert_float_equal(pace_left(&p, 13000, 10), 16000, 1e-6);
}

static void words(void **state)
{
    static const struct {
        double ms;
        const char *text;
    } cases[] = {
        {0, "1 s"}, {17500, "18 s"}, {90000, "2 min"}, {5400000, "1.5 h"}, {180000000, "2.1 days"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pace_text(cases[i].ms, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

TEST_MAIN(pace)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_first_step), cmocka_unit_test(first_steps_together),
        cmocka_unit_test(changing_pace),   cmocka_unit_test(new_work),
        cmocka_unit_test(words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
