/* target.c - which class to explain, and what its scores mean.
 *
 * The probability of class c of logits k (kldve_scores):
 *
 *     softmax, raw     p_c = exp(k_c) / sum over i of exp(k_i)
 *     sigmoid          p_c = 1 / (1 + exp(-k_c)), each class by itself
 *     one score x      k = (x, 0), "yes" and "no": p = (sigmoid(x), sigmoid(-x)), the softmax of k
 *
 * As one number, of logits k and probabilities p (of k / temperature):
 *
 *                      logit                probability          log odds
 *     a class c        k_c                  p_c                  log2(p_c / (1 - p_c))
 *     a set C          mean of k_c          P                    log2(P / (1 - P))
 *     c against r      k_c - k_r            p_c - p_r            the difference of the two
 *     one score        x for "yes", -x for "no"; p and log odds as those of a class
 *     a number x       x, or -x for index 1, in all three columns
 *
 * P is the probability of any class of the set: the sum of p_c or, for classes by themselves,
 * 1 - product of (1 - p_c).
 *
 * The class of a given rank is found by fixing the bits of its sort key from the highest to the
 * lowest, each by counting: 64 passes over the logits, no memory. */
#include "target.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A larger key is a better rank.  No two are equal: the lower half holds the index. */
static uint64_t key(const float *k, size_t i)
{
    float value = k[i] + 0.0f; /* -0 becomes +0 */
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    /* Positive floats are ordered like their bits, negative ones in reverse. */
    bits = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return (uint64_t)bits << 32 | (UINT32_MAX - (uint32_t)i);
}

static size_t count_from(const float *k, size_t n, uint64_t least)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += key(k, i) >= least;
    return count;
}

static size_t largest(const float *k, size_t n)
{
    size_t best = 0;

    for (size_t i = 1; i < n; i++)
        if (k[i] > k[best])
            best = i;
    return best;
}

size_t kldve_target_ranked(const float *k, size_t n, size_t rank)
{
    uint64_t found = 0;

    assert(rank < n && n <= UINT32_MAX);
    if (rank == 0)
        return largest(k, n);
    for (uint64_t bit = UINT64_C(1) << 63; bit != 0; bit >>= 1)
        if (count_from(k, n, found | bit) > rank)
            found |= bit;
    return UINT32_MAX - (uint32_t)found;
}

int32_t kldve_target_choose(const kldve_options *o, const kldve_shape *s, const float *k)
{
    int32_t best;

    if (o->target_kind == KLDVE_TARGET_RANK && s->scores != KLDVE_SCORES_NUMBER)
        return (int32_t)kldve_target_ranked(k, (size_t)s->classes, (size_t)o->target);
    if (o->target_kind != KLDVE_TARGET_SET)
        return o->target;
    best = o->targets[0];
    for (int32_t j = 1; j < o->target_count; j++)
        if (k[o->targets[j]] > k[best])
            best = o->targets[j];
    return best;
}

static bool is_target(const kldve_options *o, int32_t target, int32_t c)
{
    for (int32_t j = 0; o->target_kind == KLDVE_TARGET_SET && j < o->target_count; j++)
        if (o->targets[j] == c)
            return true;
    return c == target;
}

int32_t kldve_target_best_other(const kldve_options *o, int32_t target, const float *k, size_t n)
{
    int32_t best = -1;

    for (int32_t c = 0; c < (int32_t)n; c++)
        if (!is_target(o, target, c) && (best < 0 || k[c] > k[best]))
            best = c;
    assert(best >= 0);
    return best;
}

/* -- probabilities ---------------------------------------------------------------------------- */

/* Of several scores: each class by itself. */
static bool independent(const kldve_shape *s)
{
    return s->scores == KLDVE_SCORES_SIGMOID && !s->single;
}

