/* proto_tensor.c - TensorProto: its dimensions, its element type, and where its elements are.
 *
 * The elements of a tensor are in one of three places: raw_data, little-endian as in memory; the
 * field for their type (float_data, int32_data, ...), packed or not; another file.  raw_data,
 * packed float_data and packed double_data are used in place. */
#include "proto_read.h"

#include <assert.h>
#include <string.h>

#include "../../base/size.h"

/* Field numbers of TensorProto. */
enum {
    DIMS = 1,
    DATA_TYPE = 2,
    SEGMENT = 3,
    FLOAT_DATA = 4,
    INT32_DATA = 5,
    STRING_DATA = 6,
    INT64_DATA = 7,
    NAME = 8,
    RAW_DATA = 9,
    DOUBLE_DATA = 10,
    UINT64_DATA = 11,
    EXTERNAL_DATA = 13, /* proto_external.c */
    DATA_LOCATION = 14,
    FIELDS = 15
};

enum { MAX_TENSOR_LOG2 = 40 };

/* By TensorProto.DataType: bytes of an element (0: not read) and the typed field that holds it. */
static const struct type_info {
    const char *name;
    uint8_t size, field;
} types[] = {
    {"no type", 0, 0},
    {"float", 4, FLOAT_DATA},
    {"uint8", 1, INT32_DATA},
    {"int8", 1, INT32_DATA},
    {"uint16", 2, INT32_DATA},
    {"int16", 2, INT32_DATA},
    {"int32", 4, INT32_DATA},
    {"int64", 8, INT64_DATA},
    {"string", 0, STRING_DATA},
    {"bool", 1, INT32_DATA},
    {"float16", 2, INT32_DATA},
    {"double", 8, DOUBLE_DATA},
    {"uint32", 4, UINT64_DATA},
    {"uint64", 8, UINT64_DATA},
    {"complex64", 0, FLOAT_DATA},
    {"complex128", 0, DOUBLE_DATA},
    {"bfloat16", 2, INT32_DATA},
    {"float8e4m3fn", 0, INT32_DATA},
    {"float8e4m3fnuz", 0, INT32_DATA},
    {"float8e5m2", 0, INT32_DATA},
    {"float8e5m2fnuz", 0, INT32_DATA},
    {"uint4", 0, INT32_DATA},
    {"int4", 0, INT32_DATA},
    {"float4e2m1", 0, INT32_DATA},
    {"float8e8m0", 0, INT32_DATA},
    {"uint2", 0, INT32_DATA},
    {"int2", 0, INT32_DATA},
};

enum { NTYPES = sizeof types / sizeof types[0] };

static const char *const field_name[FIELDS] = {
    [FLOAT_DATA] = "float_data", [INT32_DATA] = "int32_data",   [INT64_DATA] = "int64_data",
    [RAW_DATA] = "raw_data",     [DOUBLE_DATA] = "double_data", [UINT64_DATA] = "uint64_data",
};

/* What the first walk finds. */
typedef struct parts {
    const char *name; /* for messages */
    uint64_t dtype;
    size_t rank;
    bool segment, external;
    const unsigned char *raw;
    size_t nraw;
    size_t count[FIELDS];              /* numbers in each typed field */
    const unsigned char *only[FIELDS]; /* their bytes, if in one packed piece */
} parts;

const char *kx_onnx_type_name(int64_t type)
{
    return type >= 0 && type < NTYPES ? types[type].name : "type ?";
}

static void piece(parts *p, int field, const kx_wire *w, size_t count)
{
    assert(field > 0 && field < FIELDS);
    if (count == 0)
        return;
    p->only[field] = p->count[field] == 0 ? w->bytes : NULL;
    p->count[field] += count;
}

/* A piece of many numbers: fixed size for float and double, varints otherwise. */
static kldve_status packed_piece(kx_reader *r, const kx_wire *w, parts *p)
{
    int field = (int)(w->key >> 3);
    size_t item = field == FLOAT_DATA ? 4 : field == DOUBLE_DATA ? 8 : 0;

    assert(field > 0 && field < FIELDS && field_name[field]);
    if (item && w->n % item)
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "a tensor's %s has %zu bytes, not a multiple of %zu",
                              field_name[field], w->n, item);
    piece(p, field, w, item ? w->n / item : kx_packed_count(w->bytes, w->n));
    return KLDVE_OK;
}

static kldve_status dimension(parts *p, uint64_t value, kx_proto_tensor *out)
{
    if (p->rank < KX_PROTO_MAX_RANK)
        out->dim[p->rank] = (int64_t)value;
    p->rank++;
    return KLDVE_OK;
}

static kldve_status dimensions(parts *p, const kx_wire *packed, kx_proto_tensor *out)
{
    pb_istream_t s = pb_istream_from_buffer(packed->bytes, packed->n);
    uint64_t value;

    while (s.bytes_left > 0) {
        if (!pb_decode_varint(&s, &value))
            return KLDVE_E_FORMAT;
        dimension(p, value, out);
    }
    return KLDVE_OK;
}

