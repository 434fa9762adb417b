/* onnx.c - the public face of the engine: load a network, list its tensors, be a backend. */
#include <kldve/onnx.h>

#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "graph/graph.h"
#include "load.h"
#include "plan/plan.h"
#include "read/proto.h"

struct kldve_onnx {
    kldve_ctx *ctx;
    kx_model *model;
    kx_graph *graph;
    kx_plan *plan;
    kx_value *input, *layer, *logits;
    int32_t batch;      /* inputs at once */
    kx_plan *many_plan; /* for them, with one thread each; NULL: there is one input */
    int32_t ntensor;
    kx_value **tensor; /* the input and what nodes make, in order */
    bool plain;        /* KLDVE_ONNX_PLAIN */
    kx_plan_options options; /* of the plan */
    bool *on_path;     /* by value id: lies between input and logits */
    int8_t *axis;      /* by value id: of the channels, KX_CHANNELS_... */
    kx_value *file_input, *file_layer; /* as the file has them, perhaps with channels last */
};

enum { DEFAULT_SIDE = 224, MAX_THREADS = 1024, MAX_BATCH = 1024 };
static const size_t default_max_bytes = (size_t)1 << 30;

/* ---- choosing input, logits and layer ---------------------------------------------------------
 */

static kldve_status choose_input(kldve_onnx *net)
{
    const kx_graph *g = net->graph;

    if (g->ninput != 1)
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                               "the network has %d inputs, one picture is expected", g->ninput);
    net->input = g->input[0];
    if (net->input->shape.rank != 4 || net->input->dtype != KX_F32 || net->input->count == 0 ||
        net->input->shape.dim[0] != 1)
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                               "input '%.80s' is not float32 [1][channels][height][width] or "
                               "[1][height][width][channels]",
                               net->input->name);
    return kx_channel_axes(net->graph, net->input, &net->axis);
}

static const kx_node *maker(const kldve_onnx *net, const kx_value *v)
{
    return v->producer < 0 ? NULL : &net->graph->node[v->producer];
}

/* The scores before a trailing Softmax (or LogSoftmax, or a pure reshaping behind one). */
static kx_value *before_softmax(const kldve_onnx *net, kx_value *v)
{
    kx_value *at = v;

    for (const kx_node *n = maker(net, at); n; n = maker(net, at)) {
        if (strcmp(n->type, "Softmax") == 0 || strcmp(n->type, "LogSoftmax") == 0)
            return n->in[0];
        if (strcmp(n->type, "Reshape") != 0 && strcmp(n->type, "Flatten") != 0 &&
            strcmp(n->type, "Squeeze") != 0 && strcmp(n->type, "Unsqueeze") != 0 &&
            strcmp(n->type, "Identity") != 0)
            return v;
        at = n->in[0];
    }
    return v;
}

static kldve_status find_named(kldve_onnx *net, const char *what, const char *name, kx_value **out)
{
    *out = kx_graph_find(net->graph, name);
    if (!*out || (*out)->raw)
        return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                               "there is no tensor or node '%.80s' to be the %s; list them with "
                               "`kldve layers`",
                               name, what);
    return KLDVE_OK;
}

static kldve_status choose_logits(kldve_onnx *net, const char *name)
{
    const kx_graph *g = net->graph;
    kldve_status st;

    if (name) {
        if ((st = find_named(net, "logits", name, &net->logits)) < 0)
            return st;
    } else {
        if (g->noutput < 1)
            return kldve_ctx_fail(net->ctx, KLDVE_E_FORMAT, "the network has no output");
        net->logits = before_softmax(net, g->output[0]);
    }
    if (net->logits->dtype != KX_F32 || net->logits->raw || net->logits->count > INT32_MAX)
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                               "the logits '%.80s' are not scores computed from the picture",
                               net->logits->name);
    return KLDVE_OK;
}

