/* nodes.c - nodes, and the nodes that others stand for.  See builder.h. */
#include "builder.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fold.h"
#include "ops/emit.h"
#include "ops/quantise.h"
#include "ops/unsupported.h"
#include "order.h"

/* Of nodes that others stand for: bounds loops within loops. */
enum { MAX_EXPANDED = 200000, MAX_OPENED = 1 << 22 };

static kldve_status convert_attr(kx_builder *b, const kx_proto_attr *from, kx_attr *to)
{
    kx_value *t = NULL;

    to->name = from->name;
    to->type = from->type;
    to->f = from->f;
    to->i = from->i;
    to->s = from->s;
    to->count = from->count;
    to->floats = from->floats;
    to->ints = from->ints;
    to->strings = (const char *const *)from->strings;
    to->graph = from->g;
    if (from->t) {
        kldve_status st = kx_build_constant(b, from->t, &t);

        if (st < 0)
            return st;
    }
    to->t = t;
    return KLDVE_OK;
}

static kldve_status convert_attrs(kx_builder *b, const kx_proto_node *from, kx_node *n)
{
    n->attr = kx_new(b->g, (size_t)from->nattr, sizeof *n->attr);
    if (!n->attr)
        return kx_nomem(b->g);
    n->nattr = from->nattr;
    for (int32_t i = 0; i < n->nattr; i++) {
        kldve_status st = convert_attr(b, &from->attr[i], &n->attr[i]);

        if (st < 0)
            return st;
    }
    return KLDVE_OK;
}

static kldve_status connect_inputs(kx_builder *b, const kx_proto_node *from, kx_node *n)
{
    n->nin = from->nin;
    while (n->nin > 0 && !*from->in[n->nin - 1]) /* trailing omitted inputs */
        n->nin--;
    n->in = kx_new(b->g, (size_t)n->nin, sizeof(kx_value *));
    if (!n->in)
        return kx_nomem(b->g);
    for (int32_t i = 0; i < n->nin; i++) {
        if (!*from->in[i])
            continue;
        n->in[i] = kx_build_find(b, from->in[i]);
        if (!n->in[i])
            return kx_invalid(b->g, n, "no node, input or tensor provides its input '%.80s'",
                              from->in[i]);
        if (n->in[i]->onnx_type == KX_ONNX_STRING)
            return kx_refuse(b->g, n,
                             "input '%.80s' has element type 8 (string), which is not "
                             "supported",
                             from->in[i]);
    }
    return KLDVE_OK;
}

/* The name of a value in the graph: that of the file, behind the scope's prefix. */
static const char *scoped(kx_builder *b, const char *name)
{
    const char *prefix = b->scope->prefix;
    size_t size;
    char *text;

    if (!prefix)
        return name;
    size = strlen(prefix) + strlen(name) + 2;
    text = kx_new(b->g, size, 1);
    if (text)
        snprintf(text, size, "%s/%s", prefix, name);
    return text;
}

static kldve_status check_new(const kx_builder *b, const kx_node *n, const char *name)
{
    if (kx_names_find(&b->scope->values, name))
        return kx_invalid(b->g, n, "output '%.80s' is already defined", name);
    return KLDVE_OK;
}

static kldve_status connect_outputs(kx_builder *b, const kx_proto_node *from, kx_node *n)
{
    for (int32_t i = 0; i < n->nout; i++) {
        const char *name = from->out[i];
        kldve_status st;

        if (!*name)
            continue;
        if ((st = check_new(b, n, name)) < 0)
            return st;
        if (!(name = scoped(b, name)) || !(n->out[i] = kx_value_new(b->g, name)))
            return kx_nomem(b->g);
        n->out[i]->producer = n->index;
    }
    return KLDVE_OK;
}

static kldve_status check_attributes(kx_graph *g, const kx_node *n)
{
    for (int32_t i = 0; i < n->nattr; i++)
        if (!n->attr[i].used)
            return kx_refuse(g, n, "attribute '%.60s' is not supported (or has the wrong type)",
                             n->attr[i].name);
    return KLDVE_OK;
}

static kldve_status refuse_sequences(const kx_graph *g, const kx_node *n)
{
    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && n->in[i]->is_sequence)
            return kx_refuse(g, n, "input %d is a sequence, which it does not take", i);
    return KLDVE_OK;
}

/* A node that is connected: shapes; then it joins the graph, unless it is known already. */
static kldve_status settle(kx_builder *b, kx_node *n)
{
    kx_graph *g = b->g;
    bool folded;
    kldve_status st;

    assert(n->index == g->nnode);
    if ((st = refuse_sequences(g, n)) < 0)
        return st;
    n->opset = g->opset;
    if ((st = n->op->infer(g, n)) < 0 || (st = check_attributes(g, n)) < 0 ||
        (st = kx_fold(g, n, &b->folded, &folded)) < 0 || folded ||
        (st = kx_graph_room(b->g, (size_t)g->nnode + 1, 0)) < 0)
        return st;
    g->node[g->nnode++] = *n;
    return KLDVE_OK;
}

