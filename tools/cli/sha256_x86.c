/* sha256_x86.c - see sha256_blocks.h: for processors with Intel's SHA extensions. */
#include "sha256_blocks.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

#define SHA __attribute__((target("sha,sse4.1")))

enum { GROUPS = SHA256_ROUNDS / 4 };

/* Words 4 g .. 4 g + 3 of the message from the 16 before them, of which `w` has four in each and
 * the oldest in w[g % 4]. */
SHA static inline __m128i next_words(const __m128i w[4], int g)
{
    __m128i before = w[(g + 3) % 4];
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[g % 4], w[(g + 1) % 4]),
                                _mm_alignr_epi8(before, w[(g + 2) % 4], 4));

    return _mm_sha256msg2_epu32(sum, before);
}

SHA static void take_block(__m128i *abef, __m128i *cdgh, const unsigned char *block)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i w[4], ab = *abef, cd = *cdgh;

#pragma GCC unroll 16
    for (int g = 0; g < GROUPS; g++) {
        __m128i sum;

        if (g < 4)
            w[g] = _mm_shuffle_epi8(_mm_loadu_si128((const void *)(block + 16 * g)), big_endian);
        else
            w[g % 4] = next_words(w, g);
        sum = _mm_add_epi32(w[g % 4], _mm_loadu_si128((const void *)(sha256_constants + 4 * g)));
        cd = _mm_sha256rnds2_epu32(cd, ab, sum);
        ab = _mm_sha256rnds2_epu32(ab, cd, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
    }
    *abef = _mm_add_epi32(*abef, ab);
    *cdgh = _mm_add_epi32(*cdgh, cd);
}

static int word(uint32_t x)
{
    return (int)x;
}

SHA static void take_blocks(uint32_t s[8], const unsigned char *blocks, size_t count)
{
    __m128i abef = _mm_set_epi32(word(s[0]), word(s[1]), word(s[4]), word(s[5]));
    __m128i cdgh = _mm_set_epi32(word(s[2]), word(s[3]), word(s[6]), word(s[7]));
    uint32_t feba[4], hgdc[4];

    for (size_t i = 0; i < count; i++)
        take_block(&abef, &cdgh, blocks + i * SHA256_BLOCK);
    _mm_storeu_si128((void *)feba, abef);
    _mm_storeu_si128((void *)hgdc, cdgh);
    for (int i = 0; i < 2; i++) {
        s[i] = feba[3 - i];
        s[i + 2] = hgdc[3 - i];
        s[i + 4] = feba[1 - i];
        s[i + 6] = hgdc[1 - i];
    }
}

sha256_blocks *sha256_blocks_x86(void)
{
    enum { SHA_IN_EBX = 1 << 29 }; /* of leaf 7 */
    unsigned eax, ebx, ecx, edx;

    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) &&
                   ebx & SHA_IN_EBX
               ? take_blocks
               : NULL;
}

#else

sha256_blocks *sha256_blocks_x86(void)
{
    return NULL;
}

#endif
