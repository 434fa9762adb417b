/* moments.h - the distribution of the gradient at the pixels under noise on the input. */
#ifndef KLDVE_LIB_METHODS_MOMENTS_H
#define KLDVE_LIB_METHODS_MOMENTS_H

#include <kldve/method.h>

/** Of N gradients g at each input value: mean, and sums of (g - mean)^2, ^3 and ^4. */
typedef struct kldve_moments {
    double *mean, *m2, *m3, *m4; /**< [in_channels][in_height][in_width], one block from `mean` */
    int32_t count;               /**< N, at least 2 */
} kldve_moments;

/** The gradients of what is explained at N = options.samples (25) inputs with normal noise of
 *  deviation options.noise (0.15) times the range of the input.  Draw k uses random stream k,
 *  so that more draws start with the same ones.
 *  @param out  Set on KLDVE_OK only; free with kldve_moments_free().
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_CANCELLED, or what the backend returned. */
kldve_status kldve_moments_of_gradient(const kldve_job *job, kldve_moments *out);
void kldve_moments_free(const kldve_job *job, kldve_moments *moments);

#endif
