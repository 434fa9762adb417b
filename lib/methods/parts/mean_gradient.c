/* mean_gradient.c - feature maps weighted by the mean of their gradient. */
#include "mean_gradient.h"
#include "job.h"

kldve_status kldve_weights_mean_gradient(const kldve_job *job, double *weights)
{
    kldve_job_mean_gradient(job, weights);
    return KLDVE_OK;
}
