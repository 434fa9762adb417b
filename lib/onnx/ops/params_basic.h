/* params_basic.h - what infer() of the basic operators leaves in kx_node.params.
 *
 * For readers outside ops/ (fusion, the oneDNN plan) the documented members are final: axes are not
 * negative, bounds and defaults are filled in.  Which struct belongs to which operator stands above
 * each.  Operators that only rename or reshape (Identity, Dropout, Reshape, Flatten, Squeeze,
 * Unsqueeze, a Cast to the type that the engine has anyway) have no parameters that matter: output
 * 0 has the bytes of input 0, and kx_op_copies() tells. */
#ifndef KLDVE_ONNX_OPS_PARAMS_BASIC_H
#define KLDVE_ONNX_OPS_PARAMS_BASIC_H

#include "walk.h"

/** Output 0 is input 0, element for element in the same order.  Dropout's mask is not considered:
 * look whether anybody reads out[1]. */
bool kx_op_copies(const kx_node *n);

/** Relu, LeakyRelu, Elu, Selu, Celu, ThresholdedRelu, Shrink, Sigmoid, HardSigmoid, HardSwish,
 * Softplus, Softsign, Tanh, Exp, Log, Sqrt, Abs, Neg, Reciprocal, Erf, Gelu, Mish, Sign, Floor,
 * Ceil, Round, Sin, Cos and the other trigonometric ones: elementwise of one array. */
typedef struct kx_unary_params {
    const struct kx_unary_kind *kind; /**< private to unary.c */
    float alpha; /**< LeakyRelu slope; Elu, Celu, Selu alpha; ThresholdedRelu threshold; Shrink
                    lambd; HardSigmoid slope; Gelu: 1 for the tanh approximation, 0 for erf */
    float beta;  /**< HardSigmoid offset; Selu gamma; Shrink bias */
} kx_unary_params;

/** Clip, of every opset. */
typedef struct kx_clip_params {
    bool fixed;   /**< both bounds are known now (constant or missing) and the array is float */
    float lo, hi; /**< if fixed; -inf and inf where missing */
} kx_clip_params;

/** out[i] = f(a[i * sa], b[i * sb]) for a run (walk.h); steps 0 or 1, not both 0 unless n is 1. */
typedef void kx_binary_kernel(int64_t n, const void *a, int64_t sa, const void *b, int64_t sb,
                              void *out);

/** Add, Sub, Mul, Div, Pow, Mod, PRelu, and the comparisons and logical operators: elementwise of
 *  two arrays with broadcasting.  For the shapes look at the values themselves, except in models
 *  of opset 6 and older, whose second operand may be aligned at an axis: `b`. */
typedef struct kx_binary_params {
    const struct kx_binary_kind *kind; /**< private to binary.c */
    kx_binary_kernel *kernel;
    kx_shape b;   /**< shape of the second operand as numpy would have it for broadcasting */
    kx_walk walk; /**< over the output; operands 0 and 1 */
} kx_binary_params;

/** Sum, Mean, Min, Max: any number of arrays. */
typedef struct kx_variadic_params {
    const struct kx_variadic_kind *kind; /**< private to variadic.c */
    kx_binary_kernel *kernel;
    kx_walk *walk; /**< [nin], over the output, operand 0 is the input */
} kx_variadic_params;

/** ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceSumSquare,
 *  ReduceLogSum, ReduceLogSumExp. */
typedef struct kx_reduce_params {
    const struct kx_reduce_kind *kind; /**< private to reduce.c */
    bool reduced[KX_MAX_RANK];         /**< per axis of the input */
    bool keepdims;
    int64_t length; /**< input elements per output element */
    kx_walk walk;   /**< over the input; operand 0 is the output */
} kx_reduce_params;

/** ArgMax, ArgMin. */
typedef struct kx_arg_params {
    int32_t axis;
    bool keepdims, last; /**< last: of equal values take the last index, not the first */
    bool min;
} kx_arg_params;

/** Transpose: output axis i is input axis perm[i]. */
typedef struct kx_transpose_params {
    int32_t perm[KX_MAX_RANK];
    kx_walk walk;
} kx_transpose_params;

/** Slice: output index i of an axis is input index start + i * step. */
typedef struct kx_slice_params {
    int64_t start[KX_MAX_RANK]; /**< within the input where the output is not empty */
    int64_t step[KX_MAX_RANK];  /**< not 0, may be negative; 1 for untouched axes */
    kx_walk walk;
} kx_slice_params;

/** Concat: along one axis. */
typedef struct kx_concat_params {
    int32_t axis;
} kx_concat_params;

/** Split: output i is input[begin[i] .. begin[i] + size of output i's axis). */
typedef struct kx_split_params {
    int32_t axis;
    int64_t begin[KX_MAX_OUT];
} kx_split_params;

/** Expand, Tile, DepthToSpace, SpaceToDepth, Where's walk over condition, x, y: a walk only. */
typedef struct kx_walk_params {
    kx_walk walk;
} kx_walk_params;

/** Gather, GatherElements. */
typedef struct kx_gather_params {
    int32_t axis;
    kx_walk walk; /**< GatherElements only, private to gather.c */
} kx_gather_params;

#endif
