/* load.c - from a file or bytes to a planned network. */
#include "load.h"

#include "build/crop.h"
#include "given.h"
#include "read/limit.h"
#include "run/batch.h"

#include <assert.h>
#include <string.h>

#include <omp.h>

/* The reference kernels run in one thread, in one order, and know no instruction sets. */
static bool is_plain(const kldve_onnx_options *o)
{
    return (o->flags & (KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_DETERMINISTIC)) != 0;
}

static kldve_status plan_one(kldve_onnx *net, const kldve_onnx_options *o)
{
    kx_value *logits = net->choice.logits;
    kldve_status st = KLDVE_OK;

    if (!is_plain(o))
        st = kx_crop(net->graph, net->choice.layer, net->choice.logits, &logits);
    if (st < 0)
        return st;
    net->options =
        (kx_plan_options){.input = net->choice.input,
                          .layer = net->choice.layer,
                          .logits = logits,
                          .given = net->taps.value,
                          .ngiven = net->head ? net->taps.count : 0,
                          .vjp = net->choice.layer && !(o->flags & KLDVE_ONNX_FLAG_NO_VJP),
                          .vjp_input = (o->flags & KLDVE_ONNX_FLAG_VJP_INPUT) != 0,
                          .plain = is_plain(o),
                          .direct = (o->flags & KLDVE_ONNX_FLAG_DIRECT) != 0,
                          .measure = net->options.measure,
                          .threads = o->threads ? o->threads : omp_get_max_threads()};
    return kx_plan_new(net->ctx, net->graph, &net->options, &net->plan);
}

/* Whether at least half of the weights are those that a batch reads once for all inputs.  Then it
 * saves a sixth of the time of AlexNet (95 %); GoogLeNet (15 %) and SqueezeNet (none) lose a
 * little, because so many inputs do not fit the caches. */
static bool is_mostly_dense(const kldve_onnx *net)
{
    size_t weights = 0;

    for (int32_t i = 0; i < net->graph->nvalue; i++)
        weights += net->graph->value[i]->raw ? net->graph->value[i]->count : 0;
    return kx_many_shared(net->plan) >= weights / 2 + 1;
}

/* Enough for every thread, and for dense layers to gain. */
static int32_t choose_batch(const kldve_onnx *net, bool dense)
{
    size_t room =
        kx_limit(net->ctx, KLDVE_LIMIT_WORKING_MEMORY) / (net->many_plan->state_bytes + 1);
    size_t least = dense ? 8 : 4;
    size_t wish = (size_t)net->options.threads > least ? (size_t)net->options.threads : least;

    return (int32_t)(wish < room ? wish : room);
}

/* Several inputs go through one after the other on every core: steps of one thread each. */
static kldve_status plan_many(kldve_onnx *net, int32_t batch)
{
    bool automatic = batch == KLDVE_ONNX_BATCH_AUTO, dense = automatic && is_mostly_dense(net);
    kx_plan_options p = net->options;
    kldve_status st;

    net->batch = 1;
    if (batch == 0 || batch == 1 || (automatic && p.threads == 1 && !dense))
        return KLDVE_OK;
    p.threads = 1;
    p.vjp_input = false;
    p.lender = net->plan;
    if ((st = kx_plan_new(net->ctx, net->graph, &p, &net->many_plan)) < 0)
        return st;
    net->batch = automatic ? choose_batch(net, dense) : batch;
    if (net->batch > 1)
        return KLDVE_OK;
    kx_plan_free(net->many_plan); /* there is room for one */
    net->many_plan = NULL;
    net->batch = 1;
    return KLDVE_OK;
}

/* One index too few makes classes out of places: that may be meant if the user wrote it. */
static kldve_status say_block(kldve_onnx *net, const kldve_onnx_options *o)
{
    if (net->item_selected && !net->choice.listing)
        return kldve_ctx_failf(
            net->ctx, KLDVE_E_UNSUPPORTED,
            "'%.80s' is not a vector of class scores: %d of its axes are longer than 1 for one "
            "picture; pick the scores, for example --select '%.80s[%d, :, 0, 0]', or at places of "
            "the picture: --at X,Y or --over MASK.png",
            net->selection.tensor->name, (int)net->selection.axes, net->selection.tensor->name,
            (int)o->item);
    return kx_say(&net->choice.notes,
                  "'%.80s' keeps %d axes: its %d numbers are explained as classes that compete, "
                  "numbered in C order; an index or a letter for all axes but one keeps one vector",
                  o->select, (int)net->selection.axes, (int)net->selection.count) < 0
               ? kx_nomem(net->graph)
               : KLDVE_OK;
}

