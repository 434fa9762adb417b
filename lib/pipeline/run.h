/* run.h - one explanation in progress: the job that methods see, the buffers behind it, and the
 * stages as steps on it.  explain.c says in which order they run. */
#ifndef KLDVE_LIB_RUN_H
#define KLDVE_LIB_RUN_H

#include <kldve/method.h>

#include "heatmap/heatmap.h"
#include "network.h"
#include "stages/preprocess.h"

/** Working memory, reused from call to call. */
typedef struct kldve_buffers {
    kldve_ctx *ctx;
    void *memory;    /**< of all that were made together; the first has it */
    float *logits;   /**< [classes] */
    float *features; /**< [maps][height][width] */
    float *gradient; /**< the same */
    float *seed;     /**< [classes], the cotangent in float32 */
    float *scratch;  /**< [maps] */
    double *scores;  /**< [classes], the logits in float64 */
    kldve_divergence *divergence;
    double temperature, perplexity; /**< of `divergence` */
    float *other;                   /**< the map of the other class, [other_count] */
    size_t other_count;
} kldve_buffers;

/** Make the buffers of `count` inputs, out [count].  Each array of one lies behind that of the one
 *  before, so that the first's is that of the batch: logits [count][classes] and so on.  Without
 *  logits, features and gradient if `arrays`: the caller has them.  On failure there is nothing to
 *  free. */
kldve_status kldve_buffers_new(kldve_ctx *ctx, const kldve_shape *shape, int32_t count, bool arrays,
                               kldve_buffers *out);
/** Accepts buffers that are all zero. */
void kldve_buffers_free(kldve_buffers *buffers, int32_t count);

/** Everything of one call.  `job` stays the first member: kldve_job_forward() and its kin find the
 *  rest behind it. */
typedef struct kldve_run {
    kldve_job job;
    kldve_options options;
    uint32_t needs;     /**< of the method with these options */
    const char *where;  /**< at the head of messages */
    kldve_network *net; /**< NULL: from arrays */
    kldve_buffers *buffers;
    const float *given; /**< the gradient of the arrays, may be NULL; unused with a network */
    kldve_heatmap *map;
    int32_t target, other; /**< the class to explain, the best one beside it */
    bool checking;         /**< the steps are about `other` */
    int32_t target_kind;   /**< of the options, while they are */
    kldve_timings timings; /**< of the map, from before they were */
    bool away; /**< the network's last pass was a batch: none that this job can look back on */
} kldve_run;

/** Load the options and find the method.  `shape` is borrowed.  Enough for the steps up to the
 *  cotangent. */
kldve_status kldve_run_prepare(kldve_run *run, kldve_ctx *ctx, const kldve_shape *shape,
                               const kldve_options *options, kldve_buffers *buffers);

/** See that the network, or the arrays with the gradient `given`, can give what the method needs,
 *  and that there are such classes. */
kldve_status kldve_run_admit(kldve_run *run, kldve_network *net, const float *given);

/** Make the heat map, run->map, which the caller takes over. */
kldve_status kldve_run_begin(kldve_run *run);

/* The steps.  Each reads what those before it left in the job, the buffers and the heat map. */

/** Picture -> input [in_channels][in_height][in_width]. */
kldve_status kldve_run_picture(kldve_run *run, const kldve_image *picture,
                               const kldve_input_spec *spec, float *input);
/** Input -> logits, feature maps. */
kldve_status kldve_run_forward(kldve_run *run, const float *input);
/** Logits, options -> the class to explain, the best class beside it. */
void kldve_run_target(kldve_run *run);
/** Logits -> the part of the divergence that no class enters. */
kldve_status kldve_run_scores(kldve_run *run);
/** Class -> z, KL, alpha. */
kldve_status kldve_run_divergence(kldve_run *run);
/** Alpha -> the method's cotangent. */
kldve_status kldve_run_cotangent(kldve_run *run);
/** Cotangent -> gradient at the layer. */
kldve_status kldve_run_vjp(kldve_run *run);
/** Gradient, feature maps -> one weight for each map. */
kldve_status kldve_run_weights(kldve_run *run);
/** Weights, feature maps -> map, in 0..1. */
kldve_status kldve_run_map(kldve_run *run);

/** From here on the steps are about the other class and make a map beside that of the target. */
kldve_status kldve_run_check_begin(kldve_run *run);
/** And from here on about the target again: what the check left in the record is overwritten. */
void kldve_run_check_end(kldve_run *run);
/** Map of the target, map of the other class -> class sensitivity. */
void kldve_run_compare(kldve_run *run);

/* In a batch the network fills in the buffers of several runs at once.  What it left there is this
 * run's, as after kldve_run_forward() and kldve_run_vjp(); `ms` is its share of the time. */
void kldve_run_take_forward(kldve_run *run, const float *input, double ms);
void kldve_run_take_vjp(kldve_run *run, double ms);

#endif
