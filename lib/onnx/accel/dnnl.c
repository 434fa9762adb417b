/* dnnl.c - the one file that knows oneDNN.  See accel.h.
 *
 * oneDNN 2 describes a computation by an operation descriptor from which a primitive descriptor is
 * made, oneDNN 3 makes the primitive descriptor directly; memory descriptors are structs in 2 and
 * pointers in 3.  `md_ref` is the type that both pass around. */
#include "accel.h"

#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#define V3 (DNNL_VERSION_MAJOR >= 3)

#if V3
typedef const_dnnl_memory_desc_t md_ref;
#else
typedef const dnnl_memory_desc_t *md_ref;
#endif

struct kx_layout {
    struct kx_layout *next; /* all of one kx_accel */
    dnnl_memory_desc_t store;
    md_ref md;
};

struct kx_prim {
    struct kx_prim *next;
    dnnl_primitive_desc_t pd; /* kept: the hint for backward primitives */
    dnnl_primitive_t prim;
    const kx_layout *slot[KX_SLOTS];
};

struct kx_accel {
    kldve_ctx *ctx;
    dnnl_engine_t engine;
    kx_layout *layouts;
    kx_prim *prims;
    bool direct;  /* no Winograd convolutions */
    bool blocked; /* convolutions between blocks of 16 channels, see conv_blocked_pd() */
};

struct kx_call {
    const kldve_ctx *ctx;
    const kx_prim *p;
    dnnl_stream_t stream;
    int n;
    dnnl_exec_arg_t arg[];
};

static kldve_status status_of(dnnl_status_t st)
{
    return st == dnnl_success         ? KLDVE_OK
           : st == dnnl_out_of_memory ? KLDVE_E_NOMEM
                                      : KLDVE_E_UNSUPPORTED;
}

kldve_status kx_accel_new(kldve_ctx *ctx, bool direct, kx_accel **out)
{
    kx_accel *a = kldve_ctx_alloc(ctx, 1, sizeof *a);

    if (!a)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while planning the network");
    memset(a, 0, sizeof *a);
    a->ctx = ctx;
    a->direct = direct;
    a->blocked =
        (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
    if (dnnl_engine_create(&a->engine, dnnl_cpu, 0) != dnnl_success) {
        kldve_ctx_release(ctx, a);
        return kldve_ctx_fail(ctx, KLDVE_E_BACKEND, "oneDNN has no engine for this processor");
    }
    *out = a;
    return KLDVE_OK;
}

void kx_accel_free(kx_accel *a)
{
    if (!a)
        return;
    while (a->prims) {
        kx_prim *p = a->prims;

        a->prims = p->next;
        if (p->prim)
            dnnl_primitive_destroy(p->prim);
        if (p->pd)
            dnnl_primitive_desc_destroy(p->pd);
        kldve_ctx_release(a->ctx, p);
    }
    while (a->layouts) {
        kx_layout *l = a->layouts;

        a->layouts = l->next;
#if V3
        dnnl_memory_desc_destroy(l->store);
#endif
        kldve_ctx_release(a->ctx, l);
    }
    dnnl_engine_destroy(a->engine);
    kldve_ctx_release(a->ctx, a);
}

/* ---- layouts ----------------------------------------------------------------------------------
 */

static kx_layout *add_layout(kx_accel *a, dnnl_memory_desc_t md)
{
    kx_layout *l = kldve_ctx_alloc(a->ctx, 1, sizeof *l);

    if (!l) {
#if V3
        dnnl_memory_desc_destroy(md);
#endif
        return NULL;
    }
    l->store = md;
#if V3
    l->md = l->store;
#else
    l->md = &l->store;
#endif
    l->next = a->layouts;
    a->layouts = l;
    return l;
}

/* strides NULL: let oneDNN choose ("any"). */
static kx_layout *make_layout(kx_accel *a, int rank, const int64_t *dim, const int64_t *strides)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims, step;
    dnnl_status_t st;

    for (int i = 0; i < rank; i++) {
        dims[i] = dim[i];
        step[i] = strides ? strides[i] : 0;
    }
#if V3
    st = strides ? dnnl_memory_desc_create_with_strides(&md, rank, dims, dnnl_f32, step)
                 : dnnl_memory_desc_create_with_tag(&md, rank, dims, dnnl_f32, dnnl_format_tag_any);
#else
    st = strides ? dnnl_memory_desc_init_by_strides(&md, rank, dims, dnnl_f32, step)
                 : dnnl_memory_desc_init_by_tag(&md, rank, dims, dnnl_f32, dnnl_format_tag_any);
#endif
    return st == dnnl_success ? add_layout(a, md) : NULL;
}

static kx_layout *tagged_layout(kx_accel *a, int rank, const int64_t *dim, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims;
    dnnl_status_t st;

    for (int i = 0; i < rank; i++)
        dims[i] = dim[i];
#if V3
    st = dnnl_memory_desc_create_with_tag(&md, rank, dims, dnnl_f32, tag);
#else
    st = dnnl_memory_desc_init_by_tag(&md, rank, dims, dnnl_f32, tag);
#endif
    return st == dnnl_success ? add_layout(a, md) : NULL;
}

static kx_layout *plain_layout(kx_accel *a, int rank, const int64_t *dim)
{
    int64_t strides[KX_MAX_RANK], step = 1;

    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= dim[i];
    }
    return make_layout(a, rank, dim, strides);
}

