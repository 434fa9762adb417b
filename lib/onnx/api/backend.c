/* backend.c - a planned network as a backend: forward passes, VJPs to the layer, batches. */
#include "backend_parts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void backend_close(void *state)
{
    kx_backend_state *s = state;

    if (!s)
        return;
    kx_backend_stop(s);
    kldve_onnx_free(s->random);
    kx_arena_free(&s->arena);
    kldve_onnx_free(s->own);
    kldve_ctx_release(s->ctx, s);
}

/* Take the network over if its loader gives it away. */
static void take_over(kx_backend_state *s)
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
    kx_backend_state *s;
    kldve_status st;

    if (!config)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "the config is NULL, it must be a kldve_onnx");
    if (((const kldve_onnx *)config)->choice.listing)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "the network was loaded to list its tensors only, with "
                              "KLDVE_ONNX_FLAG_LIST");
    s = kldve_ctx_alloc(ctx, 1, sizeof *s);
    if (!s)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while opening the network");
    memset(s, 0, sizeof *s);
    s->net = s->file = config;
    s->ctx = ctx;
    kx_arena_init(&s->arena, ctx);
    if ((st = kx_backend_start(s)) < 0) {
        backend_close(s);
        return st;
    }
    take_over(s);
    *state = s;
    return KLDVE_OK;
}

static void backend_shape(const void *state, kldve_shape *out)
{
    const kldve_onnx *net = ((const kx_backend_state *)state)->net;
    const int64_t *in = net->choice.input->shape.dim;
    const kx_value *layer = net->choice.layer;

    out->in_channels = (int32_t)in[1];
    out->in_height = (int32_t)in[2];
    out->in_width = (int32_t)in[3];
    out->in_frames = (int32_t)net->inputs.frames;
    out->classes = kx_score_count(net);
    if (layer) {
        out->maps = (int32_t)layer->shape.dim[1];
        out->height = (int32_t)layer->shape.dim[2];
        out->width = (int32_t)layer->shape.dim[3];
        out->frames = (int32_t)net->choice.view.frames;
    }
    out->batch = net->batch;
    out->scores = net->choice.scores;
    out->picks = net->selects ? (int32_t)net->selection.open : KLDVE_PICKS_NOTHING;
    out->all_paths = net->choice.all_paths;
    out->head = net->head ? (int64_t)net->taps.numbers : 0;
}

static const char *backend_note(const void *state, int32_t index)
{
    const kx_backend_state *s = state;

    if (s->random && index == 0)
        return s->note;
    return kx_note_at(&s->file->choice.notes, s->random ? index - 1 : index);
}

/* Where a pass writes what the plan calls its logits: `logits` itself without a selection.  NULL:
 * out of memory. */
static float *logits_room(kx_backend_state *s, int32_t count, float *logits)
{
    return s->picked ? kx_picked_room(s->picked, count) : logits;
}

/* What the network takes of inputs: itself, or the nearest whole numbers.  NULL: out of memory. */
static const float *taken(kx_backend_state *s, int32_t count, const float *input)
{
    const kx_inputs *in = &s->net->inputs;
    size_t all = s->net->choice.input->count * (size_t)count;

    if (!in->whole || s->net->head)
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
    kx_backend_state *s = state;
    float *room = logits_room(s, 1, logits);
    kldve_status st = KLDVE_E_NOMEM;

    input = taken(s, 1, input);
    if (room && input)
        st = kx_state_forward(s->run, input, room, features);

    if (st == KLDVE_OK)
        kx_read_logits(s, 1, logits);

    s->pass = st == KLDVE_OK ? ++s->passes : 0;
    if (s->input && input)
        memcpy(s->input, input, kx_taken_count(s->net) * sizeof *input);
    return st;
}

static kldve_status backend_vjp(void *state, const float *cotangent, float *gradient)
{
    kx_backend_state *s = state;
    const float *from = kx_cotangent_of(s, 1, cotangent);

    return from ? kx_state_vjp(s->run, KX_TO_LAYER, KLDVE_RULE_GRADIENT, from, gradient)
                : KLDVE_E_NOMEM;
}

static kldve_status backend_forward_features(void *state, const float *features, float *logits)
{
    kx_backend_state *s = state;
    float *room = logits_room(s, 1, logits);
    kldve_status st = room ? kx_state_forward_features(s->run, features, room) : KLDVE_E_NOMEM;

    s->pass = 0;
    if (st == KLDVE_OK)
        kx_read_logits(s, 1, logits);
    return st;
}

static kldve_status can_many(const kx_backend_state *s)
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
    kx_backend_state *s = state;
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
        kx_read_logits(s, net->batch, logits);
    return st;
}

static kldve_status backend_vjp_many(void *state, const float *cotangents, float *gradients)
{
    kx_backend_state *s = state;
    const float *from;
    kldve_status st = can_many(s);

    if (st < 0)
        return st;
    if (!s->many)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "there is no forward pass yet: a VJP needs one before it");
    from = kx_cotangent_of(s, s->net->batch, cotangents);
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
                                          .vjp_input = kx_backend_vjp_input,
                                          .forward_features = backend_forward_features,
                                          .vjp_biases = kx_backend_vjp_biases,
                                          .attentions = kx_backend_attentions,
                                          .note = backend_note,
                                          .pick = kx_backend_pick,
                                          .can = kx_backend_can,
                                          .parameters = kx_backend_parameters,
                                          .randomise = kx_backend_randomise,
                                          .forward_many = backend_forward_many,
                                          .vjp_many = backend_vjp_many};

    return &backend;
}
