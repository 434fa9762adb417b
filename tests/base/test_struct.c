/* test_struct.c - structs between programs of different releases: the four ages, and the refusals.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include <kldve/backend.h>

/* What this release has, what an older one had, and what a newer one will have. */
struct known {
    size_t struct_size;
    int32_t first, second;
};

enum { OLD_SIZE = offsetof(struct known, second) };

struct newer {
    struct known known;
    uint64_t third;
};

static test_heap heap;

static int setup(void **state)
{
    *state = test_ctx(&heap);
    return 0;
}

static int teardown(void **state)
{
    kldve_ctx_free(*state);
    return heap.live != 0;
}

static void test_load_same(void **state)
{
    const struct known src = {sizeof src, 3, 4};
    struct known dst;

    assert_int_equal(kldve_struct_load(*state, "it", &src, &dst, sizeof dst), KLDVE_OK);
    assert_memory_equal(&dst, &src, sizeof dst);
}

static void test_load_older(void **state)
{
    const struct known src = {OLD_SIZE, 3, 4}; /* what is in `second` is no longer the caller's */
    struct known dst;

    assert_int_equal(kldve_struct_load(*state, "it", &src, &dst, sizeof dst), KLDVE_OK);
    assert_true(dst.struct_size == sizeof dst && dst.first == 3 && dst.second == 0);
}

static void test_load_newer(void **state)
{
    struct newer src = {{sizeof src, 1, 2}, 0};
    struct known dst, before;
    char message[200];

    assert_int_equal(kldve_struct_load(*state, "it", &src, &dst, sizeof dst), KLDVE_OK);
    assert_true(dst.struct_size == sizeof dst && dst.first == 1 && dst.second == 2);
    before = dst;
    src.known.first = 9;
    for (size_t i = 0; i < sizeof src.third; i++) {
        src.third = 0;
        ((unsigned char *)&src.third)[i] = 1;
        assert_int_equal(kldve_struct_load(*state, "it", &src, &dst, sizeof dst),
                         KLDVE_E_UNSUPPORTED);
        assert_memory_equal(&dst, &before, sizeof dst);
        snprintf(message, sizeof message,
                 "it: byte %zu is set, but the struct of libkldve %s ends at %zu; leave newer "
                 "members zero or use a newer libkldve",
                 sizeof dst + i, kldve_version(), sizeof dst);
        assert_string_equal(kldve_ctx_message(*state), message);
    }
}

static void test_load_nothing(void **state)
{
    const struct known zero = {sizeof zero, 0, 0};
    struct known dst = {1, 2, 3};

    assert_int_equal(kldve_struct_load(*state, "it", NULL, &dst, sizeof dst), KLDVE_OK);
    assert_memory_equal(&dst, &zero, sizeof dst);
}

static void test_store_same(void **state)
{
    const struct known src = {sizeof src, 3, 4};
    struct known dst = {sizeof dst, 0, 0};

    assert_int_equal(kldve_struct_store(*state, "it", &src, sizeof src, &dst), KLDVE_OK);
    assert_memory_equal(&dst, &src, sizeof dst);
}

static void test_store_older(void **state)
{
    const struct known src = {sizeof src, 3, 4};
    struct known dst = {OLD_SIZE, 0, 9};

    assert_int_equal(kldve_struct_store(*state, "it", &src, sizeof src, &dst), KLDVE_OK);
    assert_true(dst.struct_size == OLD_SIZE && dst.first == 3 && dst.second == 9);
}

static void test_store_newer(void **state)
{
    const struct known src = {sizeof src, 3, 4};
    struct newer dst = {{sizeof dst, 0, 0}, 7};

    assert_int_equal(kldve_struct_store(*state, "it", &src, sizeof src, &dst), KLDVE_OK);
    assert_true(dst.known.struct_size == sizeof dst && dst.known.first == 3);
    assert_true(dst.known.second == 4 && dst.third == 0);
}

/* Zero, the size of a pointer, and what uninitialised memory looks like. */
static void test_size_not_set(void **state)
{
    static const size_t sizes[] = {0, 1, sizeof(void *), sizeof(size_t), 4097, SIZE_MAX};
    const struct known src = {sizeof src, 3, 4};
    char message[100];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct known wrong = {sizes[i], 1, 2}, before = wrong, dst = src;

        snprintf(message, sizeof message, "it: struct_size is %zu; set it to sizeof(it)", sizes[i]);
        assert_int_equal(kldve_struct_load(*state, "it", &wrong, &dst, sizeof dst), KLDVE_E_ARG);
        assert_string_equal(kldve_ctx_message(*state), message);
        assert_memory_equal(&dst, &src, sizeof dst);
        assert_int_equal(kldve_struct_store(*state, "it", &src, sizeof src, &wrong), KLDVE_E_ARG);
        assert_string_equal(kldve_ctx_message(*state), message);
        assert_memory_equal(&wrong, &before, sizeof wrong);
    }
    assert_int_equal(kldve_struct_store(*state, "it", &src, sizeof src, NULL), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(*state), "it: the result is NULL");
    assert_int_equal(kldve_struct_store(NULL, "it", &src, sizeof src, NULL), KLDVE_E_ARG);
}

static void test_has(void **state)
{
    const struct known older = {OLD_SIZE, 0, 0}, same = {sizeof same, 0, 0};
    const struct newer newer = {{sizeof newer, 0, 0}, 0};

    (void)state;
    assert_true(KLDVE_HAS(&older, first) && !KLDVE_HAS(&older, second));
    assert_true(KLDVE_HAS(&same, second) && KLDVE_HAS(&newer.known, second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_same),   cmocka_unit_test(test_load_older),
        cmocka_unit_test(test_load_newer),  cmocka_unit_test(test_load_nothing),
        cmocka_unit_test(test_store_same),  cmocka_unit_test(test_store_older),
        cmocka_unit_test(test_store_newer), cmocka_unit_test(test_size_not_set),
        cmocka_unit_test(test_has),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
