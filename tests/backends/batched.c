/* batched.c - see batched.h. */
#include "batched.h"

#include <string.h>

struct batched {
    kldve_ctx *ctx;
    const batched_config *config;
    batched_counts counts; /* where the host does not want them */
    batched_counts *count;
    kldve_shape shape;
    size_t inputs, features;
    enum { NOTHING, ONE, MANY } last; /* the forward pass to look back on */
    int32_t after;
    void *states[]; /* [batch], of the inner backend */
};

static void batched_close(void *state)
{
    struct batched *b = state;

    if (!b)
        return;
    for (int32_t i = 0; i < b->config->batch; i++)
        b->config->inner->close(b->states[i]);
    kldve_ctx_release(b->ctx, b);
}

static kldve_status batched_open(kldve_ctx *ctx, const void *config, void **state)
{
    const batched_config *c = config;
    size_t size = sizeof(struct batched) + (size_t)c->batch * sizeof(void *);
    struct batched *b = kldve_ctx_alloc(ctx, 1, size);
    kldve_status st = KLDVE_OK;

    if (!b)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "no memory for the states");
    memset(b, 0, size);
    b->ctx = ctx;
    b->config = c;
    b->count = c->counts ? c->counts : &b->counts;
    b->after = c->after;
    for (int32_t i = 0; st == KLDVE_OK && i < c->batch; i++)
        st = c->inner->open(ctx, c->inner_config, &b->states[i]);
    if (st < 0) {
        batched_close(b);
        return st;
    }
    b->shape.struct_size = sizeof b->shape;
    c->inner->shape(b->states[0], &b->shape);
    b->shape.batch = c->batch;
    b->inputs =
        (size_t)b->shape.in_channels * (size_t)b->shape.in_height * (size_t)b->shape.in_width;
    b->features = (size_t)b->shape.maps * (size_t)b->shape.height * (size_t)b->shape.width;
    *state = b;
    return KLDVE_OK;
}

static void batched_shape(const void *state, kldve_shape *out)
{
    *out = ((const struct batched *)state)->shape;
}

/* -- one by one ------------------------------------------------------------------------------- */

static kldve_status looks_back(const struct batched *b, int last)
{
    if ((int)b->last == last)
        return KLDVE_OK;
    return kldve_ctx_fail(b->ctx, KLDVE_E_ARG, "there is no such forward pass to look back on");
}

static kldve_status batched_forward(void *state, const float *input, float *logits, float *features)
{
    struct batched *b = state;

    b->count->forward++;
    b->last = ONE;
    return b->config->inner->forward(b->states[0], input, logits, features);
}

static kldve_status batched_vjp(void *state, const float *cotangent, float *gradient)
{
    struct batched *b = state;
    kldve_status st = looks_back(b, ONE);

    b->count->vjp++;
    return st < 0 ? st : b->config->inner->vjp(b->states[0], cotangent, gradient);
}

static kldve_status batched_vjp_input(void *state, const float *cotangent, int32_t rule,
                                      float *gradient)
{
    struct batched *b = state;
    kldve_status st = looks_back(b, ONE);

    return st < 0 ? st : b->config->inner->vjp_input(b->states[0], cotangent, rule, gradient);
}

static kldve_status batched_forward_features(void *state, const float *features, float *logits)
{
    struct batched *b = state;

    if (b->last == MANY)
        return kldve_ctx_fail(b->ctx, KLDVE_E_ARG, "a batch is no forward pass to look back on");
    b->last = NOTHING;
    return b->config->inner->forward_features(b->states[0], features, logits);
}

static kldve_status batched_vjp_biases(void *state, const float *cotangent, float *gradient,
                                       kldve_bias_fn visit, void *opaque)
{
    struct batched *b = state;
    kldve_status st = looks_back(b, ONE);

    return st < 0 ? st
                  : b->config->inner->vjp_biases(b->states[0], cotangent, gradient, visit, opaque);
}

static kldve_status batched_attentions(void *state, const float *cotangent,
                                       kldve_attention_fn visit, void *opaque)
{
    struct batched *b = state;
    kldve_status st = looks_back(b, ONE);

    return st < 0 ? st : b->config->inner->attentions(b->states[0], cotangent, visit, opaque);
}

/* -- together --------------------------------------------------------------------------------- */

static kldve_status fail(struct batched *b)
{
    if (b->config->message)
        return kldve_ctx_fail(b->ctx, b->config->status, b->config->message);
    return b->config->status;
}

static kldve_status batched_forward_many(void *state, const float *inputs, float *logits,
                                         float *features)
{
    struct batched *b = state;
    const batched_config *c = b->config;
    size_t n = (size_t)b->shape.classes;
    float *all = features;
    kldve_status st = KLDVE_OK;

    b->count->forward_many++;
    if (c->batch < 2)
        return kldve_ctx_fail(b->ctx, KLDVE_E_ARG, "there is no batch");
    if (!all)
        all = kldve_ctx_alloc(b->ctx, b->features, (size_t)c->batch * sizeof *all);
    if (!all)
        return kldve_ctx_fail(b->ctx, KLDVE_E_NOMEM, "no memory for features");
    for (size_t i = 0; st == KLDVE_OK && i < (size_t)c->batch; i++)
        st = c->inner->forward(b->states[i], inputs + i * b->inputs, logits + i * n,
                               all + i * b->features);
    b->last = MANY;
    if (c->step <= BROKEN_FEATURES && c->step != BROKEN_VJP && b->after-- <= 0) {
        if (c->step == BROKEN_FORWARD)
            st = fail(b);
        if (c->step == BROKEN_LOGITS)
            logits[(size_t)c->row * n + 1] = c->poison;
        if (c->step == BROKEN_FEATURES)
            all[(size_t)(c->row + 1) * b->features - 1] = c->poison;
    }
    if (!features)
        kldve_ctx_release(b->ctx, all);
    return st;
}

static kldve_status batched_vjp_many(void *state, const float *cotangents, float *gradients)
{
    struct batched *b = state;
    const batched_config *c = b->config;
    kldve_status st = looks_back(b, MANY);

    b->count->vjp_many++;
    for (size_t i = 0; st == KLDVE_OK && i < (size_t)c->batch; i++)
        st = c->inner->vjp(b->states[i], cotangents + i * (size_t)b->shape.classes,
                           gradients + i * b->features);
    if ((c->step == BROKEN_VJP || c->step == BROKEN_GRADIENT) && b->after-- <= 0) {
        if (c->step == BROKEN_VJP)
            return fail(b);
        gradients[(size_t)c->row * b->features] = c->poison;
    }
    return st;
}

const kldve_backend batched_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "batched",
    .open = batched_open,
    .shape = batched_shape,
    .forward = batched_forward,
    .close = batched_close,
    .vjp = batched_vjp,
    .vjp_input = batched_vjp_input,
    .forward_features = batched_forward_features,
    .vjp_biases = batched_vjp_biases,
    .forward_many = batched_forward_many,
    .vjp_many = batched_vjp_many,
    .attentions = batched_attentions,
};
