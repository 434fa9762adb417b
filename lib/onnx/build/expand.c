/* expand.c - see expand.h. */
#include "expand.h"

#include <assert.h>

#include "graph/rewrite.h"

static kx_value *value(kx_rewrite *r, const char *name)
{
    return kx_builder_value(r->builder, name);
}

static kx_value *find(const kx_rewrite *r, const char *name)
{
    const kx_builder *b = r->builder;

    return kx_names_find(&b->values, name);
}

/* The node becomes the next of the graph. */
static kldve_status place(kx_rewrite *r, const kx_node *from)
{
    kx_builder *b = r->builder;
    kx_graph *g = b->g;
    kx_node *n = &g->node[g->nnode];
    int32_t opset = g->opset;
    kldve_status st;

    assert(g->nnode < b->room);
    *n = *from;
    n->index = g->nnode;
    n->op = kx_op_find("", n->type, KX_REWRITE_OPSET);
    assert(n->op && !n->op->expand); /* expansions are written by hand */
    for (int32_t i = 0; i < n->nout; i++)
        n->out[i]->producer = n->index;
    g->opset = KX_REWRITE_OPSET;
    st = kx_builder_place(b, n);
    g->opset = opset;
    return st;
}

kldve_status kx_expand(kx_builder *b, const kx_node *n)
{
    kx_rewrite r = {.g = b->g, .builder = b, .value = value, .find = find, .place = place};
    kldve_status st;

    if (!(r.node = kx_new(b->g, 1, sizeof *r.node)))
        return kx_nomem(b->g);
    *r.node = *n; /* its place is taken by what comes instead */
    if ((st = n->op->expand(&r)) < 0)
        return st;
    return r.st < 0 ? r.st : kx_builder_check_attributes(b->g, r.node);
}

int32_t kx_expanded(int32_t nin)
{
    return 2 * nin + KX_REWRITE_NODES;
}
