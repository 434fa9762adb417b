/* follow_pieces.c - the axes behind what cuts arrays into pieces and puts pieces together. */
#include "follow_parts.h"

#include <math.h>

#include "items.h"
#include "ops/params.h"
#include "ops/params_basic.h"

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

/* `first` and `last` of `length` elements are cut off at the ends of a part; added where below 0.
 */
static void cut_off(kx_part *part, int64_t length, int64_t first_count, int64_t last_count)
{
    float left = 1 - part->before - part->after;
    float first = left * (float)first_count / (float)length;
    float last = left * (float)last_count / (float)length;

    part->before += part->sense == KX_MIRRORED ? last : first;
    part->after += part->sense == KX_MIRRORED ? first : last;
}

static int64_t beyond(int64_t count, int64_t slack)
{
    return count > slack ? count - slack : 0;
}

/* Elements [begin, begin + size) of `length` are left: slack goes first. */
static void cut_part(kx_part *part, const kx_part *from, int64_t length, int64_t begin,
                     int64_t size)
{
    int64_t end = length - begin - size;

    cut_off(part, length - from->slack[0] - from->slack[1], beyond(begin, from->slack[0]),
            beyond(end, from->slack[1]));
    part->piece = from->piece || (from->rolled != 0 && size < length);
    part->slack[0] = (uint8_t)beyond(from->slack[0], begin);
    part->slack[1] = (uint8_t)beyond(from->slack[1], end);
}

/* A part of an axis from `begin` on, perhaps backwards. */
static void add_slice(kx_meaning *m, int32_t axis, const kx_meaning *in, int64_t before,
                      int64_t begin, int64_t step, int64_t size)
{
    int32_t parts = m->parts, count;
    const kx_part *from = kx_meaning_axis(in, axis, &count); /* NULL: nobody knows */
    kx_tokens grid;

    if (size == 1)
        return;
    if (step == 1 && size != before && kx_meaning_grid(in, axis, &grid)) {
        add_tokens_from(m, axis, &grid, begin, size);
        return;
    }
    kx_meaning_add_resized(m, axis, in, axis, before, size);
    if (step == 1 && from && m->parts == parts + 1)
        cut_part(&m->part[parts], from, before, begin, size);
    if (step < 0 && m->parts == parts + 1 && kx_is_spatial(&m->part[parts]))
        m->part[parts].sense =
            kx_in_order(&m->part[parts]) ? m->part[parts].sense ^ KX_MIRRORED : KX_MIXED;
    else if (step < 0 && m->parts > parts && m->part[parts].label != KX_CHANNELS) {
        m->parts = parts;
        kx_meaning_add_other(m, axis, size);
    }
}

void kx_follow_padded(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    enum { WINDOW = 3 }; /* more than that is not for the window of 7 x 7 that follows */
    const kx_pad_params *p = n->params;
    const kx_meaning *in = kx_operand(f, n, 0);
    const int64_t *dim = n->in[0]->shape.dim;

    for (int32_t axis = 0; axis < out->rank; axis++) {
        int32_t parts = m->parts;
        const int64_t added[2] = {p->begin[axis], p->end[axis]};

        kx_meaning_add_resized(m, axis, in, axis, dim[axis], out->dim[axis]);
        if (m->parts != parts + 1 || !kx_is_spatial(&m->part[parts]))
            continue;
        for (int k = 0; k < 2; k++)
            m->part[parts].slack[k] = added[k] > 0 && added[k] <= WINDOW ? (uint8_t)added[k] : 0;
        cut_off(&m->part[parts], dim[axis], m->part[parts].slack[0] ? 0 : -added[0],
                m->part[parts].slack[1] ? 0 : -added[1]);
    }
}

/* Where the batch of `in` was sliced, the pictures that are left. */
static void take_pictures(const kx_meaning *in, const int64_t *start, const int64_t *step,
                          const kx_shape *out, kx_meaning *m)
{
    for (int32_t axis = 0; axis < out->rank; axis++)
        if (kx_meaning_label(in, axis) == KX_BATCH)
            kx_items_take(m, in, start[axis], step[axis], out->dim[axis]);
}

void kx_follow_sliced(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    const kx_slice_params *p = n->params;
    const kx_shape *in = &n->in[0]->shape;

    for (int32_t axis = 0; axis < out->rank; axis++)
        add_slice(m, axis, kx_operand(f, n, 0), in->dim[axis], p->start[axis], p->step[axis],
                  out->dim[axis]);
    take_pictures(kx_operand(f, n, 0), p->start, p->step, out, m);
}

