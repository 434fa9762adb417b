/* agreement.h - two maps of one size: what the metrics of agreement share. */
#ifndef KLDVE_LIB_AGREEMENT_H
#define KLDVE_LIB_AGREEMENT_H

#include <stddef.h>

#include <kldve/metrics.h>

/** Two maps [height][width]: heat maps in 0..1, as they are drawn, or arrays of a host. */
typedef struct kldve_pair {
    kldve_ctx *ctx; /**< for memory and messages */
    const float *a, *b;
    size_t height, width;
    double part; /**< kldve_metric_options.part */
} kldve_pair;

/** kldve_metric.opaque of a metric whose compute() is kldve_agreement_compute(). */
typedef struct kldve_agreement_kind {
    /** Write the number, or leave *value, which is NaN, as it is.  KLDVE_OK, KLDVE_E_NOMEM. */
    kldve_status (*measure)(const kldve_pair *pair, double *value);
} kldve_agreement_kind;

/** Both maps at the size of the job, then measure(). */
kldve_status kldve_agreement_compute(const kldve_metric_job *job, double *value);

#endif
