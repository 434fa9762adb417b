/* onednn2.c - what oneDNN 2 does in its own way: memory descriptors are structs, and operation
 * descriptors come before primitive descriptors.  See onednn.h. */
#include "accel/onednn.h"

#include <assert.h>

static_assert(DNNL_VERSION_MAJOR == 2, "onednn3.c is for later versions");

/* ---- memory descriptors ---- */

/* Keep a struct that oneDNN has filled in. */
static dnnl_status_t keep(const kldve_ctx *ctx, dnnl_status_t st, const dnnl_memory_desc_t *md,
                          kx_md *out)
{
    dnnl_memory_desc_t *copy;

    if (st != dnnl_success)
        return st;
    copy = kldve_ctx_alloc(ctx, 1, sizeof *copy);
    if (!copy)
        return dnnl_out_of_memory;
    *copy = *md;
    *out = copy;
    return dnnl_success;
}

dnnl_status_t kx_md_strided(const kldve_ctx *ctx, int rank, const dnnl_dims_t dims,
                            const dnnl_dims_t strides, kx_md *out)
{
    dnnl_memory_desc_t md;

    if (!strides)
        return kx_md_tagged(ctx, rank, dims, dnnl_format_tag_any, out);
    return keep(ctx, kx_dnnl.memory_desc_init_by_strides(&md, rank, dims, dnnl_f32, strides), &md,
                out);
}

dnnl_status_t kx_md_tagged(const kldve_ctx *ctx, int rank, const dnnl_dims_t dims,
                           dnnl_format_tag_t tag, kx_md *out)
{
    dnnl_memory_desc_t md;

    return keep(ctx, kx_dnnl.memory_desc_init_by_tag(&md, rank, dims, dnnl_f32, tag), &md, out);
}

dnnl_status_t kx_md_part(const kldve_ctx *ctx, kx_md whole, const dnnl_dims_t dims,
                         const dnnl_dims_t offset, kx_md *out)
{
    dnnl_memory_desc_t md;

    return keep(ctx, kx_dnnl.memory_desc_init_submemory(&md, whole, dims, offset), &md, out);
}

dnnl_status_t kx_md_permuted(const kldve_ctx *ctx, kx_md md, const int *to, kx_md *out)
{
    dnnl_memory_desc_t permuted;

    return keep(ctx, kx_dnnl.memory_desc_permute_axes(&permuted, md, to), &permuted, out);
}

dnnl_status_t kx_md_copy(const kldve_ctx *ctx, kx_md md, kx_md *out)
{
    return keep(ctx, dnnl_success, md, out);
}

void kx_md_free(const kldve_ctx *ctx, kx_md md)
{
    kldve_ctx_release(ctx, (void *)(uintptr_t)md);
}

int kx_md_rank(kx_md md)
{
    const dnnl_memory_desc_t *d = md;

    return d ? d->ndims : 0;
}

const dnnl_dims_t *kx_md_dims(kx_md md)
{
    const dnnl_memory_desc_t *d = md;

    assert(d && d->ndims > 0);
    return &d->dims;
}

/* ---- primitive descriptors ---- */

/* Of an operation descriptor, if making it went well. */
static dnnl_status_t create(const kx_accel *a, dnnl_status_t st, const void *desc,
                            const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t hint,
                            dnnl_primitive_desc_t *out)
{
    return st != dnnl_success ? st
                              : kx_dnnl.primitive_desc_create(out, desc, attr, a->engine, hint);
}

dnnl_status_t kx_conv_pd(const kx_accel *a, const kx_conv_problem *p,
                         const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out)
{
    dnnl_convolution_desc_t desc;
    dnnl_status_t st = kx_dnnl.dilated_convolution_forward_desc_init(
        &desc, dnnl_forward_inference, p->alg, p->src, p->weights, p->bias, p->dst, p->stride,
        p->dilation, p->pad_begin, p->pad_end);

    return create(a, st, &desc, attr, NULL, out);
}

dnnl_status_t kx_conv_vjp_pd(const kx_accel *a, const kx_conv_problem *p,
                             const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
    dnnl_convolution_desc_t desc;
    dnnl_status_t st = kx_dnnl.dilated_convolution_backward_data_desc_init(
        &desc, p->alg, p->src, p->weights, p->dst, p->stride, p->dilation, p->pad_begin,
        p->pad_end);

    return create(a, st, &desc, a->bare, hint, out);
}

