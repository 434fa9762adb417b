/* proto_node.c - NodeProto, ValueInfoProto, OperatorSetIdProto. */
#include "proto_read.h"

#include <assert.h>
#include <string.h>

/* ---- nodes ----------------------------------------------------------------------------------- */

static kldve_status node_arrays(kx_reader *r, kx_wire w, kx_proto_node *out)
{
    size_t nin = 0, nout = 0, nattr = 0;
    kldve_status st;

    while (kx_wire_next(&w)) {
        nin += w.key == KX_BYTES(1);
        nout += w.key == KX_BYTES(2);
        nattr += w.key == KX_BYTES(5);
    }
    if (w.broken)
        return kx_wire_broken(r, &w, "a node");
    if (nin > INT32_MAX || nout > INT32_MAX || nattr > INT32_MAX)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED, "a node has too many inputs");
    if ((st = kx_reader_new(r, nin, sizeof *out->in, &out->in)) < 0 ||
        (st = kx_reader_new(r, nout, sizeof *out->out, &out->out)) < 0 ||
        (st = kx_reader_new(r, nattr, sizeof *out->attr, &out->attr)) < 0)
        return st;
    return KLDVE_OK;
}

kldve_status kx_read_node(kx_reader *r, const void *bytes, size_t n, kx_proto_node *out)
{
    kx_wire w = kx_wire_start(bytes, n);
    kx_proto_node node = {.name = "", .type = "", .domain = "", .overload = ""};
    kldve_status st = node_arrays(r, w, &node);

    while (st == KLDVE_OK && kx_wire_next(&w))
        switch (w.key) {
        case KX_BYTES(1):
            st = kx_reader_name(r, &w, &node.in[node.nin++]);
            break;
        case KX_BYTES(2):
            st = kx_reader_name(r, &w, &node.out[node.nout++]);
            break;
        case KX_BYTES(3):
            st = kx_reader_name(r, &w, &node.name);
            break;
        case KX_BYTES(4):
            st = kx_reader_name(r, &w, &node.type);
            break;
        case KX_BYTES(5):
            st = kx_read_attr(r, w.bytes, w.n, &node.attr[node.nattr++]);
            break;
        case KX_BYTES(7):
            st = kx_reader_name(r, &w, &node.domain);
            break;
        case KX_BYTES(8):
            st = kx_reader_name(r, &w, &node.overload);
            break;
        default:
            break;
        }
    if (st < 0)
        return st;
    if (!*node.type)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "node '%.80s' has no operator", node.name);
    *out = node;
    return kx_capture(r, out);
}

/* ---- inputs and outputs ---------------------------------------------------------------------- */

/* TensorShapeProto.Dimension. */
static kldve_status read_dim(kx_reader *r, const kx_wire *dim, kx_proto_value *v)
{
    kx_wire w = kx_wire_start(dim->bytes, dim->n);
    int32_t i = v->rank;
    kldve_status st = KLDVE_OK;

    assert(i >= 0);
    if (i >= KX_PROTO_MAX_RANK)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED,
                              "'%.80s' has more than %d dimensions, which is not supported",
                              v->name, KX_PROTO_MAX_RANK);
    v->dim[i] = -1;
    while (st == KLDVE_OK && kx_wire_next(&w))
        if (w.key == KX_VARINT(1)) {
            v->dim[i] = (int64_t)w.value;
            v->symbol[i] = NULL;
        } else if (w.key == KX_BYTES(2)) {
            v->dim[i] = -1;
            st = kx_reader_name(r, &w, &v->symbol[i]);
        }
    if (st < 0)
        return st;
    if (w.broken)
        return kx_wire_broken(r, &w, "a dimension");
    if (v->dim[i] < -1) /* some exporters write -1 for "any" */
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "'%.80s': dimension %d is %lld, it must not be negative", v->name, i,
                              (long long)v->dim[i]);
    v->rank++;
    return KLDVE_OK;
}

static kldve_status read_shape(kx_reader *r, const kx_wire *shape, kx_proto_value *v)
{
    kx_wire w = kx_wire_start(shape->bytes, shape->n);
    kldve_status st = KLDVE_OK;

    if (v->rank < 0)
        v->rank = 0;
    while (st == KLDVE_OK && kx_wire_next(&w))
        if (w.key == KX_BYTES(1))
            st = read_dim(r, &w, v);
    return st < 0 ? st : w.broken ? kx_wire_broken(r, &w, "a shape") : KLDVE_OK;
}

static kldve_status read_tensor_type(kx_reader *r, const kx_wire *type, kx_proto_value *v)
{
    kx_wire w = kx_wire_start(type->bytes, type->n);
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w))
        if (w.key == KX_VARINT(1) && w.value <= INT32_MAX)
            v->dtype = (int32_t)w.value;
        else if (w.key == KX_BYTES(2))
            st = read_shape(r, &w, v);
    return st < 0 ? st : w.broken ? kx_wire_broken(r, &w, "a tensor type") : KLDVE_OK;
}

/* TypeProto; sequences, maps and the like leave dtype 0. */
static kldve_status read_type(kx_reader *r, const kx_wire *type, kx_proto_value *v)
{
    kx_wire w = kx_wire_start(type->bytes, type->n);
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w))
        if (w.key == KX_BYTES(1))
            st = read_tensor_type(r, &w, v);
    return st < 0 ? st : w.broken ? kx_wire_broken(r, &w, "a type") : KLDVE_OK;
}

kldve_status kx_read_value(kx_reader *r, const void *bytes, size_t n, kx_proto_value *out)
{
    kx_wire w = kx_wire_start(bytes, n);
    kx_proto_value v = {.name = "", .rank = -1};
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w))
        if (w.key == KX_BYTES(1))
            st = kx_reader_name(r, &w, &v.name);
        else if (w.key == KX_BYTES(2))
            st = read_type(r, &w, &v);
    if (st < 0)
        return st;
    if (w.broken)
        return kx_wire_broken(r, &w, "an input or output");
    if (!*v.name)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "an input or output has no name");
    *out = v;
    return KLDVE_OK;
}

/* ---- opsets ---------------------------------------------------------------------------------- */

enum { OPSET_LAST = 1000 };

static bool default_domain(const kx_wire *domain)
{
    return domain->n == 0 || (domain->n == 7 && memcmp(domain->bytes, "ai.onnx", 7) == 0);
}

kldve_status kx_read_opset(kx_reader *r, const kx_wire *opset, int64_t *out)
{
    kx_wire w = kx_wire_start(opset->bytes, opset->n);
    bool ours = true;
    int64_t version = 0;

    while (kx_wire_next(&w))
        if (w.key == KX_BYTES(1))
            ours = default_domain(&w);
        else if (w.key == KX_VARINT(2))
            version = (int64_t)w.value;
    if (w.broken)
        return kx_wire_broken(r, &w, "an opset");
    if (!ours)
        return KLDVE_OK;
    if (version < 1 || version > OPSET_LAST)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "opset %lld does not exist", (long long)version);
    if (*out && *out != version)
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "the model asks for both opset %lld and opset %lld", (long long)*out,
                              (long long)version);
    *out = version;
    return KLDVE_OK;
}
