/* randomised.h - a network with other parameters than its file has. */
#ifndef KLDVE_ONNX_RANDOMISED_H
#define KLDVE_ONNX_RANDOMISED_H

#include "build/parameters.h"
#include "load.h"

/** The same network with the tensors [first, end) of `p` shuffled.
 *  @param ctx   of the new network, for messages and memory.
 *  @param net   outlives *out, which reads its file.
 *  @param out   free it with kldve_onnx_free().
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (with these parameters it would explain something else);
 *          or what building the graph and planning return. */
kldve_status kx_onnx_randomised(kldve_ctx *ctx, const kldve_onnx *net, const kx_parameters *p,
                                int32_t first, int32_t end, uint64_t seed, kldve_onnx **out);

#endif
