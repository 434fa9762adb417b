/* follow_axes.c - see follower.h. */
#include "follower.h"

#include "items.h"

/* Operand k, where it is computed from the picture. */
const kx_meaning *kx_operand(const kx_follower *f, const kx_node *n, int32_t k)
{
    return k < n->nin && n->in[k] && f->known[n->in[k]->id] ? &f->meaning[n->in[k]->id] : NULL;
}

/* Append an axis of `from` whose length has become `size`: rows stay rows, channels channels. */
void kx_add_resized(kx_meaning *m, int32_t axis, const kx_meaning *from, int32_t from_axis,
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
                                 .after = part->after});
    else if (count >= 1 && kx_meaning_label(from, from_axis) == KX_CHANNELS)
        kx_meaning_add(m, axis, (kx_part){.label = KX_CHANNELS, .size = size});
    else if (count == 1 && part->label == KX_BATCH)
        kx_meaning_add(m, axis, (kx_part){.label = KX_BATCH, .size = size});
    else
        kx_meaning_add_other(m, axis, size);
}

bool kx_has_places(const kx_meaning *m)
{
    for (int32_t i = 0; i < m->parts; i++)
        if (kx_is_spatial(&m->part[i]) || m->part[i].label == KX_TOKENS)
            return true;
    return false;
}

/* Where operands see the picture in different senses, the result is mixed. */
void kx_mix(kx_meaning *m, const kx_meaning *other)
{
    for (int32_t i = 0; i < m->parts; i++)
        for (int32_t k = 0; k < other->parts; k++)
            if (kx_is_spatial(&m->part[i]) && m->part[i].label == other->part[k].label &&
                m->part[i].sense != other->part[k].sense)
                m->part[i].sense = KX_MIXED;
    for (int k = 0; k < 2; k++)
        if (m->tokens.height > 0 && other->tokens.height > 0 &&
            m->tokens.sense[k] != other->tokens.sense[k])
            m->tokens.sense[k] = KX_MIXED;
    if (kx_has_places(other))
        kx_items_settle(m, other);
}
