/* onednn3.c - what oneDNN 3 does in its own way: memory descriptors are handles, and primitive
 * descriptors are made immediately.  See onednn.h. */
#include "accel/onednn.h"

#include <assert.h>
#include <string.h>

static_assert(DNNL_VERSION_MAJOR >= 3, "onednn2.c is for earlier versions");

/* ---- memory descriptors ---- */

/* Hand out a descriptor that oneDNN has made. */
static dnnl_status_t keep(dnnl_status_t st, dnnl_memory_desc_t md, kx_md *out)
{
    if (st == dnnl_success)
        *out = md;
    return st;
}

dnnl_status_t kx_md_strided(const kldve_ctx *ctx, int rank, const dnnl_dims_t dims,
                            const dnnl_dims_t strides, kx_md *out)
{
    dnnl_memory_desc_t md = NULL;
    dnnl_status_t st;

    if (!strides)
        return kx_md_tagged(ctx, rank, dims, dnnl_format_tag_any, out);
    st = kx_dnnl.memory_desc_create_with_strides(&md, rank, dims, dnnl_f32, strides);
    return keep(st, md, out);
}

dnnl_status_t kx_md_tagged(const kldve_ctx *ctx, int rank, const dnnl_dims_t dims,
                           dnnl_format_tag_t tag, kx_md *out)
{
    dnnl_memory_desc_t md = NULL;
    dnnl_status_t st = kx_dnnl.memory_desc_create_with_tag(&md, rank, dims, dnnl_f32, tag);

    (void)ctx;
    return keep(st, md, out);
}

dnnl_status_t kx_md_part(const kldve_ctx *ctx, kx_md whole, const dnnl_dims_t dims,
                         const dnnl_dims_t offset, kx_md *out)
{
    dnnl_memory_desc_t md = NULL;
    dnnl_status_t st = kx_dnnl.memory_desc_create_submemory(&md, whole, dims, offset);

    (void)ctx;
    return keep(st, md, out);
}

dnnl_status_t kx_md_permuted(const kldve_ctx *ctx, kx_md md, const int *to, kx_md *out)
{
    dnnl_memory_desc_t permuted = NULL;
    dnnl_status_t st = kx_dnnl.memory_desc_permute_axes(&permuted, md, to);

    (void)ctx;
    return keep(st, permuted, out);
}

dnnl_status_t kx_md_copy(const kldve_ctx *ctx, kx_md md, kx_md *out)
{
    dnnl_memory_desc_t copy = NULL;
    dnnl_status_t st = kx_dnnl.memory_desc_clone(&copy, md);

    (void)ctx;
    return keep(st, copy, out);
}

void kx_md_free(const kldve_ctx *ctx, kx_md md)
{
    (void)ctx;
    dnnl_memory_desc_destroy((dnnl_memory_desc_t)(uintptr_t)md);
}

int kx_md_rank(kx_md md)
{
    int rank = 0;

    return md && dnnl_memory_desc_query(md, dnnl_query_ndims_s32, &rank) == dnnl_success ? rank : 0;
}

const dnnl_dims_t *kx_md_dims(kx_md md)
{
    const dnnl_dims_t *dims = NULL;
    dnnl_status_t st = dnnl_memory_desc_query(md, dnnl_query_dims, (void *)&dims);

    assert(st == dnnl_success); /* every descriptor that is not empty has them */
    (void)st;
    return dims;
}

/* ---- primitive descriptors ---- */

/* For one channel and larger steps along rows than from row to row oneDNN 3.7's "brg" code takes,
 * in short rows, numbers from scratch memory that it has not set.  The next code then. */
static dnnl_status_t pass_over_brg(const kx_conv_problem *p, dnnl_primitive_desc_t pd)
{
    const dnnl_dims_t *src = kx_md_dims(p->src);
    const char *name = "";
    dnnl_status_t st = dnnl_success;

    if ((*src)[1] != 1 || p->stride[1] <= p->stride[0])
        return dnnl_success;
    while (st == dnnl_success &&
           (st = dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name)) ==
               dnnl_success &&
           strncmp(name, "brg", 3) == 0)
        st = kx_dnnl.primitive_desc_next_impl(pd);
    return st;
}

