/* byte_kernels_x86.c - see byte_kernels.h: for processors with AVX2, and for those with AVX-512 and
 * its instructions for bytes (VNNI). */
#include "run/byte_kernels.h"

#include <stddef.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <string.h>

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define VNNI __attribute__((target("avx2,avx512f,avx512vl,avx512vnni")))
#define INLINE static inline __attribute__((target("avx2"), always_inline))

INLINE int32_t word_at(const uint8_t *at)
{
    int32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Lines of few bytes are common: of a picture's three channels. */
AVX2 static void widen(size_t n, const uint8_t *from, uint8_t *to)
{
    size_t i = 0;

    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((void *)(to + 2 * i),
                            _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(from + i))));
    for (; i + 4 <= n; i += 4)
        _mm_storel_epi64((void *)(to + 2 * i),
                         _mm_cvtepu8_epi16(_mm_cvtsi32_si128(word_at(from + i))));
    for (; i < n; i++) {
        int16_t x = from[i];

        memcpy(to + 2 * i, &x, sizeof x);
    }
}

/* What is the same for all cells, in registers. */
typedef struct ends {
    const int32_t *offset;
    const float *bias, *factor;
    __m256i zero, lo, hi; /* zero of 16 bits, the others of bytes */
    bool large;
    float least, most;
} ends;

INLINE ends ends_of(const kx_byte_finish *f)
{
    return (ends){.offset = f->offset,
                  .bias = f->bias,
                  .factor = f->factor,
                  .zero = _mm256_set1_epi16((short)f->zero),
                  .lo = _mm256_set1_epi8((char)(f->zero + (int32_t)f->lo)),
                  .hi = _mm256_set1_epi8((char)(f->zero + (int32_t)f->hi)),
                  .large = f->large,
                  .least = f->lo,
                  .most = f->hi};
}

/* Rounded, without a limit but that of 32 bits. */
INLINE __m256i level(const ends *e, int half, __m256i sum)
{
    __m256i offset = _mm256_loadu_si256((const void *)(e->offset + 8 * half));
    __m256 x = _mm256_cvtepi32_ps(_mm256_add_epi32(sum, offset));

    if (e->bias)
        x = _mm256_add_ps(x, _mm256_loadu_ps(e->bias + 8 * half));
    x = _mm256_mul_ps(x, _mm256_loadu_ps(e->factor + 8 * half));
    if (e->large) { /* NaN becomes the least */
        x = _mm256_max_ps(x, _mm256_set1_ps(e->least));
        x = _mm256_min_ps(x, _mm256_set1_ps(e->most));
    }
    return _mm256_cvtps_epi32(x);
}

/* 16 levels of 16 bits, zero point included: of channels 0-3, 8-11, 4-7, 12-15. */
INLINE __m256i levels(const ends *e, __m256i sum0, __m256i sum1)
{
    return _mm256_adds_epi16(_mm256_packs_epi32(level(e, 0, sum0), level(e, 1, sum1)), e->zero);
}

/* The bytes of two cells, each in one half: saturated to 0..255 and clipped. */
INLINE __m256i bytes_of(const ends *e, __m256i cell0, __m256i cell1)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i y = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(cell0, cell1), order);

    return _mm256_min_epu8(_mm256_max_epu8(y, e->lo), e->hi);
}

INLINE void put_two(__m256i y, uint8_t *to, int64_t stride)
{
    _mm_storeu_si128((void *)to, _mm256_castsi256_si128(y));
    _mm_storeu_si128((void *)(to + stride), _mm256_extracti128_si256(y, 1));
}

/* 12 of the 16 registers hold sums.  As statements of the assembler's, the compiler neither copies
 * them nor loads all six rows first, for which there are no registers. */
