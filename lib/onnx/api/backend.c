/* backend.c - a planned network as a backend: forward passes, VJPs, batches. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "load.h"
#include "picked.h"
#include "accel/rule.h"
#include "run/batch.h"
#include "run/extra.h"
#include "run/state.h"

/* Backward passes with a plan of their own: one for each LRP rule, one for the biases, one for the
 * attentions. */
enum {
    EXTRA_LRP = 0,
    EXTRA_BIASES = KLDVE_RULE_LRP_COMPOSITE - KLDVE_RULE_LRP_EPSILON + 1,
    EXTRA_ATTENTIONS,
    EXTRAS
};

typedef struct onnx_state {
    const kldve_onnx *net;
    kldve_ctx *ctx;
    kx_state *run;
    kx_picked *picked; /* the scores where they are selected, else NULL */
    kx_extra *finder;  /* computes rows of a detector; NULL until asked for */
    float *found;      /* what it computed */
    kx_many *many;     /* `batch` inputs at once; NULL until asked for */
    float *rounded;    /* whole numbers for the network, of rounded_for inputs; or NULL */
    int32_t rounded_for;
    float *input;                /* of the last forward pass, for extra plans; NULL: not kept */
    uint64_t pass;               /* its number; 0: none yet */
    uint64_t passes;             /* forward passes so far */
    kx_extra *extra[EXTRAS];     /* NULL until asked for */
    uint64_t extra_pass[EXTRAS]; /* the forward pass that each has repeated */
    kldve_onnx *own;             /* the network where it was handed over, else NULL */
} onnx_state;

static void backend_close(void *state)
{
    onnx_state *s = state;

    if (!s)
        return;
    for (int i = 0; i < EXTRAS; i++)
        kx_extra_free(s->extra[i]);
    kx_picked_free(s->picked);
    kx_extra_free(s->finder);
    kldve_ctx_release(s->ctx, s->found);
    kx_many_free(s->many);
    kx_state_free(s->run);
    kldve_ctx_release(s->ctx, s->input);
    kldve_ctx_release(s->ctx, s->rounded);
    kldve_onnx_free(s->own);
    kldve_ctx_release(s->ctx, s);
}

/* Take the network over if its loader gives it away. */
static void take_over(onnx_state *s)
{
    kldve_onnx **from = s->net->handover;

    if (!from)
        return;
    assert(*from == s->net);
    s->own = *from;
    s->own->handover = NULL;
    *from = NULL;
}

static kldve_status backend_open(kldve_ctx *ctx, const void *config, void **state)
{
    onnx_state *s;
    kldve_status st;

    if (!config)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "the config is NULL, it must be a kldve_onnx");
    if (((const kldve_onnx *)config)->choice.listing)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "the network was loaded to list its tensors only, with "
                              "KLDVE_ONNX_LIST");
    s = kldve_ctx_alloc(ctx, 1, sizeof *s);
    if (!s)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while opening the network");
    memset(s, 0, sizeof *s);
    s->net = config;
    s->ctx = ctx;
    if ((st = kx_state_new(ctx, s->net->plan, &s->run)) < 0 ||
        (s->net->selects &&
         (st = kx_picked_new(ctx, &s->net->selection, s->net->batch, &s->picked)) < 0))
        goto fail;
    if (s->net->options.vjp_input || s->net->detector.found) {
        s->input = kldve_ctx_alloc(ctx, s->net->choice.input->count, sizeof *s->input);
        if (!s->input) {
            st = kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while opening the network");
            goto fail;
        }
    }
    take_over(s);
    *state = s;
    return KLDVE_OK;
fail:
    backend_close(s);
    return st;
}

