/* values.c - the elements of constants, aligned: operators read them while the graph is built. */
#include "graph.h"

#include <string.h>

const void *kx_value_read(const kx_value *v, kx_arena *arena)
{
    size_t item = kx_dtype_size(v->dtype);
    void *copy;

    if (!v->raw || (uintptr_t)v->raw % item == 0)
        return v->raw;
    if ((copy = kx_arena_alloc(arena, v->count, item)))
        memcpy(copy, v->raw, v->count * item);
    return copy;
}

const void *kx_value_data(kx_graph *g, const kx_value *v)
{
    const void *data = kx_value_read(v, &g->arena);

    if (data && !g->borrowed)
        g->value[v->id]->raw = data;
    return data;
}
