/* backend.h - for people who bring their own network: the table of calls that libkldve makes.
 *
 * A backend runs one network on one input and hands back the class scores and the feature maps of
 * one layer.  If it can also give the vector-Jacobian product (VJP) - the gradient at the layer of
 * any weighted sum of the logits - every reading and method works; without it those that need no
 * gradient do, and the others return KLDVE_E_NO_VJP. */
#ifndef KLDVE_BACKEND_H
#define KLDVE_BACKEND_H

#include <kldve/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the class scores of a network are, and with that how they become probabilities.
 *
 *  A network with one score x has two classes for the library: "yes" with score x, index 0, and
 *  "no" with score 0, index 1.  They compete: p(yes) = sigmoid(x), p(no) = 1 - sigmoid(x).  One
 *  score cannot be KLDVE_SCORES_SOFTMAX; that means SIGMOID then.  See kldve_shape.single. */
typedef enum kldve_scores {
    KLDVE_SCORES_SOFTMAX = 0, /**< logits of classes of which one is right: the network itself ends
                                   in a softmax, or the backend does not say */
    KLDVE_SCORES_SIGMOID = 1, /**< each class by itself: its probability is the sigmoid of its
                                   score */
    KLDVE_SCORES_RAW = 2,     /**< the network ends in the scores; that a softmax (of one score, a
                                   sigmoid) makes them probabilities is an assumption */
    KLDVE_SCORES_NUMBER = 3   /**< one number, no class: there is no probability.  Index 0 asks why
                                   it is so high, index 1 why it is not higher */
} kldve_scores;

/** What the class scores of a network depend on beside its input. */
typedef enum kldve_picks {
    KLDVE_PICKS_NOTHING = 0, /**< nothing */
    KLDVE_PICKS_PLACE = 1,   /**< there are scores for every place of the picture, as in a
                                  segmentation: KLDVE_PICK_AT or KLDVE_PICK_OVER says of which */
    KLDVE_PICKS_ROW = 2      /**< there are scores for every row of a detector's output:
                                  KLDVE_PICK_ROW, KLDVE_PICK_BEST or KLDVE_PICK_BOX_AT says of which */
} kldve_picks;

/** Which of its scores a network is asked for.  Made by the library for kldve_backend.pick. */
typedef struct kldve_pick {
    size_t struct_size;
    /** KLDVE_PICK_OVER: [in_height][in_width], how much each pixel of the input counts, 0 or more;
     *  the sum is 1.  Borrowed for the call. */
    const float *weight;
    int32_t kind; /**< a kldve_pick_kind, not KLDVE_PICK_NONE */
    int32_t row;  /**< KLDVE_PICK_ROW: from 0.  The backend sets it for the others of a row */
    float x, y;   /**< KLDVE_PICK_AT, KLDVE_PICK_BOX_AT: in parts of the input's width and height */
    float box[4]; /**< set by the backend where has_box: x0, y0, x1, y1 in parts of the input */
    float score;  /**< set by the backend with a box: of its best class, as the file has it */
    int32_t has_box; /**< set by the backend: 1 where a row has a box */
} kldve_pick;
#define KLDVE_PICK_INIT KLDVE_INIT(kldve_pick)

/** The sizes of a network and of the layer that is explained.  All at least 1; without a layer
 * maps, height and width are 0, and only methods that explain the input itself work. */
typedef struct kldve_shape {
    size_t struct_size;
    int32_t in_channels, in_height, in_width; /**< the input, [in_channels][in_height][in_width] */
    int32_t classes;                          /**< logits, [classes]; see kldve_scores for 1 */
    int32_t maps, height, width; /**< feature maps of the layer, [maps][height][width] */
    int32_t batch;     /**< inputs that forward_many takes at once; 0 or 1: never call it */
    int32_t scores;    /**< a kldve_scores */
    int32_t all_paths; /**< 1: every way from the input to the scores passes the layer; -1: some do
                            not; 0: the backend does not say */
    int32_t single;    /**< set by the library, 0 from a backend.  1: the network has one score, and
                            `classes` is 2 */
    int32_t picks;     /**< a kldve_picks: what each explanation says with kldve_options.pick */
    int32_t in_frames; /**< frames of a film, which lie below each other: in_height is that of all
                          of them.  0 or 1: a picture */
    int32_t frames;    /**< the same of the layer, whose `height` is that of all its frames; 0 or 1:
                            none */
    /** Not 0: the backend is only the part of a network behind its layer, its head.  `forward`
     * takes so many numbers, which another program computed, in place of the input, and hands out
     * the layer's feature maps among them.  in_channels, in_height and in_width are still those of
     * the picture.  Such a network is explained by kldve_explain_features(), with methods that need
     * no pixels. */
    int64_t head;
} kldve_shape;
#define KLDVE_SHAPE_INIT KLDVE_INIT(kldve_shape)

