/* mean_gradient.c - feature maps weighted by the mean of their gradient. */
#include "mean_gradient.h"
#include "job.h"

#include "stages/weights.h"

kldve_status kldve_weights_mean_gradient(const kldve_job *job, double *weights)
{
    kldve_weights_mean(job->gradient, kldve_job_maps(job), kldve_job_cells(job), weights);
    return KLDVE_OK;
}