/* Mark what depends on the input and what the logits depend on. */
static kldve_status find_path(kldve_onnx *net)
{
    kx_graph *g = net->graph;
    bool *after = kx_new(g, (size_t)g->nvalue, sizeof *after);
    bool *before = kx_new(g, (size_t)g->nvalue, sizeof *before);

    if (!after || !before)
        return kx_nomem(g);
    after[net->input->id] = true;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t k = 0; k < g->node[i].nin; k++)
            if (g->node[i].in[k] && after[g->node[i].in[k]->id])
                for (int32_t o = 0; o < g->node[i].nout; o++)
                    if (g->node[i].out[o])
                        after[g->node[i].out[o]->id] = true;
    before[net->logits->id] = true;
    for (int32_t i = g->nnode - 1; i >= 0; i--)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o] && before[g->node[i].out[o]->id])
                for (int32_t k = 0; k < g->node[i].nin; k++)
                    if (g->node[i].in[k])
                        before[g->node[i].in[k]->id] = true;
    for (int32_t i = 0; i < g->nvalue; i++)
        before[i] = before[i] && after[i];
    net->on_path = before;
    if (!before[net->input->id])
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                               "the logits '%.80s' do not depend on the picture",
                               net->logits->name);
    return KLDVE_OK;
}

static bool explainable(const kldve_onnx *net, const kx_value *v)
{
    return v != net->file_input && net->on_path[v->id] && v->dtype == KX_F32 && v->shape.rank == 4 &&
           v->shape.dim[0] == 1 && v->count > 0 && net->axis[v->id] != KX_CHANNELS_NOWHERE;
}

static bool has_cells(const kldve_onnx *net, const kx_value *v)
{
    return v->count > (size_t)v->shape.dim[net->axis[v->id]];
}

static kldve_status choose_layer(kldve_onnx *net, const char *name)
{
    kldve_status st;

    if (name) {
        if ((st = find_named(net, "layer", name, &net->layer)) < 0)
            return st;
        if (!explainable(net, net->layer))
            return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                                   "'%.80s' cannot be the layer: it is not [1][maps][height]"
                                   "[width] or [1][height][width][maps] between input and logits",
                                   name);
        return KLDVE_OK;
    }
    for (int32_t i = net->graph->nnode - 1; i >= 0 && !net->layer; i--)
        for (int32_t o = 0; o < net->graph->node[i].nout; o++) {
            kx_value *v = net->graph->node[i].out[o];

            if (v && v != net->logits && explainable(net, v) && has_cells(net, v))
                net->layer = v;
        }
    if (!net->layer)
        return kldve_ctx_fail(net->ctx, KLDVE_E_UNSUPPORTED,
                              "the network has no layer with more than one spatial cell");
    return KLDVE_OK;
}

static kldve_status list_tensors(kldve_onnx *net)
{
    const kx_graph *g = net->graph;

    net->tensor = kx_new(net->graph, (size_t)g->nvalue + 1, sizeof *net->tensor);
    if (!net->tensor)
        return kx_nomem(net->graph);
    net->tensor[net->ntensor++] = net->input;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o] && net->on_path[g->node[i].out[o]->id])
                net->tensor[net->ntensor++] = g->node[i].out[o];
    return KLDVE_OK;
}

/* ---- loading ------------------------------------------------------------------------------------
 */

kldve_status kx_options_load(kldve_ctx *ctx, const kldve_onnx_options *from, kldve_onnx_options *to)
{
    const uint64_t known =
        KLDVE_ONNX_VJP_INPUT | KLDVE_ONNX_NO_VJP | KLDVE_ONNX_PLAIN | KLDVE_ONNX_DIRECT;
    kldve_status st = kldve_struct_load(ctx, "kldve_onnx_options", from, to, sizeof *to);

    if (st < 0)
        return st;
    if (to->threads < 0 || to->threads > MAX_THREADS || to->in_height < 0 || to->in_width < 0 ||
        to->batch < KLDVE_ONNX_BATCH_AUTO || to->batch > MAX_BATCH || (to->flags & ~known))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_options: a value is out of range");
    return KLDVE_OK;
}

static kldve_status plan(kldve_onnx *net, const kldve_onnx_options *o)
{
    kx_plan_options p = {.input = net->input,
                         .layer = net->layer,
                         .logits = net->logits,
                         .vjp = !(o->flags & KLDVE_ONNX_NO_VJP),
                         .vjp_input = (o->flags & KLDVE_ONNX_VJP_INPUT) != 0,
                         .plain = (o->flags & KLDVE_ONNX_PLAIN) != 0,
                         .direct = (o->flags & KLDVE_ONNX_DIRECT) != 0,
                         .threads = o->threads ? o->threads : omp_get_max_threads(),
                         .max_bytes = default_max_bytes};

    net->plain = p.plain;
    net->options = p;
    return kx_plan_new(net->ctx, net->graph, &p, &net->plan);
}

