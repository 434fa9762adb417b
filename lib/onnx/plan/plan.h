/* plan.h - from graph to a list of steps on buffers with fixed places: what api/ and run/ see of a
 * plan.  What the planning files share is in planner.h; plan.c is the table of contents.
 *
 * A plan is immutable once built: any number of threads may run it, each with a state of its own.
 */
#ifndef KLDVE_ONNX_PLAN_H
#define KLDVE_ONNX_PLAN_H

#include <math.h>

#include "accel/accel.h"
#include "graph/graph.h"

/* ---- the plan -------------------------------------------------------------------------------- */

typedef struct kx_buffer {
    size_t bytes;
    int32_t first, last; /**< steps between which it holds something */
    size_t offset;       /**< in a state's memory; before places are given: in `whole` */
    int32_t whole;       /**< the buffer of a concatenation that this one is a part of, or -1 */
    bool joined;         /**< is or has a part: what is written to it shows in another one */
    void *fixed;         /**< weights and constants: the shared address; else NULL */
} kx_buffer;

/** Numbers are clamped to [lo, hi]: {0, inf} is the positive part, {1, 1} gives ones. */
typedef struct kx_range {
    float lo, hi;
} kx_range;

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

/** Is a kldve_rule one of relevance propagation? */
static inline bool kx_rule_is_lrp(int32_t rule)
{
    return rule >= KLDVE_RULE_LRP_EPSILON && rule <= KLDVE_RULE_LRP_COMPOSITE;
}
/** Does a kldve_rule pass over local response normalisation? */
static inline bool kx_rule_is_reversed(int32_t rule)
{
    return rule == KLDVE_RULE_DECONVOLUTION || rule == KLDVE_RULE_SALIENT_DECONVOLUTION;
}
/** Every number. */
static inline kx_range kx_whole(void)
{
    return (kx_range){-INFINITY, INFINITY};
}
static inline float kx_clamp(kx_range r, float x)
{
    return x < r.lo ? r.lo : x > r.hi ? r.hi : x;
}

/** A dense layer: out = x W + bias. */
struct kx_dense {
    int64_t m, k, n;      /**< x [m][k], out [m][n] */
    bool transposed;      /**< weights are [n][k], else [k][n] */
    const float *weights; /**< in the file's bytes, perhaps unaligned */
    const float *bias;    /**< [n] or NULL */
};

/* ---- kernels of our own: dense.c, kernels.c, relevance.c ------------------------------------- */

/** Compiled for wider vectors too and chosen when the library is loaded: too early for a sanitizer,
 * whose checks are not set up then. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KX_WIDE __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define KX_WIDE
#endif

/** A few rows are bound by reading the matrix, for which dense.c has kernels; more are a matrix
 *  product for oneDNN. */
enum { KX_DENSE_ROWS = 4 };

/** Weights lie where the file put them, perhaps not even at a multiple of 4 bytes. */
typedef float kx_unaligned_float __attribute__((aligned(1)));

/** out[r] [n] = act(x[r] [k] W + bias), r < rows, at addresses of their own.  Weights are read once, in
 *  the order of memory; rows of an [k][n] matrix that meet only zeros of x are not read. */
void kx_dense_forward(const struct kx_dense *d, kx_act act, size_t rows, const float *const *x,
                      float *const *out);
/** dx[r] [k] = dy[r] [n] W^T.  Rows of an [n][k] matrix that meet only zeros of dy are not read. */
void kx_dense_vjp(const struct kx_dense *d, size_t rows, const float *const *dy, float *const *dx);
/** y = f(x), in place or not. */
void kx_act_forward(kx_act act, size_t n, const float *x, float *y);
/** dx = f' dy under a kldve_rule; seen is y, or x for SWISH and HARDSWISH.  In place or not. */
void kx_act_vjp(kx_act act, int32_t rule, size_t n, const float *seen, const float *dy, float *dx);
void kx_add(size_t n, const float *a, const float *b, float *out);

void kx_clamp_all(kx_range range, size_t n, const float *x, float *y);
/** s = factor r / stabilise(z + z1); z1 may be NULL; off: 0 where z is 0.  In place of r or not. */
void kx_lrp_share(size_t n, const float *z, const float *z1, float factor, bool off, const float *r,
                  float *s);
/** out = clamp(x) g + addend; addend may be NULL.  In place of g or addend or not. */
void kx_lrp_take(kx_range range, size_t n, const float *x, const float *g, const float *addend,
                 float *out);
/** Dense layers with clamped weights and bias, which may be NULL. */
void kx_dense_part(const struct kx_dense *d, kx_range range, const float *bias, const float *x,
                   float *out);
void kx_dense_part_vjp(const struct kx_dense *d, kx_range range, const float *dy, float *dx);

/* ---- running --------------------------------------------------------------------------------- */

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

/* ---- between run.c and many.c ---------------------------------------------------------------- */

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
