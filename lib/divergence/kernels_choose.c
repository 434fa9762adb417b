/* kernels_choose.c - choose the instruction set of this processor at run time.  The build defines
 * KLDVE_WITH_AVX2 and KLDVE_WITH_AVX512 if the compiler supports them. */
#include "kernels.h"

extern const kldve_kernels kldve_kernels_baseline;

#ifdef KLDVE_WITH_AVX2
extern const kldve_kernels kldve_kernels_avx2;

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
#endif

#ifdef KLDVE_WITH_AVX512
extern const kldve_kernels kldve_kernels_avx512;

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

const kldve_kernels *kldve_kernels_at(size_t index)
{
#ifdef KLDVE_WITH_AVX512
    if (has_avx512() && index-- == 0)
        return &kldve_kernels_avx512;
#endif
#ifdef KLDVE_WITH_AVX2
    if (has_avx2() && index-- == 0)
        return &kldve_kernels_avx2;
#endif
    return index == 0 ? &kldve_kernels_baseline : NULL;
}

const kldve_kernels *kldve_kernels_best(void)
{
    return kldve_kernels_at(0);
}