/* What callers see has its channels first. */
static kldve_status have_channels_first(kldve_onnx *net)
{
    bool input = net->axis[net->input->id] == KX_CHANNELS_LAST;
    kldve_status st = KLDVE_OK;

    net->file_input = net->input;
    net->file_layer = net->layer;
    if (net->axis[net->layer->id] == KX_CHANNELS_LAST)
        st = kx_channels_first(net->graph, &net->layer);
    if (st == KLDVE_OK && input)
        st = kx_channels_first_input(net->graph, &net->input);
    return st;
}

/* Enough for every thread, and for dense layers to gain. */
static int32_t choose_batch(const kldve_onnx *net)
{
    size_t room = default_max_bytes / (net->many_plan->state_bytes + 1);
    size_t wish = net->options.threads > 4 ? (size_t)net->options.threads : 4;

    return (int32_t)(wish < room ? wish : room);
}

/* Several inputs go through one after the other on every core: steps of one thread each. */
static kldve_status plan_many(kldve_onnx *net, int32_t batch)
{
    kx_plan_options p = net->options;
    kldve_status st;

    net->batch = 1;
    if (batch == 0 || batch == 1)
        return KLDVE_OK;
    p.threads = 1;
    p.vjp_input = false;
    p.lender = net->plan;
    if ((st = kx_plan_new(net->ctx, net->graph, &p, &net->many_plan)) < 0)
        return st;
    net->batch = batch == KLDVE_ONNX_BATCH_AUTO ? choose_batch(net) : batch;
    if (net->batch > 1)
        return KLDVE_OK;
    kx_plan_free(net->many_plan); /* there is room for one */
    net->many_plan = NULL;
    net->batch = 1;
    return KLDVE_OK;
}

static kldve_status prepare(kldve_onnx *net, const kldve_onnx_options *o)
{
    const kx_graph_options shape = {.batch = 1,
                                    .height = o->in_height ? o->in_height : DEFAULT_SIDE,
                                    .width = o->in_width ? o->in_width : DEFAULT_SIDE};
    kldve_status st;

    if ((st = kx_graph_new(net->ctx, net->model, &shape, &net->graph)) < 0 ||
        (st = choose_input(net)) < 0 || (st = choose_logits(net, o->logits)) < 0 ||
        (st = find_path(net)) < 0 || (st = choose_layer(net, o->layer)) < 0 ||
        (st = list_tensors(net)) < 0 || (st = have_channels_first(net)) < 0 ||
        (st = plan(net, o)) < 0)
        return st;
    return plan_many(net, o->batch);
}

static kldve_status load(kldve_ctx *ctx, const char *path, const void *bytes, size_t nbytes,
                         const kldve_onnx_options *options, kldve_onnx **out)
{
    kldve_onnx_options o;
    kldve_onnx *net;
    kldve_status st = kx_options_load(ctx, options, &o);

    if (st < 0)
        return st;
    net = kldve_ctx_alloc(ctx, 1, sizeof *net);
    if (!net)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while loading the network");
    memset(net, 0, sizeof *net);
    net->ctx = ctx;
    st = path ? kx_model_open(ctx, path, &net->model)
              : kx_model_read(ctx, bytes, nbytes, &net->model);
    if (st < 0)
        goto fail; /* the reader's message names the file */
    if ((st = prepare(net, &o)) < 0) {
        char why[400];

        strncpy(why, kldve_ctx_message(ctx), sizeof why - 1);
        why[sizeof why - 1] = 0;
        if (path)
            kldve_ctx_failf(ctx, st, "%s: %s", path, why);
        goto fail;
    }
    *out = net;
    return KLDVE_OK;
fail:
    kldve_onnx_free(net);
    return st;
}

