/* taps.c - see taps.h.
 *
 *     picture --> ... --> layer --> head --> logits
 *                   \                /
 *                    +--> another --+        what a head reads that the layer does not carry
 *
 * Going back from the scores, everything that depends on the layer belongs to the head.  What it
 * reads beside that depends on the picture in another way, and is a tensor that the head takes,
 * too. Whole numbers and truth values are computed in the head, from the numbers that they come
 * from. */
#include "taps.h"

#include <stdio.h>
#include <string.h>

enum { WHY_SIZE = 200 };

typedef struct search {
    const kx_graph *g;
    bool *varies; /* by value id: depends on the picture */
    bool *after;  /* depends on the layer, or is it */
    bool *needed; /* the head computes it */
    kx_taps taps;
    const kx_value *refused; /* a tensor that no head can take; NULL: none */
} search;

static bool is_tap(const search *s, const kx_value *v)
{
    for (int32_t i = 0; i < s->taps.count; i++)
        if (s->taps.value[i] == v)
            return true;
    return false;
}

static void add_tap(search *s, kx_value *v)
{
    if (is_tap(s, v))
        return;
    if (s->taps.count == KX_TAPS_MOST) {
        s->refused = v;
        return;
    }
    s->taps.value[s->taps.count++] = v;
    s->taps.numbers += v->count;
}

/* Mark what is computed from what is marked. */
static void spread(const kx_graph *g, bool *mark)
{
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i];
        bool reads = false;

        for (int32_t k = 0; k < n->nin; k++)
            reads = reads || (n->in[k] && mark[n->in[k]->id]);
        for (int32_t o = 0; reads && o < n->nout; o++)
            if (n->out[o])
                mark[n->out[o]->id] = true;
    }
}

/* The head reads v. */
static void need(search *s, kx_value *v)
{
    if (is_tap(s, v) || v->raw)
        return;
    if (s->varies[v->id] && v->producer < 0) {
        s->refused = v;
        return;
    }
    if (s->varies[v->id] && !s->after[v->id] && v->dtype == KX_F32)
        add_tap(s, v);
    else
        s->needed[v->id] = true;
}

static void go_back(search *s)
{
    for (int32_t i = s->g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &s->g->node[i];
        bool wanted = false;

        for (int32_t o = 0; o < n->nout; o++)
            wanted = wanted || (n->out[o] && s->needed[n->out[o]->id]);
        for (int32_t k = 0; wanted && k < n->nin; k++)
            if (n->in[k])
                need(s, n->in[k]);
    }
}

/* The names of all taps, for messages. */
static void list_names(const kx_taps *taps, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int32_t i = 0; i < taps->count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s'%.60s'", i ? ", " : "",
                                 taps->value[i]->name);
}

/* Why there is no head.  NULL: out of memory. */
static const char *reason(const search *s, const kx_choice *c, kx_arena *arena)
{
    char *why = kx_arena_alloc(arena, WHY_SIZE, 1), names[WHY_SIZE];

    if (!why)
        return NULL;
    if (!c->layer) {
        snprintf(why, WHY_SIZE, "it has no layer, so nothing lies behind one");
    } else if (s->refused->producer < 0) {
        snprintf(why, WHY_SIZE,
                 "the scores read the picture '%.60s' also by a way around the layer '%.60s'",
                 s->refused->name, c->layer->name);
    } else {
        list_names(&s->taps, names, sizeof names);
        snprintf(why, WHY_SIZE, "behind the layer it reads more than %d tensors: %.120s ...",
                 KX_TAPS_MOST, names);
    }
    return why;
}

static kldve_status new_search(const kx_graph *g, kx_arena *arena, search *s)
{
    size_t n = (size_t)g->nvalue;

    *s = (search){.g = g,
                  .varies = kx_arena_alloc(arena, n, sizeof *s->varies),
                  .after = kx_arena_alloc(arena, n, sizeof *s->after),
                  .needed = kx_arena_alloc(arena, n, sizeof *s->needed)};
    return s->varies && s->after && s->needed ? KLDVE_OK : kx_nomem(g);
}

kldve_status kx_find_taps(const kx_graph *g, kx_arena *arena, const kx_choice *c,
                          const kx_value *const *also, int32_t nalso, kx_taps *out)
{
    search s;
    kldve_status st = new_search(g, arena, &s);

    if (st < 0)
        return st;
    if (c->layer) {
        for (int32_t i = 0; i < c->members; i++)
            add_tap(&s, c->member[i]);
        if (c->members == 0)
            add_tap(&s, c->file_layer);
        for (int32_t i = 0; i < s.taps.count; i++)
            s.after[s.taps.value[i]->id] = true;
        for (int32_t i = 0; i < g->ninput; i++)
            s.varies[g->input[i]->id] = true;
        spread(g, s.after);
        spread(g, s.varies);
        s.needed[c->logits->id] = true;
        for (int32_t i = 0; i < nalso; i++)
            if (also[i])
                s.needed[also[i]->id] = true;
        go_back(&s);
    }
    if ((!c->layer || s.refused) && !(s.taps.why = reason(&s, c, arena)))
        return kx_nomem(g);
    if (s.taps.why)
        s.taps.count = 0;
    *out = s.taps;
    return KLDVE_OK;
}
