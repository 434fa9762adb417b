/* test_lrp.c - the rules of relevance propagation make maps of pixels. */
#include "hosted.h"

static void test_relevance(void **state)
{
    const char *const names[] = {"lrp-epsilon", "lrp-zplus", "lrp-alphabeta", "lrp-composite"};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        check_pixel_map(names[i]);
}

TEST_MAIN(lrp)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relevance),
    };

    return cmocka_run_group_tests_name("lrp", tests, NULL, NULL);
}
