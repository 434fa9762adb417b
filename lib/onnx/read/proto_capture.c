/* proto_capture.c - the names that the subgraphs of a node mention.  They are names of the
 * subgraphs' own or of the graphs around them; whoever sorts nodes has to see to the latter. */
#include "proto_read.h"

#include <assert.h>

static size_t count_mentioned(const kx_proto_graph *g)
{
    size_t count = (size_t)g->noutput;

    for (int32_t i = 0; i < g->nnode; i++)
        count += (size_t)g->node[i].nin + (size_t)g->node[i].ncaptured;
    return count;
}

static size_t list_mentioned(const kx_proto_graph *g, const char **name)
{
    size_t count = 0;

    for (int32_t i = 0; i < g->noutput; i++)
        name[count++] = g->output[i].name;
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_proto_node *n = &g->node[i];

        for (int32_t k = 0; k < n->nin; k++)
            name[count++] = n->in[k];
        for (int32_t k = 0; k < n->ncaptured; k++)
            name[count++] = n->captured[k];
    }
    return count;
}

kldve_status kx_capture(kx_reader *r, kx_proto_node *n)
{
    size_t count = 0, at = 0;
    const char **name;
    kldve_status st;

    for (int32_t i = 0; i < n->nattr; i++)
        count += n->attr[i].g ? count_mentioned(n->attr[i].g) : 0;
    if (count == 0)
        return KLDVE_OK;
    if (count > INT32_MAX)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED, "a node has too many inputs");
    if ((st = kx_reader_new(r, count, sizeof *name, &name)) < 0)
        return st;
    for (int32_t i = 0; i < n->nattr; i++)
        at += n->attr[i].g ? list_mentioned(n->attr[i].g, name + at) : 0;
    assert(at == count);
    n->captured = name;
    n->ncaptured = (int32_t)count;
    return KLDVE_OK;
}
