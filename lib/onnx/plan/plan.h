/* plan.h - from graph to a list of steps on buffers with fixed places.
 *
 *     fuse.c      graph -> units: what is computed together (convolution + normalisation + residual
 *                 + activation is one unit)
 *     plan.c      units -> forward steps, layouts, buffers and their places in memory
 *     backward.c  units -> the steps of the VJP, in reverse
 *     lrp.c       the same for relevance instead of cotangents
 *     extra.c     a plan of its own for a backward pass that is not always wanted
 *     run.c       a state: memory for the buffers, and the calls bound to it
 *     many.c      the states of a batch, side by side
 *
 * A plan is immutable once built: any number of threads may run it, each with a state of its own.
 */
#ifndef KLDVE_ONNX_PLAN_H
#define KLDVE_ONNX_PLAN_H

#include "accel/accel.h"
#include "accel/range.h"
#include "accel/rule.h"
#include "graph/graph.h"

/* ---- units ------------------------------------------------------------------------------------
 */

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
    KX_UNIT_DENSE /**< out = act(x W + bias) */
} kx_unit_kind;

typedef struct kx_unit {
    kx_unit_kind kind;
    const kx_node *node; /**< the operator that does the main work */
    int32_t order;       /**< index of the last node merged into it: when it can run */
    bool dead;           /**< merged into another unit */
    kx_value *x;         /**< first operand; node->in for KX_UNIT_NODE and KX_UNIT_CONCAT */
    kx_value *y;         /**< second operand of BINARY, residual of CONV, else NULL */
    kx_value *out;       /**< node->out for KX_UNIT_NODE */
    kx_act act;
    const float *scale, *shift; /**< by channel, or NULL (CONV: on top of weights and bias) */
    kx_conv_desc conv;
    kx_pool_desc pool;
    kx_lrn_desc lrn;
    kx_arith binary;
    int32_t axis; /**< of CONCAT */
    kx_dense dense;
    /* filled in by plan.c */
    const kx_prim *forward; /**< POOL, LRN: the hint for the backward primitive */
    int32_t workspace;      /**< buffer, or -1 */
    bool active;            /**< a cotangent flows through it */
    bool after;             /**< depends on the layer */
} kx_unit;

/* ---- the plan -----------------------------------------------------------------------------------
 */

typedef struct kx_buffer {
    size_t bytes;
    int32_t first, last; /**< steps between which it holds something */
    size_t offset;       /**< in a state's memory; before places are given: in `whole` */
    int32_t whole;       /**< the buffer of a concatenation that this one is a part of, or -1 */
    bool joined;         /**< is or has a part: what is written to it shows in another one */
    void *fixed;         /**< weights and constants: the shared address; else NULL */
} kx_buffer;

/** Weights or bias of a unit, clamped and in a layout of oneDNN's: the same for every state, and for
 *  the plans of one file that find them here. */
typedef struct kx_packed {
    const char *first, *last; /**< names of what the unit's first and last node make, as the file's
                                   own memory */
    kx_range range;
    const kx_layout *layout; /**< NULL: a bias */
    void *memory;
} kx_packed;

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
    const kx_graph *graph;
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
    kx_value *input, *layer, *logits; /**< layer may be NULL without a VJP */
    bool vjp, vjp_input, plain;
    bool direct; /**< convolutions by their sums only, without Winograd transforms */
    int32_t rule; /**< of the VJP to the input: a kldve_rule; LRP rules need a plan of their own */
    bool biases;  /**< the VJP to the input hands out the gradients at the biases, too */
    const kx_plan *lender; /**< a plan of the same file, which outlives this one: packed weights that
                                it has are not packed again; may be NULL */
    int threads;
    size_t max_bytes; /**< of a state */
} kx_plan_options;

kldve_status kx_plan_new(kldve_ctx *ctx, kx_graph *g, const kx_plan_options *options,
                         kx_plan **out);
void kx_plan_free(kx_plan *plan);

/* ---- between fuse.c, plan.c and backward.c
 * -------------------------------------------------------- */

enum { KX_COPIES = 4 };