double kldve_target_sigmoid(double x)
{
    double e = exp(-fabs(x)); /* cannot overflow */

    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

bool kldve_target_probabilities(const kldve_shape *s, const float *k, double temperature, double *p)
{
    size_t n = (size_t)s->classes;
    double max = (double)k[largest(k, n)], sum = 0;

    assert(temperature > 0);
    if (s->scores == KLDVE_SCORES_NUMBER)
        return false;
    if (independent(s)) {
        for (size_t i = 0; i < n; i++)
            p[i] = kldve_target_sigmoid((double)k[i] / temperature);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        sum += p[i] = exp(((double)k[i] - max) / temperature);
    for (size_t i = 0; i < n; i++)
        p[i] /= sum;
    return true;
}

/* Softmax of k / temperature at the classes listed; *rest is 1 minus that, without cancellation. */
static double of_one(const float *k, size_t n, double temperature, const int32_t *listed,
                     int32_t count, double *rest)
{
    double max = (double)k[largest(k, n)], sum = 0, in = 0;

    for (size_t i = 0; i < n; i++) {
        double e = exp(((double)k[i] - max) / temperature);
        bool hit = false;

        for (int32_t j = 0; j < count; j++)
            hit |= (size_t)listed[j] == i;
        *(hit ? &in : &sum) += e;
    }
    *rest = sum / (sum + in);
    return in / (sum + in);
}

/* That any of independent classes is there; *rest is the probability of none. */
static double of_any(const float *k, double temperature, const int32_t *listed, int32_t count,
                     double *rest)
{
    if (count == 1) {
        *rest = kldve_target_sigmoid(-(double)k[*listed] / temperature);
        return kldve_target_sigmoid((double)k[*listed] / temperature);
    }
    *rest = 1;
    for (int32_t j = 0; j < count; j++)
        *rest *= kldve_target_sigmoid(-(double)k[listed[j]] / temperature);
    return 1 - *rest;
}

/* log2(p / (1 - p)); probabilities that float64 cannot tell from 0 or 1 count as its smallest
 * normal number, 2^-1022. */
static double log_odds(double p, double rest)
{
    static const double least = 0x1p-1022;

    return log2(fmax(p, least)) - log2(fmax(rest, least));
}

/* -- what is explained ------------------------------------------------------------------------ */

static double mean_logit(const float *k, const int32_t *listed, int32_t count)
{
    double sum = 0;

    for (int32_t j = 0; j < count; j++)
        sum += (double)k[listed[j]];
    return sum / count;
}

/* Of the classes listed, which are one or a set. */
static double score(const kldve_shape *s, double temperature, const float *k, int32_t kind,
                    const int32_t *listed, int32_t count)
{
    double rest, p;

    assert(kind >= KLDVE_SCORE_LOGIT && kind <= KLDVE_SCORE_LOG_ODDS && count > 0);
    if (kind == KLDVE_SCORE_LOGIT)
        return mean_logit(k, listed, count);
    p = independent(s) ? of_any(k, temperature, listed, count, &rest)
                       : of_one(k, (size_t)s->classes, temperature, listed, count, &rest);
    return kind == KLDVE_SCORE_PROBABILITY ? p : log_odds(p, rest);
}

double kldve_target_score(const kldve_options *o, const kldve_shape *s, int32_t target,
                          const float *k, int32_t kind)
{
    double temperature = (double)o->temperature, value;

    assert(target >= 0 && target < s->classes);
    if (s->single && (kind == KLDVE_SCORE_LOGIT || s->scores == KLDVE_SCORES_NUMBER))
        return (double)k[target] - (double)k[1 - target];
    if (o->target_kind == KLDVE_TARGET_SET)
        return score(s, temperature, k, kind, o->targets, o->target_count);
    value = score(s, temperature, k, kind, &target, 1);
    return o->target_kind == KLDVE_TARGET_VERSUS
               ? value - score(s, temperature, k, kind, &o->rival, 1)
               : value;
}

void kldve_target_weights(const kldve_options *o, const kldve_shape *s, int32_t target,
                          double *weight)
{
    assert(target >= 0 && target < s->classes);
    assert(o->target_kind != KLDVE_TARGET_VERSUS || o->rival < s->classes);
    memset(weight, 0, (size_t)s->classes * sizeof *weight);
    if (o->target_kind != KLDVE_TARGET_SET)
        weight[target] = 1;
    else
        for (int32_t j = 0; j < o->target_count; j++)
            weight[o->targets[j]] = 1.0 / o->target_count;
    if (s->single)
        weight[1 - target] = -1;
    else if (o->target_kind == KLDVE_TARGET_VERSUS)
        weight[o->rival] = -1;
}

static kldve_status outside(kldve_ctx *ctx, const char *where, const char *what, int32_t wanted,
                            int32_t classes)
{
    return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: %s %d is not among the %d classes (0 to %d)",
                           where, what, (int)wanted, (int)classes, (int)classes - 1);
}

kldve_status kldve_target_check(kldve_ctx *ctx, const char *where, const kldve_options *o,
                                int32_t classes)
{
    if (o->target_kind != KLDVE_TARGET_SET) {
        if (o->target < 0 || o->target >= classes)
            return outside(ctx, where,
                           o->target_kind == KLDVE_TARGET_RANK ? "target rank" : "target index",
                           o->target, classes);
        if (o->target_kind == KLDVE_TARGET_VERSUS && (o->rival < 0 || o->rival >= classes))
            return outside(ctx, where, "rival", o->rival, classes);
        return KLDVE_OK;
    }
    if (o->target_count >= classes)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "%s: %d of %d classes are targets: leave at least one out", where,
                               (int)o->target_count, (int)classes);
    for (int32_t j = 0; j < o->target_count; j++) {
        if (o->targets[j] < 0 || o->targets[j] >= classes)
            return outside(ctx, where, "target index", o->targets[j], classes);
        for (int32_t i = 0; i < j; i++)
            if (o->targets[i] == o->targets[j])
                return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s: target index %d is given twice",
                                       where, (int)o->targets[j]);
    }
    return KLDVE_OK;
}