/* ---- nodes that others stand for ------------------------------------------------------------- */

typedef struct expansion {
    kx_expander e; /* what the operator sees */
    kx_builder *b;
    const kx_proto_node *from;
    int32_t emitted;
} expansion;

static expansion *expansion_of(kx_expander *e)
{
    return (expansion *)(void *)e; /* its first member */
}

/* "y/Add_1": a name for what is put out by an emitted node. */
static const char *emitted_name(expansion *x, const char *type)
{
    char text[KX_EMITTED_NAME];
    const char *first = x->e.n->name;
    size_t size = strlen(first) + sizeof text;
    char *name = kx_new(x->b->g, size, 1);

    if (name)
        snprintf(name, size, "%s/%.20s_%d", first, type, ++x->emitted);
    return name;
}

static kldve_status count_expanded(kx_builder *b, const kx_node *n)
{
    if (b->expanded == MAX_EXPANDED)
        return kx_refuse(b->g, n, "it stands for more than %d nodes", MAX_EXPANDED);
    b->expanded++;
    return KLDVE_OK;
}

static kldve_status emit_node(expansion *x, const kx_emitted *what, kx_value **out)
{
    kx_graph *g = x->b->g;
    kx_node n = {.index = g->nnode, .type = what->type, .nin = what->nin, .nout = what->nout};
    kldve_status st = count_expanded(x->b, x->e.n);

    if (st < 0)
        return st;
    n.op = kx_op_find("", what->type, KX_EXPAND_OPSET);
    assert(n.op && what->nout >= 1 && what->nout <= KX_MAX_OUT && what->nin <= KX_MAX_IN);
    n.in = kx_new(g, (size_t)what->nin, sizeof(kx_value *));
    n.out = kx_new(g, (size_t)what->nout, sizeof(kx_value *));
    n.attr = kx_new(g, (size_t)what->nattr, sizeof *n.attr);
    n.name = emitted_name(x, what->type);
    if (!n.in || !n.out || !n.attr || !n.name)
        return kx_nomem(g);
    if (what->nin)
        memcpy(n.in, what->in, (size_t)what->nin * sizeof(kx_value *));
    if (what->nattr)
        memcpy(n.attr, what->attr, (size_t)what->nattr * sizeof *n.attr);
    n.nattr = what->nattr;
    for (int32_t i = 0; i < n.nout; i++) {
        if (!(n.out[i] = kx_value_new(x->b->g, n.name)))
            return kx_nomem(g);
        n.out[i]->producer = n.index;
        n.out[i]->inside = x->e.inside;
        out[i] = n.out[i];
    }
    g->opset = KX_EXPAND_OPSET;
    return settle(x->b, &n);
}

static kx_value *emit(kx_expander *e, const kx_emitted *what, kx_value **out)
{
    for (int32_t i = 0; i < what->nout; i++)
        out[i] = NULL;
    if (e->status == KLDVE_OK)
        e->status = emit_node(expansion_of(e), what, out);
    return e->status == KLDVE_OK ? out[0] : NULL;
}

/* What the body calls its inputs. */
static kldve_status bind(kx_builder *b, const kx_node *n, const kx_proto_graph *body,
                         kx_value *const *in, int32_t nin)
{
    if (body->ninput != nin)
        return kx_invalid(b->g, n, "the graph in its attribute has %d inputs, expected %d",
                          body->ninput, nin);
    for (int32_t i = 0; i < nin; i++)
        kx_names_set(&b->scope->values, body->input[i].name, in[i]);
    return KLDVE_OK;
}

static kldve_status open_scope(kx_builder *b, const kx_proto_graph *body, kx_scope *s)
{
    size_t names = (size_t)body->ninput + (size_t)body->ninitializer;

    for (int32_t i = 0; i < body->nnode; i++)
        names += (size_t)body->node[i].nout;
    if (names > MAX_OPENED - b->opened) /* each round has a table of them */
        return kldve_ctx_failf(b->g->ctx, KLDVE_E_UNSUPPORTED,
                               "the graphs in attributes have more than %d names, counted once for "
                               "each round of a loop",
                               MAX_OPENED);
    b->opened += names;
    s->around = b->scope;
    if (!kx_names_init(&s->values, &b->g->arena, names))
        return kx_nomem(b->g);
    b->scope = s;
    return KLDVE_OK;
}

