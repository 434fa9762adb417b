/* sample.c - what is made of GridSample and of positions: AffineGrid, DeformConv, CropAndResize. */
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"
#include "nn.h"

enum { MAX_GRID = 1 << 24 /* numbers of a constant grid: 64 MiB */ };

/* ---- AffineGrid: grid [n][space...][axes] = theta [n][axes][axes + 1] (x, y(, z), 1) ----------
 */

/* The positions [cells][axes + 1] that an affine map starts from: -1 .. 1 along each axis, x first,
 * then 1. */
static float *positions(kx_expander *e, const int64_t *size, int32_t axes, int64_t cells,
                        bool corners)
{
    float *to = kx_new(e->g, (size_t)(cells * (axes + 1)), sizeof *to);

    for (int64_t i = 0; to && i < cells; i++) {
        int64_t rest = i;

        for (int32_t a = 0; a < axes; a++) { /* the last axis first */
            int64_t n = size[axes - 1 - a], k = rest % n;
            double edge = corners ? (double)(n - 1) : (double)n;

            rest /= n;
            to[i * (axes + 1) + a] =
                (float)(edge > 0 ? ((corners ? 2 : 1) * (double)k + (corners ? 0 : (double)k + 1)) /
                                           edge -
                                       1
                                 : -1);
        }
        to[i * (axes + 1) + axes] = 1;
    }
    return to;
}

static kldve_status read_grid_size(kx_expander *e, const int64_t **size, int32_t *axes,
                                   int64_t *cells)
{
    const kx_shape *theta = &e->n->in[0]->shape;
    size_t count;
    kldve_status st = kx_const_ints(e->g, e->n, 1, "size", size, &count);

    if (st < 0)
        return st;
    *axes = count == 4 ? 2 : 3;
    if ((count != 4 && count != 5) || theta->rank != 3 || theta->dim[0] != (*size)[0] ||
        theta->dim[1] != *axes || theta->dim[2] != *axes + 1)
        return kx_invalid(e->g, e->n, "theta must have the shape [%lld][%d][%d]",
                          (long long)(count ? (*size)[0] : 0), *axes, *axes + 1);
    *cells = 1;
    for (size_t i = 2; i < count; i++) {
        if ((*size)[i] < 1 || (*size)[i] > MAX_GRID / *cells)
            return kx_refuse(e->g, e->n, "a grid of more than %d cells, or without any", MAX_GRID);
        *cells *= (*size)[i];
    }
    return KLDVE_OK;
}

static kldve_status expand_affine_grid(kx_expander *e)
{
    static const int64_t turned[3] = {0, 2, 1};
    const int64_t *size = NULL;
    int64_t cells = 0, dim[5] = {0};
    int32_t axes = 0;
    bool corners = kx_attr_int(e->n, "align_corners", 0) != 0;
    kx_value *from, *grid;
    kldve_status st = kx_expect(e->g, e->n, 2, 2, 1);

    if (st < 0 || (st = read_grid_size(e, &size, &axes, &cells)) < 0)
        return st;
    memcpy(dim, size, sizeof dim[0]);
    memcpy(dim + 1, size + 2, (size_t)axes * sizeof *dim);
    dim[axes + 1] = axes;
    from = kx_emit_floats(e, positions(e, size + 2, axes, cells, corners),
                          &(kx_shape){2, {cells, axes + 1}});
    grid = kx_emit2(e, "MatMul", from, kx_emit_transpose(e, e->n->in[0], turned, 3));
    e->out[0] = kx_emit_reshape(e, grid, dim, (size_t)axes + 2);
    return e->status;
}

/* ---- DeformConv: a convolution whose taps are read beside their places ------------------------
 *
 * Offsets are [batch][groups][taps][y, x][height][width]: the taps of all results become a grid
 * that GridSample reads, and the convolution is one of 1 x 1 over channels x taps. */

typedef struct deform {
    kx_conv_params conv;
    int64_t groups, per_group; /* of offsets, and channels in each */
    int64_t taps, height, width;
} deform;