/* Walk 1: everything except the numbers in typed fields. */
static kldve_status find_parts(kx_reader *r, kx_wire w, parts *p, kx_proto_tensor *out)
{
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w)) {
        switch (w.key) {
        case KX_VARINT(DIMS):
            st = dimension(p, w.value, out);
            break;
        case KX_BYTES(DIMS):
            if (dimensions(p, &w, out) < 0)
                return kx_reader_fail(r, KLDVE_E_FORMAT, "damaged dimensions of a tensor");
            break;
        case KX_VARINT(DATA_TYPE):
            p->dtype = w.value;
            break;
        case KX_BYTES(SEGMENT):
            p->segment = true;
            break;
        case KX_BYTES(NAME):
            st = kx_reader_name(r, &w, &out->name);
            break;
        case KX_BYTES(RAW_DATA):
            p->raw = w.bytes;
            p->nraw = w.n;
            break;
        case KX_FIX32(FLOAT_DATA):
        case KX_FIX64(DOUBLE_DATA):
        case KX_VARINT(INT32_DATA):
        case KX_VARINT(INT64_DATA):
        case KX_VARINT(UINT64_DATA):
        case KX_BYTES(STRING_DATA):
            piece(p, (int)(w.key >> 3), &w, 1);
            break;
        case KX_BYTES(FLOAT_DATA):
        case KX_BYTES(DOUBLE_DATA):
        case KX_BYTES(INT32_DATA):
        case KX_BYTES(INT64_DATA):
        case KX_BYTES(UINT64_DATA):
            st = packed_piece(r, &w, p);
            break;
        case KX_VARINT(DATA_LOCATION):
            p->external = w.value == 1;
            break;
        default:
            break;
        }
    }
    return st < 0 ? st : w.broken ? kx_wire_broken(r, &w, "a tensor") : KLDVE_OK;
}

/* out->dim, rank and count, from untrusted dimensions. */
static kldve_status check_shape(kx_reader *r, const parts *p, size_t item, kx_proto_tensor *out)
{
    uint64_t product = item ? item : 1;
    bool empty = false;

    if (p->rank > KX_PROTO_MAX_RANK)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED,
                              "tensor '%.80s' has %zu dimensions, at most %d are supported",
                              p->name, p->rank, KX_PROTO_MAX_RANK);
    out->rank = (int32_t)p->rank;
    for (int32_t i = 0; i < out->rank; i++) {
        uint64_t d = (uint64_t)out->dim[i];

        if (out->dim[i] < 0)
            return kx_reader_fail(r, KLDVE_E_FORMAT,
                                  "tensor '%.80s': dimension %d is %lld, it must not be negative",
                                  p->name, i, (long long)out->dim[i]);
        if (d == 0)
            empty = true;
        else if (d > (UINT64_C(1) << MAX_TENSOR_LOG2) / product)
            return kx_reader_fail(r, KLDVE_E_FORMAT,
                                  "tensor '%.80s': its dimensions need more than 2^%d bytes",
                                  p->name, MAX_TENSOR_LOG2);
        else
            product *= d;
    }
    assert(product <= UINT64_C(1) << MAX_TENSOR_LOG2);
    out->count = empty ? 0 : (size_t)(product / (item ? item : 1));
    return KLDVE_OK;
}

typedef struct sink {
    unsigned char *to;
    size_t size, left; /* bytes per number; numbers still expected */
    int32_t dtype;
} sink;

/* Whether the lower bytes of a number hold all of it, in the type; wider types are taken as they
 * come. */
static bool fits(uint64_t value, const sink *s)
{
    int64_t above = s->size < 8 ? (int64_t)value >> (8 * s->size) : 0;
    int64_t sign = s->size < 8 ? (int64_t)value >> (8 * s->size - 1) : 0;

    if (s->dtype == KX_ONNX_INT8 || s->dtype == KX_ONNX_INT16)
        return sign == 0 || sign == -1;
    if (s->dtype == KX_ONNX_UINT8 || s->dtype == KX_ONNX_UINT16)
        return above == 0;
    return above == 0 || above == -1;
}

/* One number of a typed field, little-endian; false if it does not fit. */
static bool store(unsigned char *to, uint64_t value, const sink *s)
{
    const size_t size = s->size;

    assert(size == 1 || size == 2 || size == 4 || size == 8);
    if (s->dtype == KX_ONNX_BOOL)
        value = value != 0;
    else if (!fits(value, s))
        return false;
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(value >> (8 * i));
    return true;
}

static bool pour(sink *s, uint64_t value)
{
    if (s->left == 0 || !store(s->to, value, s))
        return false;
    s->to += s->size;
    s->left--;
    return true;
}

