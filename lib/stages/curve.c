/* curve.c - the parts of deletion and insertion curves.
 *
 * Order: a random permutation of the pixels (Fisher and Yates; from the top down, the partner of
 * pixel i is floor(u (i + 1)), u uniform), then sorted by falling value, keeping the order of equal
 * ones.  Floats are sorted by four passes of a radix sort over their bits, in time O(count).
 *
 * Steps: with c = ceil(count / steps) pixels a step there are ceil(count / c) of them, and after k
 * steps min(count, k c) pixels have changed, as in RISE's evaluation (V. Petsiuk, A. Das, K.
 * Saenko, arXiv:1806.07421).
 *
 * Area: of m scores (s_1/2 + s_2 + ... + s_{m-1} + s_m/2) / (m - 1), as there. */
#include "curve.h"

#include <assert.h>
#include <string.h>

#include "base/random.h"

enum { DIGITS = 256, PASSES = 4 };

/* The larger the value, the smaller the key. */
static uint32_t key(float value)
{
    uint32_t bits;

    value += 0.0f; /* -0 becomes +0 */
    memcpy(&bits, &value, sizeof bits);
    /* Positive floats are ordered like their bits, negative ones in reverse. */
    return bits & 0x80000000u ? bits : ~(bits | 0x80000000u);
}

static void shuffle(uint32_t *order, size_t count, uint64_t seed)
{
    kldve_random random;

    kldve_random_seed(&random, seed, 0);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count; i-- > 1;) {
        size_t j = (size_t)(kldve_random_uniform(&random) * (double)(i + 1));
        uint32_t kept = order[i];

        order[i] = order[j];
        order[j] = kept;
    }
}

/* One stable pass, by one digit of the keys. */
static void sort_by(const float *values, int pass, const uint32_t *from, size_t count, uint32_t *to)
{
    size_t start[DIGITS] = {0}, sum = 0;
    int shift = 8 * pass;

    for (size_t i = 0; i < count; i++)
        start[key(values[i]) >> shift & (DIGITS - 1)]++;
    for (int digit = 0; digit < DIGITS; digit++) {
        size_t here = start[digit];

        start[digit] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[start[key(values[from[i]]) >> shift & (DIGITS - 1)]++] = from[i];
}

void kldve_curve_order(const float *values, size_t count, uint64_t seed, uint32_t *order,
                       uint32_t *spare)
{
    static_assert(PASSES % 2 == 0, "the last pass ends in `order`");
    assert(count <= INT32_MAX);
    shuffle(order, count, seed);
    for (int pass = 0; pass < PASSES; pass += 2) {
        sort_by(values, pass, order, count, spare);
        sort_by(values, pass + 1, spare, count, order);
    }
}

int32_t kldve_curve_steps(size_t count, int32_t steps, size_t *each)
{
    size_t n;

    assert(count >= 1 && steps >= 1);
    n = (size_t)steps;
    *each = count / n + (count % n != 0);
    return (int32_t)(count / *each + (count % *each != 0));
}

void kldve_curve_change(const float *source, const uint32_t *order, size_t from, size_t to,
                        size_t channels, size_t count, float *input)
{
    assert(from <= to && to <= count);
    for (size_t c = 0; c < channels; c++)
        for (size_t i = from; i < to; i++)
            input[c * count + order[i]] = source[c * count + order[i]];
}

double kldve_curve_area(const double *scores, size_t count)
{
    double sum = 0;

    assert(count >= 1);
    for (size_t i = 0; i < count; i++)
        sum += scores[i];
    return count == 1 ? sum : (sum - (scores[0] + scores[count - 1]) / 2) / (double)(count - 1);
}
