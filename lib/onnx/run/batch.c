/* batch.c - several inputs at once.
 *
 * Each has a state of its own, and each core takes one input after the other through the steps of
 * the plan, which is one for a single thread: an input's arrays stay in that core's cache, and no
 * core waits for another at every layer.  Large dense layers are the exception, because reading
 * their weights is all that they cost: there everybody meets, and the weights are read once for all
 * inputs.
 *
 *     input 1   conv conv ... pool |       | act |       |
 *     input 2   conv conv ... pool | dense | act | dense | ...
 *     input 3   conv conv ... pool |       | act |       |
 *
 * So inputs cannot influence each other, in whatever network - whose dense weights are finite: a
 * row that an input alone skips, because it meets a zero there, is read for the others. */
#include "run/batch.h"

#include <assert.h>
#include <string.h>

#include <stdatomic.h>
#include <time.h>

#include <omp.h>

#include "graph/final.h"
#include "run/step.h"

/* Weights that do not stay in a core's cache from one input to the next. */
enum { LARGE = 1 << 18 };

struct kx_many {
    kldve_ctx *ctx;
    const kx_plan *plan;
    kx_home home;
    int32_t count;
    int threads;
    kx_state **state;     /* [count] */
    kldve_status *status; /* [count], of the steps under way */
    int32_t *failed;      /* [count], the step that failed */
    const float **from;   /* [count][KX_DENSE_ROWS] */
    float **to;           /* the same */
};

/* One direction: what goes in and comes out, all inputs behind each other; NULL: nothing. */
typedef struct pass {
    kx_step_range steps;
    bool back;
    const float *in;
    float *out, *features;
    size_t in_each, out_each, features_each;
} pass;

kldve_status kx_many_new(kldve_ctx *ctx, const kx_plan *plan, int32_t count, int threads,
                         kx_many **out)
{
    kx_many *m = kldve_ctx_alloc(ctx, 1, sizeof *m);
    size_t n = (size_t)count;
    kldve_status st;

    assert(count >= 1 && threads >= 1 && plan->threads == 1);
    if (!m)
        goto nomem;
    memset(m, 0, sizeof *m);
    m->ctx = ctx;
    m->plan = plan;
    m->home = kx_home_here();
    m->threads = threads;
    m->state = kldve_ctx_alloc(ctx, n, sizeof *m->state);
    m->status = kldve_ctx_alloc(ctx, n, sizeof *m->status);
    m->failed = kldve_ctx_alloc(ctx, n, sizeof *m->failed);
    m->from = kldve_ctx_alloc(ctx, n, KX_DENSE_ROWS * sizeof *m->from);
    m->to = kldve_ctx_alloc(ctx, n, KX_DENSE_ROWS * sizeof *m->to);
    if (!m->state || !m->status || !m->failed || !m->from || !m->to)
        goto nomem;
    for (; m->count < count; m->count++)
        if ((st = kx_state_new(ctx, plan, &m->state[m->count])) < 0) {
            kx_many_free(m);
            return st;
        }
    *out = m;
    return KLDVE_OK;
nomem:
    kx_many_free(m);
    return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for %d inputs at once", (int)count);
}

void kx_many_free(kx_many *m)
{
    if (!m)
        return;
    for (int32_t i = 0; i < m->count; i++)
        kx_state_free(m->state[i]);
    kldve_ctx_release(m->ctx, m->state);
    kldve_ctx_release(m->ctx, m->status);
    kldve_ctx_release(m->ctx, m->failed);
    kldve_ctx_release(m->ctx, (void *)m->from);
    kldve_ctx_release(m->ctx, (void *)m->to);
    kldve_ctx_release(m->ctx, m);
}

static bool together(const kx_step *step)
{
    return (step->kind == KX_STEP_DENSE || step->kind == KX_STEP_DENSE_VJP) &&
           step->as.dense.layer.k * step->as.dense.layer.n >= LARGE;
}

size_t kx_many_shared(const kx_plan *plan)
{
    size_t sum = 0;

    for (int32_t i = plan->forward.from; i < plan->forward.to; i++)
        if (together(&plan->step[i]))
            sum += (size_t)(plan->step[i].as.dense.layer.k * plan->step[i].as.dense.layer.n);
    return sum;
}

