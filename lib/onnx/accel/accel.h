/* accel.h - the computations that the plan asks of oneDNN.
 *
 * A primitive is one compiled computation on arrays of fixed layouts; its operands are named by
 * slots.  It belongs to the kx_accel it was made from and is immutable: any number of threads may
 * run it at the same time, each through a kx_call of its own (call.h).
 *
 * The functions that make primitives return KLDVE_E_UNSUPPORTED, without a message, for what oneDNN
 * cannot do: the plan then uses the operator's own kernel. */
#ifndef KLDVE_ONNX_ACCEL_H
#define KLDVE_ONNX_ACCEL_H

#include "accel/desc.h"
#include "accel/layout.h"

typedef struct kx_prim kx_prim;

/** The operands of a primitive. */
enum kx_slot {
    KX_SRC,
    KX_SRC1,
    KX_WEIGHTS,
    KX_BIAS,
    KX_DST,
    KX_ADDEND, /**< operand of a binary post-op: dst = act(f(src) + addend) */
    KX_DIFF_SRC,
    KX_DIFF_DST,
    KX_WORKSPACE,
    KX_SCRATCH,
    KX_MULTI, /**< sources of a concatenation: KX_MULTI + i */
    KX_SLOTS = KX_MULTI + KX_MAX_IN
};

/** @param direct   No Winograd convolutions.
 *  @param measure  Primitives tell their layouts and never run. */
kldve_status kx_accel_new(kldve_ctx *ctx, bool direct, bool measure, kx_accel **out);
/** Frees its layouts and primitives, too; accepts NULL. */
void kx_accel_free(kx_accel *a);

/** What a slot of a primitive wants; NULL: it has no such operand. */
const kx_layout *kx_prim_layout(const kx_prim *p, int slot);

/** The first number of oneDNN's version. */
int kx_accel_release(void);
/** Are products of bytes faster than those of numbers here?  From AVX2 on. */
bool kx_accel_has_bytes(void);
/** Vectors of 512 bits: AVX-512 F, BW, VL and DQ. */
bool kx_accel_has_long_vectors(void);
/** Does one instruction add four products of bytes in 32 bits? */
bool kx_accel_has_dot_products(void);

/* ---- convolutions ---- */

typedef enum kx_join {
    KX_JOIN_NONE,
    KX_JOIN_SUM,   /**< dst += before the activation */
    KX_JOIN_ADDEND /**< a second array is added before the activation */
} kx_join;

/** Forward.
 *  @param like  The layout of dst, and of the addend; NULL for KX_JOIN_NONE only. */
kldve_status kx_accel_conv(kx_accel *a, const kx_conv_desc *d, kx_join join, const kx_layout *like,
                           kx_prim **out);
/** Forward, of integers: KX_ADDEND is a factor for each channel [1][C][1][1], and d->act rounds
 * what the sums are times it: act.a clip(round(factor sum)). */
kldve_status kx_accel_conv_scaled(kx_accel *a, const kx_conv_desc *d, const kx_layout *factor,
                                  kx_prim **out);
/** Do Winograd's transforms of our own pay: with vectors of 8 floats, for which oneDNN has none? */
bool kx_accel_tiles(const kx_accel *a, const kx_conv_desc *d);
/** Backward to the data: KX_DIFF_DST, KX_WEIGHTS -> KX_DIFF_SRC. */
kldve_status kx_accel_conv_vjp(kx_accel *a, const kx_conv_desc *d, kx_prim **out);
/** Weights [O][I/groups][kh][kw], perhaps unaligned, into a layout, immediately.
 *  @param to  kx_layout_bytes() bytes. */
kldve_status kx_accel_pack_weights(kx_accel *a, const kx_conv_desc *d, const float *from,
                                   const kx_layout *layout, void *to);

/* ---- other primitives ---- */

/** @param train  Also write the workspace that kx_accel_pool_vjp() needs (KX_POOL_MAX only). */
kldve_status kx_accel_pool(kx_accel *a, const kx_pool_desc *d, const kx_layout *src, bool train,
                           kx_prim **out);
/** KX_DIFF_DST [like the forward's dst], KX_WORKSPACE -> KX_DIFF_SRC [like src]. */
kldve_status kx_accel_pool_vjp(kx_accel *a, const kx_pool_desc *d, const kx_prim *forward,
                               kx_prim **out);
/** @param train  For kx_accel_lrn_vjp(). */
kldve_status kx_accel_lrn(kx_accel *a, const kx_lrn_desc *d, const kx_layout *src, bool train,
                          kx_prim **out);
/** KX_SRC, KX_DIFF_DST, KX_WORKSPACE -> KX_DIFF_SRC, all like the forward's src. */
kldve_status kx_accel_lrn_vjp(kx_accel *a, const kx_lrn_desc *d, const kx_prim *forward,
                              kx_prim **out);
/** Does oneDNN know the activation, by itself and behind other computations? */
bool kx_accel_has_act(kx_act act);
kldve_status kx_accel_act(kx_accel *a, kx_act act, const kx_layout *src, kx_prim **out);

/** KX_SRC (op) KX_SRC1 [+ KX_ADDEND] -> KX_DST in src's layout, then the activation.  src1 and
 * addend may have dimensions 1 that are broadcast; addend may be NULL. */
kldve_status kx_accel_binary(kx_accel *a, kx_arith kind, const kx_layout *src,
                             const kx_layout *src1, const kx_layout *addend, kx_act act,
                             kx_prim **out);
kldve_status kx_accel_concat(kx_accel *a, int32_t n, const kx_layout *const *src, int32_t axis,
                             kx_prim **out);
kldve_status kx_accel_reorder(kx_accel *a, const kx_layout *from, const kx_layout *to,
                              kx_prim **out);
/** dst [m][n] = act(src [m][k] W + bias [n]), all plain but W.
 *  @param packed  true: W wants the layout of KX_WEIGHTS, kx_accel_pack_dense(); false: it is read
 *                 as d->weights, [k][n] or [n][k] as d says. */
kldve_status kx_accel_dense(kx_accel *a, const kx_dense *d, kx_act act, bool *packed,
                            kx_prim **out);
/** d->weights into a layout, immediately.
 *  @param to  kx_layout_bytes() bytes. */
kldve_status kx_accel_pack_dense(kx_accel *a, const kx_dense *d, const kx_layout *layout, void *to);
/** dst [batch][m][n] = x [batch][m][k] y [batch][k][n]: KX_SRC, KX_WEIGHTS -> KX_DST plain.  x and
 * y may lie transposed.  KLDVE_E_UNSUPPORTED for layouts that oneDNN is slow with, too. */
kldve_status kx_accel_product(kx_accel *a, const kx_layout *x, const kx_layout *y,
                              const kx_shape *dst, kx_prim **out);

#endif
