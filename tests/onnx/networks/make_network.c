/* make_network.c - write a network of nets.c.
 *
 *     make-network vgg16|alexnet|resnet50|densenet121|tiny OUT.onnx [SEED] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nets.h"

int main(int argc, char **argv)
{
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;

    for (const network *n = networks; argc >= 3 && argc <= 4 && n->name; n++)
        if (strcmp(argv[1], n->name) == 0)
            return writer_file(argv[2], n->make, &seed) ? 0 : 1;
    fprintf(stderr, "usage: make-network NAME OUT.onnx [SEED], NAME one of:");
    for (const network *n = networks; n->name; n++)
        fprintf(stderr, " %s", n->name);
    fprintf(stderr, "\n");
    return 2;
}
