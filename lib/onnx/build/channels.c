/* channels.c - which axis of a tensor of rank 4 holds the channels, and how to have them first.
 *
 * ONNX's convolutions want [1][maps][h][w].  Networks written for TensorFlow keep [1][h][w][maps]
 * and transpose around each convolution, and ConvNeXt normalises that way.  The axis is followed
 * through the graph from the input: a Transpose moves it, operators with channels of their own fix
 * it, all others keep it.
 *
 * Where the input or the layer has its channels last, two Transposes become part of the graph
 * there, so that nothing behind this file has to know: callers see [maps][h][w] in every direction.
 */
#include "channels.h"

#include <assert.h>
#include <string.h>

#include "ops/params_basic.h"

static const int32_t to_last[4] = {0, 2, 3, 1}, to_first[4] = {0, 3, 1, 2};

/* The axis that a permutation of rank 4 moves axis `from` to, if the rest stays in its order; else
 * KX_CHANNELS_NOWHERE: rows and columns have changed places. */
static int8_t moved(const int32_t perm[4], int8_t from)
{
    static const int32_t same[4] = {0, 1, 2, 3};

    if (memcmp(perm, same, sizeof same) == 0)
        return from;
    if (from == KX_CHANNELS_FIRST && memcmp(perm, to_last, sizeof to_last) == 0)
        return KX_CHANNELS_LAST;
    if (from == KX_CHANNELS_LAST && memcmp(perm, to_first, sizeof to_first) == 0)
        return KX_CHANNELS_FIRST;
    return KX_CHANNELS_NOWHERE;
}

/* With one channel a Reshape does what a Transpose would, and converters prefer it. */
static int8_t regrouped(const kx_shape *in, const kx_shape *out, int8_t from)
{
    if (in->rank != 4)
        return KX_CHANNELS_FIRST;
    if (memcmp(in->dim, out->dim, 4 * sizeof in->dim[0]) == 0)
        return from;
    for (int k = 0; k < 2; k++) {
        const int32_t *perm = k ? to_first : to_last;
        int8_t to = moved(perm, from);
        bool same = to != KX_CHANNELS_NOWHERE && in->dim[from] == 1;

        for (int i = 0; i < 4 && same; i++)
            same = out->dim[i] == in->dim[perm[i]];
        if (same)
            return to;
    }
    return KX_CHANNELS_FIRST;
}

/* What tells whether the input has its channels last. */
typedef struct evidence {
    bool for_last;     /* a tensor with channels last is brought to channels first */
    bool against_last; /* a tensor with channels last enters an operator that wants them first */
} evidence;

/* The first operand of rank 4 that is computed. */
static const kx_value *followed(const kx_node *n)
{
    for (int32_t k = 0; k < n->nin; k++)
        if (n->in[k] && !n->in[k]->raw && n->in[k]->shape.rank == 4)
            return n->in[k];
    return NULL;
}

/* Where node n takes the channels that are at axis `at` of `from`. */
static int8_t taken(const kx_node *n, const kx_value *from, int8_t at)
{
    const kx_value *out = n->out[0];

    switch (n->op->traits.axes) {
    case KX_AXES_CHANNELS_FIRST:
        return KX_CHANNELS_FIRST;
    case KX_AXES_PERMUTED:
        return moved(((const kx_transpose_params *)n->params)->perm, at);
    case KX_AXES_REGROUPED:
        return out && out->shape.rank == 4 ? regrouped(&from->shape, &out->shape, at)
                                           : KX_CHANNELS_FIRST;
    case KX_AXES_STAY:
        break;
    }
    return out && out->shape.rank == 4 ? at : KX_CHANNELS_FIRST;
}

static void follow(const kx_graph *g, int8_t *axis, evidence *e)
{
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i];
        const kx_value *from = followed(n);
        int8_t at = from ? axis[from->id] : KX_CHANNELS_FIRST;
        int8_t to = from ? taken(n, from, at) : KX_CHANNELS_FIRST;

        if (at == KX_CHANNELS_LAST && n->op->traits.axes == KX_AXES_CHANNELS_FIRST)
            e->against_last = true;
        if (at == KX_CHANNELS_LAST && to == KX_CHANNELS_FIRST)
            e->for_last = true;
        for (int32_t o = 0; o < n->nout; o++)
            if (n->out[o])
                axis[n->out[o]->id] = to;
    }
}

