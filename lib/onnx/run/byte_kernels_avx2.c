/* byte_kernels_avx2.c - see byte_kernels.h: for processors with AVX2. */
#include "run/byte_kernels.h"

#include <stddef.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <string.h>

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define INLINE static inline __attribute__((target("avx2"), always_inline))

AVX2 static void widen(size_t n, const uint8_t *from, int16_t *to)
{
    size_t i = 0;

    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((void *)(to + i),
                            _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(from + i))));
    for (; i < n; i++)
        to[i] = from[i];
}

INLINE __m256i whole(const kx_byte_finish *f, int half, __m256i sum)
{
    __m256i offset = _mm256_loadu_si256((const void *)(f->offset + 8 * half));
    __m256 x = _mm256_cvtepi32_ps(_mm256_add_epi32(sum, offset));

    if (f->bias)
        x = _mm256_add_ps(x, _mm256_loadu_ps(f->bias + 8 * half));
    x = _mm256_mul_ps(x, _mm256_loadu_ps(f->factor + 8 * half));
    x = _mm256_max_ps(x, _mm256_set1_ps(f->lo)); /* NaN becomes lo */
    x = _mm256_min_ps(x, _mm256_set1_ps(f->hi));
    return _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(f->zero));
}

/* 16 sums to 16 bytes. */
INLINE void finish(const kx_byte_finish *f, __m256i sum0, __m256i sum1, uint8_t *to)
{
    __m256i y = _mm256_packs_epi32(whole(f, 0, sum0), whole(f, 1, sum1));

    y = _mm256_permute4x64_epi64(y, _MM_SHUFFLE(3, 1, 2, 0));
    _mm_storeu_si128((void *)to,
                     _mm_packus_epi16(_mm256_castsi256_si128(y), _mm256_extracti128_si256(y, 1)));
}

INLINE __m256i pair_of(const int16_t *at)
{
    int32_t pair;

    memcpy(&pair, at, sizeof pair);
    return _mm256_set1_epi32(pair);
}

/* 12 of the 16 registers hold sums.  As statements of the assembler's, the compiler neither copies
 * them nor loads all six rows first, for which there are no registers. */
#define ACCUMULATE(s, product)                                                                     \
    __asm__ volatile("vpaddd %1, %0, %0" : "+x"(s) : "x"(product) : "memory")
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define ZERO(r) __m256i s##r##0 = _mm256_setzero_si256(), s##r##1 = _mm256_setzero_si256();
#define ADD(r)                                                                                     \
    x = pair_of(rows + r * stride + 2 * p);                                                        \
    ACCUMULATE(s##r##0, _mm256_madd_epi16(x, w0));                                                 \
    ACCUMULATE(s##r##1, _mm256_madd_epi16(x, w1));
#define FINISH(r) finish(f, s##r##0, s##r##1, to + r * f->stride);

AVX2 static void tile(const int16_t *rows, size_t stride, size_t pairs, const int16_t *weights,
                      const kx_byte_finish *f, uint8_t *to)
{
    EACH_ROW(ZERO)
    for (size_t p = 0; p < pairs; p++, weights += 2 * KX_BYTE_COLUMNS) {
        __m256i w0 = _mm256_loadu_si256((const void *)weights);
        __m256i w1 = _mm256_loadu_si256((const void *)(weights + KX_BYTE_COLUMNS)), x;

        EACH_ROW(ADD)
    }
    EACH_ROW(FINISH)
}

INLINE void depth_cell(const uint8_t *const *tap, int64_t at, size_t pairs, const int16_t *weights,
                       const kx_byte_finish *f, uint8_t *to)
{
    __m256i s0 = _mm256_setzero_si256(), s1 = _mm256_setzero_si256();

    for (size_t p = 0; p < pairs; p++, weights += 2 * KX_BYTE_COLUMNS) {
        __m128i a = _mm_loadu_si128((const void *)(tap[2 * p] + at));
        __m128i b = _mm_loadu_si128((const void *)(tap[2 * p + 1] + at));
        __m256i w0 = _mm256_loadu_si256((const void *)weights);
        __m256i w1 = _mm256_loadu_si256((const void *)(weights + KX_BYTE_COLUMNS));

        s0 = _mm256_add_epi32(s0,
                              _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)), w0));
        s1 = _mm256_add_epi32(s1,
                              _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b)), w1));
    }
    finish(f, s0, s1, to);
}

AVX2 static void depth(const uint8_t *const *tap, kx_byte_line from, size_t pairs,
                       const int16_t *weights, const kx_byte_finish *f, uint8_t *to)
{
    enum { OF_3X3 = 5 }; /* unrolled */

    for (int64_t i = 0; i < from.count; i++, from.at += from.step, to += f->stride)
        if (pairs == OF_3X3)
            depth_cell(tap, from.at, OF_3X3, weights, f, to);
        else
            depth_cell(tap, from.at, pairs, weights, f, to);
}

static const kx_byte_kernels kernels = {widen, tile, depth};

const kx_byte_kernels *kx_byte_kernels_avx2(void)
{
    return __builtin_cpu_supports("avx2") ? &kernels : NULL;
}

#else

const kx_byte_kernels *kx_byte_kernels_avx2(void)
{
    return NULL;
}

#endif
