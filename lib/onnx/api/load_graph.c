/* load_graph.c - the model of a network becomes its graph, for one picture where the file allows
 * that. */
#include "load.h"

#include <stdio.h>
#include <string.h>

#include "build/build.h"
#include "graph/final.h"

enum { SELECT_ITEM = 16 /* bytes of "[N]" */, WHY = 300 };

static kldve_status say(void *opaque, const char *text)
{
    kldve_onnx *net = opaque;

    return kx_say(&net->choice.notes, "%s", text) == KLDVE_OK
               ? KLDVE_OK
               : kldve_ctx_fail(net->ctx, KLDVE_E_NOMEM, "out of memory while loading the network");
}

/* What was said the first time. */
static kldve_status say_nothing(void *opaque, const char *text)
{
    (void)opaque;
    (void)text;
    return KLDVE_OK;
}

/* The tensors that a selection names, which are all that the graph has to compute: what a file does
 * behind them, as choosing boxes, is not looked at.  *count 0: all outputs of the file. */
static kldve_status named_tensors(kldve_ctx *ctx, const kldve_onnx_options *o,
                                  char name[3][KX_SELECT_NAME], int32_t *count)
{
    const char *const text[3] = {o->select, o->boxes, o->objects};
    const char *items;
    kldve_status st;

    *count = 0;
    for (int i = 0; i < 3; i++) {
        if (!text[i])
            continue;
        if ((st = kx_select_name(ctx, text[i], name[*count], &items)) < 0)
            return st;
        if (!*name[*count]) { /* the only output */
            *count = 0;
            return KLDVE_OK;
        }
        ++*count;
    }
    return KLDVE_OK;
}

/* A detector that chooses among its rows ends where it begins to: what comes then has as many
 * elements as the picture makes it have. */
static kldve_status end_before_choosing(kldve_onnx *net, bool listing, kx_graph_options *shape)
{
    kldve_status st = kx_find_frontier(net->ctx, &net->arena, &net->inputs.model, &net->frontier);

    shape->output = net->frontier.name;
    shape->noutput = net->frontier.count;
    if (st == KLDVE_OK && listing && net->frontier.suppressor)
        st = say(net,
                 "the file keeps boxes by their scores: the tensors are those in front of that");
    return st;
}

enum { MOST_TRIED = 16, WHY_SIZE = 400 };

/* A detector that the engine cannot compute to its end may still have rows to explain. */
static kldve_status name_way_out(kldve_onnx *net)
{
    char why[WHY_SIZE];
    kx_frontier frontier;

    snprintf(why, sizeof why, "%s", kldve_ctx_message(net->ctx));
    if (kx_find_frontier(net->ctx, &net->arena, &net->inputs.model, &frontier) < 0 ||
        !frontier.suppressor || strstr(why, "--box"))
        return kldve_ctx_fail(net->ctx, KLDVE_E_UNSUPPORTED, why);
    return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                           "%s; the file keeps boxes by their scores: --box best explains one of "
                           "them, and kldve layers lists the tensors in front of that",
                           why);
}

/* What the graph was built with; the names may be the caller's. */
static kldve_status keep_built(kldve_onnx *net, const kx_graph_options *o)
{
    const char **output = kx_arena_alloc(&net->arena, (size_t)o->noutput, sizeof *output);

    net->built = *o;
    net->built.output = output;
    for (int32_t i = 0; output && i < o->noutput; i++) {
        size_t size = strlen(o->output[i]) + 1;
        char *name = kx_arena_alloc(&net->arena, size, 1);

        output[i] = name ? memcpy(name, o->output[i], size) : NULL;
        if (!name)
            output = NULL;
    }
    return output
               ? KLDVE_OK
               : kldve_ctx_fail(net->ctx, KLDVE_E_NOMEM, "out of memory while loading the network");
}

/* Of several outputs those that the engine can compute: a file may put out texts, such as names of
 * classes, beside its scores.  `st` and `why` are of all together. */