static kldve_status inline_graph(expansion *x, const kx_proto_graph *body, kx_value *const *in,
                                 int32_t nin, int64_t round, kx_value **out)
{
    kx_builder *b = x->b;
    kx_scope scope = {.prefix = b->scope->prefix};
    int32_t opset = b->g->opset;
    kldve_status st;

    if (round >= 0) { /* the names of a body come once for each round */
        char text[32];

        snprintf(text, sizeof text, "%lld", (long long)round);
        scope.prefix = emitted_name(x, text);
        if (!scope.prefix)
            return kx_nomem(b->g);
    }
    if ((st = open_scope(b, body, &scope)) < 0)
        return st;
    if ((st = bind(b, x->e.n, body, in, nin)) == KLDVE_OK &&
        (st = kx_build_constants(b, body)) == KLDVE_OK)
        st = kx_build_nodes(b, body);
    for (int32_t i = 0; i < body->noutput && st == KLDVE_OK; i++) {
        out[i] = kx_build_find(b, body->output[i].name);
        if (!out[i])
            st = kx_invalid(b->g, x->e.n,
                            "nothing produces the output '%.80s' of the graph in its attribute",
                            body->output[i].name);
    }
    b->scope = scope.around;
    b->g->opset = opset;
    return st;
}

static void expand_graph(kx_expander *e, const kx_proto_graph *body, kx_value *const *in,
                         int32_t nin, int64_t round, kx_value **out)
{
    assert(body->noutput <= KX_MAX_IN);
    for (int32_t i = 0; i < body->noutput; i++)
        out[i] = NULL;
    if (e->status == KLDVE_OK)
        e->status = inline_graph(expansion_of(e), body, in, nin, round, out);
}

/* A value that the expansion made, and that is not another output of it too. */
static bool is_fresh(const expansion *x, int32_t first_id, int32_t i)
{
    const kx_value *v = x->e.out[i];

    for (int32_t k = 0; k < i; k++)
        if (x->e.out[k] == v)
            return false;
    return v->id >= first_id && v->producer >= 0;
}

/* What the expansion made for output i takes over the file's name, anything else keeps its own and
 * is copied. */
static kldve_status name_output(expansion *x, int32_t first_id, int32_t i)
{
    kx_builder *b = x->b;
    const char *name = x->from->out[i], *full = scoped(b, name);
    kx_value *v = x->e.out[i];
    kldve_status st = check_new(b, x->e.n, name);

    if (st < 0)
        return st;
    if (!full)
        return kx_nomem(b->g);
    if (v->is_sequence) { /* no array: only another name for it */
        kx_names_set(&b->scope->values, name, v);
        return KLDVE_OK;
    }
    if (!is_fresh(x, first_id, i)) {
        v = kx_emit_copy(&x->e, v);
        if (x->e.status < 0)
            return x->e.status;
    }
    v->name = full;
    v->inside = false;
    if (v->producer >= 0)
        b->g->node[v->producer].name = i == 0 ? x->e.n->name : full;
    kx_names_set(&b->scope->values, name, v);
    return KLDVE_OK;
}

static kldve_status expand(kx_builder *b, const kx_proto_node *from, kx_node *n)
{
    expansion x = {
        .e = {.g = b->g, .n = n, .listed = &b->listed, .emit = emit, .graph = expand_graph},
        .b = b,
        .from = from};
    int32_t first = b->g->nvalue;
    kldve_status st = n->op->expand(&x.e);

    if (st < 0 || (st = x.e.status) < 0 || (st = check_attributes(b->g, n)) < 0)
        return st;
    for (int32_t i = 0; i < n->nout; i++)
        if (*from->out[i] && !x.e.out[i])
            return kx_refuse(b->g, n, "output %d is not supported", i);
    for (int32_t i = 0; i < n->nout && st == KLDVE_OK; i++)
        if (*from->out[i])
            st = name_output(&x, first, i);
    return st;
}

/* ---- nodes of the file ----------------------------------------------------------------------- */

/* Narrow integers of a quantised network, and the network's input, are float32 here, so that
 * gradients flow through them; all others are int64.  Where an operator meets both - int32 sums and
 * a bias that was computed, bytes and a constant - the others become float32, too. */
static kldve_status unify_integers(kx_builder *b, const kx_proto_node *from, kx_node *n)
{
    expansion x = {.e = {.g = b->g, .n = n, .emit = emit}, .b = b, .from = from};
    int32_t opset = b->g->opset;
    bool as_float = false;

    for (int32_t i = 0; i < n->nin; i++)
        as_float = as_float || (n->in[i] && n->in[i]->dtype == KX_F32 && kx_is_quantised(n->in[i]));
    for (int32_t i = 0; as_float && n->op->traits.alike && i < n->nin; i++) {
        int32_t type = n->in[i] ? n->in[i]->onnx_type : 0;

        if (!n->in[i] || n->in[i]->dtype != KX_I64 || !kx_is_quantised(n->in[i]))
            continue;
        n->in[i] = kx_emit_cast(&x.e, n->in[i], KX_ONNX_FLOAT);
        b->g->opset = opset;
        if (x.e.status < 0)
            return x.e.status;
        n->in[i]->onnx_type = type;
    }
    return KLDVE_OK;
}

