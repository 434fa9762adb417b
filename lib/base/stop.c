/* stop.c - the calls under way: progress, and their end before they are done.
 *
 * The thread that made a call polls between pieces of its work.  A cancel, which may come from any
 * thread or from a signal handler, only sets a flag.  What a poll finds is kept until the outermost
 * call returns, so that nothing goes on after one of its parts was stopped. */
#include <kldve/backend.h>

#include <assert.h>
#include <math.h>

#include "clock.h"
#include "ctx.h"
#include "ctx_struct.h"
#include "finite.h"
#include "float_env.h"

static_assert(ATOMIC_INT_LOCK_FREE == 2, "kldve_ctx_cancel() may be called by signal handlers");

static const double report_every = 20; /* milliseconds between two calls of the progress callback */

void kldve_control_init(kldve_ctx *ctx)
{
    ctx->control.deadline = INFINITY;
    atomic_init(&ctx->control.cancelled, 0);
    atomic_init(&ctx->control.stopped, 0);
}

void kldve_ctx_set_progress(kldve_ctx *ctx, kldve_progress_fn progress, void *opaque)
{
    if (!ctx)
        return;
    ctx->control.progress = progress;
    ctx->control.progress_opaque = opaque;
}

void kldve_ctx_cancel(kldve_ctx *ctx)
{
    if (ctx)
        atomic_store(&ctx->control.cancelled, 1);
}

void kldve_ctx_resume(kldve_ctx *ctx)
{
    if (ctx)
        atomic_store(&ctx->control.cancelled, 0);
}

kldve_status kldve_ctx_set_deadline(kldve_ctx *ctx, double milliseconds)
{
    kldve_ctx_clear(ctx);
    if (!ctx)
        return KLDVE_E_ARG;
    if (!kldve_at_least_zero(milliseconds))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "deadline: %g ms, it must be 0 or more",
                               milliseconds);
    ctx->control.time = milliseconds;
    return KLDVE_OK;
}

int32_t kldve_ctx_stopping(const kldve_ctx *ctx)
{
    return ctx && (atomic_load_explicit(&ctx->control.stopped, memory_order_relaxed) ||
                   atomic_load_explicit(&ctx->control.cancelled, memory_order_relaxed));
}

/* Outside of a call there is nothing to keep it for. */
static kldve_status stop(kldve_ctx *ctx, kldve_status st)
{
    kldve_control *c = &ctx->control;

    if (c->depth > 0)
        atomic_store(&c->stopped, (int)st);
    return kldve_ctx_failf(
        ctx, st, st == KLDVE_E_CANCELLED ? "cancelled during %s" : "the deadline passed during %s",
        c->stage ? c->stage : "the call");
}

/* From within the callback nothing is reported. */
static kldve_status report(kldve_ctx *ctx, double now)
{
    kldve_control *c = &ctx->control;
    kldve_own own;
    int32_t answer;

    if (!c->progress || c->reporting || !c->stage)
        return KLDVE_OK;
    c->reported = now;
    c->reporting = 1;
    own = kldve_ctx_to_host(ctx);
    answer = c->progress(c->progress_opaque, c->stage, c->done, c->total);
    kldve_ctx_from_host(ctx, &own);
    c->reporting = 0;
    return answer ? stop(ctx, KLDVE_E_CANCELLED) : KLDVE_OK;
}

/* What the flags and the clock say. */
static kldve_status look(kldve_ctx *ctx, double now)
{
    kldve_control *c = &ctx->control;
    int stopped = atomic_load_explicit(&c->stopped, memory_order_relaxed);

    c->polls++;
    c->longest = fmax(c->longest, now - c->polled);
    c->polled = now;
    if (stopped)
        return stop(ctx, (kldve_status)stopped);
    if (atomic_load_explicit(&c->cancelled, memory_order_relaxed))
        return stop(ctx, KLDVE_E_CANCELLED);
    return now >= c->deadline ? stop(ctx, KLDVE_E_DEADLINE) : KLDVE_OK;
}

kldve_status kldve_ctx_poll(kldve_ctx *ctx)
{
    double now;
    kldve_status st;

    if (!ctx)
        return KLDVE_OK;
    now = kldve_clock_ms();
    if ((st = look(ctx, now)) < 0)
        return st;
    return now - ctx->control.reported >= report_every ? report(ctx, now) : KLDVE_OK;
}

kldve_status kldve_ctx_progress(kldve_ctx *ctx, const char *stage, int64_t done, int64_t total)
{
    double now = kldve_clock_ms();
    kldve_status st;

    if (!ctx || !stage)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "progress: the stage is NULL");
    ctx->control.stage = stage;
    ctx->control.done = done;
    ctx->control.total = total;
    if ((st = look(ctx, now)) < 0)
        return st;
    return report(ctx, now);
}

double kldve_ctx_enter(kldve_ctx *ctx, const char *call, double milliseconds)
{
    kldve_control *c = ctx ? &ctx->control : NULL;
    double now, before;

    if (!c)
        return 0;
    if (c->depth == c->hosted) /* the host calls, be it from a callback */
        kldve_float_env_enter(&c->host);
    now = kldve_clock_ms();
    before = c->deadline;
    if (c->depth++ == 0) {
        c->call = c->stage = call ? call : "a call";
        c->entered = now;
        c->done = 0;
        c->total = 1;
        c->polls = 0;
        c->longest = 0;
        c->polled = now;
        atomic_store(&c->stopped, 0);
        if (c->time > 0)
            c->deadline = now + c->time;
    }
    if (milliseconds > 0)
        c->deadline = fmin(c->deadline, now + milliseconds);
    ctx->message[0] = 0;
    return before;
}

kldve_status kldve_ctx_leave(kldve_ctx *ctx, double before, kldve_status status)
{
    kldve_control *c = ctx ? &ctx->control : NULL;
    double now;

    if (!c)
        return status;
    assert(c->depth > 0);
    c->deadline = before;
    if (status == KLDVE_OK)
        ctx->message[0] = 0;
    /* The call around this one has a deadline of its own. */
    if (atomic_load(&c->stopped) == KLDVE_E_DEADLINE)
        atomic_store(&c->stopped, 0);
    if (c->depth > 1) {
        c->depth--;
        return c->depth == c->hosted ? kldve_float_env_leave(&c->host, status) : status;
    }
    now = kldve_clock_ms();
    c->longest = fmax(c->longest, now - c->polled);
    kldve_ctx_logf(ctx, KLDVE_LOG_DEBUG, "%s: %s after %.1f ms, %lld polls at most %.1f ms apart",
                   c->call, kldve_status_name(status), now - c->entered, (long long)c->polls,
                   c->longest);
    c->stage = NULL;
    atomic_store(&c->stopped, 0);
    if (status == KLDVE_E_CANCELLED)
        atomic_store(&c->cancelled, 0);
    c->depth = 0;
    return kldve_float_env_leave(&c->host, status);
}
