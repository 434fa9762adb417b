/* parameters.c - the parameters of a network by layers.  See parameters.h.
 *
 * The file does not say what was learned.  Parameters are the tensors of more than one number, no
 * shapes, places or choices, that an operator reads where it does not read a setting
 * (kx_traits.settings), by themselves or through other constants that were computed from them. */
#include "parameters.h"

#include <stdlib.h>
#include <string.h>

/* By node, and by value id. */
typedef struct finder {
    const kx_graph *g;
    kx_parameters *out;
    bool *needed;     /* [nnode]: the logits depend on it */
    int32_t *layer;   /* [nnode]: whose parameters it reads; -1: it reads none */
    int32_t *first;   /* [layers]: its first node */
    int32_t *next;    /* [nnode]: the next node of the same layer; -1: none */
    int32_t *within;  /* [nvalue]: the last layer on the way to it; -1: none */
    bool *seen;       /* [nvalue]: constants that were followed */
    kx_value **stack; /* [nvalue] */
    int32_t layers;
} finder;

static bool has_room(finder *f, kx_arena *arena)
{
    size_t nodes = (size_t)f->g->nnode + 1, values = (size_t)f->g->nvalue + 1;

    f->needed = kx_arena_alloc(arena, nodes, sizeof *f->needed);
    f->layer = kx_arena_alloc(arena, nodes, sizeof *f->layer);
    f->first = kx_arena_alloc(arena, nodes, sizeof *f->first);
    f->next = kx_arena_alloc(arena, nodes, sizeof *f->next);
    f->within = kx_arena_alloc(arena, values, sizeof *f->within);
    f->seen = kx_arena_alloc(arena, values, sizeof *f->seen);
    f->stack = kx_arena_alloc(arena, values, sizeof(kx_value *));
    return f->needed && f->layer && f->first && f->next && f->within && f->seen && f->stack;
}

static void find_needed(finder *f, const kx_value *logits)
{
    if (logits->producer >= 0)
        f->needed[logits->producer] = true;
    for (int32_t i = f->g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &f->g->node[i];

        for (int32_t k = 0; f->needed[i] && k < n->nin; k++)
            if (n->in[k] && n->in[k]->producer >= 0)
                f->needed[n->in[k]->producer] = true;
    }
}

static bool reads_parameters(const kx_node *n)
{
    for (int32_t i = 0; i < n->nin; i++)
        if (kx_is_parameter(n, i))
            return true;
    return false;
}

/* Weights begin a layer; other parameters belong to the last one before them. */
static void number_layers(finder *f)
{
    for (int32_t i = 0; i < f->g->nvalue; i++)
        f->within[i] = -1;
    for (int32_t i = 0; i < f->g->nnode; i++) {
        const kx_node *n = &f->g->node[i];
        int32_t last = -1;

        f->layer[i] = -1;
        if (!f->needed[i])
            continue;
        for (int32_t k = 0; k < n->nin; k++)
            if (n->in[k] && f->within[n->in[k]->id] > last)
                last = f->within[n->in[k]->id];
        if (reads_parameters(n)) {
            if (last < 0 || n->op->traits.mixing != KX_MIXING_NONE)
                last = f->layers++;
            f->layer[i] = last;
        }
        for (int32_t k = 0; k < n->nout; k++)
            if (n->out[k])
                f->within[n->out[k]->id] = last;
    }
}

/* The nodes of each layer, in their order. */
static void chain_nodes(finder *f)
{
    for (int32_t i = 0; i < f->layers; i++)
        f->first[i] = -1;
    for (int32_t i = f->g->nnode - 1; i >= 0; i--) {
        int32_t layer = f->layer[i];

        if (layer < 0)
            continue;
        f->next[i] = f->first[layer];
        f->first[layer] = i;
    }
}

static void push(finder *f, kx_value *v, int32_t *depth)
{
    if (!f->seen[v->id]) {
        f->seen[v->id] = true;
        f->stack[(*depth)++] = v;
    }
}

