/* small_nets.h - small networks of every kind that the engine treats in a way of its own: where
 * corpora begin, and what harnesses of other things run. */
#ifndef KLDVE_TESTS_FUZZ_SMALL_NETS_H
#define KLDVE_TESTS_FUZZ_SMALL_NETS_H

#include <stddef.h>

/** The name of network `index`, from 0; NULL past the last. */
const char *small_net_name(unsigned index);
/** Its .onnx file, [*nbytes], static. */
const unsigned char *small_net(unsigned index, size_t *nbytes);

enum { SMALL_PLAIN = 0, SMALL_OPEN = 1, SMALL_PLACES = 2 /**< scores of every place */ };

#endif
