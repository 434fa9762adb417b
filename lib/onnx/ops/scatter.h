/* scatter.h - between the two files of ScatterND and ScatterElements. */
#ifndef KLDVE_ONNX_OPS_SCATTER_H
#define KLDVE_ONNX_OPS_SCATTER_H

#include "basic.h"

enum { KX_SCATTER_DATA, KX_SCATTER_INDICES, KX_SCATTER_UPDATES };

typedef enum kx_reduction { KX_REPLACE, KX_ADD, KX_MULTIPLY, KX_MOST, KX_LEAST } kx_reduction;

/** Blocks of `block` elements; tuples of m indices choose one of them each.  ScatterElements:
 * blocks of one element, m = 1, and the walk over the indices says where its line of the data
 * starts. */
typedef struct kx_scatter_params {
    kx_reduction reduction;
    bool elements;
    int32_t m;
    int64_t length[KX_MAX_RANK];
    size_t tuples, block;
    int64_t stride; /**< elements: of the axis */
    kx_walk walk;
} kx_scatter_params;

/** What is done with the block of the data at `at` and that of the updates at `from`. */
typedef void kx_scatter_visit(const kx_op_call *call, size_t at, size_t from, size_t block);
/** For all updates in their order. */
void kx_each_scattered(const kx_op_call *call, kx_scatter_visit *visit);

/** Kernels of mul, max and min; infer() is that of the operator in the table. */
extern const kx_op kx_scatter_reduced;

#endif