dnnl_status_t kx_conv_pd(const kx_accel *a, const kx_conv_problem *p,
                         const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out)
{
    dnnl_status_t st = kx_dnnl.convolution_forward_primitive_desc_create(
        out, a->engine, dnnl_forward_inference, p->alg, p->src, p->weights, p->bias, p->dst,
        p->stride, p->dilation, p->pad_begin, p->pad_end, attr);

    if (st != dnnl_success || (st = pass_over_brg(p, *out)) == dnnl_success)
        return st;
    dnnl_primitive_desc_destroy(*out);
    *out = NULL;
    return st;
}

dnnl_status_t kx_conv_vjp_pd(const kx_accel *a, const kx_conv_problem *p,
                             const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
    return kx_dnnl.convolution_backward_data_primitive_desc_create(
        out, a->engine, p->alg, p->src, p->weights, p->dst, p->stride, p->dilation, p->pad_begin,
        p->pad_end, hint, a->bare);
}

/* oneDNN 2 has no dilated pooling, and nothing here asks for it. */
static const dnnl_dims_t undilated;

dnnl_status_t kx_pool_pd(const kx_accel *a, dnnl_prop_kind_t prop, const kx_pool_problem *p,
                         dnnl_primitive_desc_t *out)
{
    return kx_dnnl.pooling_forward_primitive_desc_create(out, a->engine, prop, p->alg, p->src,
                                                         p->dst, p->stride, p->kernel, undilated,
                                                         p->pad_begin, p->pad_end, a->bare);
}

dnnl_status_t kx_pool_vjp_pd(const kx_accel *a, const kx_pool_problem *p,
                             const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
    return kx_dnnl.pooling_backward_primitive_desc_create(out, a->engine, p->alg, p->src, p->dst,
                                                          p->stride, p->kernel, undilated,
                                                          p->pad_begin, p->pad_end, hint, a->bare);
}

dnnl_status_t kx_lrn_pd(const kx_accel *a, dnnl_prop_kind_t prop, const kx_lrn_desc *d, kx_md md,
                        dnnl_primitive_desc_t *out)
{
    return kx_dnnl.lrn_forward_primitive_desc_create(out, a->engine, prop, dnnl_lrn_across_channels,
                                                     md, md, d->size, d->alpha, d->beta, d->bias,
                                                     a->bare);
}

dnnl_status_t kx_lrn_vjp_pd(const kx_accel *a, const kx_lrn_desc *d, kx_md md,
                            const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
    return kx_dnnl.lrn_backward_primitive_desc_create(out, a->engine, dnnl_lrn_across_channels, md,
                                                      md, md, d->size, d->alpha, d->beta, d->bias,
                                                      hint, a->bare);
}

dnnl_status_t kx_eltwise_pd(const kx_accel *a, kx_eltwise e, kx_md md, dnnl_primitive_desc_t *out)
{
    return kx_dnnl.eltwise_forward_primitive_desc_create(out, a->engine, dnnl_forward_inference,
                                                         e.alg, md, md, e.alpha, e.beta, a->bare);
}

dnnl_status_t kx_binary_pd(const kx_accel *a, dnnl_alg_kind_t alg, kx_md src, kx_md src1,
                           const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out)
{
    return kx_dnnl.binary_primitive_desc_create(out, a->engine, alg, src, src1, src, attr);
}

dnnl_status_t kx_concat_pd(const kx_accel *a, int n, const kx_md *md, int axis,
                           dnnl_primitive_desc_t *out)
{
    const_dnnl_memory_desc_t src[KX_MAX_IN];

    assert(n > 0 && n <= KX_MAX_IN);
    for (int i = 0; i < n; i++)
        src[i] = md[i];
    return kx_dnnl.concat_primitive_desc_create(out, a->engine, NULL, n, axis, src, a->bare);
}

dnnl_status_t kx_matmul_pd(const kx_accel *a, const kx_matmul_problem *p,
                           const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out)
{
    return kx_dnnl.matmul_primitive_desc_create(out, a->engine, p->src, p->weights, p->bias, p->dst,
                                                attr);
}

dnnl_status_t kx_post_eltwise(dnnl_post_ops_t ops, kx_eltwise e)
{
    return kx_dnnl.post_ops_append_eltwise(ops, e.alg, e.alpha, e.beta);
}

dnnl_status_t kx_post_sum(dnnl_post_ops_t ops)
{
    return kx_dnnl.post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef);
}
