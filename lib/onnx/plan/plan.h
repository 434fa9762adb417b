/* plan.h - from graph to a list of steps on buffers with fixed places: what api/ and run/ see of a
 * plan.  What the planning files share is in planner.h; plan.c is the table of contents.
 *
 * A plan is immutable once built: any number of threads may run it, each with a state of its own.
 */
#ifndef KLDVE_ONNX_PLAN_H
#define KLDVE_ONNX_PLAN_H

#include "accel/accel.h"
#include "accel/range.h"
#include "graph/graph.h"

/* ---- the plan ---- */

typedef struct kx_buffer {
    size_t bytes;
    int32_t first, last; /**< steps between which it holds something */
    size_t offset;       /**< in a state's memory; before places are given: in `whole` */
    int32_t whole;       /**< the buffer of a concatenation that this one is a part of, or -1 */
    bool joined;         /**< is or has a part: what is written to it shows in another one */
    void *fixed;         /**< weights and constants: the shared address; else NULL */
} kx_buffer;

typedef struct kx_unit kx_unit; /* units.h */
typedef struct kx_packed kx_packed; /* packed.h */

typedef enum kx_step_kind {
    KX_STEP_PRIM,      /**< prim on buf[slot] */
    KX_STEP_NODE,      /**< node's forward kernel on list[0..nin) -> list[nin..nin+nout) */
    KX_STEP_NODE_VJP,  /**< node's VJP: list = in, out, dout; adds to buf[KX_DIFF_SRC] */
    KX_STEP_DENSE,     /**< unit's matrix on buf[KX_SRC] -> buf[KX_DST] */
    KX_STEP_DENSE_VJP, /**< buf[KX_DIFF_DST] -> buf[KX_DIFF_SRC] */
    KX_STEP_ACT_VJP,   /**< buf[KX_DIFF_SRC] = act'(buf[KX_SRC]) buf[KX_DIFF_DST] */
    KX_STEP_ADD,       /**< buf[KX_DST] = buf[KX_SRC] + buf[KX_SRC1] */
    KX_STEP_ZERO,      /**< buf[KX_DST] = 0 */
    KX_STEP_VISIT,     /**< hand out buf[KX_SRC], the gradient at unit's bias, and buf[KX_BIAS] */
    /* of relevance, see relevance.c */
    KX_STEP_CLAMP,      /**< buf[KX_DST] = range of buf[KX_SRC] */
    KX_STEP_SHARE,      /**< buf[KX_DST] = factor buf[KX_DIFF_DST] / (buf[KX_SRC] + buf[KX_SRC1]) */
    KX_STEP_TAKE,       /**< buf[KX_DST] = range of buf[KX_SRC] buf[KX_DIFF_SRC] + buf[KX_ADDEND] */
    KX_STEP_DENSE_PART, /**< DENSE without activation, weights in range; bias if buf[KX_BIAS] */
    KX_STEP_DENSE_PART_VJP /**< DENSE_VJP with the weights in range */
} kx_step_kind;

typedef struct kx_step {
    kx_step_kind kind;
    const kx_node *node; /**< for messages, and for the kernels of NODE */
    const kx_unit *unit;
    const kx_prim *prim;
    int32_t *list;
    int32_t which; /**< NODE_VJP: which input */
    kx_act act;
    kx_range range;
    float factor; /**< of SHARE */
    bool off;     /**< of SHARE: where the divisor is exactly 0 there is nothing to share */
    bool response; /**< a VJP of local response normalisation, on `count` floats: rules of reversed
                        networks copy buf[KX_DIFF_DST] to buf[KX_DIFF_SRC] instead */
    size_t count; /**< floats of ACT_VJP and ADD, bytes of ZERO */
    bool head;    /**< of the forward steps: one from the layer to the logits */
    int32_t buf[KX_SLOTS]; /**< -1: none */
} kx_step;

/** Where something that the caller hands in or out lies: plain float32. */
typedef struct kx_port {
    int32_t buffer; /**< -1: none */
    size_t count;
} kx_port;

typedef struct kx_plan {
    kldve_ctx *ctx;
    const kx_graph *graph; /**< immutable: other plans and threads read it, too */
    kx_arena arena;        /**< units, lists of buffers, scale vectors, copies of constants */
    kx_accel *accel;
    int threads;
    int32_t nunit, nstep, nbuffer;
    kx_unit *unit;
    kx_step *step;
    kx_buffer *buffer;
    /** Steps [0, forward), [forward, backward[0]) to the layer, [backward[0], backward[1]) to the
     *  input; an empty range was not asked for. */
    int32_t forward, backward[2];
    /** Steps [backward[1], nstep) bring feature maps from outside, `entry`, to where the layer
     *  lies.  aside: the steps behind it also read what does not come through the layer. */
    kx_port entry;
    bool aside;
    kx_port input, logits, features;
    kx_port cotangent[2], gradient[2]; /**< of the two VJPs: to the layer, to the input */
    kx_packed *packed; /**< [npacked], what this plan owns */
    int32_t npacked;
    size_t state_bytes;  /**< memory of a state */
    size_t packed_bytes; /**< of what it owns */
} kx_plan;

typedef struct kx_plan_options {
    const kx_value *input, *layer, *logits; /**< layer may be NULL without a VJP */
    bool vjp, vjp_input, plain;
    bool direct; /**< convolutions by their sums only, without Winograd transforms */
    int32_t rule; /**< of the VJP to the input: a kldve_rule; LRP rules need a plan of their own */
    bool biases;  /**< the VJP to the input hands out the gradients at the biases, too */
    const kx_plan *lender; /**< a plan of the same file, which outlives this one: packed weights that
                                it has are not packed again; may be NULL */
    int threads;
    size_t max_bytes; /**< of a state */
} kx_plan_options;

/** @param g  Outlives the plan. */
kldve_status kx_plan_new(kldve_ctx *ctx, const kx_graph *g, const kx_plan_options *options,
                         kx_plan **out);
void kx_plan_free(kx_plan *plan);

#endif