/* 0 for the empty descriptor.  Not by its size: that of a slice is 0, too. */
static int md_rank(md_ref md)
{
#if V3
    int rank = 0;

    return md && dnnl_memory_desc_query(md, dnnl_query_ndims_s32, &rank) == dnnl_success ? rank : 0;
#else
    return md ? md->ndims : 0;
#endif
}

/* Of a descriptor that has a rank. */
static const dnnl_dims_t *md_dims(md_ref md)
{
#if V3
    const dnnl_dims_t *dims = NULL;

    return dnnl_memory_desc_query(md, dnnl_query_dims, (void *)&dims) == dnnl_success ? dims : NULL;
#else
    return &md->dims;
#endif
}

const kx_layout *kx_layout_plain(kx_accel *a, const kx_shape *shape)
{
    static const int64_t one = 1;

    return shape->rank ? plain_layout(a, shape->rank, shape->dim) : plain_layout(a, 1, &one);
}

bool kx_layout_equal(const kx_layout *x, const kx_layout *y)
{
    return x == y || dnnl_memory_desc_equal(x->md, y->md);
}

size_t kx_layout_bytes(const kx_layout *x)
{
    return dnnl_memory_desc_get_size(x->md);
}

kldve_status kx_layout_slice(kx_accel *a, const kx_layout *whole, int32_t axis, int64_t from,
                             int64_t n, const kx_layout **out)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims, offset = {0};
    dnnl_status_t st;
#if V3
    const dnnl_dims_t *all;
    int rank;

    if (dnnl_memory_desc_query(whole->md, dnnl_query_ndims_s32, &rank) != dnnl_success ||
        dnnl_memory_desc_query(whole->md, dnnl_query_dims, &all) != dnnl_success)
        return KLDVE_E_UNSUPPORTED;
    memcpy(dims, *all, (size_t)rank * sizeof dims[0]);
#else
    memcpy(dims, whole->store.dims, sizeof dims);
#endif
    dims[axis] = n;
    offset[axis] = from;
#if V3
    st = dnnl_memory_desc_create_submemory(&md, whole->md, dims, offset);
#else
    st = dnnl_memory_desc_init_submemory(&md, whole->md, dims, offset);
#endif
    *out = NULL;
    if (st != dnnl_success)
        return KLDVE_OK;
    *out = add_layout(a, md);
    return *out ? KLDVE_OK : KLDVE_E_NOMEM;
}

/* Of one picture: the channels are then what varies slowest in all of these. */
const kx_layout *kx_layout_join(kx_accel *a, int32_t n, const kx_layout *const *part, int32_t axis)
{
    static const struct {
        dnnl_format_tag_t tag;
        int64_t block;
    } tags[] = {{dnnl_abcd, 1}, {dnnl_aBcd16b, 16}, {dnnl_aBcd8b, 8}};

    for (size_t t = 0; axis == 1 && t < sizeof tags / sizeof tags[0]; t++) {
        int64_t dim[4] = {1, 0, 0, 0};
        int32_t i;

        for (i = 0; i < n; i++) {
            const dnnl_dims_t *d = md_rank(part[i]->md) == 4 ? md_dims(part[i]->md) : NULL;
            const kx_layout *same;

            if (!d || (*d)[0] != 1 || (*d)[1] % tags[t].block != 0)
                break;
            same = tagged_layout(a, 4, *d, tags[t].tag);
            if (!same || !kx_layout_equal(same, part[i]))
                break;
            dim[1] += (*d)[1];
            dim[2] = (*d)[2];
            dim[3] = (*d)[3];
        }
        if (i == n)
            return tagged_layout(a, 4, dim, tags[t].tag);
    }
    return NULL;
}

/* ---- primitives --------------------------------------------------------------------------------
 */

