/* step_list.h - a plan: a list of steps on buffers with fixed places.  Making one is plan.h's.
 *
 * A plan is immutable once built: any number of threads may run it, each with a state of its own.
 */
#ifndef KLDVE_ONNX_STEP_LIST_H
#define KLDVE_ONNX_STEP_LIST_H

#include "accel/accel.h"
#include "accel/byte_desc.h"
#include "accel/range.h"
#include "accel/team.h"
#include "graph/graph.h"

typedef struct kx_buffer {
    size_t bytes;
    int32_t first, last; /**< steps between which it holds something */
    size_t offset;       /**< in a state's memory; before places are given: in `whole` */
    int32_t whole;       /**< the buffer of a concatenation that this one is a part of, or -1 */
    bool joined;         /**< is or has a part: what is written to it shows in another one */
    void *fixed;         /**< weights and constants: the shared address; else NULL */
} kx_buffer;

typedef struct kx_packed kx_packed; /* packed.h */

typedef enum kx_step_kind {
    KX_STEP_PRIM,      /**< a primitive */
    KX_STEP_NODE,      /**< the operator's own kernel */
    KX_STEP_NODE_VJP,  /**< the operator's own VJP, added to a cotangent */
    KX_STEP_DENSE,     /**< x W + bias, activated */
    KX_STEP_DENSE_VJP, /**< dy W^T */
    KX_STEP_ACT,       /**< to = act(from) */
    KX_STEP_ACT_VJP,   /**< to = act'(seen) from */
    KX_STEP_ROWS,      /**< to = rows of from */
    KX_STEP_BYTES,     /**< on integers of 8 bits */
    KX_STEP_ROWS_VJP,  /**< to = their VJP from `from`, where `seen` is x or y */
    KX_STEP_TILES_IN,  /**< to = tiles of from, transformed (run/winograd.h) */
    KX_STEP_TILES_OUT, /**< to = products of tiles transformed back, + bias, rectified or not */
    KX_STEP_ADD,       /**< to = a + b */
    KX_STEP_ZERO,      /**< to = 0 */
    KX_STEP_VISIT,     /**< hand out the gradient at a bias */
    KX_STEP_ATTEND,    /**< hand out an attention and the gradient there */
    /* of relevance, see plan/relevance.h */
    KX_STEP_CLAMP,         /**< to = range of from */
    KX_STEP_SHARE,         /**< to = factor from / (z + z1) */
    KX_STEP_TAKE,          /**< to = range of x times g + addend */
    KX_STEP_DENSE_PART,    /**< DENSE without activation, weights and bias in range */
    KX_STEP_DENSE_PART_VJP /**< DENSE_VJP with the weights in range */
} kx_step_kind;

/** Numbers below that are not said to be something else are buffers; -1: none. */
typedef struct kx_prim_step {
    const kx_prim *prim;
    const int32_t *buf; /**< [KX_SLOTS] */
} kx_prim_step;

typedef struct kx_node_step {
    int32_t *list; /**< [nin] operands, [nout] results, [nout] cotangents of results */
    int32_t scratch;
    int32_t which; /**< of a VJP: the number of the input */
    int32_t din;   /**< of a VJP: added to */
} kx_node_step;

typedef struct kx_dense_step {
    kx_dense layer;
    kx_act act;     /**< of DENSE */
    kx_range range; /**< of the PARTs */
    int32_t from, to;
    int32_t bias; /**< of DENSE_PART */
} kx_dense_step;

typedef struct kx_act_step {
    kx_act act;
    size_t count;
    int32_t seen, from, to;
} kx_act_step;

typedef struct kx_rows_step {
    kx_rows rows;
    int32_t seen, from, to;
} kx_rows_step;

typedef struct kx_bytes_step {
    const kx_bytes *work;
    int32_t from, second, to, scratch;
} kx_bytes_step;

typedef struct kx_tiles_step {
    kx_tiles tiles;
    bool relu; /**< of TILES_OUT */
    int32_t from, to;
    int32_t bias; /**< of TILES_OUT */
} kx_tiles_step;

typedef struct kx_add_step {
    size_t count;
    int32_t a, b, to;
} kx_add_step;

typedef struct kx_zero_step {
    size_t bytes;
    int32_t to;
} kx_zero_step;

typedef struct kx_visit_step {
    bool dense;                  /**< the gradient is [cells][maps], else [maps][height][width] */
    int32_t maps, height, width; /**< numbers */
    int32_t frames;              /**< in `height` */
    int32_t bias, gradient;
    int32_t turned; /**< for a dense gradient of several cells as [maps][cells] */
} kx_visit_step;

/** One attention of the network, [heads][tokens][tokens]. */
typedef struct kx_attention {
    const kx_node *node; /**< its output 0 is the attention */
    int32_t heads, tokens;
    int32_t lead, height, width; /**< tokens before the grid, and the grid */
} kx_attention;

