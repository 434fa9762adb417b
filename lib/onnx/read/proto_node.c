/* proto_node.c - NodeProto, AttributeProto, ValueInfoProto, OperatorSetIdProto. */
#include "proto_read.h"

#include <assert.h>
#include <string.h>

/* ---- attributes ------------------------------------------------------------------------------ */

/* AttributeProto.AttributeType. */
enum {
    ATTR_FLOAT = 1,
    ATTR_INT,
    ATTR_STRING,
    ATTR_TENSOR,
    ATTR_GRAPH,
    ATTR_FLOATS,
    ATTR_INTS,
    ATTR_STRINGS,
    ATTR_TENSORS,
    ATTR_GRAPHS,
    ATTR_SPARSE_TENSOR,
    ATTR_SPARSE_TENSORS,
    ATTR_TYPE,
    ATTR_TYPES,
    ATTR_KINDS
};

static const char *const attr_name[ATTR_KINDS] = {
    "no type", "float",   "int",    "string",        "tensor",         "graph", "floats", "ints",
    "strings", "tensors", "graphs", "sparse tensor", "sparse tensors", "type",  "types",
};

/* What the first walk finds. */
typedef struct attr_parts {
    uint64_t type;
    uint32_t present; /* bit of each AttributeType whose field is there */
    size_t floats, ints, strings, tensors, graphs;
    const unsigned char *tensor;
    size_t ntensor;
    kx_wire graph;
} attr_parts;

/* Which AttributeType a field holds; 0: a field of another purpose. */
static int attr_kind(uint32_t key)
{
    static const struct {
        uint32_t key;
        int kind;
    } fields[] = {
        {KX_FIX32(2), ATTR_FLOAT},          {KX_VARINT(3), ATTR_INT},
        {KX_BYTES(4), ATTR_STRING},         {KX_BYTES(5), ATTR_TENSOR},
        {KX_BYTES(6), ATTR_GRAPH},          {KX_FIX32(7), ATTR_FLOATS},
        {KX_BYTES(7), ATTR_FLOATS},         {KX_VARINT(8), ATTR_INTS},
        {KX_BYTES(8), ATTR_INTS},           {KX_BYTES(9), ATTR_STRINGS},
        {KX_BYTES(10), ATTR_TENSORS},       {KX_BYTES(11), ATTR_GRAPHS},
        {KX_BYTES(14), ATTR_TYPE},          {KX_BYTES(15), ATTR_TYPES},
        {KX_BYTES(22), ATTR_SPARSE_TENSOR}, {KX_BYTES(23), ATTR_SPARSE_TENSORS},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].key == key)
            return fields[i].kind;
    return 0;
}

/* A field that is a single value: read now. */
static kldve_status read_single(kx_reader *r, const kx_wire *w, attr_parts *p, kx_proto_attr *out)
{
    uint32_t word = (uint32_t)w->value;

    switch (w->key) {
    case KX_BYTES(1):
        return kx_reader_name(r, w, &out->name);
    case KX_FIX32(2):
        memcpy(&out->f, &word, sizeof out->f);
        break;
    case KX_VARINT(3):
        out->i = (int64_t)w->value;
        break;
    case KX_BYTES(4):
        return kx_reader_text(r, w->bytes, w->n, &out->s);
    case KX_VARINT(20):
        p->type = w->value;
        break;
    case KX_BYTES(21):
        return kx_reader_name(r, w, &out->ref);
    default:
        break;
    }
    return KLDVE_OK;
}

/* A field of a list: counted now, read by attr_lists() once there is room. */
static kldve_status count_listed(kx_reader *r, const kx_wire *w, attr_parts *p)
{
    switch (w->key) {
    case KX_BYTES(5):
        p->tensor = w->bytes;
        p->ntensor = w->n;
        p->tensors++;
        break;
    case KX_BYTES(6):
        p->graph = *w;
        p->graphs++;
        break;
    case KX_FIX32(7):
        p->floats++;
        break;
    case KX_BYTES(7):
        if (w->n % 4)
            return kx_reader_fail(r, KLDVE_E_FORMAT,
                                  "the floats of an attribute have %zu bytes, not a multiple of 4",
                                  w->n);
        p->floats += w->n / 4;
        break;
    case KX_VARINT(8):
        p->ints++;
        break;
    case KX_BYTES(8):
        p->ints += kx_packed_count(w->bytes, w->n);
        break;
    case KX_BYTES(9):
        p->strings++;
        break;
    default:
        break;
    }
    return KLDVE_OK;
}

static kldve_status attr_counts(kx_reader *r, kx_wire w, attr_parts *p, kx_proto_attr *out)
{
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w)) {
        p->present |= 1u << attr_kind(w.key); /* bit 0 says nothing */
        if ((st = read_single(r, &w, p, out)) == KLDVE_OK)
            st = count_listed(r, &w, p);
    }
    return st < 0 ? st : w.broken ? kx_wire_broken(r, &w, "an attribute") : KLDVE_OK;
}

