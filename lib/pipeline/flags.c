/* flags.c - what everyone who sees a map should know, as bits.  kldve.h defines each of them. */
#include "flags.h"

#include <math.h>

#include "admission.h"
#include "remark.h"

/* Half of the distance between the float32 numbers at 1, below it. */
static const double saturated_at = 0x1p-24;

/* The probability of class c: where the scores look like probabilities, they themselves. */
static double probability(const kldve_heatmap *map, bool are_scores, int32_t c)
{
    return are_scores ? (double)map->logits[c] : map->probabilities[c];
}

static bool is_saturated(const kldve_run *run, bool are_scores)
{
    double p;

    if (!run->map->has_probabilities)
        return false;
    p = probability(run->map, are_scores, run->job.target);
    return p <= saturated_at || 1 - p <= saturated_at;
}

/* Only where the map depends on it: the other readings of kl-dve do not, though z and KL do. */
static bool is_limited(const kldve_run *run)
{
    const kldve_record *r = &run->map->record;
    int32_t n = run->job.shape->classes;

    if (n < 3 || !(run->job.method->options & KLDVE_OPTION_PERPLEXITY))
        return false;
    if (r->reading == KLDVE_READING_CHANNEL)
        return run->job.options->perplexity >= n - 1 || run->limited;
    return r->reading == KLDVE_READING_NEIGHBOURS && r->neighbour_perplexity >= n - 1;
}

/* The two largest probabilities, and the sum of all. */
typedef struct certainty {
    double first, second, sum;
} certainty;

static certainty certainty_of(const kldve_heatmap *map, bool are_scores)
{
    certainty c = {0};

    for (int32_t i = 0; i < map->record.classes; i++) {
        double p = probability(map, are_scores, i);

        c.sum += p;
        c.second = fmax(c.second, fmin(p, c.first));
        c.first = fmax(c.first, p);
    }
    return c;
}

static bool is_unsure(const kldve_run *run, bool are_scores)
{
    const double rounding = 1e-3;
    const kldve_record *r = &run->map->record;
    certainty c;
    bool exclusive;
    double p;

    if (r->box_score >= 0 && r->box_score <= 1) /* NaN without a box */
        return r->box_score < 0.5f;
    if (!run->map->has_probabilities)
        return false;
    c = certainty_of(run->map, are_scores);
    exclusive =
        are_scores ? fabs(c.sum - 1) <= rounding : r->scores != KLDVE_SCORES_SIGMOID || r->single;
    if (exclusive)
        return c.first < 0.5 || c.first < 2 * c.second;
    p = probability(run->map, are_scores, run->job.target);
    return c.first < 0.5 || (3 * p > 1 && 3 * p < 2);
}

/* Of a flat map nothing is to be seen that could differ. */
static bool is_indifferent(const kldve_run *run, bool flat)
{
    return !flat && run->map->record.class_sensitivity < KLDVE_INDIFFERENT; /* NaN: not measured */
}

uint64_t kldve_run_flags(const kldve_run *run, bool flat)
{
    const kldve_method *method = run->job.method;
    bool are_scores = kldve_look_like_probabilities(&run->map->record, run->map->logits);
    uint64_t flags = method->result_flags ? method->result_flags(&run->job) : 0;

    flags |= flat ? KLDVE_RESULT_FLAT : 0;
    flags |= is_indifferent(run, flat) ? KLDVE_RESULT_CLASS_INDIFFERENT : 0;
    flags |= is_saturated(run, are_scores) ? KLDVE_RESULT_SATURATED : 0;
    flags |= is_limited(run) ? KLDVE_RESULT_PERPLEXITY_LIMITED : 0;
    flags |= run->job.shape->all_paths < 0 && kldve_run_looks_at_layer(run)
                 ? KLDVE_RESULT_NOT_ALL_PATHS
                 : 0;
    flags |= is_unsure(run, are_scores) ? KLDVE_RESULT_LOW_CONFIDENCE : 0;
    return flags | (run->cut > run->kept ? KLDVE_RESULT_CLIPPED : 0);
}
