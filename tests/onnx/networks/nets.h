/* nets.h - published architectures with seeded weights, as .onnx. */
#ifndef KLDVE_TESTS_NETWORKS_NETS_H
#define KLDVE_TESTS_NETWORKS_NETS_H

#include "writer.h"

typedef struct network {
    const char *name; /**< "vgg16" */
    writer_make make; /**< its argument is a `const uint64_t *`: the seed */
} network;

extern const network networks[]; /**< ends with an entry without a name */

#endif
