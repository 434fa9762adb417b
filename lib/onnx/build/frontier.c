/* frontier.c - see frontier.h.
 *
 * A tensor is computed if it follows from the values of the picture, not from shapes alone, and it
 * is behind the frontier if it follows from an operator of the trait `counts` whose operands are
 * computed.  Nodes stand in the order of the file, which is that of computation in files as
 * exporters write them; where it is not, marks spread again until nothing changes. */
#include "frontier.h"

#include <string.h>

#include "read/names.h"

typedef struct mark {
    bool computed, behind;
    bool made;   /* by a node */
    bool listed; /* in the frontier */
} mark;

typedef struct marker {
    const kx_model *m;
    kx_names names; /* -> mark */
    bool changed;
} marker;

static const kx_op *op_of(const kx_model *m, const kx_proto_node *n)
{
    const char *domain = strcmp(n->domain, "ai.onnx") == 0 ? "" : n->domain;

    return kx_op_find(domain, n->type, n->opset ? n->opset : m->opset);
}

/* The k-th name that a node reads, itself or in its subgraphs; NULL: no more. */
static const char *read_name(const kx_proto_node *n, int32_t k)
{
    if (k < n->nin)
        return n->in[k];
    return k - n->nin < n->ncaptured ? n->captured[k - n->nin] : NULL;
}

/* What a node's results are, by its operands. */
static mark results_of(const marker *w, const kx_proto_node *n)
{
    const kx_op *op = op_of(w->m, n);
    bool counts = op && op->traits.counts;
    bool only_shapes = op && !op->forward && !op->expand && !counts;
    mark out = {.made = true};
    const char *name;

    for (int32_t k = 0; (name = read_name(n, k)); k++) {
        const mark *in = kx_names_find(&w->names, name);

        if (!in)
            continue;
        out.behind = out.behind || in->behind || (counts && in->computed);
        out.computed = out.computed || (in->computed && !only_shapes);
    }
    return out;
}

static void spread(marker *w)
{
    for (int32_t i = 0; i < w->m->nnode; i++) {
        const kx_proto_node *n = &w->m->node[i];
        mark out = results_of(w, n);

        for (int32_t k = 0; k < n->nout; k++) {
            mark *of = kx_names_find(&w->names, n->out[k]);

            if (!of || (of->made && of->computed == out.computed && of->behind == out.behind))
                continue;
            *of = out;
            w->changed = true;
        }
    }
}

static bool is_behind(const marker *w, const kx_proto_node *n)
{
    return results_of(w, n).behind;
}

/* What the nodes behind read in front of it; of what suppresses its constants, too. */
static void list(const marker *w, kx_frontier *out)
{
    for (int32_t i = 0; i < w->m->nnode; i++) {
        const kx_proto_node *n = &w->m->node[i];
        const kx_op *op = op_of(w->m, n);
        bool constants = op && op->traits.suppresses;
        const char *name;

        for (int32_t k = 0; is_behind(w, n) && (name = read_name(n, k)); k++) {
            mark *in = kx_names_find(&w->names, name);

            if (!in || (!in->computed && !constants) || in->behind || !in->made || in->listed)
                continue;
            in->listed = true;
            out->name[out->count++] = name;
        }
    }
}

/* The node that makes a tensor; NULL: none does. */
static const kx_proto_node *maker_of(const kx_model *m, const char *name)
{
    for (int32_t i = 0; i < m->nnode; i++)
        for (int32_t k = 0; k < m->node[i].nout; k++)
            if (*name && strcmp(m->node[i].out[k], name) == 0)
                return &m->node[i];
    return NULL;
}

/* Whether a sum stands in front of the boxes that are compared, behind the frontier. */
static bool shifts(const marker *w, const kx_proto_node *suppressor)
{
    enum { MOST_STEPS = 16 };
    const char *name = suppressor->nin > 0 ? suppressor->in[0] : "";

    for (int step = 0; step < MOST_STEPS; step++) {
        const kx_proto_node *n = maker_of(w->m, name);
        const kx_op *op = n ? op_of(w->m, n) : NULL;

        if (!op || n->nin < 1 || !is_behind(w, n))
            return false;
        if (op->traits.formula == KX_FORMULA_SUM)
            return true;
        name = n->in[0];
    }
    return false;
}

/* The first node that suppresses, and whether something picks the best behind it. */
static void find_suppressor(const marker *w, kx_frontier *out)
{
    for (int32_t i = 0; i < w->m->nnode; i++) {
        const kx_proto_node *n = &w->m->node[i];
        const kx_op *op = op_of(w->m, n);

        if (!op || !is_behind(w, n))
            continue;
        if (op->traits.suppresses && !out->suppressor)
            out->suppressor = n;
        else if (out->suppressor && op->traits.formula == KX_FORMULA_BEST)
            out->sorted = true;
    }
    out->shifted = out->suppressor && shifts(w, out->suppressor);
}

static kldve_status name_all(marker *w, kx_arena *arena, size_t *count)
{
    const kx_model *m = w->m;
    mark *at;

    *count = (size_t)m->ninput;
    for (int32_t i = 0; i < m->nnode; i++)
        *count += (size_t)m->node[i].nout;
    at = kx_arena_alloc(arena, *count, sizeof *at);
    if (!at || !kx_names_init(&w->names, arena, *count))
        return KLDVE_E_NOMEM;
    for (int32_t i = 0; i < m->ninput; i++) {
        at->computed = true;
        kx_names_set(&w->names, m->input[i].name, at++);
    }
    for (int32_t i = 0; i < m->nnode; i++)
        for (int32_t k = 0; k < m->node[i].nout; k++)
            if (*m->node[i].out[k] && !kx_names_find(&w->names, m->node[i].out[k]))
                kx_names_set(&w->names, m->node[i].out[k], at++);
    /* An old file lists its weights among the inputs. */
    for (int32_t i = 0; i < m->ninitializer; i++) {
        mark *of = kx_names_find(&w->names, m->initializer[i].name);

        if (of)
            of->computed = false;
    }
    return KLDVE_OK;
}

kldve_status kx_find_frontier(kldve_ctx *ctx, kx_arena *arena, const kx_model *m, kx_frontier *out)
{
    enum { MOST_ROUNDS = 8 };
    marker w = {.m = m};
    size_t names = 0;

    *out = (kx_frontier){.name = NULL};
    if (name_all(&w, arena, &names) < 0 ||
        !(out->name = kx_arena_alloc(arena, names, sizeof *out->name)))
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while loading the network");
    for (int i = 0; i < MOST_ROUNDS; i++) {
        w.changed = false;
        spread(&w);
        if (!w.changed)
            break;
    }
    list(&w, out);
    find_suppressor(&w, out);
    return KLDVE_OK;
}
