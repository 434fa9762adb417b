/* onnx_writer.c - see onnx_writer.h. */
#include "onnx_writer.h"

#include <math.h>
#include <string.h>

void onnx_header(writer *w, int ir, int opset)
{
    write_varint(w, MODEL_IR_VERSION, (uint64_t)ir);
    write_string(w, MODEL_PRODUCER, "libkldve make-network");
    if (opset) {
        write_begin(w, MODEL_OPSET);
        write_string(w, 1, "");
        write_varint(w, 2, (uint64_t)opset);
        write_end(w);
    }
}

void onnx_value(writer *w, uint32_t field, const char *name, int rank, const int64_t *dim)
{
    write_begin(w, field);
    write_string(w, 1, name);
    write_begin(w, 2); /* TypeProto */
    write_begin(w, 1); /* tensor_type */
    write_varint(w, 1, FLOAT);
    write_begin(w, 2); /* shape */
    for (int i = 0; i < rank; i++) {
        write_begin(w, 1);
        if (dim[i] == 0)
            write_string(w, 2, "N");
        else
            write_varint(w, 1, (uint64_t)dim[i]);
        write_end(w);
    }
    write_end(w);
    write_end(w);
    write_end(w);
    write_end(w);
}

static void names(writer *w, uint32_t field, const char *list)
{
    while (*list) {
        size_t n = strcspn(list, ",");

        write_bytes(w, field, list, n);
        list += n + (list[n] == ',');
    }
}

void onnx_node(writer *w, const char *op, const char *inputs, const char *outputs)
{
    write_begin(w, GRAPH_NODE);
    names(w, NODE_INPUT, inputs);
    names(w, NODE_OUTPUT, outputs);
    write_bytes(w, NODE_NAME, outputs, strcspn(outputs, ","));
    write_string(w, NODE_OP, op);
}

void onnx_node_end(writer *w)
{
    write_end(w);
}

static void attribute(writer *w, const char *name, uint64_t type)
{
    write_begin(w, NODE_ATTRIBUTE);
    write_string(w, ATTR_NAME, name);
    write_varint(w, ATTR_TYPE, type);
}

void onnx_int(writer *w, const char *name, int64_t value)
{
    attribute(w, name, 2);
    write_varint(w, 3, (uint64_t)value);
    write_end(w);
}

void onnx_float(writer *w, const char *name, float value)
{
    attribute(w, name, 1);
    write_fix32(w, 2, value);
    write_end(w);
}

void onnx_string(writer *w, const char *name, const char *value)
{
    attribute(w, name, 3);
    write_string(w, 4, value);
    write_end(w);
}

void onnx_ints(writer *w, const char *name, int n, const int64_t *value)
{
    attribute(w, name, 7);
    for (int i = 0; i < n; i++)
        write_varint(w, 8, (uint64_t)value[i]);
    write_end(w);
}

void onnx_tensor(writer *w, uint32_t field, const char *name, int type, int rank,
                 const int64_t *dim)
{
    write_begin(w, field);
    for (int i = 0; i < rank; i++)
        write_varint(w, TENSOR_DIMS, (uint64_t)dim[i]);
    write_varint(w, TENSOR_TYPE, (uint64_t)type);
    write_string(w, TENSOR_NAME, name);
}

static size_t product(int rank, const int64_t *dim)
{
    size_t n = 1;

    for (int i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    return n;
}

void onnx_floats(writer *w, const char *name, int rank, const int64_t *dim, const float *value)
{
    onnx_tensor(w, GRAPH_INITIALIZER, name, FLOAT, rank, dim);
    write_bytes(w, TENSOR_RAW, value, 4 * product(rank, dim));
    write_end(w);
}

void onnx_int64s(writer *w, const char *name, int64_t n, const int64_t *value)
{
    onnx_tensor(w, GRAPH_INITIALIZER, name, INT64, 1, &n);
    write_bytes(w, TENSOR_RAW, value, 8 * (size_t)n);
    write_end(w);
}

/* xorshift64*, as in Vigna, "An experimental exploration of Marsaglia's xorshift generators,
 * scrambled" (2016). */
static double uniform(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (double)((*seed * 2685821657736338717u) >> 11) * 0x1p-53;
}

/* Box and Muller (1958): two at a time. */
static void normals(float *to, size_t n, double mean, double deviation, uint64_t *seed)
{
    for (size_t i = 0; i < n; i += 2) {
        double r = deviation * sqrt(-2 * log(1 - uniform(seed)));
        double angle = 6.283185307179586 * uniform(seed);

        to[i] = (float)(mean + r * cos(angle));
        if (i + 1 < n)
            to[i + 1] = (float)(mean + r * sin(angle));
    }
}

typedef struct distribution {
    bool normal;
    double a, b;
    uint64_t seed;
} distribution;

static void random_tensor(writer *w, const char *name, int rank, const int64_t *dim, distribution d)
{
    float chunk[4096];
    size_t left = product(rank, dim), room = sizeof chunk / sizeof *chunk;

    d.seed = d.seed * 0x9e3779b97f4a7c15u | 1;
    for (int i = 0; i < 8; i++) /* neighbouring seeds start alike */
        uniform(&d.seed);
    onnx_tensor(w, GRAPH_INITIALIZER, name, FLOAT, rank, dim);
    write_begin(w, TENSOR_RAW);
    while (left > 0) {
        size_t n = left < room ? left : room;

        if (!writer_counts(w) && d.normal)
            normals(chunk, n, d.a, d.b, &d.seed);
        for (size_t i = 0; i < n && !writer_counts(w) && !d.normal; i++)
            chunk[i] = (float)(d.a + (d.b - d.a) * uniform(&d.seed));
        write_plain(w, chunk, 4 * n);
        left -= n;
    }
    write_end(w);
    write_end(w);
}

void onnx_normal(writer *w, const char *name, int rank, const int64_t *dim, double mean,
                 double deviation, uint64_t seed)
{
    random_tensor(w, name, rank, dim, (distribution){true, mean, deviation, seed});
}

void onnx_uniform(writer *w, const char *name, int rank, const int64_t *dim, double low,
                  double high, uint64_t seed)
{
    random_tensor(w, name, rank, dim, (distribution){false, low, high, seed});
}