enum {
    KLDVE_SHAPE_ROOM = 256 /**< bytes that kldve_backend.shape may write; no kldve_shape will ever
                              be larger.  A backend that wraps another one makes the same room */
};

/** Which parameters of a network become random ones: kldve_explainer_randomise(). */
typedef enum kldve_randomise {
    KLDVE_RANDOMISE_NONE = 0,       /**< none: the network as it was opened */
    KLDVE_RANDOMISE_CASCADE = 1,    /**< those of all layers from the logits down to and with one */
    KLDVE_RANDOMISE_INDEPENDENT = 2 /**< those of one layer alone */
} kldve_randomise;

/** How a backward pass treats ReLU-like activations; KLDVE_RULE_GRADIENT is the true derivative.
 *  The two rules of reversed networks also pass dy through local response normalisation as it is
 *  (Mahendran and Vedaldi 2016). */
typedef enum kldve_rule {
    KLDVE_RULE_GRADIENT = 0,      /**< dx = dy where y > 0 */
    KLDVE_RULE_GUIDED = 1,        /**< dx = dy where y > 0 and dy > 0 (Springenberg et al. 2015) */
    KLDVE_RULE_DECONVOLUTION = 2, /**< dx = dy where dy > 0 (Zeiler and Fergus 2014); reversed */
    KLDVE_RULE_LRP_EPSILON = 3,   /**< layer-wise relevance propagation (Bach et al. 2015, Montavon
                                       et al. 2019), epsilon rule, epsilon 1e-6 */
    KLDVE_RULE_LRP_ZPLUS = 4,     /**< LRP, z+ rule: positive contributions only */
    KLDVE_RULE_LRP_ALPHABETA = 5, /**< LRP, alpha 2, beta 1: positive against negative ones */
    KLDVE_RULE_LRP_COMPOSITE = 6, /**< LRP: epsilon in dense layers, z+ in convolutions, flat in the
                                       first layer (EpsilonPlusFlat) */
    KLDVE_RULE_SALIENT_DECONVOLUTION = 7 /**< as GUIDED; reversed (DeSaliNet of Mahendran and
                                              Vedaldi 2016) */
} kldve_rule;

/** What one unit of a network adds to its operands, and the gradient there.  A unit is a
 *  convolution or dense layer with everything that was merged into it, or a normalisation by
 *  itself. The library hands the visitor a copy in its own layout, whatever release the backend was
 *  compiled for. */
typedef struct kldve_bias_gradient {
    size_t struct_size;
    const char *name;      /**< of the unit in the network; borrowed, valid during the call */
    const float *bias;     /**< [maps], valid during the call */
    const float *gradient; /**< [maps][height][width], at the unit's output, before its activation;
                                valid during the call */
    int32_t maps, height, width; /**< sizes of the arrays */
    int32_t dense;    /**< 1: a dense layer; height is 1, width the number of rows, usually 1 */
    int32_t frames;   /**< of a film, below each other in `height`; 0 or 1: none */
    int32_t reserved; /**< 0 */
} kldve_bias_gradient;
#define KLDVE_BIAS_GRADIENT_INIT KLDVE_INIT(kldve_bias_gradient)

/** Called for one unit after the other, from the logits to the input.  To end the pass, describe
 * why with kldve_ctx_fail() and return anything but KLDVE_OK: the pass returns it.
 *  @param unit  Borrowed for the call. */
typedef kldve_status (*kldve_bias_fn)(void *opaque, const kldve_bias_gradient *unit);

/** One attention of a network: every query mixes the values of all keys, in shares that add up
 * to 1. Queries and keys are the same tokens: first those that have no place in the picture (a
 * class token, registers), then those of a grid over the picture, row by row.  The library hands
 * the visitor a copy in its own layout, whatever release the backend was compiled for. */
typedef struct kldve_attention {
    size_t struct_size;
    const char *name;      /**< in the network; borrowed like the arrays, valid during the call */
    const float *weights;  /**< [heads][queries][keys], the shares; a query's add up to 1 */
    const float *gradient; /**< [heads][queries][keys], of sum(cotangent * logits) at the weights;
                                NULL where no cotangent was given */
    const float *read;     /**< [queries], which tokens the scores read behind this attention: equal
                                shares that add up to 1, 0 for tokens that nothing reads any more.
                                1 at the class token of a usual transformer.  Given with the first
                                attention that is visited, NULL with the others */
    int32_t heads, queries, keys; /**< sizes of the arrays */
    int32_t lead;                 /**< tokens before those of the grid */
    int32_t height, width;        /**< of the grid: lead + height * width = queries = keys */
} kldve_attention;
#define KLDVE_ATTENTION_INIT KLDVE_INIT(kldve_attention)

