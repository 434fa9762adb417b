/* follow.c - see follow.h.
 *
 * One pass over the nodes: each operator says by its trait where the axes of its result come from.
 * What an operator does to the length of an axis (windows, padding, resizing) leaves rows rows and
 * columns columns. */
#include "follow.h"

#include <assert.h>
#include <string.h>

#include "follow_parts.h"
#include "items.h"
#include "ops/params_basic.h"

enum { CHANNELS_AXIS = 1 };

/* Nothing is known of the axis. */
static bool is_lost(const kx_meaning *m, int32_t axis)
{
    int32_t count;
    const kx_part *part = kx_meaning_axis(m, axis, &count);

    return count == 1 && part->label == KX_OTHER;
}

/* An axis that no operand has in full: the picture repeated along the first is a batch. */
static void add_repeated(kx_meaning *m, int32_t axis, const kx_shape *out)
{
    if (axis == 0 && out->rank >= 3)
        kx_meaning_add(m, axis, (kx_part){.label = KX_BATCH, .size = out->dim[axis]});
    else
        kx_meaning_add_other(m, axis, out->dim[axis]);
}

/* Each axis from the first operand that has it in full, and whose meaning is known. */
static void stay(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    for (int32_t axis = 0; axis < out->rank; axis++) {
        const kx_meaning *best = NULL;
        int32_t from = 0, best_from = 0;
        int64_t before = 0;

        for (int32_t k = 0; k < n->nin; k++) {
            const kx_meaning *in = kx_operand(f, n, k);
            const kx_shape *s = in ? &n->in[k]->shape : NULL;

            from = s ? axis - out->rank + s->rank : -1;
            if (from < 0 || (s->dim[from] == 1 && out->dim[axis] != 1))
                continue;
            if (!best || (is_lost(best, best_from) && !is_lost(in, from))) {
                best = in;
                best_from = from;
                before = s->dim[from];
            }
        }
        if (best)
            kx_meaning_add_resized(m, axis, best, best_from, before, out->dim[axis]);
        else
            add_repeated(m, axis, out);
    }
    for (int32_t k = 0; k < n->nin; k++)
        if (kx_operand(f, n, k))
            kx_meaning_mix(m, kx_operand(f, n, k));
}

/* The space of an operator that wants channels first: what its axes were, or what their place
 * says. */
static void channels_first(const kx_follower *f, const kx_node *n, const kx_shape *out,
                           kx_meaning *m)
{
    static const kx_label place[] = {KX_COLUMNS, KX_ROWS, KX_FRAMES};
    const kx_meaning *in = kx_operand(f, n, 0);
    const kx_shape *s = in ? &n->in[0]->shape : NULL;

    if (in && s->rank == 4 && kx_meaning_label(in, CHANNELS_AXIS) == KX_ROWS)
        f->found->first = true;
    for (int32_t axis = 0; axis < out->rank; axis++) {
        int32_t from_end = out->rank - 1 - axis;
        bool same = in && s->rank == out->rank && !is_lost(in, axis);

        if (axis == CHANNELS_AXIS)
            kx_meaning_add(m, axis, (kx_part){.label = KX_CHANNELS, .size = out->dim[axis]});
        else if (axis == 0 && same)
            kx_meaning_add_axis(m, axis, in, axis);
        else if (same && kx_meaning_label(in, axis) != KX_LABELS)
            kx_meaning_add_resized(m, axis, in, axis, s->dim[axis], out->dim[axis]);
        else if (axis > CHANNELS_AXIS && from_end < 3 && out->rank >= 3)
            kx_meaning_add(
                m, axis,
                (kx_part){.label = (uint8_t)place[from_end], .size = out->dim[axis], .stride = 1});
        else
            kx_meaning_add_other(m, axis, out->dim[axis]);
    }
}

static void permuted(const kx_follower *f, const kx_node *n, kx_meaning *m)
{
    const kx_transpose_params *p = n->params;
    const kx_meaning *in = kx_operand(f, n, 0);
    int32_t rank = n->in[0]->shape.rank;

    if (rank == 4 && p->perm[CHANNELS_AXIS] == 3 && kx_meaning_label(in, CHANNELS_AXIS) == KX_ROWS)
        f->found->moved = true;
    for (int32_t axis = 0; axis < rank; axis++)
        kx_meaning_add_axis(m, axis, in, p->perm[axis]);
}

/* A vector that is given space: the decoder of an autoencoder begins so. */
static bool unfolds(const kx_meaning *in, const kx_shape *from, const kx_shape *to)
{
    return from->rank <= 2 && to->rank == 4 && in->parts == 1 && in->part[0].label == KX_CHANNELS;
}

static void as_channels_first(kx_meaning *m, const kx_shape *s)
{
    static const kx_label place[] = {KX_BATCH, KX_CHANNELS, KX_ROWS, KX_COLUMNS};

    assert(s->rank == 4);
    for (int32_t axis = 0; axis < 4; axis++)
        kx_meaning_add(m, axis,
                       (kx_part){.label = (uint8_t)place[axis], .size = s->dim[axis], .stride = 1});
}

static void regrouped(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    const kx_meaning *in = kx_operand(f, n, 0);
    const kx_shape *from = &n->in[0]->shape;

    if (unfolds(in, from, out))
        as_channels_first(m, out);
    else
        kx_meaning_regroup(in, out, m);
    /* With one channel a Reshape does what a Transpose would, and converters prefer it. */
    if (from->rank == 4 && out->rank == 4 && from->dim[3] == 1 && out->dim[1] == 1 &&
        kx_meaning_label(in, CHANNELS_AXIS) == KX_ROWS)
        f->found->moved = true;
}

