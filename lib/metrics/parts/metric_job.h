/* metric_job.h - what metrics ask of their job beside the public calls. */
#ifndef KLDVE_LIB_METRIC_JOB_H
#define KLDVE_LIB_METRIC_JOB_H

#include <stdbool.h>

#include <kldve/metrics.h>

#include "stages/ranks.h"

/** The map at the size of the job's, which all metrics of a call share. */
struct kldve_metric_drawn {
    float *values, *evidence;      /**< [count], see kldve_metric_job; of one block */
    size_t count;                  /**< height * width */
    kldve_ranked *values_sorted;   /**< [2][count], of which the first is in order; NULL: nobody
                                        has asked yet */
    kldve_ranked *evidence_sorted; /**< the same */
};

/** The values, or the evidence, of the job in falling order, [height * width], which stay until the
 *  call ends.  KLDVE_E_NOMEM, with its message. */
kldve_status kldve_metric_sorted(const kldve_metric_job *job, bool evidence,
                                 const kldve_ranked **sorted);

/** KLDVE_E_NOMEM, with its message. */
kldve_status kldve_metric_out_of_memory(const kldve_metric_job *job);

/** A map at the size of the job's, [height][width], as kldve_heatmap_upsample() draws it.
 *  KLDVE_E_ARG if it is one of another number of frames. */
kldve_status kldve_metric_draw(const kldve_metric_job *job, const kldve_heatmap *map,
                               float *values);

/** The same in the unit of the method, not scaled to 0..1: attributions, below 0 what speaks
 *  against the target.  A map whose scale is not known, a mean of several, stays as it is. */
kldve_status kldve_metric_attributions(const kldve_metric_job *job, const kldve_heatmap *map,
                                       float *values);

/** The map of another input, drawn as kldve_metric_job.evidence, [height][width]. */
kldve_status kldve_metric_evidence(const kldve_metric_job *job, const float *input,
                                   float *evidence);

/** kldve_metric_explain(), the whole map; free it with kldve_heatmap_free(). */
kldve_status kldve_metric_map(const kldve_metric_job *job, const float *input,
                              const kldve_options *options, kldve_heatmap **out);

#endif
