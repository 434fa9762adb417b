/* read_pictures.c - see read_pictures.h.
 *
 * From the logits back.  What keeps the batch as an axis, or as a part of one as the heads of
 * attention do, treats its pictures one by one; whatever else reads one of them reads all. */
#include "read_pictures.h"

static const uint64_t all_pictures = ~UINT64_C(0);

typedef struct reader {
    const kx_graph *g;
    const kx_meaning *meaning;
    uint64_t *read; /* by value id */
} reader;

/* The part that is the batch; NULL: there is none, or several. */
static const kx_part *batch_of(const reader *r, const kx_value *v)
{
    const kx_meaning *m = &r->meaning[v->id];
    const kx_part *batch = NULL;

    for (int32_t i = 0; i < m->parts; i++)
        if (m->part[i].label == KX_BATCH) {
            if (batch || m->part[i].size > KX_MOST_PICTURES)
                return NULL;
            batch = &m->part[i];
        }
    return batch;
}

/* The rows of operand 1 of a product are summed over. */
static bool sums_over(const kx_node *n, int32_t k, int32_t axis)
{
    int32_t from_end = n->in[k]->shape.rank - 1 - axis;

    return n->op->traits.axes == KX_AXES_MATRIX && k == 1 && from_end < 2;
}

/* What result `out` needs of operand k. */
static uint64_t passed(const reader *r, const kx_node *n, int32_t k, const kx_value *out)
{
    const kx_part *from = batch_of(r, n->in[k]), *to = batch_of(r, out);

    if (!from || !to || sums_over(n, k, from->axis) || from->size != to->size)
        return all_pictures;
    return r->read[out->id];
}

static uint64_t selected(const reader *r, const kx_value *logits, const kx_selection *s)
{
    const kx_part *batch = batch_of(r, logits);
    int64_t inner = 1;
    uint64_t read = 0;

    if (!batch || !s || logits->shape.dim[batch->axis] != batch->size)
        return all_pictures;
    for (int32_t i = batch->axis + 1; i < logits->shape.rank; i++)
        inner *= logits->shape.dim[i];
    for (int32_t place = 0; place < s->height * s->width; place++)
        for (int32_t i = 0; i < s->count; i++)
            read |= UINT64_C(1) << (kx_selected(s, place, i) / inner % batch->size);
    return read;
}

kldve_status kx_find_read_pictures(const kx_graph *g, kx_arena *arena, const kx_followed *followed,
                                   const kx_value *logits, const kx_selection *selection,
                                   const uint64_t **out)
{
    reader r = {.g = g, .meaning = followed->meaning};

    r.read = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *r.read);
    if (!r.read)
        return kx_nomem(g);
    r.read[logits->id] = selected(&r, logits, selection);
    for (int32_t i = g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &g->node[i];

        for (int32_t o = 0; o < n->nout; o++)
            for (int32_t k = 0; n->out[o] && r.read[n->out[o]->id] && k < n->nin; k++)
                if (n->in[k] && !n->in[k]->raw)
                    r.read[n->in[k]->id] |= passed(&r, n, k, n->out[o]);
    }
    *out = r.read;
    return KLDVE_OK;
}
