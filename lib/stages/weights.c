/* weights.c - from the gradient at the layer to one number for each feature map.
 *
 *     a_c = 1/(h w) sum over y, x of G[c][y][x]
 *
 * G is the VJP of a cotangent to the layer.  For the cotangents of docs/method.md this is how the
 * class weights alpha of Eq. (2) of arXiv:1711.06431 become weights of feature maps; for the
 * one-hot cotangent it is Grad-CAM's weight (Selvaraju et al. 2017, Eq. 1). */
#include "weights.h"

#include <assert.h>

void kldve_weights_mean(const float *gradient, size_t maps, size_t cells, double *a)
{
    assert(cells > 0);
    for (size_t c = 0; c < maps; c++) {
        const float *row = gradient + c * cells;
        double sum = 0;

        for (size_t i = 0; i < cells; i++)
            sum += (double)row[i];
        a[c] = sum / (double)cells;
    }
}
