/* proto_read.h - what the files proto*.c share.
 *
 *     proto.c           the model: versions, functions, the main graph
 *     proto_graph.c     a graph: lists of nodes, tensors, inputs, outputs
 *     proto_capture.c   names that a node's subgraphs take from the graphs around them
 *     proto_node.c      NodeProto, ValueInfoProto
 *     proto_attr.c      AttributeProto
 *     proto_tensor.c    TensorProto: dimensions, element type, where the elements are
 *     proto_external.c  which bytes of which file they are, where they are in another
 *     proto_function.c  functions that are local to the model
 *     proto_inline.c    replaces calls of them by their bodies
 *     proto_tap.c       bytes that make tensors outputs
 *     proto_file.c      mapped files, "this is a PNG"
 *     proto_wire.c      fields of a message one by one, memory, messages
 *
 * A message is walked twice: once to count its repeated fields and once to fill arrays of that
 * length, so that nothing grows and every count is backed by bytes that exist. */
#ifndef KLDVE_ONNX_PROTO_READ_H
#define KLDVE_ONNX_PROTO_READ_H

#if __has_include(<nanopb/pb_decode.h>)
#include <nanopb/pb_decode.h>
#else
#include <pb_decode.h>
#endif

#include "model.h"

enum { KX_MAX_NAME = 4096 /* bytes */ };

struct kx_wire;

/** One reading of one model. */
typedef struct kx_reader {
    kldve_ctx *ctx;
    kx_arena *arena;
    const char *path; /**< starts every message */
    const unsigned char *bytes;
    kx_model *model; /**< NULL where external data is refused */
    bool external;   /**< external data may be opened, beside `path` */
    bool copy;       /**< files are read, not mapped */
    uint64_t mapped; /**< bytes of external data so far */
    size_t spent;    /**< bytes from the arena */
    int depth;       /**< graphs around the one that is read */
    /** kx_read_graph(): graphs hold nodes, whose attributes hold graphs. */
    kldve_status (*read_graph)(struct kx_reader *r, const struct kx_wire *graph,
                               kx_proto_graph *out);
    unsigned char *block; /**< small objects are cut from it */
    size_t block_left;
} kx_reader;

/** A field's number and wire type as the file stores them: switch labels. */
#define KX_VARINT(field) ((field) << 3 | PB_WT_VARINT)
#define KX_FIX64(field) ((field) << 3 | PB_WT_64BIT)
#define KX_BYTES(field) ((field) << 3 | PB_WT_STRING)
#define KX_FIX32(field) ((field) << 3 | PB_WT_32BIT)

/** A walk over the fields of one message. */
typedef struct kx_wire {
    pb_istream_t stream;
    uint32_t key;               /**< KX_...(field) of the current field */
    uint64_t value;             /**< its number: varint, or the bits of fix32 and fix64 */
    const unsigned char *bytes; /**< its bytes */
    size_t n;
    bool broken; /**< the walk stopped before the end of the message */
} kx_wire;

kx_wire kx_wire_start(const void *bytes, size_t n);
/** The next field; false at the end, or if the bytes are not valid protobuf: see broken. */
bool kx_wire_next(kx_wire *w);
/** KLDVE_E_FORMAT, with a message that says where and why. */
kldve_status kx_wire_broken(kx_reader *r, const kx_wire *w, const char *message);
/** How many fields with this key the message has; counts up to the first broken one. */
size_t kx_wire_count(const void *bytes, size_t n, uint32_t key);
/** Numbers in a packed field of varints. */
size_t kx_packed_count(const unsigned char *bytes, size_t n);

/** Set the context's message "PATH: ..." and return status. */
kldve_status kx_reader_fail(kx_reader *r, kldve_status status, const char *format, ...)
    KLDVE_PRINTF(3, 4);
kldve_status kx_reader_nomem(kx_reader *r);
/** Bytes that may still be read into memory. */
size_t kx_reader_room(const kx_reader *r);
/** KLDVE_E_LIMIT: they do not suffice. */
kldve_status kx_reader_full(kx_reader *r);
/** Zeroed memory from the arena; on failure the message is set. */
kldve_status kx_reader_new(kx_reader *r, size_t count, size_t size, void *out);
/** A NUL-terminated copy, without limits on its contents. */
kldve_status kx_reader_text(kx_reader *r, const void *bytes, size_t n, const char **out);
/** The same for a name: at most KX_MAX_NAME bytes, none of them zero. */
kldve_status kx_reader_name(kx_reader *r, const kx_wire *w, const char **out);

/** In messages, `owner` stands for a tensor that has no name. */
kldve_status kx_read_tensor(kx_reader *r, const void *bytes, size_t n, const char *owner,
                            kx_proto_tensor *out);

kldve_status kx_read_node(kx_reader *r, const void *bytes, size_t n, kx_proto_node *out);
kldve_status kx_read_attr(kx_reader *r, const void *bytes, size_t n, kx_proto_attr *out);
kldve_status kx_read_value(kx_reader *r, const void *bytes, size_t n, kx_proto_value *out);

/** How many of each a graph has. */
typedef struct kx_graph_counts {
    size_t nnode, ninitializer, ninput, noutput;
} kx_graph_counts;
/** Add the numbers of one GraphProto; then make room for them; then fill the room. */
kldve_status kx_count_graph(kx_reader *r, const kx_wire *graph, kx_graph_counts *c);
kldve_status kx_graph_arrays(kx_reader *r, const kx_graph_counts *c, kx_proto_graph *g);
kldve_status kx_fill_graph(kx_reader *r, const kx_wire *graph, kx_proto_graph *g);
/** All three, for a graph inside an attribute. */
kldve_status kx_read_graph(kx_reader *r, const kx_wire *graph, kx_proto_graph *out);
/** Set n->captured from the graphs in its attributes. */
kldve_status kx_capture(kx_reader *r, kx_proto_node *n);

/** OperatorSetIdProto: sets *out, initially 0, to the version if the domain is ONNX's own. */
kldve_status kx_read_opset(kx_reader *r, const kx_wire *bytes, int64_t *out);
/** Among r->model's nodes, replace the calls of the model's `count` functions by their bodies. */
kldve_status kx_inline_functions(kx_reader *r, const void *bytes, size_t n, size_t count);

/** "a PNG picture" and the like for bytes of another format; NULL: may be ONNX. */
const char *kx_recognise(const unsigned char *bytes, size_t n);
/** Map a file read-only until the model is freed.  `limit`: bytes. */
kldve_status kx_map_file(kx_reader *r, const char *path, const unsigned char **bytes, size_t *n);
/** The nbytes of `tensor` that its external_data names, among its fields w. */
kldve_status kx_read_external(kx_reader *r, kx_wire w, const char *tensor, size_t nbytes,
                              const unsigned char **out);
/** n bytes from `offset` of another file: `location` is relative to the folder of the model. */
kldve_status kx_map_external(kx_reader *r, const char *tensor, const char *location,
                             uint64_t offset, size_t n, const unsigned char **bytes);
void kx_unmap_all(kx_model *model);

#endif
