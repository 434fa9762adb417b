/* smooth.h - augmentation smoothing: the mean map of an input and of variants of it. */
#ifndef KLDVE_LIB_SMOOTH_H
#define KLDVE_LIB_SMOOTH_H

#include "pipeline/run.h"

enum { KLDVE_SMOOTH_VARIANTS = 6 }; /**< number 0 is the input itself */

/** Room for a variant of the input, [in_channels][in_height][in_width], followed by the sum of the
 *  maps, zeroed; free it with kldve_ctx_release(*changed). */
kldve_status kldve_smooth_begin(const kldve_run *run, float **changed, float **sum);

/** Input -> variant number `variant`; formula in smooth.c. */
void kldve_smooth_input(const kldve_run *run, const float *input, int32_t variant, float *changed);

/** Add the map of that variant, mirrored back to the input's orientation, to the sum. */
void kldve_smooth_add(const kldve_run *run, int32_t variant, float *sum);

/** Sum -> the normalised mean in run->map. */
void kldve_smooth_end(kldve_run *run, const float *sum);

#endif
