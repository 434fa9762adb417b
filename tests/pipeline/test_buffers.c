/* test_buffers.c - working memory: how the arrays of several inputs lie, sizes that no memory has,
 * and every allocation failed once. */
#include "support.h"

#include <stdint.h>
#include <string.h>

#include "pipeline/buffers.h"

enum { CLASSES = 5, MAPS = 3, H = 2, W = 7, FEATURES = MAPS * H * W, MOST = 4 };

static const kldve_shape shape = {
    .struct_size = sizeof shape, .classes = CLASSES, .maps = MAPS, .height = H, .width = W};

/* Arrays of the first `count` inputs, each filled with its own number. */
static void fill(kldve_buffers *b, int32_t count, bool arrays)
{
    for (int32_t i = 0; i < count; i++) {
        for (int j = 0; j < CLASSES; j++) {
            b[i].seed[j] = 1 + (float)i;
            b[i].scores[j] = 2 + (double)i;
            if (!arrays)
                b[i].logits[j] = 3 + (float)i;
        }
        for (int j = 0; j < MAPS; j++)
            b[i].scratch[j] = 4 + (float)i;
        for (int j = 0; !arrays && j < FEATURES; j++) {
            b[i].features[j] = 5 + (float)i;
            b[i].gradient[j] = 6 + (float)i;
        }
    }
}

/* Seen from the first input, an array of `each` numbers for every input, none written over. */
static void is_row(const float *first, int32_t count, int32_t each, float number)
{
    for (int32_t i = 0; i < count * each; i++)
        assert_true(first[i] == number + (float)(i / each));
}

static void check_layout(int32_t count, bool arrays)
{
    kldve_buffers b[MOST];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    assert_int_equal(kldve_buffers_new(ctx, &shape, count, arrays, b), KLDVE_OK);
    fill(b, count, arrays);
    is_row(b->seed, count, CLASSES, 1);
    is_row(b->scratch, count, MAPS, 4);
    for (int32_t i = 0; i < count * CLASSES; i++)
        assert_true(b->scores[i] == 2 + i / CLASSES);
    assert_int_equal((uintptr_t)b->scores % sizeof(double), 0);
    if (arrays) {
        assert_null(b->logits);
        assert_null(b->features);
        assert_null(b->gradient);
    } else {
        is_row(b->logits, count, CLASSES, 3);
        is_row(b->features, count, FEATURES, 5);
        is_row(b->gradient, count, FEATURES, 6);
    }
    kldve_buffers_free(b, count);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_layout(void **state)
{
    (void)state;
    for (int32_t count = 1; count <= MOST; count++) {
        check_layout(count, false);
        check_layout(count, true);
    }
}

/* Refused before anything is asked of the allocator. */
static void test_overflow(void **state)
{
    static const struct {
        int32_t classes, maps, height, width, count;
        bool arrays;
    } cases[] = {
        {5, INT32_MAX, INT32_MAX, INT32_MAX, 1, false}, /* maps x height x width */
        {5, INT32_MAX, INT32_MAX, INT32_MAX, 1, true},
        {5, 1 << 30, 1 << 30, 1, 2, false},               /* in bytes */
        {5, 1 << 20, 1 << 20, 1 << 10, INT32_MAX, false}, /* times the inputs */
        {5, 1 << 20, 1 << 14, 1, 1 << 30, false},         /* the product of these wraps to 0 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kldve_shape s = {.struct_size = sizeof s,
                         .classes = cases[i].classes,
                         .maps = cases[i].maps,
                         .height = cases[i].height,
                         .width = cases[i].width};
        kldve_buffers b = {0}, untouched = {0};
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);

        heap.calls = 0;
        assert_int_equal(kldve_buffers_new(ctx, &s, cases[i].count, cases[i].arrays, &b),
                         KLDVE_E_NOMEM);
        assert_int_equal(heap.calls, 0);
        assert_memory_equal(&b, &untouched, sizeof b);
        assert_non_null(strstr(kldve_ctx_message(ctx), "out of memory for "));
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

/* Buffers, a divergence and a second map with `budget` allocations that succeed. */
static kldve_status make_all(long budget, long *calls)
{
    const kldve_options o = {.struct_size = sizeof o, .temperature = 1, .perplexity = 3};
    kldve_buffers b[2] = {{0}, {0}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st;

    heap.calls = 0;
    heap.budget = budget;
    if ((st = kldve_buffers_new(ctx, &shape, 2, false, b)) == KLDVE_OK &&
        (st = kldve_buffers_divergence(b, &o, CLASSES)) == KLDVE_OK)
        st = kldve_buffers_other(b, FEATURES);
    *calls = heap.calls;
    assert_int_equal(*kldve_ctx_message(ctx) != 0, st < 0);
    kldve_buffers_free(b, 2);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    return st;
}

static void test_allocations(void **state)
{
    long total, calls;

    (void)state;
    assert_int_equal(make_all(-1, &total), KLDVE_OK);
    assert_true(total >= 3);
    for (long budget = 0; budget < total; budget++)
        assert_int_equal(make_all(budget, &calls), KLDVE_E_NOMEM);
}

/* What is there and fits stays; what was there and could not be replaced is gone, not dangling. */
static void test_reuse(void **state)
{
    kldve_options o = {.struct_size = sizeof o, .temperature = 1, .perplexity = 3};
    kldve_buffers b;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    const kldve_divergence *first;

    (void)state;
    assert_int_equal(kldve_buffers_new(ctx, &shape, 1, true, &b), KLDVE_OK);
    assert_int_equal(kldve_buffers_divergence(&b, &o, CLASSES), KLDVE_OK);
    assert_int_equal(kldve_buffers_other(&b, 10), KLDVE_OK);
    first = b.divergence;
    heap.calls = 0;
    assert_int_equal(kldve_buffers_divergence(&b, &o, CLASSES), KLDVE_OK);
    assert_int_equal(kldve_buffers_other(&b, 10), KLDVE_OK);
    assert_int_equal(kldve_buffers_other(&b, 3), KLDVE_OK);
    assert_int_equal(heap.calls, 0);
    assert_ptr_equal(b.divergence, first);
    assert_int_equal(b.other_count, 10);

    heap.budget = 0;
    o.temperature = 2;
    assert_int_equal(kldve_buffers_divergence(&b, &o, CLASSES), KLDVE_E_NOMEM);
    assert_null(b.divergence);
    assert_int_equal(kldve_buffers_other(&b, 11), KLDVE_E_NOMEM);
    assert_int_equal(b.other_count, 0);
    heap.budget = -1;
    assert_int_equal(kldve_buffers_divergence(&b, &o, CLASSES), KLDVE_OK);
    assert_int_equal(kldve_buffers_other(&b, 11), KLDVE_OK);
    kldve_buffers_free(&b, 1);
    kldve_buffers_free(&b, 1); /* all zero now */
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_reuse),
    };

    return cmocka_run_group_tests_name("buffers", tests, NULL, NULL);
}
