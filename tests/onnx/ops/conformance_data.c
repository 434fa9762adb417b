/* conformance_data.c - see conformance_data.h. */
#include "conformance_data.h"

#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- files ----------------------------------------------------------------------------------- */

static bool is_initializer(const kx_model *m, const char *name)
{
    for (int32_t i = 0; i < m->ninitializer; i++)
        if (strcmp(m->initializer[i].name, name) == 0)
            return true;
    return false;
}

/* The n-th input of the model that is not an initializer; NULL if there is none. */
static const kx_proto_value *input_of(const kx_model *m, int32_t n)
{
    for (int32_t i = 0; i < m->ninput; i++)
        if (!is_initializer(m, m->input[i].name) && n-- == 0)
            return &m->input[i];
    return NULL;
}

/* The data keeps bfloat16 as uint16, for want of such a type in numpy. */
static void adopt(kx_proto_tensor *t, const kx_proto_value *v)
{
    t->name = v->name;
    if (t->dtype == KX_ONNX_UINT16 && v->dtype == KX_ONNX_BFLOAT16)
        t->dtype = v->dtype;
}

/* 0: read; 1: the file does not exist; -1: unreadable. */
static int load_one(kldve_ctx *ctx, data_set *d, const char *path, int32_t slot,
                    kx_proto_tensor *to)
{
    struct stat st;
    size_t size;

    if (stat(path, &st) != 0)
        return 1;
    d->bytes[slot] = test_file_load(path, &size);
    return kx_proto_tensor_read(ctx, &d->arena, d->bytes[slot], size, to) == KLDVE_OK ? 0 : -1;
}

bool data_load(kldve_ctx *ctx, const kx_model *m, const char *folder, data_set *d)
{
    const kx_proto_value *v;
    int result = 0;

    memset(d, 0, sizeof *d);
    kx_arena_init(&d->arena, ctx);
    for (; d->inputs < MAX_DATA && (v = input_of(m, d->inputs)) != NULL; d->inputs++) {
        result = load_one(ctx, d, test_path("%s/test_data_set_0/input_%d.pb", folder, d->inputs),
                          d->inputs, &d->input[d->inputs]);
        if (result != 0)
            break;
        adopt(&d->input[d->inputs], v);
    }
    for (; result >= 0 && d->outputs < m->noutput && d->outputs < MAX_DATA; d->outputs++) {
        result = load_one(ctx, d, test_path("%s/test_data_set_0/output_%d.pb", folder, d->outputs),
                          MAX_DATA + d->outputs, &d->output[d->outputs]);
        if (result != 0)
            break;
        adopt(&d->output[d->outputs], &m->output[d->outputs]);
    }
    return result >= 0;
}

void data_free(data_set *d)
{
    for (int i = 0; i < 2 * MAX_DATA; i++)
        free(d->bytes[i]);
    kx_arena_free(&d->arena);
}

