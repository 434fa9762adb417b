/* pieces.c - operators that stand for a few moves of pieces: CenterCropPad, Col2Im, MaxUnpool,
 * Hardmax, Swish. */
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

/* ---- CenterCropPad --------------------------------------------------------------------------- */

static kx_value *cropped(kx_expander *e, kx_value *x, int32_t axis, int64_t have, int64_t want)
{
    int64_t before = (have - want) / 2;

    return have > want ? kx_emit_slice(e, x, axis, before, before + want) : x;
}

static kldve_status expand_center(kx_expander *e)
{
    const int64_t *want, *axes;
    int64_t pads[2 * KX_MAX_RANK] = {0};
    size_t count, listed;
    bool marked[KX_MAX_RANK], padded = false;
    kx_value *x;
    int32_t rank;
    kldve_status st = kx_expect(e->g, e->n, 2, 2, 1);

    if (st < 0 || (st = kx_const_ints(e->g, e->n, 1, "shape", &want, &count)) < 0)
        return st;
    x = e->n->in[0];
    rank = x->shape.rank;
    axes = kx_attr_ints(e->n, "axes", &listed);
    if ((st = kx_mark_axes(e->g, e->n, axes, listed, rank, marked)) < 0)
        return st;
    if (count != (axes ? listed : (size_t)rank))
        return kx_invalid(e->g, e->n, "input 1 (shape) has %zu values", count);
    for (size_t i = 0; i < count; i++) {
        int64_t at = axes ? axes[i] : (int64_t)i, axis = at < 0 ? at + rank : at;
        int64_t have = e->n->in[0]->shape.dim[axis], more;

        if (want[i] < 0)
            return kx_invalid(e->g, e->n, "input 1 (shape) has the value %lld", (long long)want[i]);
        more = want[i] - have;
        x = cropped(e, x, (int32_t)axis, have, want[i]);
        pads[axis] = more > 0 ? more / 2 : 0;
        pads[rank + axis] = more > 0 ? more - more / 2 : 0;
        padded = padded || more > 0;
    }
    e->out[0] = padded ? kx_emit2(e, "Pad", x, kx_emit_ints(e, pads, 2 * (size_t)rank)) : x;
    return e->status;
}

/* ---- Col2Im: blocks [n][channels * block][places] laid over each other, which is a transposed
 * convolution of each channel with ones ------------------------------------------------------- */

typedef struct blocks {
    int32_t axes;
    const int64_t *image, *block;
    int64_t taps, places[KX_MAX_RANK], extra[KX_MAX_RANK];
    kx_attr attr[5];
} blocks;

/* A list of numbers for each axis, `times` of them; ones or zeros without the attribute. */
static kldve_status axis_list(kx_expander *e, const char *name, int32_t axes, int64_t def,
                              const int64_t **out)
{
    size_t count, want = (size_t)axes * (def == 0 ? 2 : 1); /* pads come twice */
    int64_t *list;

    *out = kx_attr_ints(e->n, name, &count);
    if (*out && count != want)
        return kx_invalid(e->g, e->n, "attribute '%s' has %zu values for %d axes", name, count,
                          axes);
    for (size_t i = 0; *out && i < count; i++)
        if ((*out)[i] < def || (*out)[i] > INT32_MAX)
            return kx_invalid(e->g, e->n, "attribute '%s' has the value %lld", name,
                              (long long)(*out)[i]);
    if (*out)
        return KLDVE_OK;
    if (!(list = kx_new(e->g, want, sizeof *list)))
        return kx_nomem(e->g);
    for (size_t i = 0; i < want; i++)
        list[i] = def;
    *out = list;
    return KLDVE_OK;
}

/* How many places there are along axis i, and what of the image lies behind the last. */
static kldve_status places_along(kx_expander *e, blocks *b, const int64_t *const list[3], int32_t i)
{
    int64_t stride = list[0][i], extent, room;

    if (b->image[i] < 1 || b->image[i] > INT32_MAX || b->block[i] < 1 || b->block[i] > INT32_MAX)
        return kx_invalid(e->g, e->n, "image %lld and block %lld along axis %d",
                          (long long)b->image[i], (long long)b->block[i], i);
    extent = (b->block[i] - 1) * list[1][i] + 1;
    room = b->image[i] + list[2][i] + list[2][b->axes + i] - extent;
    if (room < 0)
        return kx_invalid(e->g, e->n, "a block covers %lld elements of %lld", (long long)extent,
                          (long long)b->image[i]);
    b->places[i] = room / stride + 1;
    b->extra[i] = room % stride;
    if (b->block[i] > INT32_MAX / b->taps)
        return kx_refuse(e->g, e->n, "a block of more than 2^31 elements");
    b->taps *= b->block[i];
    return KLDVE_OK;
}

