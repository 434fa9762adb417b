/* proto_tap.c - see tap.h.
 *
 * Protobuf merges a message that comes several times.  So a second GraphProto that has nothing but
 * outputs, appended to a ModelProto, adds them to its graph:
 *
 *     ModelProto.graph (7)        0x3a, length
 *       GraphProto.output (12)    0x62, length          once for each tensor
 *         ValueInfoProto.name (1) 0x0a, length, name
 *
 * Where the file describes the tensor (GraphProto.value_info, 13), the output is that description,
 * with its type; else the name alone, and the type is what follows from the graph. */
#include "tap.h"

#include <assert.h>
#include <string.h>

#include "proto_read.h"

enum { GRAPH = 0x3a, OUTPUT = 0x62, NAME = 0x0a, MOST_DEPTH = 16 };

static const size_t max_model = (size_t)2 << 30;

/* Where a name stands. */
typedef enum place { NOWHERE, INSIDE, WEIGHT, INPUT, MADE, PUT_OUT } place;

typedef struct wanted {
    const char *name;
    place at;                  /* the highest that was found */
    const unsigned char *info; /* [ninfo], its ValueInfoProto in the file; NULL: none */
    size_t ninfo;
} wanted;

typedef struct tap {
    kx_reader reader;
    wanted *tensor; /* [count] */
    int32_t count;
} tap;

/* ---- where names stand ----------------------------------------------------------------------- */

static bool is_name(const wanted *v, const kx_wire *w)
{
    return strlen(v->name) == w->n && memcmp(v->name, w->bytes, w->n) == 0;
}

static void found(tap *t, const kx_wire *w, place at)
{
    for (int32_t i = 0; i < t->count; i++)
        if (t->tensor[i].at < at && is_name(&t->tensor[i], w))
            t->tensor[i].at = at;
}

/* A ValueInfoProto; a damaged one is not copied. */
static void found_info(tap *t, const kx_wire *info)
{
    kx_wire w = kx_wire_start(info->bytes, info->n), name = {.bytes = NULL};

    while (kx_wire_next(&w))
        if (w.key == KX_BYTES(1))
            name = w;
    for (int32_t i = 0; name.bytes && !w.broken && i < t->count; i++)
        if (is_name(&t->tensor[i], &name)) {
            t->tensor[i].info = info->bytes;
            t->tensor[i].ninfo = info->n;
        }
}

/* A tensor in a function or a branch, which the engine names after what is around it:
 * "CALL/~NAME". */
static void found_inside(tap *t, const kx_wire *w)
{
    for (int32_t i = 0; i < t->count; i++) {
        wanted *v = &t->tensor[i];
        size_t n = strlen(v->name);
        const char *end = n >= w->n ? v->name + n - w->n : NULL;

        if (v->at == NOWHERE && end && w->n > 0 && memcmp(end, w->bytes, w->n) == 0 &&
            (n == w->n || end[-1] == '~' || end[-1] == '/'))
            v->at = INSIDE;
    }
}

/* The field `key` of a message, a name, each time it comes. */
static void find_field(tap *t, const kx_wire *message, uint32_t key, place at)
{
    kx_wire w = kx_wire_start(message->bytes, message->n);

    while (kx_wire_next(&w))
        if (w.key == key && at == INSIDE)
            found_inside(t, &w);
        else if (w.key == key)
            found(t, &w, at);
}

/* The results of nodes in the graphs of a node's attributes. */
static void look_inside(tap *t, const kx_wire *node, int depth)
{
    kx_wire attr = kx_wire_start(node->bytes, node->n);

    while (depth < MOST_DEPTH && kx_wire_next(&attr)) {
        kx_wire field = kx_wire_start(attr.bytes, attr.n);

        while (attr.key == KX_BYTES(5) && kx_wire_next(&field)) {
            kx_wire inner = kx_wire_start(field.bytes, field.n);
            bool graph = field.key == KX_BYTES(6) || field.key == KX_BYTES(11);

            while (graph && kx_wire_next(&inner))
                if (inner.key == KX_BYTES(1)) {
                    find_field(t, &inner, KX_BYTES(2), INSIDE);
                    look_inside(t, &inner, depth + 1);
                }
        }
    }
}

static kldve_status look_at_graph(tap *t, const kx_wire *graph)
{
    kx_wire w = kx_wire_start(graph->bytes, graph->n);
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w))
        switch (w.key) {
        case KX_BYTES(1):
            st = kldve_ctx_poll(t->reader.ctx);
            find_field(t, &w, KX_BYTES(2), MADE);
            look_inside(t, &w, 0);
            break;
        case KX_BYTES(5):
            find_field(t, &w, KX_BYTES(8), WEIGHT);
            break;
        case KX_BYTES(11):
            find_field(t, &w, KX_BYTES(1), INPUT);
            break;
        case KX_BYTES(12):
            find_field(t, &w, KX_BYTES(1), PUT_OUT);
            break;
        case KX_BYTES(13):
            found_info(t, &w);
            break;
        default:
            break;
        }
    if (st < 0)
        return st;
    return w.broken ? kx_wire_broken(&t->reader, &w, "the graph") : KLDVE_OK;
}

