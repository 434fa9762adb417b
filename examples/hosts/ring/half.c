#include "half.h"

#include <math.h>
#include <string.h>

/* Below 2^15 in magnitude. */
static uint16_t to_half(float value)
{
    uint32_t bits, sign;

    memcpy(&bits, &value, sizeof bits);
    sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    if (bits < 0x38800000) /* below 2^-14: so many times 2^-24 */
        return (uint16_t)(sign | (uint32_t)lrintf(fabsf(value) * 0x1p24f));
    bits -= 112u << 23;               /* of exponents 127 is zero in float32, 15 in float16 */
    bits += 0xfff + (bits >> 13 & 1); /* to the nearest, ties to even */
    return (uint16_t)(sign | bits >> 13);
}

static float from_half(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 0x3ff;
    const float value = exponent == 0 ? ldexpf((float)fraction, -24)
                                      : ldexpf((float)(1024 + fraction), exponent - 25);

    return half & 0x8000 ? -value : value;
}

int32_t half_pack(const float *value, size_t count, uint16_t *packed)
{
    float largest = 0;
    int e = 0;

    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(value[i]));
    if (largest > 0) {
        frexpf(largest, &e); /* largest < 2^e */
        e -= 15;
    }
    for (size_t i = 0; i < count; i++)
        packed[i] = to_half(ldexpf(value[i], -e));
    return e;
}

void half_unpack(const uint16_t *packed, size_t count, int32_t e, float *value)
{
    for (size_t i = 0; i < count; i++)
        value[i] = ldexpf(from_half(packed[i]), e);
}
