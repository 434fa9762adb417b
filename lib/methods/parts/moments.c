/* moments.c - moments of the gradient under noise on the input, one pass per draw.
 *
 * Each g updates the sums in place, without the cancellation of sums of powers (P. Pebay, "Formulas
 * for robust, one-pass parallel computation of covariances and arbitrary-order statistical
 * moments", Sandia report SAND2008-6212, 2008, with one new value):
 *
 *     d = g - mean,  r = d / n,  q = d r (n - 1)
 *     mean += r
 *     M4 += q r^2 (n^2 - 3 n + 3) + 6 r^2 M2 - 4 r M3
 *     M3 += q r (n - 2) - 3 r M2
 *     M2 += q */
#include "moments.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "job.h"
#include "repeat.h"
#include "base/random.h"

enum { SAMPLES = 25 };

/* The defaults are those of the authors' program (PAIR saliency). */
static const double spread = 0.15;

/* The noise's standard deviation in units of the input. */
static double deviation(const kldve_job *job)
{
    float low = job->input[0], high = job->input[0];

    for (size_t i = 1; i < kldve_job_inputs(job); i++) {
        low = fminf(low, job->input[i]);
        high = fmaxf(high, job->input[i]);
    }
    return (job->options->noise > 0 ? job->options->noise : spread) * ((double)high - (double)low);
}

static void draw(const kldve_job *job, int32_t k, double sigma, float *input)
{
    kldve_random random;

    kldve_random_seed(&random, job->options->seed, (uint64_t)k);
    for (size_t i = 0; i < kldve_job_inputs(job); i++)
        input[i] = (float)((double)job->input[i] + sigma * kldve_random_normal(&random));
}

/* Gradient number n. */
static void add(kldve_moments *m, double n, const float *g, size_t inputs)
{
    assert(n >= 1 && n <= m->count);
    for (size_t i = 0; i < inputs; i++) {
        double d = (double)g[i] - m->mean[i], r = d / n, q = d * r * (n - 1);

        m->mean[i] += r;
        m->m4[i] += q * r * r * (n * n - 3 * n + 3) + 6 * r * r * m->m2[i] - 4 * r * m->m3[i];
        m->m3[i] += q * r * (n - 2) - 3 * r * m->m2[i];
        m->m2[i] += q;
    }
}

static kldve_status pass(const kldve_job *job, int32_t k, double sigma, float *input,
                         float *gradient, float *logits, kldve_moments *m)
{
    kldve_status st;

    draw(job, k, sigma, input);
    if ((st = kldve_ctx_progress(job->ctx, job->method->name, k, m->count)) < 0 ||
        (st = kldve_job_forward(job, input, logits)) < 0 ||
        (st = kldve_job_vjp_input(job, job->cotangent, KLDVE_RULE_GRADIENT, gradient)) < 0)
        return st;
    add(m, k + 1, gradient, kldve_job_inputs(job));
    return KLDVE_OK;
}

kldve_status kldve_moments_of_gradient(const kldve_job *job, kldve_moments *out)
{
    size_t inputs = kldve_job_inputs(job);
    kldve_moments m = {.count = kldve_job_samples(job, SAMPLES)};
    float *input = kldve_ctx_alloc(job->ctx, inputs, 2 * sizeof *input);
    float *logits = kldve_ctx_alloc(job->ctx, (size_t)job->shape->classes, sizeof *logits);
    double sigma = deviation(job);
    kldve_status st = KLDVE_OK;

    m.mean = kldve_ctx_alloc(job->ctx, inputs, 4 * sizeof *m.mean);
    if (!input || !logits || !m.mean) {
        st = kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "%s: out of memory", job->method->name);
        goto done;
    }
    memset(m.mean, 0, inputs * 4 * sizeof *m.mean);
    m.m2 = m.mean + inputs;
    m.m3 = m.m2 + inputs;
    m.m4 = m.m3 + inputs;
    for (int32_t k = 0; st == KLDVE_OK && k < m.count; k++)
        st = pass(job, k, sigma, input, input + inputs, logits, &m);
done:
    if (st == KLDVE_OK)
        *out = m;
    else
        kldve_moments_free(job, &m);
    kldve_ctx_release(job->ctx, logits);
    kldve_ctx_release(job->ctx, input);
    return st;
}

void kldve_moments_free(const kldve_job *job, kldve_moments *moments)
{
    kldve_ctx_release(job->ctx, moments->mean);
}
