/* metric_options.h - the options of a metric: possible, read by it, and its own where not given. */
#ifndef KLDVE_LIB_METRIC_OPTIONS_H
#define KLDVE_LIB_METRIC_OPTIONS_H

#include <kldve/metrics.h>

/** Load a caller's options, NULL for defaults, and fill in those of the metric.
 *  @return KLDVE_OK, or why they are refused, with a message. */
kldve_status kldve_metric_options_load(kldve_ctx *ctx, const kldve_metric *metric,
                                       const kldve_metric_options *from, kldve_metric_options *out);

#endif
