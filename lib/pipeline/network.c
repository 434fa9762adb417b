/* network.c - calls of a backend's table. */
#include "network.h"

#include <assert.h>

#include "attention_relay.h"
#include "base/finite.h"
#include "reason.h"
#include "single.h"

/* A call of the table, of which a failure reads "NAME: STEP: reason". */
#define CALL(net, reason, step, slot, ...)                                                         \
    (kldve_reason_begin((net)->ctx, reason),                                                       \
     kldve_reason_end((net)->ctx, reason, (net)->backend.name, step,                               \
                      (net)->backend.slot((net)->state, __VA_ARGS__)))

/* The scores that the backend left in logits [count][classes], as classes. */
static void expand(const kldve_network *net, size_t count, float *logits)
{
    if (net->shape.single)
        kldve_single_expand(logits, count);
}

/* The cotangents [count][classes] at the backend's scores. */
static const float *contract(const kldve_network *net, size_t count, const float *cotangents)
{
    if (!net->shape.single)
        return cotangents;
    kldve_single_contract(cotangents, count, net->contracted);
    return net->contracted;
}

static kldve_status check(const kldve_network *net, const char *what, const float *value,
                          size_t count)
{
    return kldve_finite_check(net->ctx, net->backend.name, what, value, count);
}

/* check() of what each of several inputs has. */
static kldve_status check_each(const kldve_network *net, const char *what, const float *value,
                               size_t each, int32_t count, int32_t *refused)
{
    for (int32_t i = 0; i < count; i++) {
        kldve_status st = check(net, what, value + (size_t)i * each, each);

        if (st < 0) {
            *refused = i;
            return st;
        }
    }
    return KLDVE_OK;
}

/* A pass of one input, or of a batch, which may do without features. */
static kldve_status forward(kldve_network *net, int32_t count, const float *inputs, float *logits,
                            float *features, int32_t *refused)
{
    size_t classes = (size_t)net->shape.classes;
    kldve_reason reason;
    kldve_status st;

    assert(count == 1 || count == net->shape.batch);
    assert(count == 1 || kldve_network_has(net, forward_many));
    assert(features || count > 1);
    *refused = -1;
    net->held = KLDVE_HELD_NOTHING;
    st = count == 1
             ? CALL(net, &reason, "forward", forward, inputs, logits, features)
             : CALL(net, &reason, "forward of a batch", forward_many, inputs, logits, features);
    if (st < 0)
        return st;
    expand(net, (size_t)count, logits);
    return check_each(net, "logit", logits, classes, count, refused);
}

kldve_status kldve_network_can(kldve_network *net, const char *method, uint64_t needs, int32_t rule)
{
    kldve_reason reason;

    return kldve_network_has(net, can) ? CALL(net, &reason, method, can, needs, rule) : KLDVE_OK;
}

kldve_status kldve_network_parameters(kldve_network *net, int32_t index, const char **name)
{
    kldve_reason reason;
    kldve_status st;

    if (!kldve_network_has(net, parameters))
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED, "%s: does not know its parameters",
                               net->backend.name);
    st = CALL(net, &reason, "parameters", parameters, index, name);
    if (st == KLDVE_OK && !*name)
        return kldve_ctx_failf(net->ctx, KLDVE_E_BACKEND, "%s: parameters: layer %d has no name",
                               net->backend.name, (int)index);
    return st;
}

kldve_status kldve_network_randomise(kldve_network *net, int32_t kind, int32_t layer, uint64_t seed)
{
    kldve_reason reason;

    if (!kldve_network_has(net, randomise))
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED, "%s: cannot have random parameters",
                               net->backend.name);
    net->held = KLDVE_HELD_NOTHING;
    return CALL(net, &reason, "random parameters", randomise, kind, layer, seed);
}

kldve_status kldve_network_forward(kldve_network *net, int32_t count, const float *inputs,
                                   float *logits, float *features, int32_t *refused)
{
    kldve_status st = forward(net, count, inputs, logits, features, refused);

    if (st < 0 || (st = check_each(net, "feature", features, net->features, count, refused)) < 0)
        return st;
    net->held = count == 1 ? KLDVE_HELD_INPUT : KLDVE_HELD_BATCH;
    net->held_for = inputs;
    return KLDVE_OK;
}

kldve_status kldve_network_pick(kldve_network *net, kldve_pick *pick, float *logits)
{
    kldve_reason reason;
    kldve_status st;

    assert(net->held == KLDVE_HELD_INPUT && kldve_network_has(net, pick));
    if ((st = CALL(net, &reason, "pick", pick, pick, logits)) < 0)
        return st;
    expand(net, 1, logits);
    return check(net, "logit", logits, (size_t)net->shape.classes);
}

kldve_status kldve_network_restore(kldve_network *net, int32_t count, const float *inputs,
                                   float *logits, float *features, int32_t *refused)
{
    kldve_held explained = count == 1 ? KLDVE_HELD_INPUT : KLDVE_HELD_BATCH;

    if (net->held == explained && net->held_for == inputs)
        return KLDVE_OK;
    return kldve_network_forward(net, count, inputs, logits, features, refused);
}