#define ADD(s, product) __asm__ volatile("vpaddd %1, %0, %0" : "+x"(s) : "x"(product) : "memory")
/* s += the products in each word; see byte_kernels.h for DOT8. */
#define DOT16(s, x, w) ADD(s, _mm256_madd_epi16(x, w))
#define DOT8(s, x, w) ADD(s, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), _mm256_set1_epi16(1)))
#define DOT8_VNNI(s, x, w) s = _mm256_dpbusd_epi32(s, x, w)
#define EACH_ROW(X, dot) X(0, dot) X(1, dot) X(2, dot) X(3, dot) X(4, dot) X(5, dot)
#define START(r, dot) __m256i s##r##0 = start(sums, 2 * r), s##r##1 = start(sums, 2 * r + 1);
#define ROW(r, dot)                                                                                \
    x = _mm256_set1_epi32(word_at(at + r * stride));                                               \
    dot(s##r##0, x, w0);                                                                           \
    dot(s##r##1, x, w1);
#define MULTIPLY(dot)                                                                              \
    const __m256i_u *w = weights;                                                                  \
    const uint8_t *at = rows->at;                                                                  \
    size_t stride = rows->stride, words = rows->words;                                             \
                                                                                                   \
    EACH_ROW(START, dot)                                                                           \
    for (size_t i = 0; i < words; i++, w += 2, at += sizeof(int32_t)) {                            \
        __m256i w0 = w[0], w1 = w[1], x;                                                           \
                                                                                                   \
        EACH_ROW(ROW, dot)                                                                         \
    }
#define FINISH(r, next)                                                                            \
    put_two(bytes_of(&e, levels(&e, s##r##0, s##r##1), levels(&e, s##next##0, s##next##1)),        \
            to + r * f->stride, f->stride);
#define STORE(r, dot)                                                                              \
    _mm256_storeu_si256((void *)(to + r * KX_BYTE_COLUMNS), s##r##0);                              \
    _mm256_storeu_si256((void *)(to + r * KX_BYTE_COLUMNS + 8), s##r##1);

INLINE __m256i start(const int32_t *sums, int i)
{
    return sums ? _mm256_loadu_si256((const void *)(sums + 8 * i)) : _mm256_setzero_si256();
}

#define KERNELS(target, sum, tile, dot)                                                            \
    target static void sum(const kx_byte_rows *rows, const void *weights, const int32_t *sums,     \
                           int32_t *to){MULTIPLY(dot) EACH_ROW(STORE, dot)}                        \
                                                                                                   \
    target static void                                                                             \
    tile(const kx_byte_rows *rows, const void *weights, const int32_t *sums,                       \
         const kx_byte_finish *f, uint8_t *to)                                                     \
    {                                                                                              \
        MULTIPLY(dot)                                                                              \
        const ends e = ends_of(f);                                                                 \
                                                                                                   \
        FINISH(0, 1)                                                                               \
        FINISH(2, 3)                                                                               \
        FINISH(4, 5)                                                                               \
    }

KERNELS(AVX2, sum16, tile16, DOT16)
KERNELS(AVX2, sum8, tile8, DOT8)
KERNELS(VNNI, sum8_vnni, tile8_vnni, DOT8_VNNI)

/* ---- rests ---- */

/* Rows of 16 bytes as columns: in each step rows i and i + 8 are zipped. */
AVX2 static void turn(const uint8_t *from, size_t stride, uint8_t *to, size_t to_stride)
{
    __m128i x[16], y[16];

    for (size_t i = 0; i < 16; i++)
        x[i] = _mm_loadu_si128((const void *)(from + i * stride));
#pragma GCC unroll 4
    for (int step = 0; step < 4; step++) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            y[2 * i] = _mm_unpacklo_epi8(x[i], x[i + 8]);
            y[2 * i + 1] = _mm_unpackhi_epi8(x[i], x[i + 8]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            x[i] = y[i];
    }
    for (size_t i = 0; i < 16; i++)
        _mm_storeu_si128((void *)(to + i * to_stride), x[i]);
}

/* 32 sums of one channel: of cells 0-3 and 16-19, 4-7 and 20-23, ... */
INLINE void rests_of(kx_byte_turned cells, const kx_byte_rest *r, const kx_byte_rest *end,
                     __m256i sum[4])
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i s0 = zero, s1 = zero, s2 = zero, s3 = zero;

    for (; r < end; r++) {
        const uint8_t *first = cells.at + r->at[0] * cells.stride;
        const uint8_t *second = cells.at + r->at[1] * cells.stride;
        __m256i a = _mm256_loadu_si256((const void *)first);
        __m256i b = _mm256_loadu_si256((const void *)second);
        __m256i w = _mm256_set1_epi32(word_at((const uint8_t *)r->weight));
        __m256i a0 = _mm256_unpacklo_epi8(a, zero), b0 = _mm256_unpacklo_epi8(b, zero);
        __m256i a1 = _mm256_unpackhi_epi8(a, zero), b1 = _mm256_unpackhi_epi8(b, zero);

        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(_mm256_unpacklo_epi16(a0, b0), w));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(_mm256_unpackhi_epi16(a0, b0), w));
        s2 = _mm256_add_epi32(s2, _mm256_madd_epi16(_mm256_unpacklo_epi16(a1, b1), w));
        s3 = _mm256_add_epi32(s3, _mm256_madd_epi16(_mm256_unpackhi_epi16(a1, b1), w));
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
}

/* Four channels of 8 cells -> four channels side by side, of cells i and 16 + i. */
INLINE void zip4(const __m256i sum[][4], int of, __m256i to[4])
{
    __m256i a = _mm256_unpacklo_epi32(sum[0][of], sum[1][of]);
    __m256i b = _mm256_unpacklo_epi32(sum[2][of], sum[3][of]);
    __m256i c = _mm256_unpackhi_epi32(sum[0][of], sum[1][of]);
    __m256i d = _mm256_unpackhi_epi32(sum[2][of], sum[3][of]);

    to[0] = _mm256_unpacklo_epi64(a, b);
    to[1] = _mm256_unpackhi_epi64(a, b);
    to[2] = _mm256_unpacklo_epi64(c, d);
    to[3] = _mm256_unpackhi_epi64(c, d);
}

/* Sums of eight channels -> by cell. */
INLINE void put_by_cell(const __m256i sum[8][4], int32_t *to)
{
    enum { HALF = KX_BYTE_TURNED / 2 };

    for (int of = 0; of < 4; of++) {
        __m256i x[4], y[4];

        zip4(sum, of, x);
        zip4(sum + 4, of, y);
        for (int i = 0; i < 4; i++) {
            int32_t *cell = to + (4 * of + i) * KX_BYTE_COLUMNS;

            _mm256_storeu_si256((void *)cell, _mm256_permute2x128_si256(x[i], y[i], 0x20));
            _mm256_storeu_si256((void *)(cell + HALF * KX_BYTE_COLUMNS),
                                _mm256_permute2x128_si256(x[i], y[i], 0x31));
        }
    }
}

AVX2 static void rest(kx_byte_turned cells, const kx_byte_rest *rests, const int32_t *at,
                      int32_t *to)
{
    for (int from = 0; from < KX_BYTE_COLUMNS; from += 8) {
        __m256i sum[8][4];

        for (int c = 0; c < 8; c++)
            rests_of(cells, rests + at[from + c], rests + at[from + c + 1], sum[c]);
        put_by_cell((const __m256i(*)[4])sum, to + from);
    }
}

INLINE __m256i both_halves(const uint8_t *at)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)at));
}