static const struct {
    int slot, arg;
    dnnl_query_t query;
} operands[] = {
    {KX_SRC, DNNL_ARG_SRC, dnnl_query_src_md},
    {KX_WEIGHTS, DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
    {KX_DST, DNNL_ARG_DST, dnnl_query_dst_md},
    {KX_DIFF_SRC, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md},
    {KX_DIFF_DST, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
    {KX_WORKSPACE, DNNL_ARG_WORKSPACE, dnnl_query_workspace_md},
    {KX_SCRATCH, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md},
};

static int slot_arg(int slot)
{
    for (size_t i = 0; i < sizeof operands / sizeof operands[0]; i++)
        if (operands[i].slot == slot)
            return operands[i].arg;
    switch (slot) {
    case KX_SRC1:
        return DNNL_ARG_SRC_1;
    case KX_BIAS:
        return DNNL_ARG_BIAS;
    case KX_ADDEND:
        return DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;
    default:
        return DNNL_ARG_MULTIPLE_SRC + (slot - KX_MULTI);
    }
}

/* The layout that the primitive descriptor chose for an operand; NULL with *ok true if it has none.
 */
static const kx_layout *query_layout(kx_accel *a, const_dnnl_primitive_desc_t pd, dnnl_query_t what,
                                     int index, bool *ok)
{
    md_ref md = dnnl_primitive_desc_query_md(pd, what, index);
    const kx_layout *l;
    dnnl_memory_desc_t copy;

    *ok = true;
    if (md_rank(md) == 0)
        return NULL;
#if V3
    if (dnnl_memory_desc_clone(&copy, md) != dnnl_success) {
        *ok = false;
        return NULL;
    }
#else
    copy = *md;
#endif
    l = add_layout(a, copy);
    *ok = l != NULL;
    return l;
}

/* Take over pd, compile it and read off its operands. */
static kldve_status finish(kx_accel *a, dnnl_primitive_desc_t pd, kx_prim **out)
{
    kx_prim *p = kldve_ctx_alloc(a->ctx, 1, sizeof *p);
    bool ok;

    if (!p) {
        dnnl_primitive_desc_destroy(pd);
        return KLDVE_E_NOMEM;
    }
    memset(p, 0, sizeof *p);
    p->pd = pd;
    p->next = a->prims;
    a->prims = p;
    for (size_t i = 0; i < sizeof operands / sizeof operands[0]; i++) {
        p->slot[operands[i].slot] = query_layout(a, pd, operands[i].query, 0, &ok);
        if (!ok)
            return KLDVE_E_NOMEM;
    }
    *out = p;
    return status_of(dnnl_primitive_create(&p->prim, pd));
}

const kx_layout *kx_prim_layout(const kx_prim *p, int slot)
{
    return p->slot[slot];
}

/* Scratch memory is ours; post-ops in the order addend, sum, activation. */
static dnnl_status_t append_act(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float a, float b)
{
#if V3
    return dnnl_post_ops_append_eltwise(ops, alg, a, b);
#else
    return dnnl_post_ops_append_eltwise(ops, 1, alg, a, b);
#endif
}

static dnnl_alg_kind_t act_alg(kx_act act, float *alpha, float *beta)
{
    *alpha = act.a;
    *beta = act.b;
    switch (act.kind) {
    case KX_ACT_RELU:
        *alpha = 0;
        return dnnl_eltwise_relu;
    case KX_ACT_LEAKY:
        return dnnl_eltwise_relu;
    case KX_ACT_CLIP:
        return dnnl_eltwise_clip;
    case KX_ACT_SIGMOID:
        return dnnl_eltwise_logistic;
    case KX_ACT_TANH:
        return dnnl_eltwise_tanh;
    case KX_ACT_ELU:
        return dnnl_eltwise_elu;
    case KX_ACT_SWISH:
        *alpha = 1;
        return dnnl_eltwise_swish;
    case KX_ACT_HARDSWISH:
        *alpha = 1.0f / 6; /* oneDNN 3; 2 ignores both */
        *beta = 0.5f;
        return dnnl_eltwise_hardswish;
    case KX_ACT_LINEAR:
    case KX_ACT_NONE:
        break;
    }
    return dnnl_eltwise_linear;
}

static dnnl_status_t make_attr(dnnl_primitive_attr_t *attr, const kx_layout *addend, bool sum,
                               kx_act act)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t st = dnnl_primitive_attr_create(attr);
    float alpha, beta;

    if (st != dnnl_success)
        return st;
    st = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (st == dnnl_success)
        st = dnnl_post_ops_create(&ops);
    if (st == dnnl_success && addend)
        st = dnnl_post_ops_append_binary(ops, dnnl_binary_add, addend->md);
    if (st == dnnl_success && sum)
#if V3
        st = dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
#else
        st = dnnl_post_ops_append_sum(ops, 1);
#endif
    if (st == dnnl_success && act.kind != KX_ACT_NONE) {
        dnnl_alg_kind_t alg = act_alg(act, &alpha, &beta);

        st = append_act(ops, alg, alpha, beta);
    }
    if (st == dnnl_success)
        st = dnnl_primitive_attr_set_post_ops(*attr, ops);
    if (ops)
        dnnl_post_ops_destroy(ops);
    if (st != dnnl_success)
        dnnl_primitive_attr_destroy(*attr);
    return st;
}

static const kx_act no_act = {KX_ACT_NONE, 0, 0};

/* ---- convolution -------------------------------------------------------------------------------
 */

typedef struct conv_mds {
    kx_layout *src, *weights, *bias, *dst;
    dnnl_dims_t stride, dilation, pad_begin, pad_end;
} conv_mds;

/* Weights are [O][I][kh][kw], or with groups [G][O/G][I/G][kh][kw]. */
static int weight_dims(const kx_conv_desc *d, int64_t dim[5])
{
    int n = 0;

    if (d->groups > 1)
        dim[n++] = d->groups;
    dim[n++] = d->out_channels / d->groups;
    dim[n++] = d->in_channels / d->groups;
    dim[n++] = d->kernel[0];
    dim[n++] = d->kernel[1];
    return n;
}

static bool conv_layouts(kx_accel *a, const kx_conv_desc *d, conv_mds *m)
{
    const int64_t src[4] = {d->batch, d->in_channels, d->in[0], d->in[1]};
    const int64_t dst[4] = {d->batch, d->out_channels, d->out[0], d->out[1]};
    int64_t weights[5];
    int rank = weight_dims(d, weights);

    for (int i = 0; i < 2; i++) {
        m->stride[i] = d->stride[i];
        m->dilation[i] = d->dilation[i] - 1; /* oneDNN counts the gaps */
        m->pad_begin[i] = d->pad_begin[i];
        m->pad_end[i] = d->pad_end[i];
    }
    m->src = make_layout(a, 4, src, NULL);
    m->dst = make_layout(a, 4, dst, NULL);
    m->weights = make_layout(a, rank, weights, NULL);
    m->bias = plain_layout(a, 1, &d->out_channels);
    return m->src && m->dst && m->weights && m->bias;
}

#if V3
/* For one channel and larger steps along rows than from row to row oneDNN 3.7's "brg" code takes,
 * in short rows, numbers from scratch memory that it has not set.  The next code then. */
static dnnl_status_t pass_over_brg(const kx_conv_desc *d, dnnl_primitive_desc_t pd)
{
    const char *name = "";
    dnnl_status_t st = dnnl_success;

    if (d->in_channels != 1 || d->stride[1] <= d->stride[0])
        return dnnl_success;
    while (st == dnnl_success &&
           (st = dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name)) ==
               dnnl_success &&
           strncmp(name, "brg", 3) == 0)
        st = dnnl_primitive_desc_next_impl(pd);
    return st;
}
#endif

