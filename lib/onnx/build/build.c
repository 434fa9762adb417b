/* build.c - model -> graph: names resolved, nodes sorted, shapes inferred, constants folded. */
#include "build.h"

#include <assert.h>
#include <string.h>

#include "builder.h"
#include "channels.h"
#include "elements.h"
#include "expand.h"
#include "read/names.h"
#include "read/proto.h"

static kldve_status constant(kx_builder *b, const kx_proto_tensor *t, kx_value **out)
{
    kx_graph *g = b->g;
    kx_value *v = kx_builder_value(b, t->name ? t->name : "");

    if (!v)
        return kx_nomem(g);
    if (!kx_element_dtype(t->dtype, &v->dtype))
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "tensor '%.80s': element type %d is not supported", v->name,
                               t->dtype);
    v->onnx_type = t->dtype;
    v->shape.rank = t->rank;
    memcpy(v->shape.dim, t->dim, sizeof t->dim);
    v->count = t->count;
    if (t->dtype == KX_ONNX_FLOAT || t->dtype == KX_ONNX_INT64) {
        v->raw = t->count ? t->data : ""; /* as it lies in the file */
    } else {
        void *copy = kx_new(g, t->count, kx_dtype_size(v->dtype));

        if (!copy)
            return kx_nomem(g);
        for (size_t i = 0; i < t->count; i++)
            kx_element_widen(t->dtype, t->data, i, copy);
        v->raw = copy;
    }
    *out = v;
    return KLDVE_OK;
}

/* ---- which nodes, in which order ------------------------------------------------------------ */

/* Depth-first from the outputs over the producers, without recursion: files may hold chains of any
 * length.  state: 0 not seen, 1 on the stack, 2 done. */
static kldve_status sort_nodes(kx_builder *b)
{
    const kx_model *m = b->model;
    kx_graph *g = b->g;
    size_t n = (size_t)m->nnode;
    unsigned char *state = kx_new(g, n, 1);
    int32_t *stack = kx_new(g, n, sizeof *stack), *next = kx_new(g, n, sizeof *next);
    int32_t depth = 0;

    b->order = kx_new(g, n, sizeof *b->order);
    if (!state || !stack || !next || !b->order)
        return kx_nomem(g);
    for (int32_t o = 0; o < m->noutput; o++) {
        const kx_proto_node *root = kx_names_find(&b->producers, m->output[o].name);

        if (!root || state[root - m->node] != 0)
            continue;
        assert(depth == 0);
        stack[depth++] = (int32_t)(root - m->node);
        while (depth > 0) {
            int32_t at = stack[depth - 1];
            const kx_proto_node *node = &m->node[at];
            const kx_proto_node *before = NULL;

            state[at] = 1;
            while (next[at] < node->nin && !before) {
                before = kx_names_find(&b->producers, node->in[next[at]++]);
                if (before && state[before - m->node] == 2)
                    before = NULL;
            }
            if (before) {
                if (state[before - m->node] == 1)
                    return kldve_ctx_failf(g->ctx, KLDVE_E_FORMAT,
                                           "the graph has a cycle through node '%.80s' (%.40s)",
                                           before->nout ? before->out[0] : "", before->type);
                assert((size_t)depth < n); /* no node is on the stack twice */
                stack[depth++] = (int32_t)(before - m->node);
            } else {
                assert((size_t)b->norder < n);
                state[at] = 2;
                b->order[b->norder++] = at;
                depth--;
            }
        }
    }
    return KLDVE_OK;
}

static kldve_status index_producers(kx_builder *b)
{
    const kx_model *m = b->model;
    size_t outputs = 0;

    for (int32_t i = 0; i < m->nnode; i++)
        outputs += (size_t)m->node[i].nout;
    if (!kx_names_init(&b->producers, &b->g->arena, outputs))
        return kx_nomem(b->g);
    for (int32_t i = 0; i < m->nnode; i++)
        for (int32_t k = 0; k < m->node[i].nout; k++) {
            const char *name = m->node[i].out[k];

            if (!*name)
                continue;
            if (kx_names_find(&b->producers, name))
                return kldve_ctx_failf(b->g->ctx, KLDVE_E_FORMAT,
                                       "two nodes have an output named '%.80s'", name);
            kx_names_set(&b->producers, name, &m->node[i]);
        }
    return KLDVE_OK;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

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
    if (from->t) {
        kldve_status st = constant(b, from->t, &t);

        if (st < 0)
            return st;
    }
    to->t = t;
    return KLDVE_OK;
}

