/* proto.c - ModelProto: versions, functions, the main graph.  See proto.h. */
#include "proto.h"

#include <assert.h>
#include <string.h>

#include "limit.h"
#include "proto_read.h"

enum { IR_FIRST = 3, IR_LAST = 14 };

/* What the walk over ModelProto finds, other than the graph. */
typedef struct header {
    uint64_t ir;
    int64_t opset; /* of the default domain, 0: not given */
    size_t graphs, functions;
    kx_graph_counts count;
} header;

static kldve_status read_header(kx_reader *r, kx_wire w, header *h)
{
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w))
        switch (w.key) {
        case KX_VARINT(1):
            h->ir = w.value;
            break;
        case KX_BYTES(7):
            h->graphs++;
            st = kx_count_graph(r, &w, &h->count);
            break;
        case KX_BYTES(8):
            st = kx_read_opset(r, &w, &h->opset);
            break;
        case KX_BYTES(25):
            h->functions++;
            break;
        default:
            break;
        }
    if (st < 0)
        return st;
    if (w.broken && h->graphs == 0)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "not an ONNX file, or a damaged one");
    return w.broken ? kx_wire_broken(r, &w, "the model") : KLDVE_OK;
}

static kldve_status check_header(kx_reader *r, const header *h)
{
    if (h->graphs == 0 || h->ir == 0)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "not an ONNX model: it has no %s",
                              h->graphs == 0 ? "graph" : "IR version");
    if (h->ir < IR_FIRST || h->ir > IR_LAST)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED,
                              "IR version %llu is not supported, only %d to %d are",
                              (unsigned long long)h->ir, IR_FIRST, IR_LAST);
    if (h->opset == 0)
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "the model does not say which opset of ONNX it uses");
    return KLDVE_OK;
}

/* Names of tensors that are the file's own, and not from inside of a function. */
static kldve_status list_made(kx_reader *r, const kx_proto_graph *g)
{
    kx_model *m = r->model;
    size_t count = 0;
    kldve_status st;

    for (int32_t i = 0; i < g->nnode; i++)
        count += (size_t)g->node[i].nout;
    if ((st = kx_reader_new(r, count, sizeof *m->made, &m->made)) < 0)
        return st;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t k = 0; k < g->node[i].nout; k++)
            m->made[m->nmade++] = g->node[i].out[k];
    return KLDVE_OK;
}

static kldve_status read_model(kx_reader *r, const unsigned char *bytes, size_t n)
{
    kx_wire w = kx_wire_start(bytes, n);
    kx_model *m = r->model;
    kx_proto_graph g;
    const char *other = kx_recognise(bytes, n);
    header h = {0};
    kldve_status st;

    if (n == 0)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "not an ONNX file: it is empty");
    if (other)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "not an ONNX file: it is %s", other);
    if (n > kx_limit(r->ctx, KLDVE_LIMIT_MODEL))
        return kldve_ctx_fail_limit(r->ctx, KLDVE_LIMIT_MODEL, "%s: %zu bytes", r->path, n);
    r->bytes = bytes;
    if ((st = read_header(r, w, &h)) < 0 || (st = check_header(r, &h)) < 0)
        return st;
    m->ir_version = (int64_t)h.ir;
    m->opset = (int32_t)h.opset;
    if ((st = kx_graph_arrays(r, &h.count, &g)) < 0)
        return st;
    while (kx_wire_next(&w)) /* several graphs are one: so protobuf merges a repeated message */
        if (w.key == KX_BYTES(7) && (st = kx_fill_graph(r, &w, &g)) < 0)
            return st;
    /* Both walks read the same bytes. */
    assert((size_t)g.nnode == h.count.nnode && (size_t)g.ninitializer == h.count.ninitializer &&
           (size_t)g.ninput == h.count.ninput && (size_t)g.noutput == h.count.noutput);
    m->node = g.node;
    m->nnode = g.nnode;
    m->initializer = g.initializer;
    m->ninitializer = g.ninitializer;
    m->input = g.input;
    m->ninput = g.ninput;
    m->output = g.output;
    m->noutput = g.noutput;
    if ((st = list_made(r, &g)) < 0)
        return st;
    m->nbytes = n + (size_t)r->mapped; /* each has a limit, far below SIZE_MAX together */
    if (h.functions)
        return kx_inline_functions(r, bytes, n, h.functions);
    return KLDVE_OK;
}

static kldve_status new_model(kldve_ctx *ctx, const char *path, kx_reader *r)
{
    kx_model *m = kldve_ctx_alloc(ctx, 1, sizeof *m);

    memset(r, 0, sizeof *r);
    r->ctx = ctx;
    r->path = path;
    r->read_graph = kx_read_graph;
    if (!m)
        return kx_reader_nomem(r);
    memset(m, 0, sizeof *m);
    kx_arena_init(&m->arena, ctx);
    r->arena = &m->arena;
    r->model = m;
    return KLDVE_OK;
}

kldve_status kx_model_open(kldve_ctx *ctx, const char *path, bool copy, kx_model **out)
{
    const unsigned char *bytes;
    kx_reader r;
    size_t n;
    kldve_status st = new_model(ctx, path, &r);

    if (st < 0)
        return st;
    r.external = true;
    r.copy = copy;
    if ((st = kx_map_file(&r, path, &bytes, &n)) < 0 || (st = read_model(&r, bytes, n)) < 0) {
        kx_model_free(r.model);
        return st;
    }
    *out = r.model;
    return KLDVE_OK;
}

kldve_status kx_model_read(kldve_ctx *ctx, const void *bytes, size_t nbytes, kx_model **out)
{
    kx_reader r;
    kldve_status st = new_model(ctx, "model in memory", &r);

    if (st < 0)
        return st;
    if ((st = read_model(&r, bytes, nbytes)) < 0) {
        kx_model_free(r.model);
        return st;
    }
    *out = r.model;
    return KLDVE_OK;
}

void kx_model_free(kx_model *model)
{
    const kldve_ctx *ctx;

    if (!model)
        return;
    ctx = model->arena.ctx;
    kx_unmap_all(model);
    kx_arena_free(&model->arena);
    kldve_ctx_release(ctx, model);
}
