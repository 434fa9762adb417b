/* test_limits.c - limits of a context: names, values, messages, and the memory that it may hold. */
#include "support.h"

#include <string.h>

#include <kldve/backend.h>

static void test_names_and_defaults(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int32_t count = 0;
    int64_t value = -1;

    (void)state;
    for (; kldve_limit_name(count); count++) {
        for (int32_t i = 0; i < count; i++)
            assert_string_not_equal(kldve_limit_name(i), kldve_limit_name(count));
        assert_int_equal(kldve_ctx_limit(ctx, count, &value), KLDVE_OK);
        assert_true(value > 0);
    }
    assert_int_equal(count, KLDVE_LIMIT_WORK + 1);
    assert_string_equal(kldve_limit_name(KLDVE_LIMIT_WORKING_MEMORY), "working-memory");
    assert_null(kldve_limit_name(-1));
    assert_null(kldve_limit_name(INT32_MAX));
    assert_int_equal(kldve_ctx_limit(ctx, KLDVE_LIMIT_LABELS, &value), KLDVE_OK);
    assert_int_equal(value, 16 << 20);
    kldve_ctx_free(ctx);
}

static void test_set(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int64_t value = 0;

    (void)state;
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_CARD, 77), KLDVE_OK);
    assert_int_equal(kldve_ctx_limit(ctx, KLDVE_LIMIT_CARD, &value), KLDVE_OK);
    assert_int_equal(value, 77);
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_CARD, 0), KLDVE_OK);
    assert_int_equal(kldve_ctx_limit(ctx, KLDVE_LIMIT_CARD, &value), KLDVE_OK);
    assert_int_equal(value, 1 << 20);
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_CARD, -1), KLDVE_E_ARG);
    test_says(ctx, "the limit 'card' cannot be negative");
    assert_int_equal(kldve_ctx_set_limit(ctx, 1000, 1), KLDVE_E_UNSUPPORTED);
    test_says(ctx, "has no limit number 1000");
    assert_int_equal(kldve_ctx_set_limit(ctx, -1, 1), KLDVE_E_UNSUPPORTED);
    assert_int_equal(kldve_ctx_set_limit(NULL, KLDVE_LIMIT_CARD, 1), KLDVE_E_ARG);
    value = 5;
    assert_int_equal(kldve_ctx_limit(ctx, 1000, &value), KLDVE_E_ARG);
    assert_int_equal(kldve_ctx_limit(NULL, KLDVE_LIMIT_CARD, &value), KLDVE_E_ARG);
    assert_int_equal(kldve_ctx_limit(ctx, KLDVE_LIMIT_CARD, NULL), KLDVE_E_ARG);
    assert_int_equal(value, 5);
    kldve_ctx_free(ctx);
}

static void test_message(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    char name[2000];

    (void)state;
    assert_int_equal(kldve_ctx_fail_limit(ctx, KLDVE_LIMIT_LABELS, "a.txt: %d bytes", 70),
                     KLDVE_E_LIMIT);
    assert_string_equal(kldve_ctx_message(ctx),
                        "a.txt: 70 bytes: the limit 'labels' is 16 MiB; raise it with "
                        "kldve_ctx_set_limit(), for the command with --limit labels=N");
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_int_equal(kldve_ctx_fail_limit(ctx, KLDVE_LIMIT_NODES, "%s", name), KLDVE_E_LIMIT);
    test_says(ctx, "n: the limit 'nodes' is 1000000; raise it with kldve_ctx_set_limit(), for the "
                   "command with --limit nodes=N");
    assert_int_equal(kldve_ctx_fail_limit(NULL, KLDVE_LIMIT_NODES, "x"), KLDVE_E_LIMIT);
    kldve_ctx_free(ctx);
}

static void test_held(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    size_t before = heap.bytes, now = 0, most = 0;
    void *a = kldve_ctx_alloc(ctx, 1000, 1), *b = kldve_ctx_alloc(ctx, 5, 400);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(kldve_ctx_memory(ctx, &now, &most), KLDVE_OK);
    assert_int_equal(now, heap.bytes - before);
    assert_int_equal(most, now);
    kldve_ctx_release(ctx, b);
    kldve_ctx_release(ctx, a);
    assert_int_equal(kldve_ctx_memory(ctx, &now, NULL), KLDVE_OK);
    assert_int_equal(now, 0);
    assert_int_equal(kldve_ctx_memory(ctx, NULL, &most), KLDVE_OK);
    assert_true(most > 3000);
    assert_int_equal(kldve_ctx_memory(NULL, &now, &most), KLDVE_E_ARG);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* What is above the limit is not asked of the allocator, and the next message says so, once. */
static void test_memory_limit(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    long calls;
    void *a;

    (void)state;
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_MEMORY, 4096), KLDVE_OK);
    a = kldve_ctx_alloc(ctx, 3000, 1);
    assert_non_null(a);
    calls = heap.calls;
    assert_null(kldve_ctx_alloc(ctx, 1500, 1));
    assert_null(kldve_ctx_alloc(ctx, SIZE_MAX - 200, 1));
    assert_int_equal(heap.calls, calls);
    kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory");
    assert_string_equal(kldve_ctx_message(ctx),
                        "out of memory: the limit 'memory' is 4 KiB; raise it with "
                        "kldve_ctx_set_limit(), for the command with --limit memory=N");
    kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory");
    assert_string_equal(kldve_ctx_message(ctx), "out of memory");
    kldve_ctx_release(ctx, a);
    a = kldve_ctx_alloc(ctx, 1500, 1);
    assert_non_null(a);
    kldve_ctx_release(ctx, a);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_defaults),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_memory_limit),
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
