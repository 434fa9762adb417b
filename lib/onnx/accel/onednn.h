/* onednn.h - between the files of this folder.  The only header that includes oneDNN's.
 *
 * oneDNN 2 describes a computation by an operation descriptor, from which a primitive descriptor is
 * made; oneDNN 3 makes the primitive descriptor immediately.  Memory descriptors are structs in 2
 * and handles in 3.  onednn2.c and onednn3.c, of which one is compiled, hide this behind the
 * functions at the end; no other file knows the version. */
#ifndef KLDVE_ONNX_ONEDNN_H
#define KLDVE_ONNX_ONEDNN_H

#include <oneapi/dnnl/dnnl.h>

#include "accel/accel.h"
#include "accel/barrier.h"

/** A memory descriptor, as oneDNN's functions take it: const dnnl_memory_desc_t * in oneDNN 2,
 *  const_dnnl_memory_desc_t in 3. */
typedef const void *kx_md;

struct kx_layout {
    struct kx_layout *next; /* all of one kx_accel */
    kx_md md;
};

struct kx_prim {
    struct kx_prim *next;
    dnnl_primitive_desc_t pd; /* kept: the hint for backward primitives */
    dnnl_primitive_t prim;
    size_t room; /* for kx_has_room() before it runs */
    const kx_layout *slot[KX_SLOTS];
};

struct kx_accel {
    kldve_ctx *ctx;
    dnnl_engine_t engine;
    dnnl_primitive_attr_t bare; /* scratch memory is ours, no post-ops */
    kx_layout *layouts;
    kx_prim *prims;
    bool direct;  /* no Winograd convolutions */
    bool measure; /* descriptors only: nothing is compiled */
    bool blocked; /* convolutions between blocks of 16 channels, see blocked_pd() */
};

kldve_status kx_status_of(dnnl_status_t st);
/** How oneDNN calls the code that it chose: "jit:avx512_core", "brgconv:...", "ref:any"; "" if it
 *  does not say. */
const char *kx_code_of(const_dnnl_primitive_desc_t pd);

/* ---- layout.c; NULL: out of memory ---- */

/** oneDNN chooses. */
kx_layout *kx_layout_any(kx_accel *a, int rank, const int64_t *dim);
kx_layout *kx_layout_strided(kx_accel *a, int rank, const int64_t *dim, const int64_t *strides);
kx_layout *kx_layout_tagged(kx_accel *a, int rank, const int64_t *dim, dnnl_format_tag_t tag);
/** Row-major. */
kx_layout *kx_layout_rows(kx_accel *a, int rank, const int64_t *dim);
kx_layout *kx_layout_copy(kx_accel *a, kx_md md);
void kx_layouts_free(kx_accel *a);

/* ---- accel.c ---- */

/** An activation as oneDNN describes it. */
typedef struct kx_eltwise {
    dnnl_alg_kind_t alg;
    float alpha, beta;
} kx_eltwise;

kx_eltwise kx_eltwise_of(kx_act act);

/** Post-ops, in this order: addend (NULL: none), sum, activation. */
dnnl_status_t kx_attr_new(const kx_layout *addend, bool sum, kx_act act,
                          dnnl_primitive_attr_t *out);
/** Post-ops of a sum of integers: times `factor`, then act, a rounding one, from its levels on. */
dnnl_status_t kx_attr_scaled(const kx_layout *factor, kx_act act, dnnl_primitive_attr_t *out);
/** Take over a primitive descriptor, compile it and read off its operands.
 *  @param st  How making pd went: a failure is handed on. */
kldve_status kx_prim_new(kx_accel *a, dnnl_status_t st, dnnl_primitive_desc_t pd, kx_prim **out);
/** One reorder, right away. */
dnnl_status_t kx_reorder_now(kx_accel *a, kx_md from_md, const void *from, kx_md to_md, void *to);
/** The DNNL_ARG_... of a slot. */
int kx_slot_arg(int slot);

/* ---- memory descriptors: onednn2.c, onednn3.c ---- */

/** strides NULL: oneDNN chooses. */
dnnl_status_t kx_md_strided(const kldve_ctx *ctx, int rank, const dnnl_dims_t dims,
                            const dnnl_dims_t strides, kx_md *out);
dnnl_status_t kx_md_tagged(const kldve_ctx *ctx, int rank, const dnnl_dims_t dims,
                           dnnl_format_tag_t tag, kx_md *out);
/** The part of `whole` at an offset. */
dnnl_status_t kx_md_part(const kldve_ctx *ctx, kx_md whole, const dnnl_dims_t dims,
                         const dnnl_dims_t offset, kx_md *out);
/** Axis i of md becomes axis to[i]. */
dnnl_status_t kx_md_permuted(const kldve_ctx *ctx, kx_md md, const int *to, kx_md *out);
dnnl_status_t kx_md_copy(const kldve_ctx *ctx, kx_md md, kx_md *out);
void kx_md_free(const kldve_ctx *ctx, kx_md md);
/** 0: the empty descriptor.  Its size does not tell: that of a part is 0, too. */
int kx_md_rank(kx_md md);
/** Of a descriptor that is not empty. */
const dnnl_dims_t *kx_md_dims(kx_md md);

/* ---- primitive descriptors: onednn2.c, onednn3.c ---- */

typedef struct kx_conv_problem {
    dnnl_alg_kind_t alg;
    kx_md src, weights, bias, dst; /**< bias may be NULL */
    dnnl_dims_t stride, dilation, pad_begin, pad_end;
} kx_conv_problem;

typedef struct kx_pool_problem {
    dnnl_alg_kind_t alg;
    kx_md src, dst;
    dnnl_dims_t kernel, stride, pad_begin, pad_end;
} kx_pool_problem;

typedef struct kx_matmul_problem {
    kx_md src, weights, bias, dst; /**< bias may be NULL */
} kx_matmul_problem;

dnnl_status_t kx_conv_pd(const kx_accel *a, const kx_conv_problem *p,
                         const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out);
/** To the data.  @param hint  Of the forward convolution; so below. */
dnnl_status_t kx_conv_vjp_pd(const kx_accel *a, const kx_conv_problem *p,
                             const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out);
dnnl_status_t kx_pool_pd(const kx_accel *a, dnnl_prop_kind_t prop, const kx_pool_problem *p,
                         dnnl_primitive_desc_t *out);
dnnl_status_t kx_pool_vjp_pd(const kx_accel *a, const kx_pool_problem *p,
                             const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out);
dnnl_status_t kx_lrn_pd(const kx_accel *a, dnnl_prop_kind_t prop, const kx_lrn_desc *d, kx_md md,
                        dnnl_primitive_desc_t *out);
dnnl_status_t kx_lrn_vjp_pd(const kx_accel *a, const kx_lrn_desc *d, kx_md md,
                            const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out);
dnnl_status_t kx_eltwise_pd(const kx_accel *a, kx_eltwise e, kx_md md, dnnl_primitive_desc_t *out);
/** dst lies like src. */
dnnl_status_t kx_binary_pd(const kx_accel *a, dnnl_alg_kind_t alg, kx_md src, kx_md src1,
                           const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out);
/** @param md  [n], n <= KX_MAX_IN */
dnnl_status_t kx_concat_pd(const kx_accel *a, int n, const kx_md *md, int axis,
                           dnnl_primitive_desc_t *out);
dnnl_status_t kx_matmul_pd(const kx_accel *a, const kx_matmul_problem *p,
                           const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out);

dnnl_status_t kx_post_eltwise(dnnl_post_ops_t ops, kx_eltwise e);
dnnl_status_t kx_post_sum(dnnl_post_ops_t ops);

#endif
