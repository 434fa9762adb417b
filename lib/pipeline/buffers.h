/* buffers.h - working memory of explanations, reused from call to call. */
#ifndef KLDVE_LIB_BUFFERS_H
#define KLDVE_LIB_BUFFERS_H

#include <stdbool.h>

#include <kldve/method.h>

/** The buffers of one input. */
typedef struct kldve_buffers {
    kldve_ctx *ctx;
    void *memory;    /**< the block behind the arrays of all inputs; only the first input has it */
    float *logits;   /**< [classes] */
    float *features; /**< [maps][height][width] */
    float *gradient; /**< the same */
    float *seed;     /**< [classes], the cotangent in float32 */
    float *scratch;  /**< [maps] */
    int32_t *rows;   /**< [classes], of the truth's affinities */
    double *scores;  /**< [classes], the logits in float64 */
    kldve_divergence *divergence;
    double temperature, perplexity; /**< of `divergence` */
    float *other;                   /**< the map of the other class, [other_count] */
    size_t other_count;
} kldve_buffers;

/** Make the buffers of `count` inputs, out [count].  Each array of an input lies right behind that
 *  of the input before, so that those of the first are those of the batch: logits [count][classes]
 *  and so on.  With `arrays` the caller brings logits, features and gradient, and there are none
 *  here.  On failure there is nothing to free. */
kldve_status kldve_buffers_new(kldve_ctx *ctx, const kldve_shape *shape, int32_t count, bool arrays,
                               kldve_buffers *out);

/** Accepts buffers that are all zero. */
void kldve_buffers_free(kldve_buffers *buffers, int32_t count);

/** See that b->divergence has the temperature and the perplexity of the options; that of the last
 *  call stays where they are the same. */
kldve_status kldve_buffers_divergence(kldve_buffers *b, const kldve_options *o, int32_t classes);

/** See that b->other has room for `count` values. */
kldve_status kldve_buffers_other(kldve_buffers *b, size_t count);

#endif