/* Where the scores are a part of a tensor: what selects it, and the boxes of rows. */
static kldve_status select_scores(kldve_onnx *net, const kldve_onnx_options *options)
{
    kldve_onnx_options o = *options;
    kx_choosing choosing = {.used = false};
    char text[KX_SELECT_TEXT];
    kldve_status st = KLDVE_OK;

    if (o.flags & KLDVE_ONNX_FLAG_PICK_PLACE) {
        st = kx_select_map(net->graph, o.logits, net->pictures > 0 ? net->pictures : 1,
                           net->pictures > 0 ? o.item : 0, &net->choice.notes, text);
        o.select = text;
    } else if (o.flags & KLDVE_ONNX_FLAG_PICK_ROW) {
        st = net->frontier.count > 0
                 ? kx_select_kept(net->graph, &net->arena, &net->choice.notes, &net->frontier, &o,
                                  &choosing)
                 : kx_select_rows(net->graph, &net->arena, &net->choice.notes, &o);
    }
    if (st < 0 || !o.select ||
        (st = kx_select(net->graph, &net->arena, o.select, &net->selection)) < 0)
        return st;
    net->selects = true;
    if (net->selection.axes > 1 && (st = say_block(net, &o)) < 0)
        return st;
    if (net->selection.open != KX_OPEN_ROWS && (o.boxes || o.objects))
        return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                               "boxes are those of rows, and '%.80s' selects none: write n for "
                               "their axis",
                               o.select);
    return kx_detector_new(net->graph, &net->arena, &net->choice.notes, &o, &net->selection,
                           &choosing, &net->detector);
}

/* What a head of the network takes; of one that is loaded as a head there has to be that. */
static kldve_status find_taps(kldve_onnx *net, const kldve_onnx_options *o)
{
    kldve_status st = kx_find_taps(net->graph, net->model, &net->arena, &net->choice,
                                   net->detector.found, &net->taps);

    net->head = (o->flags & KLDVE_ONNX_FLAG_HEAD) != 0;
    if (st < 0 || !net->head || net->taps.count > 0)
        return st;
    return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                           "the network cannot be loaded as a head: %s", net->taps.why);
}

kldve_status kx_onnx_plan(kldve_onnx *net, const kldve_onnx_options *o)
{
    kx_choice *c = &net->choice;
    kldve_status st = select_scores(net, o);

    if (st < 0)
        return st;
    c->listing = (o->flags & KLDVE_ONNX_FLAG_LIST) != 0;
    c->grid_height = o->grid_height;
    c->grid_width = o->grid_width;
    c->letters = net->inputs.layout;
    if ((st = kx_choose(net->graph, &net->arena, o->layer, o->logits,
                        net->selects ? &net->selection : NULL, c)) < 0 ||
        (st = kx_choose_scores(net->ctx, o->scores, o->flags & KLDVE_ONNX_FLAG_NAMED,
                               kx_score_count(net), c)) < 0 ||
        (st = kx_choice_shape(net->graph, c)) < 0 || (st = find_taps(net, o)) < 0 || c->listing ||
        (st = plan_one(net, o)) < 0)
        return st;
    return plan_many(net, o->batch);
}

static kldve_status keep_text(kldve_onnx *net, const char **text)
{
    size_t size = *text ? strlen(*text) + 1 : 0;
    char *copy = kx_arena_alloc(&net->arena, size, 1);

    if (!copy)
        return kldve_ctx_fail(net->ctx, KLDVE_E_NOMEM, "out of memory while loading the network");
    if (size > 0)
        *text = memcpy(copy, *text, size);
    return KLDVE_OK;
}

/* The names are the caller's. */
static kldve_status keep_asked(kldve_onnx *net, const kldve_onnx_options *o)
{
    kldve_onnx_options *a = &net->asked;
    const char **const text[] = {&a->layer, &a->logits, &a->select, &a->boxes, &a->objects};
    kldve_status st = KLDVE_OK;

    *a = *o;
    a->inputs = NULL;
    a->dims = NULL;
    a->shape = NULL;
    a->pictures = NULL;
    a->layout = a->picture_input = NULL;
    a->input_count = a->dim_count = a->shape_rank = 0;
    for (size_t i = 0; st == KLDVE_OK && i < sizeof text / sizeof *text; i++)
        st = keep_text(net, text[i]);
    return st;
}