kldve_status kldve_onnx_load(kldve_ctx *ctx, const char *path, const kldve_onnx_options *options,
                             kldve_onnx **out)
{
    if (!ctx || !path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_load: NULL argument");
    return load(ctx, path, NULL, 0, options, out);
}

kldve_status kldve_onnx_load_memory(kldve_ctx *ctx, const void *bytes, size_t nbytes,
                                    const kldve_onnx_options *options, kldve_onnx **out)
{
    if (!ctx || !bytes || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_load_memory: NULL argument");
    return load(ctx, NULL, bytes, nbytes, options, out);
}

void kldve_onnx_free(kldve_onnx *net)
{
    if (!net)
        return;
    kx_plan_free(net->many_plan);
    kx_plan_free(net->plan);
    kx_graph_free(net->graph);
    kx_model_free(net->model);
    kldve_ctx_release(net->ctx, net);
}

kldve_status kldve_onnx_tensor_at(const kldve_onnx *net, int32_t index, kldve_onnx_tensor *out)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    const kx_value *v;

    if (!net || index < 0 || index >= net->ntensor)
        return KLDVE_E_ARG;
    v = net->tensor[index];
    t.name = v->name;
    t.op = v == net->file_input ? "" : net->graph->node[v->producer].type;
    t.rank = v->shape.rank;
    t.explainable = explainable(net, v);
    t.is_layer = v == net->file_layer;
    t.is_logits = v == net->logits;
    t.channel_axis = t.rank == 4 ? net->axis[v->id] : 0;
    memcpy(t.dim, v->shape.dim, sizeof t.dim);
    /* Without a context: threads share the network. */
    return kldve_struct_store(NULL, "kldve_onnx_tensor", &t, sizeof t, out);
}

/* ---- the backend
 * ---------------------------------------------------------------------------------- */

/* Backward passes with a plan of their own: one for each LRP rule, one for the biases. */
enum {
    EXTRA_LRP = 0,
    EXTRA_BIASES = KLDVE_RULE_LRP_COMPOSITE - KLDVE_RULE_LRP_EPSILON + 1,
    EXTRAS
};

typedef struct onnx_state {
    const kldve_onnx *net;
    kldve_ctx *ctx;
    kx_state *run;
    kx_many *many; /* `batch` inputs at once; NULL until asked for */
    float *input;  /* of the last forward pass, for extra plans; NULL: not kept */
    uint64_t pass; /* its number; 0: there is none to look back on */
    uint64_t passes;             /* forward passes so far */
    kx_extra *extra[EXTRAS];     /* NULL until asked for */
    uint64_t extra_pass[EXTRAS]; /* the forward pass that each has repeated */
} onnx_state;

static void backend_close(void *state)
{
    onnx_state *s = state;

    if (!s)
        return;
    for (int i = 0; i < EXTRAS; i++)
        kx_extra_free(s->extra[i]);
    kx_many_free(s->many);
    kx_state_free(s->run);
    kldve_ctx_release(s->ctx, s->input);
    kldve_ctx_release(s->ctx, s);
}

static kldve_status backend_open(kldve_ctx *ctx, const void *config, void **state)
{
    onnx_state *s;
    kldve_status st;

    if (!config)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "the backend's config is a kldve_onnx");
    s = kldve_ctx_alloc(ctx, 1, sizeof *s);
    if (!s)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while opening the network");
    memset(s, 0, sizeof *s);
    s->net = config;
    s->ctx = ctx;
    if ((st = kx_state_new(ctx, s->net->plan, &s->run)) < 0)
        goto fail;
    if (s->net->options.vjp_input) {
        s->input = kldve_ctx_alloc(ctx, s->net->input->count, sizeof *s->input);
        if (!s->input) {
            st = kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while opening the network");
            goto fail;
        }
    }
    *state = s;
    return KLDVE_OK;
fail:
    backend_close(s);
    return st;
}

static void backend_shape(const void *state, kldve_shape *out)
{
    const kldve_onnx *net = ((const onnx_state *)state)->net;
    const int64_t *in = net->input->shape.dim, *map = net->layer->shape.dim;

    out->in_channels = (int32_t)in[1];
    out->in_height = (int32_t)in[2];
    out->in_width = (int32_t)in[3];
    out->classes = (int32_t)net->logits->count;
    out->maps = (int32_t)map[1];
    out->height = (int32_t)map[2];
    out->width = (int32_t)map[3];
    out->batch = net->batch;
}

static kldve_status backend_forward(void *state, const float *input, float *logits, float *features)
{
    onnx_state *s = state;
    kldve_status st = kx_state_forward(s->run, input, logits, features);

    s->pass = st == KLDVE_OK ? ++s->passes : 0;
    if (s->input)
        memcpy(s->input, input, s->net->input->count * sizeof *input);
    return st;
}

static kldve_status backend_vjp(void *state, const float *cotangent, float *gradient)
{
    return kx_state_vjp(((onnx_state *)state)->run, 0, KLDVE_RULE_GRADIENT, cotangent, gradient);
}

