/* join.c - see join.h. */
#include "join.h"

static int32_t whole_of(const kx_plan *plan, int32_t buffer)
{
    while (plan->buffer[buffer].whole >= 0)
        buffer = plan->buffer[buffer].whole;
    return buffer;
}

static size_t offset_in_whole(const kx_plan *plan, int32_t buffer)
{
    size_t offset = 0;

    for (; plan->buffer[buffer].whole >= 0; buffer = plan->buffer[buffer].whole)
        offset += plan->buffer[buffer].offset;
    return offset;
}

/* How many of the `n` buffers make up, one behind another, the whole that the first is a part of; 1
 * if it is a part of nothing, 0 if they do not fit together. */
static int32_t count_parts(const kx_plan *plan, int32_t n, const int32_t *buffer)
{
    int32_t whole = whole_of(plan, buffer[0]), i = 0;
    size_t end = 0;

    if (plan->buffer[whole].fixed)
        return 0;
    if (whole == buffer[0])
        return 1;
    while (i < n && end < plan->buffer[whole].bytes) {
        if (whole_of(plan, buffer[i]) != whole || offset_in_whole(plan, buffer[i]) != end)
            return 0;
        end += plan->buffer[buffer[i++]].bytes;
    }
    return end == plan->buffer[whole].bytes ? i : 0;
}

/* Let the units that make the parts write them where the concatenation wants them: no step at all.
 * In a dense block, where the concatenations grow by a part each, all of them become one buffer.
 * *done is false where that cannot be. */
kldve_status kx_join_parts(kx_planner *p, kx_unit *u, const kx_layout *const *layout,
                           const int32_t *buffer, bool *done)
{
    kx_plan *plan = p->plan;
    int32_t n = u->node->nin, parts, whole;
    const kx_layout *all;
    size_t offset = 0;
    kldve_status st = kx_layout_join(plan->accel, n, layout, u->axis, &all);

    *done = false;
    if (st < 0)
        return st;
    /* Feature maps from outside go to the layer, and there only. */
    if (!all || u->out[0] == p->options.layer)
        return KLDVE_OK;
    for (int32_t i = 0; i < n; i++)
        if (kx_place_of(p, u->node->in[i])->producer < 0)
            return KLDVE_OK; /* the input */
    for (int32_t i = 0; i < n; i += parts) {
        for (int32_t k = 0; k < i; k++)
            if (whole_of(plan, buffer[i]) == whole_of(plan, buffer[k]))
                return KLDVE_OK; /* the same part twice, or a concatenation and its parts */
        if ((parts = count_parts(plan, n - i, buffer + i)) == 0)
            return KLDVE_OK;
    }
    if ((st = kx_buffer_new(p, kx_layout_bytes(all), &whole)) < 0)
        return st;
    plan->buffer[whole].joined = true;
    for (int32_t i = 0; i < n; i += parts) {
        kx_buffer *b = &plan->buffer[whole_of(plan, buffer[i])];

        parts = count_parts(plan, n - i, buffer + i);
        b->whole = whole;
        b->offset = offset;
        b->joined = true;
        offset += b->bytes;
    }
    kx_remember(kx_place_of(p, u->out[0]), all, whole);
    *done = true;
    return KLDVE_OK;
}
