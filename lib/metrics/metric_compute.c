/* metric_compute.c - a metric applied to a heat map: is everything there that it needs, and what
 * does it see? */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/ctx.h"
#include "heatmap/heatmap.h"
#include "parts/metric_job.h"
#include "parts/metric_options.h"
#include "metrics.h"
#include "pipeline/options.h"
#include "pipeline/passes.h"
#include "stages/target.h"

enum { SEVERAL = 1024 };

/* A call in progress: what the job points to. */
struct call {
    kldve_metric_job job;
    kldve_metric_subject subject;
    kldve_metric_options options;
    kldve_options explained_with;
    struct kldve_metric_drawn drawn;
};

static kldve_status lacks(const struct call *c, const char *what)
{
    return kldve_ctx_failf(c->job.ctx, KLDVE_E_UNSUPPORTED, "metric %s needs %s",
                           c->job.metric->name, what);
}

/* -- the network ------------------------------------------------------------------------------ */

/* See that an explainer fits the map. */
static kldve_status check_explainer(const struct call *c, const kldve_explainer *ex)
{
    const kldve_heatmap *map = c->job.map;
    const char *name = c->job.metric->name;
    const kldve_shape *s;

    if (kldve_explainer_ctx(ex) != c->job.ctx)
        return kldve_ctx_failf(c->job.ctx, KLDVE_E_ARG,
                               "metric %s: the explainer is one of another context", name);
    s = kldve_explainer_shape_of(ex);
    if (s->head)
        return lacks(c, "the whole network, of which only the part behind the layer is open");
    if (s->in_height != map->view_height || s->in_width != map->view_width ||
        (s->in_frames > 1 ? s->in_frames : 1) != map->view_frames)
        return kldve_ctx_failf(
            c->job.ctx, KLDVE_E_ARG,
            "metric %s: the map is for inputs of %d x %d pixels in %d frames, those of the network "
            "have %d x %d in %d",
            name, (int)map->view_width, (int)map->view_height, (int)map->view_frames,
            (int)s->in_width, (int)s->in_height, (int)(s->in_frames > 1 ? s->in_frames : 1));
    if (s->classes != map->record.classes)
        return kldve_ctx_failf(c->job.ctx, KLDVE_E_ARG,
                               "metric %s: the map is about a network of %d classes, this one has "
                               "%d",
                               name, (int)map->record.classes, (int)s->classes);
    return KLDVE_OK;
}

/* The options of the explanation, about the class and the row that it found. */
static kldve_status load_explanation(struct call *c)
{
    const kldve_record *r = &c->job.map->record;
    kldve_options *o = &c->explained_with;
    const char *name = c->job.metric->name;
    kldve_status st = kldve_options_load(c->job.ctx, c->subject.explained_with, o);

    if (st < 0 ||
        (st = kldve_target_check(c->job.ctx, "explained_with", o, c->job.shape->classes)) < 0)
        return st;
    if (c->job.metric->needs & KLDVE_METRIC_NEED_EXPLANATIONS && strcmp(o->method, r->method) != 0)
        return kldve_ctx_failf(c->job.ctx, KLDVE_E_ARG,
                               "metric %s: the method %s made the map, explained_with says %s",
                               name, r->method, o->method);
    if (o->target_kind == KLDVE_TARGET_INDEX && o->target != r->target)
        return kldve_ctx_failf(c->job.ctx, KLDVE_E_ARG,
                               "metric %s: the map is about class %d, explained_with says %d", name,
                               (int)r->target, (int)o->target);
    if (o->target_kind == KLDVE_TARGET_RANK) {
        o->target_kind = KLDVE_TARGET_INDEX;
        o->target = r->target;
    }
    if (o->pick == KLDVE_PICK_BEST || o->pick == KLDVE_PICK_BOX_AT) {
        o->pick = KLDVE_PICK_ROW;
        o->pick_row = r->row >= 0 ? r->row : 0;
    }
    o->flags &= ~(uint64_t)KLDVE_FLAG_CHECK; /* no metric reads it, and it doubles the work */
    c->job.explained_with = o;
    return KLDVE_OK;
}

static kldve_status load_network(struct call *c)
{
    const kldve_metric_subject *s = &c->subject;
    kldve_status st;

    if (!s->explainer)
        return lacks(c, "the network that made the map (kldve_metric_subject.explainer)");
    if (!s->input)
        return lacks(c, "the input that was explained (kldve_metric_subject.input)");
    if ((st = check_explainer(c, s->explainer)) < 0)
        return st;
    c->job.explainer = s->explainer;
    c->job.input = s->input;
    c->job.shape = kldve_explainer_shape_of(s->explainer);
    return load_explanation(c);
}

/* Hand on what the metric needs; the rest of the subject it does not see. */
static kldve_status load_needs(struct call *c)
{
    uint64_t needs = c->job.metric->needs;
    kldve_status st;

    if (needs & (KLDVE_METRIC_NEED_NETWORK | KLDVE_METRIC_NEED_EXPLANATIONS) &&
        (st = load_network(c)) < 0)
        return st;
    if (needs & KLDVE_METRIC_NEED_TRUTH && !(c->job.truth = c->subject.truth))
        return lacks(c, "to know where the object is (kldve_metric_subject.truth)");
    if (needs & KLDVE_METRIC_NEED_OTHER && !(c->job.other = c->subject.other))
        return lacks(c, "a second map (kldve_metric_subject.other)");
    if (!(needs & KLDVE_METRIC_NEED_RANDOMISED))
        return KLDVE_OK;
    if (!(c->job.randomised = c->subject.randomised))
        return lacks(c, "the network with random parameters (kldve_metric_subject.randomised)");
    return check_explainer(c, c->job.randomised);
}