kldve_status kx_channel_axes(const kx_graph *g, kx_arena *arena, const kx_value *input,
                             int8_t **out)
{
    const int64_t *dim = input->shape.dim;
    int8_t *axis = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *axis);
    evidence e = {false, false};

    assert(input->shape.rank == 4);
    if (!axis)
        return kx_nomem(g);
    if (dim[3] == 1 || dim[3] == 3) {
        memset(axis, KX_CHANNELS_FIRST, (size_t)g->nvalue);
        axis[input->id] = KX_CHANNELS_LAST;
        follow(g, axis, &e);
    }
    if (!e.for_last || e.against_last) {
        memset(axis, KX_CHANNELS_FIRST, (size_t)g->nvalue);
        follow(g, axis, &e);
    }
    *out = axis;
    return KLDVE_OK;
}

/* ---- changing the graph ---- */

static kx_value *add_value(kx_graph *g, const char *name)
{
    kx_value *v = kx_new(g, 1, sizeof *v);

    if (!v)
        return NULL;
    v->name = name;
    v->id = g->nvalue;
    v->producer = -1;
    g->value[g->nvalue++] = v; /* graph.c keeps room */
    return v;
}

/* Insert out = Transpose(in) before node `at`. */
static kldve_status insert(kx_graph *g, int32_t at, kx_value *in, const int32_t perm[4],
                           kx_value *out)
{
    kx_node n = {.name = out->name, .index = at, .nin = 1, .nout = 1};
    kldve_status st;

    assert(at >= 0 && at <= g->nnode && in->producer < at);
    n.in = kx_new(g, 1, sizeof *n.in);
    n.out = kx_new(g, 1, sizeof *n.out);
    if (!n.in || !n.out)
        return kx_nomem(g);
    n.in[0] = in;
    n.out[0] = out;
    if ((st = kx_make_transpose(g, &n, perm)) < 0)
        return st;
    memmove(&g->node[at + 1], &g->node[at], (size_t)(g->nnode - at) * sizeof *g->node);
    g->node[at] = n;
    g->nnode++;
    for (int32_t i = at; i < g->nnode; i++) {
        g->node[i].index = i;
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o])
                g->node[i].out[o]->producer = i;
    }
    return KLDVE_OK;
}

/* Replace an input with channels last by one with channels first, followed by a Transpose. */
static kldve_status input_first(kx_graph *g, kx_value **input)
{
    kx_value *v = *input, *first = add_value(g, v->name);
    kldve_status st;

    assert(v->shape.rank == 4 && v->producer < 0);
    if (!first)
        return kx_nomem(g);
    first->onnx_type = v->onnx_type;
    first->dtype = v->dtype;
    first->count = v->count;
    first->shape.rank = 4;
    for (int i = 0; i < 4; i++)
        first->shape.dim[i] = v->shape.dim[to_first[i]];
    if ((st = insert(g, 0, first, to_last, v)) < 0)
        return st;
    for (int32_t i = 0; i < g->ninput; i++)
        if (g->input[i] == v)
            g->input[i] = first;
    *input = first;
    return KLDVE_OK;
}

/* Lead a value with channels last through channels first and back: *value becomes the former. */
static kldve_status value_first(kx_graph *g, kx_value **value)
{
    kx_value *v = *value, *first = add_value(g, v->name), *last = add_value(g, v->name);
    int32_t at = v->producer + 1;
    kldve_status st;

    assert(v->shape.rank == 4 && !v->raw);
    if (!first || !last)
        return kx_nomem(g);
    for (int32_t i = at; i < g->nnode; i++)
        for (int32_t k = 0; k < g->node[i].nin; k++)
            if (g->node[i].in[k] == v)
                g->node[i].in[k] = last;
    if ((st = insert(g, at, v, to_first, first)) < 0 ||
        (st = insert(g, at + 1, first, to_last, last)) < 0)
        return st;
    *value = first;
    return KLDVE_OK;
}

kldve_status kx_channels_first(kx_graph *g, const int8_t *axis, kx_value **input, kx_value **layer)
{
    bool input_last = axis[(*input)->id] == KX_CHANNELS_LAST;
    kldve_status st = KLDVE_OK;

    if (*layer && axis[(*layer)->id] == KX_CHANNELS_LAST)
        st = value_first(g, layer);
    return st == KLDVE_OK && input_last ? input_first(g, input) : st;
}
