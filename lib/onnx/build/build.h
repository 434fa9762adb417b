/* build.h - model -> graph. */
#ifndef KLDVE_ONNX_BUILD_BUILD_H
#define KLDVE_ONNX_BUILD_BUILD_H

#include "graph/graph.h"

struct kx_model; /* proto.h */

/** Other data for a tensor of the file: as many elements of the same type. */
typedef struct kx_swap {
    const struct kx_proto_tensor *tensor;
    const void *data;
} kx_swap;

typedef struct kx_graph_options {
    int64_t batch;         /**< replaces a symbolic or zero first dimension of an input */
    int32_t input_type;    /**< TensorProto.DataType that the file declares for its first input, if
                                that is integers: float32 holds them; else 0 */
    int64_t height, width; /**< replace symbolic dimensions 2 and 3; 1 and 2 before a
                                last one of 1 or 3 */
    /** Tensors [noutput] that nodes make and that stand in place of the file's outputs: what only
     *  those need is not looked at.  Where nodes do not make all of them: the file's. */
    const char *const *output;
    int32_t noutput;
    const kx_swap *swap; /**< [swaps], in the order of kx_swap_order() */
    int32_t swaps;
} kx_graph_options;

/** For qsort() and bsearch(). */
int kx_swap_order(const void *a, const void *b);

/** Build, infer every shape, fold constants, check that every operator is known.  The model has to
 *  outlive the graph: names are its strings.
 *  On failure *out is untouched and the context's message says which node. */
kldve_status kx_graph_new(kldve_ctx *ctx, const struct kx_model *model,
                          const kx_graph_options *options, kx_graph **out);

#endif