kx_model data_promote(const kx_model *m, const data_set *d, const bool constant[MAX_DATA],
                      kx_proto_tensor *room)
{
    kx_model with = *m;

    memcpy(room, m->initializer, (size_t)m->ninitializer * sizeof *room);
    with.initializer = room;
    for (int32_t k = 0; k < d->inputs; k++)
        if (constant[k])
            room[with.ninitializer++] = d->input[k];
    return with;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static double half(uint16_t h)
{
    int exponent = (h >> 10) & 31, mantissa = h & 1023;
    double x = exponent == 0    ? ldexp(mantissa, -24)
               : exponent == 31 ? (mantissa ? (double)NAN : (double)INFINITY)
                                : ldexp(1024 + mantissa, exponent - 25);

    return h & 0x8000 ? -x : x;
}

static kx_dtype dtype_of(int32_t onnx_type)
{
    switch (onnx_type) {
    case KX_ONNX_FLOAT:
    case KX_ONNX_DOUBLE:
    case KX_ONNX_FLOAT16:
    case KX_ONNX_BFLOAT16:
        return KX_F32;
    case KX_ONNX_BOOL:
        return KX_BOOL;
    default:
        return KX_I64;
    }
}

#define ELEMENT(type)                                                                              \
    do {                                                                                           \
        type x_;                                                                                   \
        memcpy(&x_, (const char *)t->data + i * sizeof x_, sizeof x_);                             \
        *f = (double)x_;                                                                           \
        *n = (int64_t)x_;                                                                          \
    } while (0)

/* Element i as both a float and an integer, whichever it is. */
static void element(const kx_proto_tensor *t, size_t i, double *f, int64_t *n)
{
    uint16_t h;
    uint32_t bits;
    float x;

    *n = 0;
    switch (t->dtype) {
    case KX_ONNX_FLOAT:
        memcpy(&x, (const char *)t->data + 4 * i, 4);
        *f = (double)x;
        break;
    case KX_ONNX_DOUBLE:
        memcpy(f, (const char *)t->data + 8 * i, 8);
        break;
    case KX_ONNX_FLOAT16:
        memcpy(&h, (const char *)t->data + 2 * i, 2);
        *f = half(h);
        break;
    case KX_ONNX_BFLOAT16:
        memcpy(&h, (const char *)t->data + 2 * i, 2);
        bits = (uint32_t)h << 16;
        memcpy(&x, &bits, 4);
        *f = (double)x;
        break;
    case KX_ONNX_INT8:
        ELEMENT(int8_t);
        break;
    case KX_ONNX_INT16:
        ELEMENT(int16_t);
        break;
    case KX_ONNX_INT32:
        ELEMENT(int32_t);
        break;
    case KX_ONNX_UINT16:
        ELEMENT(uint16_t);
        break;
    case KX_ONNX_UINT32:
        ELEMENT(uint32_t);
        break;
    case KX_ONNX_INT64:
    case KX_ONNX_UINT64:
        ELEMENT(int64_t);
        break;
    default: /* uint8, bool */
        ELEMENT(uint8_t);
        break;
    }
}

static bool same_shape(const kx_shape *s, const kx_proto_tensor *t)
{
    for (int32_t i = 0; i < s->rank; i++)
        if (s->rank != t->rank || s->dim[i] != t->dim[i])
            return false;
    return s->rank == t->rank;
}

bool data_fill(kx_tensor *to, const kx_proto_tensor *from)
{
    if (!same_shape(&to->shape, from) || to->dtype != dtype_of(from->dtype))
        return false;
    for (size_t i = 0; i < to->count; i++) {
        double f;
        int64_t n;

        element(from, i, &f, &n);
        if (to->dtype == KX_F32)
            ((float *)to->data)[i] = (float)f;
        else if (to->dtype == KX_I64)
            ((int64_t *)to->data)[i] = n;
        else
            ((uint8_t *)to->data)[i] = n != 0;
    }
    return true;
}

/* Relative.  Half-width numbers are computed in float32, but stored with 11 or 8 digits by the
 * data. The bodies of the window functions have pi with five digits, their expected results have
 * all.  The results of RoiAlign and of a cubic GridSample were written down with four. */
static double tolerance(const char *name, int32_t onnx_type)
{
    double rounded = strstr(name, "attention") ? 2 : 1; /* at every one of many steps */

    if (onnx_type == KX_ONNX_FLOAT16 || strstr(name, "window") || strstr(name, "roialign") ||
        strstr(name, "gridsample_bicubic"))
        return rounded * 1e-3;
    return onnx_type == KX_ONNX_BFLOAT16 ? rounded * 1e-2 : 1e-4;
}

/* Absolute, of sums of numbers around 1: cubic weights of either sign cancel. */
static double rounding(const char *name)
{
    return strstr(name, "cubic") ? 5e-6 : 1e-6;
}

/* Of quantised results, where ONNX Runtime's own operators round sums on their way, and of resized
 * integers, where its float32 sum may lie just below a whole number. */
static double steps(const char *name)
{
    return strstr(name, "QLinearAdd") || strstr(name, "QLinearMul") ||
                   strstr(name, "int8_linear") || strstr(name, "int32_linear") ||
                   strstr(name, "QLinearAveragePool")
               ? 1
               : 0;
}

/* The engine holds float64 as float32, which ends at 3.4e38: a few cases are made of garbage that
 * does not. */
static double as_held(double x, int32_t onnx_type)
{
    return onnx_type == KX_ONNX_DOUBLE ? (double)(float)x : x;
}

/* Quantised values are whole numbers in float32 arrays, so that cotangents flow through them. */
static bool is_held_as(kx_dtype dtype, int32_t onnx_type, int32_t want)
{
    if (onnx_type && onnx_type != want)
        return false;
    return dtype == dtype_of(want) ||
           (dtype == KX_F32 &&
            (want == KX_ONNX_UINT8 || want == KX_ONNX_INT8 || want == KX_ONNX_UINT16 ||
             want == KX_ONNX_INT16 || want == KX_ONNX_INT32));
}

bool data_agrees(const char *name, int32_t onnx_type, const kx_tensor *t,
                 const kx_proto_tensor *want, char *why)
{
    if (!is_held_as(t->dtype, onnx_type, want->dtype)) {
        snprintf(why, WHY_SIZE, "type %d (%d), expected %d", (int)t->dtype, onnx_type, want->dtype);
        return false;
    }
    if (!same_shape(&t->shape, want)) {
        snprintf(why, WHY_SIZE, "another shape");
        return false;
    }
    for (size_t i = 0; i < t->count; i++) {
        double y, x;
        int64_t n, m = 0;
        bool ok;

        element(want, i, &y, &n);
        if (t->dtype == KX_F32 && dtype_of(want->dtype) == KX_I64) {
            x = (double)((float *)t->data)[i];
            y = (double)n;
            ok = fabs(x - y) <= steps(name);
        } else if (t->dtype == KX_F32) {
            x = (double)((float *)t->data)[i];
            y = as_held(y, want->dtype);
            ok = x == y || (isnan(x) && isnan(y)) ||
                 fabs(x - y) <= rounding(name) + tolerance(name, want->dtype) * fabs(y);
        } else {
            m = t->dtype == KX_I64 ? ((int64_t *)t->data)[i] : ((uint8_t *)t->data)[i];
            x = (double)m;
            ok = fabs((double)m - (double)n) <= steps(name);
        }
        if (!ok) {
            snprintf(why, WHY_SIZE, "element %zu is %.9g, expected %.9g", i, x, y);
            return false;
        }
    }
    return true;
}
