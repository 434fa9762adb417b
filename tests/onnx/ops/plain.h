/* plain.h - runs a graph with the plain kernels, node by node, with every array in a separate
 * block, so that a sanitizer notices a single element too many. */
#ifndef KLDVE_TESTS_ONNX_PLAIN_H
#define KLDVE_TESTS_ONNX_PLAIN_H

#include "graph/graph.h"

typedef struct plain {
    kx_graph *g;
    kx_tensor *value; /* [nvalue]; constants point into the graph, the rest is zero at first */
    kx_pace *pace;    /* of every kernel; NULL: none */
} plain;

plain *plain_new(kx_graph *g);
void plain_free(plain *p);
/** The array of a value, to be filled (inputs) or read. */
kx_tensor *plain_value(plain *p, const kx_value *v);
/** Run all nodes. */
void plain_forward(plain *p);
/** din [elements of input `which`] += the VJP of node n.  Values
 *  that the operator does not announce in vjp_needs are withheld. */
void plain_vjp(plain *p, const kx_node *n, int32_t which, const kx_tensor *dout, float *din);
/** The same through all nodes: din [elements of `to`] += the cotangent of `to`, an input of the
 *  graph, from those of the graph's outputs. */
void plain_backward(plain *p, const kx_value *to, const kx_tensor *dout, float *din);

#endif
