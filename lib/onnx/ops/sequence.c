/* sequence.c - sequences of arrays whose length and places are known when the graph is built: they
 * leave nothing behind but the arrays. */
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

enum { MAX_ITEMS = 2048 /* copied by every insertion */, MAX_LISTED = 1 << 24 /* of all */ };

static kldve_status expect(kx_expander *e, int32_t lo, int32_t hi)
{
    kldve_status st = kx_expect(e->g, e->n, lo, hi, 1);

    for (int32_t i = 0; i < e->n->nin && st == KLDVE_OK; i++)
        if (e->n->in[i] && e->n->in[i]->is_sequence != (i == 0))
            st = kx_invalid(e->g, e->n, "input %d is %s sequence", i, i == 0 ? "no" : "a");
    return st;
}

/* A sequence of `count` arrays, to be filled in. */
static kldve_status start(kx_expander *e, int64_t count, kx_value ***item, kx_value **out)
{
    kx_value *v = kx_new(e->g, 1, sizeof *v);

    if (count > MAX_ITEMS)
        return kx_refuse(e->g, e->n, "a sequence of %lld arrays, at most %d are supported",
                         (long long)count, MAX_ITEMS);
    if ((size_t)count > MAX_LISTED - *e->listed)
        return kx_refuse(e->g, e->n, "all sequences together have more than %d arrays", MAX_LISTED);
    *e->listed += (size_t)count;
    *item = kx_new(e->g, (size_t)count, sizeof **item);
    if (!v || !*item)
        return kx_nomem(e->g);
    *v = (kx_value){.name = e->n->name,
                    .id = -1,
                    .producer = -1,
                    .item = *item,
                    .items = (int32_t)count,
                    .is_sequence = true};
    *out = v;
    return KLDVE_OK;
}

/* The place that input i names: of `count`, or behind the last where that is allowed. */
static kldve_status place(kx_expander *e, int32_t i, int64_t count, int64_t missing, int64_t *at)
{
    kldve_status st = KLDVE_OK;

    *at = missing;
    if (kx_input(e, i))
        st = kx_known_int(e, i, "position", at);
    if (st < 0)
        return st;
    *at += *at < 0 ? count : 0;
    if (*at < 0 || *at >= count)
        return kx_invalid(e->g, e->n, "there is no array at position %lld of the sequence",
                          (long long)*at);
    return KLDVE_OK;
}

/* ---- making and changing --------------------------------------------------------------------- */

static kldve_status expand_construct(kx_expander *e)
{
    kx_value **item;
    kldve_status st = kx_expect(e->g, e->n, 1, KX_MAX_IN, 1);

    if (st < 0 || (st = start(e, e->n->nin, &item, &e->out[0])) < 0)
        return st;
    for (int32_t i = 0; i < e->n->nin; i++)
        if (!(item[i] = e->n->in[i]))
            return kx_invalid(e->g, e->n, "input %d is missing", i);
    return KLDVE_OK;
}

static kldve_status expand_empty(kx_expander *e)
{
    kx_value **item;
    kldve_status st = kx_expect(e->g, e->n, 0, 0, 1);

    kx_attr_ignore(e->n, "dtype");
    return st < 0 ? st : start(e, 0, &item, &e->out[0]);
}

/* sequence, array, position */
static kldve_status expand_insert(kx_expander *e)
{
    const kx_value *from = kx_input(e, 0);
    kx_value **item;
    int64_t at, count;
    kldve_status st = expect(e, 2, 3);

    if (st < 0)
        return st;
    count = from->items;
    at = count;
    if (kx_input(e, 2) && (st = kx_known_int(e, 2, "position", &at)) < 0)
        return st;
    at += at < 0 ? count : 0;
    if (at < 0 || at > count)
        return kx_invalid(e->g, e->n, "there is no position %lld in a sequence of %lld arrays",
                          (long long)at, (long long)count);
    if ((st = start(e, count + 1, &item, &e->out[0])) < 0)
        return st;
    for (int64_t i = 0; i <= count; i++)
        item[i] = i == at ? e->n->in[1] : from->item[i > at ? i - 1 : i];
    return KLDVE_OK;
}

