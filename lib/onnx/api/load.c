/* load.c - from a file or bytes to a planned network; what its tensors are. */
#include "load.h"

#include "build/build.h"
#include "given.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

enum { MAX_THREADS = 1024, MAX_BATCH = 1024 };
static const size_t default_max_bytes = (size_t)1 << 30;

kldve_status kx_options_load(kldve_ctx *ctx, const kldve_onnx_options *from, kldve_onnx_options *to)
{
    const uint64_t picks = KLDVE_ONNX_PICK_PLACE | KLDVE_ONNX_PICK_ROW;
    const uint64_t known = KLDVE_ONNX_NAMED | KLDVE_ONNX_LIST | KLDVE_ONNX_VJP_INPUT |
                           KLDVE_ONNX_NO_VJP | KLDVE_ONNX_PLAIN | KLDVE_ONNX_DIRECT | picks;
    kldve_status st = kldve_struct_load(ctx, "kldve_onnx_options", from, to, sizeof *to);

    if (st < 0)
        return st;
    if (to->threads < 0 || to->threads > MAX_THREADS)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: threads is %d, it must be 0 to %d",
                               (int)to->threads, MAX_THREADS);
    if (to->in_height < 0 || to->in_width < 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: the input is %d x %d, neither may be negative",
                               (int)to->in_height, (int)to->in_width);
    if (to->grid_height < 0 || to->grid_width < 0 || !to->grid_height != !to->grid_width)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: the grid is %d x %d, both must be above 0, or "
                               "both 0",
                               (int)to->grid_height, (int)to->grid_width);
    if (to->batch < KLDVE_ONNX_BATCH_AUTO || to->batch > MAX_BATCH)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: batch is %d, it must be %d to %d",
                               (int)to->batch, KLDVE_ONNX_BATCH_AUTO, MAX_BATCH);
    if (to->scores < 0 || to->scores > 1 + KLDVE_SCORES_NUMBER)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: scores is %d, it must be 0 to %d",
                               (int)to->scores, 1 + KLDVE_SCORES_NUMBER);
    if (to->reserved != 0)
        return kldve_ctx_fail(ctx, KLDVE_E_UNSUPPORTED,
                              "kldve_onnx_options: a reserved member is set, it must be 0");
    if ((to->flags & picks) == picks || (to->flags & picks && to->select))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "kldve_onnx_options: KLDVE_ONNX_PICK_PLACE, KLDVE_ONNX_PICK_ROW and "
                              "select all say which scores there are: set one of them");
    if (to->box_format < KLDVE_ONNX_BOXES_AUTO || to->box_format > KLDVE_ONNX_BOXES_CENTRE ||
        to->box_units < KLDVE_ONNX_UNITS_AUTO || to->box_units > KLDVE_ONNX_UNITS_PIXELS)
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG,
            "kldve_onnx_options: box_format is %d and box_units %d, they must be "
            "0 to 3 and 0 to 2",
            (int)to->box_format, (int)to->box_units);
    if ((to->boxes || to->objects) && !to->select)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "kldve_onnx_options: boxes and objects are those of the rows that "
                              "select selects: set that as well");
    if (to->select && to->logits)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "kldve_onnx_options: select and logits both say where the scores "
                              "are: set one of them, select can name the tensor, too");
    if (to->flags & ~known)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "kldve_onnx_options: unknown flags 0x%jx",
                               (uintmax_t)(to->flags & ~known));
    return KLDVE_OK;
}

