/* test_names.c - the hash table of names: as many as it was made for, replaced, and not found. */
#include "support.h"

#include <stdio.h>

#include "read/names.h"

static void check_table(size_t count)
{
    static char name[5000][24];
    static int item[5000];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_arena arena;
    kx_names names;

    kx_arena_init(&arena, ctx);
    assert_true(kx_names_init(&names, &arena, count));
    assert_null(kx_names_find(&names, "n0"));
    for (size_t i = 0; i < count; i++) {
        snprintf(name[i], sizeof name[i], "n%zu", i);
        kx_names_set(&names, name[i], &item[i]);
    }
    for (size_t i = 0; i < count; i++) {
        char copy[24];

        snprintf(copy, sizeof copy, "n%zu", i); /* the text counts, not where it is */
        assert_ptr_equal(kx_names_find(&names, copy), &item[i]);
    }
    assert_null(kx_names_find(&names, "n"));
    assert_null(kx_names_find(&names, ""));
    assert_int_equal(names.used, count);
    for (size_t i = 0; i < count; i += 3)
        kx_names_set(&names, name[i], &item[0]);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(kx_names_find(&names, name[i]), &item[i % 3 ? i : 0]);
    assert_int_equal(names.used, count);
    kx_arena_free(&arena);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Around the sizes at which the table doubles. */
static void test_table(void **state)
{
    static const size_t counts[] = {0, 1, 2, 11, 12, 13, 23, 24, 25, 766, 767, 768, 769, 5000};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_table(counts[i]);
}

static void test_without_memory(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_arena arena;
    kx_names names;

    (void)state;
    kx_arena_init(&arena, ctx);
    heap.budget = 0;
    assert_false(kx_names_init(&names, &arena, 100));
    heap.budget = -1;
    kx_arena_free(&arena);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

TEST_MAIN(names)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_without_memory),
    };

    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
