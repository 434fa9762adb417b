/* mean_gradient.h - feature maps weighted by the mean of their gradient. */
#ifndef KLDVE_LIB_METHODS_MEAN_GRADIENT_H
#define KLDVE_LIB_METHODS_MEAN_GRADIENT_H

#include <kldve/method.h>

/** A slot kldve_method.weights: a_c = mean over space of the gradient.  weights [maps]. */
kldve_status kldve_weights_mean_gradient(const kldve_job *job, double *weights);

#endif
