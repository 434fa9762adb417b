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

const kx_op *kx_file_op(const kx_model *m, const kx_proto_node *n)
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
    const kx_op *op = kx_file_op(w->m, n);
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

/* What the nodes behind read in front of it. */
static void list(const marker *w, kx_frontier *out)
{
    for (int32_t i = 0; i < w->m->nnode; i++) {
        const kx_proto_node *n = &w->m->node[i];
        const char *name;

        if (!is_behind(w, n))
            continue;
        for (int32_t k = 0; (name = read_name(n, k)); k++) {
            mark *in = kx_names_find(&w->names, name);

            if (!in || !in->computed || in->behind || !in->made || in->listed)
                continue;
            in->listed = true;
            out->name[out->count++] = name;
        }
    }
}

/* The node of a graph that makes a tensor; NULL: none does. */
static const kx_proto_node *maker_of(const kx_proto_graph *g, const char *name)
{
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t k = 0; k < g->node[i].nout; k++)
            if (*name && strcmp(g->node[i].out[k], name) == 0)
                return &g->node[i];
    return NULL;
}

/* Whether a sum of computed tensors stands in front of the boxes that are compared. */
static bool shifts(const marker *w, const kx_frontier *f)
{
    enum { MOST_STEPS = 16 };
    const char *name = f->suppressor->nin > 0 ? f->suppressor->in[0] : "";
    bool inside = f->around.node != w->m->node;

    for (int step = 0; step < MOST_STEPS; step++) {
        const kx_proto_node *n = maker_of(&f->around, name);
        const kx_op *op = n ? kx_file_op(w->m, n) : NULL;

        if (!op || n->nin < 1 || (!inside && !is_behind(w, n)))
            return false;
        if (op->traits.formula == KX_FORMULA_SUM)
            return true;
        name = n->in[0];
    }
    return false;
}

/* The first node of a graph, or of one that an attribute of its nodes holds, that suppresses. */
static bool find_in(const marker *w, const kx_proto_graph *g, kx_frontier *out)
{
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_op *op = kx_file_op(w->m, &g->node[i]);

        if (op && op->traits.suppresses) {
            out->suppressor = &g->node[i];
            out->around = *g;
            return true;
        }
    }
    return false;
}

static void find_suppressor(const marker *w, kx_frontier *out)
{
    const kx_proto_graph whole = {.nnode = w->m->nnode,
                                  .node = w->m->node,
                                  .ninitializer = w->m->ninitializer,
                                  .initializer = w->m->initializer};

    if (find_in(w, &whole, out))
        return;
    for (int32_t i = 0; i < whole.nnode; i++) {
        const kx_proto_node *n = &whole.node[i];

        if (!is_behind(w, n))
            continue;
        for (int32_t k = 0; k < n->nattr; k++)
            if (n->attr[k].g && find_in(w, n->attr[k].g, out))
                return;
    }
}

/* Whether something picks the best behind the suppression. */
static bool sorts(const marker *w)
{
    bool behind = false;

    for (int32_t i = 0; i < w->m->nnode; i++) {
        const kx_proto_node *n = &w->m->node[i];
        const kx_op *op = kx_file_op(w->m, n);

        behind = behind || (op && op->traits.suppresses && is_behind(w, n));
        if (behind && op && op->traits.formula == KX_FORMULA_BEST && is_behind(w, n))
            return true;
    }
    return false;
}

/* Whether convolutions or dense layers stand behind it. */
static bool is_staged(const marker *w)
{
    for (int32_t i = 0; i < w->m->nnode; i++) {
        const kx_op *op = kx_file_op(w->m, &w->m->node[i]);

        if (op && op->traits.mixing != KX_MIXING_NONE && is_behind(w, &w->m->node[i]))
            return true;
    }
    return false;
}

const kx_proto_tensor *kx_frontier_constant(const kx_frontier *f, int32_t i)
{
    const kx_proto_node *n = f->suppressor;
    const char *name = n && i < n->nin ? n->in[i] : "";

    for (int32_t k = 0; *name && k < f->around.ninitializer; k++)
        if (strcmp(f->around.initializer[k].name, name) == 0)
            return &f->around.initializer[k];
    n = maker_of(&f->around, name);
    return n && n->nin == 0 && n->nattr == 1 ? n->attr[0].t : NULL;
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
    out->staged = is_staged(&w);
    out->sorted = sorts(&w);
    out->shifted = out->suppressor && shifts(&w, out);
    return KLDVE_OK;
}
