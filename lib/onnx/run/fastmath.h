/* fastmath.h - exp, and what is made of it, without branches and calls: a loop over them becomes
 * one over vectors, whatever vectors the processor has, and gives the same numbers with all of
 * them.
 *
 * Bounds, over all floats (tests/onnx/run/test_fastmath.c): kx_exp 2 units in the last place down
 * to the smallest normal number, 0 below; kx_sigmoid and kx_tanh 2e-7 absolute, kx_erf 5e-7,
 * kx_gelu_cdf 3e-7.  NaN stays NaN, infinities have their limits.  The coefficients are
 * least-squares fits of our own, weighted towards the smallest largest error. */
#ifndef KLDVE_ONNX_FASTMATH_H
#define KLDVE_ONNX_FASTMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/** 2^n, -126 <= n <= 127. */
static inline float kx_power_of_2(int32_t n)
{
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float p;

    memcpy(&p, &bits, sizeof p);
    return p;
}

/** e^x = 2^n e^r, |r| <= log(2) / 2, e^r = 1 + r + r^2 P(r) within 4e-9.  Results below the
 * smallest normal number, with which processors are slow, are 0. */
static inline float kx_exp(float x)
{
    const float lowest = -87.33654f, highest = 89.0f, shifter = 12582912.0f; /* 1.5 x 2^23 */
    float c = x < lowest ? lowest : x > highest ? highest : x;
    float shifted = c * 1.44269504f + shifter; /* its last bits are n */
    float n = shifted - shifter;
    float r = c - n * 0.693359375f + n * 2.12194440e-4f; /* log(2) in two parts */
    float p = 0.00138145697f;
    int32_t bits, half;

    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits & 0x1ff) - ((bits & 0x100) << 1); /* n with its sign */
    half = ((bits + 256) >> 1) - 128;
    p = p * r + 0.00836871099f;
    p = p * r + 0.0416683890f;
    p = p * r + 0.166665211f;
    p = p * r + 0.49999994f;
    p = (p * r * r + r + 1.0f) * kx_power_of_2(half) * kx_power_of_2(bits - half);
    return x < lowest ? 0.0f : p;
}

static inline float kx_sigmoid(float x)
{
    return 1.0f / (1.0f + kx_exp(-x));
}

/** (1 - e) / (1 + e), e = e^(-2 |x|). */
static inline float kx_tanh(float x)
{
    float e = kx_exp(-2.0f * fabsf(x));

    return copysignf((1.0f - e) / (1.0f + e), x);
}

/** erfc(u) e^(u^2) = t P(t), t = 1 / (1 + 0.4 u), u >= 0, within 2e-8 of the scale of erf.
 *  (The form is that of Abramowitz and Stegun, 7.1.26.) */
static inline float kx_erfcx(float u)
{
    float t = 1.0f / (1.0f + 0.4f * u), p = 0.0295092724f;

    p = p * t - 0.0829593614f;
    p = p * t - 0.0346886702f;
    p = p * t + 0.223226175f;
    p = p * t - 0.0126490854f;
    p = p * t + 0.231896430f;
    p = p * t + 0.192402869f;
    p = p * t + 0.227695569f;
    p = p * t + 0.225566819f;
    return p * t;
}

static inline float kx_erf(float x)
{
    float u = fabsf(x);

    return copysignf(1.0f - kx_exp(-u * u) * kx_erfcx(u), x);
}

/** The normal distribution: Phi(x) = (1 + erf(x / sqrt 2)) / 2, and sqrt(2 pi) times its density,
 *  e^(-x^2 / 2), of which it is made. */
static inline float kx_gelu_cdf(float x, float *density)
{
    float tail;

    *density = kx_exp(-0.5f * x * x);
    tail = 0.5f * *density * kx_erfcx(fabsf(x) * 0.707106781f);
    return x < 0.0f ? tail : 1.0f - tail;
}

#endif
