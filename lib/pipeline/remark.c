/* remark.c - what everyone who sees this one map should know. */
#include "remark.h"

#include <math.h>
#include <stdio.h>

static const char probabilities[] =
    "the scores lie between 0 and 1: they look like probabilities, so gradients go through what "
    "squashed them, and the probabilities shown are not the network's; name the logits with "
    "--logits";

/* Raw scores that are all in 0..1, which two may be by chance, or that add up to 1. */
static bool look_like_probabilities(const kldve_record *r, const float *scores)
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

void kldve_remark(const kldve_job *job, kldve_heatmap *map)
{
    const char *method = job->method->remark ? job->method->remark(job) : NULL;

    map->remark[0] = '\0';
    if (!look_like_probabilities(&map->record, map->logits)) {
        if (method)
            snprintf(map->remark, sizeof map->remark, "%s", method);
    } else if (method) {
        snprintf(map->remark, sizeof map->remark, "%.*s; %s",
                 (int)(sizeof map->remark - sizeof probabilities - 2), method, probabilities);
    } else {
        snprintf(map->remark, sizeof map->remark, "%s", probabilities);
    }
}
