/* follow.c - see follow.h.
 *
 * One pass over the nodes: each operator says by its trait where the axes of its result come from.
 * What an operator does to the length of an axis (windows, padding, resizing) leaves rows rows and
 * columns columns. */
#include "follow.h"

#include <assert.h>
#include <string.h>

#include "ops/params_basic.h"

enum { CHANNELS_AXIS = 1 };

typedef struct follower {
    const kx_graph *g;
    kx_meaning *meaning; /* by value id */
    bool *known;         /* by value id: computed from the input */
    kx_followed *found;
} follower;

/* Operand k, where it is computed from the picture. */
static const kx_meaning *operand(const follower *f, const kx_node *n, int32_t k)
{
    return k < n->nin && n->in[k] && f->known[n->in[k]->id] ? &f->meaning[n->in[k]->id] : NULL;
}

static bool is_spatial(const kx_part *part)
{
    return part->label == KX_ROWS || part->label == KX_COLUMNS || part->label == KX_FRAMES;
}

/* Append an axis of `from` whose length has become `size`: rows stay rows, channels channels. */
static void add_resized(kx_meaning *m, int32_t axis, const kx_meaning *from, int32_t from_axis,
                        int64_t before, int64_t size)
{
    int32_t count;
    const kx_part *part = kx_meaning_axis(from, from_axis, &count);

    if (size == before)
        kx_meaning_add_axis(m, axis, from, from_axis);
    else if (count == 1 && is_spatial(part) && part->stride == 1)
        kx_meaning_add(
            m, axis,
            (kx_part){.label = part->label, .sense = part->sense, .size = size, .stride = 1});
    else if (count >= 1 && kx_meaning_label(from, from_axis) == KX_CHANNELS)
        kx_meaning_add(m, axis, (kx_part){.label = KX_CHANNELS, .size = size});
    else
        kx_meaning_add_other(m, axis, size);
}

/* Where operands see the picture in different senses, the result is mixed. */
static void mix(kx_meaning *m, const kx_meaning *other)
{
    for (int32_t i = 0; i < m->parts; i++)
        for (int32_t k = 0; k < other->parts; k++)
            if (is_spatial(&m->part[i]) && m->part[i].label == other->part[k].label &&
                m->part[i].sense != other->part[k].sense)
                m->part[i].sense = KX_MIXED;
    for (int k = 0; k < 2; k++)
        if (m->tokens.height > 0 && other->tokens.height > 0 &&
            m->tokens.sense[k] != other->tokens.sense[k])
            m->tokens.sense[k] = KX_MIXED;
}

/* Nothing is known of the axis. */
static bool is_lost(const kx_meaning *m, int32_t axis)
{
    int32_t count;
    const kx_part *part = kx_meaning_axis(m, axis, &count);

    return count == 1 && part->label == KX_OTHER;
}

/* Each axis from the first operand that has it in full, and whose meaning is known. */
static void stay(const follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    for (int32_t axis = 0; axis < out->rank; axis++) {
        const kx_meaning *best = NULL;
        int32_t from = 0, best_from = 0;
        int64_t before = 0;

        for (int32_t k = 0; k < n->nin; k++) {
            const kx_meaning *in = operand(f, n, k);
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
            add_resized(m, axis, best, best_from, before, out->dim[axis]);
        else
            kx_meaning_add_other(m, axis, out->dim[axis]);
    }
    for (int32_t k = 0; k < n->nin; k++)
        if (operand(f, n, k))
            mix(m, operand(f, n, k));
}

/* The space of an operator that wants channels first: what its axes were, or what their place
 * says. */
static void channels_first(const follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    static const kx_label place[] = {KX_COLUMNS, KX_ROWS, KX_FRAMES};
    const kx_meaning *in = operand(f, n, 0);
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
            add_resized(m, axis, in, axis, s->dim[axis], out->dim[axis]);
        else if (axis > CHANNELS_AXIS && from_end < 3 && out->rank >= 3)
            kx_meaning_add(
                m, axis,
                (kx_part){.label = (uint8_t)place[from_end], .size = out->dim[axis], .stride = 1});
        else
            kx_meaning_add_other(m, axis, out->dim[axis]);
    }
}

