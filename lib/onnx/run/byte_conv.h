/* byte_conv.h - convolutions of bytes.  See accel/byte_desc.h. */
#ifndef KLDVE_ONNX_BYTE_CONV_H
#define KLDVE_ONNX_BYTE_CONV_H

#include <stddef.h>

#include "run/byte_kernels.h"

/** @param scratch  kx_byte_conv_scratch() bytes for each thread. */
void kx_byte_conv_run(const kx_byte_conv *c, const kx_byte_kernels *k, const uint8_t *x, uint8_t *y,
                      void *scratch, int threads);

#endif
