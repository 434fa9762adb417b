/* step.c - one step of a plan: the kernel that its kind names, on the memory of a state. */
#include "run/step.h"

#include <assert.h>
#include <string.h>

#include <omp.h>

#include "accel/call.h"
#include "accel/rule.h"
#include "run/attend.h"
#include "run/bytes.h"
#include "run/dense.h"
#include "run/elementwise.h"
#include "run/relevance_kernels.h"
#include "run/rows.h"
#include "run/winograd.h"

void *kx_state_at(const kx_state *s, int32_t buffer)
{
    const kx_buffer *b;

    if (buffer < 0)
        return NULL;
    assert(buffer < s->plan->nbuffer);
    b = &s->plan->buffer[buffer];
    assert(b->fixed || b->offset + b->bytes <= s->plan->state_bytes);
    return b->fixed ? b->fixed : s->memory + b->offset;
}

static void tensor(const kx_state *s, const kx_value *v, int32_t buffer, kx_tensor *t)
{
    t->data = kx_state_at(s, buffer);
    t->count = 0;
    t->narrow = 0;
    if (!v)
        return;
    t->dtype = v->dtype;
    t->shape = v->shape;
    t->count = v->count;
}

static kldve_status run_node(const kx_state *s, const kx_step *step)
{
    const kx_node *n = step->node;
    const kx_node_step *k = &step->as.node_kernel;
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT], dout[KX_MAX_OUT], din;
    kx_pace pace = {.ctx = s->ctx, .follows = omp_get_thread_num() != 0};
    kx_op_call call = {
        .node = n, .in = in, .out = out, .scratch = kx_state_at(s, k->scratch), .pace = &pace};

    assert(n->nin <= KX_MAX_IN && n->nout <= KX_MAX_OUT);
    for (int32_t i = 0; i < n->nin; i++)
        tensor(s, n->in[i], k->list[i], &in[i]);
    for (int32_t i = 0; i < n->nout; i++) {
        tensor(s, n->out[i], k->list[n->nin + i], &out[i]);
        tensor(s, n->out[i], k->list[n->nin + n->nout + i], &dout[i]);
    }
    if (step->kind == KX_STEP_NODE) {
        n->op->forward(&call);
        return pace.status;
    }
    tensor(s, n->in[k->which], k->din, &din);
    call.which = k->which;
    call.dout = dout;
    call.din = &din;
    n->op->vjp(&call);
    return pace.status;
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
                                .bias = kx_state_at(s, v->bias),
                                .gradient = kx_state_at(s, v->gradient),
                                .dense = v->dense,
                                .maps = v->maps,
                                .frames = v->frames,
                                .height = v->height,
                                .width = v->width};

    if (!s->visit)
        return KLDVE_OK;
    if (v->dense && v->width > 1) {
        transpose(unit.gradient, (size_t)v->width, (size_t)v->maps, kx_state_at(s, v->turned));
        unit.gradient = kx_state_at(s, v->turned);
    }
    return s->visit(s->opaque, &unit);
}

static kldve_status attend(const kx_state *s, const kx_step *step)
{
    const kx_attend_step *k = &step->as.attend;
    const kx_attention *a = k->attention;
    kldve_attention out = {.struct_size = sizeof out,
                           .name = a->node->name,
                           .weights = kx_state_at(s, k->weights),
                           .gradient = s->probing ? NULL : kx_state_at(s, k->gradient),
                           .read = kx_state_at(s, k->read),
                           .heads = a->heads,
                           .queries = a->tokens,
                           .keys = a->tokens,
                           .lead = a->lead,
                           .height = a->height,
                           .width = a->width};

    if (!s->attend)
        return KLDVE_OK;
    if (k->read >= 0)
        kx_attend_read(a, kx_state_at(s, k->gradient), kx_state_at(s, k->read));
    return s->attend(s->opaque, &out);
}

