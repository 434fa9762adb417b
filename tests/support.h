/* support.h - shared by several test programs. */
#ifndef KLDVE_TESTS_SUPPORT_H
#define KLDVE_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <kldve/common.h>

/** main() of test_NAME.c where the build makes one program of several test files: see groups.c. */
#define TEST_MAIN(name)                                                                            \
    int test_main_##name(void);                                                                    \
    int test_main_##name(void)

/** The folder of the shared networks, pictures and golden files (KLDVE_SHARED, set by the build to
 *  ../shared); NULL, after saying so on standard error, where it is missing. */
const char *test_shared(void);

/** test_shared() or skip() the running test. */
const char *test_shared_or_skip(void);

/** "%s/..." into a static buffer of a few that rotate. */
const char *test_path(const char *format, ...) KLDVE_PRINTF(1, 2);

/** A .npy file: '<f4', '<f8', '<i4' or '<i8', C order, all widened to double. */
typedef struct test_npy {
    int32_t rank;
    size_t dim[8];
    size_t count;
    double *value;
} test_npy;

/** Fails the test when the file cannot be read. */
test_npy test_npy_load(const char *path);
void test_npy_free(test_npy *npy);

/** Whole file; *nbytes its length; a 0 follows it.  Fails the test if unreadable. */
void *test_file_load(const char *path, size_t *nbytes);
void test_file_save(const char *path, const void *bytes, size_t nbytes);

/** A string or number of a flat JSON file such as golden case.json; false if the key is missing. */
bool test_json_string(const char *json, const char *key, char *out, size_t size);
bool test_json_number(const char *json, const char *key, double *out);

/** A context whose allocator counts live blocks and can be told to fail. */
typedef struct test_heap {
    long live;    /**< blocks not freed yet */
    long calls;   /**< allocations asked for */
    size_t bytes; /**< of all of them together */
    long budget;  /**< allocations that still succeed; negative: all do */
} test_heap;

/** Free the context with kldve_ctx_free(), then assert heap->live == 0. */
kldve_ctx *test_ctx(test_heap *heap);

/** Fails the test unless the context's message has this text in it. */
void test_says(const kldve_ctx *ctx, const char *text);

/** A test for each case of a table: a struct of `size` bytes that begins with its name.  The state
 *  of `check` is the case.
 *  @return how many failed. */
int test_run_cases(const char *group, const void *cases, size_t count, size_t size,
                   CMUnitTestFunction check);
#define TEST_RUN_CASES(group, cases, check)                                                        \
    test_run_cases(group, cases, sizeof(cases) / sizeof *(cases), sizeof *(cases), check)

/** A repeatable pseudo-random number in [0, 1): xorshift64*, seed not 0. */
double test_random(uint64_t *seed);
/** Standard normal. */
double test_normal(uint64_t *seed);

#endif
