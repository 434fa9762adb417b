/* accel.h - what the plan asks of oneDNN.  dnnl.c is the one file that includes dnnl.h; the
 * difference between oneDNN 2 (operation descriptors) and 3 (none) ends there.
 *
 * A layout says how an array lies in memory (oneDNN's blocked formats, or plain row-major).  A
 * primitive is one compiled computation on arrays of fixed layouts; its operands are named by
 * slots. Both belong to the kx_accel they were made from and are immutable: any number of threads
 * may run a primitive at the same time, each through a kx_call of its own.
 *
 * The functions that make primitives return KLDVE_E_UNSUPPORTED, without a message, for what oneDNN
 * cannot do: the plan then uses the operator's own kernel. */
#ifndef KLDVE_ONNX_ACCEL_H
#define KLDVE_ONNX_ACCEL_H

#include "accel/desc.h"
#include "graph/graph.h"

typedef struct kx_accel kx_accel;
typedef struct kx_layout kx_layout;
typedef struct kx_prim kx_prim;
typedef struct kx_call kx_call;

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

/** direct: no Winograd convolutions. */
kldve_status kx_accel_new(kldve_ctx *ctx, bool direct, kx_accel **out);
void kx_accel_free(kx_accel *a);

/** Row-major float32; a scalar counts as [1].  NULL: out of memory. */
const kx_layout *kx_layout_plain(kx_accel *a, const kx_shape *shape);
bool kx_layout_equal(const kx_layout *x, const kx_layout *y);
/** Bytes of an array, with the padding of a blocked layout. */
size_t kx_layout_bytes(const kx_layout *x);

/** The part of `whole` that starts at index `from` of `axis` and has `n` indices; *out is NULL
 * where the blocks of the layout cannot be cut there. */
kldve_status kx_layout_slice(kx_accel *a, const kx_layout *whole, int32_t axis, int64_t from,
                             int64_t n, const kx_layout **out);

/** The layout of a concatenation in which the parts lie whole, one behind another; NULL: in no
 * layout that is known here. */
const kx_layout *kx_layout_join(kx_accel *a, int32_t n, const kx_layout *const *part, int32_t axis);

/** What a slot of a primitive wants; NULL: it has no such operand. */
const kx_layout *kx_prim_layout(const kx_prim *p, int slot);

/** Forward.  sum: dst += before the activation, dst in the layout `like`.  addend: a second array
 * in the layout `like` is added before the activation.  like NULL: neither. */
typedef enum kx_join { KX_JOIN_NONE, KX_JOIN_SUM, KX_JOIN_ADDEND } kx_join;
kldve_status kx_accel_conv(kx_accel *a, const kx_conv_desc *d, kx_join join, const kx_layout *like,
                           kx_prim **out);
/** Backward to the data: KX_DIFF_DST, KX_WEIGHTS -> KX_DIFF_SRC. */
kldve_status kx_accel_conv_vjp(kx_accel *a, const kx_conv_desc *d, kx_prim **out);
/** Weights [O][I/groups][kh][kw] or any plain array, perhaps unaligned, into a layout: done at
 * once. `to` holds kx_layout_bytes() bytes. */
kldve_status kx_accel_pack_weights(kx_accel *a, const kx_conv_desc *d, const float *from,
                                   const kx_layout *layout, void *to);

/** train: also write the workspace that kx_accel_pool_vjp() needs (KX_POOL_MAX only). */
kldve_status kx_accel_pool(kx_accel *a, const kx_pool_desc *d, const kx_layout *src, bool train,
                           kx_prim **out);
/** KX_DIFF_DST [like the forward's dst], KX_WORKSPACE -> KX_DIFF_SRC [like src]. */
kldve_status kx_accel_pool_vjp(kx_accel *a, const kx_pool_desc *d, const kx_prim *forward,
                               kx_prim **out);

kldve_status kx_accel_lrn(kx_accel *a, const kx_lrn_desc *d, const kx_layout *src, bool train,
                          kx_prim **out);
kldve_status kx_accel_lrn_vjp(kx_accel *a, const kx_lrn_desc *d, const kx_prim *forward,
                              kx_prim **out);

kldve_status kx_accel_act(kx_accel *a, kx_act act, const kx_layout *src, kx_prim **out);

/** KX_SRC (op) KX_SRC1 [(+) KX_ADDEND] -> KX_DST in src's layout, then the activation.  src1 and
 *  addend may have dimensions 1 that are broadcast. */
kldve_status kx_accel_binary(kx_accel *a, kx_arith kind, const kx_layout *src,
                             const kx_layout *src1, const kx_layout *addend, kx_act act,
                             kx_prim **out);

kldve_status kx_accel_concat(kx_accel *a, int32_t n, const kx_layout *const *src, int32_t axis,
                             kx_prim **out);
kldve_status kx_accel_reorder(kx_accel *a, const kx_layout *from, const kx_layout *to,
                              kx_prim **out);

/** dst[m][n] = act(sum_k src[m][k] B[k][n] + bias[n]); B plain, [k][n] or, transposed, [n][k]. */
kldve_status kx_accel_matmul(kx_accel *a, int64_t m, int64_t k, int64_t n, bool transposed,
                             bool bias, kx_act act, kx_prim **out);

/** A primitive bound to memory: one for each context that runs it.
 *  @param memory  for each slot the address of its array; NULL where the primitive has none. */
kldve_status kx_call_new(const kldve_ctx *ctx, const kx_prim *p, void *const memory[KX_SLOTS],
                         kx_call **out);
kldve_status kx_call_run(kx_call *c);
void kx_call_free(kx_call *c);

#endif