/* Depth first, without recursion: constants may be computed in chains of any length. */
static void take_tensors(finder *f, kx_value *from)
{
    int32_t depth = 0;

    push(f, from, &depth);
    while (depth > 0) {
        const kx_value *v = f->stack[--depth];

        if (v->tensor)
            f->out->tensor[f->out->tensors++] = v->tensor;
        for (int32_t i = v->nfrom - 1; i >= 0; i--)
            push(f, v->from[i], &depth);
    }
}

/* A needed node makes something. */
static const char *name_of(const kx_node *n)
{
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i])
            return n->out[i]->name;
    return n->name;
}

static void take_layer(finder *f, int32_t number, kx_layer *layer)
{
    layer->first = f->out->tensors;
    layer->name = name_of(&f->g->node[f->first[number]]);
    for (int32_t i = f->first[number]; i >= 0; i = f->next[i]) {
        const kx_node *n = &f->g->node[i];

        for (int32_t k = 0; k < n->nin; k++)
            if (kx_is_parameter(n, k))
                take_tensors(f, n->in[k]);
    }
    layer->count = f->out->tensors - layer->first;
}

/* -- each tensor once ------------------------------------------------------------------------- */

typedef struct place {
    const kx_proto_tensor *tensor;
    int32_t at;
} place;

static int order_of_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    uintptr_t s = (uintptr_t)x->tensor, t = (uintptr_t)y->tensor;

    return s != t ? (s > t) - (s < t) : (x->at > y->at) - (x->at < y->at);
}

/* A constant in the body of a loop comes with every round. */
static bool drop_repeated(kx_parameters *p, kx_arena *arena)
{
    size_t count = (size_t)p->tensors;
    place *all = kx_arena_alloc(arena, count + 1, sizeof *all);

    if (!all)
        return false;
    for (int32_t i = 0; i < p->tensors; i++)
        all[i] = (place){p->tensor[i], i};
    qsort(all, count, sizeof *all, order_of_places);
    for (int32_t i = 1; i < p->tensors; i++)
        if (all[i].tensor == all[i - 1].tensor)
            p->tensor[all[i].at] = NULL;
    return true;
}

/* Layers that have nothing left go, too. */
static void compact(kx_parameters *p)
{
    int32_t layers = 0, tensors = 0;

    for (int32_t i = 0; i < p->layers; i++) {
        kx_layer layer = p->layer[i];
        int32_t end = layer.first + layer.count;

        layer.count = 0;
        for (int32_t k = layer.first; k < end; k++)
            if (p->tensor[k]) {
                p->tensor[tensors + layer.count] = p->tensor[k];
                layer.count++;
            }
        layer.first = tensors;
        tensors += layer.count;
        if (layer.count > 0)
            p->layer[layers++] = layer;
    }
    p->layers = layers;
    p->tensors = tensors;
}

static kldve_status find(finder *f, const kx_value *logits, kx_arena *arena, kx_arena *temporary)
{
    kx_parameters *out = f->out;
    size_t values = (size_t)f->g->nvalue + 1;

    if (!has_room(f, temporary))
        return kx_nomem(f->g);
    find_needed(f, logits);
    number_layers(f);
    chain_nodes(f);
    out->layers = f->layers;
    out->layer = kx_arena_alloc(arena, (size_t)f->layers, sizeof *out->layer);
    out->tensor = kx_arena_alloc(arena, values, sizeof(kx_proto_tensor *));
    if (!out->layer || !out->tensor)
        return kx_nomem(f->g);
    for (int32_t i = 0; i < f->layers; i++)
        take_layer(f, f->layers - 1 - i, &out->layer[i]);
    if (!drop_repeated(out, temporary))
        return kx_nomem(f->g);
    compact(out);
    return KLDVE_OK;
}

kldve_status kx_parameters_find(const kx_graph *g, const kx_value *logits, kx_arena *arena,
                                kx_parameters *out)
{
    finder f = {.g = g, .out = out};
    kx_arena temporary;
    kldve_status st;

    memset(out, 0, sizeof *out);
    kx_arena_init(&temporary, g->ctx);
    st = find(&f, logits, arena, &temporary);
    kx_arena_free(&temporary);
    return st;
}
