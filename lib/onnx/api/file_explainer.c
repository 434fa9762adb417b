/* explainer.c - the shortest way from a path to an explainer, which then owns network and card.
 *
 * An explainer owns what its backend opened, so ownership needs no hook of its own: the table below
 * is the engine's, but its state holds the network as well and close() frees both. */
#include "load.h"

/* The config of the owning backend: open() takes the network out of it. */
typedef struct handover {
    kldve_onnx **net;
} handover;

typedef struct owner {
    kldve_ctx *ctx;
    kldve_onnx *net;
    void *state; /* of the engine */
} owner;

static void owner_close(void *state)
{
    owner *o = state;

    if (!o)
        return;
    kldve_onnx_backend()->close(o->state);
    kldve_onnx_free(o->net);
    kldve_ctx_release(o->ctx, o);
}

static kldve_status owner_open(kldve_ctx *ctx, const void *config, void **state)
{
    const handover *from = config;
    owner *o = kldve_ctx_alloc(ctx, 1, sizeof *o);
    kldve_status status;

    if (!o)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory");
    o->ctx = ctx;
    o->state = NULL;
    status = kldve_onnx_backend()->open(ctx, *from->net, &o->state);
    if (status != KLDVE_OK) {
        kldve_ctx_release(ctx, o);
        return status;
    }
    o->net = *from->net;
    *from->net = NULL;
    *state = o;
    return KLDVE_OK;
}

static void owner_shape(const void *state, kldve_shape *out)
{
    kldve_onnx_backend()->shape(((const owner *)state)->state, out);
}

static kldve_status owner_forward(void *state, const float *input, float *logits, float *features)
{
    return kldve_onnx_backend()->forward(((owner *)state)->state, input, logits, features);
}

static kldve_status owner_vjp(void *state, const float *cotangent, float *gradient)
{
    return kldve_onnx_backend()->vjp(((owner *)state)->state, cotangent, gradient);
}

static kldve_status owner_vjp_input(void *state, const float *cotangent, int32_t rule,
                                    float *gradient)
{
    return kldve_onnx_backend()->vjp_input(((owner *)state)->state, cotangent, rule, gradient);
}

static kldve_status owner_forward_features(void *state, const float *features, float *logits)
{
    return kldve_onnx_backend()->forward_features(((owner *)state)->state, features, logits);
}

static kldve_status owner_vjp_biases(void *state, const float *cotangent, float *gradient,
                                     kldve_bias_visitor visit, void *opaque)
{
    return kldve_onnx_backend()->vjp_biases(((owner *)state)->state, cotangent, gradient, visit,
                                            opaque);
}

static kldve_status owner_forward_many(void *state, const float *inputs, float *logits,
                                       float *features)
{
    return kldve_onnx_backend()->forward_many(((owner *)state)->state, inputs, logits, features);
}

static kldve_status owner_vjp_many(void *state, const float *cotangents, float *gradients)
{
    return kldve_onnx_backend()->vjp_many(((owner *)state)->state, cotangents, gradients);
}

static const kldve_backend owning_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "onnx",
    .open = owner_open,
    .shape = owner_shape,
    .forward = owner_forward,
    .close = owner_close,
    .vjp = owner_vjp,
    .vjp_input = owner_vjp_input,
    .forward_features = owner_forward_features,
    .vjp_biases = owner_vjp_biases,
    .forward_many = owner_forward_many,
    .vjp_many = owner_vjp_many,
};

/* What the caller leaves open the card fills. */
static void merge(kldve_onnx_options *options, const kldve_card *card)
{
    int32_t height, width;

    if (!card)
        return;
    kldve_card_size(card, &height, &width);
    if (!options->layer)
        options->layer = kldve_card_layer(card);
    if (!options->logits)
        options->logits = kldve_card_logits(card);
    if (options->in_height == 0)
        options->in_height = height;
    if (options->in_width == 0)
        options->in_width = width;
}

static kldve_status load(kldve_ctx *ctx, const char *path, const kldve_onnx_options *given,
                         kldve_card **card, kldve_onnx **net)
{
    kldve_onnx_options options;
    kldve_onnx_demo_files demo = {.struct_size = sizeof demo};
    kldve_status status = kx_options_load(ctx, given, &options);

    if (status != KLDVE_OK)
        return status;
    if (path) {
        status = kldve_card_beside(ctx, path, card);
        if (status != KLDVE_OK)
            return status;
        merge(&options, *card);
        return kldve_onnx_load(ctx, path, &options, net);
    }
    if ((status = kldve_onnx_demo(&demo)) != KLDVE_OK ||
        (status = kldve_card_parse(ctx, demo.card, demo.card_nbytes, NULL, card)) != KLDVE_OK)
        return status;
    merge(&options, *card);
    return kldve_onnx_load_memory(ctx, demo.model, demo.model_nbytes, &options, net);
}

/* Without a card: the pixels as they are, in the colours that the network's input can take. */
static kldve_status set_input(kldve_explainer *explainer, const kldve_card *card)
{
    kldve_input_spec spec = {.struct_size = sizeof spec};
    kldve_shape shape = {.struct_size = sizeof shape};
    kldve_status status = kldve_explainer_shape(explainer, &shape);

    if (status == KLDVE_OK && card)
        status = kldve_card_input(card, &spec);
    else if (shape.in_channels == 1)
        spec.channels = KLDVE_CHANNELS_GRAY;
    return status == KLDVE_OK ? kldve_explainer_set_input(explainer, &spec) : status;
}

kldve_status kldve_onnx_explainer(kldve_ctx *ctx, const char *path,
                                  const kldve_onnx_options *options, kldve_explainer **out)
{
    kldve_card *card = NULL;
    kldve_onnx *net = NULL;
    kldve_explainer *explainer = NULL;
    const handover give = {&net};
    kldve_status status;

    if (!ctx || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_explainer: an argument is NULL");
    if ((status = load(ctx, path, options, &card, &net)) != KLDVE_OK ||
        (status = kldve_explainer_new(ctx, &owning_backend, &give, &explainer)) != KLDVE_OK ||
        (status = set_input(explainer, card)) != KLDVE_OK)
        goto fail;
    kldve_card_free(card);
    *out = explainer;
    return KLDVE_OK;
fail:
    kldve_explainer_free(explainer);
    kldve_onnx_free(net); /* NULL once an explainer has it */
    kldve_card_free(card);
    return status;
}
