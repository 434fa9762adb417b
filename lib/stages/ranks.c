/* ranks.c - the values of a map in falling order, and what is told from it.
 *
 * Sorting is by radix on the bits of the floats: of two positive floats the larger one has the
 * larger bits, of two negative ones the smaller.  Three passes over 11 bits each, the lowest first,
 * which keep the order of equal digits.  How often each digit occurs is counted for all three
 * beforehand. */
#include "ranks.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "stages/correlation.h"

enum { PASSES = 3, DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* Keys grow where values fall. */
static uint32_t key_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? bits : ~(bits | 0x80000000u);
}

static inline uint32_t digit_of(float value, int pass)
{
    return key_of(value) >> pass * DIGIT_BITS & (DIGITS - 1);
}

/* start[digit] says where the first value with this digit belongs. */
static void sort_by_digit(const kldve_ranked *from, size_t count, int pass, uint32_t *start,
                          kldve_ranked *to)
{
    for (size_t i = 0; i < count; i++)
        to[start[digit_of(from[i].value, pass)]++] = from[i];
}

/* How many have each digit -> how many have a smaller one. */
static void add_up(uint32_t count[DIGITS])
{
    uint32_t sum = 0;

    for (int i = 0; i < DIGITS; i++) {
        uint32_t here = count[i];

        count[i] = sum;
        sum += here;
    }
}

void kldve_rank(const float *values, size_t count, kldve_ranked *sorted, kldve_ranked *scratch)
{
    uint32_t start[PASSES][DIGITS] = {{0}};

    static_assert(PASSES % 2 == 1, "the last pass ends in `sorted`");
    assert(count <= INT32_MAX);
    for (size_t i = 0; i < count; i++) {
        float value = values[i] == 0 ? 0 : values[i];

        scratch[i] = (kldve_ranked){value, (int32_t)i};
        for (int pass = 0; pass < PASSES; pass++)
            start[pass][digit_of(value, pass)]++;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        add_up(start[pass]);
        sort_by_digit(pass % 2 ? sorted : scratch, count, pass, start[pass],
                      pass % 2 ? scratch : sorted);
    }
}

size_t kldve_ranked_tie(const kldve_ranked *sorted, size_t count, size_t first)
{
    size_t end = first + 1;

    assert(first < count);
    while (end < count && sorted[end].value == sorted[first].value)
        end++;
    return end;
}

double kldve_ranked_ties(const kldve_ranked *sorted, size_t count)
{
    size_t equal = 0;

    assert(count > 0);
    for (size_t first = 0, end; first < count; first = end) {
        end = kldve_ranked_tie(sorted, count, first);
        equal += end - first > 1 ? end - first : 0;
    }
    return (double)equal / (double)count;
}

kldve_top kldve_top_of(const kldve_ranked *sorted, size_t count, size_t k)
{
    kldve_top top = {.least = sorted[k - 1].value};
    size_t first = k - 1, end = kldve_ranked_tie(sorted, count, k - 1);

    assert(k >= 1 && k <= count);
    while (first > 0 && sorted[first - 1].value == top.least)
        first--;
    top.share = (double)(k - first) / (double)(end - first);
    return top;
}

size_t kldve_top_count(double part, size_t count)
{
    double k = floor(part * (double)count + 0.5);

    return k < 1 ? 1 : k < (double)count ? (size_t)k : count;
}

double kldve_top_overlap(const float *a, const float *b, size_t count, size_t k, kldve_ranked *work)
{
    kldve_top top_a, top_b;
    double sum = 0;

    kldve_rank(a, count, work, work + count);
    top_a = kldve_top_of(work, count, k);
    kldve_rank(b, count, work, work + count);
    top_b = kldve_top_of(work, count, k);
    for (size_t i = 0; i < count; i++)
        sum += fmin(kldve_top_holds(top_a, a[i]), kldve_top_holds(top_b, b[i]));
    return fmin(sum / (double)k, 1); /* rounding may pass 1 */
}

/* Ranks from the middle, so that halves are exact in float32 up to 2^24 values. */
static void put_ranks(const kldve_ranked *sorted, size_t count, float *ranks)
{
    double middle = ((double)count - 1) / 2;

    for (size_t first = 0; first < count;) {
        size_t end = kldve_ranked_tie(sorted, count, first);
        float rank = (float)(middle - ((double)first + (double)end - 1) / 2);

        for (; first < end; first++)
            ranks[sorted[first].place] = rank;
    }
}

double kldve_spearman(const float *a, const float *b, size_t count, kldve_ranked *work,
                      float *ranks)
{
    kldve_rank(a, count, work, work + count);
    put_ranks(work, count, ranks);
    kldve_rank(b, count, work, work + count);
    put_ranks(work, count, ranks + count);
    return kldve_pearson(ranks, ranks + count, count);
}
