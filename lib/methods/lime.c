/* lime.c - LIME: M. T. Ribeiro, S. Singh, C. Guestrin, "'Why Should I Trust You?': Explaining the
 * Predictions of Any Classifier", KDD 2016, arXiv:1602.04938, Eq. 2.
 *
 *     b = argmin  sum over z of w(z) (f(z) - b_0 - z b)^2 + |b|^2
 *     w(z) = exp(-D^2 / (2 sigma^2)),   D = 1 - sqrt(|z| / d),   sigma = 1/4
 *
 * z says which of the d superpixels (superpixels.c) are present, each with probability 1/2 except
 * in the first sample, which is the input itself; the others have the mean colour (grey in the
 * paper). f is the probability of the target, D the cosine distance of z to the input.  The
 * kernel's width and the penalty 1 are those of the authors' code.  The choice of a few superpixels
 * (K-LASSO) is left out: the map shows them all and, like the authors' code by default, only
 * evidence for the target.  Sample i uses random stream i; for the error see regression.c.
 *
 * Samples are 1000 by default, as in the authors' code.  Cost: as many forward passes. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "methods/parts/coalitions.h"
#include "methods.h"
#include "methods/parts/regression.h"
#include "methods/parts/repeat.h"
#include "base/random.h"

enum { SAMPLES = 1000 };

static const double sigma = 0.25, penalty = 1;

static void draw(kldve_coalitions *c)
{
    size_t d = (size_t)c->players;

    for (size_t i = 0; i < c->count; i++) {
        size_t size = 0;
        double distance;
        kldve_random random;

        kldve_random_seed(&random, c->job->options->seed, i);
        for (size_t j = 0; j < d; j++) {
            c->present[i * d + j] = i == 0 || kldve_random_bits(&random) >> 63;
            size += c->present[i * d + j];
        }
        assert(size <= d);
        distance = 1 - sqrt((double)size / (double)d);
        c->weight[i] = exp(-distance * distance / (2 * sigma * sigma));
    }
}

static kldve_status fit(kldve_coalitions *c)
{
    kldve_regression r = {.rows = c->count,
                          .columns = (size_t)c->players,
                          .z = c->present,
                          .y = c->value,
                          .weight = c->weight,
                          .together = 1,
                          .ridge = penalty,
                          .intercept = true};

    return kldve_regress(c->job->ctx, &r, c->b, c->error);
}

static kldve_status map(const kldve_job *job, float *e)
{
    kldve_coalitions c;
    kldve_status st = kldve_coalitions_begin(job, &c);

    if (st < 0)
        return st;
    st = kldve_coalitions_alloc(&c, (size_t)kldve_job_samples(job, SAMPLES));
    if (st == KLDVE_OK) {
        draw(&c);
        st = kldve_coalitions_run(&c);
    }
    if (st == KLDVE_OK)
        st = fit(&c);
    if (st == KLDVE_OK) {
        kldve_coalitions_paint(&c, e);
        kldve_job_rectify(job, e, kldve_job_pixels(job));
    }
    kldve_coalitions_end(&c);
    return st;
}

const kldve_method kldve_method_lime = {
    .struct_size = sizeof(kldve_method),
    .name = "lime",
    .title = "LIME",
    .summary = "fits a linear model to inputs with superpixels hidden at random",
    .source = "Ribeiro et al. 2016, arXiv:1602.04938",
    .needs = KLDVE_NEED_FORWARDS,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .random = 1,
    .options =
        KLDVE_OPTION_SAMPLES | KLDVE_OPTION_WINDOW | KLDVE_OPTION_SEED | KLDVE_OPTION_TEMPERATURE,
};
