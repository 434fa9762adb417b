/* method.h - for people who bring their own explanation method, and for lists of all methods.
 *
 * A method turns what one forward pass left behind into a map.  It fills in up to three slots, in
 * the order in which the library calls them:
 *
 *     cotangent   what to back-propagate from the logits         (else: 1 at the target)
 *     weights     one number for each feature map                (else: there are none)
 *     map         the map itself                                 (else: ReLU of the weighted sum)
 *
 * The library does the forward pass, the choice of the target, the KL divergence, the backward
 * pass and, at the end, the normalisation to 0..1. */
#ifndef KLDVE_METHOD_H
#define KLDVE_METHOD_H

#include <kldve/kldve.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a method needs.  Checked before any work: the call fails with KLDVE_E_NO_VJP or
 *  KLDVE_E_UNSUPPORTED, naming what is missing. */
enum {
    KLDVE_NEED_FEATURES = 1,          /**< the feature maps of the layer */
    KLDVE_NEED_GRADIENT = 2,          /**< the gradient at the layer: kldve_backend.vjp */
    KLDVE_NEED_INPUT_GRADIENT = 4,    /**< gradients at the pixels: kldve_backend.vjp_input */
    KLDVE_NEED_FORWARDS = 8,          /**< more forward passes, of changed inputs */
    KLDVE_NEED_FEATURE_FORWARDS = 16, /**< forward passes from changed feature maps:
                                           kldve_backend.forward_features */
    KLDVE_NEED_BIAS_GRADIENT = 32,    /**< gradients at the biases: kldve_backend.vjp_biases */
    KLDVE_NEED_ATTENTION = 64         /**< the attentions: kldve_backend.attentions */
};

/** The size of the map that a method makes. */
typedef enum kldve_resolution {
    KLDVE_RESOLUTION_CELLS = 0, /**< of the layer, [height][width] */
    KLDVE_RESOLUTION_PIXELS = 1 /**< of the network's input, [in_height][in_width] */
} kldve_resolution;

/** Options that change the map of some methods only.  kldve_explain() refuses the first five and
 *  the last for a method that does not read them.  The others always change the divergence that the
 * record holds and are never refused. */
enum {
    KLDVE_OPTION_SAMPLES = 1,
    KLDVE_OPTION_WINDOW = 2,
    KLDVE_OPTION_STRIDE = 4,
    KLDVE_OPTION_NOISE = 8,
    KLDVE_OPTION_SEED = 16,
    KLDVE_OPTION_TEMPERATURE = 32,
    KLDVE_OPTION_PERPLEXITY = 64,
    KLDVE_OPTION_TRUTH = 128,
    KLDVE_OPTION_NEIGHBOUR_PERPLEXITY = 256 /**< and for the reading `neighbours` only */
};

/** What a method is. */
enum {
    KLDVE_METHOD_CONTROL = 1 /**< a control: it explains nothing, and shows what an explanation has
                                  to beat.  Lists mark it, and its note says so */
};

/** The entry of a method, below. */
typedef struct kldve_method kldve_method;

/** One explanation in progress, as a method sees it.  Everything is borrowed and valid during the
 *  call.  Only the library makes one, so its size is the library's: ask KLDVE_HAS(job, member)
 *  before you read a member that is newer than 0.1. */
typedef struct kldve_job {
    size_t struct_size;
    kldve_ctx *ctx;               /**< for memory, polls and messages */
    const kldve_method *method;   /**< whose slot is called */
    const kldve_options *options; /**< every default filled in */
    const kldve_shape *shape; /**< in_* are 0 where there is no network (kldve_explain_arrays()) */
    const kldve_divergence *divergence; /**< the scores are set */
    const float *input;     /**< [in_channels][in_height][in_width]; NULL without a network, and
                               where it is open behind its layer only (kldve_shape.head) */
    const float *logits;    /**< [classes], as the network gave them */
    const float *features;  /**< [maps][height][width]; NULL within kldve_arrays_cotangent() */
    const float *gradient;  /**< [maps][height][width], of sum(cotangent * logits) at the layer;
                                 NULL before the backward pass or if the method needs none */
    const double *alpha;    /**< [classes], the standardised gradient of the divergence, Eq. (2) */
    const double *weights;  /**< [maps], what weights() made; NULL before */
    int32_t target;         /**< index of the class to explain */
    int32_t flat;           /**< 1: alpha is zero because all scores are equal */
    const float *cotangent; /**< [classes], what cotangent() made, for methods that need a gradient
                                 at the layer or at the pixels, or attentions; NULL before */
    /** Size of the map: where a method with `random` puts the standard error of each of its values,
     *  zeros at first.  NULL for other methods, and within a map that is only part of the result.
     */
    float *error;
} kldve_job;
#define KLDVE_JOB_INIT KLDVE_INIT(kldve_job)