static kldve_status read_blocks(kx_expander *e, blocks *b)
{
    static const char *const name[3] = {"strides", "dilations", "pads"};
    const int64_t *list[3];
    size_t axes, count;
    kldve_status st = kx_const_ints(e->g, e->n, 1, "image_shape", &b->image, &axes);

    if (st < 0 || (st = kx_const_ints(e->g, e->n, 2, "block_shape", &b->block, &count)) < 0)
        return st;
    if (axes < 1 || axes > 3 || count != axes)
        return kx_refuse(e->g, e->n, "%zu and %zu spatial axes, supported are 1 to 3", axes, count);
    b->axes = (int32_t)axes;
    b->taps = 1;
    for (int k = 0; k < 3; k++) {
        if ((st = axis_list(e, name[k], b->axes, k < 2, &list[k])) < 0)
            return st;
        b->attr[k] = kx_attr_of_ints(name[k], list[k], axes * (k == 2 ? 2 : 1));
    }
    for (int32_t i = 0; i < b->axes; i++)
        if ((st = places_along(e, b, list, i)) < 0)
            return st;
    b->attr[3] = kx_attr_of_ints("output_padding", b->extra, axes);
    return KLDVE_OK;
}

/* [channels * taps][1][block...]: tap t of a channel goes to element t of its block. */
static kx_value *unit_weights(kx_expander *e, const blocks *b, int64_t channels)
{
    kx_shape shape = {2 + b->axes, {channels * b->taps, 1}};
    float *w = kx_new(e->g, (size_t)(channels * b->taps * b->taps), sizeof *w);

    for (int64_t i = 0; w && i < channels * b->taps; i++)
        w[i * b->taps + i % b->taps] = 1;
    memcpy(shape.dim + 2, b->block, (size_t)b->axes * sizeof *b->block);
    return kx_emit_floats(e, w, &shape);
}

static kldve_status expand_col2im(kx_expander *e)
{
    enum { MAX_WEIGHTS = 1 << 22 };
    int64_t dim[KX_MAX_RANK] = {0}, channels, places = 1;
    const kx_shape *x;
    blocks b;
    kldve_status st = kx_expect(e->g, e->n, 3, 3, 1);

    if (st < 0 || (st = read_blocks(e, &b)) < 0)
        return st;
    x = &e->n->in[0]->shape;
    for (int32_t i = 0; i < b.axes; i++)
        places = places > INT64_MAX / b.places[i] ? INT64_MAX : places * b.places[i];
    if (x->rank != 3 || x->dim[1] < 1 || x->dim[1] % b.taps != 0 || x->dim[2] != places)
        return kx_invalid(e->g, e->n, "the input must have the shape [n][channels * %lld][%lld]",
                          (long long)b.taps, (long long)places);
    channels = x->dim[1] / b.taps;
    if (x->dim[1] > MAX_WEIGHTS / b.taps)
        return kx_refuse(e->g, e->n, "blocks of %lld elements in %lld channels", (long long)b.taps,
                         (long long)channels);
    dim[0] = x->dim[0];
    dim[1] = x->dim[1];
    memcpy(dim + 2, b.places, (size_t)b.axes * sizeof *dim);
    b.attr[4] = kx_attr_of_int("group", channels);
    e->out[0] = kx_emit(e, "ConvTranspose",
                        (kx_value *[]){kx_emit_reshape(e, e->n->in[0], dim, (size_t)b.axes + 2),
                                       unit_weights(e, &b, channels)},
                        2, b.attr, 5);
    return e->status;
}

/* ---- MaxUnpool: values put back where MaxPool found them ------------------------------------- */

/* Both pads of an axis; -1: one is out of range. */
static int64_t sum_of(int64_t begin, int64_t end)
{
    return begin < 0 || begin > INT32_MAX || end < 0 || end > INT32_MAX ? -1 : begin + end;
}

/* The shape that MaxPool read. */
static kldve_status unpooled_shape(kx_expander *e, kx_shape *y)
{
    const kx_shape *x = &e->n->in[0]->shape;
    size_t kernels, strides, pads;
    const int64_t *kernel = kx_attr_ints(e->n, "kernel_shape", &kernels);
    const int64_t *stride = kx_attr_ints(e->n, "strides", &strides);
    const int64_t *pad = kx_attr_ints(e->n, "pads", &pads);
    size_t axes = x->rank > 2 ? (size_t)x->rank - 2 : 0, elements;

    if (axes == 0 || kernels != axes || (stride && strides != axes) || (pad && pads != 2 * axes))
        return kx_invalid(e->g, e->n,
                          "attributes 'kernel_shape', 'strides' and 'pads' do not fit "
                          "an input of rank %d",
                          x->rank);
    *y = *x;
    for (size_t i = 0; i < axes; i++) {
        int64_t s = stride ? stride[i] : 1, p = pad ? sum_of(pad[i], pad[axes + i]) : 0;

        if (s < 1 || s > INT32_MAX || kernel[i] < 1 || kernel[i] > INT32_MAX || x->dim[i + 2] < 1 ||
            x->dim[i + 2] > INT32_MAX || p < 0)
            return kx_invalid(e->g, e->n, "a kernel, stride or pad is out of range");
        y->dim[i + 2] = (x->dim[i + 2] - 1) * s + kernel[i] - p;
    }
    return kx_shape_count(y, sizeof(float), &elements)
               ? KLDVE_OK
               : kx_invalid(e->g, e->n, "kernel, strides and pads give an impossible shape");
}