static dnnl_status_t conv_forward_pd(kx_accel *a, const kx_conv_desc *d, const conv_mds *m,
                                     dnnl_alg_kind_t alg, md_ref dst,
                                     const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *pd)
{
    md_ref bias = d->bias ? m->bias->md : NULL;
#if V3
    dnnl_status_t st = dnnl_convolution_forward_primitive_desc_create(
        pd, a->engine, dnnl_forward_inference, alg, m->src->md, m->weights->md, bias, dst,
        m->stride, m->dilation, m->pad_begin, m->pad_end, attr);

    if (st != dnnl_success || (st = pass_over_brg(d, *pd)) == dnnl_success)
        return st;
    dnnl_primitive_desc_destroy(*pd);
    *pd = NULL;
    return st;
#else
    dnnl_convolution_desc_t desc;
    dnnl_status_t st = dnnl_dilated_convolution_forward_desc_init(
        &desc, dnnl_forward_inference, alg, m->src->md, m->weights->md, bias, dst, m->stride,
        m->dilation, m->pad_begin, m->pad_end);

    return st != dnnl_success ? st : dnnl_primitive_desc_create(pd, &desc, attr, a->engine, NULL);
#endif
}

/* Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural
 * Networks", arXiv:1509.09308) needs 2.25 to 4 times fewer multiplications of a 3 x 3 convolution,
 * and so it is the only way past the arithmetic peak.  What it costs are transforms of input and
 * output, which only pay with enough channels and cells to share them, and up to four times the
 * memory of the weights.  Measured with oneDNN 2.6 on Zen 4: 1.4 to 3 times as fast from 13 x 13
 * cells and 16 channels on; at 7 x 7 the larger weights eat the gain.  Where oneDNN has no such
 * code (3.x, other processors) the direct one is taken. */
static bool winograd_pays(const kx_accel *a, const kx_conv_desc *d)
{
    enum { CHANNELS = 16, SIDE = 12 };

    return !a->direct && d->groups == 1 && d->kernel[0] == 3 && d->kernel[1] == 3 &&
           d->stride[0] == 1 && d->stride[1] == 1 && d->dilation[0] == 1 && d->dilation[1] == 1 &&
           d->in_channels >= CHANNELS && d->out_channels >= CHANNELS && d->out[0] >= SIDE &&
           d->out[1] >= SIDE;
}

/* With vectors of 16 floats: source and destination in blocks of 16 channels (a picture's one or
 * three: plain).  Left to itself oneDNN 2.6 takes channels last, which is as fast for one
 * convolution, but Winograd's and depthwise ones want blocks, the picture need not be reordered,
 * and kx_layout_join() has parts that lie whole.  *out is NULL, without failure, where that does
 * not fit or oneDNN has no compiled code for it. */
static dnnl_status_t conv_blocked_pd(kx_accel *a, const kx_conv_desc *d, const conv_mds *any,
                                     const kx_layout *like, const_dnnl_primitive_attr_t attr,
                                     dnnl_primitive_desc_t *out)
{
    const int64_t src[4] = {d->batch, d->in_channels, d->in[0], d->in[1]};
    const int64_t dst[4] = {d->batch, d->out_channels, d->out[0], d->out[1]};
    bool picture = d->in_channels == 1 || d->in_channels == 3;
    conv_mds m = *any;
    const char *name = "";

    *out = NULL;
    if (!a->blocked || (!picture && d->in_channels % 16 != 0) || d->out_channels % 16 != 0)
        return dnnl_success;
    m.src = picture ? plain_layout(a, 4, src) : tagged_layout(a, 4, src, dnnl_aBcd16b);
    m.dst = tagged_layout(a, 4, dst, dnnl_aBcd16b);
    if (!m.src || !m.dst)
        return dnnl_out_of_memory;
    if (conv_forward_pd(a, d, &m, dnnl_convolution_direct, like ? like->md : m.dst->md, attr,
                        out) != dnnl_success) {
        *out = NULL;
        return dnnl_success;
    }
    if (dnnl_primitive_desc_query(*out, dnnl_query_impl_info_str, 0, (void *)&name) ==
            dnnl_success &&
        strncmp(name, "jit", 3) == 0)
        return dnnl_success;
    dnnl_primitive_desc_destroy(*out);
    *out = NULL;
    return dnnl_success;
}