/** What is explained, as one number. */
typedef enum kldve_score {
    KLDVE_SCORE_LOGIT = 0,       /**< the logit, the mean of those of a set, the difference to that
                                      of the rival; of one score always the difference of "yes" and
                                      "no" */
    KLDVE_SCORE_PROBABILITY = 1, /**< of the logits over the temperature, by kldve_shape.scores: at
                                      the target, that of any class of a set, the difference to the
                                      rival; of a number the number itself */
    KLDVE_SCORE_LOG_ODDS = 2     /**< log2(p / (1 - p)) of the probability p; versus: the
                                      difference of the two; of a number the number itself */
} kldve_score;

/** A method.  A slot that fails describes the failure with kldve_ctx_fail() and returns a negative
 *  status.  Slots must give the same bits for the same job, and keep nothing for the next one: of
 *  several inputs (kldve_explain_many()) all may come to a slot before the first comes to the next.
 */
struct kldve_method {
    size_t struct_size;  /**< sizeof(kldve_method) where this was compiled */
    const char *name;    /**< for kldve_options.method, [a-z0-9+-]+ */
    const char *title;   /**< as it is written in texts, UTF-8: "Grad-CAM++"; NULL: as `name` */
    const char *summary; /**< what it does, a verb first, one line; NULL: not said */
    const char *source;  /**< where the method was published, one line */
    uint64_t needs;      /**< KLDVE_NEED_*, with any options */
    uint64_t readings;   /**< the values of kldve_options.reading that it tells apart, 1 << reading
                              for each; 0: it has no readings and ignores the option */
    uint64_t options;    /**< KLDVE_OPTION_*: those that its map depends on, in some reading */
    int32_t resolution;  /**< a kldve_resolution */
    int32_t sign;        /**< a kldve_sign: what its authors show where options.sign does not say;
                              KLDVE_SIGN_DEFAULT: all values as they are, the smallest at 0 */
    int32_t random;      /**< 1: draws random numbers from options.seed and fills in job->error */
    int32_t rule;        /**< a kldve_rule: that of its gradients at the pixels */
    const void *opaque;  /**< for the slots: job->method->opaque */
    /** What it needs with these options, a part of `needs`; NULL: always all of it. */
    uint64_t (*needs_with)(const kldve_options *options);
    /** The cotangent at the logits, [classes].  Called where a gradient at the layer or at the
     *  pixels, or attentions are needed.  NULL: 1 at the target, 0 elsewhere; 1 / count at the
     *  classes of a set; 1 at the target and -1 at the rival or, of a network with one score, at
     *  the other class. */
    kldve_status (*cotangent)(const kldve_job *job, double *cotangent);
    /** One weight for each feature map, [maps].  NULL: none; `map` is required then. */
    kldve_status (*weights)(const kldve_job *job, double *weights);
    /** The map, of `resolution`, before normalisation; any finite numbers.  NULL: the positive part
     *  of the sum of weights times feature maps. */
    kldve_status (*map)(const kldve_job *job, float *map);
    /** What everyone who sees a map made with these options should know: a clause without a full
     *  stop, static storage, or NULL.  The slot may be NULL. */
    const char *(*note)(const kldve_options *options);
    /** What everyone who sees this one map should know, called when it is made: a clause without a
     *  full stop, static storage, or NULL.  The slot may be NULL. */
    const char *(*remark)(const kldve_job *job);
    uint64_t flags; /**< KLDVE_METHOD_* */
    /** KLDVE_RESULT_* that the method knows this one map to have, called when it is made:
     *  KLDVE_RESULT_CLASS_INDIFFERENT where the map does not depend on the target, and whatever the
     *  library cannot see.  NULL: none. */
    uint64_t (*result_flags)(const kldve_job *job);
};
#define KLDVE_METHOD_INIT KLDVE_INIT(kldve_method)

