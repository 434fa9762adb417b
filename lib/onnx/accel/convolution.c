/* convolution.c - convolutions: Winograd's transforms or sums, in which layouts, and their weights.
 */
#include "accel/onednn.h"

#include <assert.h>
#include <string.h>

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

static void assert_promises(const kx_conv_desc *d)
{
    assert(d->groups > 0 && d->in_channels % d->groups == 0 && d->out_channels % d->groups == 0);
    for (int i = 0; i < 2; i++)
        assert(d->in[i] > 0 && d->out[i] > 0 && d->kernel[i] > 0 && d->stride[i] > 0 &&
               d->dilation[i] > 0);
    (void)d; /* without assertions */
}

/* A convolution and what it is made from. */
typedef struct conv {
    const kx_conv_desc *d;
    int64_t src[4], dst[4];
    const kx_layout *like; /* of dst; NULL: free */
    const kx_layout *bias;
    kx_conv_problem problem; /* by its sums, oneDNN chooses the layouts that are free */
} conv;

static kldve_status prepare(kx_accel *a, const kx_conv_desc *d, const kx_layout *like, conv *c)
{
    int64_t dim[5];
    int rank = weight_dims(d, dim);
    const kx_layout *src, *dst, *weights;

    assert_promises(d);
    *c = (conv){.d = d,
                .like = like,
                .src = {d->batch, d->in_channels, d->in[0], d->in[1]},
                .dst = {d->batch, d->out_channels, d->out[0], d->out[1]}};
    src = kx_layout_any(a, 4, c->src);
    dst = like ? like : kx_layout_any(a, 4, c->dst);
    weights = kx_layout_any(a, rank, dim);
    c->bias = kx_layout_rows(a, 1, &d->out_channels);
    if (!src || !dst || !weights || !c->bias)
        return KLDVE_E_NOMEM;
    c->problem = (kx_conv_problem){.alg = dnnl_convolution_direct,
                                   .src = src->md,
                                   .weights = weights->md,
                                   .bias = d->bias ? c->bias->md : NULL,
                                   .dst = dst->md};
    for (int i = 0; i < 2; i++) {
        c->problem.stride[i] = d->stride[i];
        c->problem.dilation[i] = d->dilation[i] - 1; /* oneDNN counts the gaps */
        c->problem.pad_begin[i] = d->pad_begin[i];
        c->problem.pad_end[i] = d->pad_end[i];
    }
    return KLDVE_OK;
}

/* ---- which code ---- */

static bool is_code(const_dnnl_primitive_desc_t pd, const char *prefix)
{
    return strncmp(kx_code_of(pd), prefix, strlen(prefix)) == 0;
}

/* Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural
 * Networks", arXiv:1509.09308) needs 2.25 to 4 times fewer multiplications of a 3 x 3 convolution,
 * and so it is the only way past the arithmetic peak.  What it costs are transforms of input and
 * output, which only pay with enough channels and cells to share them, and up to four times the
 * memory of the weights.  Measured with oneDNN 2.6 on Zen 4: 1.4 to 3 times as fast from 13 x 13
 * cells and 16 channels on; at 7 x 7 the larger weights eat the gain.  oneDNN has no such code on
 * processors without AVX-512, where kx_accel_tiles() tells the plan to take ours, and in 3.x. */
static bool winograd_pays(const kx_accel *a, const kx_conv_desc *d)
{
    enum { CHANNELS = 16, SIDE = 12 };

    return !a->direct && d->groups == 1 && d->kernel[0] == 3 && d->kernel[1] == 3 &&
           d->stride[0] == 1 && d->stride[1] == 1 && d->dilation[0] == 1 && d->dilation[1] == 1 &&
           d->in_channels >= CHANNELS && d->out_channels >= CHANNELS && d->out[0] >= SIDE &&
           d->out[1] >= SIDE;
}

static bool has_vectors_of_8(void)
{
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx2) == dnnl_cpu_isa_avx2;
}

bool kx_accel_tiles(const kx_accel *a, const kx_conv_desc *d)
{
    kx_conv_desc one = *d; /* of its groups */

    one.groups = 1;
    one.in_channels /= d->groups;
    one.out_channels /= d->groups;
    return !a->blocked && has_vectors_of_8() && d->batch == 1 && winograd_pays(a, &one) &&
           one.in_channels % KX_TILE_LANES == 0 && one.out_channels % KX_TILE_LANES == 0;
}

static dnnl_status_t winograd_pd(kx_accel *a, const conv *c, const_dnnl_primitive_attr_t attr,
                                 dnnl_primitive_desc_t *out)
{
    kx_conv_problem p = c->problem;

    if (!winograd_pays(a, c->d))
        return dnnl_unimplemented;
    p.alg = dnnl_convolution_winograd;
    return kx_conv_pd(a, &p, attr, out);
}

/* With vectors of 16 floats: source and destination in blocks of 16 channels (a picture's one or
 * three: plain).  Left to itself oneDNN 2.6 takes channels last, which is as fast for one
 * convolution, but Winograd's and depthwise ones want blocks, the picture need not be reordered,
 * and kx_layout_join() has parts that lie whole.  Unimplemented where that does not fit or oneDNN
 * has no compiled code for it. */
