/* items.c - see items.h. */
#include "items.h"

#include <math.h>

bool kx_has_places(const kx_meaning *m)
{
    for (int32_t i = 0; i < m->parts; i++)
        if (kx_is_spatial(&m->part[i]) || m->part[i].label == KX_TOKENS)
            return true;
    return false;
}

static bool is_along(const kx_part *p, int k)
{
    return p->label == (k == 0 ? KX_ROWS : KX_COLUMNS);
}

kx_item kx_item_of(const kx_meaning *m)
{
    kx_item item = {.sense = {0}};

    for (int k = 0; k < 2 && m->tokens.height > 0; k++)
        item.sense[k] = m->tokens.sense[k];
    for (int k = 0; k < 2; k++)
        for (int32_t i = 0; i < m->parts; i++)
            if (is_along(&m->part[i], k)) {
                item.sense[k] = kx_in_order(&m->part[i]) ? m->part[i].sense : KX_MIXED;
                item.before[k] = m->part[i].before;
                item.after[k] = m->part[i].after;
                break;
            }
    return item;
}

static uint8_t turned(uint8_t a, uint8_t b)
{
    return a == KX_MIXED || b == KX_MIXED ? KX_MIXED : (uint8_t)(a ^ b);
}

kx_item kx_item_within(kx_item outer, kx_item inner)
{
    for (int k = 0; k < 2; k++) {
        bool back = outer.sense[k] == KX_MIRRORED;
        float part = 1 - outer.before[k] - outer.after[k];

        outer.before[k] += part * (back ? inner.after[k] : inner.before[k]);
        outer.after[k] += part * (back ? inner.before[k] : inner.after[k]);
        outer.sense[k] = turned(outer.sense[k], inner.sense[k]);
    }
    return outer;
}

bool kx_item_equals(const kx_item *a, const kx_item *b)
{
    for (int k = 0; k < 2; k++)
        if (a->sense[k] != b->sense[k] || fabsf(a->before[k] - b->before[k]) > 1e-4f ||
            fabsf(a->after[k] - b->after[k]) > 1e-4f)
            return false;
    return true;
}

bool kx_items_append(kx_items *all, const kx_meaning *operand, int64_t count)
{
    kx_item place = {.sense = {0}};

    if (count > KX_ITEMS - all->count)
        return false;
    if (operand)
        place = kx_item_of(operand);
    for (int64_t i = 0; i < count; i++) {
        kx_item item = {.sense = {0}};

        if (operand && operand->items.count == count)
            item = operand->items.item[i];
        all->item[all->count++] = kx_item_within(item, place);
    }
    return true;
}

static bool all_alike(const kx_items *all)
{
    for (int32_t i = 1; i < all->count; i++)
        if (!kx_item_equals(&all->item[0], &all->item[i]))
            return false;
    return true;
}

/* Rows and columns lie as `item` says. */
static void set_place(kx_meaning *m, const kx_item *item)
{
    for (int k = 0; k < 2; k++) {
        if (m->tokens.height > 0)
            m->tokens.sense[k] = item->sense[k];
        for (int32_t i = 0; i < m->parts; i++)
            if (is_along(&m->part[i], k)) {
                m->part[i].sense = item->sense[k];
                m->part[i].rolled = 0;
                m->part[i].piece = false;
                m->part[i].before = item->before[k];
                m->part[i].after = item->after[k];
            }
    }
}

void kx_items_set(kx_meaning *m, const kx_items *all, const kx_meaning *first)
{
    kx_item place = kx_item_of(first);

    m->items = (kx_items){.count = 0};
    if (all_alike(all)) {
        set_place(m, &all->item[0]);
        return;
    }
    m->items = *all;
    for (int32_t i = 0; i < all->count; i++)
        for (int k = 0; k < 2; k++) {
            uint8_t sense = turned(all->item[i].sense[k], place.sense[k]);

            m->items.item[i].sense[k] = sense == KX_MIXED ? KX_AS_IS : sense;
            if (sense == KX_MIXED)
                place.sense[k] = KX_MIXED;
        }
    set_place(m, &(kx_item){.sense = {place.sense[0], place.sense[1]}});
}

void kx_items_take(kx_meaning *m, const kx_meaning *from, int64_t begin, int64_t step, int64_t size)
{
    const kx_items *all = &from->items;
    kx_item place = kx_item_of(m);

    m->items = (kx_items){.count = 0};
    if (all->count == 0)
        return;
    if (size > all->count || begin < 0 || begin >= all->count || begin + (size - 1) * step < 0 ||
        begin + (size - 1) * step >= all->count) {
        kx_items_settle(m, from);
        return;
    }
    if (size == 1) {
        place = kx_item_within(all->item[begin], place);
        set_place(m, &place);
        return;
    }
    m->items.count = (int32_t)size;
    for (int64_t i = 0; i < size; i++)
        m->items.item[i] = all->item[begin + i * step];
}

static bool same_items(const kx_items *a, const kx_items *b)
{
    if (a->count != b->count)
        return false;
    for (int32_t i = 0; i < a->count; i++)
        if (!kx_item_equals(&a->item[i], &b->item[i]))
            return false;
    return true;
}

static bool has_batch(const kx_meaning *m)
{
    for (int32_t i = 0; i < m->parts; i++)
        if (m->part[i].label == KX_BATCH)
            return true;
    return false;
}

void kx_items_settle(kx_meaning *m, const kx_meaning *from)
{
    if (same_items(&m->items, &from->items) && (m->items.count == 0 || has_batch(m)))
        return;
    m->items = (kx_items){.count = 0};
    set_place(m, &(kx_item){.sense = {KX_MIXED, KX_MIXED}});
}