static void permuted(const follower *f, const kx_node *n, kx_meaning *m)
{
    const kx_transpose_params *p = n->params;
    const kx_meaning *in = operand(f, n, 0);
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

static void regrouped(const follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    const kx_meaning *in = operand(f, n, 0);
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

/* Tokens [begin, begin + size) of an axis. */
static void add_tokens_from(kx_meaning *m, int32_t axis, const kx_tokens *t, int64_t begin,
                            int64_t size)
{
    int64_t cells = t->height * t->width, end = t->leading + cells;

    if (begin > t->leading || begin + size < end) {
        kx_meaning_add_other(m, axis, size);
    } else if (begin == t->leading && size == cells) {
        kx_meaning_add(
            m, axis,
            (kx_part){.label = KX_ROWS, .sense = t->sense[0], .size = t->height, .stride = 1});
        kx_meaning_add(
            m, axis,
            (kx_part){.label = KX_COLUMNS, .sense = t->sense[1], .size = t->width, .stride = 1});
    } else {
        m->tokens = *t;
        m->tokens.leading = t->leading - begin;
        m->tokens.trailing = begin + size - end;
        kx_meaning_add(m, axis, (kx_part){.label = KX_TOKENS, .size = size});
    }
}

/* A part of an axis from `begin` on, perhaps backwards. */
static void add_slice(kx_meaning *m, int32_t axis, const kx_meaning *in, int64_t before,
                      int64_t begin, int64_t step, int64_t size)
{
    int32_t parts = m->parts;
    kx_tokens grid;

    if (size == 1)
        return;
    if (step == 1 && size != before && kx_meaning_grid(in, axis, &grid)) {
        add_tokens_from(m, axis, &grid, begin, size);
        return;
    }
    add_resized(m, axis, in, axis, before, size);
    if (step < 0 && m->parts == parts + 1 && is_spatial(&m->part[parts]) &&
        m->part[parts].sense != KX_MIXED)
        m->part[parts].sense ^= KX_MIRRORED;
    else if (step < 0 && m->parts > parts && m->part[parts].label != KX_CHANNELS) {
        m->parts = parts;
        kx_meaning_add_other(m, axis, size);
    }
}

static void sliced(const follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    const kx_slice_params *p = n->params;
    const kx_shape *in = &n->in[0]->shape;

    for (int32_t axis = 0; axis < out->rank; axis++)
        add_slice(m, axis, operand(f, n, 0), in->dim[axis], p->start[axis], p->step[axis],
                  out->dim[axis]);
}

static void split(const follower *f, const kx_node *n, int32_t o, kx_meaning *m)
{
    const kx_split_params *p = n->params;
    const kx_shape *in = &n->in[0]->shape, *out = &n->out[o]->shape;

    for (int32_t axis = 0; axis < out->rank; axis++)
        add_slice(m, axis, operand(f, n, 0), in->dim[axis], axis == p->axis ? p->begin[o] : 0, 1,
                  out->dim[axis]);
}

/* Tokens are put before or behind those of a grid: class tokens, registers. */
static bool add_joined_tokens(const follower *f, const kx_node *n, int32_t axis, int64_t size,
                              kx_meaning *m)
{
    kx_tokens all = {.height = 0}, grid;

    for (int32_t k = 0; k < n->nin; k++) {
        const kx_meaning *in = operand(f, n, k);

        if (in && kx_meaning_grid(in, axis, &grid)) {
            if (all.height > 0)
                return false;
            grid.leading += all.leading;
            all = grid;
        } else if (all.height > 0) {
            all.trailing += n->in[k]->shape.dim[axis];
        } else {
            all.leading += n->in[k]->shape.dim[axis];
        }
    }
    if (all.height == 0 || n->nin == 1)
        return false;
    m->tokens = all;
    kx_meaning_add(m, axis, (kx_part){.label = KX_TOKENS, .size = size});
    return true;
}

/* Pictures or pieces of one beside each other. */
static void add_joined(const follower *f, const kx_node *n, int32_t axis, int64_t size,
                       kx_meaning *m)
{
    int32_t parts = m->parts, computed = 0;
    const kx_meaning *first = NULL;
    int64_t before = 0;

    for (int32_t k = 0; k < n->nin; k++)
        if (operand(f, n, k)) {
            computed++;
            if (!first) {
                first = operand(f, n, k);
                before = n->in[k]->shape.dim[axis];
            }
        }
    if (before == 1 && axis == 0)
        kx_meaning_add(m, axis, (kx_part){.label = KX_BATCH, .size = size});
    else if (before == 1) /* of channels, one each */
        kx_meaning_add(m, axis, (kx_part){.label = KX_CHANNELS, .size = size});
    else
        add_resized(m, axis, first, axis, before, size);
    if (computed > 1 && m->parts == parts + 1 && is_spatial(&m->part[parts]))
        m->part[parts].sense = KX_MIXED;
}

static void joined(const follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    const kx_concat_params *p = n->params;
    const kx_meaning *first = NULL;

    for (int32_t k = 0; k < n->nin; k++)
        if (operand(f, n, k) && (!first || first->parts < operand(f, n, k)->parts))
            first = operand(f, n, k);
    for (int32_t axis = 0; axis < out->rank; axis++)
        if (axis != p->axis)
            kx_meaning_add_axis(m, axis, first, axis);
        else if (!add_joined_tokens(f, n, axis, out->dim[axis], m))
            add_joined(f, n, axis, out->dim[axis], m);
    for (int32_t k = 0; k < n->nin; k++)
        if (operand(f, n, k))
            mix(m, operand(f, n, k));
}

/* Whether constant indices are an axis backwards. */
static bool is_backwards(const kx_value *index, int64_t length, kx_arena *arena)
{
    const int64_t *at = index->raw ? kx_value_read(index, arena) : NULL;

    if (!at || index->shape.rank != 1 || index->shape.dim[0] != length)
        return false;
    for (int64_t i = 0; i < length; i++)
        if ((at[i] < 0 ? at[i] + length : at[i]) != length - 1 - i)
            return false;
    return true;
}

static void taken(const follower *f, const kx_node *n, kx_arena *arena, kx_meaning *m)
{
    const kx_gather_params *p = n->params;
    const kx_meaning *in = operand(f, n, 0);
    const kx_shape *s = &n->in[0]->shape, *index = &n->in[1]->shape;
    bool backwards = in && is_backwards(n->in[1], s->dim[p->axis], arena);

    if (!in) { /* a table, looked up */
        kx_meaning_lose(m, &n->out[0]->shape);
        return;
    }
    for (int32_t axis = 0; axis < p->axis; axis++)
        kx_meaning_add_axis(m, axis, in, axis);
    if (backwards)
        add_slice(m, p->axis, in, s->dim[p->axis], s->dim[p->axis] - 1, -1, s->dim[p->axis]);
    else
        for (int32_t i = 0; i < index->rank; i++)
            if (kx_meaning_label(in, p->axis) == KX_CHANNELS)
                kx_meaning_add(m, p->axis + i,
                               (kx_part){.label = KX_CHANNELS, .size = index->dim[i]});
            else
                kx_meaning_add_other(m, p->axis + i, index->dim[i]);
    for (int32_t axis = p->axis + 1; axis < s->rank; axis++)
        kx_meaning_add_axis(m, axis + index->rank - 1, in, axis);
    kx_meaning_settle(m, in);
}

static void reduced(const follower *f, const kx_node *n, kx_meaning *m)
{
    const kx_reduce_params *p = n->params;
    const kx_meaning *in = operand(f, n, 0);
    int32_t to = 0;

    for (int32_t axis = 0; axis < n->in[0]->shape.rank; axis++) {
        if (!p->reduced[axis])
            kx_meaning_add_axis(m, to, in, axis);
        to += !p->reduced[axis] || p->keepdims;
    }
    kx_meaning_settle(m, in);
}

/* [...][m][n] = [...][m][k] [...][k][n]. */
static void matrix(const follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    const kx_meaning *a = operand(f, n, 0), *b = operand(f, n, 1);
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
}

static void follow_output(const follower *f, const kx_node *n, int32_t o, kx_arena *arena,
                          kx_meaning *m)
{
    const kx_shape *out = &n->out[o]->shape;
    kx_axes axes = n->op->traits.copies ? KX_AXES_REGROUPED : n->op->traits.axes;

    if (o > 0 && axes != KX_AXES_SPLIT)
        axes = KX_AXES_STAY;
    if (!operand(f, n, 0) &&
        (axes == KX_AXES_REGROUPED || axes == KX_AXES_PERMUTED || axes == KX_AXES_SLICED ||
         axes == KX_AXES_SPLIT || axes == KX_AXES_REDUCED)) {
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
        sliced(f, n, out, m);
        break;
    case KX_AXES_SPLIT:
        split(f, n, o, m);
        break;
    case KX_AXES_JOINED:
        joined(f, n, out, m);
        break;
    case KX_AXES_TAKEN:
        taken(f, n, arena, m);
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
    follower f = {.g = g, .found = out};

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
            known = known || operand(&f, n, k);
        for (int32_t o = 0; known && o < n->nout; o++)
            if (n->out[o]) {
                follow_output(&f, n, o, arena, &f.meaning[n->out[o]->id]);
                f.known[n->out[o]->id] = true;
            }
    }
    return KLDVE_OK;
}
