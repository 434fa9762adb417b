/* run.h - one explanation in progress: the job that methods see, the buffers behind it, and the
 * stages as steps on it.  explain.c says in which order they run. */
#ifndef KLDVE_LIB_RUN_H
#define KLDVE_LIB_RUN_H

#include <kldve/method.h>

#include "heatmap.h"
#include "network.h"

/** Working memory, one allocation, reused from call to call. */
typedef struct kldve_buffers {
    kldve_ctx *ctx;
    void *memory;
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

/** Make the buffers, without logits, features and gradient if `arrays`: the caller has them.
 *  On failure there is nothing to free. */
kldve_status kldve_buffers_new(kldve_ctx *ctx, const kldve_shape *shape, bool arrays,
                               kldve_buffers *out);
void kldve_buffers_free(kldve_buffers *buffers);

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
} kldve_run;

/** Load the options and find the method.  `shape` is borrowed.  Enough for the steps up to the
 *  cotangent. */
kldve_status kldve_run_prepare(kldve_run *run, kldve_ctx *ctx, const kldve_shape *shape,
                               const kldve_options *options, kldve_buffers *buffers);

/** See that the network, or the arrays with the gradient `given`, can give what the method needs,
 *  and make the heat map, run->map, which the caller takes over. */
kldve_status kldve_run_begin(kldve_run *run, kldve_network *net, const float *given);

/* The steps.  Each reads what those before it left in the job, the buffers and the heat map. */

/** Input -> logits, feature maps. */
kldve_status kldve_run_forward(kldve_run *run, const float *input);
/** Logits -> the part of the divergence that no class enters. */
kldve_status kldve_run_scores(kldve_run *run);
/** Options -> index of the class to explain; `other`, the best class beside it. */
kldve_status kldve_run_target(kldve_run *run, int32_t *target, int32_t *other);
/** Class -> z, KL, alpha.  Later steps are about this class. */
kldve_status kldve_run_divergence(kldve_run *run, int32_t target);
/** Alpha -> the method's cotangent. */
kldve_status kldve_run_cotangent(kldve_run *run);
/** Cotangent -> gradient at the layer. */
kldve_status kldve_run_vjp(kldve_run *run);
/** Gradient, feature maps -> one weight for each map. */
kldve_status kldve_run_weights(kldve_run *run);
/** Weights, feature maps -> map, in 0..1. */
kldve_status kldve_run_map(kldve_run *run, float *map);
/** Map of the target, map of the other class -> class sensitivity. */
void kldve_run_compare(kldve_run *run, const float *other);

/** Room for a second map; NULL, with the message set, if there is none. */
float *kldve_run_other(kldve_run *run);

#endif