/** Make a host's own method known to a context, under its name.
 *  @param method  Copied.  Its strings and `opaque` are borrowed and must outlive the context.
 *  @return KLDVE_OK; KLDVE_E_ARG (a name that is empty, malformed or taken; neither weights nor
 *          map; unknown needs, readings or resolution); KLDVE_E_UNSUPPORTED (it sets a member that
 *          this library does not have); KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_method_register(kldve_ctx *ctx,
                                                              const kldve_method *method);

/** The methods by number from 0, the library's first, then those registered with `ctx` (which may
 *  be NULL).
 *  @param out  Borrowed: static storage, or it lives as long as the context.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (past the last), KLDVE_E_ARG (`out` is NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_method_at(const kldve_ctx *ctx, int32_t index,
                                       const kldve_method **out);

/** The method of that name, among the same.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND, KLDVE_E_ARG (`name` or `out` is NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_method_find(const kldve_ctx *ctx, const char *name,
                                         const kldve_method **out);

/** Run one more forward pass, of a changed input [in_channels][in_height][in_width] -> logits
 *  [classes].  job->logits and job->features stay those of the explained input.  The backward calls
 *  below are about the last of these passes.
 *  @param input   [in_channels][in_height][in_width].
 *  @param logits  [classes], written on KLDVE_OK.
 *  @return KLDVE_OK, KLDVE_E_NUMERIC (a logit is NaN or infinite), or what the backend returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_job_forward(const kldve_job *job, const float *input,
                                                          float *logits);

/** Forward passes of `count` inputs [count][in_channels][in_height][in_width] -> logits
 *  [count][classes], shape->batch of them at a time where that is more than 1: best a multiple of
 *  it.  As kldve_job_forward(), but the backward calls after it are about the explained input,
 *  which the first of them runs again.
 *  @param inputs  [count][in_channels][in_height][in_width].
 *  @param logits  [count][classes], written on KLDVE_OK.
 *  @return As kldve_job_forward(); KLDVE_E_ARG (count below 1).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_job_forward_many(const kldve_job *job,
                                                               const float *inputs, int32_t count,
                                                               float *logits);

/** What is explained, of other logits [classes], as one number.
 *  @param logits  [classes].
 *  @param kind  a kldve_score.
 *  @return The number; NaN where an argument is NULL or `kind` is no kldve_score.
 *  @since 0.1 */
KLDVE_API double kldve_job_score(const kldve_job *job, const float *logits, int32_t kind);

/** The gradient at the layer, [maps][height][width], of sum(cotangent * logits) of the last forward
 *  pass.
 *  @param cotangent  [classes].
 *  @param gradient   [maps][height][width], written on KLDVE_OK.
 *  @return KLDVE_OK, KLDVE_E_NUMERIC (NaN or infinity in it), or what the backend returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_job_vjp(const kldve_job *job, const float *cotangent,
                                                      float *gradient);

/** The gradient at the input, [in_channels][in_height][in_width], under `rule` (a kldve_rule).
 *  @param cotangent  [classes].
 *  @param rule       A kldve_rule.
 *  @param gradient   [in_channels][in_height][in_width], written on KLDVE_OK.
 *  @return As kldve_job_vjp(); KLDVE_E_UNSUPPORTED (the backend lacks the rule).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_job_vjp_input(const kldve_job *job,
                                                            const float *cotangent, int32_t rule,
                                                            float *gradient);

/** The gradient at the input, as kldve_job_vjp_input() under KLDVE_RULE_GRADIENT, and on the way
 *  the gradients at all biases: `visit` is called with `opaque` for one unit after the other.
 *  @param cotangent  [classes].
 *  @param gradient   [in_channels][in_height][in_width], written on KLDVE_OK.
 *  @param visit      Called for one unit after the other.
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (the backend has no vjp_biases, or the network a unit
 *          whose bias is out of reach); KLDVE_E_NUMERIC (NaN or infinity at the input); or what
 *          `visit` returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_job_vjp_biases(const kldve_job *job,
                                                             const float *cotangent,
                                                             float *gradient, kldve_bias_fn visit,
                                                             void *opaque);

/** The attentions of the last forward pass, from the logits to the input: `visit` is called with
 *  `opaque` for one after the other.
 *  @param visit      Called for one attention after the other.
 *  @param cotangent  [classes], for the gradients at them; NULL: without.
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (the backend has no `attentions`; the network has none, or
 *          some that do not see all tokens); KLDVE_E_ARG (the backend handed out sizes that do not
 *          fit); KLDVE_E_NUMERIC (NaN or infinity in weights or gradients); or what `visit`
 *          returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_job_attentions(const kldve_job *job,
                                                             const float *cotangent,
                                                             kldve_attention_fn visit,
                                                             void *opaque);

/** The rest of the network: changed feature maps [maps][height][width] -> logits [classes].
 *  @param features  [maps][height][width].
 *  @param logits    [classes], written on KLDVE_OK.
 *  @return As kldve_job_forward(); KLDVE_E_UNSUPPORTED (the backend cannot).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_job_forward_features(const kldve_job *job,
                                                                   const float *features,
                                                                   float *logits);

#ifdef __cplusplus
}
#endif
#endif
