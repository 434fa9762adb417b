/* random.h - random numbers that are the same on every machine: the counter-based generator
 * SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014). */
#ifndef KLDVE_LIB_RANDOM_H
#define KLDVE_LIB_RANDOM_H

#include <stdint.h>

typedef struct kldve_random {
    uint64_t state;
} kldve_random;

/** Start.  The streams of one seed are independent, so that draw i can use stream i, whatever was
 *  drawn before it. */
void kldve_random_seed(kldve_random *random, uint64_t seed, uint64_t stream);

/** 64 random bits. */
uint64_t kldve_random_bits(kldve_random *random);

/** Uniform in [0, 1), a multiple of 2^-53. */
double kldve_random_uniform(kldve_random *random);

/** Normal, mean 0, deviation 1 (Box and Muller 1958; one of the pair is dropped). */
double kldve_random_normal(kldve_random *random);

#endif
