/* random_map.c - a control, not an explanation: noise, as the random assignment of importance of
 * S. Hooker et al., "A Benchmark for Interpretability Methods in Deep Neural Networks", NeurIPS
 * 2019, arXiv:1806.10758.
 *
 *     E_i = u_i,   u_i uniform in [0, 1), independent
 *
 * One number for each cell of the layer, so that the noise is as coarse as the maps of other
 * methods of that layer.  It depends on the seed alone: the same for every picture, class and
 * network with that grid.  The standard error is the deviation of u, 1/sqrt(12). */
#include "base/random.h"
#include "methods.h"

static const float deviation = 0.288675135F; /* 1/sqrt(12) */

static kldve_status map(const kldve_job *job, float *e)
{
    size_t cells = kldve_job_cells(job);
    kldve_random random;

    kldve_random_seed(&random, job->options->seed, 0);
    for (size_t i = 0; i < cells; i++)
        e[i] = (float)kldve_random_uniform(&random);
    for (size_t i = 0; job->error && i < cells; i++)
        job->error[i] = deviation;
    return KLDVE_OK;
}

static const char *note(const kldve_options *options)
{
    (void)options;
    return "this map is a control that explains nothing: noise, which depends on the seed alone";
}

const kldve_method kldve_method_random = {
    .struct_size = sizeof(kldve_method),
    .name = "random",
    .title = "Random",
    .summary = "draws noise that looks at nothing, a control",
    .source = "Hooker et al. 2019, arXiv:1806.10758 (control)",
    .options = KLDVE_OPTION_SEED,
    .random = 1,
    .map = map,
    .note = note,
    .flags = KLDVE_METHOD_CONTROL,
    .result_flags = kldve_job_class_indifferent,
};
