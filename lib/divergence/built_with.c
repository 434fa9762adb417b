/* built_with.c - what this build has, and which instructions this processor runs. */
#include <string.h>

#include <kldve/common.h>

#include "kernels.h"

uint64_t kldve_features(void)
{
    const char *kernels = kldve_kernels_best()->name;
    uint64_t features = 0;

#ifdef KLDVE_HAVE_PNG
    features |= KLDVE_FEATURE_PNG;
#endif
#ifdef KLDVE_HAVE_JPEG
    features |= KLDVE_FEATURE_JPEG;
#endif
#ifdef KLDVE_HAVE_BLAS
    features |= KLDVE_FEATURE_BLAS;
#endif
    if (strcmp(kernels, "avx512") == 0)
        features |= KLDVE_FEATURE_AVX512;
    if (strcmp(kernels, "avx2") == 0)
        features |= KLDVE_FEATURE_AVX2;
    return features;
}
