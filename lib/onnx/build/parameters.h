/* parameters.h - which tensors of a file a network has learned, layer by layer, and how they are
 * shuffled. */
#ifndef KLDVE_ONNX_BUILD_PARAMETERS_H
#define KLDVE_ONNX_BUILD_PARAMETERS_H

#include "build.h"
#include "graph/graph.h"
#include "read/model.h"

/** A layer: an operator that mixes channels by weights, with what is added and multiplied before
 * the next one. */
typedef struct kx_layer {
    const char *name;     /**< of the tensor that its first operator makes */
    int32_t first, count; /**< its tensors among all */
} kx_layer;

/** From the logits to the input; every tensor once, with the layer nearest the logits. */
typedef struct kx_parameters {
    int32_t layers, tensors;
    kx_layer *layer;
    const kx_proto_tensor **tensor;
} kx_parameters;

/** Find those that the logits depend on.
 *  @param arena  for the arrays of *out.
 *  @return KLDVE_OK; KLDVE_E_NOMEM. */
kldve_status kx_parameters_find(const kx_graph *g, const kx_value *logits, kx_arena *arena,
                                kx_parameters *out);

/** The tensors [first, end) of p with their elements shuffled: tensor i by random stream i of the
 *  seed, whatever others are.
 *  @param arena  for the elements and *swap [end - first], which is in the order of
 *                kx_swap_order().
 *  @return KLDVE_OK; KLDVE_E_NOMEM; or as kldve_ctx_poll(). */
kldve_status kx_parameters_shuffle(kldve_ctx *ctx, const kx_parameters *p, int32_t first,
                                   int32_t end, uint64_t seed, kx_arena *arena, kx_swap **swap);

#endif
