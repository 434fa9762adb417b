/* proto_attr.c - AttributeProto: one value, or lists of them, of a declared type. */
#include "proto_read.h"

#include <assert.h>
#include <string.h>

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