/** What the planner knows of a value. */
typedef struct kx_place {
    int32_t uses;     /**< inputs of needed nodes that name it */
    int32_t producer; /**< unit, or -1 */
    int32_t last_use; /**< order of the last unit that reads it */
    bool keep;        /**< layer or logits: must exist on its own */
    bool active;      /**< a cotangent flows to it */
    bool after;       /**< the layer, or depends on it */
    uint8_t traits;   /**< of lrp.c */
    int32_t ncopy;
    struct kx_copy {
        const kx_layout *layout; /**< NULL: not float32, plain */
        int32_t buffer;
    } copy[KX_COPIES]; /**< copy[0] is what the producer wrote */
    int32_t grad;      /**< buffer in the layout of copy[0]; -1: none yet */
    bool grad_shared;  /**< somebody else reads that buffer too: never write to it */
} kx_place;

typedef struct kx_planner {
    kldve_ctx *ctx;
    kx_graph *g;
    kx_plan *plan;
    kx_plan_options options;
    kx_place *place; /**< by value id */
    bool *needed;    /**< by node index */
    int32_t unit_room, step_room, buffer_room, packed_room;
} kx_planner;

/** Merge nodes into units, sorted by when they can run. */
kldve_status kx_fuse(kx_planner *p);

kx_place *kx_place_of(kx_planner *p, const kx_value *v);
/** A new buffer that lives from the next step on. */
kldve_status kx_buffer_new(kx_planner *p, size_t bytes, int32_t *out);
/** A buffer that is memory shared by all states. */
kldve_status kx_buffer_fixed(kx_planner *p, const void *memory, int32_t *out);
/** A new step; every buf is -1.  The buffers that it names are kept alive until it: call
 *  kx_step_done() when they are set. */
kldve_status kx_step_new(kx_planner *p, kx_step_kind kind, const kx_unit *unit, kx_step **out);
void kx_step_done(kx_planner *p, kx_step *s);
/** A step that runs a primitive; makes its scratch and, if not bound, its output buffers. */
kldve_status kx_step_prim(kx_planner *p, const kx_unit *unit, const kx_prim *prim,
                          const int32_t bind[KX_SLOTS], kx_step **out);
/** The buffer that holds a value in a layout (NULL: plain), reordering if need be. */
kldve_status kx_value_in(kx_planner *p, const kx_unit *u, const kx_value *v,
                         const kx_layout *layout, int32_t *out);
/** Reorder a buffer into a new one. */
kldve_status kx_reorder(kx_planner *p, const kx_unit *u, int32_t from, const kx_layout *from_layout,
                        const kx_layout *to_layout, int32_t *out);
/** Pack the weights, clamped to a range, of a convolution (or of an AFFINE unit as one) for a
 *  layout. */
kldve_status kx_pack(kx_planner *p, const kx_unit *u, kx_range range, const kx_layout *layout,
                     int32_t *out);
/** Its bias, clamped to a range, with everything that was merged into it. */
kldve_status kx_pack_bias(kx_planner *p, const kx_unit *u, kx_range range, int32_t *out);
/** [1][C][1]... of the rank of v, plain: for a vector by channel. */
const kx_layout *kx_channel_layout(kx_planner *p, const kx_value *v);
kldve_status kx_plan_nomem(kx_planner *p);

/** Append the steps of the VJP from the logits to `to`: *from is where the cotangent goes in, *port
 *  where the gradient comes out. */
kldve_status kx_plan_backward(kx_planner *p, kx_value *to, kx_port *from, kx_port *port);
/** Which units and values a cotangent for `to` flows through. */
kldve_status kx_mark_active(kx_planner *p, const kx_value *to);

/* ---- between backward.c and lrp.c
 * ------------------------------------------------------------------------------ */

/** A cotangent, or relevance, and whether others read its buffer. */
typedef struct kx_grad {
    int32_t buffer;
    const kx_layout *layout;
    bool shared;
} kx_grad;

/** What a value was given so far; buffer -1: nothing. */
kx_grad kx_grad_of(kx_planner *p, const kx_value *v);
/** The same in another layout (NULL: plain) of v's shape. */
kldve_status kx_grad_in(kx_planner *p, const kx_unit *u, const kx_value *v, const kx_layout *layout,
                        kx_grad *g);
