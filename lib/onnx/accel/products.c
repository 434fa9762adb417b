/* products.c - matrix products by oneDNN: with constant weights, and of matrices that both vary. */
#include "accel/onednn.h"

#include <assert.h>
#include <string.h>

/* ---- constant weights ---- */

/* Rows [m][k] are a picture of one row and m columns whose channels come last, so that a dense
 * layer is a convolution with a window of 1 x 1.  Unlike its matrix products, oneDNN's code for
 * that has its weights packed beforehand: with 50 rows and 2.6 on AVX2 it is 1.1 to 2.2 times as
 * fast.  Any other code than that for 1 x 1 windows is slower than the product. */
static dnnl_status_t packed_pd(kx_accel *a, const kx_dense *d, const_dnnl_primitive_attr_t attr,
                               dnnl_primitive_desc_t *out)
{
    const kx_layout *src = kx_layout_tagged(a, 4, (const int64_t[]){1, d->k, 1, d->m}, dnnl_acdb);
    const kx_layout *dst = kx_layout_tagged(a, 4, (const int64_t[]){1, d->n, 1, d->m}, dnnl_acdb);
    const kx_layout *weights = kx_layout_any(a, 4, (const int64_t[]){d->n, d->k, 1, 1});
    const kx_layout *bias = kx_layout_rows(a, 1, &d->n);
    kx_conv_problem p = {.alg = dnnl_convolution_direct, .stride = {1, 1}};
    dnnl_status_t st;

    if (!src || !dst || !weights || !bias)
        return dnnl_out_of_memory;
    p.src = src->md;
    p.weights = weights->md;
    p.bias = d->bias ? bias->md : NULL;
    p.dst = dst->md;
    if ((st = kx_conv_pd(a, &p, attr, out)) != dnnl_success)
        return st;
    if (strstr(kx_code_of(*out), "1x1"))
        return dnnl_success;
    dnnl_primitive_desc_destroy(*out);
    return dnnl_unimplemented;
}

static dnnl_status_t unpacked_pd(kx_accel *a, const kx_dense *d, const_dnnl_primitive_attr_t attr,
                                 dnnl_primitive_desc_t *out)
{
    const int64_t m = d->m, k = d->k, n = d->n;
    const int64_t strides[2] = {d->transposed ? 1 : n, d->transposed ? k : 1};
    const kx_layout *src = kx_layout_rows(a, 2, (const int64_t[]){m, k});
    const kx_layout *weights = kx_layout_strided(a, 2, (const int64_t[]){k, n}, strides);
    const kx_layout *dst = kx_layout_rows(a, 2, (const int64_t[]){m, n});
    const kx_layout *bias = kx_layout_rows(a, 2, (const int64_t[]){1, n});

    if (!src || !weights || !dst || !bias)
        return dnnl_out_of_memory;
    return kx_matmul_pd(
        a, &(kx_matmul_problem){src->md, weights->md, d->bias ? bias->md : NULL, dst->md}, attr,
        out);
}

kldve_status kx_accel_dense(kx_accel *a, const kx_dense *d, kx_act act, bool *packed, kx_prim **out)
{
    const kx_layout *bias = kx_layout_rows(a, 1, &d->n);
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;
    kldve_status result;

    assert(d->m > 0 && d->k > 0 && d->n > 0);
    if (!bias)
        return KLDVE_E_NOMEM;
    if ((st = kx_attr_new(NULL, false, act, &attr)) != dnnl_success)
        return kx_status_of(st);
    st = packed_pd(a, d, attr, &pd);
    *packed = st == dnnl_success;
    if (!*packed && st != dnnl_out_of_memory) {
        bias = kx_layout_rows(a, 2, (const int64_t[]){1, d->n});
        st = bias ? unpacked_pd(a, d, attr, &pd) : dnnl_out_of_memory;
    }
    dnnl_primitive_attr_destroy(attr);
    if ((result = kx_prim_new(a, st, pd, out)) < 0)
        return result;
    (*out)->slot[KX_BIAS] = d->bias ? bias : NULL;
    return KLDVE_OK;
}

kldve_status kx_accel_pack_dense(kx_accel *a, const kx_dense *d, const kx_layout *layout, void *to)
{
    const int64_t dim[4] = {d->n, d->k, 1, 1};
    const int64_t strides[4] = {d->transposed ? d->k : 1, d->transposed ? 1 : d->n, 1, 1};
    const kx_layout *given = kx_layout_strided(a, 4, dim, strides);

    if (!given)
        return KLDVE_E_NOMEM;
    return kx_status_of(kx_reorder_now(a, given->md, d->weights, layout->md, to));
}

/* ---- both vary ---- */

kldve_status kx_accel_product(kx_accel *a, const kx_layout *x, const kx_layout *y,
                              const kx_shape *dst, kx_prim **out)
{
    const kx_layout *plain = kx_layout_plain(a, dst);
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;

    if (!plain)
        return KLDVE_E_NOMEM;
    st = kx_matmul_pd(a, &(kx_matmul_problem){x->md, y->md, NULL, plain->md}, a->bare, &pd);
    if (st == dnnl_success && strncmp(kx_code_of(pd), "ref", 3) == 0 /* element by element */) {
        dnnl_primitive_desc_destroy(pd);
        return KLDVE_E_UNSUPPORTED;
    }
    return kx_prim_new(a, st, pd, out);
}
