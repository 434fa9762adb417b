/* masked.h - the input seen through its map, and what that does to the score. */
#ifndef KLDVE_LIB_MASKED_H
#define KLDVE_LIB_MASKED_H

#include <kldve/metrics.h>

/** [height][width], 0..1: what speaks for the target over the largest of it.  All zeros for a map
 *  without. */
void kldve_metric_mask(const float *evidence, size_t count, float *mask);

/** Room for masked inputs. */
typedef struct kldve_masked {
    float *mask;   /**< [height][width] of the map */
    float *input;  /**< [in_channels][in_height][in_width] as `mask` shows it */
    double before; /**< the probability of the input, and of the masked one */
    double after;
} kldve_masked;

/** Mask the input: b + m (x - b), b the baseline of the options, and score both.  Free it with
 *  kldve_masked_close(), also after a failure. */
kldve_status kldve_masked_open(const kldve_metric_job *job, kldve_masked *masked);
void kldve_masked_close(const kldve_metric_job *job, kldve_masked *masked);

/** max(0, before - after) / before; NaN where the score is no probability above 0. */
double kldve_masked_drop(const kldve_metric_job *job, const kldve_masked *masked);

#endif