/** Give to a value: the first is kept, others are added. */
kldve_status kx_give(kx_planner *p, const kx_unit *u, const kx_value *v, kx_grad g);
/** At the output of a unit -> at its x. */
kldve_status kx_window_vjp(kx_planner *p, kx_unit *u, kx_grad g, kx_grad *out);
/** ... given to the operands right away. */
kldve_status kx_concat_vjp(kx_planner *p, kx_unit *u, kx_grad g);
kldve_status kx_view_vjp(kx_planner *p, kx_unit *u, kx_grad g);
/** The operator's own VJP: dout [nout] plain (-1: none) -> a new plain buffer for in[which]. */
kldve_status kx_node_vjp(kx_planner *p, kx_unit *u, const int32_t *dout, int32_t which,
                         kx_grad *out);

/** Once, before the steps: what relevance propagation has to know of every value. */
void kx_lrp_mark(kx_planner *p);
/** The steps that take relevance from a unit's output to its operands. */
kldve_status kx_lrp_unit(kx_planner *p, kx_unit *u);

/* ---- running
 * --------------------------------------------------------------------------------------- */

typedef struct kx_state kx_state;

/** @param plan  Immutable, outlives the state. */
kldve_status kx_state_new(kldve_ctx *ctx, const kx_plan *plan, kx_state **out);
void kx_state_free(kx_state *s);
kldve_status kx_state_forward(kx_state *s, const float *input, float *logits, float *features);
/** From the layer on; what reaches the logits around it stays that of the last forward pass. */
kldve_status kx_state_forward_features(kx_state *s, const float *features, float *logits);
/** to: 0 the layer, 1 the input.  rule: a kldve_rule, for activations. */
kldve_status kx_state_vjp(kx_state *s, int to, int32_t rule, const float *cotangent,
                          float *gradient);
/** To the input of a plan with `biases`. */
kldve_status kx_state_vjp_biases(kx_state *s, const float *cotangent, float *gradient,
                                 kldve_bias_visitor visit, void *opaque);

/** The states of several inputs of one plan, which run at the same time: see many.c. */
typedef struct kx_many kx_many;

/** @param plan     With one thread for a run.
 *  @param threads  That share the inputs. */
kldve_status kx_many_new(kldve_ctx *ctx, const kx_plan *plan, int32_t count, int threads,
                         kx_many **out);
void kx_many_free(kx_many *m);
/** [count] of what kx_state_forward() takes, one behind the other; features may be NULL. */
kldve_status kx_many_forward(kx_many *m, const float *inputs, float *logits, float *features);
/** To the layer. */
kldve_status kx_many_vjp(kx_many *m, const float *cotangents, float *gradients);

/* ---- between run.c and many.c
 * ---------------------------------------------------------------------------------- */

/** Take over an input; a cotangent.  Then come the steps. */
void kx_state_begin_forward(kx_state *s, const float *input);
kldve_status kx_state_begin_vjp(kx_state *s, int to, int32_t rule, const float *cotangent);
/** Steps [from, to) with OpenMP's threads as they are; *at: the one that failed. */
kldve_status kx_state_steps(kx_state *s, int32_t from, int32_t to, int32_t *at);
/** Describe the failure. */
kldve_status kx_state_failed(const kx_state *s, int32_t at, kldve_status st);
/** Hand out what came; NULL: not wanted. */
void kx_state_end_forward(kx_state *s, float *logits, float *features);
void kx_state_end_vjp(const kx_state *s, int to, float *gradient);
/** The operand and the result of a KX_STEP_DENSE or KX_STEP_DENSE_VJP as rows. */
size_t kx_state_dense_rows(const kx_state *s, const kx_step *step, const float **from, float **to);
/** The step itself, on rows of one or several states. */
void kx_dense_step(const kx_step *step, size_t rows, const float *const *from, float *const *to);

/** A plan and a state of its own for one kind of backward pass, made when it is first asked for. */
typedef struct kx_extra kx_extra;

/** @param g  Shared with other plans and threads; only read. */
kldve_status kx_extra_new(kldve_ctx *ctx, const kx_graph *g, const kx_plan_options *options,
                          kx_extra **out);
void kx_extra_free(kx_extra *e);
kx_state *kx_extra_state(kx_extra *e);

#endif