size_t kx_state_dense_rows(const kx_state *s, const kx_step *step, const float **from, float **to)
{
    const kx_dense *d = &step->as.dense.layer;
    bool forward = step->kind == KX_STEP_DENSE;
    const float *x = kx_state_at(s, step->as.dense.from);
    float *y = kx_state_at(s, step->as.dense.to);

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

enum { BETWEEN_POLLS = 8 << 20 /* weights, some 10 ms of reading from a file that is mapped */ };

/* A large layer whose rows each make one output, in pieces; else all at once. */
static kldve_status run_dense(const kx_state *s, const kx_step *step)
{
    const kx_dense *whole = &step->as.dense.layer;
    bool forward = step->kind == KX_STEP_DENSE;
    const float *from[KX_DENSE_ROWS];
    float *to[KX_DENSE_ROWS];
    size_t rows = kx_state_dense_rows(s, step, from, to);
    int64_t outputs = forward ? whole->n : whole->k, each = forward ? whole->k : whole->n;
    int64_t some = forward == whole->transposed ? (BETWEEN_POLLS / each / 4 + 1) * 4 : outputs;
    kldve_status st = KLDVE_OK;

    for (int64_t at = 0; at < outputs && st == KLDVE_OK; at += some) {
        int64_t left = outputs - at, here = left < some ? left : some;
        kx_dense part = *whole;

        *(forward ? &part.n : &part.k) = here;
        part.weights += at * each;
        if (forward) {
            part.bias = part.bias ? part.bias + at : NULL;
            kx_dense_forward(&part, step->as.dense.act, rows, from, to);
        } else {
            kx_dense_vjp(&part, rows, from, to);
        }
        for (size_t r = 0; r < rows; r++)
            to[r] += here;
        if (here < left && omp_get_thread_num() == 0)
            st = kldve_ctx_poll(s->ctx);
    }
    return st;
}

static void run_share(const kx_state *s, const kx_share_step *h)
{
    kx_lrp_share(&(kx_share){.n = h->count,
                             .relevance = kx_state_at(s, h->from),
                             .z = kx_state_at(s, h->z),
                             .z1 = kx_state_at(s, h->z1),
                             .factor = h->factor,
                             .off = h->off,
                             .out = kx_state_at(s, h->to)});
}

/* What relevance propagation does between its VJPs. */
static void run_relevance(const kx_state *s, const kx_step *step)
{
    const kx_clamp_step *c = &step->as.clamp;
    const kx_take_step *t = &step->as.take;
    const kx_dense_step *d = &step->as.dense;

    if (step->kind == KX_STEP_CLAMP)
        kx_clamp_all(c->range, c->count, kx_state_at(s, c->from), kx_state_at(s, c->to));
    else if (step->kind == KX_STEP_SHARE)
        run_share(s, &step->as.share);
    else if (step->kind == KX_STEP_TAKE)
        kx_lrp_take(t->range, t->count, kx_state_at(s, t->x), kx_state_at(s, t->g),
                    kx_state_at(s, t->addend), kx_state_at(s, t->to));
    else if (step->kind == KX_STEP_DENSE_PART)
        kx_dense_part(&d->layer, d->range, kx_state_at(s, d->bias), kx_state_at(s, d->from),
                      kx_state_at(s, d->to));
    else
        kx_dense_part_vjp(&d->layer, d->range, kx_state_at(s, d->from), kx_state_at(s, d->to));
}

static void run_rows(const kx_state *s, const kx_step *step)
{
    const kx_rows_step *r = &step->as.rows;
    float *to = kx_state_at(s, r->to);

    if (step->kind == KX_STEP_ROWS)
        kx_rows_forward(&r->rows, kx_state_at(s, r->from), to);
    else
        kx_rows_vjp(&r->rows, kx_state_at(s, r->seen), kx_state_at(s, r->from), to);
}

static void run_bytes(const kx_state *s, const kx_bytes_step *b)
{
    kx_bytes_run(b->work, kx_state_at(s, b->from), kx_state_at(s, b->second), kx_state_at(s, b->to),
                 kx_state_at(s, b->scratch), s->plan->threads);
}

static void run_tiles(const kx_state *s, const kx_step *step)
{
    const kx_tiles_step *t = &step->as.tiles;

    if (step->kind == KX_STEP_TILES_IN)
        kx_winograd_input(&t->tiles, kx_state_at(s, t->from), kx_state_at(s, t->to));
    else
        kx_winograd_output(&t->tiles, t->relu, kx_state_at(s, t->from), kx_state_at(s, t->bias),
                           kx_state_at(s, t->to));
}

kldve_status kx_step_run(kx_state *s, int32_t i)
{
    const kx_step *step = &s->plan->step[i];
    const kx_act_step *act = &step->as.act;
    const kx_add_step *add = &step->as.add;

    if (step->passed.count && kx_rule_is_reversed(s->rule)) {
        memcpy(kx_state_at(s, step->passed.to), kx_state_at(s, step->passed.from),
               step->passed.count * sizeof(float));
        return KLDVE_OK;
    }
    switch (step->kind) {
    case KX_STEP_PRIM:
        return kx_call_run(s->call[i]);
    case KX_STEP_NODE:
    case KX_STEP_NODE_VJP:
        return run_node(s, step);
    case KX_STEP_DENSE:
    case KX_STEP_DENSE_VJP:
        return run_dense(s, step);
    case KX_STEP_ACT:
        kx_act_forward(act->act, act->count, kx_state_at(s, act->from), kx_state_at(s, act->to));
        break;
    case KX_STEP_ROWS:
    case KX_STEP_ROWS_VJP:
        run_rows(s, step);
        break;
    case KX_STEP_BYTES:
        run_bytes(s, &step->as.bytes);
        break;
    case KX_STEP_ACT_VJP:
        kx_act_vjp(act->act, s->rule, act->count, kx_state_at(s, act->seen),
                   kx_state_at(s, act->from), kx_state_at(s, act->to));
        break;
    case KX_STEP_TILES_IN:
    case KX_STEP_TILES_OUT:
        run_tiles(s, step);
        break;
    case KX_STEP_ADD:
        kx_add(add->count, kx_state_at(s, add->a), kx_state_at(s, add->b), kx_state_at(s, add->to));
        break;
    case KX_STEP_ZERO:
        memset(kx_state_at(s, step->as.zero.to), 0, step->as.zero.bytes);
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
