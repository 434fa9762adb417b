/* range.h - numbers that are clamped. */
#ifndef KLDVE_ONNX_RANGE_H
#define KLDVE_ONNX_RANGE_H

#include <math.h>

/** Numbers are clamped to [lo, hi]: {0, inf} is the positive part, {1, 1} gives ones. */
typedef struct kx_range {
    float lo, hi;
} kx_range;

/** Every number. */
static inline kx_range kx_whole(void)
{
    return (kx_range){-INFINITY, INFINITY};
}

static inline float kx_clamp(kx_range r, float x)
{
    return x < r.lo ? r.lo : x > r.hi ? r.hi : x;
}

#endif
