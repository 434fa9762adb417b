/* test_place.c - places of random buffers: nothing that is alive meets, and the block is hardly
 * larger than it must be: against the largest sum of live bytes, and for few buffers against the
 * best of all placings. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "plan/place.h"

enum { MOST = 200, TIMES = 60, FEW = 6 };

typedef struct placing {
    int32_t n;
    kx_lifetime life[MOST];
    size_t offset[MOST];
    size_t total;
} placing;

static size_t padded(size_t bytes)
{
    return bytes < 1 ? 64 : (bytes + 63) & ~(size_t)63;
}

static void place(placing *p)
{
    int32_t scratch[2 * MOST];

    memset(scratch, 0xff, sizeof scratch);
    memset(p->offset, 0xff, sizeof p->offset);
    p->total = SIZE_MAX;
    assert_true(kx_place_buffers(p->life, p->n, scratch, p->offset, &p->total));
}

/* Each lives for up to `length` steps, as the arrays of a network: most of them shortly. */
static void make(placing *p, int32_t n, int32_t length, size_t bytes, uint64_t seed)
{
    p->n = n;
    for (int32_t i = 0; i < n; i++) {
        int32_t first = (int32_t)(test_random(&seed) * TIMES);
        int32_t last = first + (int32_t)(test_random(&seed) * length);
        size_t size = (size_t)(test_random(&seed) * test_random(&seed) * (double)bytes);

        p->life[i] = (kx_lifetime){size, first, last};
    }
}

static bool together(const kx_lifetime *a, const kx_lifetime *b)
{
    for (int32_t t = a->first; t <= a->last; t++)
        if (t >= b->first && t <= b->last)
            return true;
    return false;
}

/* The largest sum of bytes that are alive at one time: no placing takes less. */
static size_t lower_bound(const placing *p)
{
    size_t most = 0;

    for (int32_t t = 0; t < 2 * TIMES; t++) {
        size_t sum = 0;

        for (int32_t i = 0; i < p->n; i++)
            if (t >= p->life[i].first && t <= p->life[i].last)
                sum += padded(p->life[i].bytes);
        most = sum > most ? sum : most;
    }
    return most;
}

static void check_places(const placing *p)
{
    size_t end = 0;

    for (int32_t i = 0; i < p->n; i++) {
        size_t behind = p->offset[i] + padded(p->life[i].bytes);

        assert_int_equal(p->offset[i] % KX_PLACE_ALIGN, 0);
        end = behind > end ? behind : end;
        for (int32_t j = 0; j < i; j++)
            if (together(&p->life[i], &p->life[j]))
                assert_true(p->offset[j] >= behind ||
                            p->offset[j] + padded(p->life[j].bytes) <= p->offset[i]);
    }
    assert_int_equal(p->total, end);
    assert_true(p->total >= lower_bound(p));
}

/* Measured over these 2000 cases: at most 1.308 times the lower bound, 1.040 times in the mean. */
static void test_random_buffers(void **state)
{
    static placing p;
    double worst = 0, sum = 0;
    int32_t cases = 2000;

    (void)state;
    for (int32_t c = 0; c < cases; c++) {
        double ratio;

        make(&p, 1 + c % MOST, 1 + c % 37, (size_t)1 << (6 + c % 20), (uint64_t)c);
        place(&p);
        check_places(&p);
        ratio = (double)p.total / (double)lower_bound(&p);
        worst = ratio > worst ? ratio : worst;
        sum += ratio;
    }
    print_message("at most %.3f times the lower bound, %.4f in the mean\n", worst, sum / cases);
    assert_true(worst <= 1.31);
    assert_true(sum / cases <= 1.041);
}

/* The lowest offset above all that p->order says come first and that are alive together with i. */
static size_t stacked(const placing *p, const int32_t *order, int32_t k)
{
    const kx_lifetime *b = &p->life[order[k]];
    size_t at = 0;

    for (int32_t j = 0; j < k; j++) {
        size_t behind = p->offset[order[j]] + padded(p->life[order[j]].bytes);

        if (together(b, &p->life[order[j]]) && behind > at)
            at = behind;
    }
    return at;
}

/* The smallest block of all: a best placing, taken by rising offset, is a stacking in some order.
 */
static size_t best(placing *p, int32_t *order, int32_t k, size_t end)
{
    size_t least = SIZE_MAX;

    if (k == p->n)
        return end;
    for (int32_t j = k; j < p->n; j++) {
        int32_t first = order[k];
        size_t behind, total;

        order[k] = order[j], order[j] = first;
        p->offset[order[k]] = stacked(p, order, k);
        behind = p->offset[order[k]] + padded(p->life[order[k]].bytes);
        total = best(p, order, k + 1, behind > end ? behind : end);
        least = total < least ? total : least;
        order[j] = order[k], order[k] = first;
    }
    return least;
}