static kldve_status prepare(kldve_onnx *net, kldve_onnx_options *o)
{
    kldve_status st;

    net->choice.notes.arena = &net->arena;
    if ((st = kx_given_load(net->ctx, &net->arena, o)) < 0 || (st = kx_load_graph(net, o)) < 0 ||
        (st = keep_asked(net, o)) < 0)
        return st;
    return kx_onnx_plan(net, o);
}

/* Put the file's name before the message of the last failure. */
static void name_the_file(kldve_ctx *ctx, const char *path, kldve_status st)
{
    char why[512];

    strncpy(why, kldve_ctx_message(ctx), sizeof why - 1);
    why[sizeof why - 1] = 0;
    kldve_ctx_failf(ctx, st, "%s: %s", path, why);
}

static size_t held_by(const kldve_ctx *ctx)
{
    size_t now = 0;

    return kldve_ctx_memory(ctx, &now, NULL) == KLDVE_OK ? now : 0;
}

static kldve_status load_checked(kldve_ctx *ctx, const kx_source *from,
                                 const kldve_onnx_options *options, kldve_onnx **out)
{
    size_t before = held_by(ctx);
    kldve_onnx_options o = *options;
    kldve_onnx *net;
    kldve_status st;

    net = kldve_ctx_alloc(ctx, 1, sizeof *net);
    if (!net)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while loading the network");
    memset(net, 0, sizeof *net);
    net->ctx = ctx;
    kx_arena_init(&net->arena, ctx);
    net->options.measure = from->measure;
    st = from->path
             ? kx_model_open(ctx, from->path, (o.flags & KLDVE_ONNX_FLAG_COPY) != 0, &net->model)
             : kx_model_read(ctx, from->bytes, from->nbytes, &net->model);
    if (st < 0)
        goto fail; /* the reader's message names the file */
    if ((st = prepare(net, &o)) < 0) {
        if (from->path)
            name_the_file(ctx, from->path, st);
        goto fail;
    }
    net->held = held_by(ctx) - before;
    kx_log_loaded(net);
    *out = net;
    return KLDVE_OK;
fail:
    kldve_onnx_free(net);
    return st;
}

kldve_status kx_onnx_load(kldve_ctx *ctx, const kx_source *from, const kldve_onnx_options *options,
                          kldve_onnx **out)
{
    kldve_onnx_options o;
    kldve_status st = kx_options_load(ctx, options, &o);
    double before;

    if (st < 0)
        return st;
    before = kldve_ctx_enter(ctx, "loading", o.deadline_ms);
    if ((st = kldve_ctx_progress(ctx, "reading", 0, 1)) == KLDVE_OK)
        st = load_checked(ctx, from, &o, out);
    return kldve_ctx_leave(ctx, before, st);
}

kldve_status kldve_onnx_load(kldve_ctx *ctx, const char *path, const kldve_onnx_options *options,
                             kldve_onnx **out)
{
    if (!ctx || !path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_load: NULL argument");
    return kx_onnx_load(ctx, &(kx_source){.path = path}, options, out);
}

kldve_status kldve_onnx_load_memory(kldve_ctx *ctx, const void *bytes, size_t nbytes,
                                    const kldve_onnx_options *options, kldve_onnx **out)
{
    if (!ctx || !bytes || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_load_memory: NULL argument");
    return kx_onnx_load(ctx, &(kx_source){.bytes = bytes, .nbytes = nbytes}, options, out);
}

void kldve_onnx_free(kldve_onnx *net)
{
    if (!net)
        return;
    kldve_card_free(net->card);
    kldve_labels_free(net->labels);
    kx_plan_free(net->many_plan);
    kx_plan_free(net->plan);
    kx_arena_free(&net->arena);
    kx_graph_free(net->graph);
    if (!net->base)
        kx_model_free(net->model);
    kldve_ctx_release(net->ctx, net);
}

void kx_onnx_hand_over(kldve_onnx **net)
{
    assert(*net && !(*net)->handover);
    (*net)->handover = net;
}