static kldve_status connect(kx_builder *b, const kx_proto_node *from, kx_node *n)
{
    kx_graph *g = b->g;

    n->nin = from->nin;
    while (n->nin > 0 && !*from->in[n->nin - 1]) /* trailing omitted inputs */
        n->nin--;
    n->nout = from->nout;
    n->in = kx_new(g, (size_t)n->nin, sizeof *n->in);
    n->out = kx_new(g, (size_t)n->nout, sizeof *n->out);
    if (!n->in || !n->out)
        return kx_nomem(g);
    for (int32_t i = 0; i < n->nin; i++) {
        if (!*from->in[i])
            continue;
        n->in[i] = kx_names_find(&b->values, from->in[i]);
        if (!n->in[i])
            return kx_invalid(g, n, "no node, input or tensor provides its input '%.80s'",
                              from->in[i]);
    }
    for (int32_t i = 0; i < n->nout; i++) {
        if (!*from->out[i])
            continue;
        if (kx_names_find(&b->values, from->out[i]))
            return kx_invalid(g, n, "output '%.80s' is already defined", from->out[i]);
        n->out[i] = kx_builder_value(b, from->out[i]);
        if (!n->out[i])
            return kx_nomem(g);
        n->out[i]->producer = n->index;
    }
    return KLDVE_OK;
}

/* A function may have an opset of its own. */
static int32_t opset_of(const kx_builder *b, const kx_proto_node *from)
{
    return from->opset ? from->opset : b->model->opset;
}

static const kx_op *find_op(const kx_builder *b, const kx_proto_node *from)
{
    return kx_op_find(strcmp(from->domain, "ai.onnx") == 0 ? "" : from->domain, from->type,
                      opset_of(b, from));
}

static kldve_status add_node(kx_builder *b, const kx_proto_node *from)
{
    kx_graph *g = b->g;
    kx_node *n = &g->node[g->nnode];
    kldve_status st;

    assert(g->nnode < b->room);
    memset(n, 0, sizeof *n);
    n->index = g->nnode;
    n->type = from->type;
    n->name = from->name && *from->name ? from->name : from->nout ? from->out[0] : "";
    g->opset = opset_of(b, from);
    n->op = find_op(b, from);
    if (!n->op)
        return kx_refuse(g, n, "the operator %.60s%s%.60s of opset %d is not supported",
                         from->domain, *from->domain ? "." : "", from->type, g->opset);
    if (from->nin > KX_MAX_IN || from->nout > KX_MAX_OUT)
        return kx_refuse(g, n, "%d inputs and %d outputs, at most %d and %d are supported",
                         from->nin, from->nout, KX_MAX_IN, KX_MAX_OUT);
    n->attr = kx_new(g, (size_t)from->nattr, sizeof *n->attr);
    if (!n->attr)
        return kx_nomem(g);
    n->nattr = from->nattr;
    for (int32_t i = 0; i < n->nattr; i++)
        if ((st = convert_attr(b, &from->attr[i], &n->attr[i])) < 0)
            return st;
    if ((st = connect(b, from, n)) < 0)
        return st;
    return n->op->expand ? kx_expand(b, n) : kx_builder_place(b, n);
}

/* ---- inputs and outputs ---- */

/* Which of the options replaces a symbolic dimension: [n][c][h][w], or [n][h][w][c] where the last
 * one is a number that fits a picture while the second is not known. */
static int64_t fill_in(const kx_graph_options *o, const kx_proto_value *v, int32_t axis)
{
    bool last = v->rank == 4 && v->dim[1] <= 0 && (v->dim[3] == 1 || v->dim[3] == 3);

    assert(axis >= 0 && axis < v->rank);
    if (axis == 0 && v->rank > 1)
        return o->batch;
    if (v->rank == 4 && axis == (last ? 1 : 2))
        return o->height;
    if (v->rank == 4 && axis == (last ? 2 : 3))
        return o->width;
    return v->dim[axis];
}

