/* test_struct.c - public structs of callers of other releases. */
#include "support.h"

#include <string.h>

#include "base/struct.h"

struct grown {
    size_t struct_size;
    int32_t old, added;
};

static void test_struct_ages(void **state)
{
    const size_t old_size = offsetof(struct grown, added);
    struct {
        struct grown known;
        int64_t later; /* no padding behind it: that would not be zero */
    } newer = {{sizeof newer, 1, 2}, 0};
    struct grown src = {old_size, 3, 4}, dst;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    assert_int_equal(kldve_struct_load(ctx, "it", &src, old_size, &dst, sizeof dst), KLDVE_OK);
    assert_true(dst.struct_size == sizeof dst && dst.old == 3 && dst.added == 0);
    assert_int_equal(kldve_struct_load(ctx, "it", &newer, old_size, &dst, sizeof dst), KLDVE_OK);
    assert_true(dst.struct_size == sizeof dst && dst.old == 1 && dst.added == 2);
    newer.later = 1;
    assert_int_equal(kldve_struct_load(ctx, "it", &newer, old_size, &dst, sizeof dst),
                     KLDVE_E_UNSUPPORTED);
    src.struct_size = old_size - 1;
    assert_int_equal(kldve_struct_load(ctx, "it", &src, old_size, &dst, sizeof dst), KLDVE_E_ARG);
    src = (struct grown){old_size, 0, 9};
    kldve_struct_store(&dst, sizeof dst, &src);
    assert_true(src.struct_size == old_size && src.old == 1 && src.added == 9);
    newer.later = 7;
    kldve_struct_store(&dst, sizeof dst, &newer.known);
    assert_true(newer.known.struct_size == sizeof newer && newer.later == 7);
    kldve_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_struct_ages),
    };

    return cmocka_run_group_tests_name("struct", tests, NULL, NULL);
}
