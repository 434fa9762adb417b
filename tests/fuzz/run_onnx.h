/* run_onnx.h - load a network from bytes and, if it is small, run it forward and backward. */
#ifndef KLDVE_TESTS_FUZZ_RUN_ONNX_H
#define KLDVE_TESTS_FUZZ_RUN_ONNX_H

#include <stdbool.h>
#include <stddef.h>

#include <kldve/onnx.h>

/** accel: with oneDNN's kernels, which take long to create; otherwise with the plain ones. */
void run_onnx(kldve_ctx *ctx, const void *bytes, size_t n, bool accel);
/** Whether it has few elements between input and logits: anything larger only costs time. */
bool network_is_small(const kldve_onnx *net);

#endif
