/* build.c - model -> graph: names resolved, nodes sorted, shapes inferred, constants folded. */
#include "builder.h"
#include "read/limit.h"

#include <assert.h>
#include <string.h>

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

    if (kx_names_find(&b->scope->values, from->name))
        return KLDVE_OK; /* an initializer that is also listed as an input */
    if (!(v = kx_value_new(g, from->name)))
        return kx_nomem(g);
    if (!kx_dtype_of(from->dtype, &v->dtype))
        return kldve_ctx_failf(
            g->ctx, KLDVE_E_UNSUPPORTED, "input '%.80s': element type %d (%s) is not supported",
            v->name, from->dtype,
            from->dtype ? kx_onnx_type_name(from->dtype) : "a sequence or an optional");
    if (from->rank < 0)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "input '%.60s' has no shape: export the network with one", v->name);
    v->onnx_type = b->options.input_type && !g->ninput ? b->options.input_type : from->dtype;
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
    kx_names_set(&b->scope->values, v->name, v);
    return KLDVE_OK;
}

static kldve_status add_output(kx_builder *b, const kx_proto_value *from)
{
    kx_value *v = kx_names_find(&b->scope->values, from->name);

    if (!v)
        return kldve_ctx_failf(b->g->ctx, KLDVE_E_FORMAT, "no node produces the output '%.80s'",
                               from->name);
    if (v->is_sequence)
        return kldve_ctx_failf(
            b->g->ctx, KLDVE_E_UNSUPPORTED,
            "the output '%.80s' is a sequence of %d arrays: choose one of them as "
            "the scores (--logits)",
            from->name, (int)v->items);
    b->g->output[b->g->noutput++] = v;
    return KLDVE_OK;
}

static kldve_status reserve(kx_builder *b)
{
    const kx_model *m = b->model;
    kx_graph *g = b->g;
    size_t values = (size_t)m->ninitializer + (size_t)m->ninput, names;

    for (int32_t i = 0; i < m->nnode; i++)
        values += (size_t)m->node[i].nout;
    names = values;
    for (int32_t i = 0; i < m->nnode; i++)
        for (int32_t k = 0; k < m->node[i].nattr; k++)
            values += m->node[i].attr[k].t != NULL;
    g->input = kx_new(g, (size_t)m->ninput, sizeof *g->input);
    g->output = kx_new(g, (size_t)m->noutput, sizeof *g->output);
    if (!g->input || !g->output || !kx_names_init(&b->scope->values, &g->arena, names))
        return kx_nomem(g);
    return kx_graph_room(g, (size_t)m->nnode + 1, values);
}

static bool is_made(const kx_model *m, const char *name)
{
    for (int32_t i = 0; i < m->nnode; i++)
        for (int32_t k = 0; k < m->node[i].nout; k++)
            if (strcmp(m->node[i].out[k], name) == 0)
                return true;
    return false;
}

/* The outputs of the options, or the file's. */
static kldve_status find_outputs(kx_builder *b, kx_proto_graph *to)
{
    const kx_graph_options *o = &b->options;
    kx_proto_value *output;

    for (int32_t i = 0; i < o->noutput; i++)
        if (!is_made(b->model, o->output[i]))
            return KLDVE_OK;
    if (o->noutput == 0)
        return KLDVE_OK;
    output = kx_new(b->g, (size_t)o->noutput, sizeof *output);
    b->g->output = kx_new(b->g, (size_t)o->noutput, sizeof(kx_value *));
    if (!output || !b->g->output)
        return kx_nomem(b->g);
    for (int32_t i = 0; i < o->noutput; i++)
        output[i].name = o->output[i];
    to->output = output;
    to->noutput = o->noutput;
    return KLDVE_OK;
}

static kldve_status build(kx_builder *b)
{
    const kx_model *m = b->model;
    kx_proto_graph main_graph = {.nnode = m->nnode,
                                 .ninitializer = m->ninitializer,
                                 .noutput = m->noutput,
                                 .node = m->node,
                                 .initializer = m->initializer,
                                 .output = m->output};
    kldve_status st;

    if ((st = reserve(b)) < 0 || (st = find_outputs(b, &main_graph)) < 0 ||
        (st = kx_build_constants(b, &main_graph)) < 0)
        return st;
    for (int32_t i = 0; i < m->ninput; i++)
        if ((st = add_input(b, &m->input[i])) < 0)
            return st;
    if ((st = kx_build_nodes(b, &main_graph)) < 0)
        return st;
    b->g->opset = m->opset;
    for (int32_t i = 0; i < main_graph.noutput; i++)
        if ((st = add_output(b, &main_graph.output[i])) < 0)
            return st;
    return KLDVE_OK;
}

/* Weights of 8 bits become float32, and some of them are folded and transposed: so many times the
 * file may be needed in earnest. */
static size_t graph_limit(const kldve_ctx *ctx, size_t nbytes)
{
    enum { TIMES_FILE = 12 };
    size_t limit = kx_limit(ctx, KLDVE_LIMIT_GRAPH);

    return nbytes > limit / TIMES_FILE && nbytes < SIZE_MAX / TIMES_FILE ? nbytes * TIMES_FILE
                                                                         : limit;
}

kldve_status kx_graph_new(kldve_ctx *ctx, const kx_model *model, const kx_graph_options *options,
                          kx_graph **out)
{
    kx_scope scope = {.prefix = NULL};
    kx_builder b = {
        .model = model, .options = *options, .scope = &scope, .folded = {.file = model->nbytes}};
    kldve_status st;

    b.g = kldve_ctx_alloc(ctx, 1, sizeof *b.g);
    if (!b.g)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while reading the network");
    memset(b.g, 0, sizeof *b.g);
    b.g->ctx = ctx;
    b.g->model = model;
    b.g->opset = model->opset;
    kx_arena_init(&b.g->arena, ctx);
    b.g->arena.most = graph_limit(ctx, model->nbytes);
    if ((st = build(&b)) < 0) {
        kx_graph_free(b.g);
        return st;
    }
    *out = b.g;
    return KLDVE_OK;
}