/* Is it oneDNN's plainest code, some hundred times as slow as what is compiled for the shape? */
static bool is_reference(const_dnnl_primitive_desc_t pd)
{
    const char *name = "";

    return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name) ==
               dnnl_success &&
           strncmp(name, "ref", 3) == 0;
}

kldve_status kx_accel_conv(kx_accel *a, const kx_conv_desc *d, kx_join join, const kx_layout *like,
                           kx_prim **out)
{
    conv_mds m;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;
    kldve_status result;
    md_ref dst;

    if (!conv_layouts(a, d, &m))
        return KLDVE_E_NOMEM;
    st = make_attr(&attr, join == KX_JOIN_ADDEND ? like : NULL, join == KX_JOIN_SUM, d->act);
    if (st != dnnl_success)
        return status_of(st);
    dst = join == KX_JOIN_NONE ? m.dst->md : like->md;
    st = dnnl_unimplemented;
    if (winograd_pays(a, d))
        st = conv_forward_pd(a, d, &m, dnnl_convolution_winograd, dst, attr, &pd);
    if (st != dnnl_success)
        st = conv_blocked_pd(a, d, &m, join == KX_JOIN_NONE ? NULL : like, attr, &pd);
    if (st == dnnl_success && !pd)
        st = conv_forward_pd(a, d, &m, dnnl_convolution_direct, dst, attr, &pd);
    dnnl_primitive_attr_destroy(attr);
    if (st != dnnl_success)
        return status_of(st);
    if (join == KX_JOIN_ADDEND && is_reference(pd)) { /* two steps take less time */
        dnnl_primitive_desc_destroy(pd);
        return KLDVE_E_UNSUPPORTED;
    }
    result = finish(a, pd, out);
    if (result < 0)
        return result;
    (*out)->slot[KX_BIAS] = d->bias ? m.bias : NULL;
    (*out)->slot[KX_ADDEND] = join == KX_JOIN_ADDEND ? like : NULL;
    return KLDVE_OK;
}

kldve_status kx_accel_conv_vjp(kx_accel *a, const kx_conv_desc *d, kx_prim **out)
{
    kx_conv_desc bare = *d;
    conv_mds m;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL, hint = NULL;
    dnnl_status_t st;

    bare.bias = false;
    if (!conv_layouts(a, d, &m))
        return KLDVE_E_NOMEM;
    st = make_attr(&attr, NULL, false, no_act);
    if (st != dnnl_success)
        return status_of(st);
    st = conv_forward_pd(a, &bare, &m, dnnl_convolution_direct, m.dst->md, attr, &hint);
    if (st == dnnl_success) {
#if V3
        st = dnnl_convolution_backward_data_primitive_desc_create(
            &pd, a->engine, dnnl_convolution_direct, m.src->md, m.weights->md, m.dst->md, m.stride,
            m.dilation, m.pad_begin, m.pad_end, hint, attr);
#else
        dnnl_convolution_desc_t desc;

        st = dnnl_dilated_convolution_backward_data_desc_init(
            &desc, dnnl_convolution_direct, m.src->md, m.weights->md, m.dst->md, m.stride,
            m.dilation, m.pad_begin, m.pad_end);
        if (st == dnnl_success)
            st = dnnl_primitive_desc_create(&pd, &desc, attr, a->engine, hint);
#endif
        dnnl_primitive_desc_destroy(hint);
    }
    dnnl_primitive_attr_destroy(attr);
    return st == dnnl_success ? finish(a, pd, out) : status_of(st);
}

/* One reorder, right away. */
static dnnl_status_t reorder_now(kx_accel *a, md_ref from_md, const void *from, md_ref to_md,
                                 void *to)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t prim = NULL;
    dnnl_stream_t stream = NULL;
    dnnl_memory_t src = NULL, dst = NULL;
    dnnl_status_t st;

    st = dnnl_reorder_primitive_desc_create(&pd, from_md, a->engine, to_md, a->engine, NULL);
    if (st == dnnl_success)
        st = dnnl_primitive_create(&prim, pd);
    if (st == dnnl_success)
        st = dnnl_stream_create(&stream, a->engine, dnnl_stream_default_flags);
    if (st == dnnl_success)
        st = dnnl_memory_create(&src, from_md, a->engine, (void *)(uintptr_t)from); /* only read */
    if (st == dnnl_success)
        st = dnnl_memory_create(&dst, to_md, a->engine, to);
    if (st == dnnl_success) {
        dnnl_exec_arg_t args[2] = {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, dst}};

        st = dnnl_primitive_execute(prim, stream, 2, args);
    }
    if (st == dnnl_success)
        st = dnnl_stream_wait(stream);
    dnnl_memory_destroy(dst);
    dnnl_memory_destroy(src);
    dnnl_stream_destroy(stream);
    dnnl_primitive_destroy(prim);
    dnnl_primitive_desc_destroy(pd);
    return st;
}

kldve_status kx_accel_pack_weights(kx_accel *a, const kx_conv_desc *d, const float *from,
                                   const kx_layout *layout, void *to)
{
    int64_t dim[5];
    const kx_layout *plain = plain_layout(a, weight_dims(d, dim), dim);

    if (!plain)
        return KLDVE_E_NOMEM;
    return status_of(reorder_now(a, plain->md, from, layout->md, to));
}

