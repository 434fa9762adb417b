/* graph.c - a graph's values: read, found, released. */
#include "graph.h"

#include <assert.h>
#include <string.h>

#include "elements.h"

#include "read/model.h"

bool kx_dtype_of(int32_t onnx_type, kx_dtype *out)
{
    switch (onnx_type) {
    case KX_ONNX_FLOAT:
    case KX_ONNX_FLOAT16:
    case KX_ONNX_BFLOAT16:
    case KX_ONNX_DOUBLE:
        *out = KX_F32;
        return true;
    case KX_ONNX_BOOL:
        *out = KX_BOOL;
        return true;
    case KX_ONNX_UINT8:
    case KX_ONNX_INT8:
    case KX_ONNX_UINT16:
    case KX_ONNX_INT16:
    case KX_ONNX_INT32:
    case KX_ONNX_INT64:
    case KX_ONNX_UINT32:
    case KX_ONNX_UINT64:
        *out = KX_I64;
        return true;
    default:
        return false;
    }
}

const void *kx_value_read(const kx_value *v, kx_arena *arena)
{
    size_t item = kx_dtype_size(v->dtype);
    void *copy;

    assert(!v->raw || v->count <= SIZE_MAX / item);
    if (!v->raw || (!v->narrow && (uintptr_t)v->raw % item == 0))
        return v->raw;
    if (!(copy = kx_arena_alloc(arena, v->count, item)))
        return NULL;
    if (!v->narrow)
        return memcpy(copy, v->raw, v->count * item);
    for (size_t i = 0; i < v->count; i++)
        kx_element_widen(v->onnx_type, v->raw, i, copy);
    return copy;
}

const void *kx_value_data(kx_graph *g, const kx_value *v)
{
    const void *data = kx_value_read(v, &g->arena);

    assert(v->id >= 0 && v->id < g->nvalue && g->value[v->id] == v);
    if (data) {
        g->value[v->id]->raw = data;
        g->value[v->id]->narrow = false;
    }
    return data;
}

/* *array has room for *room items of `size` bytes, of which `used` are in use: make it `wanted`. */
static bool grow(kx_graph *g, void **array, size_t size, int32_t used, size_t wanted, size_t *room)
{
    void *more;

    if (wanted <= *room)
        return true;
    wanted += wanted / 2; /* so that growing by ones copies little in all */
    more = wanted > INT32_MAX ? NULL : kx_new(g, wanted, size);
    if (!more)
        return false;
    if (used)
        memcpy(more, *array, (size_t)used * size);
    *array = more;
    *room = wanted;
    return true;
}

kldve_status kx_graph_room(kx_graph *g, size_t nodes, size_t values)
{
    void *node = g->node, *value = g->value;
    bool ok = grow(g, &node, sizeof *g->node, g->nnode, nodes, &g->nodes) &&
              grow(g, &value, sizeof *g->value, g->nvalue, values, &g->values);

    g->node = node;
    g->value = value;
    return ok ? KLDVE_OK : kx_nomem(g);
}

kx_value *kx_value_new(kx_graph *g, const char *name)
{
    kx_value *v = kx_new(g, 1, sizeof *v);

    if (!v || kx_graph_room(g, 0, (size_t)g->nvalue + 1) < 0)
        return NULL;
    v->name = name;
    v->id = g->nvalue;
    v->producer = -1;
    g->value[g->nvalue++] = v;
    return v;
}

static void number_from(kx_graph *g, int32_t first)
{
    for (int32_t i = first; i < g->nnode; i++) {
        g->node[i].index = i;
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o])
                g->node[i].out[o]->producer = i;
    }
}

void kx_graph_number(kx_graph *g)
{
    number_from(g, 0);
}

kldve_status kx_graph_insert(kx_graph *g, int32_t at, const kx_node *node)
{
    kldve_status st = kx_graph_room(g, (size_t)g->nnode + 1, 0);

    assert(at >= 0 && at <= g->nnode);
    if (st < 0)
        return st;
    memmove(&g->node[at + 1], &g->node[at], (size_t)(g->nnode - at) * sizeof *g->node);
    g->node[at] = *node;
    g->nnode++;
    number_from(g, at);
    return KLDVE_OK;
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
