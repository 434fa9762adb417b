/* choose.c - which tensors of a graph are the input, the logits and the layer. */
#include "choose.h"

#include <assert.h>
#include <string.h>

static kldve_status choose_input(kx_graph *g, kx_choice *c)
{
    int8_t *axis;
    kldve_status st;

    if (g->ninput != 1)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "the network has %d inputs, exactly one is supported", g->ninput);
    c->input = g->input[0];
    if (c->input->shape.rank != 4 || c->input->dtype != KX_F32 || c->input->count == 0 ||
        c->input->shape.dim[0] != 1)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "input '%.80s' is not float32 [1][channels][height][width] or "
                               "[1][height][width][channels]",
                               c->input->name);
    if ((st = kx_channel_axes(g, c->input, &axis)) == KLDVE_OK)
        c->axis = axis;
    return st;
}

static const kx_node *maker(const kx_graph *g, const kx_value *v)
{
    return v->producer < 0 ? NULL : &g->node[v->producer];
}

/* The scores before a trailing Softmax (or LogSoftmax, or a pure reshaping behind one). */
static kx_value *before_softmax(const kx_graph *g, kx_value *v)
{
    kx_value *at = v;

    for (const kx_node *n = maker(g, at); n; n = maker(g, at)) {
        if (n->op->traits.probabilities)
            return n->in[0];
        if (!n->op->traits.copies)
            return v;
        at = n->in[0];
    }
    return v;
}

static kldve_status find_named(const kx_graph *g, const char *what, const char *name,
                               kx_value **out)
{
    *out = kx_graph_find(g, name);
    if (!*out || (*out)->raw)
        return kldve_ctx_failf(
            g->ctx, KLDVE_E_ARG,
            "no tensor or node is called '%.80s' (given as the %s); `kldve layers` "
            "lists them",
            name, what);
    return KLDVE_OK;
}

static kldve_status choose_logits(const kx_graph *g, const char *name, kx_choice *c)
{
    kldve_status st;

    if (name) {
        if ((st = find_named(g, "logits", name, &c->logits)) < 0)
            return st;
    } else {
        if (g->noutput < 1)
            return kldve_ctx_fail(g->ctx, KLDVE_E_FORMAT, "the network has no output");
        c->logits = before_softmax(g, g->output[0]);
    }
    if (c->logits->dtype != KX_F32 || c->logits->raw || c->logits->count > INT32_MAX)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "the logits '%.80s' are not scores computed from the picture",
                               c->logits->name);
    return KLDVE_OK;
}

/* Mark in seen [values] what is computed from the values that are marked already. */
static void mark_after(const kx_graph *g, bool *seen)
{
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t k = 0; k < g->node[i].nin; k++)
            if (g->node[i].in[k] && seen[g->node[i].in[k]->id])
                for (int32_t o = 0; o < g->node[i].nout; o++)
                    if (g->node[i].out[o])
                        seen[g->node[i].out[o]->id] = true;
}

/* Mark in seen [values] what the values that are marked already are computed from. */
static void mark_before(const kx_graph *g, bool *seen)
{
    for (int32_t i = g->nnode - 1; i >= 0; i--)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o] && seen[g->node[i].out[o]->id])
                for (int32_t k = 0; k < g->node[i].nin; k++)
                    if (g->node[i].in[k])
                        seen[g->node[i].in[k]->id] = true;
}

/* Mark what depends on the input and what the logits depend on. */
static kldve_status find_path(kx_graph *g, kx_choice *c)
{
    bool *after = kx_new(g, (size_t)g->nvalue, sizeof *after);
    bool *before = kx_new(g, (size_t)g->nvalue, sizeof *before);

    if (!after || !before)
        return kx_nomem(g);
    after[c->input->id] = true;
    mark_after(g, after);
    before[c->logits->id] = true;
    mark_before(g, before);
    for (int32_t i = 0; i < g->nvalue; i++)
        before[i] = before[i] && after[i];
    c->on_path = before;
    if (!before[c->input->id])
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "the logits '%.80s' do not depend on the picture", c->logits->name);
    return KLDVE_OK;
}

bool kx_explainable(const kx_choice *c, const kx_value *v)
{
    return v != c->file_input && c->on_path[v->id] && v->dtype == KX_F32 && v->shape.rank == 4 &&
           v->shape.dim[0] == 1 && v->count > 0 && c->axis[v->id] != KX_CHANNELS_NOWHERE;
}

static bool has_cells(const kx_choice *c, const kx_value *v)
{
    assert(kx_explainable(c, v));
    return v->count > (size_t)v->shape.dim[c->axis[v->id]];
}

static kldve_status choose_named_layer(const kx_graph *g, const char *name, kx_choice *c)
{
    kldve_status st = find_named(g, "layer", name, &c->layer);

    if (st < 0)
        return st;
    if (!kx_explainable(c, c->layer))
        return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                               "'%.80s' cannot be the layer: it is not [1][maps][height]"
                               "[width] or [1][height][width][maps] between input and logits",
                               name);
    return KLDVE_OK;
}

/* The last one that still has cells, the logits apart. */
static kldve_status choose_last_layer(const kx_graph *g, kx_choice *c)
{
    for (int32_t i = g->nnode - 1; i >= 0 && !c->layer; i--)
        for (int32_t o = 0; o < g->node[i].nout; o++) {
            kx_value *v = g->node[i].out[o];

            if (v && v != c->logits && kx_explainable(c, v) && has_cells(c, v))
                c->layer = v;
        }
    if (!c->layer)
        return kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                              "the network has no layer with more than one spatial cell");
    return KLDVE_OK;
}

static kldve_status list_tensors(kx_graph *g, kx_choice *c)
{
    c->tensor = kx_new(g, (size_t)g->nvalue + 1, sizeof *c->tensor);
    if (!c->tensor)
        return kx_nomem(g);
    c->tensor[c->ntensor++] = c->input;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o] && c->on_path[g->node[i].out[o]->id])
                c->tensor[c->ntensor++] = g->node[i].out[o];
    return KLDVE_OK;
}

/* Callers see channels first, whatever the file has. */
static kldve_status have_channels_first(kx_graph *g, kx_choice *c)
{
    kldve_status st = KLDVE_OK;

    c->file_layer = c->layer;
    if (c->axis[c->file_layer->id] == KX_CHANNELS_LAST)
        st = kx_channels_first(g, &c->layer);
    if (st == KLDVE_OK && c->axis[c->file_input->id] == KX_CHANNELS_LAST)
        st = kx_channels_first_input(g, &c->input);
    return st;
}

kldve_status kx_choose(kx_graph *g, const char *layer, const char *logits, kx_choice *out)
{
    kx_choice c = {0};
    kldve_status st;

    if ((st = choose_input(g, &c)) < 0 || (st = choose_logits(g, logits, &c)) < 0 ||
        (st = find_path(g, &c)) < 0)
        return st;
    c.file_input = c.input;
    st = layer ? choose_named_layer(g, layer, &c) : choose_last_layer(g, &c);
    if (st < 0 || (st = list_tensors(g, &c)) < 0 || (st = have_channels_first(g, &c)) < 0)
        return st;
    *out = c;
    return KLDVE_OK;
}
