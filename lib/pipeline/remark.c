/* remark.c - what everyone who sees this one map should know. */
#include "remark.h"

#include <math.h>
#include <stdio.h>

static const char probabilities[] =
    "the scores lie between 0 and 1: they look like probabilities, so gradients go through what "
    "squashed them, and the probabilities shown are not the network's; name the logits with "
    "--logits";

/* Raw scores that are all in 0..1, which two may be by chance, or that add up to 1. */
bool kldve_look_like_probabilities(const kldve_record *r, const float *scores)
{
    const double rounding = 1e-3;
    double sum = 0, largest = 0;

    if (r->scores != KLDVE_SCORES_RAW || r->single)
        return false;
    for (int32_t i = 0; i < r->classes; i++) {
        if (scores[i] < 0)
            return false;
        sum += (double)scores[i];
        largest = fmax(largest, (double)scores[i]);
    }
    return fabs(sum - 1) <= rounding || (r->classes > 2 && largest <= 1);
}

bool kldve_all_zero(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0)
            return false;
    return true;
}

static bool zeros(const float *plain, const kldve_strided *where, size_t n)
{
    return where->at ? kldve_strided_all_zero(where) : kldve_all_zero(plain, n);
}

/* Why the map of a method that looks at a layer is flat. */
static const char *why_flat(const kldve_run *run, bool zero)
{
    const kldve_job *job = &run->job;
    size_t n = (size_t)job->shape->maps * (size_t)job->shape->height * (size_t)job->shape->width;

    if (job->gradient && zeros(job->gradient, &run->gradient_at, n))
        return "the gradient at the layer is 0, so that no change there changes what is explained";
    if (zero && job->features && zeros(job->features, &run->features_at, n))
        return "all feature maps are 0";
    if (zero && job->weights && job->options->sign != KLDVE_SIGN_SIGNED &&
        job->options->sign != KLDVE_SIGN_ABSOLUTE)
        return "no cell of the layer counts for it; sign \"signed\" shows what counts against it";
    return NULL;
}

void kldve_remark(const kldve_run *run, bool zero, kldve_heatmap *map)
{
    const kldve_job *job = &run->job;
    const char *method = job->method->remark ? job->method->remark(job) : NULL;

    if (!method && map->record.flags & KLDVE_RESULT_FLAT)
        method = why_flat(run, zero);
    map->remark[0] = '\0';
    if (!kldve_look_like_probabilities(&map->record, map->logits)) {
        if (method)
            snprintf(map->remark, sizeof map->remark, "%s", method);
    } else if (method) {
        snprintf(map->remark, sizeof map->remark, "%.*s; %s",
                 (int)(sizeof map->remark - sizeof probabilities - 2), method, probabilities);
    } else {
        snprintf(map->remark, sizeof map->remark, "%s", probabilities);
    }
}
