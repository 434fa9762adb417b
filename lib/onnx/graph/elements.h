/* elements.h - the file's element types become float32, int64 or bool. */
#ifndef KLDVE_ONNX_GRAPH_ELEMENTS_H
#define KLDVE_ONNX_GRAPH_ELEMENTS_H

#include "graph.h"

/** Convert element i of a tensor in the file, whose type is neither float32 nor int64. */
void kx_element_widen(int32_t onnx_type, const unsigned char *from, size_t i, void *to);

#endif
