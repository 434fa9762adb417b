/* choose_layer.c - which tensor of a graph is the layer.
 *
 * A layer explains the score only if every way from the picture to the score passes it: what goes
 * around it has no heat.  The default is the last such tensor with cells, where the maps say most
 * about classes.  A handful of maps is no layer of features, though: the score convolution of
 * attention pooling, the colours of the picture. */
#include "before_norm.h"
#include "choose_parts.h"
#include "reach.h"

#include <stdio.h>
#include <string.h>

enum { HANDFUL = 5 /* maps */, JOINED_SIZE = 320 };

/* Whether node n only prepares the picture: arithmetic with constants, moves of pixels. */
static bool prepares(const kx_node *n, const bool *prepared)
{
    const kx_traits *t = &n->op->traits;
    bool linear = t->effect == KX_EFFECT_ADDS || t->effect == KX_EFFECT_MULTIPLIES ||
                  t->effect == KX_EFFECT_DIVIDES || t->effect == KX_EFFECT_MOVES ||
                  t->effect == KX_EFFECT_WEIGHS;

    if ((!linear && !t->copies) || t->mixing != KX_MIXING_NONE)
        return false;
    if (t->axes == KX_AXES_CHANNELS_FIRST && t->effect != KX_EFFECT_WEIGHS)
        return false; /* windows */
    for (int32_t k = 0; k < n->nin; k++)
        if (n->in[k] && !n->in[k]->raw && !prepared[n->in[k]->id])
            return false;
    return true;
}

/* The input, and what it is prepared to, by value id. */
static kldve_status find_prepared(const kx_graph *g, const kx_choice *c, bool **out)
{
    bool *prepared = kx_arena_alloc(c->notes.arena, (size_t)g->nvalue, sizeof *prepared);

    if (!prepared)
        return kx_nomem(g);
    prepared[c->file_input->id] = true;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o])
                prepared[g->node[i].out[o]->id] = prepares(&g->node[i], prepared);
    *out = prepared;
    return KLDVE_OK;
}

static kldve_status choose_named(const kx_graph *g, const char *name, kx_choice *c)
{
    kldve_status st = kx_choose_named(g, "layer", name, &c->layer);

    if (st < 0)
        return st;
    if (c->grid_height > 0 && !kx_explainable(c, c->layer, &c->view))
        return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                               "'%.80s' cannot be the layer with a grid of %lld x %lld: it has no "
                               "axis of so many tokens between input and logits",
                               name, (long long)c->grid_height, (long long)c->grid_width);
    if (!kx_explainable(c, c->layer, &c->view))
        return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                               "'%.80s' cannot be the layer: it is not [1][maps][height][width], "
                               "[1][height][width][maps] or [1][tokens][channels] with a grid of "
                               "tokens between input and logits; --grid HxW says which grid",
                               name);
    c->how = KLDVE_ONNX_LAYER_GIVEN;
    return KLDVE_OK;
}

/* Whether `late` is `early` in another form. */
static bool is_form_of(const kx_graph *g, const kx_value *late, const kx_value *early)
{
    const kx_node *n = late->producer < 0 ? NULL : &g->node[late->producer];

    return n && n->in[0] == early &&
           (n->op->traits.copies || n->op->traits.axes == KX_AXES_PERMUTED);
}

/* What is known of the best default so far. */
typedef struct candidate {
    kx_value *layer; /* NULL: none yet */
    kx_view view;
} candidate;

/* What a default has to be. */
typedef struct wanted {
    const bool *prepared; /* by value id: the picture itself */
    const float *share;   /* by value id, see reach.h */
    float least;          /* of `share` */
} wanted;

/* One cell high or wide. */
static bool is_row(const kx_view *view)
{
    return view->height <= view->frames || view->width == 1;
}

/* Whether the picture has rows and columns. */
static bool has_area(const kx_choice *c)
{
    const int64_t *dim = c->file_input->shape.dim + (c->channels_last ? 1 : 2);

    return dim[0] > 1 && dim[1] > 1;
}

/* Take `v`, which comes before the best so far, if it is a better default: one with more maps where
 * they are few, one with rows and columns where the picture has them, or the same as
 * [1][maps][height][width]. */
