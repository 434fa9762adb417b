/* state.c - a state: the memory of one run of a plan, and its primitives bound to that memory. */
#include "run/state.h"

#include <assert.h>
#include <string.h>

#include <omp.h>

#include "accel/call.h"
#include "accel/rule.h"
#include "run/attend.h"
#include "run/dense.h"
#include "run/elementwise.h"
#include "run/relevance_kernels.h"
#include "run/rows.h"

struct kx_state {
    kldve_ctx *ctx;
    const kx_plan *plan;
    unsigned char *memory;
    kx_call **call; /* [nstep], NULL for steps without a primitive */
    int32_t rule;
    kldve_bias_visitor visit;       /* of the VJP under way, or NULL */
    kldve_attention_visitor attend; /* as well */
    bool probing;                   /* its cotangent is the engine's own */
    void *opaque;                   /* of the visitor */
    bool ran;                       /* a forward pass is there for a VJP to look back on */
    bool passed;                    /* a forward pass has been, from the input */
};

static void *at(const kx_state *s, int32_t buffer)
{
    const kx_buffer *b;

    if (buffer < 0)
        return NULL;
    assert(buffer < s->plan->nbuffer);
    b = &s->plan->buffer[buffer];
    assert(b->fixed || b->offset + b->bytes <= s->plan->state_bytes);
    return b->fixed ? b->fixed : s->memory + b->offset;
}

static kldve_status bind(kx_state *s, int32_t i)
{
    const kx_step *step = &s->plan->step[i];
    void *memory[KX_SLOTS];

    for (int k = 0; k < KX_SLOTS; k++)
        memory[k] = at(s, step->as.prim.buf[k]);
    return kx_call_new(s->ctx, step->as.prim.prim, memory, &s->call[i]);
}

kldve_status kx_state_new(kldve_ctx *ctx, const kx_plan *plan, kx_state **out)
{
    kx_state *s = kldve_ctx_alloc(ctx, 1, sizeof *s);

    if (!s)
        goto nomem;
    memset(s, 0, sizeof *s);
    s->ctx = ctx;
    s->plan = plan;
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

static void tensor(const kx_state *s, const kx_value *v, int32_t buffer, kx_tensor *t)
{
    t->data = at(s, buffer);
    t->count = 0;
    if (!v)
        return;
    t->dtype = v->dtype;
    t->shape = v->shape;
    t->count = v->count;
}

static void run_node(const kx_state *s, const kx_step *step)
{
    const kx_node *n = step->node;
    const kx_node_step *k = &step->as.node_kernel;
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT], dout[KX_MAX_OUT], din;
    kx_op_call call = {.node = n, .in = in, .out = out, .scratch = at(s, k->scratch)};

    assert(n->nin <= KX_MAX_IN && n->nout <= KX_MAX_OUT);
    for (int32_t i = 0; i < n->nin; i++)
        tensor(s, n->in[i], k->list[i], &in[i]);
    for (int32_t i = 0; i < n->nout; i++) {
        tensor(s, n->out[i], k->list[n->nin + i], &out[i]);
        tensor(s, n->out[i], k->list[n->nin + n->nout + i], &dout[i]);
    }
    if (step->kind == KX_STEP_NODE) {
        n->op->forward(&call);
        return;
    }
    tensor(s, n->in[k->which], k->din, &din);
    call.which = k->which;
    call.dout = dout;
    call.din = &din;
    n->op->vjp(&call);
}

/* Rows by columns -> columns by rows. */
static void transpose(const float *from, size_t rows, size_t columns, float *to)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to[j * rows + i] = from[i * columns + j];
}

static kldve_status visit(const kx_state *s, const kx_step *step)
{
    const kx_visit_step *v = &step->as.visit;
    kldve_bias_gradient unit = {.struct_size = sizeof unit,
                                .name = step->node->name,
                                .bias = at(s, v->bias),
                                .gradient = at(s, v->gradient),
                                .dense = v->dense,
                                .maps = v->maps,
                                .height = v->height,
                                .width = v->width};

    if (!s->visit)
        return KLDVE_OK;
    if (v->dense && v->width > 1) {
        transpose(unit.gradient, (size_t)v->width, (size_t)v->maps, at(s, v->turned));
        unit.gradient = at(s, v->turned);
    }
    return s->visit(s->opaque, &unit);
}