kldve_status kldve_network_vjp(kldve_network *net, int32_t count, const float *cotangents,
                               float *gradients, int32_t *refused)
{
    kldve_reason reason;
    kldve_status st;

    *refused = -1;
    if (!kldve_network_has(net, vjp))
        return kldve_ctx_failf(net->ctx, KLDVE_E_NO_VJP, "%s: has no backward pass to the layer",
                               net->backend.name);
    assert(count == 1 ? net->held == KLDVE_HELD_INPUT || net->held == KLDVE_HELD_CHANGED
                      : net->held == KLDVE_HELD_BATCH && count == net->shape.batch);
    cotangents = contract(net, (size_t)count, cotangents);
    st = count == 1 ? CALL(net, &reason, "backward", vjp, cotangents, gradients)
                    : CALL(net, &reason, "backward of a batch", vjp_many, cotangents, gradients);
    return st < 0 ? st : check_each(net, "gradient", gradients, net->features, count, refused);
}

/* Room for the features that nobody asked for. */
static kldve_status make_spare(kldve_network *net)
{
    if (!net->spare)
        net->spare = kldve_ctx_alloc(net->ctx, net->features, sizeof *net->spare);
    return net->spare ? KLDVE_OK
                      : kldve_ctx_failf(net->ctx, KLDVE_E_NOMEM, "out of memory for %zu features",
                                        net->features);
}

/* The state holds what was changed for the explained input `held_for`, if that went well. */
static kldve_status hold_changed(kldve_network *net, const float *held_for, kldve_status st)
{
    net->held = st == KLDVE_OK ? KLDVE_HELD_CHANGED : KLDVE_HELD_NOTHING;
    net->held_for = held_for;
    return st;
}

kldve_status kldve_network_forward_changed(kldve_network *net, const float *held_for, int32_t count,
                                           const float *inputs, float *logits)
{
    int32_t refused;
    kldve_status st;

    if (count > 1)
        return forward(net, count, inputs, logits, NULL, &refused);
    if ((st = make_spare(net)) < 0)
        return st;
    return hold_changed(net, held_for, forward(net, 1, inputs, logits, net->spare, &refused));
}

void kldve_network_let_go(kldve_network *net)
{
    if (net->held == KLDVE_HELD_CHANGED)
        net->held = KLDVE_HELD_NOTHING;
}

kldve_status kldve_network_forward_features(kldve_network *net, const float *held_for,
                                            const float *features, float *logits)
{
    kldve_reason reason;
    kldve_status st;

    if (!kldve_network_has(net, forward_features))
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                               "%s: cannot run from changed feature maps", net->backend.name);
    st = CALL(net, &reason, "forward from features", forward_features, features, logits);
    if (st == KLDVE_OK) {
        expand(net, 1, logits);
        st = check(net, "logit", logits, (size_t)net->shape.classes);
    }
    return hold_changed(net, held_for, st);
}

kldve_status kldve_network_vjp_input(kldve_network *net, const float *cotangent, int32_t rule,
                                     float *gradient)
{
    kldve_reason reason;
    kldve_status st;

    assert(net->held == KLDVE_HELD_INPUT || net->held == KLDVE_HELD_CHANGED);
    if (!kldve_network_has(net, vjp_input))
        return kldve_ctx_failf(net->ctx, KLDVE_E_NO_VJP, "%s: has no backward pass to the pixels",
                               net->backend.name);
    cotangent = contract(net, 1, cotangent);
    st = CALL(net, &reason, "backward to the pixels", vjp_input, cotangent, rule, gradient);
    return st < 0 ? st : check(net, "pixel gradient", gradient, net->inputs);
}

/* The visitor sees units of this release, whatever release the backend was compiled for. */
struct relay {
    kldve_ctx *ctx;
    kldve_bias_fn visit;
    void *opaque;
};

static kldve_status relay_unit(void *opaque, const kldve_bias_gradient *theirs)
{
    const struct relay *to = opaque;
    kldve_bias_gradient unit;
    kldve_status st = kldve_struct_load(to->ctx, "kldve_bias_gradient", theirs, &unit, sizeof unit);

    return st < 0 ? st : to->visit(to->opaque, &unit);
}

kldve_status kldve_network_vjp_biases(kldve_network *net, const float *cotangent, float *gradient,
                                      kldve_bias_fn visit, void *opaque)
{
    struct relay relay = {net->ctx, visit, opaque};
    kldve_reason reason;
    kldve_status st;

    assert(net->held == KLDVE_HELD_INPUT || net->held == KLDVE_HELD_CHANGED);
    if (!kldve_network_has(net, vjp_biases))
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED, "%s: has no gradients at biases",
                               net->backend.name);
    cotangent = contract(net, 1, cotangent);
    st = CALL(net, &reason, "backward to the biases", vjp_biases, cotangent, gradient, relay_unit,
              &relay);
    return st < 0 ? st : check(net, "pixel gradient", gradient, net->inputs);
}

kldve_status kldve_network_attentions(kldve_network *net, const float *cotangent,
                                      kldve_attention_fn visit, void *opaque)
{
    kldve_attention_relay relay = {.ctx = net->ctx,
                                   .backend = net->backend.name,
                                   .gradients = cotangent != NULL,
                                   .visit = visit,
                                   .opaque = opaque};
    kldve_reason reason;
    kldve_status st;

    assert(net->held == KLDVE_HELD_INPUT || net->held == KLDVE_HELD_CHANGED);
    if (!kldve_network_has(net, attentions))
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED, "%s: has no attentions",
                               net->backend.name);
    cotangent = cotangent ? contract(net, 1, cotangent) : NULL;
    st = CALL(net, &reason, "attentions", attentions, cotangent, kldve_attention_pass_on, &relay);
    if (st == KLDVE_OK && relay.visited == 0)
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                               "%s: attentions: the network has none", net->backend.name);
    return st;
}
