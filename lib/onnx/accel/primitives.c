/* primitives.c - pooling, local response normalisation, elementwise work, concatenation and
 * reorders by oneDNN. */
#include "accel/onednn.h"

#include <assert.h>
#include <string.h>

static dnnl_prop_kind_t prop_of(bool train)
{
    return train ? dnnl_forward_training : dnnl_forward_inference;
}

/* ---- pooling and LRN ---- */

static dnnl_alg_kind_t pool_alg(kx_pool_kind kind)
{
    return kind == KX_POOL_MAX           ? dnnl_pooling_max
           : kind == KX_POOL_AVG_INCLUDE ? dnnl_pooling_avg_include_padding
                                         : dnnl_pooling_avg_exclude_padding;
}

static kx_pool_problem pool_problem(const kx_pool_desc *d, kx_md src, kx_md dst)
{
    kx_pool_problem p = {.alg = pool_alg(d->kind), .src = src, .dst = dst};

    for (int i = 0; i < 2; i++) {
        assert(d->kernel[i] > 0 && d->stride[i] > 0 && d->out[i] > 0);
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
    const kx_layout *dst = kx_layout_any(a, 4, dim);
    dnnl_primitive_desc_t pd = NULL;
    kx_pool_problem p;
    dnnl_status_t st;

    if (!dst)
        return KLDVE_E_NOMEM;
    p = pool_problem(d, src->md, dst->md);
    st = kx_pool_pd(a, prop_of(train), &p, &pd);
    return kx_prim_new(a, st, pd, out);
}

kldve_status kx_accel_pool_vjp(kx_accel *a, const kx_pool_desc *d, const kx_prim *forward,
                               kx_prim **out)
{
    kx_pool_problem p = pool_problem(d, forward->slot[KX_SRC]->md, forward->slot[KX_DST]->md);
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = kx_pool_vjp_pd(a, &p, forward->pd, &pd);

    assert(d->kind != KX_POOL_MAX || forward->slot[KX_WORKSPACE]); /* made to train */
    return kx_prim_new(a, st, pd, out);
}

kldve_status kx_accel_lrn(kx_accel *a, const kx_lrn_desc *d, const kx_layout *src, bool train,
                          kx_prim **out)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = kx_lrn_pd(a, prop_of(train), d, src->md, &pd);

    return kx_prim_new(a, st, pd, out);
}

kldve_status kx_accel_lrn_vjp(kx_accel *a, const kx_lrn_desc *d, const kx_prim *forward,
                              kx_prim **out)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st = kx_lrn_vjp_pd(a, d, forward->slot[KX_SRC]->md, forward->pd, &pd);

    return kx_prim_new(a, st, pd, out);
}

/* ---- elementwise ---- */

kldve_status kx_accel_act(kx_accel *a, kx_act act, const kx_layout *src, kx_prim **out)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;

    if (!kx_accel_has_act(act) || act.kind == KX_ACT_ROUND8 || act.kind == KX_ACT_ROUND16)
        return KLDVE_E_UNSUPPORTED; /* rounding is several steps: post-ops only */
    st = kx_eltwise_pd(a, kx_eltwise_of(act), src->md, &pd);
    return kx_prim_new(a, st, pd, out);
}

/* A vector by channel beside an array in blocks of channels: oneDNN's fast code wants both called
 * by the same tag, although the vector's bytes lie as before, if whole blocks make up the channels.
 * Gives back what to call it; NULL: out of memory. */
static const kx_layout *vector_beside(kx_accel *a, const kx_layout *src, const kx_layout *vector)
{
    static const struct {
        dnnl_format_tag_t tag;
        int64_t block;
    } tags[] = {{dnnl_aBcd16b, 16}, {dnnl_aBcd8b, 8}};
    const dnnl_dims_t *dims = kx_md_dims(src->md), *by = kx_md_dims(vector->md);

    if (!dims || !by || kx_md_rank(src->md) != 4 || kx_md_rank(vector->md) != 4 || (*by)[0] != 1 ||
        (*by)[2] != 1 || (*by)[3] != 1 || (*by)[1] != (*dims)[1])
        return vector;
    for (int i = 0; i < 2; i++) {
        const kx_layout *blocked;

        if ((*dims)[1] % tags[i].block != 0)
            continue;
        blocked = kx_layout_tagged(a, 4, *dims, tags[i].tag);
        if (!blocked)
            return NULL;
        if (kx_layout_equal(blocked, src))
            return kx_layout_tagged(a, 4, *by, tags[i].tag);
    }
    return vector;
}