static kldve_status attend(const kx_state *s, const kx_step *step)
{
    const kx_attend_step *k = &step->as.attend;
    const kx_attention *a = k->attention;
    kldve_attention out = {.struct_size = sizeof out,
                           .name = a->node->name,
                           .weights = at(s, k->weights),
                           .gradient = s->probing ? NULL : at(s, k->gradient),
                           .read = at(s, k->read),
                           .heads = a->heads,
                           .queries = a->tokens,
                           .keys = a->tokens,
                           .lead = a->lead,
                           .height = a->height,
                           .width = a->width};

    if (!s->attend)
        return KLDVE_OK;
    if (k->read >= 0)
        kx_attend_read(a, at(s, k->gradient), at(s, k->read));
    return s->attend(s->opaque, &out);
}

size_t kx_state_dense_rows(const kx_state *s, const kx_step *step, const float **from, float **to)
{
    const kx_dense *d = &step->as.dense.layer;
    bool forward = step->kind == KX_STEP_DENSE;
    const float *x = at(s, step->as.dense.from);
    float *y = at(s, step->as.dense.to);

    assert(d->m >= 1 && d->m <= KX_DENSE_ROWS);
    for (int64_t m = 0; m < d->m; m++) {
        from[m] = x + m * (forward ? d->k : d->n);
        to[m] = y + m * (forward ? d->n : d->k);
    }
    return (size_t)d->m;
}

void kx_run_dense_rows(const kx_step *step, size_t rows, const float *const *from, float *const *to)
{
    const kx_dense_step *d = &step->as.dense;

    if (step->kind == KX_STEP_DENSE)
        kx_dense_forward(&d->layer, d->act, rows, from, to);
    else
        kx_dense_vjp(&d->layer, rows, from, to);
}

static void run_dense(const kx_state *s, const kx_step *step)
{
    const float *from[KX_DENSE_ROWS];
    float *to[KX_DENSE_ROWS];
    size_t rows = kx_state_dense_rows(s, step, from, to);

    kx_run_dense_rows(step, rows, from, to);
}

static void run_share(const kx_state *s, const kx_share_step *h)
{
    kx_lrp_share(&(kx_share){.n = h->count,
                             .relevance = at(s, h->from),
                             .z = at(s, h->z),
                             .z1 = at(s, h->z1),
                             .factor = h->factor,
                             .off = h->off,
                             .out = at(s, h->to)});
}

/* What relevance propagation does between its VJPs. */
static void run_relevance(const kx_state *s, const kx_step *step)
{
    const kx_clamp_step *c = &step->as.clamp;
    const kx_take_step *t = &step->as.take;
    const kx_dense_step *d = &step->as.dense;

    if (step->kind == KX_STEP_CLAMP)
        kx_clamp_all(c->range, c->count, at(s, c->from), at(s, c->to));
    else if (step->kind == KX_STEP_SHARE)
        run_share(s, &step->as.share);
    else if (step->kind == KX_STEP_TAKE)
        kx_lrp_take(t->range, t->count, at(s, t->x), at(s, t->g), at(s, t->addend), at(s, t->to));
    else if (step->kind == KX_STEP_DENSE_PART)
        kx_dense_part(&d->layer, d->range, at(s, d->bias), at(s, d->from), at(s, d->to));
    else
        kx_dense_part_vjp(&d->layer, d->range, at(s, d->from), at(s, d->to));
}

static kldve_status run_step(kx_state *s, int32_t i)
{
    const kx_step *step = &s->plan->step[i];
    const kx_act_step *act = &step->as.act;
    const kx_add_step *add = &step->as.add;
    const kx_rows_step *rows = &step->as.rows;

    if (step->passed.count && kx_rule_is_reversed(s->rule)) {
        memcpy(at(s, step->passed.to), at(s, step->passed.from),
               step->passed.count * sizeof(float));
        return KLDVE_OK;
    }
    switch (step->kind) {
    case KX_STEP_PRIM:
        return kx_call_run(s->call[i]);
    case KX_STEP_NODE:
    case KX_STEP_NODE_VJP:
        run_node(s, step);
        break;
    case KX_STEP_DENSE:
    case KX_STEP_DENSE_VJP:
        run_dense(s, step);
        break;
    case KX_STEP_ACT:
        kx_act_forward(act->act, act->count, at(s, act->from), at(s, act->to));
        break;
    case KX_STEP_ROWS:
        kx_rows_forward(&rows->rows, at(s, rows->from), at(s, rows->to));
        break;
    case KX_STEP_ROWS_VJP:
        kx_rows_vjp(&rows->rows, at(s, rows->seen), at(s, rows->from), at(s, rows->to));
        break;
    case KX_STEP_ACT_VJP:
        kx_act_vjp(act->act, s->rule, act->count, at(s, act->seen), at(s, act->from),
                   at(s, act->to));
        break;
    case KX_STEP_ADD:
        kx_add(add->count, at(s, add->a), at(s, add->b), at(s, add->to));
        break;
    case KX_STEP_ZERO:
        memset(at(s, step->as.zero.to), 0, step->as.zero.bytes);
        break;
    case KX_STEP_VISIT:
        return visit(s, step);
    case KX_STEP_ATTEND:
        return attend(s, step);
    case KX_STEP_CLAMP:
    case KX_STEP_SHARE:
    case KX_STEP_TAKE:
    case KX_STEP_DENSE_PART:
    case KX_STEP_DENSE_PART_VJP:
        run_relevance(s, step);
        break;
    }
    return KLDVE_OK;
}

