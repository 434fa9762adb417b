/* graph.h - the network as the engine sees it: values, nodes, operators.
 *
 *     file bytes --proto.c--> kx_model --graph.c--> kx_graph --fuse.c, plan.c--> kx_plan
 *     --run.c--> numbers
 *
 * A graph is built once, from a model whose every size is checked on the way; once it is planned it
 * is not changed.  All its memory comes from one arena.  Shapes are static: symbolic dimensions are
 * fixed when the graph is built, and every node's output shape is known before anything runs. */
#ifndef KLDVE_ONNX_GRAPH_H
#define KLDVE_ONNX_GRAPH_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kldve/backend.h>

#include "graph/pace.h"
#include "graph/traits.h"
#include "read/arena.h"

enum {
    KX_MAX_RANK = 8,
    KX_MAX_IN = 64, /* inputs of one node; Concat of a DenseNet block has up to 49 */
    KX_MAX_OUT = 16 /* outputs of one node */
};

/** Element types at run time.  float16, bfloat16 and float64 are converted to float32 on reading,
 *  all integers are widened to int64. */
typedef enum kx_dtype { KX_F32 = 1, KX_I64 = 2, KX_BOOL = 3 /* uint8_t 0 or 1 */ } kx_dtype;

/** The type at run time of a kx_onnx_type; false: none. */
bool kx_dtype_of(int32_t onnx_type, kx_dtype *out);

/** Bytes of one element. */
static inline size_t kx_dtype_size(kx_dtype t)
{
    assert(t >= KX_F32 && t <= KX_BOOL);
    return t == KX_F32 ? 4 : t == KX_I64 ? 8 : 1;
}

typedef struct kx_shape {
    int32_t rank; /**< 0..KX_MAX_RANK; 0 is a scalar */
    int64_t dim[KX_MAX_RANK];
} kx_shape;

/** An array at run time, row-major without gaps.  data is NULL for an omitted optional input. */
typedef struct kx_tensor {
    kx_dtype dtype;
    kx_shape shape;
    size_t count; /**< product of the dimensions; may be 0 */
    void *data;
    int32_t
        narrow; /**< not 0: `data` is as the file has it, of that KX_ONNX_ type (kx_op.narrow) */
} kx_tensor;

/** One named array of the graph: the input, a constant, or what a node makes. */
typedef struct kx_value {
    const char *name;  /**< the model's own string */
    int32_t id;        /**< index in kx_graph.value */
    int32_t producer;  /**< index of the node that makes it, -1: input or constant */
    int32_t onnx_type; /**< TensorProto.DataType as declared, for Cast and messages; 0 unknown */
    kx_dtype dtype;
    kx_shape shape;
    size_t count;
    const void *raw; /**< constant: its elements as dtype, perhaps unaligned; else NULL.  Read it
                          through kx_value_data() */
    bool narrow;     /**< they are 8 or 16 bits wide as the file has them, of onnx_type: nobody has
                          asked for them as dtype yet */
    /** Of what DequantizeLinear makes: from which integers, and by which scale, along axis
     *  scale_axis where it has several; else NULL. */
    const struct kx_value *levels, *scale;
    int32_t scale_axis;
    /** Of a constant: the tensor of the file that it is, or the constants that it was computed
     * from, as far as these can be parameters; else NULL. */
    const struct kx_proto_tensor *tensor;
    struct kx_value *const *from;
    int32_t nfrom;
    /** Of a sequence: its arrays.  It is no array itself, has no type and no place in a graph, and
     * is known while the graph is built only: operators of sequences leave none behind. */
    struct kx_value *const *item;
    int32_t items;
    bool is_sequence;
    bool inside; /**< made inside an operator that others stand for, where no layer is to be found:
                      gates of a recurrent one */
} kx_value;

typedef struct kx_op kx_op;
typedef struct kx_expander kx_expander;

/** AttributeProto.AttributeType, as far as any operator asks for it. */
enum {
    KX_ATTR_FLOAT = 1,
    KX_ATTR_INT = 2,
    KX_ATTR_STRING = 3,
    KX_ATTR_TENSOR = 4,
    KX_ATTR_GRAPH = 5,
    KX_ATTR_FLOATS = 6,
    KX_ATTR_INTS = 7
};

/** An attribute, straight from the file. */
typedef struct kx_attr {
    const char *name;
    int32_t type; /**< KX_ATTR_...; others are possible */
    bool used;    /**< a getter asked for it; what nobody asked for is refused */
    float f;
    int64_t i;
    const char *s; /**< NUL-terminated */
    size_t count;  /**< of floats, ints or strings */
    const float *floats;
    const int64_t *ints;
    const char *const *strings;
    const kx_value *t;                  /**< a constant value */
    const struct kx_proto_graph *graph; /**< a subgraph, as the file has it */
} kx_attr;