static kldve_status build_some(kldve_onnx *net, kx_graph_options *shape, bool quiet,
                               kldve_status st, const char *why)
{
    const kx_model *m = &net->inputs.model;
    const char *name[MOST_TRIED], *left_out = NULL;
    int32_t kept = 0, out = 0;

    for (int32_t i = 0; i < m->noutput && m->noutput <= MOST_TRIED; i++) {
        kx_graph *g = NULL;
        kldve_status alone;

        shape->output = &m->output[i].name;
        shape->noutput = 1;
        alone = kx_graph_new(net->ctx, m, shape, &g);
        kx_graph_free(g);
        if (kx_is_final(alone))
            return alone;
        if (alone == KLDVE_OK)
            name[kept++] = m->output[i].name;
        else if (out++ == 0)
            left_out = m->output[i].name;
    }
    if (kept == 0 || kept == m->noutput)
        return kldve_ctx_fail(net->ctx, st, why);
    shape->output = name;
    shape->noutput = kept;
    if ((st = kx_graph_new(net->ctx, m, shape, &net->graph)) < 0 ||
        (st = keep_built(net, shape)) < 0)
        return st;
    if (quiet)
        return KLDVE_OK;
    st = out == 1 ? kx_say(&net->choice.notes, "output '%.60s' is left out: %.300s", left_out, why)
                  : kx_say(&net->choice.notes, "output '%.60s' and %d more are left out: %.300s",
                           left_out, (int)out - 1, why);
    return st < 0 ? KLDVE_E_NOMEM : KLDVE_OK;
}

static kldve_status build_outputs(kldve_onnx *net, kx_graph_options *shape, bool quiet)
{
    kldve_status st = kx_graph_new(net->ctx, &net->inputs.model, shape, &net->graph);
    char why[WHY_SIZE];

    if (st == KLDVE_OK)
        return keep_built(net, shape);
    if (st == KLDVE_E_UNSUPPORTED && shape->noutput == 0 && net->inputs.model.noutput > 1) {
        snprintf(why, sizeof why, "%s", kldve_ctx_message(net->ctx));
        st = build_some(net, shape, quiet, st, why);
    }
    return st == KLDVE_E_UNSUPPORTED ? name_way_out(net) : st;
}

static kldve_status build_graph(kldve_onnx *net, const kldve_onnx_options *o, bool keep_batch,
                                bool quiet)
{
    char name[3][KX_SELECT_NAME];
    const char *const output[3] = {name[0], name[1], name[2]};
    kx_graph_options shape = {.batch = 1, .output = output};
    const kx_input_options inputs = {
        .user = o, .keep_batch = keep_batch, .say = quiet ? say_nothing : say, .opaque = net};
    kldve_status st = kx_inputs_settle(net->ctx, &net->arena, net->model, &inputs, &net->inputs);

    if (st < 0 || (st = named_tensors(net->ctx, o, name, &shape.noutput)) < 0)
        return st;
    if ((o->flags & (KLDVE_ONNX_FLAG_PICK_ROW | KLDVE_ONNX_FLAG_LIST)) && !o->select &&
        (st = end_before_choosing(net, (o->flags & KLDVE_ONNX_FLAG_LIST) != 0, &shape)) < 0)
        return st;
    shape.input_type = net->inputs.type;
    if ((st = build_outputs(net, &shape, quiet)) < 0)
        return st;
    if (net->graph->ninput == 1)
        net->graph->input[0]->name = net->inputs.name;
    return KLDVE_OK;
}

/* Whether the outputs are those that the file declares, for one picture. */
static bool outputs_follow(const kldve_onnx *net, const kldve_onnx_options *o)
{
    const kx_model *m = net->model;

    if (o->select || net->frontier.count > 0) /* the graph ends in other tensors */
        return true;
    for (int32_t i = 0; i < net->graph->noutput; i++) {
        const kx_shape *has = &net->graph->output[i]->shape;
        const kx_proto_value *said = &m->output[i];

        for (int32_t k = 1; said->rank == has->rank && k < said->rank; k++)
            if (said->dim[k] > 0 && said->dim[k] != has->dim[k])
                return false;
        if (said->rank >= 0 && said->rank != has->rank)
            return false;
    }
    return true;
}

