/* state.c - a state: the memory of one run of a plan, its primitives bound to that memory, and
 * passes over its steps. */
#include "run/state.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <omp.h>

#include "accel/call.h"
#include "graph/final.h"
#include "run/attend.h"
#include "run/step.h"

static const float most_whole = 16777216; /* 2^24: up to there float32 has every whole number */

static kldve_status bind(kx_state *s, int32_t i)
{
    const kx_step *step = &s->plan->step[i];
    void *memory[KX_SLOTS];

    for (int k = 0; k < KX_SLOTS; k++)
        memory[k] = kx_state_at(s, step->as.prim.buf[k]);
    return kx_call_new(s->ctx, step->as.prim.prim, memory, &s->call[i]);
}

kldve_status kx_state_new(kldve_ctx *ctx, const kx_plan *plan, kx_state **out)
{
    kx_state *s = kldve_ctx_alloc(ctx, 1, sizeof *s);
    kldve_status st;

    if (!s)
        goto nomem;
    memset(s, 0, sizeof *s);
    s->ctx = ctx;
    s->plan = plan;
    s->home = kx_home_here();
    s->call = kldve_ctx_alloc(ctx, (size_t)plan->nstep + 1, sizeof *s->call);
    if (!s->call)
        goto nomem;
    memset(s->call, 0, ((size_t)plan->nstep + 1) * sizeof *s->call);
    s->memory = kldve_ctx_alloc(ctx, plan->state_bytes, 1);
    if (!s->memory)
        goto nomem;
    for (int32_t i = 0; i < plan->nstep; i++)
        if (plan->step[i].kind == KX_STEP_PRIM && bind(s, i) < 0)
            goto nomem;
    if ((st = kldve_ctx_poll(ctx)) < 0) {
        kx_state_free(s);
        return st;
    }
    *out = s;
    return KLDVE_OK;
nomem:
    kx_state_free(s);
    return kldve_ctx_failf(ctx, KLDVE_E_NOMEM,
                           "out of memory: the network needs %zu MiB of working memory",
                           plan->state_bytes >> 20);
}

void kx_state_free(kx_state *s)
{
    if (!s)
        return;
    for (int32_t i = 0; s->call && i < s->plan->nstep; i++)
        kx_call_free(s->call[i]);
    kldve_ctx_release(s->ctx, s->call);
    kldve_ctx_release(s->ctx, s->memory);
    kldve_ctx_release(s->ctx, s);
}

/* The thread of the call polls.  Others of a team ask whether it has to end; batch.c says why. */
static kldve_status poll(const kx_state *s)
{
    if (omp_get_thread_num() == 0)
        return kldve_ctx_poll(s->ctx);
    return kldve_ctx_stopping(s->ctx) ? KLDVE_E_CANCELLED : KLDVE_OK;
}

static kldve_status steps(kx_state *s, kx_step_range range, bool head, int32_t *failed)
{
    kldve_status st = KLDVE_OK;

    assert(range.from >= 0 && range.to <= s->plan->nstep);
    for (int32_t i = range.from; i < range.to && st == KLDVE_OK; i++)
        if (!head || s->plan->step[i].head) {
            *failed = i;
            if ((st = poll(s)) == KLDVE_OK)
                st = kx_step_run(s, i);
        }
    return st;
}

kldve_status kx_state_steps(kx_state *s, kx_step_range range, int32_t *failed)
{
    return steps(s, range, false, failed);
}

kldve_status kx_state_failed(const kx_state *s, int32_t failed, kldve_status st)
{
    const kx_node *n = s->plan->step[failed].node;

    if (kx_is_final(st) || s->plan->step[failed].kind == KX_STEP_VISIT ||
        s->plan->step[failed].kind == KX_STEP_ATTEND)
        return st; /* the poll, kx_lead() or the visitor has said why */
    return kldve_ctx_failf(s->ctx, st, "node '%.80s' (%.40s): oneDNN failed to run it",
                           n ? n->name : "", n ? n->type : "");
}

/* For kx_lead(). */
struct pass {
    kx_state *state;
    kx_step_range range;
    bool head;
    int32_t failed;
    kldve_status status;
};

/* OpenMP's number of threads belongs to the calling thread: it is set for the run and put back. */
static void run_pass(void *pass)
{
    struct pass *p = pass;
    int before = omp_get_max_threads();

    omp_set_num_threads(p->state->plan->threads);
    p->status = steps(p->state, p->range, p->head, &p->failed);
    omp_set_num_threads(before);
}

/* These steps, or those of them that are of the head. */
static kldve_status run(kx_state *s, kx_step_range range, bool head)
{
    struct pass p = {.state = s, .range = range, .head = head};
    kldve_status st =
        kx_lead(s->ctx, kx_team_lost(&s->home, s->plan->threads), s->plan->threads, run_pass, &p);

    if (st == KLDVE_OK)
        st = p.status;
    return st < 0 ? kx_state_failed(s, p.failed, st) : st;
}