typedef struct kx_node {
    const kx_op *op;
    const char *name; /**< never empty: the first output's name if the file gives none */
    const char *type; /**< operator, "Conv" */
    int32_t index;    /**< in kx_graph.node, topological order */
    int32_t opset;    /**< of its form: kx_graph.opset when infer() ran */
    int32_t nin, nout, nattr;
    kx_value **in;  /**< [nin], NULL for an omitted optional input */
    kx_value **out; /**< [nout], NULL for an output that the file leaves unnamed */
    kx_attr *attr;
    void *params; /**< what infer() parsed, operator's own type, from the graph's arena */
} kx_node;

typedef struct kx_graph {
    kldve_ctx *ctx;               /**< for messages; outlives the graph */
    const struct kx_model *model; /**< whose bytes constants may be; outlives the graph, too */
    kx_arena arena;
    int32_t opset; /**< of the default domain */
    int32_t nvalue, nnode, ninput, noutput;
    size_t values, nodes; /**< for how many there is room in `value` and `node` */
    kx_value **value;
    kx_node *node;    /**< topological order */
    kx_value **input; /**< graph inputs that are not constants */
    kx_value **output;
} kx_graph;

/** What a kernel works on. */
typedef struct kx_op_call {
    const kx_node *node;
    const kx_tensor
        *in;        /**< [nin]; for vjp(), values not announced in vjp_needs may have data NULL */
    kx_tensor *out; /**< [nout]; data NULL: not wanted.  vjp() only reads it, as in vjp_needs */
    void *scratch;  /**< scratch_size() bytes, or NULL */
    kx_pace *pace;  /**< whom a long kernel asks whether to go on; NULL: it always does */
    int32_t which;  /**< vjp(): the input that is asked for */
    const kx_tensor *dout; /**< vjp(): [nout], data NULL where nothing flows back */
    kx_tensor *din;        /**< vjp(): collects the gradient at in[which] */
} kx_op_call;

/** One operator for a range of opsets: everything the engine knows of it, in one file of ops/. */
struct kx_op {
    const char *type;     /**< "Conv" */
    const char *domain;   /**< NULL: ONNX's own */
    int32_t since, until; /**< opsets since <= v <= until; until 0: no end */
    /** Check attributes, number, types and shapes of the inputs; set n->params; set dtype and shape
     *  of every output with kx_out().  Constant inputs can be read with kx_value_data().
     *  Everything that forward() cannot do is refused here with kx_refuse(). */
    kldve_status (*infer)(kx_graph *g, kx_node *n);
    /** Instead of all the others: name the nodes that take its place, expand.h. */
    kldve_status (*expand)(kx_expander *e);
    /** out = f(in).  No allocation; it ends before it is done only if kx_stops() says so.  NULL
     *  where infer() makes every output a constant. */
    void (*forward)(const kx_op_call *call);
    /** Add the vector-Jacobian product to din: din += (d out / d in[which])^T dout, float32.  NULL:
     *  not differentiable (integer or boolean results, ArgMax ...). */
    void (*vjp)(const kx_op_call *call);
    uint64_t vjp_needs; /**< KX_NEEDS_IN(i) | KX_NEEDS_OUT: forward values that vjp() reads */
    bool narrow; /**< when it is folded, forward() takes a constant in[0] as the file has it */
    /** Bytes of scratch for forward and vjp; NULL: none. */
    size_t (*scratch_size)(const kx_node *n);
    /** Multiplications of forward(), roughly, and of a VJP.  NULL: about as many as there are
     *  elements.  kx_node_work() asks. */
    double (*work)(const kx_node *n);
    kx_traits traits; /**< what the passes ask */
    bool sequences;   /**< expand() takes sequences */
};

#define KX_NEEDS_IN(i) (UINT64_C(1) << (i))
#define KX_NEEDS_ALL_IN (~UINT64_C(0) >> 1)
#define KX_NEEDS_OUT (UINT64_C(1) << 63)

/** The entry for an operator at an opset; NULL: none.  domain "" is ONNX's own.  ops/operators.c.
 */
const kx_op *kx_op_find(const char *domain, const char *type, int32_t opset);
/** All operators: a NULL-terminated list of families, one for each file of ops/, each an array that
 * ends with an entry without a type. */
extern const kx_op *const kx_families[];

/* ---- for infer() -------------------------------------------------------------------------- */

/** Refuse a node: KLDVE_E_UNSUPPORTED, message "node 'NAME' (TYPE): ...". */
kldve_status kx_refuse(const kx_graph *g, const kx_node *n, const char *format, ...)
    KLDVE_PRINTF(3, 4);
/** The same with the message in a context other than the graph's. */
kldve_status kx_refuse_in(kldve_ctx *ctx, const kx_node *n, const char *format, ...)
    KLDVE_PRINTF(3, 4);