/* Bytes of two taps, side by side, are widened by a shuffle: that is faster than what is there to
 * widen them, which crosses halves. */
INLINE __m256i depth_cell(const uint8_t *const *tap, int64_t at, size_t words, const __m256i_u *w,
                          const ends *e)
{
    const __m256i wide =
        _mm256_setr_epi8(0, -1, 1, -1, 2, -1, 3, -1, 4, -1, 5, -1, 6, -1, 7, -1, 8, -1, 9, -1, 10,
                         -1, 11, -1, 12, -1, 13, -1, 14, -1, 15, -1);
    __m256i s0 = _mm256_setzero_si256(), s1 = _mm256_setzero_si256();

#pragma GCC unroll 5
    for (size_t i = 0; i < words; i++, w += 2) {
        __m256i a = both_halves(tap[2 * i] + at), b = both_halves(tap[2 * i + 1] + at);
        __m256i x0 = _mm256_shuffle_epi8(_mm256_unpacklo_epi8(a, b), wide);
        __m256i x1 = _mm256_shuffle_epi8(_mm256_unpackhi_epi8(a, b), wide);

        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(x0, w[0]));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(x1, w[1]));
    }
    return levels(e, s0, s1);
}

INLINE void depth_line(const uint8_t *const *tap, const kx_byte_line *from, size_t words,
                       const void *weights, const kx_byte_finish *f, uint8_t *to)
{
    const ends e = ends_of(f);
    int64_t i = 0, at = from->at, step = from->step;

    for (; i + 2 <= from->count; i += 2, at += 2 * step, to += 2 * f->stride) {
        __m256i first = depth_cell(tap, at, words, weights, &e);

        put_two(bytes_of(&e, first, depth_cell(tap, at + step, words, weights, &e)), to, f->stride);
    }
    if (i < from->count) {
        __m256i last = depth_cell(tap, at, words, weights, &e);

        _mm_storeu_si128((void *)to, _mm256_castsi256_si128(bytes_of(&e, last, last)));
    }
}

