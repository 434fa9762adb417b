/* interpolation.h - what each interpolation weighs its neighbours with. */
#ifndef KLDVE_LIB_IMAGE_INTERPOLATION_H
#define KLDVE_LIB_IMAGE_INTERPOLATION_H

#include <stdbool.h>
#include <stdint.h>

/** Weights by the distance from the centre, in units of the coarser side. */
typedef struct kldve_kernel {
    const char *name;
    double support; /**< it is 0 farther from its centre */
    bool antialiased;
    double (*weight)(double x);
} kldve_kernel;

/** That of a kldve_interpolation; NULL: there is none. */
const kldve_kernel *kldve_kernel_of(int32_t interpolation);

#endif