/* Measured over these 600 cases: 591 are the best, none is more than 1.25 times as large. */
static void test_against_the_best(void **state)
{
    static placing p;
    int32_t optimal = 0, cases = 600;
    double worst = 0;

    (void)state;
    for (int32_t c = 0; c < cases; c++) {
        int32_t order[FEW] = {0, 1, 2, 3, 4, 5};
        size_t total, least;
        double ratio;

        make(&p, 1 + c % FEW, TIMES, 2000, (uint64_t)(7000 + c));
        place(&p);
        check_places(&p);
        total = p.total;
        least = best(&p, order, 0, 0);
        assert_true(total >= least);
        optimal += total == least;
        ratio = (double)total / (double)least;
        worst = ratio > worst ? ratio : worst;
    }
    print_message("%d of %d are the best, at most %.3f times the best\n", optimal, cases, worst);
    assert_true(optimal >= 591);
    assert_true(worst <= 1.25);
}

/* A chain of equal layers needs two of them at a time. */
static void test_chain(void **state)
{
    static placing p;

    (void)state;
    p.n = 50;
    for (int32_t i = 0; i < p.n; i++)
        p.life[i] = (kx_lifetime){4096, i, i + 1};
    place(&p);
    check_places(&p);
    assert_int_equal(p.total, 2 * 4096);
}

static void test_deterministic(void **state)
{
    static placing a, b;

    (void)state;
    make(&a, MOST, 20, 100000, 3);
    make(&b, MOST, 20, 100000, 3);
    place(&a);
    place(&b);
    assert_int_equal(a.total, b.total);
    assert_memory_equal(a.offset, b.offset, sizeof a.offset);
}

static void test_none(void **state)
{
    static placing p;

    (void)state;
    p.n = 0;
    place(&p);
    assert_int_equal(p.total, 0);
}

/* Nothing in them, and yet each has an address that no other has. */
static void test_empty_buffers(void **state)
{
    static placing p;

    (void)state;
    p.n = 3;
    for (int32_t i = 0; i < p.n; i++)
        p.life[i] = (kx_lifetime){0, 0, 0};
    place(&p);
    check_places(&p);
    assert_int_equal(p.total, 3 * KX_PLACE_ALIGN);
}

static void test_too_large(void **state)
{
    static const size_t pairs[][2] = {{SIZE_MAX, 0},
                                      {SIZE_MAX - 62, 0},
                                      {SIZE_MAX - 127, 65},
                                      {SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1}};
    kx_lifetime life[2] = {{0, 0, 3}, {0, 2, 5}};
    int32_t scratch[4];
    size_t offset[2], total = 42;

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        life[0].bytes = pairs[i][0];
        life[1].bytes = pairs[i][1];
        assert_false(kx_place_buffers(life, 2, scratch, offset, &total));
        assert_int_equal(total, 42);
    }
    life[0].bytes = SIZE_MAX / 2 - 63; /* the largest that there are */
    life[1].bytes = SIZE_MAX / 2 - 63;
    assert_true(kx_place_buffers(life, 2, scratch, offset, &total));
    assert_true(total >= SIZE_MAX - 127);
}

/* `n` buffers of one size, none alive together with another: the bytes of the block. */
static size_t apart(int32_t n)
{
    kx_lifetime *life = calloc((size_t)n, sizeof *life);
    int32_t *scratch = malloc((size_t)n * 2 * sizeof *scratch);
    size_t *offset = malloc((size_t)n * sizeof *offset), total = 0;

    for (int32_t i = 0; i < n; i++)
        life[i] = (kx_lifetime){100, i, i};
    assert_true(kx_place_buffers(life, n, scratch, offset, &total));
    for (int32_t i = 0; i < n; i++)
        assert_int_equal(offset[i], n > KX_MAX_SHARED ? (size_t)i * 128 : 0);
    free(life), free(scratch), free(offset);
    return total;
}

static void test_as_many_as_share(void **state)
{
    (void)state;
    assert_int_equal(apart(KX_MAX_SHARED), 128);
    assert_int_equal(apart(KX_MAX_SHARED + 1), (size_t)(KX_MAX_SHARED + 1) * 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_buffers), cmocka_unit_test(test_against_the_best),
        cmocka_unit_test(test_chain),          cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_none),           cmocka_unit_test(test_empty_buffers),
        cmocka_unit_test(test_too_large),      cmocka_unit_test(test_as_many_as_share),
    };

    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
