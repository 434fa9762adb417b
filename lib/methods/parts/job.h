/* job.h - what method files and their parts ask of a job: sums over its feature maps, its sizes. */
#ifndef KLDVE_LIB_JOB_H
#define KLDVE_LIB_JOB_H

#include <kldve/method.h>

/** E = sum over c of weights_c x_c, times some positive number.  weights [maps]. */
void kldve_job_weighted_sum(const kldve_job *job, const double *weights, float *map);
/** The same with |weights_c|. */
void kldve_job_magnitude_sum(const kldve_job *job, const double *weights, float *map);
/** ReLU, the usual last step; skipped if options.sign also wants evidence against the target. */
void kldve_job_rectify(const kldve_job *job, float *map, size_t count);

/** E = sum over c of x_c. */
void kldve_job_sum(const kldve_job *job, float *map);

/** Sizes. */
static inline size_t kldve_job_cells(const kldve_job *job)
{
    return (size_t)job->shape->height * (size_t)job->shape->width;
}
static inline size_t kldve_job_pixels(const kldve_job *job)
{
    return (size_t)job->shape->in_height * (size_t)job->shape->in_width;
}
static inline size_t kldve_job_maps(const kldve_job *job)
{
    return (size_t)job->shape->maps;
}
static inline size_t kldve_job_inputs(const kldve_job *job)
{
    return (size_t)job->shape->in_channels * kldve_job_pixels(job);
}

#endif
