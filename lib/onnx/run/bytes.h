/* bytes.h - the steps on bytes, and the kernels of all but convolutions. */
#ifndef KLDVE_ONNX_RUN_BYTES_H
#define KLDVE_ONNX_RUN_BYTES_H

#include "accel/byte_desc.h"

/** @param second   The second operand of a binary one.
 *  @param scratch  Of a convolution, for each thread. */
void kx_bytes_run(const kx_bytes *b, const void *from, const void *second, void *to, void *scratch,
                  int threads);

#endif
