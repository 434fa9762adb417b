/* test_ctx.c - the context: allocator, messages, progress. */
#include "support.h"

#include <string.h>

#include <kldve/backend.h>

static void test_message_is_one_line(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    assert_string_equal(kldve_ctx_message(ctx), "");
    assert_int_equal(kldve_ctx_failf(ctx, KLDVE_E_IO, "a\nb\x1b %d", 7), KLDVE_E_IO);
    assert_string_equal(kldve_ctx_message(ctx), "a b  7");
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_alloc(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    void *block = kldve_ctx_alloc(ctx, 3, 5);

    (void)state;
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 64, 0);
    memset(block, 1, 15);
    kldve_ctx_release(ctx, block);
    assert_null(kldve_ctx_alloc(ctx, SIZE_MAX / 2, 3));
    assert_null(kldve_ctx_alloc(ctx, SIZE_MAX, 1));
    block = kldve_ctx_alloc(ctx, 0, 8);
    assert_non_null(block);
    kldve_ctx_release(ctx, block);
    heap.budget = 0;
    assert_null(kldve_ctx_alloc(ctx, 1, 1));
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static int32_t stop_at_two(void *opaque, const char *stage, int64_t done, int64_t total)
{
    *(int64_t *)opaque = total;
    assert_string_equal(stage, "forward");
    return done == 2;
}

static void test_progress(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int64_t total = 0;

    (void)state;
    assert_int_equal(kldve_ctx_progress(ctx, "forward", 2, 3), KLDVE_OK);
    kldve_ctx_set_progress(ctx, stop_at_two, &total);
    assert_int_equal(kldve_ctx_progress(ctx, "forward", 1, 3), KLDVE_OK);
    assert_int_equal(kldve_ctx_progress(ctx, "forward", 2, 3), KLDVE_E_CANCELLED);
    assert_int_equal(total, 3);
    assert_string_equal(kldve_ctx_message(ctx), "cancelled during forward");
    kldve_ctx_free(ctx);
}

static void test_status_names(void **state)
{
    (void)state;
    for (int i = 0; i >= -12; i--)
        assert_string_not_equal(kldve_status_name((kldve_status)i), "unknown status");
    assert_string_equal(kldve_status_name((kldve_status)1), "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_is_one_line),
        cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_status_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
