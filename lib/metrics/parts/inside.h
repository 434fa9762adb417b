/* inside.h - a map against where the object is: what the metrics of localisation share.
 *
 * What speaks for the target counts: of a map with signs, values below zero count as 0. */
#ifndef KLDVE_LIB_INSIDE_H
#define KLDVE_LIB_INSIDE_H

#include <stddef.h>

#include <kldve/metrics.h>

#include "stages/ranks.h"

/** What a value of kldve_metric_job.evidence counts. */
static inline float kldve_inside_evidence(const kldve_metric_job *job, size_t i)
{
    return job->evidence[i] > 0 ? job->evidence[i] : 0;
}

/** Values of the map. */
static inline size_t kldve_inside_count(const kldve_metric_job *job)
{
    return (size_t)job->height * (size_t)job->width;
}

/** Pixels of the truth; 0: the network does not see the object, so there is nothing to find. */
size_t kldve_inside_truth(const kldve_metric_job *job);

/** The evidence in falling order, kldve_inside_count() of them: release it with
 *  kldve_ctx_release().  KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kldve_inside_rank(const kldve_metric_job *job, kldve_ranked **sorted);

/** The share of the k pixels with the most evidence that lie in the truth; where equal ones compete
 *  for the last places, the mean over all ways to choose.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kldve_inside_top(const kldve_metric_job *job, size_t k, double *share);

#endif