static kldve_status add_input(kx_builder *b, const kx_proto_value *from)
{
    kx_graph *g = b->g;
    kx_value *v;

    if (kx_names_find(&b->values, from->name))
        return KLDVE_OK; /* an initializer that is also listed as an input */
    if (!(v = kx_builder_value(b, from->name)))
        return kx_nomem(g);
    if (!kx_element_dtype(from->dtype, &v->dtype))
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "input '%.80s': element type %d is not supported", v->name,
                               from->dtype);
    if (from->rank < 0)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "input '%.80s' has no shape, export the network with one", v->name);
    v->onnx_type = from->dtype;
    v->shape.rank = from->rank;
    for (int32_t i = 0; i < from->rank; i++) {
        int64_t d = from->dim[i] > 0 ? from->dim[i] : fill_in(&b->options, from, i);

        if (d < 0)
            return kldve_ctx_failf(
                g->ctx, KLDVE_E_UNSUPPORTED,
                "input '%.80s': dimension %d is symbolic, export the network with a fixed size",
                v->name, i);
        v->shape.dim[i] = d;
    }
    if (!kx_shape_count(&v->shape, kx_dtype_size(v->dtype), &v->count))
        return kldve_ctx_failf(g->ctx, KLDVE_E_FORMAT, "input '%.80s': dimensions are too large",
                               v->name);
    g->input[g->ninput++] = v;
    kx_names_set(&b->values, v->name, v);
    return KLDVE_OK;
}

static kldve_status add_output(kx_builder *b, const kx_proto_value *from)
{
    kx_value *v = kx_names_find(&b->values, from->name);

    if (!v)
        return kldve_ctx_failf(b->g->ctx, KLDVE_E_FORMAT, "no node produces the output '%.80s'",
                               from->name);
    b->g->output[b->g->noutput++] = v;
    return KLDVE_OK;
}

static kldve_status reserve(kx_builder *b)
{
    const kx_model *m = b->model;
    kx_graph *g = b->g;
    size_t values = KX_SPARE + (size_t)m->ninitializer + (size_t)m->ninput;
    size_t nodes = KX_SPARE + 1;

    for (int32_t i = 0; i < m->nnode; i++) {
        const kx_op *op = find_op(b, &m->node[i]);
        size_t more = op && op->expand ? (size_t)kx_expanded(m->node[i].nin) : 0;

        nodes += 1 + more;
        values += (size_t)m->node[i].nout + more;
        for (int32_t k = 0; k < m->node[i].nattr; k++)
            values += m->node[i].attr[k].t != NULL;
    }
    if (values > INT32_MAX || nodes > INT32_MAX)
        return kx_nomem(g);
    b->capacity = (int32_t)values;
    b->room = (int32_t)nodes;
    g->value = kx_new(g, values, sizeof(kx_value *));
    g->node = kx_new(g, nodes, sizeof *g->node);
    g->input = kx_new(g, (size_t)m->ninput, sizeof *g->input);
    g->output = kx_new(g, (size_t)m->noutput, sizeof *g->output);
    if (!g->value || !g->node || !g->input || !g->output ||
        !kx_names_init(&b->values, &g->arena, values))
        return kx_nomem(g);
    return KLDVE_OK;
}

static kldve_status build(kx_builder *b)
{
    const kx_model *m = b->model;
    kldve_status st;

    if ((st = reserve(b)) < 0 || (st = index_producers(b)) < 0 || (st = sort_nodes(b)) < 0)
        return st;
    for (int32_t i = 0; i < m->ninitializer; i++) {
        kx_value *v;

        if (kx_names_find(&b->values, m->initializer[i].name))
            return kldve_ctx_failf(b->g->ctx, KLDVE_E_FORMAT, "two tensors are named '%.80s'",
                                   m->initializer[i].name);
        if ((st = constant(b, &m->initializer[i], &v)) < 0)
            return st;
        kx_names_set(&b->values, v->name, v);
    }
    for (int32_t i = 0; i < m->ninput; i++)
        if ((st = add_input(b, &m->input[i])) < 0)
            return st;
    for (int32_t i = 0; i < b->norder; i++)
        if ((st = add_node(b, &m->node[b->order[i]])) < 0)
            return st;
    b->g->opset = m->opset;
    for (int32_t i = 0; i < m->noutput; i++)
        if ((st = add_output(b, &m->output[i])) < 0)
            return st;
    return KLDVE_OK;
}

kldve_status kx_graph_new(kldve_ctx *ctx, const kx_model *model, const kx_graph_options *options,
                          kx_graph **out)
{
    kx_builder b = {.model = model, .options = *options};
    kldve_status st;

    b.g = kldve_ctx_alloc(ctx, 1, sizeof *b.g);
    if (!b.g)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while reading the network");
    memset(b.g, 0, sizeof *b.g);
    b.g->ctx = ctx;
    b.g->opset = model->opset;
    kx_arena_init(&b.g->arena, ctx);
    if ((st = build(&b)) < 0) {
        kx_graph_free(b.g);
        return st;
    }
    *out = b.g;
    return KLDVE_OK;
}
