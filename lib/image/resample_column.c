/* resample_column.c - see resample_column.h.
 *
 * Where there is SSE2, which every x86-64 has, two rows at a time: 32-bit products are slow there,
 * but one instruction multiplies 16-bit numbers and adds them in pairs.  Weights of 23 bits with
 * their sign are split for it, w = 2^11 high + low with 0 <= low < 2^11, and
 *
 *     sum w b = 2^11 sum high b + sum low b
 *
 * is the same integer. */
#include "resample_column.h"

static void plain(const uint8_t *in, size_t nbytes, const int32_t *weight, int32_t count,
                  size_t begin, uint8_t *out)
{
    for (size_t x = begin; x < nbytes; x++) {
        int32_t sum = KLDVE_WEIGHT_HALF;

        for (int32_t t = 0; t < count; t++)
            sum += weight[t] * in[(size_t)t * nbytes + x];
        out[x] = kldve_weighted_byte(sum);
    }
}

#if defined(__SSE2__)

#include <emmintrin.h>

enum { AT_ONCE = 8, LOW_BITS = 11, LOW = (1 << LOW_BITS) - 1 };

/* Two 16-bit numbers, four times. */
static inline __m128i pairs(int32_t first, int32_t second)
{
    return _mm_set1_epi32((int32_t)((uint32_t)first & 0xffff) | (int32_t)((uint32_t)second << 16));
}

/* Four sums: those of the low parts and of the high parts. */
typedef struct sums {
    __m128i low, high;
} sums;

static inline void add(sums *s, __m128i bytes, __m128i low, __m128i high)
{
    s->low = _mm_add_epi32(s->low, _mm_madd_epi16(bytes, low));
    s->high = _mm_add_epi32(s->high, _mm_madd_epi16(bytes, high));
}

static inline __m128i finish(const sums *s)
{
    return _mm_srai_epi32(_mm_add_epi32(s->low, _mm_slli_epi32(s->high, LOW_BITS)),
                          KLDVE_WEIGHT_BITS);
}

/* AT_ONCE bytes of the result. */
static void some(const uint8_t *in, size_t nbytes, const int32_t *weight, int32_t count,
                 uint8_t *out)
{
    const __m128i zero = _mm_setzero_si128(), half = _mm_set1_epi32(KLDVE_WEIGHT_HALF);
    sums left = {half, zero}, right = left;

    for (int32_t t = 0; t < count; t += 2) {
        const uint8_t *row = in + (size_t)t * nbytes, *next = t + 1 < count ? row + nbytes : row;
        int32_t w0 = weight[t], w1 = t + 1 < count ? weight[t + 1] : 0;
        __m128i low = pairs(w0 & LOW, w1 & LOW), high = pairs(w0 >> LOW_BITS, w1 >> LOW_BITS);
        __m128i bytes = _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)row),
                                          _mm_loadl_epi64((const void *)next));

        add(&left, _mm_unpacklo_epi8(bytes, zero), low, high);
        add(&right, _mm_unpackhi_epi8(bytes, zero), low, high);
    }
    left.low = _mm_packs_epi32(finish(&left), finish(&right));
    _mm_storel_epi64((void *)out, _mm_packus_epi16(left.low, zero));
}

void kldve_resample_column(const uint8_t *in, size_t nbytes, const int32_t *weight, int32_t count,
                           uint8_t *out)
{
    size_t x = 0;

    for (; x + AT_ONCE <= nbytes; x += AT_ONCE)
        some(in + x, nbytes, weight, count, out + x);
    plain(in, nbytes, weight, count, x, out);
}

#else

void kldve_resample_column(const uint8_t *in, size_t nbytes, const int32_t *weight, int32_t count,
                           uint8_t *out)
{
    plain(in, nbytes, weight, count, 0, out);
}

#endif
