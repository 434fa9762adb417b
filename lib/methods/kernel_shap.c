/* kernel_shap.c - KernelSHAP: S. Lundberg and S.-I. Lee, "A Unified Approach to Interpreting Model
 * Predictions", NIPS 2017, arXiv:1705.07874, Theorem 2.
 *
 *     phi = argmin  sum over z of k(z) (f(z) - f(0) - z phi)^2,   sum of phi = f(1) - f(0)
 *     k(z) = (d - 1) / (binomial(d, |z|) |z| (d - |z|)),          0 < |z| < d
 *
 * z says which of the d superpixels (superpixels.c) are present; the others have the mean colour.
 * f is the probability of the target.  phi are the Shapley values of the game f, and E_i is that of
 * the superpixel of pixel i.
 *
 * If the allowed samples suffice for all 2^d - 2 coalitions, they are all taken and phi is exact,
 * with error 0.  Otherwise coalitions are drawn with probabilities proportional to k, each together
 * with its complement, which removes much of the spread
 * (I. Covert and S.-I. Lee, "Improving KernelSHAP", AISTATS 2021, arXiv:2012.01536); the error is
 * that of regression.c.  Pair i uses random stream i.
 *
 * Samples are 1000 by default and at least 4 for each superpixel.  Cost: as many forward passes. */
#include <assert.h>
#include <string.h>

#include "methods/parts/coalitions.h"
#include "methods.h"
#include "methods/parts/regression.h"
#include "methods/parts/repeat.h"
#include "base/random.h"

enum { SAMPLES = 1000, EXACT_PLAYERS = 30 };

/* All coalitions except the empty and the full one, starting at row 2. */
static void enumerate(kldve_coalitions *c)
{
    size_t d = (size_t)c->players;

    assert(d <= EXACT_PLAYERS && c->count == (size_t)1 << d);
    for (size_t i = 2; i < c->count; i++) {
        size_t set = i - 1, size = 0;
        double binomial = 1;

        for (size_t j = 0; j < d; j++) {
            c->present[i * d + j] = set >> j & 1;
            size += set >> j & 1;
        }
        for (size_t j = 1; j <= size; j++)
            binomial = binomial * (double)(d - size + j) / (double)j;
        c->weight[i] = (double)(d - 1) / (binomial * (double)size * (double)(d - size));
    }
}

/* A size with probability proportional to 1 / (size (d - size)), which is k times the number of
 * coalitions of that size. */
static size_t draw_size(kldve_random *random, size_t d)
{
    double total = 0, at;

    assert(d >= 2);
    for (size_t s = 1; s < d; s++)
        total += 1 / ((double)s * (double)(d - s));
    at = kldve_random_uniform(random) * total;
    for (size_t s = 1; s < d - 1; s++)
        if ((at -= 1 / ((double)s * (double)(d - s))) < 0)
            return s;
    return d - 1;
}

/* `size` of d, all choices equally likely: takes each in turn with probability (left to choose) /
 * (left). */
static void draw_members(kldve_random *random, size_t d, size_t size, uint8_t *present)
{
    for (size_t j = 0; j < d; j++) {
        present[j] = kldve_random_uniform(random) * (double)(d - j) < (double)size;
        size -= present[j];
    }
    assert(size == 0);
}

static void draw(kldve_coalitions *c)
{
    size_t d = (size_t)c->players;

    assert(c->count % 2 == 0);
    for (size_t i = 2; i < c->count; i += 2) {
        uint8_t *one = c->present + i * d, *other = one + d;
        kldve_random random;

        kldve_random_seed(&random, c->job->options->seed, i / 2);
        draw_members(&random, d, draw_size(&random, d), one);
        for (size_t j = 0; j < d; j++)
            other[j] = !one[j];
        c->weight[i] = c->weight[i + 1] = 1;
    }
}

/* Rows except the full and the empty coalition, which form the constraint. */
static kldve_status fit(kldve_coalitions *c, size_t together)
{
    double none = c->value[0], all = c->value[1];
    kldve_regression r = {.rows = c->count - 2,
                          .columns = (size_t)c->players,
                          .z = c->present + 2 * (size_t)c->players,
                          .y = c->value + 2,
                          .weight = c->weight + 2,
                          .together = together,
                          .fixed_sum = true,
                          .sum = all - none};

    for (size_t i = 2; i < c->count; i++)
        c->value[i] -= none;
    if (c->players > 1)
        return kldve_regress(c->job->ctx, &r, c->b, c->error);
    c->b[0] = all - none;
    c->error[0] = 0;
    return KLDVE_OK;
}

static kldve_status map(const kldve_job *job, float *e)
{
    kldve_coalitions c;
    kldve_status st = kldve_coalitions_begin(job, &c);
    size_t d, samples = (size_t)kldve_job_samples(job, SAMPLES);
    bool exact;

    if (st < 0)
        return st;
    d = (size_t)c.players;
    exact = d <= EXACT_PLAYERS && ((size_t)1 << d) - 2 <= samples;
    if (exact)
        samples = ((size_t)1 << d) - 2;
    else if (samples < 4 * d)
        samples = 4 * d;
    samples += samples % 2;
    st = kldve_coalitions_alloc(&c, samples + 2);
    if (st == KLDVE_OK) {
        memset(c.present, 0, d);
        memset(c.present + d, 1, d);
        if (exact)
            enumerate(&c);
        else
            draw(&c);
        st = kldve_coalitions_run(&c);
    }
    if (st == KLDVE_OK)
        st = fit(&c, exact ? 0 : 2);
    if (st == KLDVE_OK)
        kldve_coalitions_paint(&c, e);
    kldve_coalitions_end(&c);
    return st;
}

const kldve_method kldve_method_kernel_shap = {
    .struct_size = sizeof(kldve_method),
    .name = "kernel-shap",
    .title = "KernelSHAP",
    .summary = "estimates Shapley values of superpixels from random coalitions",
    .source = "Lundberg and Lee 2017, arXiv:1705.07874",
    .needs = KLDVE_NEED_FORWARDS,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .sign = KLDVE_SIGN_SIGNED,
    .random = 1,
    .options =
        KLDVE_OPTION_SAMPLES | KLDVE_OPTION_WINDOW | KLDVE_OPTION_SEED | KLDVE_OPTION_TEMPERATURE,
};
