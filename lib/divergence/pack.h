/* pack.h - eight doubles at once, the same eight on every processor.
 *
 * A pack is one AVX-512 register, two AVX2 registers or four of SSE2 and NEON, written with the
 * vector extensions of gcc and clang.  All kernels add in the order of these eight lanes and use
 * only correctly rounded operations and no fused multiply-add, so that every instruction set gives
 * the same bits.  (On Zen 4 a fused multiply-add saves nothing here: the multiplier is the
 * bottleneck, and additions run in parallel.) */
#ifndef KLDVE_LIB_DIVERGENCE_PACK_H
#define KLDVE_LIB_DIVERGENCE_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 8
#elif defined(__AVX__)
#define LANES 4
#else
#define LANES 2
#endif

enum { PACK = 8, PARTS = PACK / LANES };

typedef double vec __attribute__((vector_size(LANES * 8)));
/* Bits and exponents; without a sign, so that sums may wrap around. */
typedef uint64_t ivec __attribute__((vector_size(LANES * 8)));
/* In memory: aligned only like a double. */
typedef double vec_at __attribute__((vector_size(LANES * 8), aligned(8), may_alias));

typedef struct pack {
    vec v[PARTS];
} pack;
typedef struct ipack {
    ivec v[PARTS];
} ipack;

#define INLINE static inline __attribute__((always_inline))
#define EACH_PART for (int h = 0; h < PARTS; h++)

INLINE pack load(const double *p)
{
    pack r;

    EACH_PART r.v[h] = *(const vec_at *)(p + LANES * h);
    return r;
}

INLINE void store(double *p, pack a)
{
    EACH_PART *(vec_at *)(p + LANES * h) = a.v[h];
}

INLINE pack fill(double x)
{
    pack r;

    EACH_PART r.v[h] = x - (vec){0};
    return r;
}

INLINE pack add(pack a, pack b)
{
    EACH_PART a.v[h] += b.v[h];
    return a;
}

INLINE pack sub(pack a, pack b)
{
    EACH_PART a.v[h] -= b.v[h];
    return a;
}

INLINE pack mul(pack a, pack b)
{
    EACH_PART a.v[h] *= b.v[h];
    return a;
}

INLINE pack over(pack a, pack b)
{
    EACH_PART a.v[h] /= b.v[h];
    return a;
}

INLINE ipack bits(pack a)
{
    ipack r;

    EACH_PART r.v[h] = (ivec)a.v[h];
    return r;
}

INLINE pack from_bits(ipack a)
{
    pack r;

    EACH_PART r.v[h] = (vec)a.v[h];
    return r;
}

INLINE ipack ifill(uint64_t x)
{
    ipack r;

    EACH_PART r.v[h] = x - (ivec){0};
    return r;
}

INLINE ipack iadd(ipack a, ipack b)
{
    EACH_PART a.v[h] += b.v[h];
    return a;
}

INLINE ipack isub(ipack a, ipack b)
{
    EACH_PART a.v[h] -= b.v[h];
    return a;
}

INLINE ipack iand(ipack a, ipack b)
{
    EACH_PART a.v[h] &= b.v[h];
    return a;
}

INLINE ipack ior(ipack a, ipack b)
{
    EACH_PART a.v[h] |= b.v[h];
    return a;
}

INLINE ipack left(ipack a, int by)
{
    EACH_PART a.v[h] <<= by;
    return a;
}

INLINE ipack right(ipack a, int by)
{
    EACH_PART a.v[h] >>= by;
    return a;
}

/* All ones where a < b. */
INLINE ipack below(pack a, pack b)
{
    ipack r;

    EACH_PART r.v[h] = (ivec)(a.v[h] < b.v[h]);
    return r;
}

INLINE pack pick(ipack mask, pack yes, pack no)
{
    pack r;

    EACH_PART r.v[h] = (vec)(((ivec)yes.v[h] & mask.v[h]) | ((ivec)no.v[h] & ~mask.v[h]));
    return r;
}

INLINE pack keep(ipack mask, pack a)
{
    return from_bits(iand(mask, bits(a)));
}

INLINE pack smaller(pack a, pack b)
{
    return pick(below(a, b), a, b);
}

INLINE pack larger(pack a, pack b)
{
    return pick(below(b, a), a, b);
}

INLINE pack absolute(pack a)
{
    return from_bits(iand(bits(a), ifill(INT64_MAX)));
}

