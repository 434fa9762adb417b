/* kl_dve.c - KL-DVE: H. K. Bashier Babiker and R. Goebel, "Using KL-divergence to focus Deep Visual
 * Explanation", arXiv:1711.06431, in five readings of its Eq. (3) (docs/method.md).
 *
 * k logits, z gradient of the KL divergence, alpha = (z - mean) / deviation (Eq. 2), x feature
 * maps, c target, d_ic = k_i - k_c, w_ic = 1/(1 + d_ic^2); G is the VJP of the cotangent t to the
 * layer, a_m the mean of G_m over space:
 *
 *     reading    cotangent t                            weights                map E
 *     paper      none                                   sum_j |alpha_j|        sum a x
 *     channel    alpha                                  (a_m - mean) / dev.    sum |a| x
 *     contrast   -w_ic |d_ic|, t_c = -sum; / deviation  a_m                    ReLU(sum a x)
 *     rivals     -w_ic^2 |d_ic|, t_c = -sum; / dev.     a_m                    ReLU(sum a x)
 *     neighbours -p_i, t_c = 1; / deviation             a_m                    ReLU(sum a x)
 *
 * where p_i ~ exp(-beta |d_ic|) sums to 1 and has the perplexity of the options.
 *
 * For a set of classes t is the sum of their terms; for a class against another only the force
 * between the two remains, t = +1 and -1.  If a truth is given instead of a class, `channel` and
 * `contrast` explain the divergence from it: t = alpha.
 *
 * `paper` is Algorithm 1 to the letter.  Its weight is one positive number for all maps, which the
 * normalisation removes: it explains the network's activity, not a class.  The map is computed as
 * the plain sum, so that it is bit for bit the same for every class.
 *
 * z = 0 makes alpha = 0 and with it E = 0 in `paper` and `channel`: where all scores are equal, and
 * always with two classes, because P = Q.  The other readings of two classes are t = +1 and -1, the
 * difference of the two scores. */
#include "methods.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "stages/target.h"
#include "stages/weights.h"

static uint64_t needs_with(const kldve_options *options)
{
    return options->reading == KLDVE_READING_PAPER ? KLDVE_NEED_FEATURES
                                                   : KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT;
}

static kldve_status class_term(const kldve_job *job, int32_t c, double *t)
{
    switch (job->options->reading) {
    case KLDVE_READING_NEIGHBOURS:
        return kldve_divergence_neighbours(job->divergence, c, job->options->neighbour_perplexity,
                                           t);
    case KLDVE_READING_RIVALS:
        return kldve_divergence_rivals(job->divergence, c, t);
    default:
        return kldve_divergence_contrast(job->divergence, c, t);
    }
}

/* The sum of the terms of a set of classes: what its members say against each other largely
 * cancels. */
static kldve_status together(const kldve_job *job, double *t)
{
    size_t n = (size_t)job->shape->classes;
    double *term = kldve_ctx_alloc(job->ctx, n, sizeof *term);
    kldve_status st = KLDVE_OK;

    assert(job->options->target_count > 0);
    if (!term)
        return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "out of memory for %zu classes", n);
    memset(t, 0, n * sizeof *t);
    for (int32_t j = 0; st == KLDVE_OK && j < job->options->target_count; j++) {
        st = class_term(job, job->options->targets[j], term);
        for (size_t i = 0; i < n; i++)
            t[i] += term[i];
    }
    kldve_ctx_release(job->ctx, term);
    return st;
}

static kldve_status cotangent(const kldve_job *job, double *t)
{
    size_t n = (size_t)job->shape->classes;

    assert(job->options->reading != KLDVE_READING_PAPER);
    /* channel, and contrast with a truth: the divergence itself */
    if (job->options->reading == KLDVE_READING_CHANNEL || job->options->truth) {
        memcpy(t, job->alpha, n * sizeof *t);
        return KLDVE_OK;
    }
    switch (job->options->target_kind) {
    case KLDVE_TARGET_VERSUS: /* only the force between the two: +1 and -1 */
        kldve_target_weights(job->options, job->shape, job->target, t);
        return KLDVE_OK;
    case KLDVE_TARGET_SET:
        return together(job, t);
    default:
        return class_term(job, job->target, t);
    }
}