static kldve_status steps(kx_state *s, kx_step_range range, bool head, int32_t *failed)
{
    kldve_status st = KLDVE_OK;

    assert(range.from >= 0 && range.to <= s->plan->nstep);
    for (int32_t i = range.from; i < range.to && st == KLDVE_OK; i++)
        if (!head || s->plan->step[i].head) {
            *failed = i;
            st = run_step(s, i);
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

    if (s->plan->step[failed].kind == KX_STEP_VISIT || s->plan->step[failed].kind == KX_STEP_ATTEND)
        return st; /* the visitor has said why */
    return kldve_ctx_failf(s->ctx, st, "node '%.80s' (%.40s): oneDNN failed to run it",
                           n ? n->name : "", n ? n->type : "");
}

/* These steps, or those of them that are of the head.  OpenMP's number of threads belongs to
 * the calling thread: it is set for the run and put back. */
static kldve_status run(kx_state *s, kx_step_range range, bool head)
{
    int before = omp_get_max_threads();
    int32_t failed;
    kldve_status st;

    omp_set_num_threads(s->plan->threads);
    st = steps(s, range, head, &failed);
    omp_set_num_threads(before);
    return st < 0 ? kx_state_failed(s, failed, st) : st;
}

static void copy_out(const kx_state *s, const kx_port *port, float *to)
{
    if (to && port->buffer >= 0)
        memcpy(to, at(s, port->buffer), port->count * sizeof *to);
}

void kx_state_begin_forward(kx_state *s, const float *input)
{
    const kx_port *port = &s->plan->input;

    assert(port->buffer >= 0);
    s->ran = s->passed = false;
    memcpy(at(s, port->buffer), input, port->count * sizeof *input);
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
    memcpy(at(s, plan->entry.buffer), features, plan->entry.count * sizeof *features);
    if ((st = run(s, plan->enter, false)) < 0 || (st = run(s, plan->forward, true)) < 0)
        return st;
    copy_out(s, &plan->logits, logits);
    return KLDVE_OK;
}

kldve_status kx_state_begin_vjp(kx_state *s, kx_target to, int32_t rule, const float *cotangent)
{
    const kx_port *port = &s->plan->cotangent[to];

    assert(to == 0 || to == 1);
    if (s->plan->gradient[to].buffer < 0)
        return kldve_ctx_fail(
            s->ctx, KLDVE_E_NO_VJP,
            to == KX_TO_INPUT
                ? "the network was loaded without KLDVE_ONNX_VJP_INPUT: load it with that flag"
                : "the network has no layer, or was loaded with KLDVE_ONNX_NO_VJP: without a layer "
                  "only the input can be explained, with KLDVE_ONNX_VJP_INPUT");
    if (!s->ran)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "there is no forward pass yet: a VJP needs one before it");
    s->rule = rule;
    memmove(at(s, port->buffer), cotangent, port->count * sizeof *cotangent);
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
                                 kldve_bias_visitor visitor, void *opaque)
{
    kldve_status st;

    assert(visitor && !s->visit);
    s->visit = visitor;
    s->opaque = opaque;
    st = kx_state_vjp(s, KX_TO_INPUT, KLDVE_RULE_GRADIENT, cotangent, gradient);
    s->visit = NULL;
    return st;
}

kldve_status kx_state_attentions(kx_state *s, const float *cotangent,
                                 kldve_attention_visitor visitor, void *opaque)
{
    const kx_port *port = &s->plan->cotangent[KX_TO_LAYER];
    float *probe = at(s, port->buffer);
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