/* Steps [from, to) of input i; what goes in before the first, what comes out after the last. */
static kldve_status run_one(const kx_many *m, const pass *p, int32_t i, int32_t from, int32_t to)
{
    size_t n = (size_t)i;
    kx_state *s = m->state[i];
    kldve_status st = KLDVE_OK;

    if (from == p->steps.from && !p->back)
        kx_state_begin_forward(s, p->in + n * p->in_each);
    if (from < to && (st = kx_state_steps(s, (kx_step_range){from, to}, &m->failed[i])) < 0)
        return st;
    if (to == p->steps.to && p->back)
        kx_state_end_vjp(s, KX_TO_LAYER, p->out + n * p->out_each);
    if (to == p->steps.to && !p->back)
        kx_state_end_forward(s, p->out + n * p->out_each,
                             p->features ? p->features + n * p->features_each : NULL);
    return KLDVE_OK;
}

/* The thread of the call has nothing left to do and polls until the others are done. */
static void wait_for(const kx_many *m, atomic_int *done)
{
    const struct timespec pause = {.tv_nsec = 200000};

    while (atomic_load(done) < m->count) {
        nanosleep(&pause, NULL);
        if (kldve_ctx_poll(m->ctx) < 0)
            return; /* which the others see */
    }
}

/* What the inputs came to, the first failure of all. */
static kldve_status outcome(const kx_many *m)
{
    for (int32_t i = 0; i < m->count; i++) {
        kldve_status st = m->status[i];

        if (kx_is_stop(st) && (st = kldve_ctx_poll(m->ctx)) == KLDVE_OK)
            st = kldve_ctx_fail(m->ctx, KLDVE_E_CANCELLED, "cancelled during a batch");
        if (st < 0)
            return kx_state_failed(m->state[i], m->failed[i], st);
    }
    return KLDVE_OK;
}

static kldve_status run_each(const kx_many *m, const pass *p, int32_t from, int32_t to)
{
    atomic_int done;

    atomic_init(&done, 0);
#pragma omp parallel num_threads(m->threads < m->count ? m->threads : m->count)
    {
        omp_set_num_threads(1); /* within a step; of this team's threads only */
#pragma omp for schedule(dynamic, 1) nowait
        for (int32_t i = 0; i < m->count; i++) {
            m->status[i] = run_one(m, p, i, from, to);
            atomic_fetch_add(&done, 1);
        }
        if (omp_get_thread_num() == 0)
            wait_for(m, &done);
    }
    return outcome(m);
}

static void run_together(const kx_many *m, const kx_step *step)
{
    int before = omp_get_max_threads();
    size_t rows = 0;

    for (int32_t i = 0; i < m->count; i++)
        rows += kx_state_dense_rows(m->state[i], step, m->from + rows, m->to + rows);
    assert(rows <= (size_t)m->count * KX_DENSE_ROWS);
    omp_set_num_threads(m->threads);
    kx_run_dense_rows(step, rows, m->from, m->to);
    omp_set_num_threads(before);
}

static kldve_status run_pieces(const kx_many *m, const pass *p)
{
    const kx_step *step = m->plan->step;
    int32_t from = p->steps.from, to;
    kldve_status st;

    for (;; from = to + 1) {
        for (to = from; to < p->steps.to && !together(&step[to]); to++)
            continue;
        if ((st = run_each(m, p, from, to)) < 0 || to >= p->steps.to)
            return st;
        run_together(m, &step[to]);
    }
}

/* For kx_lead(). */
struct leading {
    const kx_many *m;
    const pass *p;
    kldve_status status;
};

static void lead(void *leading)
{
    struct leading *l = leading;

    l->status = run_pieces(l->m, l->p);
}

static kldve_status run(const kx_many *m, const pass *p)
{
    struct leading l = {.m = m, .p = p};
    kldve_status st = kx_lead(m->ctx, kx_team_lost(&m->home, m->threads), m->threads, lead, &l);

    return st < 0 ? st : l.status;
}

kldve_status kx_many_forward(kx_many *m, const float *inputs, float *logits, float *features)
{
    const kx_plan *plan = m->plan;
    const pass p = {.steps = plan->forward,
                    .in = inputs,
                    .out = logits,
                    .features = features,
                    .in_each = plan->given_count,
                    .out_each = plan->logits.count,
                    .features_each = plan->features.count};

    return run(m, &p);
}

kldve_status kx_many_vjp(kx_many *m, const float *cotangents, float *gradients)
{
    const kx_plan *plan = m->plan;
    const pass p = {.steps = plan->vjp[KX_TO_LAYER],
                    .back = true,
                    .out = gradients,
                    .out_each = plan->gradient[KX_TO_LAYER].count};
    kldve_status st;

    for (int32_t i = 0; i < m->count; i++)
        if ((st = kx_state_begin_vjp(m->state[i], KX_TO_LAYER, KLDVE_RULE_GRADIENT,
                                     cotangents + (size_t)i * plan->cotangent[KX_TO_LAYER].count)) <
            0)
            return st;
    return run(m, &p);
}
