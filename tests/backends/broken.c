/* broken.c - see broken.h. */
#include "broken.h"

#include <string.h>

struct broken {
    kldve_ctx *ctx;
    broken_config config;
    void *inner;
};

static kldve_status fail(kldve_ctx *ctx, const broken_config *c)
{
    if (c->message)
        return kldve_ctx_fail(ctx, c->status, c->message);
    return c->status;
}

static kldve_status broken_open(kldve_ctx *ctx, const void *config, void **state)
{
    const broken_config *c = config;
    struct broken *b;
    kldve_status st;

    if (c->step == BROKEN_OPEN)
        return fail(ctx, c);
    b = kldve_ctx_alloc(ctx, 1, sizeof *b);
    if (!b)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "no memory for the wrapper");
    memset(b, 0, sizeof *b);
    b->ctx = ctx;
    b->config = *c;
    if ((st = c->inner->open(ctx, c->inner_config, &b->inner)) < 0) {
        kldve_ctx_release(ctx, b);
        return st;
    }
    if (c->open_states)
        ++*c->open_states;
    *state = b;
    return KLDVE_OK;
}

static void broken_shape(const void *state, kldve_shape *out)
{
    const struct broken *b = state;

    if (b->config.step == BROKEN_SHAPE)
        *out = b->config.shape;
    else
        b->config.inner->shape(b->inner, out);
}

static size_t features_of(const struct broken *b)
{
    kldve_shape s = {.struct_size = sizeof s};

    b->config.inner->shape(b->inner, &s);
    return (size_t)s.maps * (size_t)s.height * (size_t)s.width;
}

static kldve_status broken_forward(void *state, const float *input, float *logits, float *features)
{
    struct broken *b = state;
    kldve_status st = b->config.inner->forward(b->inner, input, logits, features);

    if (b->config.after-- > 0)
        return st;
    if (b->config.step == BROKEN_FORWARD)
        return fail(b->ctx, &b->config);
    if (b->config.step == BROKEN_LOGITS)
        logits[1] = b->config.poison;
    if (b->config.step == BROKEN_FEATURES)
        features[features_of(b) - 1] = b->config.poison;
    return st;
}

static kldve_status broken_vjp(void *state, const float *cotangent, float *gradient)
{
    struct broken *b = state;
    kldve_status st = b->config.inner->vjp(b->inner, cotangent, gradient);

    if (b->config.vjps)
        ++*b->config.vjps;
    if (b->config.step == BROKEN_VJP)
        return fail(b->ctx, &b->config);
    if (b->config.step == BROKEN_GRADIENT)
        gradient[0] = b->config.poison;
    return st;
}

static kldve_status broken_vjp_input(void *state, const float *cotangent, int32_t rule,
                                     float *gradient)
{
    struct broken *b = state;

    return b->config.inner->vjp_input(b->inner, cotangent, rule, gradient);
}

static kldve_status broken_forward_features(void *state, const float *features, float *logits)
{
    struct broken *b = state;

    return b->config.inner->forward_features(b->inner, features, logits);
}

static void broken_close(void *state)
{
    struct broken *b = state;

    if (!b)
        return;
    b->config.inner->close(b->inner);
    if (b->config.open_states)
        --*b->config.open_states;
    kldve_ctx_release(b->ctx, b);
}

const kldve_backend broken_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "broken",
    .open = broken_open,
    .shape = broken_shape,
    .forward = broken_forward,
    .close = broken_close,
    .vjp = broken_vjp,
    .vjp_input = broken_vjp_input,
    .forward_features = broken_forward_features,
};
