/* build.c - model -> graph: names resolved, nodes sorted, shapes inferred, constants folded. */
#include "build.h"

#include <assert.h>
#include <string.h>

#include "elements.h"
#include "read/names.h"
#include "read/proto.h"

/* Results of constant folding that are larger, or come when the sum is reached, are computed at run
 * time instead: a small file must not be able to ask for much memory here (an Expand of a scalar,
 * say). */
enum { MAX_FOLDED_BYTES = 64 << 20, MAX_FOLDED_SUM = 256 << 20 };

typedef struct builder {
    kx_graph *g;
    const kx_model *model;
    kx_graph_options options;
    kx_names values;    /* name -> kx_value, what is defined so far */
    kx_names producers; /* output name -> kx_proto_node */
    size_t folded;      /* bytes of results of constant folding */
    int32_t *order;     /* file indices of the nodes that the outputs need, sorted */
    int32_t norder;
} builder;

static kldve_status constant(builder *b, const kx_proto_tensor *t, kx_value **out)
{
    kx_graph *g = b->g;
    kx_value *v = kx_value_new(g, t->name ? t->name : "");

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
static kldve_status sort_nodes(builder *b)
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

static kldve_status index_producers(builder *b)
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

static kldve_status convert_attr(builder *b, const kx_proto_attr *from, kx_attr *to)
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

static kldve_status connect(builder *b, const kx_proto_node *from, kx_node *n)
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
        n->out[i] = kx_value_new(g, from->out[i]);
        if (!n->out[i])
            return kx_nomem(g);
        n->out[i]->producer = n->index;
    }
    return KLDVE_OK;
}

static void as_tensor(kx_graph *g, const kx_value *v, kx_tensor *t)
{
    memset(t, 0, sizeof *t);
    if (!v)
        return;
    t->dtype = v->dtype;
    t->shape = v->shape;
    t->count = v->count;
    t->data = (void *)(uintptr_t)kx_value_data(g, v); /* only read */
}

/* infer() knew every output. */
static bool known(const kx_node *n)
{
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i] && !n->out[i]->raw)
            return false;
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i])
            n->out[i]->producer = -1;
    return true;
}

/* A node whose inputs are all constant becomes constants itself. */
static kldve_status fold(builder *b, kx_node *n, bool *folded)
{
    kx_graph *g = b->g;
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT];
    size_t scratch_size = n->op->scratch_size ? n->op->scratch_size(n) : 0, sum = b->folded;
    void *scratch = NULL;

    assert(n->nin <= KX_MAX_IN && n->nout <= KX_MAX_OUT);
    *folded = known(n);
    if (*folded)
        return KLDVE_OK;
    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && !n->in[i]->raw)
            return KLDVE_OK;
    for (int32_t i = 0; i < n->nout; i++) {
        size_t bytes = n->out[i] ? n->out[i]->count * kx_dtype_size(n->out[i]->dtype) : 0;

        sum += bytes; /* no overflow: each has at most 2^40 */
        if (bytes > MAX_FOLDED_BYTES)
            return KLDVE_OK;
    }
    sum += scratch_size;
    if (scratch_size > MAX_FOLDED_BYTES || sum > MAX_FOLDED_SUM)
        return KLDVE_OK;
    b->folded = sum;
    for (int32_t i = 0; i < n->nin; i++) {
        as_tensor(g, n->in[i], &in[i]);
        if (n->in[i] && !in[i].data)
            return kx_nomem(g);
    }
    for (int32_t i = 0; i < n->nout; i++) {
        as_tensor(g, n->out[i], &out[i]);
        if (n->out[i]) {
            out[i].data = kx_new(g, out[i].count, kx_dtype_size(out[i].dtype));
            if (!out[i].data)
                return kx_nomem(g);
        }
    }
    if (scratch_size && !(scratch = kx_new(g, scratch_size, 1)))
        return kx_nomem(g);
    assert(n->op->forward);
    n->op->forward(&(kx_op_call){.node = n, .in = in, .out = out, .scratch = scratch});
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i]) {
            n->out[i]->raw = out[i].data;
            n->out[i]->producer = -1;
        }
    *folded = true;
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

static bool is_quantised(const char *type)
{
    return strstr(type, "uantizeLinear") || strncmp(type, "QLinear", 7) == 0 ||
           strcmp(type, "ConvInteger") == 0 || strcmp(type, "MatMulInteger") == 0;
}

static kldve_status add_node(builder *b, const kx_proto_node *from)
{
    kx_graph *g = b->g;
    kx_node *n = &g->node[g->nnode];
    kldve_status st;
    bool folded;

    assert(g->nnode < b->model->nnode);
    memset(n, 0, sizeof *n);
    n->index = g->nnode;
    n->type = from->type;
    n->name = from->name && *from->name ? from->name : from->nout ? from->out[0] : "";
    g->opset = from->opset ? from->opset : b->model->opset; /* a function may have its own */
    n->op =
        kx_op_find(strcmp(from->domain, "ai.onnx") == 0 ? "" : from->domain, from->type, g->opset);
    if (!n->op && is_quantised(from->type))
        return kx_refuse(g, n,
                         "the network is quantised and has no derivative: use the "
                         "floating-point network that it was made from");
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
    if ((st = connect(b, from, n)) < 0 || (st = n->op->infer(g, n)) < 0 ||
        (st = check_attributes(g, n)) < 0 || (st = fold(b, n, &folded)) < 0)
        return st;
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i])
            kx_names_set(&b->values, n->out[i]->name, n->out[i]);
    if (!folded)
        g->nnode++;
    return KLDVE_OK;
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

static kldve_status add_input(builder *b, const kx_proto_value *from)
{
    kx_graph *g = b->g;
    kx_value *v;

    if (kx_names_find(&b->values, from->name))
        return KLDVE_OK; /* an initializer that is also listed as an input */
    if (!(v = kx_value_new(g, from->name)))
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

static kldve_status add_output(builder *b, const kx_proto_value *from)
{
    kx_value *v = kx_names_find(&b->values, from->name);

    if (!v)
        return kldve_ctx_failf(b->g->ctx, KLDVE_E_FORMAT, "no node produces the output '%.80s'",
                               from->name);
    b->g->output[b->g->noutput++] = v;
    return KLDVE_OK;
}

static kldve_status reserve(builder *b)
{
    const kx_model *m = b->model;
    kx_graph *g = b->g;
    size_t values = (size_t)m->ninitializer + (size_t)m->ninput;

    for (int32_t i = 0; i < m->nnode; i++) {
        values += (size_t)m->node[i].nout;
        for (int32_t k = 0; k < m->node[i].nattr; k++)
            values += m->node[i].attr[k].t != NULL;
    }
    if (values > INT32_MAX)
        return kx_nomem(g);
    g->value_room = (int32_t)values;
    g->node_room = m->nnode + 1;
    g->value = kx_new(g, values, sizeof(kx_value *));
    g->node = kx_new(g, (size_t)m->nnode + 1, sizeof *g->node);
    g->input = kx_new(g, (size_t)m->ninput, sizeof *g->input);
    g->output = kx_new(g, (size_t)m->noutput, sizeof *g->output);
    if (!g->value || !g->node || !g->input || !g->output ||
        !kx_names_init(&b->values, &g->arena, values))
        return kx_nomem(g);
    return KLDVE_OK;
}

static kldve_status build(builder *b)
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
    builder b = {.model = model, .options = *options};
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
