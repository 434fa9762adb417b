/* builder.h - what the files that build a graph share.
 *
 *     build.c   inputs, outputs, and the order of the stages
 *     nodes.c   nodes, and the nodes that others stand for
 *     values.c  values by name, constants
 *     order.c, fold.c   see their headers */
#ifndef KLDVE_ONNX_BUILD_BUILDER_H
#define KLDVE_ONNX_BUILD_BUILDER_H

#include "build.h"
#include "fold.h"
#include "read/model.h"
#include "read/names.h"

/** The names that one graph of the file defines, and the graph around it. */
typedef struct kx_scope {
    kx_names values;    /**< name -> kx_value, what is defined so far */
    const char *prefix; /**< of the names of its values; NULL: they keep the file's */
    struct kx_scope *around;
} kx_scope;

typedef struct kx_builder {
    kx_graph *g;
    const kx_model *model;
    kx_graph_options options;
    kx_scope *scope;
    kx_fold_cost folded;
    int32_t expanded; /**< nodes that others stand for, so far */
    size_t opened;    /**< names of graphs in attributes, so far */
    size_t listed;    /**< arrays in sequences, so far */
} kx_builder;

/** values.c: the value of a tensor in the file.  It has no name to be found by yet. */
kldve_status kx_build_constant(kx_builder *b, const kx_proto_tensor *t, kx_value **out);
/** The tensors of a graph, which get their names. */
kldve_status kx_build_constants(kx_builder *b, const kx_proto_graph *p);
/** A value by the name that the file uses at this place; NULL: none. */
kx_value *kx_build_find(const kx_builder *b, const char *name);

/** nodes.c: the nodes that the outputs of p need, in the current scope. */
kldve_status kx_build_nodes(kx_builder *b, const kx_proto_graph *p);

#endif
