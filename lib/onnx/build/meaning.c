/* meaning.c - see meaning.h. */
#include "meaning.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "items.h"

static bool is_spatial(uint8_t label)
{
    return label == KX_ROWS || label == KX_COLUMNS || label == KX_FRAMES;
}

/* Two parts of one axis that are one: channels of any kind, rows of rows. */
static bool continues(const kx_part *a, const kx_part *b)
{
    if (a->axis != b->axis || a->label != b->label)
        return false;
    if (is_spatial(a->label))
        return a->stride == b->stride * b->size && a->sense == b->sense;
    return a->label == KX_CHANNELS || a->label == KX_OTHER;
}

void kx_meaning_add(kx_meaning *m, int32_t axis, kx_part part)
{
    kx_part *last = m->parts > 0 ? &m->part[m->parts - 1] : NULL;

    assert(axis >= 0 && axis < KX_MAX_RANK);
    if (part.size == 1)
        return;
    part.axis = (uint8_t)axis;
    if (last && continues(last, &part)) {
        last->size *= part.size;
        last->stride = part.stride;
    } else if (m->parts < KX_PARTS) {
        m->part[m->parts++] = part;
    } else if (last->axis == axis) { /* too many to follow */
        last->label = KX_OTHER;
        last->size *= part.size;
    } else {
        *last = (kx_part){.label = KX_OTHER, .axis = (uint8_t)axis, .size = part.size};
    }
}

void kx_meaning_add_other(kx_meaning *m, int32_t axis, int64_t size)
{
    kx_meaning_add(m, axis, (kx_part){.label = KX_OTHER, .size = size});
}

const kx_part *kx_meaning_axis(const kx_meaning *m, int32_t axis, int32_t *count)
{
    const kx_part *first = NULL;

    *count = 0;
    for (int32_t i = 0; i < m->parts; i++)
        if (m->part[i].axis == axis) {
            first = first ? first : &m->part[i];
            ++*count;
        }
    return first;
}

kx_label kx_meaning_label(const kx_meaning *m, int32_t axis)
{
    int32_t count;
    const kx_part *part = kx_meaning_axis(m, axis, &count);

    if (!part)
        return KX_LABELS;
    for (int32_t i = 1; i < count; i++)
        if (part[i].label != part[0].label)
            return KX_OTHER;
    return (kx_label)part[0].label;
}

void kx_meaning_add_axis(kx_meaning *m, int32_t axis, const kx_meaning *from, int32_t from_axis)
{
    int32_t count;
    const kx_part *part = kx_meaning_axis(from, from_axis, &count);

    for (int32_t i = 0; i < count; i++) {
        kx_meaning_add(m, axis, part[i]);
        if (part[i].label == KX_TOKENS)
            m->tokens = from->tokens;
        if (part[i].label == KX_BATCH)
            m->items = from->items;
    }
}

void kx_meaning_lose(kx_meaning *m, const kx_shape *shape)
{
    memset(m, 0, sizeof *m);
    for (int32_t i = 0; i < shape->rank; i++)
        kx_meaning_add_other(m, i, shape->dim[i]);
}

/* Take `need` elements from the front of *part into axis `axis`: all of it, or a slower piece.
 * False: neither divides the other. */
static bool take(kx_meaning *to, int32_t axis, kx_part *part, int64_t *need)
{
    kx_part piece = *part;

    if (*need % part->size == 0) {
        *need /= part->size;
        part->size = 1;
    } else if (part->size % *need == 0) {
        piece.size = *need;
        part->size /= *need;
        piece.stride = part->stride * part->size;
        if (part->label == KX_TOKENS)
            piece.label = part->label = KX_OTHER;
        *need = 1;
    } else {
        return false;
    }
    kx_meaning_add(to, axis, piece);
    return true;
}

void kx_meaning_regroup(const kx_meaning *from, const kx_shape *out, kx_meaning *to)
{
    kx_part rest = {.size = 1};
    int32_t next = 0;

    memset(to, 0, sizeof *to);
    to->tokens = from->tokens;
    to->items = from->items;
    for (int32_t axis = 0; axis < out->rank; axis++) {
        int64_t need = out->dim[axis];

        while (need > 1) {
            if (rest.size == 1 && next < from->parts)
                rest = from->part[next++];
            if (rest.size <= 1 || !take(to, axis, &rest, &need)) {
                kx_meaning_lose(to, out);
                return;
            }
        }
    }
}

/* The cells that the parts of a label span, and how many parts there are. */
static int64_t extent(const kx_meaning *m, uint8_t label, int32_t *count)
{
    int64_t most = 0;

    *count = 0;
    for (int32_t i = 0; i < m->parts; i++)
        if (m->part[i].label == label) {
            int64_t spans = m->part[i].size * m->part[i].stride;

            ++*count;
            most = spans > most ? spans : most;
        }
    return most;
}