static void backend_shape(const void *state, kldve_shape *out)
{
    const kldve_onnx *net = ((const onnx_state *)state)->net;
    const int64_t *in = net->choice.input->shape.dim;
    const kx_value *layer = net->choice.layer;

    out->in_channels = (int32_t)in[1];
    out->in_height = (int32_t)in[2];
    out->in_width = (int32_t)in[3];
    out->classes = kx_score_count(net);
    if (layer) {
        out->maps = (int32_t)layer->shape.dim[1];
        out->height = (int32_t)layer->shape.dim[2];
        out->width = (int32_t)layer->shape.dim[3];
    }
    out->batch = net->batch;
    out->scores = net->choice.scores;
    out->picks = net->selects ? (int32_t)net->selection.open : KLDVE_PICKS_NOTHING;
    out->all_paths = net->choice.all_paths;
}

static const char *backend_note(const void *state, int32_t index)
{
    return kldve_onnx_note(((const onnx_state *)state)->net, index);
}

/* Where a pass writes what the plan calls its logits: `logits` itself without a selection.  NULL:
 * out of memory. */
static float *logits_room(onnx_state *s, int32_t count, float *logits)
{
    return s->picked ? kx_picked_room(s->picked, count) : logits;
}

static void read_logits(const onnx_state *s, int32_t count, float *logits)
{
    if (s->picked)
        kx_picked_read(s->picked, count, logits);
}

/* A cotangent at the scores as one at the plan's logits.  NULL: out of memory. */
static const float *cotangent_of(onnx_state *s, int32_t count, const float *cotangent)
{
    return s->picked ? kx_picked_spread(s->picked, count, cotangent) : cotangent;
}

/* What the network takes of inputs: itself, or the nearest whole numbers.  NULL: out of memory. */
static const float *taken(onnx_state *s, int32_t count, const float *input)
{
    const kx_inputs *in = &s->net->inputs;
    size_t all = s->net->choice.input->count * (size_t)count;

    if (!in->whole)
        return input;
    if (s->rounded_for < count) {
        kldve_ctx_release(s->ctx, s->rounded);
        s->rounded = kldve_ctx_alloc(s->ctx, all, sizeof *s->rounded);
        s->rounded_for = s->rounded ? count : 0;
    }
    if (!s->rounded) {
        kldve_ctx_fail(s->ctx, KLDVE_E_NOMEM, "out of memory for the rounded input");
        return NULL;
    }
    for (size_t i = 0; i < all; i++)
        s->rounded[i] = fminf(fmaxf(rintf(input[i]), (float)in->least), (float)in->most);
    return s->rounded;
}

static kldve_status backend_forward(void *state, const float *input, float *logits, float *features)
{
    onnx_state *s = state;
    float *room = logits_room(s, 1, logits);
    kldve_status st = KLDVE_E_NOMEM;

    input = taken(s, 1, input);
    if (room && input)
        st = kx_state_forward(s->run, input, room, features);

    if (st == KLDVE_OK)
        read_logits(s, 1, logits);

    s->pass = st == KLDVE_OK ? ++s->passes : 0;
    if (s->input && input)
        memcpy(s->input, input, s->net->choice.input->count * sizeof *input);
    return st;
}

static kldve_status backend_vjp(void *state, const float *cotangent, float *gradient)
{
    onnx_state *s = state;
    const float *from = cotangent_of(s, 1, cotangent);

    return from ? kx_state_vjp(s->run, KX_TO_LAYER, KLDVE_RULE_GRADIENT, from, gradient)
                : KLDVE_E_NOMEM;
}