static dnnl_status_t blocked_pd(kx_accel *a, const conv *c, const_dnnl_primitive_attr_t attr,
                                dnnl_primitive_desc_t *out)
{
    const kx_conv_desc *d = c->d;
    bool picture = d->in_channels == 1 || d->in_channels == 3;
    const kx_layout *src, *dst;
    kx_conv_problem p = c->problem;
    dnnl_status_t st;

    if (!a->blocked || (!picture && d->in_channels % 16 != 0) || d->out_channels % 16 != 0)
        return dnnl_unimplemented;
    src = picture ? kx_layout_rows(a, 4, c->src) : kx_layout_tagged(a, 4, c->src, dnnl_aBcd16b);
    dst = c->like ? c->like : kx_layout_tagged(a, 4, c->dst, dnnl_aBcd16b);
    if (!src || !dst)
        return dnnl_out_of_memory;
    p.src = src->md;
    p.dst = dst->md;
    if ((st = kx_conv_pd(a, &p, attr, out)) != dnnl_success)
        return st == dnnl_out_of_memory ? st : dnnl_unimplemented;
    if (is_code(*out, "jit"))
        return dnnl_success;
    dnnl_primitive_desc_destroy(*out);
    return dnnl_unimplemented;
}

/* ---- forward and backward ---- */

kldve_status kx_accel_conv(kx_accel *a, const kx_conv_desc *d, kx_join join, const kx_layout *like,
                           kx_prim **out)
{
    const kx_layout *addend = join == KX_JOIN_ADDEND ? like : NULL;
    conv c;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;
    kldve_status result;

    assert((join == KX_JOIN_NONE) == (like == NULL));
    if ((result = prepare(a, d, like, &c)) < 0)
        return result;
    if ((st = kx_attr_new(addend, join == KX_JOIN_SUM, d->act, &attr)) != dnnl_success)
        return kx_status_of(st);
    st = winograd_pd(a, &c, attr, &pd);
    if (st != dnnl_success && st != dnnl_out_of_memory)
        st = blocked_pd(a, &c, attr, &pd);
    if (st == dnnl_unimplemented)
        st = kx_conv_pd(a, &c.problem, attr, &pd);
    dnnl_primitive_attr_destroy(attr);
    /* oneDNN's plainest code is some hundred times as slow as what is compiled for the shape: an
     * addition of its own takes less time. */
    if (st == dnnl_success && addend && is_code(pd, "ref")) {
        dnnl_primitive_desc_destroy(pd);
        return KLDVE_E_UNSUPPORTED;
    }
    if ((result = kx_prim_new(a, st, pd, out)) < 0)
        return result;
    (*out)->slot[KX_BIAS] = d->bias ? c.bias : NULL;
    (*out)->slot[KX_ADDEND] = addend;
    return KLDVE_OK;
}

kldve_status kx_accel_conv_scaled(kx_accel *a, const kx_conv_desc *d, const kx_layout *factor,
                                  kx_prim **out)
{
    conv c;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t st;
    kldve_status result = prepare(a, d, NULL, &c);

    assert(d->act.kind == KX_ACT_ROUND8 || d->act.kind == KX_ACT_ROUND16);
    if (result < 0)
        return result;
    if ((st = kx_attr_scaled(factor, d->act, &attr)) != dnnl_success)
        return kx_status_of(st);
    st = blocked_pd(a, &c, attr, &pd);
    if (st == dnnl_unimplemented)
        st = kx_conv_pd(a, &c.problem, attr, &pd);
    dnnl_primitive_attr_destroy(attr);
    if (st == dnnl_success && is_code(pd, "ref")) {
        dnnl_primitive_desc_destroy(pd);
        return KLDVE_E_UNSUPPORTED;
    }
    if ((result = kx_prim_new(a, st, pd, out)) < 0)
        return result;
    (*out)->slot[KX_BIAS] = d->bias ? c.bias : NULL;
    (*out)->slot[KX_ADDEND] = factor;
    return KLDVE_OK;
}

kldve_status kx_accel_conv_vjp(kx_accel *a, const kx_conv_desc *d, kx_prim **out)
{
    conv c;
    dnnl_primitive_desc_t pd = NULL, hint = NULL;
    dnnl_status_t st;
    kldve_status result = prepare(a, d, NULL, &c);

    if (result < 0)
        return result;
    c.problem.bias = NULL;
    st = kx_conv_pd(a, &c.problem, a->bare, &hint);
    if (st == dnnl_success) {
        st = kx_conv_vjp_pd(a, &c.problem, hint, &pd);
        dnnl_primitive_desc_destroy(hint);
    }
    return kx_prim_new(a, st, pd, out);
}

/* ---- weights ---- */

dnnl_status_t kx_reorder_now(kx_accel *a, kx_md from_md, const void *from, kx_md to_md, void *to)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t prim = NULL;
    dnnl_stream_t stream = NULL;
    dnnl_memory_t src = NULL, dst = NULL;
    dnnl_status_t st;

    st = kx_dnnl.reorder_primitive_desc_create(&pd, from_md, a->engine, to_md, a->engine, NULL);
    if (st == dnnl_success)
        st = kx_dnnl.primitive_create(&prim, pd);
    if (st == dnnl_success)
        st = kx_dnnl.stream_create(&stream, a->engine, dnnl_stream_default_flags);
    if (st == dnnl_success)
        st = kx_dnnl.memory_create(&src, from_md, a->engine,
                                   (void *)(uintptr_t)from); /* only read */
    if (st == dnnl_success)
        st = kx_dnnl.memory_create(&dst, to_md, a->engine, to);
    if (st == dnnl_success) {
        dnnl_exec_arg_t args[2] = {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, dst}};

        st = kx_dnnl.primitive_execute(prim, stream, 2, args);
    }
    if (st == dnnl_success)
        st = kx_dnnl.stream_wait(stream);
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
    const kx_layout *plain = kx_layout_rows(a, weight_dims(d, dim), dim);

    assert(from && to && from != to);
    if (!plain)
        return KLDVE_E_NOMEM;
    return kx_status_of(kx_reorder_now(a, plain->md, from, layout->md, to));
}
