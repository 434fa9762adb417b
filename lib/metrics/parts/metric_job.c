/* metric_job.c - what metrics call: the network and its maps. */
#include "metric_job.h"

#include <math.h>

#include "heatmap/heatmap.h"
#include "pipeline/passes.h"
#include "stages/target.h"
#include <kldve/method.h>

static size_t pixels_of(const kldve_metric_job *job)
{
    return (size_t)job->height * (size_t)job->width;
}

kldve_status kldve_metric_out_of_memory(const kldve_metric_job *job)
{
    return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "metric %s: out of memory", job->metric->name);
}

kldve_status kldve_metric_sorted(const kldve_metric_job *job, bool evidence,
                                 const kldve_ranked **sorted)
{
    struct kldve_metric_drawn *d = job->drawn;
    bool apart = evidence && d->evidence != d->values;
    kldve_ranked **kept = apart ? &d->evidence_sorted : &d->values_sorted;

    if (!*kept) {
        kldve_ranked *block = kldve_ctx_alloc(job->ctx, d->count, 2 * sizeof *block);

        if (!block)
            return kldve_metric_out_of_memory(job);
        kldve_rank(apart ? d->evidence : d->values, d->count, block, block + d->count);
        *kept = block;
    }
    *sorted = *kept;
    return KLDVE_OK;
}

kldve_status kldve_metric_draw(const kldve_metric_job *job, const kldve_heatmap *map, float *values)
{
    return kldve_heatmap_upsample(job->ctx, map, job->width, job->height, 0, values);
}

kldve_status kldve_metric_attributions(const kldve_metric_job *job, const kldve_heatmap *map,
                                       float *values)
{
    double low = map->record.low, high = map->record.high;
    kldve_status st = kldve_metric_draw(job, map, values);

    if (isnan(low) || isnan(high)) {
        low = map->record.sign == KLDVE_SIGN_SIGNED ? -1 : 0;
        high = 1;
    }
    for (size_t i = 0; st == KLDVE_OK && i < pixels_of(job); i++)
        values[i] = (float)(low + (double)values[i] * (high - low));
    return st;
}

/* Where the input lies in the picture that was explained. */
static kldve_frame frame_of(const kldve_heatmap *map)
{
    const kldve_record *r = &map->record;

    return (kldve_frame){{r->seen_x, r->seen_y, r->seen_width, r->seen_height},
                         map->picture_width,
                         map->picture_height};
}

static kldve_status without_network(const kldve_metric_job *job)
{
    return kldve_ctx_failf(job->ctx, KLDVE_E_UNSUPPORTED, "metric %s: there is no network to run",
                           job->metric->name);
}

/* -- scores ----------------------------------------------------------------------------------- */

/* Scores of logits [count][classes], at temperature 1: what is measured must not depend on an
 * option of the method. */
static void score_all(const kldve_metric_job *job, int32_t kind, const float *logits, int32_t count,
                      double *scores)
{
    kldve_options o = *job->explained_with;

    o.temperature = 1;
    for (int32_t i = 0; i < count; i++)
        scores[i] = kldve_target_score(&o, job->shape, job->map->record.target,
                                       logits + (size_t)i * (size_t)job->shape->classes, kind);
}

/* Of a network whose scores are picked, the explained input comes first, and says which they are.
 */
static kldve_status pass(const kldve_metric_job *job, const float *inputs, int32_t count,
                         float *logits)
{
    const kldve_frame frame = frame_of(job->map);
    kldve_options o = *job->explained_with;
    kldve_status st;

    if (!o.pick)
        return kldve_explainer_pass(job->explainer, &frame, inputs, count, &o, logits);
    st = kldve_explainer_pass(job->explainer, &frame, job->input, 1, &o, logits);
    return st < 0 ? st : kldve_explainer_pass_again(job->explainer, inputs, count, logits);
}

kldve_status kldve_metric_scores(const kldve_metric_job *job, int32_t kind, const float *inputs,
                                 int32_t count, double *scores)
{
    float *logits;
    kldve_status st;

    if (!job || !inputs || !scores || count < 1 || kind < KLDVE_SCORE_LOGIT ||
        kind > KLDVE_SCORE_LOG_ODDS)
        return KLDVE_E_ARG;
    if (!job->explainer)
        return without_network(job);
    logits = kldve_ctx_alloc(job->ctx, (size_t)count, (size_t)job->shape->classes * sizeof *logits);
    if (!logits)
        return kldve_metric_out_of_memory(job);
    if ((st = pass(job, inputs, count, logits)) == KLDVE_OK)
        score_all(job, kind, logits, count, scores);
    kldve_ctx_release(job->ctx, logits);
    return st;
}

/* -- further maps ----------------------------------------------------------------------------- */

kldve_status kldve_metric_map(const kldve_metric_job *job, const float *input,
                              const kldve_options *options, kldve_heatmap **out)
{
    const kldve_frame frame = frame_of(job->map);

    if (!job->explainer)
        return without_network(job);
    return kldve_explainer_explain(job->explainer, &frame, input,
                                   options ? options : job->explained_with, out);
}

/* The map of another input, around 0 where it has signs. */
static kldve_status draw_other(const kldve_metric_job *job, const float *input,
                               const kldve_options *options, float *values)
{
    kldve_heatmap *map = NULL;
    kldve_status st = kldve_metric_map(job, input, options, &map);

    if (st < 0)
        return st;
    st = kldve_metric_draw(job, map, values);
    if (st == KLDVE_OK && map->record.sign == KLDVE_SIGN_SIGNED)
        for (size_t i = 0; i < pixels_of(job); i++)
            values[i] -= 0.5f;
    kldve_heatmap_free(map);
    return st;
}

kldve_status kldve_metric_evidence(const kldve_metric_job *job, const float *input, float *evidence)
{
    return draw_other(job, input, NULL, evidence);
}

kldve_status kldve_metric_explain(const kldve_metric_job *job, const float *input,
                                  const kldve_options *options, float *values)
{
    kldve_status st;

    if (!job || !input || !values)
        return KLDVE_E_ARG;
    st = draw_other(job, input, options, values);
    for (size_t i = 0; st == KLDVE_OK && i < pixels_of(job); i++)
        values[i] = fabsf(values[i]); /* only a map with signs has some below 0 */
    return st;
}