static kldve_status plan_one(kldve_onnx *net, const kldve_onnx_options *o)
{
    net->options = (kx_plan_options){.input = net->choice.input,
                                     .layer = net->choice.layer,
                                     .logits = net->choice.logits,
                                     .vjp = net->choice.layer && !(o->flags & KLDVE_ONNX_NO_VJP),
                                     .vjp_input = (o->flags & KLDVE_ONNX_VJP_INPUT) != 0,
                                     .plain = (o->flags & KLDVE_ONNX_PLAIN) != 0,
                                     .direct = (o->flags & KLDVE_ONNX_DIRECT) != 0,
                                     .threads = o->threads ? o->threads : omp_get_max_threads(),
                                     .max_bytes = default_max_bytes};
    return kx_plan_new(net->ctx, net->graph, &net->options, &net->plan);
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

static kldve_status build_graph(kldve_onnx *net, const kldve_onnx_options *o, bool keep_batch)
{
    char name[3][KX_SELECT_NAME];
    const char *const output[3] = {name[0], name[1], name[2]};
    kx_graph_options shape = {.batch = 1, .output = output};
    const kx_input_options inputs = {
        .user = o, .keep_batch = keep_batch, .say = keep_batch ? say_nothing : say, .opaque = net};
    kldve_status st = kx_inputs_settle(net->ctx, &net->arena, net->model, &inputs, &net->inputs);

    if (st == KLDVE_OK)
        st = named_tensors(net->ctx, o, name, &shape.noutput);
    shape.input_type = net->inputs.type;
    if (st == KLDVE_OK)
        st = kx_graph_new(net->ctx, &net->inputs.model, &shape, &net->graph);
    if (st == KLDVE_OK && net->graph->ninput == 1)
        net->graph->input[0]->name = net->inputs.name;
    return st;
}

/* Whether the outputs are those that the file declares, for one picture. */
static bool outputs_follow(const kldve_onnx *net, const kldve_onnx_options *o)
{
    const kx_model *m = net->model;

    if (o->select) /* the graph ends in other tensors */
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

/* A batch that the file fixes: one picture if every shape allows that, else copies of it. */
static kldve_status build_batched(kldve_onnx *net, kldve_onnx_options *o)
{
    int64_t batch = net->inputs.batch;
    kldve_status st;

    kx_graph_free(net->graph);
    net->graph = NULL;
    if ((st = build_graph(net, o, true)) < 0)
        return st;
    if (!o->select)
        o->select = "[0]";
    return kx_say(&net->choice.notes,
                  "the network takes batches of %lld: all are the same picture, and the scores of "
                  "the first are explained",
                  (long long)batch);
}

static kldve_status build(kldve_onnx *net, kldve_onnx_options *o)
{
    kldve_status st = build_graph(net, o, false);
    bool batched = net->inputs.batch > 1;

    if (batched && (st == KLDVE_OK ? !outputs_follow(net, o) : st != KLDVE_E_NOMEM))
        return build_batched(net, o);
    if (st < 0 || !batched)
        return st;
    return kx_say(&net->choice.notes,
                  "the network takes batches of %lld: it is run with one picture",
                  (long long)net->inputs.batch);
}

/* Where the scores are a part of a tensor: what selects it, and the boxes of rows. */
static kldve_status select_scores(kldve_onnx *net, const kldve_onnx_options *options)
{
    kldve_onnx_options o = *options;
    char text[KX_SELECT_TEXT];
    kldve_status st = KLDVE_OK;

    if (o.flags & KLDVE_ONNX_PICK_PLACE) {
        st = kx_select_map(net->graph, o.logits, &net->choice.notes, text);
        o.select = text;
    } else if (o.flags & KLDVE_ONNX_PICK_ROW) {
        st = kx_select_rows(net->graph, &net->arena, &net->choice.notes, &o);
    }
    if (st < 0 || !o.select ||
        (st = kx_select(net->graph, &net->arena, o.select, &net->selection)) < 0)
        return st;
    net->selects = true;
    if (net->selection.open != KX_OPEN_ROWS && (o.boxes || o.objects))
        return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                               "boxes are those of rows, and '%.80s' selects none: write n for "
                               "their axis",
                               o.select);
    return kx_detector_new(net->graph, &net->arena, &net->choice.notes, &o, &net->selection,
                           &net->detector);
}

static kldve_status prepare(kldve_onnx *net, kldve_onnx_options *o)
{
    kx_choice *c = &net->choice;
    kldve_status st;

    c->notes.arena = &net->arena;
    c->listing = (o->flags & KLDVE_ONNX_LIST) != 0;
    c->grid_height = o->grid_height;
    c->grid_width = o->grid_width;
    if ((st = kx_given_load(net->ctx, &net->arena, o)) < 0 || (st = build(net, o)) < 0 ||
        (st = select_scores(net, o)) < 0)
        return st;
    if ((st = kx_choose(net->graph, &net->arena, o->layer, o->logits,
                        net->selects ? &net->selection : NULL, c)) < 0 ||
        (st = kx_choose_scores(net->ctx, o->scores, o->flags & KLDVE_ONNX_NAMED,
                               kx_score_count(net), c)) < 0 ||
        (st = kx_choice_shape(net->graph, c)) < 0 || c->listing || (st = plan_one(net, o)) < 0)
        return st;
    return plan_many(net, o->batch);
}

/* Put the file's name before the message of the last failure. */
static void name_the_file(kldve_ctx *ctx, const char *path, kldve_status st)
{
    char why[400];

    strncpy(why, kldve_ctx_message(ctx), sizeof why - 1);
    why[sizeof why - 1] = 0;
    kldve_ctx_failf(ctx, st, "%s: %s", path, why);
}

/* From the file `path`, or from bytes where it is NULL. */
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
    kx_arena_init(&net->arena, ctx);
    st = path ? kx_model_open(ctx, path, &net->model)
              : kx_model_read(ctx, bytes, nbytes, &net->model);
    if (st < 0)
        goto fail; /* the reader's message names the file */
    if ((st = prepare(net, &o)) < 0) {
        if (path)
            name_the_file(ctx, path, st);
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
    kx_arena_free(&net->arena);
    kx_graph_free(net->graph);
    kx_model_free(net->model);
    kldve_ctx_release(net->ctx, net);
}

void kx_onnx_hand_over(kldve_onnx **net)
{
    assert(*net && !(*net)->handover);
    (*net)->handover = net;
}

const char *kldve_onnx_note(const kldve_onnx *net, int32_t index)
{
    return net ? kx_note_at(&net->choice.notes, index) : NULL;
}

kldve_status kldve_onnx_chosen(const kldve_onnx *net, kldve_onnx_choice *out)
{
    kldve_onnx_choice c = {.struct_size = sizeof c};

    if (!net)
        return KLDVE_E_ARG;
    c.layer = net->choice.layer ? net->choice.layer->name : NULL;
    c.logits = net->choice.logits->name;
    c.how = net->choice.how;
    c.all_paths = net->choice.all_paths;
    c.scores = net->choice.scores;
    c.straight_through = net->choice.straight_through;
    c.grid_height = (int32_t)net->choice.view.height;
    c.grid_width = (int32_t)net->choice.view.width;
    c.leading = (int32_t)net->choice.view.leading;
    return kldve_struct_store(NULL, "kldve_onnx_choice", &c, sizeof c, out);
}

kldve_status kldve_onnx_tensor_at(const kldve_onnx *net, int32_t index, kldve_onnx_tensor *out)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    const kx_value *v;
    kx_view view;

    if (!net || index < 0 || index >= net->choice.ntensor)
        return KLDVE_E_ARG;
    v = net->choice.tensor[index];
    t.name = v->name;
    t.op = v == net->choice.file_input ? "" : net->graph->node[v->producer].type;
    t.rank = v->shape.rank;
    t.explainable = kx_explainable(&net->choice, v, &view);
    t.is_layer = v == net->choice.file_layer;
    t.is_logits = v == net->choice.logits;
    if (t.explainable || (v == net->choice.file_input && t.rank == 4)) {
        t.channel_axis = t.explainable ? view.channels : net->choice.channels_last ? 3 : 1;
        t.grid_height =
            (int32_t)(t.explainable ? view.height : v->shape.dim[t.channel_axis == 1 ? 2 : 1]);
        t.grid_width =
            (int32_t)(t.explainable ? view.width : v->shape.dim[t.channel_axis == 1 ? 3 : 2]);
        t.leading = t.explainable ? (int32_t)view.leading : 0;
    }
    memcpy(t.dim, v->shape.dim, sizeof t.dim);
    if (v == net->choice.file_input) {
        t.rank = net->inputs.rank;
        memcpy(t.dim, net->inputs.dim, sizeof t.dim);
    }
    /* Without a context: threads share the network. */
    return kldve_struct_store(NULL, "kldve_onnx_tensor", &t, sizeof t, out);
}
