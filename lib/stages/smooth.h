/* smooth.h - augmentation smoothing: the mean map of an input and of changed forms of it. */
#ifndef KLDVE_LIB_SMOOTH_H
#define KLDVE_LIB_SMOOTH_H

#include "pipeline/run.h"

enum { KLDVE_SMOOTH_VARIANTS = 6 }; /**< number 0 is the input itself */

/** Room for a changed input [in_channels][in_height][in_width] and behind it for the sum of the
 *  maps, zeros; freed with kldve_ctx_release(*changed). */
kldve_status kldve_smooth_begin(const kldve_run *run, float **changed, float **sum);

/** Input -> changed form number `variant`; formula in smooth.c. */
void kldve_smooth_input(const kldve_run *run, const float *input, int32_t variant, float *changed);

/** Add the map of that form, brought back to the place of the input's, to the sum. */
void kldve_smooth_add(const kldve_run *run, int32_t variant, float *sum);

/** Sum -> the normalised mean in run->map. */
void kldve_smooth_end(kldve_run *run, const float *sum);

#endif
