/* baseline.h - what takes the place of pixels that are taken away. */
#ifndef KLDVE_LIB_BASELINE_H
#define KLDVE_LIB_BASELINE_H

#include <kldve/metrics.h>

/** The input of job->options->baseline, `out` [in_channels][in_height][in_width].
 *  KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kldve_metric_baseline(const kldve_metric_job *job, float *out);

#endif
