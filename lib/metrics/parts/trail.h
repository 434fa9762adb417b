/* trail.h - from one input to another, pixel by pixel in the order of the map, and the scores on
 * the way. */
#ifndef KLDVE_LIB_TRAIL_H
#define KLDVE_LIB_TRAIL_H

#include <stddef.h>

#include <kldve/method.h>
#include <kldve/metrics.h>

/** A trail.  Pixels change from the most important one down. */
typedef struct kldve_trail {
    float *baseline;       /**< [in_channels][in_height][in_width], of the options */
    float *inputs;         /**< [shape.batch] of these, for working */
    uint32_t *order;       /**< [height * width], pixels by falling evidence */
    size_t pixels, values; /**< of an input */
} kldve_trail;

/** Make the baseline and find the order.  Free it with kldve_trail_close(), also after a failure.
 */
kldve_status kldve_trail_open(const kldve_metric_job *job, kldve_trail *trail);
void kldve_trail_close(const kldve_metric_job *job, kldve_trail *trail);

/** Begin with `from` and give the first changed[i] pixels of the order what they are in `to`.
 *  @param changed  [count], not falling.
 *  @param scores   [count], of the kind `kind` (kldve_score). */
kldve_status kldve_trail_scores(const kldve_metric_job *job, const kldve_trail *trail,
                                const float *from, const float *to, const size_t *changed,
                                int32_t count, int32_t kind, double *scores);

/** How many pixels have changed at each point of a curve: none at first, `count` at the end, in
 *  job->options->steps equal steps (curve.h).
 *  @param changed  Becomes [*points], which the caller releases; NULL on failure. */
kldve_status kldve_trail_points(const kldve_metric_job *job, size_t count, size_t **changed,
                                int32_t *points);

/** The area under the probability while the pixels change in job->options->steps equal steps. */
kldve_status kldve_trail_area(const kldve_metric_job *job, const kldve_trail *trail,
                              const float *from, const float *to, double *area);

#endif