/* Zeros up to the shape that input 2 asks for. */
static kldve_status grown(kx_expander *e, const kx_shape *y, kx_value **v)
{
    const int64_t *want;
    int64_t pads[2 * KX_MAX_RANK] = {0};
    size_t count;
    kldve_status st = kx_const_ints(e->g, e->n, 2, "output_shape", &want, &count);

    if (st < 0 || !want)
        return st;
    if (count != (size_t)y->rank)
        return kx_invalid(e->g, e->n, "input 2 (output_shape) has %zu values", count);
    for (int32_t i = 0; i < y->rank; i++) {
        if (want[i] < y->dim[i])
            return kx_invalid(e->g, e->n, "input 2 (output_shape) has the value %lld, below %lld",
                              (long long)want[i], (long long)y->dim[i]);
        pads[y->rank + i] = want[i] - y->dim[i];
    }
    *v = kx_emit2(e, "Pad", *v, kx_emit_ints(e, pads, 2 * count));
    return e->status;
}

static kldve_status expand_unpool(kx_expander *e)
{
    int64_t flat = -1, count;
    kx_shape y;
    kx_value *zeros, *v;
    kldve_status st = kx_expect(e->g, e->n, 2, 3, 1);

    if (st < 0 || (st = unpooled_shape(e, &y)) < 0)
        return st;
    if (e->n->in[1]->count != e->n->in[0]->count || e->n->in[1]->dtype != KX_I64)
        return kx_invalid(e->g, e->n, "input 1 must have an index for each value");
    count = kx_span(&y, 0, y.rank);
    zeros = kx_emit2(e, "Expand", kx_emit_float(e, 0), kx_emit_ints(e, &count, 1));
    v = kx_emit(e, "ScatterElements",
                (kx_value *[]){zeros, kx_emit_reshape(e, e->n->in[1], &flat, 1),
                               kx_emit_reshape(e, e->n->in[0], &flat, 1)},
                3, NULL, 0);
    v = kx_emit_reshape(e, v, y.dim, (size_t)y.rank);
    if (e->status < 0 || (st = grown(e, &y, &v)) < 0)
        return e->status < 0 ? e->status : st;
    e->out[0] = v;
    return e->status;
}

/* ---- Hardmax: 1 at the first largest element along an axis, else 0; its derivative is 0 -------
 */

static kldve_status expand_hardmax(kx_expander *e)
{
    const kx_shape *s;
    int64_t list[KX_MAX_RANK], rows[2];
    int32_t axis, rank;
    kx_value *x, *best, *y;
    bool flattens = e->g->opset < 13; /* everything from the axis on counts as one */
    kx_attr at;
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);

    if (st < 0)
        return st;
    x = e->n->in[0];
    s = &x->shape;
    if ((st = kx_axis_attr(e->g, e->n, "axis", flattens ? 1 : -1, s->rank, &axis)) < 0)
        return st;
    rows[0] = kx_span(s, 0, axis);
    rows[1] = kx_span(s, axis, s->rank);
    if (flattens)
        x = kx_emit_reshape(e, x, rows, 2);
    axis = flattens ? 1 : axis;
    rank = flattens ? 2 : s->rank;
    for (int32_t i = 0; i < rank; i++)
        list[i] = i == axis ? -1 : 1;
    at = kx_attr_of_int("axis", axis);
    best = kx_emit(e, "ArgMax", &x, 1, &at, 1);
    y = kx_emit2(e, "Equal", best,
                 kx_emit_reshape(e, kx_emit_range(e, 0, flattens ? rows[1] : s->dim[axis]), list,
                                 (size_t)rank));
    y = kx_emit_cast(e, y, e->n->in[0]->onnx_type);
    e->out[0] = flattens ? kx_emit_reshape(e, y, s->dim, (size_t)s->rank) : y;
    return e->status;
}

/* ---- Swish: x sigmoid(alpha x) --------------------------------------------------------------- */

static kldve_status expand_swish(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);

    if (st == KLDVE_OK)
        e->out[0] = kx_emit_swish(e, e->n->in[0], kx_attr_float(e->n, "alpha", 1));
    return st < 0 ? st : e->status;
}

const kx_op kx_pieces_ops[] = {
    {.type = "CenterCropPad", .since = 18, .expand = expand_center},
    {.type = "Col2Im", .since = 18, .expand = expand_col2im},
    {.type = "MaxUnpool", .since = 9, .expand = expand_unpool},
    {.type = "Hardmax", .since = 1, .expand = expand_hardmax},
    {.type = "Swish", .since = 24, .expand = expand_swish},
    {0},
};
