/* target.c - which class is explained.
 *
 *     probability_c = exp(k_c - max k) / sum_i exp(k_i - max k)
 *
 * The class of a given rank is found by fixing the bits of its sort key from the highest to the
 * lowest, each by counting: 64 passes over the logits, no memory. */
#include "target.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Larger key, better rank.  No two are equal: the index is in the lower half. */
static uint64_t key(const float *k, size_t i)
{
    float value = k[i] + 0.0f; /* -0 becomes +0 */
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    /* The order of floats is that of their bits for positive ones, the reverse for negative. */
    bits = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return (uint64_t)bits << 32 | (UINT32_MAX - (uint32_t)i);
}

static size_t count_from(const float *k, size_t n, uint64_t least)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += key(k, i) >= least;
    return count;
}

static size_t largest(const float *k, size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++)
        if (k[i] > k[best])
            best = i;
    return best;
}

size_t kldve_target_ranked(const float *k, size_t n, size_t rank)
{
    uint64_t found = 0;

    if (rank == 0)
        return largest(k, n);
    for (uint64_t bit = UINT64_C(1) << 63; bit != 0; bit >>= 1)
        if (count_from(k, n, found | bit) > rank)
            found |= bit;
    return UINT32_MAX - (uint32_t)found;
}

double kldve_target_probability(const float *k, size_t n, size_t c)
{
    double max = k[largest(k, n)], sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += exp(k[i] - max);
    return exp(k[c] - max) / sum;
}
