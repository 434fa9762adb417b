/* test_budget.c - what an explainer may take in all: a ceiling that is refused by the name of its
 * limit, and that what a backend takes does not count. */
#include "support.h"

#include <kldve/backend.h>

#include "base/budget.h"

enum { LIMIT = 1 << 16, EXTRA = 256 /* of a block, at most */ };

static void *take(kldve_ctx *ctx, size_t bytes)
{
    return kldve_ctx_alloc(ctx, bytes, 1);
}

static void test_refused(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    void *before = take(ctx, 3 * LIMIT), *a, *b;

    (void)state;
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_WORKING_MEMORY, LIMIT), KLDVE_OK);
    kldve_budget_open(ctx, 1, 1000);
    assert_null(take(ctx, LIMIT - 999));
    a = take(ctx, LIMIT - 1000 - EXTRA);
    assert_non_null(a);
    assert_null(take(ctx, EXTRA));
    kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for masks");
    test_says(ctx, "out of memory for masks: the limit 'working-memory' is 64 KiB; raise it with");
    assert_int_equal(kldve_budget_close(ctx, KLDVE_E_NOMEM), KLDVE_E_LIMIT);
    /* The next one knows nothing of that. */
    kldve_budget_open(ctx, 2, 0);
    b = take(ctx, LIMIT + LIMIT / 2);
    assert_non_null(b);
    assert_int_equal(kldve_budget_close(ctx, KLDVE_E_NOMEM), KLDVE_E_NOMEM);
    kldve_ctx_release(ctx, b);
    kldve_ctx_release(ctx, a);
    kldve_ctx_release(ctx, before);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_backend(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    void *of_backend, *a;
    size_t room;

    (void)state;
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_WORKING_MEMORY, LIMIT), KLDVE_OK);
    kldve_budget_open(ctx, 1, 0);
    room = kldve_budget_pause(ctx);
    of_backend = take(ctx, 5 * LIMIT);
    assert_non_null(of_backend);
    kldve_budget_resume(ctx, room);
    a = take(ctx, LIMIT - EXTRA);
    assert_non_null(a);
    assert_null(take(ctx, EXTRA));
    assert_int_equal(kldve_budget_close(ctx, KLDVE_OK), KLDVE_OK);
    kldve_ctx_release(ctx, a);
    kldve_ctx_release(ctx, of_backend);
    kldve_budget_resume(ctx, kldve_budget_pause(ctx)); /* outside of one nothing is bounded */
    a = take(ctx, 5 * LIMIT);
    assert_non_null(a);
    kldve_ctx_release(ctx, a);
    kldve_budget_open(ctx, 1, 10 * LIMIT); /* more is taken than is allowed */
    assert_null(take(ctx, 1));
    assert_int_equal(kldve_budget_close(ctx, KLDVE_E_NOMEM), KLDVE_E_LIMIT);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_backend),
    };

    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