/** The same for a node that breaks the operator's specification: KLDVE_E_FORMAT. */
kldve_status kx_invalid(const kx_graph *g, const kx_node *n, const char *format, ...)
    KLDVE_PRINTF(3, 4);
/** KLDVE_E_NOMEM with its message. */
kldve_status kx_nomem(const kx_graph *g);

/** Attributes by name.  Each marks the attribute as used and returns the default where it is
 *  missing; a wrong type counts as missing and is then refused because it stays unused. */
int64_t kx_attr_int(kx_node *n, const char *name, int64_t def);
float kx_attr_float(kx_node *n, const char *name, float def);
const char *kx_attr_string(kx_node *n, const char *name, const char *def);
/** *count 0 and NULL where missing. */
const int64_t *kx_attr_ints(kx_node *n, const char *name, size_t *count);
const float *kx_attr_floats(kx_node *n, const char *name, size_t *count);
const kx_value *kx_attr_tensor(kx_node *n, const char *name);
const struct kx_proto_graph *kx_attr_graph(kx_node *n, const char *name);
/** Accept and ignore an attribute that does not change the result. */
void kx_attr_ignore(kx_node *n, const char *name);

/** Check that there are lo to hi inputs, the first `lo` of them present, and at most max_out
 *  outputs.  KLDVE_E_FORMAT, or KLDVE_E_UNSUPPORTED for too many outputs. */
kldve_status kx_expect(kx_graph *g, kx_node *n, int32_t lo, int32_t hi, int32_t max_out);
/** Set type and shape of output i, checking every dimension (>= 0, product fits, <= 2^40 bytes). */
kldve_status kx_out(kx_graph *g, kx_node *n, int32_t i, kx_dtype dtype, const kx_shape *shape);
/** The same for an output whose elements infer() knows already (Constant, Shape): `data` of that
 *  type, from the file or the graph's arena.  A node with only such outputs leaves the graph. */
kldve_status kx_out_constant(kx_graph *g, kx_node *n, int32_t i, kx_dtype dtype,
                             const kx_shape *shape, const void *data);
/** Number of elements; false where a dimension is negative or the bytes pass 2^40. */
bool kx_shape_count(const kx_shape *shape, size_t item, size_t *count);
/** True when the input is there (not omitted). */
bool kx_has(const kx_node *n, int32_t i);
/** Zeroed memory from the graph's arena; NULL: out of memory. */
void *kx_new(kx_graph *g, size_t count, size_t size);

/** Elements of a constant, aligned, of v->dtype; NULL if v is not constant, or out of memory.  For
 *  building only: a copy that this needs is kept in the graph. */
const void *kx_value_data(kx_graph *g, const kx_value *v);
/** The same of a built graph, which several threads may read: a copy goes into `arena`. */
const void *kx_value_read(const kx_value *v, kx_arena *arena);
/** Elements of a constant of int64, or of any integers the file stores; NULL as above. */
static inline const int64_t *kx_value_ints(kx_graph *g, const kx_value *v)
{
    return v->dtype == KX_I64 ? kx_value_data(g, v) : NULL;
}

/** Whether input i of a node is a constant that may have been learned, and does not say how the
 *  operator computes. */
static inline bool kx_is_parameter(const kx_node *n, int32_t i)
{
    const kx_value *v = n->in[i];

    return v && (v->tensor || v->nfrom > 0) && !(n->op->traits.settings >> i & 1);
}

/** Product of dimensions [from, to). */
static inline int64_t kx_span(const kx_shape *s, int32_t from, int32_t to)
{
    int64_t n = 1;

    assert(from >= 0 && to <= s->rank);
    for (int32_t i = from; i < to; i++)
        n *= s->dim[i];
    return n;
}

/** Numpy broadcasting of two shapes; false if they do not fit. */
bool kx_broadcast(const kx_shape *a, const kx_shape *b, kx_shape *out);

/** axis in [-rank, rank) -> [0, rank); false when out of range. */
static inline bool kx_axis(int64_t axis, int32_t rank, int32_t *out)
{
    if (axis < -rank || axis >= rank)
        return false;
    *out = (int32_t)(axis < 0 ? axis + rank : axis);
    return true;
}

void kx_graph_free(kx_graph *g);

/** Add a value without type and shape; `name` has to outlive the graph.  NULL: out of memory. */
kx_value *kx_value_new(kx_graph *g, const char *name);
/** Make room for so many nodes and values in all.  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_graph_room(kx_graph *g, size_t nodes, size_t values);
/** Put a node before node `at`; those behind it move on.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_graph_insert(kx_graph *g, int32_t at, const kx_node *node);
/** Number the nodes anew after they have changed places: index, and producer of every output. */
void kx_graph_number(kx_graph *g);
/** A value by name, or of the node with that name its first output; NULL: none. */
kx_value *kx_graph_find(const kx_graph *g, const char *name);

#endif