static kldve_status read_deform(kx_expander *e, deform *d)
{
    const kx_shape *x = &e->n->in[0]->shape, *offset = &e->n->in[2]->shape;
    kx_window *w = &d->conv.window;
    kldve_status st = kx_conv_attrs(e->g, e->n, &d->conv);

    if (st < 0)
        return st;
    if (x->rank != 4)
        return kx_refuse(e->g, e->n, "input 0 has rank %d, only 4 is supported", x->rank);
    w->in[KX_H] = x->dim[2];
    w->in[KX_W] = x->dim[3];
    if ((st = kx_window_fit(e->g, e->n, false, w)) < 0)
        return st;
    d->groups = kx_attr_int(e->n, "offset_group", 1);
    d->taps = w->kernel[KX_H] * w->kernel[KX_W];
    d->height = w->out[KX_H];
    d->width = w->out[KX_W];
    if (d->groups < 1 || x->dim[1] % d->groups != 0 || x->dim[1] != d->conv.cin * d->conv.group)
        return kx_invalid(e->g, e->n, "%lld channels do not fit the weights, or %lld offset groups",
                          (long long)x->dim[1], (long long)d->groups);
    d->per_group = x->dim[1] / d->groups;
    if (d->taps > MAX_GRID || d->height > MAX_GRID || d->width > MAX_GRID / d->height ||
        d->taps * 2 > MAX_GRID / (d->height * d->width))
        return kx_refuse(e->g, e->n, "more than %d positions are not supported", MAX_GRID);
    if (offset->rank != 4 || offset->dim[0] != x->dim[0] ||
        offset->dim[1] != d->groups * d->taps * 2 || offset->dim[2] != d->height ||
        offset->dim[3] != d->width)
        return kx_invalid(e->g, e->n, "the offsets must have the shape [%lld][%lld][%lld][%lld]",
                          (long long)x->dim[0], (long long)(d->groups * d->taps * 2),
                          (long long)d->height, (long long)d->width);
    return KLDVE_OK;
}

/* Where tap k of a result is read without offsets, [taps][y, x][height][width]. */
static float *places(kx_expander *e, const deform *d)
{
    const kx_window *w = &d->conv.window;
    float *to = kx_new(e->g, (size_t)(d->taps * 2 * d->height * d->width), sizeof *to), *at = to;

    for (int64_t k = 0; to && k < d->taps; k++) {
        int64_t tap[2] = {k / w->kernel[KX_W], k % w->kernel[KX_W]};

        for (int a = 0; a < 2; a++)
            for (int64_t i = 0; i < d->height; i++)
                for (int64_t j = 0; j < d->width; j++)
                    *at++ = (float)((a ? j : i) * w->stride[KX_H + a] - w->pad_begin[KX_H + a] +
                                    tap[a] * w->dilation[KX_H + a]);
    }
    return to;
}

/* Pixels to GridSample's -1 .. 1 at the edges: (2 p + 1) / length - 1. */
static kx_value *as_grid(kx_expander *e, const deform *d, kx_value *offset)
{
    static const int64_t last[5] = {0, 1, 3, 4, 2};
    const kx_window *w = &d->conv.window;
    int64_t batch = d->conv.batch * d->groups, xy[2] = {1, 0};
    const int64_t apart[5] = {batch, d->taps, 2, d->height, d->width};
    const int64_t grid[4] = {batch, d->taps * d->height, d->width, 2};
    float *scale = kx_new(e->g, 2, sizeof *scale), *shift = kx_new(e->g, 2, sizeof *shift);
    kx_attr axis = kx_attr_of_int("axis", 2);
    kx_value *p;

    for (int a = 0; a < 2 && scale && shift; a++) {
        scale[a] = 2 / (float)w->in[KX_H + a];
        shift[a] = 1 / (float)w->in[KX_H + a] - 1;
    }
    p = kx_emit2(
        e, "Add", kx_emit_reshape(e, offset, apart, 5),
        kx_emit_floats(e, places(e, d), &(kx_shape){4, {d->taps, 2, d->height, d->width}}));
    p = kx_emit2(e, "Mul", p, kx_emit_floats(e, scale, &(kx_shape){3, {2, 1, 1}}));
    p = kx_emit2(e, "Add", p, kx_emit_floats(e, shift, &(kx_shape){3, {2, 1, 1}}));
    p = kx_emit(e, "Gather", (kx_value *[]){p, kx_emit_ints(e, xy, 2)}, 2, &axis, 1);
    return kx_emit_reshape(e, kx_emit_transpose(e, p, last, 5), grid, 4);
}

