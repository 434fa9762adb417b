/* random.c - SplitMix64: the state counts in odd steps; the output mixes its bits. */
#include "random.h"

#include <math.h>

static const uint64_t step = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio, odd */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void kldve_random_seed(kldve_random *random, uint64_t seed, uint64_t stream)
{
    random->state = mix(mix(seed + step) + stream);
}

uint64_t kldve_random_bits(kldve_random *random)
{
    random->state += step;
    return mix(random->state);
}

double kldve_random_uniform(kldve_random *random)
{
    return (double)(kldve_random_bits(random) >> 11) * 0x1p-53;
}

double kldve_random_normal(kldve_random *random)
{
    static const double two_pi = 6.283185307179586;
    double radius = sqrt(-2 * log(1 - kldve_random_uniform(random)));

    return radius * cos(two_pi * kldve_random_uniform(random));
}
