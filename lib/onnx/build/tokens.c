/* tokens.c - see tokens.h.
 *
 * From the logits back.  A Gather or Slice that takes class and register tokens reads no cell; what
 * works on each token for itself reads no cell if nobody reads its cells; all else, attention above
 * all, reads every cell. */
#include "tokens.h"

#include "ops/params_basic.h"

typedef struct reader {
    const kx_graph *g;
    const kx_meaning *meaning;
    kx_arena *arena;
    bool *wanted; /* by value id: the logits depend on it */
    bool *cells;  /* by value id: and on its cells */
} reader;

/* Whether the logits depend on output o of node n.  The scale and zero point of a quantiser, which
 * every cell has a part in, count as constants, as they do for gradients. */
static bool is_wanted(const reader *r, const kx_node *n, int32_t o)
{
    return n->out[o] && r->wanted[n->out[o]->id] && (o == 0 || !n->op->traits.rounds);
}

/* The axis of tokens; -1: there is none. */
static int32_t axis_of_tokens(const kx_meaning *m, int32_t rank)
{
    for (int32_t axis = 0; axis < rank; axis++)
        if (kx_meaning_label(m, axis) == KX_TOKENS)
            return axis;
    return -1;
}

static bool outside(const kx_tokens *t, int64_t begin, int64_t end)
{
    return end <= t->leading || begin >= t->leading + t->height * t->width;
}

/* Whether constant indices choose no cell. */
static bool takes_outside(const reader *r, const kx_node *n, int64_t length, const kx_tokens *t)
{
    const int64_t *at = n->in[1]->raw ? kx_value_read(n->in[1], r->arena) : NULL;

    for (size_t i = 0; at && i < n->in[1]->count; i++) {
        int64_t index = at[i] < 0 ? at[i] + length : at[i];

        if (!outside(t, index, index + 1))
            return false;
    }
    return at != NULL;
}

/* Whether node n reads no cell of operand 0 by taking a part of it. */
static bool passes_cells_over(const reader *r, const kx_node *n, int32_t axis)
{
    const kx_value *in = n->in[0];
    const kx_tokens *t = &r->meaning[in->id].tokens;
    const kx_slice_params *slice = n->params;
    const kx_split_params *split = n->params;
    const kx_gather_params *gather = n->params;

    switch (n->op->traits.axes) {
    case KX_AXES_TAKEN:
        return gather->axis == axis && takes_outside(r, n, in->shape.dim[axis], t);
    case KX_AXES_SLICED:
        return slice->step[axis] == 1 &&
               outside(t, slice->start[axis], slice->start[axis] + n->out[0]->shape.dim[axis]);
    case KX_AXES_SPLIT:
        if (split->axis != axis)
            return false;
        for (int32_t o = 0; o < n->nout; o++)
            if (is_wanted(r, n, o) &&
                !outside(t, split->begin[o], split->begin[o] + n->out[o]->shape.dim[axis]))
                return false;
        return true;
    default:
        return false;
    }
}

/* Whether node n treats the tokens of operand k one by one, so that they are tokens behind it. */
static bool keeps_tokens(const reader *r, const kx_node *n, int32_t k)
{
    kx_axes axes = n->op->traits.copies ? KX_AXES_REGROUPED : n->op->traits.axes;

    if (axes == KX_AXES_CHANNELS_FIRST || axes == KX_AXES_TAKEN ||
        (axes == KX_AXES_MATRIX && k > 0))
        return false;
    for (int32_t o = 0; o < n->nout; o++)
        if (is_wanted(r, n, o) &&
            axis_of_tokens(&r->meaning[n->out[o]->id], n->out[o]->shape.rank) < 0)
            return false;
    return true;
}

static bool reads_cells(const reader *r, const kx_node *n, int32_t k)
{
    int32_t axis = axis_of_tokens(&r->meaning[n->in[k]->id], n->in[k]->shape.rank);

    if (axis < 0)
        return true;
    if (k == 0 && passes_cells_over(r, n, axis))
        return false;
    if (!keeps_tokens(r, n, k))
        return true;
    for (int32_t o = 0; o < n->nout; o++)
        if (is_wanted(r, n, o) && r->cells[n->out[o]->id])
            return true;
    return false;
}

kldve_status kx_find_read_cells(const kx_graph *g, kx_arena *arena, const kx_followed *followed,
                                const kx_value *logits, const bool **out)
{
    reader r = {.g = g, .meaning = followed->meaning, .arena = arena};

    r.wanted = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *r.wanted);
    r.cells = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *r.cells);
    if (!r.wanted || !r.cells)
        return kx_nomem(g);
    r.wanted[logits->id] = r.cells[logits->id] = true;
    for (int32_t i = g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &g->node[i];
        bool wanted = false;

        for (int32_t o = 0; o < n->nout; o++)
            wanted = wanted || is_wanted(&r, n, o);
        for (int32_t k = 0; wanted && k < n->nin; k++)
            if (n->in[k] && !n->in[k]->raw) {
                r.wanted[n->in[k]->id] = true;
                r.cells[n->in[k]->id] = r.cells[n->in[k]->id] || reads_cells(&r, n, k);
            }
    }
    *out = r.cells;
    return KLDVE_OK;
}