/* The type as stated, or that of the only field present; 0: neither. */
static kldve_status attr_type(kx_reader *r, const attr_parts *p, kx_proto_attr *out)
{
    uint32_t rest;

    if (p->type >= ATTR_KINDS)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "attribute '%.60s' has the unknown type %llu",
                              out->name, (unsigned long long)p->type);
    out->type = (int32_t)p->type;
    for (int kind = ATTR_KINDS - 1; kind > 0 && p->type == 0; kind--)
        if (p->present >> kind & 1)
            out->type = kind;
    assert(out->type >= 0 && out->type < ATTR_KINDS);
    rest = p->present & ~(1u << out->type);
    for (int kind = 1; kind < ATTR_KINDS; kind++)
        if (rest >> kind & 1)
            return kx_reader_fail(r, KLDVE_E_FORMAT, "attribute '%.60s' of type %s also has %s",
                                  out->name, attr_name[out->type], attr_name[kind]);
    return KLDVE_OK;
}

static bool unpack_ints(const kx_wire *w, int64_t *to)
{
    pb_istream_t in = pb_istream_from_buffer(w->bytes, w->n);
    uint64_t value;

    while (in.bytes_left > 0) {
        if (!pb_decode_varint(&in, &value))
            return false;
        *to++ = (int64_t)value;
    }
    return true;
}

static kldve_status attr_lists(kx_reader *r, kx_wire w, const attr_parts *p, kx_proto_attr *out)
{
    size_t nf = 0, ni = 0, ns = 0;
    kldve_status st;

    if ((p->floats && (st = kx_reader_new(r, p->floats, sizeof(float), &out->floats)) < 0) ||
        (p->ints && (st = kx_reader_new(r, p->ints, sizeof(int64_t), &out->ints)) < 0) ||
        (p->strings && (st = kx_reader_new(r, p->strings, sizeof(char *), &out->strings)) < 0))
        return st;
    out->count = p->floats + p->ints + p->strings; /* all of one kind */
    while (kx_wire_next(&w))
        switch (w.key) {
        case KX_FIX32(7): {
            uint32_t word = (uint32_t)w.value;

            memcpy(&out->floats[nf++], &word, sizeof word);
            break;
        }
        case KX_BYTES(7):
            if (w.n)
                memcpy(out->floats + nf, w.bytes, w.n);
            nf += w.n / 4;
            break;
        case KX_VARINT(8):
            out->ints[ni++] = (int64_t)w.value;
            break;
        case KX_BYTES(8):
            if (w.n && !unpack_ints(&w, out->ints + ni))
                return kx_reader_fail(r, KLDVE_E_FORMAT, "attribute '%.60s': damaged integers",
                                      out->name);
            ni += kx_packed_count(w.bytes, w.n);
            break;
        case KX_BYTES(9):
            if ((st = kx_reader_text(r, w.bytes, w.n, &out->strings[ns++])) < 0)
                return st;
            break;
        default:
            break;
        }
    assert(nf == p->floats && ni == p->ints && ns == p->strings);
    return KLDVE_OK;
}

static kldve_status attr_tensor(kx_reader *r, const attr_parts *p, kx_proto_attr *out)
{
    kldve_status st;

    assert(out->type == ATTR_TENSOR);
    if (p->tensors != 1)
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "attribute '%.60s' of type tensor has %zu tensors, not one",
                              out->name, p->tensors);
    if ((st = kx_reader_new(r, 1, sizeof *out->t, &out->t)) < 0)
        return st;
    return kx_read_tensor(r, p->tensor, p->ntensor, out->name, out->t);
}

static kldve_status attr_graph(kx_reader *r, const attr_parts *p, kx_proto_attr *out)
{
    kldve_status st;

    assert(out->type == ATTR_GRAPH);
    if (p->graphs != 1)
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "attribute '%.60s' of type graph has %zu graphs, not one", out->name,
                              p->graphs);
    if ((st = kx_reader_new(r, 1, sizeof *out->g, &out->g)) < 0)
        return st;
    assert(r->read_graph);
    return r->read_graph(r, &p->graph, out->g);
}

kldve_status kx_read_attr(kx_reader *r, const void *bytes, size_t n, kx_proto_attr *out)
{
    kx_wire w = kx_wire_start(bytes, n);
    kx_proto_attr a = {.name = "", .s = ""};
    attr_parts p = {0};
    kldve_status st;

    if ((st = attr_counts(r, w, &p, &a)) < 0)
        return st;
    if (!*a.name)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "an attribute has no name");
    if (a.ref && !*a.ref)
        a.ref = NULL;
    if ((st = attr_type(r, &p, &a)) < 0 || (st = attr_lists(r, w, &p, &a)) < 0)
        return st;
    if (a.type == ATTR_TENSOR && !a.ref && (st = attr_tensor(r, &p, &a)) < 0)
        return st;
    if (a.type == ATTR_GRAPH && !a.ref && (st = attr_graph(r, &p, &a)) < 0)
        return st;
    *out = a;
    return KLDVE_OK;
}

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
        return kx_reader_fail(r, KLDVE_E_LIMIT, "a node has too many inputs");
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
