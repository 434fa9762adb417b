/* test_scratch.c - room that is kept from one run to the next. */
#include "support.h"

#include <string.h>

#include <kldve/backend.h>

#include "base/scratch.h"

enum { BLOCKS = 5 };

/* Blocks of several sizes, written from end to end; gives back how often the allocator was asked.
 */
static long step(kldve_ctx *ctx, const test_heap *heap, kldve_scratch *s, size_t times)
{
    static const size_t sizes[BLOCKS] = {1, 64, 100, 0, 5000};
    unsigned char *block[BLOCKS];
    long before;

    assert_int_equal(kldve_scratch_open(ctx, s), KLDVE_OK);
    before = heap->calls;
    for (int i = 0; i < BLOCKS; i++) {
        block[i] = kldve_ctx_alloc(ctx, sizes[i], times);
        assert_non_null(block[i]);
        assert_int_equal((uintptr_t)block[i] % 64, 0);
        memset(block[i], i, sizes[i] * times);
    }
    for (int i = 0; i < BLOCKS; i++) {
        for (size_t k = 0; k < sizes[i] * times; k++)
            assert_int_equal(block[i][k], i);
        kldve_ctx_release(ctx, block[i]);
    }
    kldve_scratch_close(ctx);
    return heap->calls - before;
}

static void test_steps(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_scratch s = {NULL, 0, 0, 0, 0};
    void *other;

    (void)state;
    assert_int_equal(step(ctx, &heap, &s, 1), BLOCKS); /* nothing is known yet */
    assert_int_equal(step(ctx, &heap, &s, 1), 0);
    other = kldve_ctx_alloc(ctx, 3, 1); /* between two steps: not from it */
    assert_int_equal(step(ctx, &heap, &s, 1), 0);
    memset(other, 1, 3);
    assert_true(step(ctx, &heap, &s, 7) > 0);
    assert_int_equal(step(ctx, &heap, &s, 7), 0);
    assert_int_equal(step(ctx, &heap, &s, 2), 0);
    assert_int_equal(step(ctx, &heap, &s, 20000), 3); /* what does not fit: 103 MB ... */
    assert_true(s.size < 1 << 20);                    /* ... for which no room is kept */
    assert_int_equal(step(ctx, &heap, &s, 20000), 3);
    kldve_ctx_release(ctx, other);
    kldve_scratch_free(ctx, &s);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_no_memory(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_scratch s = {NULL, 0, 0, 0, 0};

    (void)state;
    step(ctx, &heap, &s, 1);
    heap.budget = 0;
    assert_int_equal(kldve_scratch_open(ctx, &s), KLDVE_E_NOMEM);
    test_says(ctx, "out of memory for preparing pictures");
    heap.budget = -1;
    assert_int_equal(step(ctx, &heap, &s, 1), 0);
    kldve_scratch_free(ctx, &s);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}
