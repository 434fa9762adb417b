/* kernel.h - what each interpolation weighs its neighbours with. */
#ifndef KLDVE_LIB_IMAGE_KERNEL_H
#define KLDVE_LIB_IMAGE_KERNEL_H

#include <stdint.h>

/** Weights by the distance from the centre, in cells of the coarser side. */
typedef struct kldve_kernel {
    double (*weight)(double distance);
    double support; /**< beyond it the weight is 0 */
} kldve_kernel;

extern const kldve_kernel kldve_kernel_triangle, kldve_kernel_cubic, kldve_kernel_lanczos;

#endif
