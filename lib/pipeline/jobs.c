/* jobs.c - what methods call: sums over feature maps, further runs of the network. */
#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "methods/methods.h"
#include "stages/normalise.h"
#include "stages/reduce.h"
#include "run.h"
#include "stages/target.h"
#include "stages/weights.h"

/* A job is const so that methods do not change what later steps read; what is behind it is not. */
static kldve_run *run_of(const kldve_job *job)
{
    static_assert(offsetof(kldve_run, job) == 0, "the job is the first member of its run");
    return (kldve_run *)(uintptr_t)job;
}

static kldve_strided features_of(const kldve_job *job)
{
    const kldve_run *run = run_of(job);
    const kldve_shape *s = job->shape;

    return run->features_at.at ? run->features_at
                               : kldve_strided_plain(job->features, s->maps, s->height, s->width);
}

void kldve_job_mean_gradient(const kldve_job *job, double *a)
{
    const kldve_run *run = run_of(job);

    if (run->gradient_at.at)
        kldve_strided_mean(&run->gradient_at, a);
    else
        kldve_weights_mean(job->gradient, (size_t)job->shape->maps, kldve_job_cells(job), a);
}

void kldve_job_weighted_sum(const kldve_job *job, const double *weights, float *map)
{
    const kldve_strided x = features_of(job);

    run_of(job)->unit = kldve_reduce(&x, weights, run_of(job)->buffers->scratch, map);
}

void kldve_job_magnitude_sum(const kldve_job *job, const double *weights, float *map)
{
    const kldve_strided x = features_of(job);

    run_of(job)->unit = kldve_reduce_magnitudes(&x, weights, run_of(job)->buffers->scratch, map);
}

void kldve_job_sum(const kldve_job *job, float *map)
{
    const kldve_strided x = features_of(job);

    kldve_reduce_sum(&x, run_of(job)->buffers->scratch, map);
}

static kldve_status without_network(const kldve_job *job)
{
    return kldve_ctx_failf(job->ctx, KLDVE_E_UNSUPPORTED, "%s: there is no network to run",
                           job->method->name);
}

/* A network behind its layer takes what no method knows. */
static bool takes_inputs(const kldve_network *net)
{
    return net && net->shape.head == 0;
}

kldve_status kldve_job_forward(const kldve_job *job, const float *input, float *logits)
{
    kldve_network *net = job ? run_of(job)->net : NULL;

    if (!job || !input || !logits)
        return KLDVE_E_ARG;
    return takes_inputs(net)
               ? kldve_network_forward_changed(net, run_of(job)->explained, 1, input, logits)
               : without_network(job);
}

kldve_status kldve_job_forward_many(const kldve_job *job, const float *inputs, int32_t count,
                                    float *logits)
{
    kldve_network *net = job ? run_of(job)->net : NULL;
    kldve_status st = KLDVE_OK;

    if (!job || !inputs || !logits)
        return KLDVE_E_ARG;
    if (!takes_inputs(net))
        return without_network(job);
    assert(net->shape.batch >= 1);
    for (int32_t done = 0; st == KLDVE_OK && done < count;) {
        int32_t at_once = count - done >= net->shape.batch ? net->shape.batch : 1;

        st = kldve_network_forward_changed(net, run_of(job)->explained, at_once,
                                           inputs + (size_t)done * net->inputs,
                                           logits + (size_t)done * (size_t)net->shape.classes);
        done += at_once;
    }
    kldve_network_let_go(net);
    return st;
}

double kldve_job_score(const kldve_job *job, const float *logits, int32_t kind)
{
    if (!job || !logits || kind < KLDVE_SCORE_LOGIT || kind > KLDVE_SCORE_LOG_ODDS)
        return (double)NAN;
    return kldve_target_score(job->options, job->shape, job->target, logits, kind);
}

void kldve_job_rectify(const kldve_job *job, float *map, size_t count)
{
    kldve_run *run = run_of(job);

    if (job->options->sign == KLDVE_SIGN_SIGNED || job->options->sign == KLDVE_SIGN_ABSOLUTE)
        return;
    kldve_add_by_sign(map, count, &run->kept, &run->cut);
    kldve_reduce_relu(map, count);
}

/* See that the network's last pass is one of this job: one of its own choice, or that of the
 * explained input. */
static kldve_status look_back(const kldve_job *job)
{
    kldve_run *run = run_of(job);
    kldve_network *net = run ? run->net : NULL;
    int32_t refused;

    if (!run)
        return KLDVE_E_ARG;
    if (!net)
        return without_network(job);
    if (net->held == KLDVE_HELD_CHANGED && net->held_for == run->explained)
        return KLDVE_OK;
    return kldve_network_restore(net, 1, run->explained, run->buffers->logits,
                                 run->buffers->features, &refused);
}

kldve_status kldve_job_vjp(const kldve_job *job, const float *cotangent, float *gradient)
{
    kldve_status st = !cotangent || !gradient ? KLDVE_E_ARG : look_back(job);
    int32_t refused;

    return st < 0 ? st : kldve_network_vjp(run_of(job)->net, 1, cotangent, gradient, &refused);
}

kldve_status kldve_job_vjp_input(const kldve_job *job, const float *cotangent, int32_t rule,
                                 float *gradient)
{
    kldve_status st = !cotangent || !gradient ? KLDVE_E_ARG : look_back(job);

    return st < 0 ? st : kldve_network_vjp_input(run_of(job)->net, cotangent, rule, gradient);
}

kldve_status kldve_job_vjp_biases(const kldve_job *job, const float *cotangent, float *gradient,
                                  kldve_bias_fn visit, void *opaque)
{
    kldve_status st = !cotangent || !gradient || !visit ? KLDVE_E_ARG : look_back(job);

    return st < 0 ? st
                  : kldve_network_vjp_biases(run_of(job)->net, cotangent, gradient, visit, opaque);
}

kldve_status kldve_job_attentions(const kldve_job *job, const float *cotangent,
                                  kldve_attention_fn visit, void *opaque)
{
    kldve_status st = !visit ? KLDVE_E_ARG : look_back(job);

    return st < 0 ? st : kldve_network_attentions(run_of(job)->net, cotangent, visit, opaque);
}

kldve_status kldve_job_forward_features(const kldve_job *job, const float *features, float *logits)
{
    kldve_status st = !features || !logits ? KLDVE_E_ARG : look_back(job);

    return st < 0 ? st
                  : kldve_network_forward_features(run_of(job)->net, run_of(job)->explained,
                                                   features, logits);
}