static bool pour_packed(sink *s, int field, const kx_wire *w)
{
    pb_istream_t in = pb_istream_from_buffer(w->bytes, w->n);

    while (in.bytes_left > 0) {
        uint64_t value = 0;
        uint32_t word = 0;
        bool ok = field == FLOAT_DATA    ? pb_decode_fixed32(&in, &word)
                  : field == DOUBLE_DATA ? pb_decode_fixed64(&in, &value)
                                         : pb_decode_varint(&in, &value);

        if (!ok || !pour(s, field == FLOAT_DATA ? word : value))
            return false;
    }
    return true;
}

/* Walk 2: the numbers of a typed field, as elements of the tensor's type. */
static kldve_status copy_typed(kx_reader *r, kx_wire w, const parts *p, int field,
                               kx_proto_tensor *out)
{
    sink s = {NULL, types[out->dtype].size, out->count, out->dtype};
    kldve_status st = kx_reader_new(r, out->count, s.size, &s.to);

    if (st < 0)
        return st;
    out->data = s.to;
    while (kx_wire_next(&w))
        if ((int)(w.key >> 3) == field &&
            !((w.key & 7) == PB_WT_STRING ? pour_packed(&s, field, &w) : pour(&s, w.value)))
            return kx_reader_fail(r, KLDVE_E_FORMAT,
                                  "tensor '%.80s': a number in %s is damaged or does not fit %s",
                                  p->name, field_name[field], types[out->dtype].name);
    assert(s.left == 0); /* both walks read the same bytes */
    return KLDVE_OK;
}

static kldve_status typed_data(kx_reader *r, kx_wire w, const parts *p, kx_proto_tensor *out)
{
    int field = types[out->dtype].field;

    assert(field_name[field]);
    for (int i = FLOAT_DATA; i <= UINT64_DATA; i++)
        if (i != field && p->count[i] > 0)
            return kx_reader_fail(r, KLDVE_E_FORMAT, "tensor '%.80s' of type %s has its data in %s",
                                  p->name, types[out->dtype].name,
                                  field_name[i] ? field_name[i] : "strings");
    if (p->count[field] != out->count)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "tensor '%.80s': %s has %zu numbers, %zu expected",
                              p->name, field_name[field], p->count[field], out->count);
    if (p->only[field] && (out->dtype == KX_ONNX_FLOAT || out->dtype == KX_ONNX_DOUBLE)) {
        out->data = p->only[field];
        return KLDVE_OK;
    }
    return copy_typed(r, w, p, field, out);
}

static kldve_status find_data(kx_reader *r, kx_wire w, const parts *p, kx_proto_tensor *out)
{
    size_t nbytes = out->count * types[out->dtype].size, typed = 0;

    assert(out->dtype > 0 && out->dtype < NTYPES && types[out->dtype].size > 0);
    for (int i = 0; i < FIELDS; i++)
        typed += p->count[i];
    if ((p->nraw > 0) + (typed > 0) + p->external > 1)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "tensor '%.80s' has its data in two places",
                              p->name);
    if (p->external) {
        const unsigned char *bytes;
        kldve_status st = kx_read_external(r, w, p->name, nbytes, &bytes);

        if (st == KLDVE_OK)
            out->data = bytes;
        return st;
    }
    if (typed > 0)
        return typed_data(r, w, p, out);
    if (p->nraw != nbytes) {
        if (!p->raw)
            return kx_reader_fail(r, KLDVE_E_FORMAT,
                                  "tensor '%.80s' has no data, %zu bytes expected", p->name,
                                  nbytes);
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "tensor '%.80s': raw_data has %zu bytes, %zu expected", p->name,
                              p->nraw, nbytes);
    }
    out->data = p->nraw ? p->raw : (const unsigned char *)"";
    return KLDVE_OK;
}

kldve_status kx_read_tensor(kx_reader *r, const void *bytes, size_t n, const char *owner,
                            kx_proto_tensor *out)
{
    kx_wire w = kx_wire_start(bytes, n);
    kx_proto_tensor t = {.name = ""};
    parts p = {0};
    kldve_status st = find_parts(r, w, &p, &t);

    if (st < 0)
        return st;
    p.name = *t.name ? t.name : owner;
    if (p.dtype == 0 || p.dtype > INT32_MAX)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "tensor '%.80s' has no element type", p.name);
    if (p.segment)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED,
                              "tensor '%.80s' is stored in segments, which is not supported",
                              p.name);
    t.dtype = (int32_t)p.dtype;
    if ((st = check_shape(r, &p, t.dtype < NTYPES ? types[t.dtype].size : 0, &t)) < 0)
        return st;
    /* Types that are not read keep data NULL; whoever uses such a tensor refuses its type. */
    if (t.dtype < NTYPES && types[t.dtype].size > 0 && (st = find_data(r, w, &p, &t)) < 0)
        return st;
    *out = t;
    return KLDVE_OK;
}

kldve_status kx_proto_tensor_read(kldve_ctx *ctx, kx_arena *arena, const void *bytes, size_t nbytes,
                                  kx_proto_tensor *out)
{
    kx_reader r = {.ctx = ctx, .arena = arena, .path = "tensor in memory", .bytes = bytes};

    return kx_read_tensor(&r, bytes, nbytes, "", out);
}
