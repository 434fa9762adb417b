/* order.c - see order.h. */
#include "order.h"

#include <assert.h>

#include "read/names.h"

typedef struct sorter {
    kx_graph *g;
    const kx_proto_graph *p;
    kx_names producers;   /* output name -> kx_proto_node */
    unsigned char *state; /* of a node: 0 not seen, 1 on the stack, 2 done */
    int32_t *stack, *next, depth;
    int32_t *order, norder;
} sorter;

static kldve_status index_producers(sorter *s)
{
    size_t outputs = 0;

    for (int32_t i = 0; i < s->p->nnode; i++)
        outputs += (size_t)s->p->node[i].nout;
    if (!kx_names_init(&s->producers, &s->g->arena, outputs))
        return kx_nomem(s->g);
    for (int32_t i = 0; i < s->p->nnode; i++)
        for (int32_t k = 0; k < s->p->node[i].nout; k++) {
            const char *name = s->p->node[i].out[k];

            if (!*name)
                continue;
            if (kx_names_find(&s->producers, name))
                return kldve_ctx_failf(s->g->ctx, KLDVE_E_FORMAT,
                                       "two nodes have an output named '%.80s'", name);
            kx_names_set(&s->producers, name, &s->p->node[i]);
        }
    return KLDVE_OK;
}

/* The next name that a node reads, itself or in its subgraphs. */
static const char *next_name(sorter *s, int32_t at)
{
    const kx_proto_node *n = &s->p->node[at];
    int32_t k = s->next[at]++;

    if (k < n->nin)
        return n->in[k];
    return k - n->nin < n->ncaptured ? n->captured[k - n->nin] : NULL;
}

/* A producer that has to come before node `at` and is not done; NULL: none. */
static const kx_proto_node *first_before(sorter *s, int32_t at)
{
    const char *name;

    while ((name = next_name(s, at))) {
        const kx_proto_node *before = kx_names_find(&s->producers, name);

        /* A subgraph may give a name of its own to what the node puts out. */
        if (before && before == &s->p->node[at] && before->ncaptured)
            continue;
        if (before && s->state[before - s->p->node] != 2)
            return before;
    }
    return NULL;
}

/* Depth-first over the producers, without recursion: files may hold chains of any length. */
static kldve_status sort_from(sorter *s, int32_t root)
{
    assert(s->depth == 0);
    s->stack[s->depth++] = root;
    while (s->depth > 0) {
        int32_t at = s->stack[s->depth - 1];
        const kx_proto_node *before;

        s->state[at] = 1;
        before = first_before(s, at);
        if (!before) {
            s->state[at] = 2;
            s->order[s->norder++] = at;
            s->depth--;
            continue;
        }
        if (s->state[before - s->p->node] == 1)
            return kldve_ctx_failf(s->g->ctx, KLDVE_E_FORMAT,
                                   "the graph has a cycle through node '%.80s' (%.40s)",
                                   before->nout ? before->out[0] : "", before->type);
        assert(s->depth < s->p->nnode); /* no node is on the stack twice */
        s->stack[s->depth++] = (int32_t)(before - s->p->node);
    }
    return KLDVE_OK;
}

kldve_status kx_order(kx_graph *g, const kx_proto_graph *p, int32_t **order, int32_t *count)
{
    sorter s = {.g = g, .p = p};
    size_t n = (size_t)p->nnode;
    kldve_status st = index_producers(&s);

    if (st < 0)
        return st;
    s.state = kx_new(g, n, 1);
    s.stack = kx_new(g, n, sizeof *s.stack);
    s.next = kx_new(g, n, sizeof *s.next);
    s.order = kx_new(g, n, sizeof *s.order);
    if (!s.state || !s.stack || !s.next || !s.order)
        return kx_nomem(g);
    for (int32_t o = 0; o < p->noutput; o++) {
        const kx_proto_node *root = kx_names_find(&s.producers, p->output[o].name);

        if (root && s.state[root - p->node] == 0 &&
            (st = sort_from(&s, (int32_t)(root - p->node))) < 0)
            return st;
    }
    *order = s.order;
    *count = s.norder;
    return KLDVE_OK;
}
