/* engine_features.c - what this build of the engine has, and which instructions oneDNN runs here.
 */
#include <kldve/onnx.h>

#include "accel/accel.h"

uint64_t kldve_onnx_features(void)
{
    uint64_t features = 0;

#ifdef KX_HAVE_DEMO
    features |= KLDVE_ONNX_FEATURE_DEMO;
#endif
    if (kx_accel_release() >= 3)
        features |= KLDVE_ONNX_FEATURE_ONEDNN3;
    if (kx_accel_has_bytes())
        features |= KLDVE_ONNX_FEATURE_AVX2;
    if (kx_accel_has_long_vectors())
        features |= KLDVE_ONNX_FEATURE_AVX512;
    if (kx_accel_has_dot_products())
        features |= KLDVE_ONNX_FEATURE_VNNI;
    return features;
}
