/* model.h - what an .onnx file says, read but not yet trusted.
 *
 * Wire format and field numbers: onnx.proto of the ONNX project (IR versions 3 to 10).  Decoded
 * with nanopb's stream functions straight from the file's bytes: weights are not copied, strings
 * are copied into the model's arena.  Slices point into the bytes, which outlive the model. */
#ifndef KLDVE_ONNX_MODEL_H
#define KLDVE_ONNX_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

enum { KX_PROTO_MAX_RANK = 8 };

/** TensorProto.DataType, as the specification numbers them. */
enum kx_onnx_type {
    KX_ONNX_FLOAT = 1,
    KX_ONNX_UINT8 = 2,
    KX_ONNX_INT8 = 3,
    KX_ONNX_UINT16 = 4,
    KX_ONNX_INT16 = 5,
    KX_ONNX_INT32 = 6,
    KX_ONNX_INT64 = 7,
    KX_ONNX_STRING = 8,
    KX_ONNX_BOOL = 9,
    KX_ONNX_FLOAT16 = 10,
    KX_ONNX_DOUBLE = 11,
    KX_ONNX_UINT32 = 12,
    KX_ONNX_UINT64 = 13,
    KX_ONNX_BFLOAT16 = 16
};

/** "float16"; "type ?" for a number that is no TensorProto.DataType. */
const char *kx_onnx_type_name(int64_t onnx_type);

/** A TensorProto with its data located and measured: `data` holds exactly `count` elements of
 *  `dtype` in little-endian order, wherever the file kept them (raw_data, a typed field, external
 *  file).  Not aligned in general. */
typedef struct kx_proto_tensor {
    const char *name;
    int32_t dtype; /**< kx_onnx_type */
    int32_t rank;
    int64_t dim[KX_PROTO_MAX_RANK];
    size_t count;
    const void *data;
    bool made; /**< not of the file: the value of an input, or of a node that leads to one */
} kx_proto_tensor;

typedef struct kx_proto_attr {
    const char *name;
    int32_t
        type; /**< AttributeProto.AttributeType; guessed from the fields present when 0 (IR < 4) */
    float f;
    int64_t i;
    const char *s;
    size_t count;
    float *floats;
    int64_t *ints;
    const char **strings;
    kx_proto_tensor *t;
    struct kx_proto_graph *g; /**< a subgraph: a branch, the body of a loop */
    const char *ref;          /**< ref_attr_name inside a function body, otherwise NULL */
} kx_proto_attr;

typedef struct kx_proto_node {
    const char *name, *type, *domain;
    const char *overload; /**< picks one of several functions with the same name; IR >= 10 */
    int32_t opset;        /**< of the default domain, for a node from a function; 0: the model's */
    int32_t nin, nout, nattr, ncaptured;
    const char **in, **out;      /**< "" for an omitted one */
    const char *const *captured; /**< names that its subgraphs mention, which are names of theirs or
                                      of the graphs around them */
    kx_proto_attr *attr;
} kx_proto_node;

/** ValueInfoProto of a tensor.  dim -1: symbolic or missing.  rank -1: no shape given. */
typedef struct kx_proto_value {
    const char *name;
    int32_t dtype; /**< 0: not a tensor, or not given */
    int32_t rank;
    int64_t dim[KX_PROTO_MAX_RANK];
    const char *symbol[KX_PROTO_MAX_RANK]; /**< dim_param or NULL */
} kx_proto_value;

/** The main graph, or one inside an attribute. */
typedef struct kx_proto_graph {
    int32_t nnode, ninitializer, ninput, noutput;
    kx_proto_node *node; /**< in file order */
    kx_proto_tensor *initializer;
    kx_proto_value *input, *output;
} kx_proto_graph;

typedef struct kx_model {
    kx_arena arena;
    int64_t ir_version;
    int32_t opset; /**< of the default domain */
    int32_t nnode, ninitializer, ninput, noutput;
    kx_proto_node *node; /**< in file order; functions local to the model are inlined */
    kx_proto_tensor *initializer;
    kx_proto_value *input, *output;
    const char **made; /**< [nmade] what nodes of the main graph make, before that */
    size_t nmade;
    size_t nbytes; /**< of the file, and of files with external data */
    void *mapping; /**< private to proto.c: mapped files */
} kx_model;

/** Read one serialised TensorProto, as ONNX's test data stores inputs and outputs.  The result
 * lives in `arena`; its data may point into `bytes`. */
kldve_status kx_proto_tensor_read(kldve_ctx *ctx, kx_arena *arena, const void *bytes, size_t nbytes,
                                  kx_proto_tensor *out);

#endif
