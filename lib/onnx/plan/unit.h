/* unit.h - a unit: nodes of the graph that are computed together.
 *
 * Convolution, normalisation, residual sum and activation are one unit where nothing in between is
 * needed on its own.  The layer and the logits never disappear into a unit. */
#ifndef KLDVE_ONNX_UNIT_H
#define KLDVE_ONNX_UNIT_H

#include "accel/accel.h"
#include "accel/byte_desc.h"
#include "graph/graph.h"

typedef enum kx_unit_kind {
    KX_UNIT_NODE,   /**< the operator's own kernel */
    KX_UNIT_VIEW,   /**< the same elements under another shape */
    KX_UNIT_CONV,   /**< out = act(scale (W * x) + shift + join) */
    KX_UNIT_AFFINE, /**< out = act(scale x + shift), by channel */
    KX_UNIT_POOL,
    KX_UNIT_LRN,
    KX_UNIT_ACT,    /**< out = act(x) */
    KX_UNIT_BINARY, /**< out = act(x op y) */
    KX_UNIT_CONCAT,
    KX_UNIT_DENSE,    /**< out = act(x W + bias) */
    KX_UNIT_PRODUCT,  /**< out = act(x y), matrices that both vary */
    KX_UNIT_PERMUTED, /**< the same elements, axis i is axis perm[i] of x */
    KX_UNIT_ROWS      /**< means, softmax, normalisation of rows */
} kx_unit_kind;

typedef struct kx_unit {
    kx_unit_kind kind;
    const kx_node *node; /**< the operator that does the main work */
    int32_t order;       /**< index of the last node merged into it: when it can run */
    bool dead;           /**< merged into another unit */
    /** Operands without omitted ones: of NODE all that the operator reads, else the arrays
     *  that vary.  CONV: x and, where a sum was merged into it, the residual. */
    const kx_value **in;
    const kx_value **out; /**< results that have a name */
    int32_t nin, nout;
    kx_act act;
    const float *scale, *shift; /**< by channel, or NULL (CONV: on top of weights and bias) */
    kx_conv_desc conv;
    kx_pool_desc pool;
    kx_lrn_desc lrn;
    kx_arith binary;
    int32_t axis; /**< of CONCAT */
    kx_dense dense;
    kx_rows rows;
    const int32_t *perm;
    /* filled in while planning */
    const kx_prim *forward; /**< POOL, LRN: the hint for the backward primitive */
    int32_t workspace;      /**< buffer, or -1 */
    kx_bytes *bytes;        /**< computed with integers of 8 bits, see bytes.c; or NULL */
    bool active;            /**< a cotangent flows through it */
    bool after;             /**< depends on the layer */
} kx_unit;

/** Of kinds with one operand. */
static inline void kx_unit_reads_one(kx_unit *u, const kx_value *x)
{
    u->in[0] = x;
    u->nin = 1;
}

#endif
