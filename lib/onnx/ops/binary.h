/* binary.h - what binary.c and compare.c share: kernels over a run, shapes of two operands. */
#ifndef KLDVE_ONNX_OPS_BINARY_H
#define KLDVE_ONNX_OPS_BINARY_H

#include "basic.h"

/** A kernel for `expression` of x (type A) and y (type B) with a result of type R: three loops,
 *  which compilers vectorise. */
#define KX_BINARY(name, A, B, R, expression)                                                       \
    static void name(int64_t n, const void *a, int64_t sa, const void *b, int64_t sb, void *out)   \
    {                                                                                              \
        const A *pa = a;                                                                           \
        const B *pb = b;                                                                           \
        R *o = out;                                                                                \
                                                                                                   \
        if (sa == 0) {                                                                             \
            const A x = *pa;                                                                       \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const B y = pb[i * sb];                                                            \
                o[i] = expression;                                                                 \
            }                                                                                      \
        } else if (sb == 0) {                                                                      \
            const B y = *pb;                                                                       \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const A x = pa[i];                                                                 \
                o[i] = expression;                                                                 \
            }                                                                                      \
        } else {                                                                                   \
            for (int64_t i = 0; i < n; i++) {                                                      \
                const A x = pa[i];                                                                 \
                const B y = pb[i];                                                                 \
                o[i] = expression;                                                                 \
            }                                                                                      \
        }                                                                                          \
    }

/** Both operands in one type: KLDVE_E_FORMAT else. */
kldve_status kx_binary_same_type(kx_graph *g, kx_node *n);
/** Fill p->b and p->walk and give the shape of the result, with the broadcasting of the graph's
 *  opset: numpy's, or before opset 7 the attributes `broadcast` and `axis`. */
kldve_status kx_binary_walk(kx_graph *g, kx_node *n, kx_binary_params *p, kx_shape *out);
/** out 0 = p->kernel over the walk. */
void kx_binary_forward(const kx_op_call *call);

#endif
