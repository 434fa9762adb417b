/* job.h - what method files and their parts ask of a job: sums over its feature maps, its sizes. */
#ifndef KLDVE_LIB_JOB_H
#define KLDVE_LIB_JOB_H

#include <kldve/method.h>

#include "image/upsample.h"

/** E = sum over c of weights_c x_c, times some positive number.  weights [maps]. */
void kldve_job_weighted_sum(const kldve_job *job, const double *weights, float *map);
/** The same with |weights_c|. */
void kldve_job_magnitude_sum(const kldve_job *job, const double *weights, float *map);
/** The mean of the gradient over each map, a [maps]. */
void kldve_job_mean_gradient(const kldve_job *job, double *a);
/** ReLU, the usual last step; skipped if options.sign also wants evidence against the target. */
void kldve_job_rectify(const kldve_job *job, float *map, size_t count);

/** E = sum over c of x_c. */
void kldve_job_sum(const kldve_job *job, float *map);

/** A kldve_method.result_flags: the map never depends on the class. */
static inline uint64_t kldve_job_class_indifferent(const kldve_job *job)
{
    (void)job;
    return KLDVE_RESULT_CLASS_INDIFFERENT;
}

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

/** Frames of a film, 1 of a picture, and the sides of one. */
static inline int32_t kldve_job_frames(const kldve_job *job)
{
    return job->shape->in_frames > 1 ? job->shape->in_frames : 1;
}
static inline int32_t kldve_job_frame_height(const kldve_job *job)
{
    return job->shape->in_height / kldve_job_frames(job);
}
static inline int32_t kldve_job_shorter_side(const kldve_job *job)
{
    int32_t height = kldve_job_frame_height(job), width = job->shape->in_width;

    return height < width ? height : width;
}

/** A map of the layer [cells] -> at the size of the input [pixels]. */
static inline void kldve_job_upsample(const kldve_job *job, const float *map, float *out)
{
    const kldve_shape *s = job->shape;
    int32_t frames = s->frames > 1 ? s->frames : 1;
    const kldve_film film = {map, frames, s->height / frames, s->width};

    kldve_upsample_film(&film, kldve_job_frames(job),
                        (const int32_t[2]){kldve_job_frame_height(job), s->in_width}, s->in_width,
                        out);
}

#endif
