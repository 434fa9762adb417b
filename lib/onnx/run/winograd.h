/* winograd.h - the transforms of Winograd's minimal filtering F(4 x 4, 3 x 3); what lies between
 * them are matrix products. */
#ifndef KLDVE_ONNX_WINOGRAD_H
#define KLDVE_ONNX_WINOGRAD_H

#include "accel/desc.h"

/** x [C/8][height][width][8], aligned to 32 bytes -> v [36][tiles][C]. */
void kx_winograd_input(const kx_tiles *t, const float *x, float *v);
/** m [36][tiles][C] -> y [C/8][height][width][8], plus bias [C], rectified or not. */
void kx_winograd_output(const kx_tiles *t, bool relu, const float *m, const float *bias, float *y);

#endif
