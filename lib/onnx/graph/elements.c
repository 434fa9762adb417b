/* elements.c - the file's element types become float32, int64 or bool. */
#include "elements.h"

#include <assert.h>
#include <string.h>

#include "read/model.h"

static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, mantissa = h & 0x3ff;
    uint32_t bits;
    float f;

    if (exponent == 0) { /* zero or subnormal: mantissa * 2^-24 */
        f = (float)mantissa * 0x1p-24f;
        return sign ? -f : f;
    }
    bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | mantissa << 13;
    memcpy(&f, &bits, 4);
    return f;
}

#define LOAD(type, at)                                                                             \
    type x;                                                                                        \
    memcpy(&x, at, sizeof x)

void kx_element_widen(int32_t onnx_type, const unsigned char *from, size_t i, void *to)
{
    float *f = to;
    int64_t *n = to;

    switch (onnx_type) {
    case KX_ONNX_FLOAT16: {
        LOAD(uint16_t, from + 2 * i);
        f[i] = half_to_float(x);
        break;
    }
    case KX_ONNX_BFLOAT16: {
        LOAD(uint16_t, from + 2 * i);
        uint32_t bits = (uint32_t)x << 16;
        memcpy(&f[i], &bits, 4);
        break;
    }
    case KX_ONNX_DOUBLE: {
        LOAD(double, from + 8 * i);
        f[i] = (float)x;
        break;
    }
    case KX_ONNX_UINT8:
        n[i] = from[i];
        break;
    case KX_ONNX_INT8:
        n[i] = (int8_t)from[i];
        break;
    case KX_ONNX_UINT16: {
        LOAD(uint16_t, from + 2 * i);
        n[i] = x;
        break;
    }
    case KX_ONNX_INT16: {
        LOAD(int16_t, from + 2 * i);
        n[i] = x;
        break;
    }
    case KX_ONNX_INT32: {
        LOAD(int32_t, from + 4 * i);
        n[i] = x;
        break;
    }
    case KX_ONNX_UINT32: {
        LOAD(uint32_t, from + 4 * i);
        n[i] = x;
        break;
    }
    case KX_ONNX_UINT64: {
        LOAD(uint64_t, from + 8 * i);
        n[i] = (int64_t)x; /* above 2^63 wraps; such values occur in no shape or index */
        break;
    }
    default:
        assert(onnx_type == KX_ONNX_BOOL);
        ((uint8_t *)to)[i] = from[i] != 0;
        break;
    }
}