/* sequence, position */
static kldve_status expand_erase(kx_expander *e)
{
    const kx_value *from = kx_input(e, 0);
    kx_value **item;
    int64_t at;
    kldve_status st = expect(e, 1, 2);

    if (st < 0 || (st = place(e, 1, from->items, (int64_t)from->items - 1, &at)) < 0 ||
        (st = start(e, (int64_t)from->items - 1, &item, &e->out[0])) < 0)
        return st;
    for (int32_t i = 0; i + 1 < from->items; i++)
        item[i] = from->item[i < at ? i : i + 1];
    return KLDVE_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static kldve_status expand_at(kx_expander *e)
{
    int64_t at = 0;
    kldve_status st = expect(e, 2, 2);

    if (st == KLDVE_OK)
        st = place(e, 1, e->n->in[0]->items, 0, &at);
    if (st == KLDVE_OK)
        e->out[0] = e->n->in[0]->item[at];
    return st;
}

static kldve_status expand_length(kx_expander *e)
{
    kldve_status st = expect(e, 1, 1);

    if (st == KLDVE_OK)
        e->out[0] = kx_emit_int(e, e->n->in[0]->items);
    return st < 0 ? st : e->status;
}

static kldve_status expand_concat(kx_expander *e)
{
    const kx_value *from = kx_input(e, 0);
    bool stacked = kx_attr_int(e->n, "new_axis", 0) != 0;
    int64_t axis = kx_attr_int(e->n, "axis", 0);
    kx_value **piece;
    kldve_status st = expect(e, 1, 1);

    if (st < 0)
        return st;
    if (from->items == 0)
        return kx_refuse(e->g, e->n, "the sequence is empty, and the shape of the result unknown");
    if (!(piece = kx_new(e->g, (size_t)from->items, sizeof *piece)))
        return kx_nomem(e->g);
    for (int32_t i = 0; i < from->items; i++)
        piece[i] = stacked ? kx_emit2(e, "Unsqueeze", from->item[i], kx_emit_ints(e, &axis, 1))
                           : from->item[i];
    e->out[0] = kx_emit_join(e, piece, from->items, axis);
    return e->status;
}

/* ---- SplitToSequence: array, sizes (one for all, or a list) ---------------------------------- */

static kldve_status read_split(kx_expander *e, int64_t length, const int64_t **size, int64_t *each,
                               int64_t *count)
{
    size_t listed = 0;
    kldve_status st = kx_const_ints(e->g, e->n, 1, "split", size, &listed);
    int64_t sum = 0;

    if (st < 0)
        return st;
    *each = *size ? 0 : 1;
    if (*size && kx_input(e, 1)->shape.rank == 0) {
        *each = (*size)[0];
        *size = NULL;
        if (*each < 1)
            return kx_invalid(e->g, e->n, "parts of length %lld", (long long)*each);
    }
    *count = *size ? (int64_t)listed : length / *each + (length % *each != 0);
    for (size_t i = 0; *size && i < listed; i++) {
        if ((*size)[i] < 0 || (*size)[i] > length - sum)
            return kx_invalid(e->g, e->n, "the parts do not add up to %lld", (long long)length);
        sum += (*size)[i];
    }
    return *size && sum != length ? kx_invalid(e->g, e->n, "the parts add up to %lld, not to %lld",
                                               (long long)sum, (long long)length)
                                  : KLDVE_OK;
}

static kldve_status expand_split(kx_expander *e)
{
    bool keeps = kx_attr_int(e->n, "keepdims", 1) != 0 || kx_input(e, 1);
    const int64_t *size = NULL;
    int64_t each, count = 0, at = 0;
    kx_value **item, *x;
    int32_t axis;
    kldve_status st = kx_expect(e->g, e->n, 1, 2, 1);

    if (st < 0)
        return st;
    x = e->n->in[0];
    if ((st = kx_axis_attr(e->g, e->n, "axis", 0, x->shape.rank, &axis)) < 0 ||
        (st = read_split(e, x->shape.dim[axis], &size, &each, &count)) < 0 ||
        (st = start(e, count, &item, &e->out[0])) < 0)
        return st;
    for (int64_t i = 0; i < count; i++) {
        int64_t end = size ? at + size[i] : at + each;

        end = end < x->shape.dim[axis] ? end : x->shape.dim[axis];
        item[i] = kx_emit_slice(e, x, axis, at, end);
        if (!keeps)
            item[i] = kx_emit2(e, "Squeeze", item[i], kx_emit_ints(e, &(int64_t){axis}, 1));
        at = end;
    }
    return e->status;
}

const kx_op kx_sequence_ops[] = {
    {.type = "SequenceConstruct", .since = 11, .expand = expand_construct},
    {.type = "SequenceEmpty", .since = 11, .expand = expand_empty},
    {.type = "SplitToSequence", .since = 11, .expand = expand_split},
    {.type = "SequenceInsert", .since = 11, .expand = expand_insert, .sequences = true},
    {.type = "SequenceErase", .since = 11, .expand = expand_erase, .sequences = true},
    {.type = "SequenceAt", .since = 11, .expand = expand_at, .sequences = true},
    {.type = "SequenceLength", .since = 11, .expand = expand_length, .sequences = true},
    {.type = "ConcatFromSequence", .since = 11, .expand = expand_concat, .sequences = true},
    {0},
};
