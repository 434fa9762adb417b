/* run_onnx.h - load a network from bytes and, if it is small, run it forward and backward. */
#ifndef KLDVE_TESTS_FUZZ_RUN_ONNX_H
#define KLDVE_TESTS_FUZZ_RUN_ONNX_H

#include <stdbool.h>
#include <stddef.h>

#include <kldve/common.h>

/** accel: with oneDNN's kernels, which take long to create; otherwise with the plain ones. */
void run_onnx(kldve_ctx *ctx, const void *bytes, size_t n, bool accel);

#endif
