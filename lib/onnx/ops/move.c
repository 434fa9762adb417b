/* move.c - Transpose, Expand, Tile, DepthToSpace, SpaceToDepth: every output element is one input
 * element, found by a walk; dx = sum of dy over the outputs that an input element went to. */
#include <assert.h>
#include <string.h>

#include "basic.h"
#include "families.h"

static kldve_status infer_transpose(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    const kx_shape *in;
    kx_transpose_params *p;
    bool seen[KX_MAX_RANK];
    kx_shape out;
    const int64_t *perm;
    size_t count;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    in = &n->in[0]->shape;
    perm = kx_attr_ints(n, "perm", &count);
    if (perm && count != (size_t)in->rank)
        return kx_invalid(g, n, "attribute 'perm' has %zu values, the input has rank %d", count,
                          in->rank);
    if (perm && (st = kx_mark_axes(g, n, perm, count, in->rank, seen)) < 0)
        return st;
    out.rank = in->rank;
    for (int32_t i = 0; i < in->rank; i++) {
        p->perm[i] = perm ? (int32_t)perm[i] : in->rank - 1 - i;
        if (p->perm[i] < 0)
            p->perm[i] += in->rank;
        out.dim[i] = in->dim[p->perm[i]];
    }
    kx_walk_init(&p->walk, &out);
    p->walk.operands = 1;
    for (int32_t i = 0; i < out.rank; i++)
        p->walk.stride[0][i] = kx_stride(in, p->perm[i]);
    kx_walk_pack(&p->walk);
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static void forward_transpose(const kx_op_call *call)
{
    const kx_transpose_params *p = call->node->params;

    kx_walk_copy(&p->walk, kx_dtype_size(call->in[0].dtype), call->in[0].data, call->out[0].data);
}

static void vjp_transpose(const kx_op_call *call)
{
    const kx_transpose_params *p = call->node->params;

    if (call->dout[0].data)
        kx_walk_add(&p->walk, 0, 1.0f, call->dout[0].data, call->din->data);
}

/* ---- Expand and Tile ------------------------------------------------------------------------- */

static kldve_status infer_expand(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    kx_shape want, out;
    kx_walk_params *p;
    const int64_t *dim;
    size_t count;

    if (st < 0 || (st = kx_const_ints(g, n, 1, "shape", &dim, &count)) < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (count > KX_MAX_RANK)
        return kx_refuse(g, n, "rank %zu, at most %d is supported", count, KX_MAX_RANK);
    want.rank = (int32_t)count;
    for (int32_t i = 0; i < want.rank; i++) {
        want.dim[i] = dim[i];
        if (dim[i] < 0)
            return kx_invalid(g, n,
                              "dimension %d of the new shape is %lld, it must not be negative", i,
                              (long long)dim[i]);
    }
    if (!kx_broadcast(&n->in[0]->shape, &want, &out))
        return kx_invalid(g, n, "the input cannot be expanded to the new shape");
    if ((st = kx_out_like(g, n, 0, n->in[0], &out)) < 0)
        return st;
    kx_walk_init(&p->walk, &out);
    kx_walk_broadcast(&p->walk, &n->in[0]->shape);
    kx_walk_pack(&p->walk);
    return KLDVE_OK;
}

/* An axis of length d that is repeated r times is two axes, r and d, the first without stride. */
static kldve_status infer_tile(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    const kx_shape *in;
    kx_walk_params *p;
    const int64_t *repeat;
    size_t count;
    kx_shape out, one = {.rank = 1};

    if (st < 0 || (st = kx_const_ints(g, n, 1, "repeats", &repeat, &count)) < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    in = &n->in[0]->shape;
    out = *in;
    if (count != (size_t)in->rank)
        return kx_invalid(g, n, "input 1 (repeats) has %zu values, the input has rank %d", count,
                          in->rank);
    p->walk.rank = 2 * in->rank;
    p->walk.operands = 1;
    for (int32_t i = 0; i < in->rank; i++) {
        one.dim[0] = repeat[i];
        if (!kx_shape_count(&one, 1, &count) ||
            (repeat[i] > 0 && in->dim[i] > INT64_MAX / repeat[i]))
            return kx_invalid(g, n, "input 1 (repeats) has the value %lld, it must not be negative",
                              (long long)repeat[i]);
        out.dim[i] = in->dim[i] * repeat[i];
        p->walk.dim[2 * i] = repeat[i];
        p->walk.dim[2 * i + 1] = in->dim[i];
        p->walk.stride[0][2 * i + 1] = kx_stride(in, i);
    }
    if ((st = kx_out_like(g, n, 0, n->in[0], &out)) < 0) /* else products may overflow */
        return st;
    kx_walk_pack(&p->walk);
    return KLDVE_OK;
}

/* ---- DepthToSpace and SpaceToDepth ----------------------------------------------------------- */

/* Axes of the array with the blocks as axes of their own: output axis i is input axis from[i], and
 * its length is length[i]. */
static void block_walk(kx_walk *w, const int64_t length[6], const int32_t from[6])
{
    kx_shape in = {.rank = 6};

    for (int32_t i = 0; i < 6; i++) {
        assert(length[i] >= 0 && from[i] >= 0 && from[i] < 6);
        in.dim[from[i]] = length[i];
    }
    w->rank = 6;
    w->operands = 1;
    for (int32_t i = 0; i < 6; i++) {
        w->dim[i] = length[i];
        w->stride[0][i] = kx_stride(&in, from[i]);
    }
    kx_walk_pack(w);
}

static kldve_status start_blocks(kx_graph *g, kx_node *n, int64_t *b, kx_walk_params **p)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);

    if (st < 0)
        return st;
    *b = kx_attr_int(n, "blocksize", 0);
    if (n->in[0]->shape.rank != 4)
        return kx_invalid(g, n, "the input has rank %d, expected 4", n->in[0]->shape.rank);
    if (*b < 1 || *b > 32768)
        return kx_invalid(g, n, "attribute 'blocksize' is %lld, it must be at least 1",
                          (long long)*b);
    *p = n->params = kx_new(g, 1, sizeof **p);
    return *p ? KLDVE_OK : kx_nomem(g);
}

static kldve_status infer_depth_to_space(kx_graph *g, kx_node *n)
{
    /* [N][b][b][C][H][W] or with mode CRD [N][C][b][b][H][W] -> [N][C][H][b][W][b] */
    static const int32_t dcr[6] = {0, 3, 4, 1, 5, 2}, crd[6] = {0, 1, 4, 2, 5, 3};
    const char *mode = "DCR";
    kx_walk_params *p;
    kx_shape s;
    int64_t b;
    kldve_status st = start_blocks(g, n, &b, &p);

    if (st < 0)
        return st;
    if (g->opset >= 11)
        mode = kx_attr_string(n, "mode", mode);
    if (strcmp(mode, "DCR") != 0 && strcmp(mode, "CRD") != 0)
        return kx_invalid(g, n, "mode '%.40s' is neither DCR nor CRD", mode);
    s = n->in[0]->shape;
    if (s.dim[1] % (b * b) != 0)
        return kx_invalid(g, n, "%lld channels are not a multiple of blocksize^2",
                          (long long)s.dim[1]);
    s.dim[1] /= b * b;
    s.dim[2] *= b;
    s.dim[3] *= b;
    if ((st = kx_out_like(g, n, 0, n->in[0], &s)) < 0)
        return st;
    block_walk(&p->walk, (int64_t[6]){s.dim[0], s.dim[1], s.dim[2] / b, b, s.dim[3] / b, b},
               mode[0] == 'D' ? dcr : crd);
    return KLDVE_OK;
}

static kldve_status infer_space_to_depth(kx_graph *g, kx_node *n)
{
    /* [N][C][H][b][W][b] -> [N][b][b][C][H][W] */
    static const int32_t from[6] = {0, 3, 5, 1, 2, 4};
    kx_walk_params *p;
    kx_shape s;
    int64_t b;
    kldve_status st = start_blocks(g, n, &b, &p);

    if (st < 0)
        return st;
    s = n->in[0]->shape;
    if (s.dim[2] % b != 0 || s.dim[3] % b != 0)
        return kx_invalid(g, n, "height and width are not multiples of blocksize");
    s.dim[2] /= b;
    s.dim[3] /= b;
    block_walk(&p->walk, (int64_t[6]){s.dim[0], b, b, s.dim[1], s.dim[2], s.dim[3]}, from);
    s.dim[1] *= b * b;
    return kx_out_like(g, n, 0, n->in[0], &s);
}

const kx_op kx_move_ops[] = {
    {.type = "Transpose",
     .since = 1,
     .infer = infer_transpose,
     .forward = forward_transpose,
     .vjp = vjp_transpose,
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_PERMUTED,
                .rearranges = true}},
    {.type = "Expand",
     .since = 8,
     .infer = infer_expand,
     .forward = kx_move_forward,
     .vjp = kx_move_vjp,
     .traits = {.effect = KX_EFFECT_MOVES, .bias = KX_BIAS_NONE, .formula = KX_FORMULA_SPREAD}},
    {.type = "Tile",
     .since = 6,
     .infer = infer_tile,
     .forward = kx_move_forward,
     .vjp = kx_move_vjp,
     .traits = {.effect = KX_EFFECT_ADDS, .bias = KX_BIAS_NONE}},
    {.type = "DepthToSpace",
     .since = 1,
     .infer = infer_depth_to_space,
     .forward = kx_move_forward,
     .vjp = kx_move_vjp,
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_CHANNELS_FIRST,
                .rearranges = true}},
    {.type = "SpaceToDepth",
     .since = 1,
     .infer = infer_space_to_depth,
     .forward = kx_move_forward,
     .vjp = kx_move_vjp,
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .axes = KX_AXES_CHANNELS_FIRST,
                .rearranges = true}},
    {0},
};
