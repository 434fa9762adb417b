/* graph.c - a graph's values: read, found, released. */
#include "graph.h"

#include <assert.h>
#include <string.h>

const void *kx_value_read(const kx_value *v, kx_arena *arena)
{
    size_t item = kx_dtype_size(v->dtype);
    void *copy;

    assert(!v->raw || v->count <= SIZE_MAX / item);
    if (!v->raw || (uintptr_t)v->raw % item == 0)
        return v->raw;
    if ((copy = kx_arena_alloc(arena, v->count, item)))
        memcpy(copy, v->raw, v->count * item);
    return copy;
}

const void *kx_value_data(kx_graph *g, const kx_value *v)
{
    const void *data = kx_value_read(v, &g->arena);

    assert(v->id >= 0 && v->id < g->nvalue && g->value[v->id] == v);
    if (data)
        g->value[v->id]->raw = data;
    return data;
}

void kx_graph_free(kx_graph *g)
{
    if (!g)
        return;
    kx_arena_free(&g->arena);
    kldve_ctx_release(g->ctx, g);
}

kx_value *kx_graph_find(const kx_graph *g, const char *name)
{
    for (int32_t i = 0; i < g->nvalue; i++)
        if (g->value[i]->name[0] && strcmp(g->value[i]->name, name) == 0)
            return g->value[i];
    for (int32_t i = 0; i < g->nnode; i++)
        if (strcmp(g->node[i].name, name) == 0 && g->node[i].nout > 0)
            return g->node[i].out[0];
    return NULL;
}