/* -- the map ---------------------------------------------------------------------------------- */

/* `values` and `evidence` of the job, for the first metric. */
static kldve_status draw(struct call *c)
{
    const kldve_heatmap *map = c->job.map;
    size_t count = (size_t)map->view_width * (size_t)map->view_height;
    bool with_sign = map->record.sign == KLDVE_SIGN_SIGNED;
    struct kldve_metric_drawn *d = &c->drawn;
    kldve_status st;

    assert(map->view_width > 0 && map->view_height > 0);
    if (d->values)
        return KLDVE_OK;
    d->count = count;
    d->values = kldve_ctx_alloc(c->job.ctx, count, (with_sign ? 2 : 1) * sizeof *d->values);
    if (!d->values)
        return kldve_metric_out_of_memory(&c->job);
    d->evidence = with_sign ? d->values + count : d->values;
    c->job.values = d->values;
    c->job.evidence = d->evidence;
    if ((st = kldve_metric_draw(&c->job, map, d->values)) < 0 || !with_sign)
        return st;
    for (size_t i = 0; i < count; i++) {
        d->evidence[i] = d->values[i] - 0.5f;
        d->values[i] = fabsf(d->evidence[i]);
    }
    return KLDVE_OK;
}

/* What a metric does not need it does not see, though another of the call may need it. */
static void forget_needs(kldve_metric_job *job)
{
    job->explainer = job->randomised = NULL;
    job->shape = NULL;
    job->input = NULL;
    job->explained_with = NULL;
    job->truth = NULL;
    job->other = NULL;
}

static kldve_status compute(struct call *c, const char *name, double *value)
{
    kldve_ctx *ctx = c->job.ctx;
    const kldve_metric *metric = kldve_metric_named(ctx, name);
    double found = (double)NAN;
    kldve_status st;

    if (!metric)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "unknown metric \"%s\"; kldve_metric_at() lists the metrics", name);
    c->job.metric = metric;
    forget_needs(&c->job);
    if ((st = kldve_ctx_poll(ctx)) < 0 ||
        (st = kldve_metric_options_load(ctx, metric, c->subject.options, &c->options)) < 0 ||
        (st = load_needs(c)) < 0 || (st = draw(c)) < 0 ||
        (st = metric->compute(&c->job, &found)) != KLDVE_OK)
        return st;
    if (found < metric->low || found > metric->high)
        return kldve_ctx_failf(ctx, KLDVE_E_NUMERIC, "metric %s: %g is outside its range, %g to %g",
                               metric->name, found, metric->low, metric->high);
    *value = found;
    return KLDVE_OK;
}

static kldve_status compute_all(kldve_ctx *ctx, const kldve_heatmap *map, const char *const *names,
                                int32_t count, const kldve_metric_subject *subject, double *values)
{
    struct call c = {.job = {.struct_size = sizeof c.job,
                             .ctx = ctx,
                             .map = map,
                             .height = map->view_height,
                             .width = map->view_width}};
    kldve_status st =
        kldve_struct_load(ctx, "kldve_metric_subject", subject, &c.subject, sizeof c.subject);

    c.job.options = &c.options;
    c.job.drawn = &c.drawn;
    for (int32_t i = 0; st == KLDVE_OK && i < count; i++)
        st = compute(&c, names[i], &values[i]);
    kldve_ctx_release(ctx, c.drawn.values);
    kldve_ctx_release(ctx, c.drawn.values_sorted);
    kldve_ctx_release(ctx, c.drawn.evidence_sorted);
    return st;
}

/* -- calls ------------------------------------------------------------------------------------ */

kldve_status kldve_metric_compute(kldve_ctx *ctx, const kldve_heatmap *map, const char *name,
                                  const kldve_metric_subject *subject, double *value)
{
    double before;

    if (!ctx || !map || !name || !value) {
        kldve_ctx_clear(ctx);
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "metric: the %s is NULL",
                               !map   ? "map"
                               : name ? "result"
                                      : "name");
    }
    before = kldve_ctx_enter(ctx, "metric", 0);
    return kldve_ctx_leave(ctx, before, compute_all(ctx, map, &name, 1, subject, value));
}

static kldve_status check_several(kldve_ctx *ctx, const char *const *names, int32_t count)
{
    if (count < 1 || count > SEVERAL)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "metric: %d metrics, there must be 1 to %d",
                               (int)count, (int)SEVERAL);
    for (int32_t i = 0; i < count; i++)
        if (!names[i])
            return kldve_ctx_failf(ctx, KLDVE_E_ARG, "metric: name %d is NULL", (int)i);
    return KLDVE_OK;
}

kldve_status kldve_metric_compute_several(kldve_ctx *ctx, const kldve_heatmap *map,
                                          const char *const *names, int32_t count,
                                          const kldve_metric_subject *subject, double *values)
{
    double found[SEVERAL], before;
    kldve_status st;

    if (!ctx || !map || !names || !values) {
        kldve_ctx_clear(ctx);
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "metric: the %s NULL",
                               !map    ? "map is"
                               : names ? "result is"
                                       : "names are");
    }
    if ((st = check_several(ctx, names, count)) < 0)
        return st;
    before = kldve_ctx_enter(ctx, "metric", 0);
    st = compute_all(ctx, map, names, count, subject, found);
    if (st == KLDVE_OK)
        memcpy(values, found, (size_t)count * sizeof *found);
    return kldve_ctx_leave(ctx, before, st);
}
