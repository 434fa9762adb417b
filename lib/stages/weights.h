/* weights.h - from the gradient at the layer to one number for each feature map. */
#ifndef KLDVE_LIB_WEIGHTS_H
#define KLDVE_LIB_WEIGHTS_H

#include <stddef.h>

/** a[c] = mean over the cells of gradient[c][cell].  gradient [maps][cells], a [maps]. */
void kldve_weights_mean(const float *gradient, size_t maps, size_t cells, double *a);

#endif
