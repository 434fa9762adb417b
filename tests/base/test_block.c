/* test_block.c - arrays cut out of one block of memory. */
#include "support.h"

#include "base/block.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block),
    };

    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