static kldve_status weights(const kldve_job *job, double *a)
{
    size_t maps = kldve_job_maps(job);
    double sum = 0;

    if (job->options->reading != KLDVE_READING_PAPER) {
        kldve_job_mean_gradient(job, a);
        if (job->options->reading == KLDVE_READING_CHANNEL)
            return kldve_divergence_standardise(a, job->shape->maps, a, NULL);
        return KLDVE_OK;
    }
    for (int32_t j = 0; j < job->shape->classes; j++)
        sum += fabs(job->alpha[j]);
    for (size_t m = 0; m < maps; m++)
        a[m] = sum;
    return KLDVE_OK;
}

static kldve_status map(const kldve_job *job, float *e)
{
    switch (job->options->reading) {
    case KLDVE_READING_PAPER:
        if (job->flat)
            memset(e, 0, kldve_job_cells(job) * sizeof *e);
        else
            kldve_job_sum(job, e);
        break;
    case KLDVE_READING_CHANNEL:
        kldve_job_magnitude_sum(job, job->weights, e);
        break;
    default:
        kldve_job_weighted_sum(job, job->weights, e);
        kldve_job_rectify(job, e, kldve_job_cells(job));
    }
    return KLDVE_OK;
}

static const char *note(const kldve_options *options)
{
    return options->reading == KLDVE_READING_PAPER ? "this reading is the sum of all feature maps"
                                                   : NULL;
}

/* alpha is what the map is made of: not in the readings that are a class term. */
static bool made_of_alpha(const kldve_options *o)
{
    return o->truth || o->reading == KLDVE_READING_PAPER || o->reading == KLDVE_READING_CHANNEL;
}

static const char *remark(const kldve_job *job)
{
    if (!job->flat || job->options->reading == KLDVE_READING_NEIGHBOURS)
        return NULL;
    if (job->shape->classes > 2)
        return "z is 0 because all scores are equal";
    if (!made_of_alpha(job->options))
        return NULL;
    return job->shape->scores == KLDVE_SCORES_NUMBER
               ? "with one number P = Q, so z is 0 whatever the number is, and so are alpha and "
                 "the "
                 "map; the readings contrast, rivals and neighbours explain it"
               : "with two classes P = Q, so z is 0 whatever the scores are, and so are alpha and "
                 "the map; the readings contrast, rivals and neighbours explain one class against "
                 "the other";
}

/* z does not depend on the target if P is uniform, and the sum of the maps never does. */
static uint64_t result_flags(const kldve_job *job)
{
    const kldve_options *o = job->options;
    int32_t n = job->shape->classes;
    bool uniform = n == 2 || o->perplexity >= n - 1;

    return o->truth || o->reading == KLDVE_READING_PAPER ||
                   (o->reading == KLDVE_READING_CHANNEL && uniform)
               ? KLDVE_RESULT_CLASS_INDIFFERENT
               : 0;
}

const kldve_method kldve_method_kl_dve = {
    .struct_size = sizeof(kldve_method),
    .name = "kl-dve",
    .title = "KL-DVE",
    .summary = "weights feature maps by the gradient of a KL divergence between class scores",
    .source = "Bashier Babiker and Goebel 2017, arXiv:1711.06431",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .readings = KLDVE_READINGS,
    .needs_with = needs_with,
    .cotangent = cotangent,
    .weights = weights,
    .map = map,
    .note = note,
    .remark = remark,
    .result_flags = result_flags,
    .options = KLDVE_OPTION_TEMPERATURE | KLDVE_OPTION_PERPLEXITY | KLDVE_OPTION_TRUTH |
               KLDVE_OPTION_NEIGHBOUR_PERPLEXITY,
};
