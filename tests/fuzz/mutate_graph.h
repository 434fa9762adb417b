/* mutate_graph.h - change a model as a graph: nodes, edges, attributes, shapes, initialisers,
 * opsets, functions and subgraphs. */
#ifndef KLDVE_TESTS_FUZZ_MUTATE_GRAPH_H
#define KLDVE_TESTS_FUZZ_MUTATE_GRAPH_H

#include <stddef.h>
#include <stdint.h>

/** Change the .onnx file bytes [nbytes]; what is none is changed byte by byte.  The same seed makes
 *  the same change.  @return how many bytes there are now, at most `room`. */
size_t mutate_graph(uint8_t *bytes, size_t nbytes, size_t room, unsigned seed);

#endif
