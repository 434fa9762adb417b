/* backend_extra.c - backward passes to pixels, biases and attentions.  Most have a plan of their
 * own, made when it is first asked for. */
#include "backend_parts.h"

#include <assert.h>

#include <kldve/method.h>

#include "accel/rule.h"

static const char gradients_only[] =
    "a network that was loaded to be deterministic, or with KLDVE_ONNX_FLAG_PLAIN, has gradients "
    "only: no other rule, no gradients at biases, no attentions";

/* An extra plan, made if need be. */
static kldve_status make_extra(kx_backend_state *s, int which, int32_t rule)
{
    kx_plan_options o = s->net->options;

    assert(which >= 0 && which < KX_EXTRAS);
    if (s->net->options.plain)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED, gradients_only);
    if (!s->net->options.vjp_input)
        return kldve_ctx_fail(
            s->ctx, KLDVE_E_NO_VJP,
            "the network was loaded without KLDVE_ONNX_FLAG_VJP_INPUT: load it with that flag");
    if (s->extra[which])
        return KLDVE_OK;
    o.layer = NULL;
    o.logits = s->net->choice.logits; /* all of what is computed in front of them */
    o.attentions = which == KX_EXTRA_ATTENTIONS;
    o.vjp = o.attentions;
    o.vjp_input = !o.attentions;
    o.lender = s->net->plan;
    o.rule = rule;
    o.biases = which == KX_EXTRA_BIASES;
    return kx_extra_new(s->ctx, s->net->graph, &o, &s->extra[which]);
}

/* The state of an extra plan at the last forward pass. */
static kldve_status extra_at_pass(kx_backend_state *s, int which, int32_t rule, kx_state **out)
{
    kldve_status st = make_extra(s, which, rule);

    if (st < 0)
        return st;
    if (!s->pass)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "there is no forward pass yet: a VJP needs one before it");
    *out = kx_extra_state(s->extra[which]);
    if (s->extra_pass[which] != s->pass) {
        if ((st = kx_state_forward(*out, s->input, NULL, NULL)) < 0)
            return st;
        s->extra_pass[which] = s->pass;
    }
    return KLDVE_OK;
}

static int of_rule(int32_t rule)
{
    assert(kx_rule_is_lrp(rule));
    return KX_EXTRA_LRP + rule - KLDVE_RULE_LRP_EPSILON;
}

static kldve_status check_rule(const kx_backend_state *s, int32_t rule)
{
    if (rule < KLDVE_RULE_GRADIENT || rule > KLDVE_RULE_SALIENT_DECONVOLUTION)
        return kldve_ctx_failf(s->ctx, KLDVE_E_UNSUPPORTED,
                               "the ONNX engine has no backward rule %d", (int)rule);
    if (rule != KLDVE_RULE_GRADIENT && s->net->options.plain)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED, gradients_only);
    return KLDVE_OK;
}

kldve_status kx_backend_vjp_input(void *state, const float *cotangent, int32_t rule,
                                  float *gradient)
{
    kx_backend_state *s = state;
    kx_state *run = s->run;
    const float *from;
    kldve_status st;

    if ((st = check_rule(s, rule)) < 0 ||
        (kx_rule_is_lrp(rule) && (st = extra_at_pass(s, of_rule(rule), rule, &run)) < 0))
        return st;
    from = s->picked && kx_rule_is_lrp(rule) ? kx_picked_share(s->picked, cotangent)
                                             : kx_cotangent_of(s, 1, cotangent);
    return from ? kx_state_vjp(run, KX_TO_INPUT, rule, from, gradient) : KLDVE_E_NOMEM;
}

kldve_status kx_backend_vjp_biases(void *state, const float *cotangent, float *gradient,
                                   kldve_bias_fn visit, void *opaque)
{
    kx_backend_state *s = state;
    kx_state *run = NULL;
    const float *from;
    kldve_status st = extra_at_pass(s, KX_EXTRA_BIASES, KLDVE_RULE_GRADIENT, &run);

    if (st < 0)
        return st;
    from = kx_cotangent_of(s, 1, cotangent);
    return from ? kx_state_vjp_biases(run, from, gradient, visit, opaque) : KLDVE_E_NOMEM;
}

kldve_status kx_backend_attentions(void *state, const float *cotangent, kldve_attention_fn visit,
                                   void *opaque)
{
    kx_backend_state *s = state;
    kx_state *run = NULL;
    kldve_status st = extra_at_pass(s, KX_EXTRA_ATTENTIONS, KLDVE_RULE_GRADIENT, &run);

    if (st == KLDVE_OK && cotangent && !(cotangent = kx_cotangent_of(s, 1, cotangent)))
        st = KLDVE_E_NOMEM;
    return st < 0 ? st : kx_state_attentions(run, cotangent, visit, opaque);
}

kldve_status kx_backend_can(void *state, uint64_t needs, int32_t rule)
{
    kx_backend_state *s = state;
    kldve_status st = KLDVE_OK;

    if (needs & KLDVE_NEED_GRADIENT)
        st = kx_state_has_vjp(s->run, KX_TO_LAYER);
    if (st == KLDVE_OK && needs & KLDVE_NEED_INPUT_GRADIENT &&
        (st = kx_state_has_vjp(s->run, KX_TO_INPUT)) == KLDVE_OK)
        st = check_rule(s, rule);
    if (st == KLDVE_OK && needs & KLDVE_NEED_INPUT_GRADIENT && kx_rule_is_lrp(rule))
        st = make_extra(s, of_rule(rule), rule);
    if (st == KLDVE_OK && needs & KLDVE_NEED_BIAS_GRADIENT)
        st = make_extra(s, KX_EXTRA_BIASES, KLDVE_RULE_GRADIENT);
    if (st == KLDVE_OK && needs & KLDVE_NEED_ATTENTION)
        st = make_extra(s, KX_EXTRA_ATTENTIONS, KLDVE_RULE_GRADIENT);
    return st;
}