/** Called for one attention after the other, from the logits to the input.  To end the pass,
 *  describe why with kldve_ctx_fail() and return anything but KLDVE_OK: the pass returns it.
 *  @param attention  Borrowed for the call. */
typedef kldve_status (*kldve_attention_fn)(void *opaque, const kldve_attention *attention);

/** The calls of a backend.  The library owns every buffer: the backend fills them and keeps no
 *  pointer to them.  All arrays are float32, row-major, without gaps.  One state is called from
 *  one thread at a time, in the order open, shape, (forward, vjp*)*, close.
 *
 *  A call that fails describes the failure with kldve_ctx_fail(), on the context that it was opened
 *  with, and returns a negative status.  Its output arrays may then hold anything.
 *
 *  The library copies the table.  A slot that is set and that the library does not have, because
 *  the backend was compiled for a newer one, is refused; kldve_version() tells which one is loaded.
 */
typedef struct kldve_backend {
    size_t struct_size; /**< sizeof(kldve_backend) where this was compiled */
    const char *name;   /**< [a-z0-9-]+, static storage */
    /** Required.  Make a state from `config`, whose type the backend defines and documents.  `ctx`
     *  outlives the state.  Sets *state on KLDVE_OK only. */
    kldve_status (*open)(kldve_ctx *ctx, const void *config, void **state);
    /** Required.  The sizes; cannot fail, they are known once open.  `out` has KLDVE_SHAPE_ROOM
     *  bytes, all zero but for struct_size: assigning a whole kldve_shape is safe whatever release
     *  the backend was compiled for.  A member set that this library does not have is refused. */
    void (*shape)(const void *state, kldve_shape *out);
    /** Required.  input [in_channels][in_height][in_width] -> logits [classes], features
     *  [maps][height][width]. */
    kldve_status (*forward)(void *state, const float *input, float *logits, float *features);
    /** Required.  Accepts NULL. */
    void (*close)(void *state);
    /* Optional from here on: NULL, or a struct_size that ends before, means "cannot". */
    /** The VJP of the last forward: cotangent at the logits [classes] -> gradient at the layer
     *  [maps][height][width].  May be called any number of times after a forward. */
    kldve_status (*vjp)(void *state, const float *cotangent, float *gradient);
    /** The VJP down to the pixels: cotangent at the logits [classes] -> gradient at the input
     *  [in_channels][in_height][in_width], under `rule` (a kldve_rule).  With the LRP rules the
     *  "cotangent" is the relevance of the logits and the "gradient" that of the input: it is
     *  propagated as given.  KLDVE_E_UNSUPPORTED for a rule it does not have. */
    kldve_status (*vjp_input)(void *state, const float *cotangent, int32_t rule, float *gradient);
    /** The rest of the network: feature maps of the layer -> logits.  For methods that change the
     *  feature maps (Ablation-CAM, Recipro-CAM).  Where the logits also depend on the input by a
     *  way around the layer (a residual), that part keeps the values of the last forward pass;
     *  KLDVE_E_ARG if there was none.  May be called any number of times; a VJP after it needs a
     *  new forward pass. */
    kldve_status (*forward_features)(void *state, const float *features, float *logits);
    /** The VJP down to the pixels, `gradient` [in_channels][in_height][in_width] under
     *  KLDVE_RULE_GRADIENT, and on the way the gradients at all biases.  Where a network is
     *  piecewise linear - ReLU, maxima - and adds no other constants,
     *  <cotangent, logits> = <gradient, input> + the sum over units of <bias, gradient there>
     *  (Srinivas and Fleuret 2019, Proposition 1). */
    kldve_status (*vjp_biases)(void *state, const float *cotangent, float *gradient,
                               kldve_bias_fn visit, void *opaque);
    /** Forward passes of exactly shape.batch inputs at once:
     *  inputs [batch][in_channels][in_height][in_width] -> logits [batch][classes], features
     *  [batch][maps][height][width] (NULL: not wanted).  Every input is computed as if it were
     *  alone.  Afterwards vjp and the other calls of one input need a new forward pass. */
    kldve_status (*forward_many)(void *state, const float *inputs, float *logits, float *features);
    /** The VJPs of the last forward_many: cotangents [batch][classes] -> gradients at the layer
     *  [batch][maps][height][width].  Any number of times. */
    kldve_status (*vjp_many)(void *state, const float *cotangents, float *gradients);
    /** What the backend chose by itself and what everyone who sees its results should know:
     * sentences by number from 0, NULL past the last.  Without a full stop; they live as long as
     * the state. Cannot fail; may be called between any two other calls. */
    const char *(*note)(const void *state, int32_t index);
    /** The attentions of the last forward pass, from the logits to the input; each mixes what the
     *  next one that is visited hands on.  Any number of times after a forward.
     *  @param cotangent  At the logits, [classes]; NULL: no gradients are wanted.
     *  KLDVE_E_UNSUPPORTED where the network has none, or one that does not see all tokens of the
     *  others (windows, pooled keys): then the message says which. */
    kldve_status (*attentions)(void *state, const float *cotangent, kldve_attention_fn visit,
                               void *opaque);
    /** With shape.picks: from now on the scores are those of `pick`, in every call, until the next
     *  one.  Comes after the forward pass of the input that is explained, whose scores go to logits
     *  [classes].  For KLDVE_PICK_BEST and KLDVE_PICK_BOX_AT that pass says which row it is, and
     *  it stays that row.  KLDVE_E_ARG where there is no such row. */
    kldve_status (*pick)(void *state, kldve_pick *pick, float *logits);
    /** Whether an explanation can have what it needs of this network, beyond that the slots are
     *  there; asked before any pass.  KLDVE_OK, or what the slots would return, with its message.
     *  What later calls need may be made here, as long as nothing runs.  NULL: all slots work.
     *  @param needs  KLDVE_NEED_* (method.h).
     *  @param rule   a kldve_rule, of gradients at the pixels. */
    kldve_status (*can)(void *state, uint64_t needs, int32_t rule);
    /** The layers that have parameters, by number from 0, from the logits to the input: *name
     *  becomes what the network calls that layer, which lives as long as the state.
     *  KLDVE_E_NOT_FOUND past the last, without a message.  May be called between any two calls. */
    kldve_status (*parameters)(void *state, int32_t index, const char **name);
    /** From now on the network has other parameters, as kldve_explainer_randomise() says of `kind`,
     *  `layer` and `seed`; sizes stay.  KLDVE_RANDOMISE_NONE: its own again, with the same bits.
     *  Later calls need a new forward pass.  After a failure the network is as before.
     *  KLDVE_E_ARG where there is no such layer. */
    kldve_status (*randomise)(void *state, int32_t kind, int32_t layer, uint64_t seed);
} kldve_backend;
#define KLDVE_BACKEND_INIT KLDVE_INIT(kldve_backend)