/* The state of an extra plan, made if need be, at the last forward pass. */
static kldve_status extra_at_pass(onnx_state *s, int which, int32_t rule, kx_state **out)
{
    kx_plan_options o = s->net->options;
    kldve_status st;

    if (s->net->plain)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED,
                              "KLDVE_ONNX_PLAIN knows the true gradient only");
    if (!s->input)
        return kldve_ctx_fail(s->ctx, KLDVE_E_NO_VJP,
                              "the network was loaded without KLDVE_ONNX_VJP_INPUT");
    if (!s->pass)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG, "a VJP needs a forward pass before it");
    if (!s->extra[which]) {
        o.layer = NULL;
        o.vjp = false;
        o.lender = s->net->plan;
        o.rule = rule;
        o.biases = which == EXTRA_BIASES;
        if ((st = kx_extra_new(s->ctx, s->net->graph, &o, &s->extra[which])) < 0)
            return st;
    }
    *out = kx_extra_state(s->extra[which]);
    if (s->extra_pass[which] != s->pass) {
        if ((st = kx_state_forward(*out, s->input, NULL, NULL)) < 0)
            return st;
        s->extra_pass[which] = s->pass;
    }
    return KLDVE_OK;
}

static kldve_status backend_vjp_input(void *state, const float *cotangent, int32_t rule,
                                      float *gradient)
{
    onnx_state *s = state;
    kx_state *run = s->run;
    kldve_status st;

    if (rule < KLDVE_RULE_GRADIENT || rule > KLDVE_RULE_SALIENT_DECONVOLUTION)
        return kldve_ctx_failf(s->ctx, KLDVE_E_UNSUPPORTED,
                               "the ONNX engine has no backward rule %d", rule);
    if (rule != KLDVE_RULE_GRADIENT && s->net->plain)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED,
                              "KLDVE_ONNX_PLAIN knows the true gradient only");
    if (kx_rule_is_lrp(rule) &&
        (st = extra_at_pass(s, EXTRA_LRP + rule - KLDVE_RULE_LRP_EPSILON, rule, &run)) < 0)
        return st;
    return kx_state_vjp(run, 1, rule, cotangent, gradient);
}

static kldve_status backend_vjp_biases(void *state, const float *cotangent, float *gradient,
                                       kldve_bias_visitor visit, void *opaque)
{
    onnx_state *s = state;
    kx_state *run;
    kldve_status st = extra_at_pass(s, EXTRA_BIASES, KLDVE_RULE_GRADIENT, &run);

    return st < 0 ? st : kx_state_vjp_biases(run, cotangent, gradient, visit, opaque);
}

static kldve_status backend_forward_features(void *state, const float *features, float *logits)
{
    onnx_state *s = state;

    s->pass = 0;
    return kx_state_forward_features(s->run, features, logits);
}

static kldve_status can_many(const onnx_state *s)
{
    if (s->net->batch > 1)
        return KLDVE_OK;
    return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED,
                          "the network was loaded without kldve_onnx_options.batch");
}

/* The states of a batch are made with the first one: who never has one does not pay for them. */
static kldve_status backend_forward_many(void *state, const float *inputs, float *logits,
                                         float *features)
{
    onnx_state *s = state;
    const kldve_onnx *net = s->net;
    kldve_status st = can_many(s);

    if (st < 0 || (!s->many && (st = kx_many_new(s->ctx, net->many_plan, net->batch,
                                                 net->options.threads, &s->many)) < 0))
        return st;
    return kx_many_forward(s->many, inputs, logits, features);
}

static kldve_status backend_vjp_many(void *state, const float *cotangents, float *gradients)
{
    onnx_state *s = state;
    kldve_status st = can_many(s);

    if (st < 0)
        return st;
    if (!s->many)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG, "a VJP needs a forward pass before it");
    return kx_many_vjp(s->many, cotangents, gradients);
}

const kldve_backend *kldve_onnx_backend(void)
{
    static const kldve_backend backend = {.struct_size = sizeof backend,
                                          .name = "onnx",
                                          .open = backend_open,
                                          .shape = backend_shape,
                                          .forward = backend_forward,
                                          .close = backend_close,
                                          .vjp = backend_vjp,
                                          .vjp_input = backend_vjp_input,
                                          .forward_features = backend_forward_features,
                                          .vjp_biases = backend_vjp_biases,
                                          .forward_many = backend_forward_many,
                                          .vjp_many = backend_vjp_many};

    return &backend;
}
