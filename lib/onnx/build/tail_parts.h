/* tail_parts.h - what the files about the end of a network share.  The patterns are recognised by
 * the formulas of their nodes (graph/traits.h). */
#ifndef KLDVE_ONNX_BUILD_TAIL_PARTS_H
#define KLDVE_ONNX_BUILD_TAIL_PARTS_H

#include "tail.h"

/** The node that makes v, which may be NULL; NULL: none does. */
const kx_node *kx_maker(const kx_graph *g, const kx_value *v);

/** Whether the node only passes elements on in their order: reshapes, casts to other floats, and
 *  sums and means of one element each. */
bool kx_is_move(const kx_node *n);

/** The tensor in front of such nodes, and of a quantiser and its dequantiser; of a long row of them
 *  one in its middle. */
kx_value *kx_bare(const kx_graph *g, kx_value *v);

/** The node behind kx_bare(v), if it computes that; else NULL.  Of a SUM: of two operands. */
const kx_node *kx_made_by(const kx_graph *g, kx_value *v, kx_formula formula);

/** Whether v is constant and all its elements are the same, *value. */
bool kx_is_uniform(const kx_value *v, double *value);
/** Whether it is that constant. */
bool kx_is_all(const kx_value *v, float value);

/** The operand of a node of two that is not uniform; *value is the other.  NULL: there is none, or
 *  n is NULL. */
kx_value *kx_beside(const kx_node *n, double *value);

/** value * x or x / (1 / value) -> x; NULL: it is neither. */
kx_value *kx_scaled(const kx_graph *g, kx_value *v, float value);

/** What enters a softmax (or log-softmax: *logarithm) whose result is `v`; NULL: it is none's. */
kx_value *kx_before_softmax(const kx_graph *g, kx_value *v, kx_line *line, bool *logarithm);
/** Whether v is x divided by its own sum, which changes nothing where that is 1: x; else NULL. */
kx_value *kx_before_share(const kx_graph *g, kx_value *v);
/** As kx_before_softmax() of a sigmoid, or its logarithm. */
kx_value *kx_before_sigmoid(const kx_graph *g, kx_value *v, bool *logarithm);

/** How far the way back from an output has come. */
typedef struct kx_way_back {
    kx_value *at;
    bool best;      /**< it has passed a node that says which element is best */
    bool opposite;  /**< `at` is 1 - p, of whose logarithm the output speaks */
    bool shares;    /**< it has passed a division by the sum: only of a softmax nothing changes */
    int32_t height; /**< logarithms less exponentials that were passed */
    double factor, offset; /**< the output is factor * f(at) + offset, f as `height` says */
} kx_way_back;

/** Pass the node that makes `at`; false: it may not stand behind probabilities. */
bool kx_step_back(const kx_graph *g, kx_way_back *w);

#endif