/* Whether two parts of a label are each all of it, as the rows of queries and of keys, and not
 * pieces of one: those differ in their strides. */
static bool has_twice(const kx_meaning *m, uint8_t label)
{
    for (int32_t i = 0; i < m->parts; i++)
        for (int32_t k = 0; k < i; k++)
            if (m->part[i].label == label && m->part[k].label == label &&
                m->part[i].stride == m->part[k].stride)
                return true;
    return false;
}

void kx_meaning_settle(kx_meaning *m, const kx_meaning *from)
{
    static const uint8_t labels[] = {KX_FRAMES, KX_ROWS, KX_COLUMNS};

    for (size_t l = 0; l < sizeof labels; l++) {
        uint8_t label = labels[l];
        int32_t before, after;
        bool whole = extent(from, label, &before) == extent(m, label, &after);

        if (!whole && (has_twice(m, label) || has_twice(from, label)))
            continue;
        for (int32_t i = 0; i < m->parts && before != after; i++)
            if (m->part[i].label == label && !whole)
                m->part[i].label = KX_OTHER;
            else if (m->part[i].label == label && after == 1)
                m->part[i].stride = 1;
    }
}

bool kx_meaning_grid(const kx_meaning *m, int32_t axis, kx_tokens *out)
{
    int32_t count;
    const kx_part *part = kx_meaning_axis(m, axis, &count);

    if (count == 1 && part->label == KX_TOKENS) {
        *out = m->tokens;
        return true;
    }
    if (count != 2 || part[0].label != KX_ROWS || part[1].label != KX_COLUMNS ||
        part[0].stride != 1 || part[1].stride != 1)
        return false;
    *out = (kx_tokens){.height = part[0].size, .width = part[1].size};
    for (int k = 0; k < 2; k++)
        out->sense[k] = part[k].rolled != 0 || part[k].piece ? KX_MIXED : part[k].sense;
    return true;
}

void kx_meaning_add_resized(kx_meaning *m, int32_t axis, const kx_meaning *from, int32_t from_axis,
                            int64_t before, int64_t size)
{
    int32_t count;
    const kx_part *part = kx_meaning_axis(from, from_axis, &count);

    if (size == before)
        kx_meaning_add_axis(m, axis, from, from_axis);
    else if (count == 1 && kx_is_spatial(part) && part->stride == 1)
        kx_meaning_add(m, axis,
                       (kx_part){.label = part->label,
                                 .sense = part->sense,
                                 .size = size,
                                 .stride = 1,
                                 .before = part->before,
                                 .after = part->after,
                                 .piece = part->piece,
                                 .rolled = part->rolled});
    else if (count >= 1 && kx_meaning_label(from, from_axis) == KX_CHANNELS)
        kx_meaning_add(m, axis, (kx_part){.label = KX_CHANNELS, .size = size});
    else if (count == 1 && part->label == KX_BATCH)
        kx_meaning_add(m, axis, (kx_part){.label = KX_BATCH, .size = size});
    else
        kx_meaning_add_other(m, axis, size);
}

static bool same_cut(const kx_part *a, const kx_part *b)
{
    return fabsf(a->before - b->before) <= 1e-4f && fabsf(a->after - b->after) <= 1e-4f;
}

static bool same_order(const kx_part *a, const kx_part *b)
{
    return a->sense == b->sense && a->rolled == b->rolled && a->piece == b->piece;
}

static void mix_order(kx_part *part)
{
    part->sense = KX_MIXED;
    part->rolled = 0;
    part->piece = false;
}

void kx_meaning_mix(kx_meaning *m, const kx_meaning *other)
{
    for (int32_t i = 0; i < m->parts; i++)
        for (int32_t k = 0; k < other->parts; k++)
            if (kx_is_spatial(&m->part[i]) && m->part[i].label == other->part[k].label &&
                !same_order(&m->part[i], &other->part[k]))
                mix_order(&m->part[i]);
            else if (kx_is_spatial(&m->part[i]) && m->part[i].label == other->part[k].label &&
                     !same_cut(&m->part[i], &other->part[k]))
                m->part[i].before = m->part[i].after = 0;
    for (int k = 0; k < 2; k++)
        if (m->tokens.height > 0 && other->tokens.height > 0 &&
            m->tokens.sense[k] != other->tokens.sense[k])
            m->tokens.sense[k] = KX_MIXED;
    if (kx_has_places(other))
        kx_items_settle(m, other);
}
