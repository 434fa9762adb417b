/* selection.c - class scores that are a part of a tensor: which elements, and of what. */
#include "selection.h"

#include <assert.h>
#include <string.h>

#include "build/origin.h"
#include "choose_parts.h"
#include "select_text.h"

/* The tensor that is meant. */
static kldve_status find_tensor(const kx_graph *g, const char *text, const char *name,
                                const kx_value **out)
{
    kx_value *v = NULL;
    kldve_status st;

    if (*name) {
        if ((st = kx_choose_named(g, "selection", name, &v)) < 0)
            return st;
    } else if (g->noutput == 1) {
        v = g->output[0];
    } else {
        return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                               "select '%.80s': the network has %d outputs: say which, as in "
                               "'%.60s%.80s'",
                               text, g->noutput, g->noutput ? g->output[0]->name : "NAME", text);
    }
    if (v->dtype != KX_F32 || v->raw || v->count > INT32_MAX)
        return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                               "select '%.80s': '%.80s' does not hold scores computed from the "
                               "picture",
                               text, v->name);
    *out = v;
    return KLDVE_OK;
}

static bool is_open(const kx_axis_pick *pick)
{
    return pick->kind >= KX_AXIS_ROW;
}

/* The sizes, and what a step along each open axis is in the tensor. */
static void measure(const kx_axis_pick *pick, kx_selection *s)
{
    const kx_shape *shape = &s->tensor->shape;

    s->count = s->height = s->width = 1; /* their product is at most the elements of the tensor */
    for (int32_t i = 0; i < shape->rank; i++) {
        int32_t n = (int32_t)pick[i].count, step = (int32_t)kx_span(shape, i + 1, shape->rank);

        if (!is_open(&pick[i])) {
            s->count *= n;
            s->axes += n > 1;
        } else if (pick[i].kind == KX_AXIS_COLUMN) {
            s->open = KX_OPEN_MAP;
            s->width = n;
            s->column_step = step;
        } else {
            s->open = pick[i].kind == KX_AXIS_ROW ? KX_OPEN_MAP : KX_OPEN_ROWS;
            s->height = n;
            s->row_step = step;
        }
    }
}

/* Offsets of the scores in C order, at the first place. */
static void list_offsets(const kx_shape *shape, const kx_axis_pick *pick, int32_t count,
                         int32_t *out)
{
    for (int32_t i = 0; i < count; i++) {
        int64_t rest = i, at = 0;

        for (int32_t a = shape->rank - 1; a >= 0; a--) {
            int64_t n = is_open(&pick[a]) ? 1 : pick[a].count;

            at += (pick[a].start + rest % n * pick[a].step) * kx_span(shape, a + 1, shape->rank);
            rest /= n;
        }
        out[i] = (int32_t)at;
    }
}

/* Whether the elements lie in one tensor in the steps of the selection. */
static bool is_regular(const kx_selection *s, const kx_element *e)
{
    for (int32_t p = 0; p < s->height * s->width; p++)
        for (int32_t i = 0; i < s->count; i++)
            if (e[(size_t)p * (size_t)s->count + (size_t)i].at !=
                e[i].at + p / s->width * s->row_step + p % s->width * s->column_step)
                return false;
    return true;
}

/* The elements as they lie in T: a base where that is enough, else a table. */
static kldve_status keep_places(const kx_graph *g, kx_arena *arena, const kx_element *e,
                                kx_selection *s)
{
    bool regular = is_regular(s, e);
    size_t places = (size_t)s->height * (size_t)s->width;
    size_t n = (regular ? 1 : places) * (size_t)s->count;
    int32_t *at = kx_arena_alloc(arena, n, sizeof *at);

    if (!at)
        return kx_nomem(g);
    for (size_t i = 0; i < n; i++)
        at[i] = e[i].at;
    s->base = at;
    s->table = regular ? NULL : at;
    return KLDVE_OK;
}

/* Every score at every place, followed back to where it is computed. */
static kldve_status follow(kx_graph *g, kx_arena *arena, const char *text, kx_selection *s)
{
    size_t places = (size_t)s->height * (size_t)s->width, all = places * (size_t)s->count;
    kx_arena scratch;
    kx_element *e;
    kldve_status st;

    kx_arena_init(&scratch, g->ctx);
    e = kx_arena_alloc(&scratch, all, sizeof *e);
    if (!e) {
        st = kx_nomem(g);
        goto done;
    }
    for (size_t p = 0; p < places; p++)
        for (int32_t i = 0; i < s->count; i++)
            e[p * (size_t)s->count + (size_t)i] =
                (kx_element){s->tensor->id, kx_selected(s, (int32_t)p, i)};
    if ((st = kx_scores_back(g, text, e, places, (size_t)s->count, &s->scores)) == KLDVE_OK &&
        (st = kx_put_together(g, e, all, s->tensor->name, &s->whole)) == KLDVE_OK)
        st = keep_places(g, arena, e, s);
done:
    kx_arena_free(&scratch);
    return st;
}

kldve_status kx_select_as_is(const kx_graph *g, kx_arena *arena, const char *text,
                             kx_selection *out)
{
    kx_selection s = {.scores = KLDVE_SCORES_RAW};
    kx_axis_pick pick[KX_MAX_RANK];
    char name[KX_SELECT_NAME];
    const char *items;
    int32_t *base;
    kldve_status st;

    if ((st = kx_select_name(g->ctx, text, name, &items)) < 0 ||
        (st = find_tensor(g, text, name, &s.tensor)) < 0 ||
        (st = kx_select_axes(g->ctx, text, items, &s.tensor->shape, pick)) < 0)
        return st;
    measure(pick, &s);
    if (!(base = kx_arena_alloc(arena, (size_t)s.count, sizeof *base)))
        return kx_nomem(g);
    list_offsets(&s.tensor->shape, pick, s.count, base);
    s.base = base;
    *out = s;
    return KLDVE_OK;
}

kldve_status kx_select(kx_graph *g, kx_arena *arena, const char *text, kx_selection *out)
{
    kx_selection s;
    kldve_status st = kx_select_as_is(g, arena, text, &s);

    if (st == KLDVE_OK && (st = follow(g, arena, text, &s)) == KLDVE_OK)
        *out = s;
    return st;
}