/* ---- pooling and LRN ----------------------------------------------------------------------------
 */

static dnnl_alg_kind_t pool_alg(kx_pool_kind kind)
{
    return kind == KX_POOL_MAX           ? dnnl_pooling_max
           : kind == KX_POOL_AVG_INCLUDE ? dnnl_pooling_avg_include_padding
                                         : dnnl_pooling_avg_exclude_padding;
}

typedef struct pool_dims {
    dnnl_dims_t kernel, stride, dilation, pad_begin, pad_end;
} pool_dims;

static pool_dims pool_dims_of(const kx_pool_desc *d)
{
    pool_dims p = {0};

    for (int i = 0; i < 2; i++) {
        p.kernel[i] = d->kernel[i];
        p.stride[i] = d->stride[i];
        p.pad_begin[i] = d->pad_begin[i];
        p.pad_end[i] = d->pad_end[i];
    }
    return p;
}

kldve_status kx_accel_pool(kx_accel *a, const kx_pool_desc *d, const kx_layout *src, bool train,
                           kx_prim **out)
{
    const int64_t dim[4] = {d->batch, d->channels, d->out[0], d->out[1]};
    dnnl_prop_kind_t prop = train ? dnnl_forward_training : dnnl_forward_inference;
    kx_layout *dst = make_layout(a, 4, dim, NULL);
    pool_dims p = pool_dims_of(d);
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;

    if (!dst)
        return KLDVE_E_NOMEM;
    st = make_attr(&attr, NULL, false, no_act);
    if (st != dnnl_success)
        return status_of(st);
#if V3
    st = dnnl_pooling_forward_primitive_desc_create(&pd, a->engine, prop, pool_alg(d->kind),
                                                    src->md, dst->md, p.stride, p.kernel,
                                                    p.dilation, p.pad_begin, p.pad_end, attr);
#else
    dnnl_pooling_desc_t desc;

    st = dnnl_pooling_forward_desc_init(&desc, prop, pool_alg(d->kind), src->md, dst->md, p.stride,
                                        p.kernel, p.pad_begin, p.pad_end);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&pd, &desc, attr, a->engine, NULL);
#endif
    dnnl_primitive_attr_destroy(attr);
    return st == dnnl_success ? finish(a, pd, out) : status_of(st);
}

kldve_status kx_accel_pool_vjp(kx_accel *a, const kx_pool_desc *d, const kx_prim *forward,
                               kx_prim **out)
{
    md_ref src = forward->slot[KX_SRC]->md, dst = forward->slot[KX_DST]->md;
    pool_dims p = pool_dims_of(d);
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = make_attr(&attr, NULL, false, no_act);

    if (st != dnnl_success)
        return status_of(st);
#if V3
    st = dnnl_pooling_backward_primitive_desc_create(&pd, a->engine, pool_alg(d->kind), src, dst,
                                                     p.stride, p.kernel, p.dilation, p.pad_begin,
                                                     p.pad_end, forward->pd, attr);
#else
    dnnl_pooling_desc_t desc;

    st = dnnl_pooling_backward_desc_init(&desc, pool_alg(d->kind), src, dst, p.stride, p.kernel,
                                         p.pad_begin, p.pad_end);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&pd, &desc, attr, a->engine, forward->pd);
#endif
    dnnl_primitive_attr_destroy(attr);
    return st == dnnl_success ? finish(a, pd, out) : status_of(st);
}

kldve_status kx_accel_lrn(kx_accel *a, const kx_lrn_desc *d, const kx_layout *src, bool train,
                          kx_prim **out)
{
    dnnl_prop_kind_t prop = train ? dnnl_forward_training : dnnl_forward_inference;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = make_attr(&attr, NULL, false, no_act);

    if (st != dnnl_success)
        return status_of(st);
#if V3
    st = dnnl_lrn_forward_primitive_desc_create(&pd, a->engine, prop, dnnl_lrn_across_channels,
                                                src->md, src->md, d->size, d->alpha, d->beta,
                                                d->bias, attr);
#else
    dnnl_lrn_desc_t desc;

    st = dnnl_lrn_forward_desc_init(&desc, prop, dnnl_lrn_across_channels, src->md, d->size,
                                    d->alpha, d->beta, d->bias);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&pd, &desc, attr, a->engine, NULL);
#endif
    dnnl_primitive_attr_destroy(attr);
    return st == dnnl_success ? finish(a, pd, out) : status_of(st);
}

kldve_status kx_accel_lrn_vjp(kx_accel *a, const kx_lrn_desc *d, const kx_prim *forward,
                              kx_prim **out)
{
    md_ref src = forward->slot[KX_SRC]->md;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = make_attr(&attr, NULL, false, no_act);

    if (st != dnnl_success)
        return status_of(st);
#if V3
    st = dnnl_lrn_backward_primitive_desc_create(&pd, a->engine, dnnl_lrn_across_channels, src, src,
                                                 src, d->size, d->alpha, d->beta, d->bias,
                                                 forward->pd, attr);
#else
    dnnl_lrn_desc_t desc;

    st = dnnl_lrn_backward_desc_init(&desc, dnnl_lrn_across_channels, src, src, d->size, d->alpha,
                                     d->beta, d->bias);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&pd, &desc, attr, a->engine, forward->pd);