static void copy_out(const kx_state *s, const kx_port *port, float *to)
{
    if (to && port->buffer >= 0)
        memcpy(to, kx_state_at(s, port->buffer), port->count * sizeof *to);
}

static void copy_in(const kx_state *s, const kx_given *given, const float *from)
{
    void *to = kx_state_at(s, given->buffer);
    int64_t *whole = to;

    if (!given->whole)
        memcpy(to, from, given->count * sizeof *from);
    for (size_t i = 0; given->whole && i < given->count; i++)
        whole[i] = fabsf(from[i]) <= most_whole ? llrintf(from[i]) : 0;
}

void kx_state_begin_forward(kx_state *s, const float *input)
{
    assert(s->plan->ngiven > 0);
    s->ran = s->passed = false;
    for (int32_t i = 0; i < s->plan->ngiven; i++) {
        copy_in(s, &s->plan->given[i], input);
        input += s->plan->given[i].count;
    }
}

void kx_state_end_forward(kx_state *s, float *logits, float *features)
{
    copy_out(s, &s->plan->logits, logits);
    copy_out(s, &s->plan->features, features);
    s->ran = s->passed = true;
}

kldve_status kx_state_forward(kx_state *s, const float *input, float *logits, float *features)
{
    kldve_status st;

    kx_state_begin_forward(s, input);
    if ((st = run(s, s->plan->forward, false)) < 0)
        return st;
    kx_state_end_forward(s, logits, features);
    return KLDVE_OK;
}

kldve_status kx_state_forward_features(kx_state *s, const float *features, float *logits)
{
    const kx_plan *plan = s->plan;
    kldve_status st;

    if (plan->aside && !s->passed)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "the logits also depend on the picture by a path around the layer: "
                              "run a forward pass first");
    s->ran = false;
    memcpy(kx_state_at(s, plan->entry.buffer), features, plan->entry.count * sizeof *features);
    if ((st = run(s, plan->enter, false)) < 0 || (st = run(s, plan->forward, true)) < 0)
        return st;
    copy_out(s, &plan->logits, logits);
    return KLDVE_OK;
}

kldve_status kx_state_has_vjp(const kx_state *s, kx_target to)
{
    assert(to == KX_TO_LAYER || to == KX_TO_INPUT);
    if (s->plan->gradient[to].buffer >= 0)
        return KLDVE_OK;
    return kldve_ctx_fail(
        s->ctx, KLDVE_E_NO_VJP,
        to == KX_TO_INPUT
            ? "the network was loaded without KLDVE_ONNX_FLAG_VJP_INPUT: load it with that flag"
            : "the network has no layer, or was loaded with KLDVE_ONNX_FLAG_NO_VJP: without a "
              "layer only the input can be explained, with KLDVE_ONNX_FLAG_VJP_INPUT");
}

kldve_status kx_state_begin_vjp(kx_state *s, kx_target to, int32_t rule, const float *cotangent)
{
    const kx_port *port = &s->plan->cotangent[to];
    kldve_status st = kx_state_has_vjp(s, to);

    if (st < 0)
        return st;
    if (!s->ran)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "there is no forward pass yet: a VJP needs one before it");
    s->rule = rule;
    memmove(kx_state_at(s, port->buffer), cotangent, port->count * sizeof *cotangent);
    return KLDVE_OK;
}

void kx_state_end_vjp(const kx_state *s, kx_target to, float *gradient)
{
    copy_out(s, &s->plan->gradient[to], gradient);
}

kldve_status kx_state_vjp(kx_state *s, kx_target to, int32_t rule, const float *cotangent,
                          float *gradient)
{
    kldve_status st = kx_state_begin_vjp(s, to, rule, cotangent);

    if (st < 0 || (st = run(s, s->plan->vjp[to], false)) < 0)
        return st;
    kx_state_end_vjp(s, to, gradient);
    return KLDVE_OK;
}

kldve_status kx_state_vjp_biases(kx_state *s, const float *cotangent, float *gradient,
                                 kldve_bias_fn visitor, void *opaque)
{
    kldve_status st;

    assert(visitor && !s->visit);
    s->visit = visitor;
    s->opaque = opaque;
    st = kx_state_vjp(s, KX_TO_INPUT, KLDVE_RULE_GRADIENT, cotangent, gradient);
    s->visit = NULL;
    return st;
}

kldve_status kx_state_attentions(kx_state *s, const float *cotangent, kldve_attention_fn visitor,
                                 void *opaque)
{
    const kx_port *port = &s->plan->cotangent[KX_TO_LAYER];
    float *probe = kx_state_at(s, port->buffer);
    kldve_status st;

    assert(visitor && !s->attend);
    s->probing = !cotangent;
    if (s->probing)
        kx_attend_probe(port->count, probe);
    s->attend = visitor;
    s->opaque = opaque;
    st = kx_state_vjp(s, KX_TO_LAYER, KLDVE_RULE_GRADIENT, s->probing ? probe : cotangent, NULL);
    s->attend = NULL;
    return st;
}
