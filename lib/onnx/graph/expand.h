/* expand.h - operators that stand for several others.
 *
 * Such an operator has no kernels: when the graph is built its node is replaced by nodes of other
 * operators, whose derivatives, fusions and relevance then simply work.  Its `expand` slot names
 * them with kx_emit().  Control flow is expanded in the same way: the nodes are those of a branch,
 * or of the body of a loop, once for each round. */
#ifndef KLDVE_ONNX_EXPAND_H
#define KLDVE_ONNX_EXPAND_H

#include "graph/graph.h"

/** Emitted nodes mean what this opset says; a name made for one of their outputs adds so much. */
enum { KX_EXPAND_OPSET = 23, KX_EMITTED_NAME = 40 };

struct kx_proto_graph; /* read/model.h */

/** What an emitted node is. */
typedef struct kx_emitted {
    const char *type; /**< of ONNX's own domain */
    int32_t nin, nattr, nout;
    kx_value *const *in; /**< [nin], NULL for an omitted one */
    const kx_attr *attr; /**< [nattr] */
} kx_emitted;

/** The expansion of one node.  The first failure is kept in `status`; after it emit() does nothing
 *  and gives NULL, so that an expander need not look before the end. */
struct kx_expander {
    kx_graph *g;
    kx_node *n; /**< from the file: inputs and attributes; its outputs are not values yet */
    kldve_status status;
    size_t *listed;            /**< arrays in all sequences so far, counted once for each */
    bool inside;               /**< marks what is emitted, the outputs apart (kx_value.inside) */
    kx_value *out[KX_MAX_OUT]; /**< set by the operator: what becomes output i */
    /** Add a node; its outputs go to out[nout], the first one is also returned. */
    kx_value *(*emit)(kx_expander *e, const kx_emitted *what, kx_value **out);
    /** Add the nodes of a subgraph whose inputs are in[nin]; round: number of a loop's round, -1
     * for a branch.  out: as many as it has outputs, at most KX_MAX_IN. */
    void (*graph)(kx_expander *e, const struct kx_proto_graph *body, kx_value *const *in,
                  int32_t nin, int64_t round, kx_value **out);
};

static inline kx_attr kx_attr_of_int(const char *name, int64_t i)
{
    return (kx_attr){.name = name, .type = KX_ATTR_INT, .i = i};
}

static inline kx_attr kx_attr_of_float(const char *name, float f)
{
    return (kx_attr){.name = name, .type = KX_ATTR_FLOAT, .f = f};
}

static inline kx_attr kx_attr_of_string(const char *name, const char *s)
{
    return (kx_attr){.name = name, .type = KX_ATTR_STRING, .s = s};
}

static inline kx_attr kx_attr_of_ints(const char *name, const int64_t *ints, size_t count)
{
    return (kx_attr){.name = name, .type = KX_ATTR_INTS, .ints = ints, .count = count};
}

/** One node with one output. */
static inline kx_value *kx_emit(kx_expander *e, const char *type, kx_value *const *in, int32_t nin,
                                const kx_attr *attr, int32_t nattr)
{
    kx_value *out[KX_MAX_OUT];

    return e->emit(
        e,
        &(kx_emitted){.type = type, .in = in, .nin = nin, .attr = attr, .nattr = nattr, .nout = 1},
        out);
}

/** The same without attributes: of one operand, and of two. */
static inline kx_value *kx_emit1(kx_expander *e, const char *type, kx_value *a)
{
    return kx_emit(e, type, (kx_value *[]){a}, 1, NULL, 0);
}

static inline kx_value *kx_emit2(kx_expander *e, const char *type, kx_value *a, kx_value *b)
{
    return kx_emit(e, type, (kx_value *[]){a, b}, 2, NULL, 0);
}

#endif
