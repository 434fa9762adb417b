/* random.h - random numbers that are the same on every machine: the counter-based generator
 * SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014).  Inline, because the engine draws, too. */
#ifndef KLDVE_LIB_RANDOM_H
#define KLDVE_LIB_RANDOM_H

#include <stdint.h>

typedef struct kldve_random {
    uint64_t state;
} kldve_random;

static inline uint64_t kldve_random_mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* 2^64 / golden ratio, odd: the state counts in such steps, and the output mixes its bits. */
#define KLDVE_RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

/** Start.  The streams of one seed are independent, so that draw i can use stream i, whatever was
 *  drawn before it. */
static inline void kldve_random_seed(kldve_random *random, uint64_t seed, uint64_t stream)
{
    random->state = kldve_random_mix(kldve_random_mix(seed + KLDVE_RANDOM_STEP) + stream);
}

/** 64 random bits. */
static inline uint64_t kldve_random_bits(kldve_random *random)
{
    random->state += KLDVE_RANDOM_STEP;
    return kldve_random_mix(random->state);
}

/** Uniform in [0, 1), a multiple of 2^-53. */
static inline double kldve_random_uniform(kldve_random *random)
{
    return (double)(kldve_random_bits(random) >> 11) * 0x1p-53;
}

/** Normal, mean 0, deviation 1 (Box and Muller 1958; one of the pair is dropped). */
double kldve_random_normal(kldve_random *random);

#endif
