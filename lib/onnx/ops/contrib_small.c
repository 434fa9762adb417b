/* contrib_small.c - functions of one array that ONNX Runtime knows beside ONNX's own: ImageScaler,
 * Affine, ParametricSoftplus, ScaledTanh, Crop; and Trilu and GridSample under its own domain. */
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

static kx_value *scaled(kx_expander *e, kx_value *x, float factor)
{
    return factor == 1.0f ? x : kx_emit2(e, "Mul", x, kx_emit_float(e, factor));
}

/* alpha f(beta x) */
static kldve_status scaled_function(kx_expander *e, const char *type)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);
    float alpha = kx_attr_float(e->n, "alpha", 1), beta = kx_attr_float(e->n, "beta", 1);

    if (st == KLDVE_OK)
        e->out[0] = scaled(e, kx_emit1(e, type, scaled(e, e->n->in[0], beta)), alpha);
    return st < 0 ? st : e->status;
}

static kldve_status expand_tanh(kx_expander *e)
{
    return scaled_function(e, "Tanh");
}

static kldve_status expand_softplus(kx_expander *e)
{
    return scaled_function(e, "Softplus");
}

static kldve_status expand_affine(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);
    float alpha = kx_attr_float(e->n, "alpha", 1), beta = kx_attr_float(e->n, "beta", 0);

    if (st == KLDVE_OK)
        e->out[0] = kx_emit2(e, "Add", scaled(e, e->n->in[0], alpha), kx_emit_float(e, beta));
    return st < 0 ? st : e->status;
}

/* scale x + bias[channel] */
static kldve_status expand_image_scaler(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);
    size_t count;
    const float *bias = kx_attr_floats(e->n, "bias", &count);
    float scale = kx_attr_float(e->n, "scale", 1), *copy;

    if (st < 0)
        return st;
    if (e->n->in[0]->shape.rank != 4 || (int64_t)count != e->n->in[0]->shape.dim[1])
        return kx_invalid(e->g, e->n, "attribute 'bias' has %zu values for input 0 of rank %d",
                          count, e->n->in[0]->shape.rank);
    if (!(copy = kx_new(e->g, count, sizeof *copy)))
        return kx_nomem(e->g);
    if (count)
        memcpy(copy, bias, count * sizeof *copy);
    e->out[0] = kx_emit2(e, "Add", scaled(e, e->n->in[0], scale),
                         kx_emit_floats(e, copy, &(kx_shape){3, {(int64_t)count, 1, 1}}));
    return e->status;
}

/* border: left, top, right, bottom; scale: height, width of what is kept from there */
static kldve_status expand_crop(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);
    size_t count, scales;
    const int64_t *border = kx_attr_ints(e->n, "border", &count);
    const int64_t *scale = kx_attr_ints(e->n, "scale", &scales);
    kx_value *x;

    if (st < 0)
        return st;
    x = e->n->in[0];
    if (x->shape.rank != 4 || count != 4 || (scale && scales != 2))
        return kx_invalid(e->g, e->n, "attributes 'border' and 'scale' need 4 and 2 values");
    for (size_t i = 0; i < count; i++)
        if (border[i] < 0)
            return kx_invalid(e->g, e->n, "attribute 'border' has the value %lld",
                              (long long)border[i]);
    for (int32_t a = 0; a < 2; a++) {
        int64_t begin = border[1 - a], length = x->shape.dim[2 + a];
        int64_t end = scale ? scale[a] : length - border[3 - a];

        if (begin < 0 || begin > length || end > length - (scale ? begin : 0) ||
            end < (scale ? 0 : begin))
            return kx_invalid(e->g, e->n, "the border does not leave anything of axis %d", 2 + a);
        x = kx_emit_slice(e, x, 2 + a, begin, scale ? begin + end : end);
        if (!x)
            return e->status;
    }
    e->out[0] = x;
    return e->status;
}

/* As in ONNX's own domain. */
static kldve_status same(kx_expander *e, const char *type, int32_t lo, int32_t hi)
{
    kldve_status st = kx_expect(e->g, e->n, lo, hi, 1);

    if (st == KLDVE_OK)
        e->out[0] = kx_emit_passing(e, type, e->n->in, e->n->nin, NULL, 0);
    return st < 0 ? st : e->status;
}

static kldve_status expand_trilu(kx_expander *e)
{
    return same(e, "Trilu", 1, 2);
}

static kldve_status expand_grid_sample(kx_expander *e)
{
    return same(e, "GridSample", 2, 2);
}

/* From before ONNX 1.0 these are in ONNX's own domain, too. */
#define BOTH(name, fn)                                                                             \
    {.type = name, .since = 1, .expand = fn},                                                      \
    {                                                                                              \
        .type = name, .domain = "com.microsoft", .since = 1, .expand = fn                          \
    }

const kx_op kx_contrib_small_ops[] = {
    BOTH("ImageScaler", expand_image_scaler),
    BOTH("Affine", expand_affine),
    BOTH("ParametricSoftplus", expand_softplus),
    BOTH("ScaledTanh", expand_tanh),
    BOTH("Crop", expand_crop),
    {.type = "Trilu", .domain = "com.microsoft", .since = 1, .expand = expand_trilu},
    {.type = "GridSample", .domain = "com.microsoft", .since = 1, .expand = expand_grid_sample},
    {0},
};