typedef struct kx_attend_step {
    const kx_attention *attention;
    int32_t weights, gradient;
    int32_t read; /**< [tokens], for which of them the scores read; of the last attention only */
} kx_attend_step;

typedef struct kx_clamp_step {
    kx_range range;
    size_t count;
    int32_t from, to;
} kx_clamp_step;

typedef struct kx_share_step {
    float factor;
    bool off; /**< where the divisor is exactly 0 there is nothing to share */
    size_t count;
    int32_t z, z1, from, to;
} kx_share_step;

typedef struct kx_take_step {
    kx_range range;
    size_t count;
    int32_t x, g, addend, to;
} kx_take_step;

typedef struct kx_step {
    kx_step_kind kind;
    const kx_node *node; /**< for messages, and for its kernels; NULL: of no node */
    bool head;           /**< of the forward steps: one from the layer to the logits */
    /** A VJP of local response normalisation: rules of reversed networks copy `from` to `to`, count
     *  floats, instead.  count 0: another step. */
    struct {
        size_t count;
        int32_t from, to;
    } passed;
    union {
        kx_prim_step prim;
        kx_node_step node_kernel; /**< NODE, NODE_VJP */
        kx_dense_step dense;      /**< DENSE, DENSE_VJP, DENSE_PART, DENSE_PART_VJP */
        kx_act_step act;          /**< ACT, ACT_VJP */
        kx_rows_step rows;        /**< ROWS, ROWS_VJP */
        kx_tiles_step tiles;      /**< TILES_IN, TILES_OUT */
        kx_bytes_step bytes;
        kx_add_step add;
        kx_zero_step zero;
        kx_visit_step visit;
        kx_attend_step attend;
        kx_clamp_step clamp;
        kx_share_step share;
        kx_take_step take;
    } as;
} kx_step;

/** Steps [from, to); empty: not asked for. */
typedef struct kx_step_range {
    int32_t from, to;
} kx_step_range;

/** Where a VJP ends. */
typedef enum kx_target { KX_TO_LAYER, KX_TO_INPUT, KX_TARGETS } kx_target;

/** Where something that the caller hands in lies: float32 for the caller. */
typedef struct kx_given {
    int32_t buffer;
    size_t count;
    bool whole; /**< the buffer holds int64 */
} kx_given;

/** Where something that the caller hands in or out lies: plain float32. */
typedef struct kx_port {
    int32_t buffer; /**< -1: none */
    size_t count;
} kx_port;

typedef struct kx_plan {
    kldve_ctx *ctx;
    const kx_graph *graph; /**< immutable: other plans and threads read it, too */
    kx_arena arena;        /**< lists of buffers, scale vectors, copies of constants */
    kx_accel *accel;
    int threads;
    kx_home home; /**< where it was planned, by which thread */
    int32_t nstep, nbuffer;
    kx_step *step;
    kx_buffer *buffer;
    kx_step_range forward, vjp[KX_TARGETS];
    /** Steps that bring feature maps from outside, `entry`, to where the layer lies. */
    kx_step_range enter;
    kx_port entry;
    bool aside;      /**< the steps behind the layer also read what does not come through it */
    kx_given *given; /**< [ngiven] what the caller hands in, one behind the other */
    int32_t ngiven;
    size_t given_count; /**< numbers of all of them */
    kx_port logits, features;
    kx_port cotangent[KX_TARGETS], gradient[KX_TARGETS];
    kx_packed *packed; /**< [npacked], what this plan owns */
    int32_t npacked;
    int32_t nattention;
    kx_attention *attention; /**< [nattention], in the order of computation */
    size_t state_bytes;      /**< memory of a state */
    size_t packed_bytes;     /**< of what it owns */
    size_t passing_bytes;    /**< while it was made, beside what it keeps: at most */
} kx_plan;

typedef struct kx_plan_options {
    const kx_value *input, *layer, *logits; /**< layer may be NULL without a VJP */
    /** [ngiven] tensors of numbers that are handed in instead of the input: what makes them is not
     * planned.  ngiven 0: the input itself. */
    kx_value *const *given;
    int32_t ngiven;
    bool vjp, vjp_input, plain;
    bool measure; /**< make a plan that cannot run, only to know its sizes: no weights are packed,
                       and no primitives compiled */
    bool direct;  /**< convolutions by their sums only, without Winograd transforms */
    int32_t rule; /**< of the VJP to the input: a kldve_rule; LRP rules need a plan of their own */
    bool biases;  /**< the VJP to the input hands out the gradients at the biases, too */
    bool attentions; /**< `vjp` ends at the first attention, which `layer` (NULL) becomes, and hands
                        them all out */
    const kx_plan *lender; /**< a plan of the same file, which outlives this one: packed weights
                              that it has are not packed again; may be NULL */
    int threads;
} kx_plan_options;

#endif
