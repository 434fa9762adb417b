/* onnx_writer.h - the messages of ONNX, as far as networks and test cases need them. */
#ifndef KLDVE_TESTS_NETWORKS_ONNX_WRITER_H
#define KLDVE_TESTS_NETWORKS_ONNX_WRITER_H

#include "writer.h"

/* Field numbers of onnx.proto. */
enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_FUNCTION = 25,
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    ATTR_NAME = 1,
    ATTR_TYPE = 20,
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9
};

enum { FLOAT = 1, INT64 = 7 }; /* TensorProto.DataType */

/** IR version, producer, opset of the default domain (0: none). */
void onnx_header(writer *w, int ir, int opset);

/** ValueInfoProto of a float tensor; dimension 0 becomes "N". */
void onnx_value(writer *w, uint32_t field, const char *name, int rank, const int64_t *dim);

/** A node: operator, comma-separated names; its name is the first output's.  Leaves the message
 *  open for attributes. */
void onnx_node(writer *w, const char *op, const char *inputs, const char *outputs);
void onnx_int(writer *w, const char *name, int64_t value);
void onnx_float(writer *w, const char *name, float value);
void onnx_string(writer *w, const char *name, const char *value);
void onnx_ints(writer *w, const char *name, int n, const int64_t *value);
void onnx_node_end(writer *w);

/** Begin a TensorProto: name, type, dimensions; write_end() ends it. */
void onnx_tensor(writer *w, uint32_t field, const char *name, int type, int rank,
                 const int64_t *dim);
/** A whole initializer of floats or of int64. */
void onnx_floats(writer *w, const char *name, int rank, const int64_t *dim, const float *value);
void onnx_int64s(writer *w, const char *name, int64_t n, const int64_t *value);

/** An initializer mean + deviation * standard normal, from `seed`. */
void onnx_normal(writer *w, const char *name, int rank, const int64_t *dim, double mean,
                 double deviation, uint64_t seed);
/** Uniform in [low, high). */
void onnx_uniform(writer *w, const char *name, int rank, const int64_t *dim, double low,
                  double high, uint64_t seed);

#endif
