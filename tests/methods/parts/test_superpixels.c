/* test_superpixels.c - regions are numbered in reading order, repeatable, and the grid itself where
 * there are no colours. */
#include "../repeats.h"

#include <string.h>

static void test_superpixels(void **state)
{
    float input[INPUTS];
    int32_t label[PIXELS], again[PIXELS], count, next = 0;

    (void)state;
    draw_input(input);
    for (int32_t rows = 1; rows <= HEIGHT; rows++) {
        bool seen[PIXELS] = {false};

        count = find_superpixels(input, rows, rows, label);
        assert_int_equal(find_superpixels(input, rows, rows, again), count);
        assert_memory_equal(label, again, sizeof label);
        next = 0;
        for (int i = 0; i < PIXELS; i++) { /* numbered in reading order */
            assert_in_range(label[i], 0, count - 1);
            if (!seen[label[i]])
                assert_int_equal(label[i], next++);
            seen[label[i]] = true;
        }
        assert_int_equal(next, count);
    }
    assert_int_equal(find_superpixels(input, 1, 1, label), 1);
    memset(input, 0, sizeof input); /* no colours: the grid itself */
    assert_int_equal(find_superpixels(input, 3, 4, label), 12);
    for (int i = 0; i < PIXELS; i++)
        assert_int_equal(label[i], i / WIDTH / 4 * 4 + i % WIDTH / 4);
}

TEST_MAIN(superpixels)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_superpixels),
    };

    return cmocka_run_group_tests_name("superpixels", tests, NULL, NULL);
}