/* What all taps read, [batch][channels * taps][height][width]. */
static kx_value *taps_of(kx_expander *e, const deform *d, kx_value *mask)
{
    int64_t batch = d->conv.batch * d->groups;
    const kx_window *w = &d->conv.window;
    const int64_t pictures[4] = {batch, d->per_group, w->in[KX_H], w->in[KX_W]};
    const int64_t of_mask[4] = {batch, 1, d->taps * d->height, d->width};
    const int64_t joined[4] = {d->conv.batch, d->groups * d->per_group * d->taps, d->height,
                               d->width};
    kx_value *read[2] = {kx_emit_reshape(e, e->n->in[0], pictures, 4), as_grid(e, d, e->n->in[2])};
    kx_value *y = kx_emit(e, "GridSample", read, 2, NULL, 0);

    if (mask)
        y = kx_emit2(e, "Mul", y, kx_emit_reshape(e, mask, of_mask, 4));
    return kx_emit_reshape(e, y, joined, 4);
}

static kldve_status expand_deform(kx_expander *e)
{
    deform d = {.groups = 1};
    kx_value *mask = kx_has(e->n, 4) ? e->n->in[4] : NULL, *in[3] = {NULL};
    kx_attr group;
    kldve_status st = kx_expect(e->g, e->n, 3, 5, 1);

    if (st < 0 || (st = read_deform(e, &d)) < 0)
        return st;
    if (mask && (size_t)mask->count * 2 != e->n->in[2]->count)
        return kx_invalid(e->g, e->n, "the mask must have half as many numbers as the offsets");
    e->inside = true;
    in[0] = taps_of(e, &d, mask);
    in[1] = kx_emit_reshape(e, e->n->in[1], (const int64_t[]){0, d.conv.cin * d.taps, 1, 1}, 4);
    in[2] = kx_has(e->n, 3) ? e->n->in[3] : NULL;
    group = kx_attr_of_int("group", d.conv.group);
    e->out[0] = kx_emit(e, "Conv", in, in[2] ? 3 : 2, &group, 1);
    return e->status;
}

/* ---- CropAndResize of ONNX Runtime: boxes [y1, x1, y2, x2] in shares of the picture, each
 * resampled to one size; what lies outside the picture is `extrapolation_value`
 * -------------------------- */

/* Positions -1 .. 1 of `count` samples along one side of each box, [boxes][count]:
 * 2 (from + t (to - from)) - 1 with t = 0 .. 1, or 0.5 for one sample. */
static kx_value *along(kx_expander *e, kx_value *box, int32_t axis, int64_t count)
{
    float *part = kx_new(e->g, (size_t)(2 * count), sizeof *part);
    kx_value *ends = kx_emit(
        e, "Gather", (kx_value *[]){box, kx_emit_ints(e, (const int64_t[]){axis, axis + 2}, 2)}, 2,
        &(kx_attr){.name = "axis", .type = KX_ATTR_INT, .i = 1}, 1);

    for (int64_t i = 0; part && i < count; i++) {
        double t = count > 1 ? (double)i / (double)(count - 1) : 0.5;

        part[i] = (float)(2 * (1 - t));
        part[count + i] = (float)(2 * t);
    }
    return kx_emit2(
        e, "Sub", kx_emit2(e, "MatMul", ends, kx_emit_floats(e, part, &(kx_shape){2, {2, count}})),
        kx_emit_float(e, 1));
}

static kx_value *is_inside(kx_expander *e, kx_value *position)
{
    return kx_emit2(e, "LessOrEqual", kx_emit1(e, "Abs", position), kx_emit_float(e, 1));
}

