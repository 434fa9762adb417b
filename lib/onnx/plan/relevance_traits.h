/* relevance_traits.h - what relevance propagation has to know of every value. */
#ifndef KLDVE_ONNX_RELEVANCE_TRAITS_H
#define KLDVE_ONNX_RELEVANCE_TRAITS_H

#include "planner.h"

enum {
    KX_NONNEGATIVE = 1, /**< no element is below 0 */
    KX_DEEP = 2,        /**< a convolution or dense layer lies between the input and it */
    KX_BOUNDED = 4,     /**< 0 to some constant: a clipped signal, or a gate */
    KX_GATE = 8         /**< surely a gate: a sigmoid, or a clipped and scaled signal */
};

/** Set the traits of every value: once, before the steps. */
void kx_relevance_mark(kx_planner *p);

#endif