/* The state of an extra plan, made if need be, at the last forward pass. */
static kldve_status extra_at_pass(onnx_state *s, int which, int32_t rule, kx_state **out)
{
    kx_plan_options o = s->net->options;
    kldve_status st;

    assert(which >= 0 && which < EXTRAS);
    if (s->net->options.plain)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED,
                              "KLDVE_ONNX_PLAIN supports only KLDVE_RULE_GRADIENT");
    if (!s->net->options.vjp_input)
        return kldve_ctx_fail(
            s->ctx, KLDVE_E_NO_VJP,
            "the network was loaded without KLDVE_ONNX_VJP_INPUT: load it with that flag");
    if (!s->pass)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "there is no forward pass yet: a VJP needs one before it");
    if (!s->extra[which]) {
        o.layer = NULL;
        o.attentions = which == EXTRA_ATTENTIONS;
        o.vjp = o.attentions;
        o.vjp_input = !o.attentions;
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
    const float *from;
    kldve_status st;

    if (rule < KLDVE_RULE_GRADIENT || rule > KLDVE_RULE_SALIENT_DECONVOLUTION)
        return kldve_ctx_failf(s->ctx, KLDVE_E_UNSUPPORTED,
                               "the ONNX engine has no backward rule %d", rule);
    if (rule != KLDVE_RULE_GRADIENT && s->net->options.plain)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED,
                              "KLDVE_ONNX_PLAIN supports only KLDVE_RULE_GRADIENT");
    if (kx_rule_is_lrp(rule) &&
        (st = extra_at_pass(s, EXTRA_LRP + rule - KLDVE_RULE_LRP_EPSILON, rule, &run)) < 0)
        return st;
    from = s->picked && kx_rule_is_lrp(rule) ? kx_picked_share(s->picked, cotangent)
                                             : cotangent_of(s, 1, cotangent);
    return from ? kx_state_vjp(run, KX_TO_INPUT, rule, from, gradient) : KLDVE_E_NOMEM;
}

static kldve_status backend_vjp_biases(void *state, const float *cotangent, float *gradient,
                                       kldve_bias_visitor visit, void *opaque)
{
    onnx_state *s = state;
    kx_state *run;
    const float *from;
    kldve_status st = extra_at_pass(s, EXTRA_BIASES, KLDVE_RULE_GRADIENT, &run);

    if (st < 0)
        return st;
    from = cotangent_of(s, 1, cotangent);
    return from ? kx_state_vjp_biases(run, from, gradient, visit, opaque) : KLDVE_E_NOMEM;
}

static kldve_status backend_attentions(void *state, const float *cotangent,
                                       kldve_attention_visitor visit, void *opaque)
{
    onnx_state *s = state;
    kx_state *run;
    kldve_status st = extra_at_pass(s, EXTRA_ATTENTIONS, KLDVE_RULE_GRADIENT, &run);

    if (st == KLDVE_OK && cotangent && !(cotangent = cotangent_of(s, 1, cotangent)))
        st = KLDVE_E_NOMEM;
    return st < 0 ? st : kx_state_attentions(run, cotangent, visit, opaque);
}

static kldve_status backend_forward_features(void *state, const float *features, float *logits)
{
    onnx_state *s = state;
    float *room = logits_room(s, 1, logits);
    kldve_status st = room ? kx_state_forward_features(s->run, features, room) : KLDVE_E_NOMEM;

    s->pass = 0;
    if (st == KLDVE_OK)
        read_logits(s, 1, logits);
    return st;
}

/* All rows of the detector at the last forward pass. */
static kldve_status find_rows(onnx_state *s)
{
    const kldve_onnx *net = s->net;
    kx_plan_options o = net->options;
    kldve_status st;

    if (!s->found)
        s->found = kldve_ctx_alloc(s->ctx, net->detector.found->count, sizeof *s->found);
    if (!s->found)
        return kldve_ctx_fail(s->ctx, KLDVE_E_NOMEM, "out of memory for the rows of the detector");
    o.layer = NULL;
    o.logits = net->detector.found;
    o.vjp = o.vjp_input = false;
    o.lender = net->plan;
    if (!s->finder && (st = kx_extra_new(s->ctx, net->graph, &o, &s->finder)) < 0)
        return st;
    return kx_state_forward(kx_extra_state(s->finder), s->input, s->found, NULL);
}