static void consider(const kx_graph *g, const kx_choice *c, kx_value *v, const wanted *w,
                     candidate *best)
{
    kx_view view;

    if (v->inside || v == c->logits || w->prepared[v->id] || w->share[v->id] < w->least ||
        !c->cells[v->id] || !kx_explainable(c, v, &view) || view.height * view.width == view.frames)
        return;
    if (!best->layer || (best->view.each <= HANDFUL && view.each > best->view.each) ||
        (has_area(c) && is_row(&best->view) && !is_row(&view) && view.each > HANDFUL) ||
        (!best->view.plain && is_form_of(g, best->layer, v)))
        *best = (candidate){v, view};
}

/* The last one with cells and more than a handful of maps; without such a one, that with the most
 * maps. */
static candidate last_of(const kx_graph *g, const kx_choice *c, const wanted *w, bool all)
{
    candidate best = {.layer = NULL};

    for (int32_t i = g->nnode - 1; i >= 0; i--)
        for (int32_t o = 0; o < g->node[i].nout; o++) {
            kx_value *v = g->node[i].out[o];

            if (v && (!all || c->ways.all[v->id]))
                consider(g, c, v, w, &best);
        }
    return best;
}

/* Scores at one position of a map of scores say little about a layer of which they read a few
 * cells only: its map is a dot.  So the layer has to be one of which they read a quarter of a side,
 * or as much as there is. */
static float least_share(const kx_graph *g, const kx_choice *c, const wanted *w)
{
    const float enough = 0.25f;
    float most = 0;

    for (int32_t i = 0; i < g->nvalue; i++)
        if (c->ways.all[i] && w->share[i] > most && !w->prepared[i] && c->cells[i] &&
            kx_explainable(c, g->value[i], NULL))
            most = w->share[i];
    return most < enough ? most : enough;
}

/* Whether a tensor can be part of a layer of features. */
static bool may_join(const kx_choice *c, const kx_value *v, const bool *prepared)
{
    kx_view view;

    return !v->inside && v != c->logits && v->producer >= 0 && !prepared[v->id] &&
           c->cells[v->id] && kx_explainable(c, v, &view) &&
           view.height * view.width > view.frames && view.each > HANDFUL;
}

/* The fewest tensors that cut all ways, the nearest to the logits. */
static kldve_status find_members(const kx_graph *g, kx_choice *c, const bool *prepared)
{
    bool *may = kx_arena_alloc(c->notes.arena, (size_t)g->nvalue, sizeof *may);
    kldve_status st;

    if (!may)
        return kx_nomem(g);
    for (int32_t i = 0; i < g->nvalue; i++)
        may[i] = may_join(c, g->value[i], prepared);
    st = kx_find_cut(g, c->notes.arena, &c->ways, may, c->member, &c->members);
    for (int32_t i = 0; st == KLDVE_OK && i < c->members; i++)
        kx_explainable(c, c->member[i], &c->member_view[i]);
    return st;
}

static bool same_grid(const kx_choice *c)
{
    for (int32_t i = 1; i < c->members; i++)
        if (c->member_view[i].height != c->member_view[0].height ||
            c->member_view[i].width != c->member_view[0].width)
            return false;
    return c->members > 1;
}

/* "FIRST + SECOND" of the members, all but number `except`. */
static void members_text(const kx_choice *c, int32_t except, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int32_t i = 0; i < c->members && used < size; i++)
        if (i != except)
            used += (size_t)snprintf(out + used, size - used, "%s%.80s", used ? " + " : "",
                                     c->member[i]->name);
}