static bool is_constant(const kx_builder *b, const char *name)
{
    const kx_value *v = kx_build_find(b, name);

    return v && v->raw;
}

/* What is wrong and what to do: the scores may be explained in front of the node. */
static kldve_status refuse_operator(const kx_builder *b, const kx_proto_node *from, kx_node *n,
                                    const char *domain)
{
    const char *why = kx_why_unsupported(domain, from->type), *first = "";

    for (int32_t i = 0; i < from->nin && !*first; i++)
        if (*from->in[i] && !is_constant(b, from->in[i]))
            first = from->in[i];
    return kx_refuse(b->g, n, "the operator %.60s%s%.60s of opset %d is not supported%s%s%s%.60s%s",
                     from->domain, *from->domain ? "." : "", from->type, b->g->opset,
                     why ? ": " : "", why ? why : "", *first ? "; if '" : "", first,
                     *first ? "', which it reads, holds the scores, choose it (--logits)" : "");
}

static kldve_status find_operator(const kx_builder *b, const kx_proto_node *from, kx_node *n)
{
    const char *domain = strcmp(from->domain, "ai.onnx") == 0 ? "" : from->domain;

    n->op = kx_op_find(domain, from->type, b->g->opset);
    if (!n->op)
        return refuse_operator(b, from, n, domain);
    if (from->nin > KX_MAX_IN || from->nout > KX_MAX_OUT)
        return kx_refuse(b->g, n, "%d inputs and %d outputs, at most %d and %d are supported",
                         from->nin, from->nout, KX_MAX_IN, KX_MAX_OUT);
    return KLDVE_OK;
}

/* Another name for what a copy of a sequence reads. */
static kldve_status alias(kx_builder *b, const kx_node *n, const char *name)
{
    kldve_status st = check_new(b, n, name);

    if (st == KLDVE_OK)
        kx_names_set(&b->scope->values, name, n->in[0]);
    return st;
}

static kldve_status add_node(kx_builder *b, const kx_proto_node *from)
{
    kx_graph *g = b->g;
    kx_node n = {.type = from->type, .nout = from->nout};
    kldve_status st;

    n.name = from->name && *from->name ? from->name : from->nout ? from->out[0] : "";
    if (!(n.name = scoped(b, n.name)))
        return kx_nomem(g);
    g->opset = from->opset ? from->opset : b->model->opset; /* a function may have its own */
    if ((st = find_operator(b, from, &n)) < 0 || (st = convert_attrs(b, from, &n)) < 0 ||
        (st = connect_inputs(b, from, &n)) < 0 || (st = unify_integers(b, from, &n)) < 0)
        return st;
    n.index = g->nnode;
    n.out = kx_new(g, (size_t)n.nout, sizeof(kx_value *));
    if (!n.out)
        return kx_nomem(g);
    if (b->scope->around && (st = count_expanded(b, &n)) < 0)
        return st;
    if (n.op->traits.copies && n.nin == 1 && n.nout == 1 && n.in[0]->is_sequence)
        return alias(b, &n, from->out[0]);
    if (!n.op->sequences && (st = refuse_sequences(g, &n)) < 0)
        return st;
    if (n.op->expand)
        return expand(b, from, &n);
    if ((st = connect_outputs(b, from, &n)) < 0 || (st = settle(b, &n)) < 0)
        return st;
    for (int32_t i = 0; i < n.nout; i++)
        if (n.out[i])
            kx_names_set(&b->scope->values, from->out[i], n.out[i]);
    return KLDVE_OK;
}

/* Constants are computed on the way, which may take seconds.  Graphs within graphs do not count. */
static kldve_status report(const kx_builder *b, int32_t done, int32_t count)
{
    return b->scope->around ? kldve_ctx_poll(b->g->ctx)
                            : kldve_ctx_progress(b->g->ctx, "building", done, count);
}

kldve_status kx_build_nodes(kx_builder *b, const kx_proto_graph *p)
{
    int32_t *order, count;
    kldve_status st = kx_order(b->g, p, &order, &count);

    for (int32_t i = 0; i < count && st == KLDVE_OK; i++)
        if ((st = report(b, i, count)) == KLDVE_OK)
            st = add_node(b, &p->node[order[i]]);
    return st;
}
