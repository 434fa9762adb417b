/* taps.c - see taps.h.
 *
 *     picture --> ... --> layer --> head --> logits
 *                   \\                /
 *                    +--> another --+        what a head reads that the layer does not carry
 *
 * Going back from the scores, everything that depends on the layer belongs to the head.  What it
 * reads beside that depends on the picture in another way, and is a tensor that the head takes,
 * too. A tensor that no node of the file's main graph makes - in a function, in a branch, in an
 * operator that others stand for - belongs to the head with what it comes from; so do truth values.
 */
#include "taps.h"

#include <stdio.h>
#include <string.h>

#include "read/names.h"

enum { WHY_SIZE = 200 };

typedef struct search {
    const kx_graph *g;
    bool *varies; /* by value id: depends on the picture */
    bool *after;  /* depends on the layer, or is it */
    bool *needed; /* the head computes it */
    bool *own;    /* the file's main graph has it under its name */
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
    if (s->varies[v->id] && v->producer < 0)
        s->refused = v;
    else if (s->varies[v->id] && !s->after[v->id] && s->own[v->id] && v->dtype != KX_BOOL)
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

/* The layer or a member of it: what depends on it belongs to the head. */
static void begin_at(search *s, kx_value *v)
{
    s->after[v->id] = true;
    if (s->own[v->id])
        add_tap(s, v);
}

static void find(search *s, const kx_choice *c, const kx_value *also)
{
    for (int32_t i = 0; i < c->members; i++)
        begin_at(s, c->member[i]);
    if (c->members == 0)
        begin_at(s, c->file_layer);
    spread(s->g, s->after);
    for (int32_t i = 0; i < s->g->ninput; i++)
        s->varies[s->g->input[i]->id] = true;
    spread(s->g, s->varies);
    s->needed[c->logits->id] = true;
    if (also)
        s->needed[also->id] = true;
    go_back(s);
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
                 s->own[c->file_layer->id]
                     ? "the scores read the picture '%.60s' also by a way around the layer '%.60s'"
                     : "no tensor of its main graph lies between the picture '%.60s' and the layer "
                       "'%.60s', which is in a function, a branch or an operator",
                 s->refused->name, c->layer->name);
    } else {
        list_names(&s->taps, names, sizeof names);
        snprintf(why, WHY_SIZE, "behind the layer it reads more than %d tensors: %.120s ...",
                 KX_TAPS_MOST, names);
    }
    return why;
}

/* Which values are the file's: of several with one name the first; others were put into the graph.
 */
static bool mark_own(const kx_model *m, kx_arena *arena, search *s)
{
    const kx_graph *g = s->g;
    kx_names first;
    int made;

    if (!kx_names_init(&first, arena, m->nmade))
        return false;
    for (size_t i = 0; i < m->nmade; i++)
        if (*m->made[i])
            kx_names_set(&first, m->made[i], &made);
    for (int32_t i = 0; i < g->nvalue; i++)
        if (kx_names_find(&first, g->value[i]->name) == &made) {
            kx_names_set(&first, g->value[i]->name, g->value[i]);
            s->own[i] = g->value[i]->producer >= 0;
        }
    return true;
}

static kldve_status new_search(const kx_graph *g, const kx_model *m, kx_arena *arena, search *s)
{
    size_t n = (size_t)g->nvalue;

    *s = (search){.g = g,
                  .varies = kx_arena_alloc(arena, n, sizeof *s->varies),
                  .after = kx_arena_alloc(arena, n, sizeof *s->after),
                  .needed = kx_arena_alloc(arena, n, sizeof *s->needed),
                  .own = kx_arena_alloc(arena, n, sizeof *s->own)};
    return s->varies && s->after && s->needed && s->own && mark_own(m, arena, s) ? KLDVE_OK
                                                                                 : kx_nomem(g);
}

kldve_status kx_find_taps(const kx_graph *g, const kx_model *m, kx_arena *arena, const kx_choice *c,
                          const kx_value *also, kx_taps *out)
{
    kx_arena scratch;
    search s;
    kldve_status st;

    kx_arena_init(&scratch, g->ctx);
    if ((st = new_search(g, m, &scratch, &s)) == KLDVE_OK) {
        if (c->layer)
            find(&s, c, also);
        if ((!c->layer || s.refused) && !(s.taps.why = reason(&s, c, arena)))
            st = kx_nomem(g);
        if (s.taps.why)
            s.taps.count = 0;
        *out = s.taps;
    }
    kx_arena_free(&scratch);
    return st;
}