/** Record why a call fails and return `status`: `return kldve_ctx_fail(ctx, status, "why");`
 *  @param status   What is returned.
 *  @param ctx      NULL: nothing is recorded.  Without a message the name of the status is.
 *  @param message  Copied and cut at 511 bytes; made printable, see kldve_printable().
 *  @return `status`.
 *  @since 0.1 */
KLDVE_API kldve_status kldve_ctx_fail(kldve_ctx *ctx, kldve_status status, const char *message);

/** kldve_ctx_fail() with a printf format.
 *  @param status  What is returned.
 *  @param format  The message, printf; more arguments follow.
 *  @return `status`.
 *  @since 0.1 */
KLDVE_API kldve_status kldve_ctx_failf(kldve_ctx *ctx, kldve_status status, const char *format, ...)
    KLDVE_PRINTF(3, 4);

/** Record that something is above a limit of the context (kldve_ctx_set_limit()).  The message goes
 *  on with the name of the limit, how high it is and how to raise it.
 *  @param ctx     NULL: nothing is recorded.
 *  @param limit   A kldve_limit.
 *  @param format  What is too large, printf: "NAME: 70000000 bytes of labels".
 *  @return KLDVE_E_LIMIT
 *  @since 0.1 */
KLDVE_API kldve_status kldve_ctx_fail_limit(kldve_ctx *ctx, int32_t limit, const char *format, ...)
    KLDVE_PRINTF(3, 4);

/** Allocate `count` items of `nbytes` with the context's allocator.  The memory is aligned to 64
 *  bytes and not cleared; free it with kldve_ctx_release().  0 items give a valid pointer.
 *  @param count,nbytes  Items, and the bytes of one.
 *  @return NULL if the product overflows, the context would hold more than KLDVE_LIMIT_MEMORY, or
 * the allocator fails.
 *  @since 0.1 */