static kldve_status in_blocks_of_4(kx_accel *a, const kx_layout *layout, bool *out)
{
    const dnnl_dims_t *dims = kx_md_rank(layout->md) == 4 ? kx_md_dims(layout->md) : NULL;
    const kx_layout *named = dims ? kx_layout_tagged(a, 4, *dims, dnnl_aBcd4b) : NULL;

    if (dims && !named)
        return KLDVE_E_NOMEM;
    *out = named && kx_layout_equal(named, layout);
    return KLDVE_OK;
}

kldve_status kx_accel_binary(kx_accel *a, kx_arith kind, const kx_layout *src,
                             const kx_layout *src1, const kx_layout *addend, kx_act act,
                             kx_prim **out)
{
    static const dnnl_alg_kind_t algs[] = {
        [KX_BINARY_ADD] = dnnl_binary_add, [KX_BINARY_SUB] = dnnl_binary_sub,
        [KX_BINARY_MUL] = dnnl_binary_mul, [KX_BINARY_DIV] = dnnl_binary_div,
        [KX_BINARY_MIN] = dnnl_binary_min, [KX_BINARY_MAX] = dnnl_binary_max};
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;
    kldve_status result;
    bool unsafe = false;

    assert((size_t)kind < sizeof algs / sizeof algs[0]);
    /* With vectors of 16 floats oneDNN 2.6 reads and writes past the end of such arrays. */
    if (act.kind != KX_ACT_NONE && kx_layout_equal(src, src1) &&
        (result = in_blocks_of_4(a, src, &unsafe)) < 0)
        return result;
    if (unsafe)
        return KLDVE_E_UNSUPPORTED;
    if (!(src1 = vector_beside(a, src, src1)))
        return KLDVE_E_NOMEM;
    if ((st = kx_attr_new(addend, false, act, &attr)) != dnnl_success)
        return kx_status_of(st);
    st = kx_binary_pd(a, algs[kind], src->md, src1->md, attr, &pd);
    dnnl_primitive_attr_destroy(attr);
    if ((result = kx_prim_new(a, st, pd, out)) < 0)
        return result;
    (*out)->slot[KX_SRC1] = src1;
    (*out)->slot[KX_ADDEND] = addend;
    return KLDVE_OK;
}

/* ---- concatenation and reorders ---- */

/* Of one picture the place of the batch among the strides is arbitrary, and for a concatenation
 * oneDNN puts it between the channels ("Bacd16b").  It counts as equal, but oneDNN 2.6 gets binary
 * operations with a vector by channel wrong beside it: the usual name for the same bytes. */
static const kx_layout *usual_name(kx_accel *a, const kx_layout *layout)
{
    static const dnnl_format_tag_t tags[] = {dnnl_abcd, dnnl_acdb, dnnl_aBcd16b, dnnl_aBcd8b};
    const dnnl_dims_t *dims = kx_md_rank(layout->md) == 4 ? kx_md_dims(layout->md) : NULL;

    for (size_t t = 0; dims && t < sizeof tags / sizeof tags[0]; t++) {
        const kx_layout *named = kx_layout_tagged(a, 4, *dims, tags[t]);

        if (!named || kx_layout_equal(named, layout))
            return named;
    }
    return layout;
}

kldve_status kx_accel_concat(kx_accel *a, int32_t n, const kx_layout *const *src, int32_t axis,
                             kx_prim **out)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;
    kldve_status result;
    kx_md md[KX_MAX_IN];

    assert(n > 0 && n <= KX_MAX_IN && axis >= 0 && axis < kx_md_rank(src[0]->md));
    for (int32_t i = 0; i < n; i++)
        md[i] = src[i]->md;
    st = kx_concat_pd(a, n, md, axis, &pd);
    if ((result = kx_prim_new(a, st, pd, out)) < 0)
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
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st =
        kx_dnnl.reorder_primitive_desc_create(&pd, from->md, a->engine, to->md, a->engine, a->bare);

    return kx_prim_new(a, st, pd, out);
}