#endif
    dnnl_primitive_attr_destroy(attr);
    return st == dnnl_success ? finish(a, pd, out) : status_of(st);
}

/* ---- elementwise, concatenation, reorder, matrix product
 * ------------------------------------------ */

kldve_status kx_accel_act(kx_accel *a, kx_act act, const kx_layout *src, kx_prim **out)
{
    float alpha, beta;
    dnnl_alg_kind_t alg = act_alg(act, &alpha, &beta);
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = make_attr(&attr, NULL, false, no_act);

    if (st != dnnl_success)
        return status_of(st);
#if V3
    st = dnnl_eltwise_forward_primitive_desc_create(&pd, a->engine, dnnl_forward_inference, alg,
                                                    src->md, src->md, alpha, beta, attr);
#else
    dnnl_eltwise_desc_t desc;

    st = dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference, alg, src->md, alpha, beta);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&pd, &desc, attr, a->engine, NULL);
#endif
    dnnl_primitive_attr_destroy(attr);
    return st == dnnl_success ? finish(a, pd, out) : status_of(st);
}

/* A vector by channel beside an array in blocks of channels: oneDNN's fast code wants both called
 * by the same tag, although the vector's bytes lie as before, if whole blocks make up the channels.
 * Gives back what to call it. */
static const kx_layout *vector_beside(kx_accel *a, const kx_layout *src, const kx_layout *vector)
{
    static const struct {
        dnnl_format_tag_t tag;
        int64_t block;
    } tags[] = {{dnnl_aBcd16b, 16}, {dnnl_aBcd8b, 8}};
    const dnnl_dims_t *dims = md_dims(src->md), *by = md_dims(vector->md);

    if (!dims || !by || md_rank(src->md) != 4 || md_rank(vector->md) != 4 || (*by)[0] != 1 ||
        (*by)[2] != 1 || (*by)[3] != 1 || (*by)[1] != (*dims)[1])
        return vector;
    for (int i = 0; i < 2; i++) {
        const kx_layout *blocked, *named;

        if ((*dims)[1] % tags[i].block != 0)
            continue;
        blocked = tagged_layout(a, 4, *dims, tags[i].tag);
        if (!blocked || !kx_layout_equal(blocked, src))
            continue;
        named = tagged_layout(a, 4, *by, tags[i].tag);
        return named ? named : vector;
    }
    return vector;
}

static bool in_blocks_of_4(kx_accel *a, const kx_layout *layout)
{
    const dnnl_dims_t *dims = md_rank(layout->md) == 4 ? md_dims(layout->md) : NULL;
    const kx_layout *named = dims ? tagged_layout(a, 4, *dims, dnnl_aBcd4b) : NULL;

    return named && kx_layout_equal(named, layout);
}

kldve_status kx_accel_binary(kx_accel *a, kx_arith kind, const kx_layout *src,
                             const kx_layout *src1, const kx_layout *addend, kx_act act,
                             kx_prim **out)
{
    static const dnnl_alg_kind_t algs[] = {dnnl_binary_add, dnnl_binary_sub, dnnl_binary_mul,
                                           dnnl_binary_div, dnnl_binary_min, dnnl_binary_max};
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;
    kldve_status result;

    /* With vectors of 16 floats oneDNN 2.6 reads and writes past the end of such arrays. */
    if (act.kind != KX_ACT_NONE && kx_layout_equal(src, src1) && in_blocks_of_4(a, src))
        return KLDVE_E_UNSUPPORTED;
    st = make_attr(&attr, addend, false, act);
    if (st != dnnl_success)
        return status_of(st);
    src1 = vector_beside(a, src, src1);
#if V3
    st = dnnl_binary_primitive_desc_create(&pd, a->engine, algs[kind], src->md, src1->md, src->md,
                                           attr);
#else
    dnnl_binary_desc_t desc;

    st = dnnl_binary_desc_init(&desc, algs[kind], src->md, src1->md, src->md);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&pd, &desc, attr, a->engine, NULL);
#endif
    dnnl_primitive_attr_destroy(attr);
    if (st != dnnl_success)
        return status_of(st);
    result = finish(a, pd, out);
    if (result < 0)
        return result;
    (*out)->slot[KX_SRC1] = src1;
    (*out)->slot[KX_ADDEND] = addend;
    return KLDVE_OK;
}

/* Of one picture the place of the batch among the strides is arbitrary, and for a concatenation
 * oneDNN puts it between the channels ("Bacd16b").  It counts as equal, but oneDNN 2.6 gets binary
 * operations with a vector by channel wrong beside it: the usual name for the same bytes. */
static const kx_layout *usual_name(kx_accel *a, const kx_layout *layout)
{
    static const dnnl_format_tag_t tags[] = {dnnl_abcd, dnnl_acdb, dnnl_aBcd16b, dnnl_aBcd8b};
    const dnnl_dims_t *dims = md_rank(layout->md) == 4 ? md_dims(layout->md) : NULL;

    for (size_t t = 0; dims && t < sizeof tags / sizeof tags[0]; t++) {
        const kx_layout *named = tagged_layout(a, 4, *dims, tags[t]);

        if (!named || kx_layout_equal(named, layout))
            return named;
    }
    return layout;
}