static void reduced(const kx_follower *f, const kx_node *n, kx_meaning *m)
{
    const kx_reduce_params *p = n->params;
    const kx_meaning *in = kx_operand(f, n, 0);
    int32_t to = 0;

    for (int32_t axis = 0; axis < n->in[0]->shape.rank; axis++) {
        if (!p->reduced[axis])
            kx_meaning_add_axis(m, to, in, axis);
        to += !p->reduced[axis] || p->keepdims;
    }
    kx_meaning_settle(m, in);
    kx_items_settle(m, in);
}

/* [...][m][n] = [...][m][k] [...][k][n]. */
static void matrix(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    const kx_meaning *a = kx_operand(f, n, 0), *b = kx_operand(f, n, 1);
    const kx_shape *sa = &n->in[0]->shape, *sb = &n->in[1]->shape;
    int32_t last = out->rank - 1;

    if (sa->rank < 2 || sb->rank < 2) {
        kx_meaning_lose(m, out);
        return;
    }
    for (int32_t axis = 0; axis < last; axis++) {
        int32_t ia = axis - out->rank + sa->rank, ib = axis - out->rank + sb->rank;

        if (a && ia >= 0 && sa->dim[ia] == out->dim[axis])
            kx_meaning_add_axis(m, axis, a, ia);
        else if (b && ib >= 0 && axis < last - 1 && sb->dim[ib] == out->dim[axis])
            kx_meaning_add_axis(m, axis, b, ib);
        else
            kx_meaning_add_other(m, axis, out->dim[axis]);
    }
    if (b && sb->dim[sb->rank - 1] == out->dim[last])
        kx_meaning_add_axis(m, last, b, sb->rank - 1);
    else if (b)
        kx_meaning_add_other(m, last, out->dim[last]);
    else
        kx_meaning_add(m, last, (kx_part){.label = KX_CHANNELS, .size = out->dim[last]});
    kx_meaning_settle(m, a ? a : b);
    for (int32_t k = 0; k < 2; k++)
        if (kx_operand(f, n, k) && kx_has_places(kx_operand(f, n, k)))
            kx_items_settle(m, kx_operand(f, n, k));
}

static void follow_output(const kx_follower *f, const kx_node *n, int32_t o, kx_arena *arena,
                          kx_meaning *m)
{
    const kx_shape *out = &n->out[o]->shape;
    kx_axes axes = n->op->traits.copies ? KX_AXES_REGROUPED : n->op->traits.axes;

    if (o > 0 && axes != KX_AXES_SPLIT)
        axes = KX_AXES_STAY;
    if (!kx_operand(f, n, 0) &&
        (axes == KX_AXES_REGROUPED || axes == KX_AXES_PERMUTED || axes == KX_AXES_SLICED ||
         axes == KX_AXES_SPLIT || axes == KX_AXES_PADDED || axes == KX_AXES_REDUCED)) {
        kx_meaning_lose(m, out);
        return;
    }
    switch (axes) {
    case KX_AXES_STAY:
        stay(f, n, out, m);
        break;
    case KX_AXES_CHANNELS_FIRST:
        channels_first(f, n, out, m);
        break;
    case KX_AXES_PERMUTED:
        permuted(f, n, m);
        break;
    case KX_AXES_REGROUPED:
        regrouped(f, n, out, m);
        break;
    case KX_AXES_SLICED:
        kx_follow_sliced(f, n, out, m);
        break;
    case KX_AXES_SPLIT:
        kx_follow_split(f, n, o, m);
        break;
    case KX_AXES_PADDED:
        kx_follow_padded(f, n, out, m);
        break;
    case KX_AXES_JOINED:
        kx_follow_joined(f, n, out, m);
        break;
    case KX_AXES_TAKEN:
        kx_follow_taken(f, n, arena, m);
        break;
    case KX_AXES_REDUCED:
        reduced(f, n, m);
        break;
    case KX_AXES_MATRIX:
        matrix(f, n, out, m);
        break;
    }
}

static void begin(kx_meaning *m, const kx_value *input, const char *axes)
{
    static const char letters[] = "?NCTHW"; /* in the order of kx_label */

    for (int32_t axis = 0; axis < input->shape.rank; axis++) {
        const char *at = axes[axis] ? strchr(letters, axes[axis]) : NULL;

        kx_meaning_add(m, axis,
                       (kx_part){.label = (uint8_t)(at ? at - letters : KX_OTHER),
                                 .size = input->shape.dim[axis],
                                 .stride = 1});
    }
}

kldve_status kx_follow(const kx_graph *g, kx_arena *arena, const kx_value *input, const char *axes,
                       kx_followed *out)
{
    kx_follower f = {.g = g, .found = out};

    assert(strlen(axes) == (size_t)input->shape.rank);
    *out = (kx_followed){.first = false};
    f.meaning = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *f.meaning);
    f.known = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *f.known);
    if (!f.meaning || !f.known)
        return kx_nomem(g);
    out->meaning = f.meaning;
    f.known[input->id] = true;
    begin(&f.meaning[input->id], input, axes);
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i];
        bool known = false;

        for (int32_t k = 0; k < n->nin; k++)
            known = known || kx_operand(&f, n, k);
        for (int32_t o = 0; known && o < n->nout; o++)
            if (n->out[o]) {
                follow_output(&f, n, o, arena, &f.meaning[n->out[o]->id]);
                f.known[n->out[o]->id] = true;
            }
    }
    return KLDVE_OK;
}