dnnl_status_t kx_pool_pd(const kx_accel *a, dnnl_prop_kind_t prop, const kx_pool_problem *p,
                         dnnl_primitive_desc_t *out)
{
    dnnl_pooling_desc_t desc;
    dnnl_status_t st = kx_dnnl.pooling_forward_desc_init(
        &desc, prop, p->alg, p->src, p->dst, p->stride, p->kernel, p->pad_begin, p->pad_end);

    return create(a, st, &desc, a->bare, NULL, out);
}

dnnl_status_t kx_pool_vjp_pd(const kx_accel *a, const kx_pool_problem *p,
                             const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
    dnnl_pooling_desc_t desc;
    dnnl_status_t st = kx_dnnl.pooling_backward_desc_init(&desc, p->alg, p->src, p->dst, p->stride,
                                                          p->kernel, p->pad_begin, p->pad_end);

    return create(a, st, &desc, a->bare, hint, out);
}

dnnl_status_t kx_lrn_pd(const kx_accel *a, dnnl_prop_kind_t prop, const kx_lrn_desc *d, kx_md md,
                        dnnl_primitive_desc_t *out)
{
    dnnl_lrn_desc_t desc;
    dnnl_status_t st = kx_dnnl.lrn_forward_desc_init(&desc, prop, dnnl_lrn_across_channels, md,
                                                     d->size, d->alpha, d->beta, d->bias);

    return create(a, st, &desc, a->bare, NULL, out);
}

dnnl_status_t kx_lrn_vjp_pd(const kx_accel *a, const kx_lrn_desc *d, kx_md md,
                            const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out)
{
    dnnl_lrn_desc_t desc;
    dnnl_status_t st = kx_dnnl.lrn_backward_desc_init(&desc, dnnl_lrn_across_channels, md, md,
                                                      d->size, d->alpha, d->beta, d->bias);

    return create(a, st, &desc, a->bare, hint, out);
}

dnnl_status_t kx_eltwise_pd(const kx_accel *a, kx_eltwise e, kx_md md, dnnl_primitive_desc_t *out)
{
    dnnl_eltwise_desc_t desc;
    dnnl_status_t st = kx_dnnl.eltwise_forward_desc_init(&desc, dnnl_forward_inference, e.alg, md,
                                                         e.alpha, e.beta);

    return create(a, st, &desc, a->bare, NULL, out);
}

dnnl_status_t kx_binary_pd(const kx_accel *a, dnnl_alg_kind_t alg, kx_md src, kx_md src1,
                           const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out)
{
    dnnl_binary_desc_t desc;
    dnnl_status_t st = kx_dnnl.binary_desc_init(&desc, alg, src, src1, src);

    return create(a, st, &desc, attr, NULL, out);
}

dnnl_status_t kx_concat_pd(const kx_accel *a, int n, const kx_md *md, int axis,
                           dnnl_primitive_desc_t *out)
{
    dnnl_memory_desc_t src[KX_MAX_IN];

    assert(n > 0 && n <= KX_MAX_IN);
    for (int i = 0; i < n; i++)
        src[i] = *(const dnnl_memory_desc_t *)md[i];
    return kx_dnnl.concat_primitive_desc_create(out, NULL, n, axis, src, a->bare, a->engine);
}

dnnl_status_t kx_matmul_pd(const kx_accel *a, const kx_matmul_problem *p,
                           const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out)
{
    dnnl_matmul_desc_t desc;
    dnnl_status_t st = kx_dnnl.matmul_desc_init(&desc, p->src, p->weights, p->bias, p->dst);

    return create(a, st, &desc, attr, NULL, out);
}

dnnl_status_t kx_post_eltwise(dnnl_post_ops_t ops, kx_eltwise e)
{
    return kx_dnnl.post_ops_append_eltwise(ops, 1, e.alg, e.alpha, e.beta);
}

dnnl_status_t kx_post_sum(dnnl_post_ops_t ops)
{
    return kx_dnnl.post_ops_append_sum(ops, 1);
}
