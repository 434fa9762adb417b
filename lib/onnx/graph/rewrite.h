/* rewrite.h - for operators that are written as other operators: kx_op.expand().
 *
 * An expansion puts nodes in the place of one node, in the order in which they run.  Errors stay in
 * the rewrite: after the first one nothing more is added and every function gives NULL, so that
 * expansions read from top to bottom. */
#ifndef KLDVE_ONNX_REWRITE_H
#define KLDVE_ONNX_REWRITE_H

#include "graph/graph.h"

enum {
    KX_REWRITE_OPSET = 17, /* of the nodes that are added */
    KX_REWRITE_NODES = 16  /* most nodes, and values, of one expansion besides 2 for each input */
};

struct kx_rewrite {
    kx_graph *g;
    kx_node *node; /**< what is replaced */
    kldve_status st;
    int32_t made; /**< new values so far */
    /* Of the builder. */
    void *builder;
    kx_value *(*value)(kx_rewrite *r, const char *name);
    kx_value *(*find)(const kx_rewrite *r, const char *name);
    kldve_status (*place)(kx_rewrite *r, const kx_node *n);
};

/** What to add. */
typedef struct kx_part {
    const char *type; /**< of ONNX's own domain */
    kx_value *in[4];
    kx_value *const *list; /**< instead of `in`, if it is not NULL */
    int32_t nin;
    const kx_attr *attr; /**< [nattr], copied */
    int32_t nattr;
    kx_value *out;    /**< NULL: a new value */
    const char *name; /**< of the new value; NULL: a name made from the node's */
    kx_value **more;  /**< [nmore], written: new values for further outputs */
    int32_t nmore;
} kx_part;

/** Add a node.
 *  @return its output, or NULL after an error. */
kx_value *kx_emit(kx_rewrite *r, kx_part part);
/** "NAME.WHAT" in the graph's memory; NULL after an error. */
const char *kx_emit_name(kx_rewrite *r, const char *name, const char *what);
/** A constant list of floats; a list of one is a scalar. */
kx_value *kx_emit_floats(kx_rewrite *r, const float *data, size_t count);
static inline kx_attr kx_int_attr(const char *name, int64_t i)
{
    return (kx_attr){.name = name, .type = KX_ATTR_INT, .i = i};
}

static inline kx_attr kx_float_attr(const char *name, float f)
{
    return (kx_attr){.name = name, .type = KX_ATTR_FLOAT, .f = f};
}

static inline kx_attr kx_ints_attr(const char *name, const int64_t *ints, size_t count)
{
    return (kx_attr){.name = name, .type = KX_ATTR_INTS, .ints = ints, .count = count};
}

#endif