KLDVE_API void *kldve_ctx_alloc(const kldve_ctx *ctx, size_t count, size_t nbytes);

/** Free what kldve_ctx_alloc() gave.  Accepts NULL.
 *  @param memory  NULL: nothing happens.
 *  @since 0.1 */
KLDVE_API void kldve_ctx_release(const kldve_ctx *ctx, void *memory);

/** Copy a caller's struct, of whatever release, into yours.  Members that an older caller lacks
 *  become zero, which means "default".  Every function of the library that takes a struct begins
 *  with this; use it for the config of your backend.  After a success the message is "".
 *  @param size  sizeof your struct.
 *  @param ctx   May be NULL: the failure has no message then.
 *  @param name  The type, for the message, for example "kldve_options".
 *  @param src   The caller's struct, which begins with its size; NULL: all defaults.
 *  @param dst   [size] bytes, written on KLDVE_OK only; its struct_size becomes `size`.
 *  @return KLDVE_OK; KLDVE_E_ARG (`name` or `dst` is NULL, struct_size is not set);
 *          KLDVE_E_UNSUPPORTED (the caller is newer and has set a member beyond `size`).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_struct_load(kldve_ctx *ctx, const char *name,
                                                          const void *src, void *dst, size_t size);

/** Fill in a caller's struct, of whatever release, from yours.  Members that only a newer caller
 *  has become zero.
 *  @param name  As for kldve_struct_load().
 *  @param size  sizeof your struct.
 *  @param ctx  As for kldve_struct_load().
 *  @param src  [size] bytes.
 *  @param dst  The caller's, who has set its struct_size, which stays.
 *  @return KLDVE_OK; KLDVE_E_ARG (`name`, `src` or `dst` is NULL, or struct_size of `dst` is not
 *          set; nothing is written).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_struct_store(kldve_ctx *ctx, const char *name,
                                                           const void *src, size_t size, void *dst);

/** Report progress to the context's callback: `done` of `total` steps of `stage` are done; and
 * poll.
 *  @param done,total  Steps of this stage.
 *  @param stage  Borrowed until the next report, or until the call of the host returns.
 *  @return As kldve_ctx_poll(); KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_ctx_progress(kldve_ctx *ctx, const char *stage,
                                                           int64_t done, int64_t total);

/** Has the call under way to end?  For the slots of backends, methods and metrics: call it about
 *  every 10 ms, in the thread that the slot was called in, and return what it returns.  It costs
 *  two loads and a look at the clock, and now and then calls the progress callback.
 *  @param ctx  NULL: KLDVE_OK.
 *  @return KLDVE_OK; KLDVE_E_CANCELLED or KLDVE_E_DEADLINE, with its message set.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_ctx_poll(kldve_ctx *ctx);

/** For other threads that work for a slot: 1 once the call under way has to end, else 0.  Two
 *  atomic loads; the deadline is seen once the thread of the call has polled.
 *  @param ctx  NULL: 0.
 *  @since 0.1 */
KLDVE_API int32_t kldve_ctx_stopping(const kldve_ctx *ctx);

/** Hand a line to the log of the context, if it wants lines of that level.
 *  @param format  The line, printf; more arguments follow.
 *  @param ctx    NULL: nothing happens, nor without a format.
 *  @param level  a kldve_log_level.
 *  @since 0.1 */
KLDVE_API void kldve_ctx_logf(kldve_ctx *ctx, int32_t level, const char *format, ...)
    KLDVE_PRINTF(3, 4);

/** Begin a function of your own that a host calls with a context, and that can be stopped: a
 *  library on top of this one does what kldve_explain() does.  The message becomes "", and the
 *  deadline begins.  Calls may lie within each other; the earliest deadline counts.
 *  @param call          What it does, for messages until there is a stage; borrowed until its end.
 *  @param milliseconds  The deadline; 0: that of the context.
 *  @return For kldve_ctx_leave().  Without a name the call is "a call".
 *  @since 0.1 */
KLDVE_API double kldve_ctx_enter(kldve_ctx *ctx, const char *call, double milliseconds);

/** End it.  After a success the message is "".  The outermost call uses up a cancel that it
 *  returns.
 *  @param status  How the function ends.
 *  @param before  What kldve_ctx_enter() returned.
 *  @return `status`.
 *  @since 0.1 */
KLDVE_API kldve_status kldve_ctx_leave(kldve_ctx *ctx, double before, kldve_status status);

#ifdef __cplusplus
}
#endif
#endif