/* The two lists of positions of each box as a grid [boxes][height][width][x, y]. */
static kx_value *crossed(kx_expander *e, kx_value *x, kx_value *y, const int64_t *dim)
{
    const int64_t all[4] = {dim[0], dim[1], dim[2], 1};
    kx_attr last = kx_attr_of_int("axis", -1);
    kx_value *side[2];

    side[0] = kx_emit2(e, "Expand", x, kx_emit_ints(e, all, 4));
    side[1] = kx_emit2(e, "Expand", y, kx_emit_ints(e, all, 4));
    return kx_emit(e, "Concat", side, 2, &last, 1);
}

static kldve_status read_crop(kx_expander *e, const int64_t **size)
{
    const kx_shape *box = &e->n->in[1]->shape, *batch = &e->n->in[2]->shape;
    size_t count;
    kldve_status st = kx_const_ints(e->g, e->n, 3, "crop_size", size, &count);

    if (st < 0)
        return st;
    if (count != 2 || (*size)[0] < 1 || (*size)[1] < 1 || (*size)[0] > MAX_GRID ||
        (*size)[1] > MAX_GRID / (*size)[0])
        return kx_refuse(e->g, e->n, "input 3 (crop_size) must be a height and a width");
    if (box->rank != 2 || box->dim[1] != 4 || batch->rank != 1 || batch->dim[0] != box->dim[0])
        return kx_invalid(e->g, e->n,
                          "inputs 1 and 2 must be boxes [n][4] and picture numbers [n]");
    if (strcmp(kx_attr_string(e->n, "mode", "bilinear"), "bilinear") != 0)
        return kx_refuse(e->g, e->n, "attribute 'mode': only bilinear is supported");
    return e->n->in[0]->shape.rank == 4
               ? KLDVE_OK
               : kx_invalid(e->g, e->n, "input 0 has rank %d, expected 4", e->n->in[0]->shape.rank);
}

static kldve_status expand_crop_resize(kx_expander *e)
{
    const kx_attr attr[2] = {kx_attr_of_int("align_corners", 1),
                             kx_attr_of_string("padding_mode", "border")};
    const int64_t *size = NULL;
    kx_value *x, *y, *inside, *picture, *grid;
    int64_t dim[3], column[4] = {0, -1, 1, 1}, row[4] = {0, 1, -1, 1}, mask[4];
    float outside = kx_attr_float(e->n, "extrapolation_value", 0);
    kldve_status st = kx_expect(e->g, e->n, 4, 4, 1);

    if (st < 0 || (st = read_crop(e, &size)) < 0)
        return st;
    dim[0] = e->n->in[1]->shape.dim[0];
    memcpy(dim + 1, size, 2 * sizeof *dim);
    y = kx_emit_reshape(e, along(e, e->n->in[1], 0, size[0]), column, 4);
    x = kx_emit_reshape(e, along(e, e->n->in[1], 1, size[1]), row, 4);
    inside = kx_emit2(e, "And", is_inside(e, x), is_inside(e, y));
    memcpy(mask, (const int64_t[]){dim[0], 1, dim[1], dim[2]}, sizeof mask);
    inside = kx_emit_reshape(e, inside, mask, 4);
    picture = kx_emit2(e, "Gather", e->n->in[0], e->n->in[2]);
    grid = crossed(e, x, y, dim);
    y = kx_emit(e, "GridSample", (kx_value *[]){picture, grid}, 2, attr, 2);
    e->out[0] =
        kx_emit(e, "Where", (kx_value *[]){inside, y, kx_emit_float(e, outside)}, 3, NULL, 0);
    return e->status;
}

const kx_op kx_sample_ops[] = {
    {.type = "AffineGrid", .since = 20, .expand = expand_affine_grid},
    {.type = "DeformConv", .since = 19, .expand = expand_deform},
    {.type = "CropAndResize", .domain = "com.microsoft", .since = 1, .expand = expand_crop_resize},
    {0},
};
