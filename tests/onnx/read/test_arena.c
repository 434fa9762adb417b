/* test_arena.c - blocks of an arena: zeroed, aligned, apart from each other, freed together. */
#include "support.h"

#include <string.h>

#include "read/arena.h"

enum { BLOCKS = 3000 };

/* Small ones, some that fill a chunk, and some that need one of their own. */
static size_t size_of(uint64_t *seed)
{
    double r = test_random(seed);

    return r < 0.9    ? (size_t)(300 * test_random(seed))
           : r < 0.99 ? (size_t)(65536 * test_random(seed))
                      : (size_t)(200000 * test_random(seed));
}

static bool all_are(const unsigned char *bytes, size_t n, unsigned char value)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

static void test_blocks(void **state)
{
    static unsigned char *block[BLOCKS];
    static size_t size[BLOCKS];
    uint64_t seed = 4;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_arena arena;

    (void)state;
    kx_arena_init(&arena, ctx);
    for (size_t i = 0; i < BLOCKS; i++) {
        size[i] = size_of(&seed);
        block[i] = kx_arena_alloc(&arena, 1, size[i]);
        assert_non_null(block[i]);
        assert_int_equal((uintptr_t)block[i] % 64, 0);
        assert_true(all_are(block[i], size[i], 0));
        memset(block[i], (int)(i % 255 + 1), size[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        assert_true(all_are(block[i], size[i], (unsigned char)(i % 255 + 1)));
    assert_true(heap.calls < BLOCKS / 3);
    kx_arena_free(&arena);
    kx_arena_free(&arena); /* an empty one */
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_limits(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_arena arena;
    long calls;

    (void)state;
    kx_arena_init(&arena, ctx);
    calls = heap.calls;
    assert_null(kx_arena_alloc(&arena, SIZE_MAX, 2));
    assert_null(kx_arena_alloc(&arena, SIZE_MAX / 8, 64));
    assert_int_equal(heap.calls, calls); /* refused before anything is asked for */
    heap.budget = 0;
    assert_null(kx_arena_alloc(&arena, 1, 1));
    heap.budget = -1;
    assert_non_null(kx_arena_alloc(&arena, 0, 8));
    assert_non_null(kx_arena_alloc(&arena, 8, 0));
    assert_ptr_not_equal(kx_arena_alloc(&arena, 0, 0), kx_arena_alloc(&arena, 0, 0));
    kx_arena_free(&arena);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

TEST_MAIN(arena)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