/* The row that is meant, with its box where the file has boxes. */
static kldve_status find_row(onnx_state *s, kldve_pick *pick)
{
    const kldve_onnx *net = s->net;
    const kx_detector *d = &net->detector;
    const int64_t *in = net->choice.input->shape.dim;
    bool by_place = pick->kind == KLDVE_PICK_BOX_AT;
    kx_row row;
    kldve_status st;

    if (pick->kind == KLDVE_PICK_ROW && pick->row >= net->selection.height)
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG, "row %d: the detector has %d rows, 0 to %d",
                               (int)pick->row, (int)net->selection.height,
                               (int)net->selection.height - 1);
    if (!d->found)
        return pick->kind == KLDVE_PICK_ROW
                   ? KLDVE_OK
                   : kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                                    "it is not known where the boxes of the rows are: set "
                                    "kldve_onnx_options.boxes, or pick a row by its number");
    if ((st = find_rows(s)) < 0)
        return st;
    if (pick->kind == KLDVE_PICK_ROW)
        row = kx_row_at(d, s->found, pick->row, in + 2);
    else if (!kx_best_row(d, s->found, in + 2, by_place ? pick->x : -1, by_place ? pick->y : -1,
                          &row))
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              by_place ? "no row has a box at this place"
                                       : "no row has a score that is a number");
    pick->row = row.row;
    pick->score = row.score;
    pick->has_box = 1;
    memcpy(pick->box, row.box, sizeof pick->box);
    return KLDVE_OK;
}

static kldve_status backend_pick(void *state, kldve_pick *pick, float *logits)
{
    onnx_state *s = state;
    kx_open open = s->net->selection.open;
    const int64_t *in = s->net->choice.input->shape.dim;
    bool of_map = pick->kind == KLDVE_PICK_AT || pick->kind == KLDVE_PICK_OVER;
    kldve_status st;

    if (!s->picked || open != (of_map ? KX_OPEN_MAP : KX_OPEN_ROWS))
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "the scores of this network cannot be picked in this way");
    if (!s->pass)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "there is no forward pass yet: a pick needs one before it");
    if (!of_map && (st = find_row(s, pick)) < 0)
        return st;
    if (pick->kind == KLDVE_PICK_AT)
        kx_picked_at(s->picked, pick->x, pick->y);
    else if (pick->kind == KLDVE_PICK_OVER)
        kx_picked_over(s->picked, pick->weight, (int32_t)in[2], (int32_t)in[3]);
    else
        kx_picked_row(s->picked, pick->row);
    read_logits(s, 1, logits);
    return KLDVE_OK;
}

static kldve_status can_many(const onnx_state *s)
{
    if (s->net->batch > 1)
        return KLDVE_OK;
    return kldve_ctx_fail(
        s->ctx, KLDVE_E_UNSUPPORTED,
        "the network was loaded without kldve_onnx_options.batch: load it with a batch above 1");
}

/* The first batch makes the states, so that a host without batches does not pay for them. */
static kldve_status backend_forward_many(void *state, const float *inputs, float *logits,
                                         float *features)
{
    onnx_state *s = state;
    const kldve_onnx *net = s->net;
    float *room;
    kldve_status st = can_many(s);

    assert(net->batch == 1 || net->many_plan);
    if (st < 0 || (!s->many && (st = kx_many_new(s->ctx, net->many_plan, net->batch,
                                                 net->options.threads, &s->many)) < 0))
        return st;
    if (!(room = logits_room(s, net->batch, logits)) || !(inputs = taken(s, net->batch, inputs)))
        return KLDVE_E_NOMEM;
    st = kx_many_forward(s->many, inputs, room, features);
    if (st == KLDVE_OK)
        read_logits(s, net->batch, logits);
    return st;
}

static kldve_status backend_vjp_many(void *state, const float *cotangents, float *gradients)
{
    onnx_state *s = state;
    const float *from;
    kldve_status st = can_many(s);

    if (st < 0)
        return st;
    if (!s->many)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "there is no forward pass yet: a VJP needs one before it");
    from = cotangent_of(s, s->net->batch, cotangents);
    return from ? kx_many_vjp(s->many, from, gradients) : KLDVE_E_NOMEM;
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
                                          .attentions = backend_attentions,
                                          .note = backend_note,
                                          .pick = backend_pick,
                                          .forward_many = backend_forward_many,
                                          .vjp_many = backend_vjp_many};

    return &backend;
}
