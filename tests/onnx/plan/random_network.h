/* random_network.h - small networks drawn from a seed, as .onnx.
 *
 * They consist of pieces of real architectures, combined as no architecture would: every step reads
 * any earlier values of suitable shapes.  Numbers stay of order 1. */
#ifndef KLDVE_TESTS_ONNX_RANDOM_NETWORK_H
#define KLDVE_TESTS_ONNX_RANDOM_NETWORK_H

#include <stdio.h>

#include "onnx/networks/writer.h"

typedef struct random_network {
    uint64_t seed;
    int steps;     /**< at most so many pieces, before the classifier; 0: drawn */
    bool linear;   /**< piecewise linear, and adds nothing but biases */
    bool bare;     /**< and, if linear, no biases either: twice the picture, twice the logits */
    FILE *listing; /**< NULL, or where the nodes are listed */
} random_network;

/** A writer_make; its argument is a `const random_network *`. */
void random_network_write(writer *w, const void *network);

#endif