/* The members on one grid become one layer. */
static kldve_status choose_joined(const kx_graph *g, kx_choice *c)
{
    char text[JOINED_SIZE], *name;

    members_text(c, -1, text, sizeof text);
    if (!(name = kx_arena_alloc(c->notes.arena, strlen(text) + 1, 1)))
        return kx_nomem(g);
    c->joined_name = strcpy(name, text);
    c->how = KLDVE_ONNX_LAYER_JOINED;
    c->layer = c->member[0];
    c->view = c->member_view[0];
    if (kx_say(&c->notes, "no single layer carries the whole score: '%.300s' are explained as one",
               text) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}

/* Of members on different grids the one with the most numbers: where a network keeps most, most of
 * the score comes from. */
static kldve_status choose_member(const kx_graph *g, kx_choice *c)
{
    char others[JOINED_SIZE];
    int32_t best = 0;

    for (int32_t i = 1; i < c->members; i++)
        if (c->member[i]->count > c->member[best]->count)
            best = i;
    c->how = KLDVE_ONNX_LAYER_BEST;
    c->layer = c->member[best];
    c->view = c->member_view[best];
    members_text(c, best, others, sizeof others);
    c->members = 0;
    if (kx_say(&c->notes,
               "the other ways pass '%.300s', of another grid: --fuse NAME adds the map of another "
               "layer",
               others) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}

static kldve_status choose_default(const kx_graph *g, kx_choice *c)
{
    bool *prepared = NULL;
    wanted w = {.least = 0};
    kldve_status st = find_prepared(g, c, &prepared);
    candidate best;

    w.prepared = prepared;
    if (st < 0 || (st = kx_find_reach(g, c->notes.arena, c, &w.share)) < 0)
        return st;
    w.least = least_share(g, c, &w);
    c->how = KLDVE_ONNX_LAYER_LAST;
    best = last_of(g, c, &w, true);
    if (!best.layer || best.view.each <= HANDFUL) {
        if ((st = find_members(g, c, prepared)) < 0)
            return st;
        if (c->members > 1)
            return same_grid(c) ? choose_joined(g, c) : choose_member(g, c);
        c->members = 0;
    }
    if (best.layer)
        best.layer = kx_before_norm(g, c, best.layer, &best.view);
    if (!best.layer) {
        c->how = KLDVE_ONNX_LAYER_BEST;
        best = last_of(g, c, &w, false);
    }
    c->layer = best.layer;
    c->view = best.view;
    return KLDVE_OK;
}

/* Without a layer, the input itself can still be explained. */
static kldve_status say_no_layer(const kx_graph *g, kx_choice *c)
{
    if (c->logits == c->file_input)
        return kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                              "the network has no layer: its output is its input");
    if (kx_say(&c->notes, "the network has no layer with more than one cell: only methods that "
                          "explain the input itself can be used") < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}

/* What is special about tokens. */
static kldve_status say_tokens(const kx_graph *g, kx_choice *c)
{
    int64_t aside = c->view.leading + c->view.trailing;

    if (aside > 0 &&
        kx_say(&c->notes,
               "%lld token%s of layer '%.80s' (class or register tokens) %s no place "
               "in its %lld x %lld cells: what reaches the score through %s is not in "
               "the map",
               (long long)aside, aside > 1 ? "s" : "", c->layer->name, aside > 1 ? "have" : "has",
               (long long)c->view.height, (long long)c->view.width, aside > 1 ? "them" : "it") < 0)
        return kx_nomem(g);
    if (!c->cells[c->layer->id] &&
        kx_say(
            &c->notes,
            "behind layer '%.80s' only a class token is read: its cells have no influence on the "
            "score, an earlier layer has",
            c->layer->name) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}

/* What becomes of a batch that the network makes of the picture. */
static kldve_status say_pictures(const kx_graph *g, kx_choice *c)
{
    const kx_view *v = &c->view;

    if (v->pictures < 0 || v->picked >= 0)
        return KLDVE_OK;
    if (kx_say(&c->notes,
               v->scattered
                   ? "layer '%.80s' has the maps of %lld pictures, which show parts of different "
                     "size: they are explained as one layer, laid over each other as they are, and "
                     "the heat of a part does not lie at its place"
                   : "layer '%.80s' has the maps of %lld pictures that the network makes of one: "
                     "turned and moved to their places, they are explained as one layer",
               c->layer->name, (long long)v->batch) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}

kldve_status kx_choose_layer(const kx_graph *g, const char *name, kx_choice *c)
{
    kldve_status st = name ? choose_named(g, name, c) : choose_default(g, c);

    if (st < 0)
        return st;
    if (!c->layer && c->grid_height > 0)
        return kldve_ctx_failf(
            g->ctx, KLDVE_E_ARG,
            "no layer has a grid of %lld x %lld cells; `kldve layers` lists them",
            (long long)c->grid_height, (long long)c->grid_width);
    if (!c->layer)
        return say_no_layer(g, c);
    c->all_paths = c->members > 1 || c->ways.all[c->layer->id] ? 1 : -1;
    if (c->all_paths < 0 &&
        (st = kx_say(&c->notes,
                     "layer '%.80s' does not carry the whole score: some ways from the picture to "
                     "the score go around it, and the map does not show them",
                     c->layer->name)) < 0)
        return kx_nomem(g);
    return (st = say_pictures(g, c)) < 0 ? st : say_tokens(g, c);
}
