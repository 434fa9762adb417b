/* proto_graph.c - GraphProto: the main graph, and the graphs inside attributes of control flow. */
#include "limit.h"
#include "proto_read.h"

#include <assert.h>

enum { MAX_DEPTH = 16 /* of graphs inside graphs */ };

kldve_status kx_count_graph(kx_reader *r, const kx_wire *graph, kx_graph_counts *c)
{
    kx_wire w = kx_wire_start(graph->bytes, graph->n);

    while (kx_wire_next(&w))
        switch (w.key) {
        case KX_BYTES(1):
            c->nnode++;
            break;
        case KX_BYTES(5):
            c->ninitializer++;
            break;
        case KX_BYTES(11):
            c->ninput++;
            break;
        case KX_BYTES(12):
            c->noutput++;
            break;
        case KX_BYTES(15):
            return kx_reader_fail(r, KLDVE_E_UNSUPPORTED, "sparse tensors are not supported");
        default:
            break;
        }
    return w.broken ? kx_wire_broken(r, &w, "the graph") : KLDVE_OK;
}

kldve_status kx_graph_arrays(kx_reader *r, const kx_graph_counts *c, kx_proto_graph *g)
{
    kldve_status st;

    if (c->nnode > kx_limit(r->ctx, KLDVE_LIMIT_NODES))
        return kldve_ctx_fail_limit(r->ctx, KLDVE_LIMIT_NODES, "%s: %zu nodes", r->path, c->nnode);
    if (c->nnode > INT32_MAX)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED, "too many nodes");
    if (c->ninitializer > INT32_MAX || c->ninput > INT32_MAX || c->noutput > INT32_MAX)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED, "too many tensors");
    *g = (kx_proto_graph){0};
    if ((st = kx_reader_new(r, c->nnode, sizeof *g->node, &g->node)) < 0 ||
        (st = kx_reader_new(r, c->ninitializer, sizeof *g->initializer, &g->initializer)) < 0 ||
        (st = kx_reader_new(r, c->ninput, sizeof *g->input, &g->input)) < 0 ||
        (st = kx_reader_new(r, c->noutput, sizeof *g->output, &g->output)) < 0)
        return st;
    return KLDVE_OK;
}

static kldve_status fill_node(kx_reader *r, const kx_wire *bytes, kx_proto_node *n)
{
    kldve_status st = kx_read_node(r, bytes->bytes, bytes->n, n);

    for (int32_t i = 0; st == KLDVE_OK && i < n->nattr; i++)
        if (n->attr[i].ref)
            return kx_reader_fail(
                r, KLDVE_E_FORMAT,
                "node '%.80s': attribute '%.60s' refers to an attribute of a function, "
                "but the node is not in one",
                n->name, n->attr[i].name);
    return st;
}

static kldve_status fill_tensor(kx_reader *r, const kx_wire *bytes, kx_proto_graph *g)
{
    kx_proto_tensor *t = &g->initializer[g->ninitializer++];
    kldve_status st = kx_read_tensor(r, bytes->bytes, bytes->n, "", t);

    if (st == KLDVE_OK && !*t->name)
        return kx_reader_fail(r, KLDVE_E_FORMAT, "tensor number %d of the graph has no name",
                              g->ninitializer);
    return st;
}

kldve_status kx_fill_graph(kx_reader *r, const kx_wire *graph, kx_proto_graph *g)
{
    kx_wire w = kx_wire_start(graph->bytes, graph->n);
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w))
        switch (w.key) {
        case KX_BYTES(1):
            st = fill_node(r, &w, &g->node[g->nnode++]);
            break;
        case KX_BYTES(5):
            st = fill_tensor(r, &w, g);
            break;
        case KX_BYTES(11):
            st = kx_read_value(r, w.bytes, w.n, &g->input[g->ninput++]);
            break;
        case KX_BYTES(12):
            st = kx_read_value(r, w.bytes, w.n, &g->output[g->noutput++]);
            break;
        default:
            break;
        }
    return st;
}

kldve_status kx_read_graph(kx_reader *r, const kx_wire *graph, kx_proto_graph *out)
{
    kx_graph_counts c = {0};
    kldve_status st = kx_count_graph(r, graph, &c);

    if (st < 0 || (st = kx_graph_arrays(r, &c, out)) < 0)
        return st;
    if (r->depth == MAX_DEPTH)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED, "graphs are nested more than %d deep",
                              MAX_DEPTH);
    r->depth++;
    st = kx_fill_graph(r, graph, out);
    r->depth--;
    return st;
}
