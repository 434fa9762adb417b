/* make_network.c - write a network of nets.c.
 *
 *     make-network vgg16|alexnet|resnet50|densenet121|tiny OUT.onnx [SEED]
 *     make-network corpus FOLDER     the small models of bad.c, the good and the broken ones */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bad.h"
#include "nets.h"

static int corpus(const char *folder)
{
    char path[4096];
    int number = 0;

    for (const bad_model *b = bad_models; b->name; b++) {
        snprintf(path, sizeof path, "%s/%03d.onnx", folder, number++);
        if (!b->make && !writer_file(path, bad_model_write, b)) /* the others are large */
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;

    if (argc == 3 && strcmp(argv[1], "corpus") == 0)
        return corpus(argv[2]);
    for (const network *n = networks; argc >= 3 && argc <= 4 && n->name; n++)
        if (strcmp(argv[1], n->name) == 0)
            return writer_file(argv[2], n->make, &seed) ? 0 : 1;
    fprintf(stderr, "usage: make-network NAME OUT.onnx [SEED], NAME one of:");
    for (const network *n = networks; n->name; n++)
        fprintf(stderr, " %s", n->name);
    fprintf(stderr, "\n");
    return 2;
}
