/* impute.h - pixels guessed from those around them. */
#ifndef KLDVE_LIB_IMPUTE_H
#define KLDVE_LIB_IMPUTE_H

#include <kldve/metrics.h>

/** KLDVE_OK, or KLDVE_E_UNSUPPORTED where this build has no sparse solver; the message says so. */
kldve_status kldve_impute_can(const kldve_metric_job *job);

/** Replace pixels of `input` by those that their neighbours let expect; formula in impute.c.
 *  @param removed  [height][width], not 0 where a pixel is to be guessed; at least one is 0.
 *  @param input    [in_channels][height][width], a picture.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_UNSUPPORTED (too many pixels). */
kldve_status kldve_impute(const kldve_metric_job *job, const uint8_t *removed, float *input);

#endif