static void look_at_function(tap *t, const kx_wire *function)
{
    kx_wire w = kx_wire_start(function->bytes, function->n);

    while (kx_wire_next(&w))
        if (w.key == KX_BYTES(7))
            find_field(t, &w, KX_BYTES(2), INSIDE);
}

static kldve_status look_at_model(tap *t, const void *bytes, size_t n)
{
    kx_wire w = kx_wire_start(bytes, n);
    kldve_status st = KLDVE_OK;
    size_t graphs = 0;

    while (st == KLDVE_OK && kx_wire_next(&w)) {
        if (w.key == KX_BYTES(7)) {
            graphs++;
            st = look_at_graph(t, &w);
        } else if (w.key == KX_BYTES(25)) {
            look_at_function(t, &w);
        }
    }
    if (st < 0)
        return st;
    if (graphs == 0)
        return kx_reader_fail(&t->reader, KLDVE_E_FORMAT, "not an ONNX file, or a damaged one");
    return w.broken ? kx_wire_broken(&t->reader, &w, "the model") : KLDVE_OK;
}

static kldve_status check_name(tap *t, const wanted *v)
{
    static const char inside[] =
        "it lies in a function or a branch, and only tensors of the main graph can be outputs: "
        "take a layer that is one of these";
    static const char *const why[] = {
        [NOWHERE] = "the file has no such tensor",
        [INSIDE] = inside,
        [WEIGHT] = "it is a weight",
        [INPUT] = "it is an input: what you feed the file with is there already",
    };

    if (v->at >= MADE)
        return KLDVE_OK;
    return kx_reader_fail(&t->reader, KLDVE_E_ARG, "tensor '%.80s' cannot be tapped: %s", v->name,
                          why[v->at]);
}

/* ---- the bytes ------------------------------------------------------------------------------- */

static size_t varint_size(size_t value)
{
    size_t n = 1;

    while (value >>= 7)
        n++;
    return n;
}

static unsigned char *put_head(unsigned char *to, unsigned char key, size_t length)
{
    *to++ = key;
    for (; length > 0x7f; length >>= 7)
        *to++ = (unsigned char)(0x80 | (length & 0x7f));
    *to++ = (unsigned char)length;
    return to;
}

/* Key, length and what has that length. */
static size_t message_size(size_t length)
{
    return 1 + varint_size(length) + length;
}

/* What describes an output: the bytes of its ValueInfoProto. */
static size_t info_size(const wanted *v)
{
    return v->info ? v->ninfo : message_size(strlen(v->name));
}

static unsigned char *put_output(unsigned char *to, const wanted *v)
{
    size_t n = v->info ? v->ninfo : strlen(v->name);

    to = put_head(to, OUTPUT, info_size(v));
    if (!v->info)
        to = put_head(to, NAME, n);
    memcpy(to, v->info ? v->info : (const unsigned char *)v->name, n);
    return to + n;
}

/* Names that are not outputs yet, each once. */
static kldve_status write_outputs(tap *t, size_t model, void **out, size_t *nout)
{
    size_t all = 0;
    unsigned char *bytes, *to;

    for (int32_t i = 0; i < t->count; i++) {
        const wanted *v = &t->tensor[i];

        if (v->at != MADE)
            continue;
        for (int32_t k = i + 1; k < t->count; k++)
            if (strcmp(v->name, t->tensor[k].name) == 0)
                t->tensor[k].at = PUT_OUT;
        all += message_size(info_size(v));
    }
    if (model > max_model || all > max_model || message_size(all) > max_model - model)
        return kx_reader_fail(&t->reader, KLDVE_E_UNSUPPORTED,
                              "with these outputs it is larger than %zu bytes", max_model);
    to = bytes = kldve_ctx_alloc(t->reader.ctx, all ? message_size(all) : 0, 1);
    if (!bytes)
        return kx_reader_nomem(&t->reader);
    if (all)
        to = put_head(to, GRAPH, all);
    for (int32_t i = 0; i < t->count; i++)
        if (t->tensor[i].at == MADE)
            to = put_output(to, &t->tensor[i]);
    assert((size_t)(to - bytes) == (all ? message_size(all) : 0));
    *out = bytes;
    *nout = (size_t)(to - bytes);
    return KLDVE_OK;
}

kldve_status kx_tap(kldve_ctx *ctx, const char *path, const void *bytes, size_t n,
                    const char *const *name, int32_t count, void **out, size_t *nout)
{
    tap t = {.reader = {.ctx = ctx, .path = path, .bytes = bytes}, .count = count};
    kldve_status st;

    if (!(t.tensor = kldve_ctx_alloc(ctx, (size_t)count, sizeof *t.tensor)))
        return kx_reader_nomem(&t.reader);
    for (int32_t i = 0; i < count; i++)
        t.tensor[i] = (wanted){.name = name[i]};
    st = look_at_model(&t, bytes, n);
    for (int32_t i = 0; st == KLDVE_OK && i < count; i++)
        st = check_name(&t, &t.tensor[i]);
    if (st == KLDVE_OK)
        st = write_outputs(&t, n, out, nout);
    kldve_ctx_release(ctx, t.tensor);
    return st;
}