AVX2 static void depth(const uint8_t *const *tap, const kx_byte_line *from, size_t words,
                       const void *weights, const kx_byte_finish *f, uint8_t *to)
{
    enum { OF_3X3 = 5 }; /* unrolled */

    if (words == OF_3X3)
        depth_line(tap, from, OF_3X3, weights, f, to);
    else
        depth_line(tap, from, words, weights, f, to);
}

/* ---- sums of two arrays ---- */

INLINE __m256 numbers_of(const uint8_t *at, kx_byte_form f)
{
    __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)at));

    bytes = _mm256_sub_epi32(bytes, _mm256_set1_epi32(f.zero));
    return _mm256_mul_ps(_mm256_set1_ps(f.scale), _mm256_cvtepi32_ps(bytes));
}

/* Eight levels, in the order of operations of the loop that takes over where this ends. */
INLINE __m256i sum_levels(const kx_byte_binary *b, const uint8_t *x, const uint8_t *y)
{
    __m256 sum = _mm256_add_ps(numbers_of(x, b->x), numbers_of(y, b->y));

    sum = _mm256_div_ps(sum, _mm256_set1_ps(b->out.form.scale));
    sum = _mm256_max_ps(sum, _mm256_set1_ps(b->out.lo)); /* NaN becomes lo */
    return _mm256_cvtps_epi32(_mm256_min_ps(sum, _mm256_set1_ps(b->out.hi)));
}

AVX2 static size_t add(const kx_byte_binary *b, size_t n, const uint8_t *x, const uint8_t *y,
                       uint8_t *to)
{
    const __m256i zero = _mm256_set1_epi16((short)b->out.form.zero);
    size_t i = 0;

    for (; i + 16 <= n; i += 16) {
        __m256i level =
            _mm256_packs_epi32(sum_levels(b, x + i, y + i), sum_levels(b, x + i + 8, y + i + 8));

        level = _mm256_permute4x64_epi64(_mm256_add_epi16(level, zero), _MM_SHUFFLE(3, 1, 2, 0));
        _mm_storeu_si128((void *)(to + i), _mm_packus_epi16(_mm256_castsi256_si128(level),
                                                            _mm256_extracti128_si256(level, 1)));
    }
    return i;
}

static const kx_byte_kernels avx2 = {widen, sum16, sum8, tile16, tile8, turn, rest, depth, add};
static const kx_byte_kernels vnni = {widen, sum16, sum8_vnni, tile16, tile8_vnni,
                                     turn,  rest,  depth,     add};

const kx_byte_kernels *kx_byte_kernels_avx2(void)
{
    return __builtin_cpu_supports("avx2") ? &avx2 : NULL;
}

const kx_byte_kernels *kx_byte_kernels_vnni(void)
{
    return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") ? &vnni
                                                                                      : NULL;
}

#else

const kx_byte_kernels *kx_byte_kernels_avx2(void)
{
    return NULL;
}

const kx_byte_kernels *kx_byte_kernels_vnni(void)
{
    return NULL;
}

#endif
