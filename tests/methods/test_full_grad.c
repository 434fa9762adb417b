/* test_full_grad.c - FullGrad makes a map of pixels. */
#include "hosted.h"

static void test_map(void **state)
{
    (void)state;
    check_pixel_map("full-grad");
}

TEST_MAIN(full_grad)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
    };

    return cmocka_run_group_tests_name("full grad", tests, NULL, NULL);
}
