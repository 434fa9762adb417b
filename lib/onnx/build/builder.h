/* builder.h - a graph while it is built: between build.c, builder.c and expand.c. */
#ifndef KLDVE_ONNX_BUILDER_H
#define KLDVE_ONNX_BUILDER_H

#include "build.h"
#include "read/names.h"
#include "read/proto.h"

typedef struct kx_builder {
    kx_graph *g;
    const kx_model *model;
    kx_graph_options options;
    kx_names values;    /* name -> kx_value, what is defined so far */
    kx_names producers; /* output name -> kx_proto_node */
    size_t folded;      /* bytes of results of constant folding */
    int32_t capacity;   /* of g->value */
    int32_t *order;     /* file indices of the nodes that the outputs need, sorted */
    int32_t norder;
    int32_t room; /* of g->node */
} kx_builder;

/** A new value without a producer; NULL: out of memory. */
kx_value *kx_builder_value(kx_builder *b, const char *name);
/** The node in g->node[g->nnode], whose inputs and outputs are set: shapes are inferred, attributes
 *  checked, constants folded, and it becomes part of the graph unless all of it was constant. */
kldve_status kx_builder_place(kx_builder *b, kx_node *n);

/** Refuse a node with an attribute that nobody asked for. */
kldve_status kx_builder_check_attributes(kx_graph *g, const kx_node *n);

#endif