void kx_follow_split(const kx_follower *f, const kx_node *n, int32_t o, kx_meaning *m)
{
    const kx_split_params *p = n->params;
    const kx_shape *in = &n->in[0]->shape, *out = &n->out[o]->shape;
    int64_t start[KX_MAX_RANK] = {0}, step[KX_MAX_RANK];

    start[p->axis] = p->begin[o];
    for (int32_t axis = 0; axis < out->rank; axis++) {
        step[axis] = 1;
        add_slice(m, axis, kx_operand(f, n, 0), in->dim[axis], start[axis], 1, out->dim[axis]);
    }
    take_pictures(kx_operand(f, n, 0), start, step, out, m);
}

/* Tokens are put before or behind those of a grid: class tokens, registers. */
static bool add_joined_tokens(const kx_follower *f, const kx_node *n, int32_t axis, int64_t size,
                              kx_meaning *m)
{
    kx_tokens all = {.height = 0}, grid;

    for (int32_t k = 0; k < n->nin; k++) {
        const kx_meaning *in = kx_operand(f, n, k);

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

/* The one part of operand k along an axis, if its cells lie in some order of the picture; else
 * NULL.
 */
static const kx_part *piece_of(const kx_follower *f, const kx_node *n, int32_t k, int32_t axis)
{
    const kx_meaning *in = kx_operand(f, n, k);
    int32_t count = 0;
    const kx_part *part = in ? kx_meaning_axis(in, axis, &count) : NULL;

    return count == 1 && part->stride == 1 ? part : NULL;
}

static float extent(const kx_part *part)
{
    return 1 - part->before - part->after;
}

/* The pieces of one thing, in any order, are the whole of it again.  False: they are not. */
static bool join_cuts(const kx_follower *f, const kx_node *n, int32_t axis, kx_part *whole)
{
    float before = 1, after = 1, sum = 0;

    whole->before = whole->after = 0;
    for (int32_t k = 0; k < n->nin; k++) {
        const kx_part *part = piece_of(f, n, k, axis);

        if (!part) /* of one row, or a constant */
            return false;
        sum += extent(part);
        before = fminf(before, part->before);
        after = fminf(after, part->after);
    }
    if (fabsf(1 - before - after - sum) > 1e-3f)
        return false;
    whole->before = before;
    whole->after = after;
    return true;
}

/* Whether each piece goes on where the one before it ends, the first behind the last, and all have
 * cells of one size. */
static bool go_round(const kx_follower *f, const kx_node *n, int32_t axis, const kx_part *whole)
{
    const kx_part *first = piece_of(f, n, 0, axis);
    float all = extent(whole), cell = all / (float)whole->size, at = first->before;

    for (int32_t k = 0; k < n->nin; k++) {
        const kx_part *part = piece_of(f, n, k, axis);

        if (part->sense != KX_AS_IS || part->rolled != first->rolled ||
            fabsf(part->before - at) > 1e-3f ||
            fabsf(extent(part) - cell * (float)part->size) > cell / 2)
            return false;
        at = 1 - part->after;
        at = at > 1 - whole->after - 1e-3f ? whole->before : at;
    }
    return fabsf(at - first->before) <= 1e-3f;
}

/* The order of what was joined: as it was, or further round. */
static void join_order(const kx_follower *f, const kx_node *n, int32_t axis, bool cuts,
                       kx_part *whole)
{
    float all = extent(whole), rolled;

    whole->piece = false;
    whole->rolled = 0;
    whole->sense = KX_MIXED;
    if (!cuts || !go_round(f, n, axis, whole))
        return;
    whole->sense = KX_AS_IS;
    rolled = piece_of(f, n, 0, axis)->before - whole->before + piece_of(f, n, 0, axis)->rolled;
    rolled -= rolled >= all - 1e-3f ? all : 0;
    whole->rolled = fabsf(rolled) > 1e-3f ? rolled : 0;
}

/* Pictures or pieces of one beside each other. */
static void add_joined(const kx_follower *f, const kx_node *n, int32_t axis, int64_t size,
                       kx_meaning *m)
{
    const kx_meaning *first = NULL;
    int64_t before = 0;

    for (int32_t k = 0; k < n->nin && !first; k++)
        if (kx_operand(f, n, k)) {
            first = kx_operand(f, n, k);
            before = n->in[k]->shape.dim[axis];
        }
    if (before == 1) /* of channels, one each */
        kx_meaning_add(m, axis, (kx_part){.label = KX_CHANNELS, .size = size});
    else
        kx_meaning_add_resized(m, axis, first, axis, before, size);
}

/* Where the pieces along an axis lie in the picture, and in which order. */
static void set_order(const kx_follower *f, const kx_node *n, int32_t axis, kx_meaning *m)
{
    int32_t computed = 0, count = 0, first = 0;

    for (int32_t k = 0; k < n->nin; k++)
        computed += kx_operand(f, n, k) != NULL;
    while (first < m->parts && m->part[first].axis != axis)
        first++;
    while (first + count < m->parts && m->part[first + count].axis == axis)
        count++;
    if (count == 1 && kx_is_spatial(&m->part[first])) {
        bool cuts = join_cuts(f, n, axis, &m->part[first]);

        if (computed > 1)
            join_order(f, n, axis, cuts, &m->part[first]);
    }
}

/* Pictures behind each other: the first axis counts them in every operand. */
static bool joins_pictures(const kx_follower *f, const kx_node *n)
{
    const kx_concat_params *p = n->params;
    bool any = false;

    for (int32_t k = 0; k < n->nin && p->axis == 0; k++) {
        const kx_meaning *in = kx_operand(f, n, k);
        kx_label label = in ? kx_meaning_label(in, 0) : KX_LABELS;

        any = any || (in && kx_has_places(in));
        if (label != KX_BATCH && label != KX_LABELS)
            return false;
    }
    return any;
}

static void pictures_joined(const kx_follower *f, const kx_node *n, const kx_meaning *first,
                            kx_meaning *m)
{
    const kx_shape *out = &n->out[0]->shape;
    kx_items all = {.count = 0};
    bool fit = true;

    kx_meaning_add(m, 0, (kx_part){.label = KX_BATCH, .size = out->dim[0]});
    for (int32_t axis = 1; axis < out->rank; axis++)
        kx_meaning_add_axis(m, axis, first, axis);
    for (int32_t k = 0; k < n->nin && fit; k++)
        fit = kx_items_append(&all, kx_operand(f, n, k), n->in[k]->shape.dim[0]);
    if (fit)
        kx_items_set(m, &all, first);
    for (int32_t k = 0; k < n->nin && !fit; k++)
        if (kx_operand(f, n, k))
            kx_meaning_mix(m, kx_operand(f, n, k));
}

void kx_follow_joined(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m)
{
    const kx_concat_params *p = n->params;
    const kx_meaning *first = NULL;

    for (int32_t k = 0; k < n->nin; k++)
        if (kx_operand(f, n, k) && (!first || first->parts < kx_operand(f, n, k)->parts))
            first = kx_operand(f, n, k);
    if (joins_pictures(f, n)) {
        pictures_joined(f, n, first, m);
        return;
    }
    for (int32_t axis = 0; axis < out->rank; axis++)
        if (axis != p->axis)
            kx_meaning_add_axis(m, axis, first, axis);
        else if (!add_joined_tokens(f, n, axis, out->dim[axis], m))
            add_joined(f, n, axis, out->dim[axis], m);
    for (int32_t k = 0; k < n->nin; k++)
        if (kx_operand(f, n, k))
            kx_meaning_mix(m, kx_operand(f, n, k));
    set_order(f, n, p->axis, m);
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

/* One picture of a batch, or some in an order that is not followed. */
static void take_listed(const kx_value *index, int64_t length, kx_arena *arena,
                        const kx_meaning *in, kx_meaning *m)
{
    const int64_t *at = index->raw ? kx_value_read(index, arena) : NULL;

    if (at && index->count == 1)
        kx_items_take(m, in, *at < 0 ? *at + length : *at, 1, 1);
    else
        kx_items_settle(m, in);
}

void kx_follow_taken(const kx_follower *f, const kx_node *n, kx_arena *arena, kx_meaning *m)
{
    const kx_gather_params *p = n->params;
    const kx_meaning *in = kx_operand(f, n, 0);
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
    if (kx_meaning_label(in, p->axis) == KX_BATCH)
        take_listed(n->in[1], s->dim[p->axis], arena, in, m);
}