/* A batch that the file fixes: one picture if every shape allows that, else copies of it or those
 * that the user gives. */
static kldve_status build_batched(kldve_onnx *net, kldve_onnx_options *o)
{
    int64_t batch = net->inputs.batch;
    char *select = kx_arena_alloc(&net->arena, SELECT_ITEM, 1);
    kldve_status st;

    if (!select)
        return kldve_ctx_fail(net->ctx, KLDVE_E_NOMEM, "out of memory while loading the network");

    kx_graph_free(net->graph);
    net->graph = NULL;
    if ((st = build_graph(net, o, true, true)) < 0)
        return st;
    net->pictures = batch;
    snprintf(select, SELECT_ITEM, "[%d]", (int)o->item);
    if (!o->select) {
        o->select = select;
        net->item_selected = true;
    }
    return kx_say(&net->choice.notes,
                  o->pictures
                      ? "the network takes batches of %lld: the scores of picture %d are explained"
                      : "the network takes batches of %lld: all are the same picture, and the "
                        "scores of picture %d are explained",
                  (long long)batch, (int)o->item);
}

/* There must be a picture of that number. */
static kldve_status check_item(const kldve_onnx *net, const kldve_onnx_options *o)
{
    int64_t pictures = net->inputs.batch;

    if (o->pictures && o->shape[0] > pictures)
        pictures = o->shape[0];
    if (o->item < pictures)
        return KLDVE_OK;
    return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                           "picture %d of a batch: there are %lld, 0 to %lld", (int)o->item,
                           (long long)pictures, (long long)pictures - 1);
}

/* A network that leaves its size open and cannot have the one that was assumed: its message says
 * which it can have. */
static kldve_status suggest_size(kldve_onnx *net, const kldve_onnx_options *given, kldve_status st)
{
    static const int32_t sides[] = {256, 240, 320, 384, 192, 448, 512,
                                    640, 299, 128, 96,  64,  32,  28};
    kldve_onnx_options o = *given;
    char why[WHY];

    snprintf(why, sizeof why, "%s", kldve_ctx_message(net->ctx));
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        kldve_status found;

        kx_graph_free(net->graph);
        net->graph = NULL;
        o.in_height = o.in_width = sides[i];
        found = build_graph(net, &o, false, true);
        if (kx_is_final(found))
            return found;
        if (found == KLDVE_OK)
            return kldve_ctx_failf(
                net->ctx, st,
                "%s; the network leaves its size open: %d x %d was assumed, %d x %d "
                "works: give the size that it was trained with (--size)",
                why, (int)KX_DEFAULT_SIDE, (int)KX_DEFAULT_SIDE, (int)sides[i], (int)sides[i]);
    }
    return kldve_ctx_failf(net->ctx, st, "%s", why);
}

kldve_status kx_load_graph(kldve_onnx *net, kldve_onnx_options *o)
{
    kldve_status st = build_graph(net, o, false, false);
    bool batched = net->inputs.batch > 1;

    if (kx_is_final(st))
        return st;
    if ((st == KLDVE_OK || batched) && check_item(net, o) < 0)
        return KLDVE_E_ARG;
    if (batched && (st < 0 || !outputs_follow(net, o)))
        return build_batched(net, o);
    if (st == KLDVE_E_FORMAT && net->inputs.size_open && o->in_height == 0 && o->in_width == 0)
        return suggest_size(net, o, st);
    if (st < 0 || !batched)
        return st;
    return kx_say(&net->choice.notes,
                  "the network takes batches of %lld: it is run with one picture",
                  (long long)net->inputs.batch);
}