kldve_status kx_accel_concat(kx_accel *a, int32_t n, const kx_layout *const *src, int32_t axis,
                             kx_prim **out)
{
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = make_attr(&attr, NULL, false, no_act);
    kldve_status result;
#if V3
    md_ref mds[KX_MAX_IN];
#else
    dnnl_memory_desc_t mds[KX_MAX_IN];
#endif

    if (st != dnnl_success)
        return status_of(st);
    for (int32_t i = 0; i < n; i++)
#if V3
        mds[i] = src[i]->md;
    st = dnnl_concat_primitive_desc_create(&pd, a->engine, NULL, n, axis, mds, attr);
#else
        mds[i] = src[i]->store;
    st = dnnl_concat_primitive_desc_create(&pd, NULL, n, axis, mds, attr, a->engine);
#endif
    dnnl_primitive_attr_destroy(attr);
    if (st != dnnl_success)
        return status_of(st);
    result = finish(a, pd, out);
    if (result < 0)
        return result;
    (*out)->slot[KX_SRC] = NULL;
    if (!((*out)->slot[KX_DST] = usual_name(a, (*out)->slot[KX_DST])))
        return KLDVE_E_NOMEM;
    for (int32_t i = 0; i < n; i++)
        (*out)->slot[KX_MULTI + i] = src[i];
    return KLDVE_OK;
}

kldve_status kx_accel_reorder(kx_accel *a, const kx_layout *from, const kx_layout *to,
                              kx_prim **out)
{
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = make_attr(&attr, NULL, false, no_act);

    if (st != dnnl_success)
        return status_of(st);
    st = dnnl_reorder_primitive_desc_create(&pd, from->md, a->engine, to->md, a->engine, attr);
    dnnl_primitive_attr_destroy(attr);
    return st == dnnl_success ? finish(a, pd, out) : status_of(st);
}

kldve_status kx_accel_matmul(kx_accel *a, int64_t m, int64_t k, int64_t n, bool transposed,
                             bool bias, kx_act act, kx_prim **out)
{
    const int64_t dsrc[2] = {m, k}, dw[2] = {k, n}, ddst[2] = {m, n}, dbias[2] = {1, n};
    const int64_t sw[2] = {transposed ? 1 : n, transposed ? k : 1};
    kx_layout *src = plain_layout(a, 2, dsrc), *w = make_layout(a, 2, dw, sw);
    kx_layout *dst = plain_layout(a, 2, ddst), *b = plain_layout(a, 2, dbias);
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;
    kldve_status result;

    if (!src || !w || !dst || !b)
        return KLDVE_E_NOMEM;
    st = make_attr(&attr, NULL, false, act);
    if (st != dnnl_success)
        return status_of(st);
#if V3
    st = dnnl_matmul_primitive_desc_create(&pd, a->engine, src->md, w->md, bias ? b->md : NULL,
                                           dst->md, attr);
#else
    dnnl_matmul_desc_t desc;

    st = dnnl_matmul_desc_init(&desc, src->md, w->md, bias ? b->md : NULL, dst->md);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&pd, &desc, attr, a->engine, NULL);
#endif
    dnnl_primitive_attr_destroy(attr);
    if (st != dnnl_success)
        return status_of(st);
    result = finish(a, pd, out);
    if (result == KLDVE_OK)
        (*out)->slot[KX_BIAS] = bias ? b : NULL;
    return result;
}

/* ---- calls --------------------------------------------------------------------------------------
 */

kldve_status kx_call_new(const kldve_ctx *ctx, const kx_prim *p, void *const memory[KX_SLOTS],
                         kx_call **out)
{
    dnnl_engine_t engine = NULL;
    kx_call *c;
    int n = 0;

    for (int s = 0; s < KX_SLOTS; s++)
        n += p->slot[s] != NULL;
    c = kldve_ctx_alloc(ctx, 1, sizeof *c + (size_t)n * sizeof c->arg[0]);
    if (!c)
        return KLDVE_E_NOMEM;
    memset(c, 0, sizeof *c);
    c->ctx = ctx;
    c->p = p;
    if (dnnl_primitive_desc_query(p->pd, dnnl_query_engine, 0, &engine) != dnnl_success ||
        dnnl_stream_create(&c->stream, engine, dnnl_stream_default_flags) != dnnl_success)
        goto fail;
    for (int s = 0; s < KX_SLOTS; s++) {
        if (!p->slot[s])
            continue;
        c->arg[c->n].arg = slot_arg(s);
        if (dnnl_memory_create(&c->arg[c->n].memory, p->slot[s]->md, engine, memory[s]) !=
            dnnl_success)
            goto fail;
        c->n++;
    }
    *out = c;
    return KLDVE_OK;
fail:
    kx_call_free(c);
    return KLDVE_E_NOMEM;
}

kldve_status kx_call_run(kx_call *c)
{
    if (dnnl_primitive_execute(c->p->prim, c->stream, c->n, c->arg) != dnnl_success)
        return KLDVE_E_BACKEND;
    return dnnl_stream_wait(c->stream) == dnnl_success ? KLDVE_OK : KLDVE_E_BACKEND;
}

void kx_call_free(kx_call *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n; i++)
        dnnl_memory_destroy(c->arg[i].memory);
    dnnl_stream_destroy(c->stream);
    kldve_ctx_release(c->ctx, c);
}