/* 0, 1, ... 7 */
INLINE pack lane_numbers(void)
{
    static const double numbers[PACK] = {0, 1, 2, 3, 4, 5, 6, 7};

    return load(numbers);
}

/* Lanes 0 .. count - 1. */
INLINE ipack first_lanes(size_t count)
{
    return below(lane_numbers(), fill((double)count));
}

INLINE ipack not_lane(size_t lane)
{
    pack off = sub(lane_numbers(), fill((double)lane));

    return below(fill(0), mul(off, off));
}

/* ((l0 + l4) + (l2 + l6)) + ((l1 + l5) + (l3 + l7)) */
INLINE double total(pack a)
{
#if LANES == 8
    typedef double half __attribute__((vector_size(32)));
    half t = __builtin_shufflevector(a.v[0], a.v[0], 0, 1, 2, 3) +
             __builtin_shufflevector(a.v[0], a.v[0], 4, 5, 6, 7);

    return (t[0] + t[2]) + (t[1] + t[3]);
#elif LANES == 4
    vec t = a.v[0] + a.v[1];

    return (t[0] + t[2]) + (t[1] + t[3]);
#else
    vec t = (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]);

    return t[0] + t[1];
#endif
}

/* The first `count` < 8 values, the other lanes `rest`. */
INLINE pack load_part(const double *p, size_t count, double rest)
{
    double buffer[PACK];

    for (size_t l = 0; l < PACK; l++)
        buffer[l] = rest;
    memcpy(buffer, p, count * sizeof *p);
    return load(buffer);
}

INLINE void store_part(double *p, size_t count, pack a)
{
    double buffer[PACK];

    store(buffer, a);
    memcpy(p, buffer, count * sizeof *p);
}

/* exp(x) for x <= 0, within 2 units in the last place; x < -700 counts as -700 (1e-304).
 * exp(n log 2 + r) = 2^n exp(r), |r| <= log(2) / 2, the Taylor series of exp(r) up to r^13. */
INLINE pack exp_pack(pack x)
{
    const double shifter = 0x1.8p52; /* adding it rounds to an integer */
    static const double inverse_factorial[] = {1.0 / 6227020800,
                                               1.0 / 479001600,
                                               1.0 / 39916800,
                                               1.0 / 3628800,
                                               1.0 / 362880,
                                               1.0 / 40320,
                                               1.0 / 5040,
                                               1.0 / 720,
                                               1.0 / 120,
                                               1.0 / 24,
                                               1.0 / 6,
                                               1.0 / 2,
                                               1.0,
                                               1.0};
    pack n, r, sum;

    x = larger(x, fill(-700));
    n = add(mul(x, fill(1.4426950408889634)), fill(shifter));
    r = sub(n, fill(shifter));
    /* log 2 in two parts; the product with the upper one, 33 bits long, is exact. */
    x = sub(sub(x, mul(r, fill(0x1.62e42fefap-1))), mul(r, fill(0x1.cf79abc9e3b39p-40)));
    sum = fill(inverse_factorial[0]);
    for (size_t i = 1; i < sizeof inverse_factorial / sizeof *inverse_factorial; i++)
        sum = add(mul(sum, x), fill(inverse_factorial[i]));
    return from_bits(iadd(bits(sum), left(bits(n), 52)));
}

/* log(x) of a normal x > 0, within 2 units in the last place or 1e-16.  x = 2^e m with m in
 * [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1), the series up to s^23. */
INLINE pack log_pack(pack x)
{
    const uint64_t root_half = 0x3FE6A09E667F3BCC, bias = (uint64_t)1023 << 52;
    ipack shifted = iadd(isub(bits(x), ifill(root_half)), ifill(bias));
    ipack exponent = right(shifted, 52); /* e + 1023, not negative */
    pack m = from_bits(isub(bits(x), left(isub(exponent, ifill(1023)), 52)));
    pack e = sub(from_bits(ior(exponent, bits(fill(0x1p52)))), fill(0x1p52 + 1023));
    pack s = over(sub(m, fill(1)), add(m, fill(1))), square = mul(s, s), sum = fill(1.0 / 23);

    for (int i = 21; i >= 3; i -= 2)
        sum = add(mul(sum, square), fill(1.0 / i));
    sum = mul(mul(sum, square), s);
    sum = add(add(sum, s), add(sum, s));
    return add(mul(e, fill(0x1.62e42fefap-1)), add(sum, mul(e, fill(0x1.cf79abc9e3b39p-40))));
}

#endif
