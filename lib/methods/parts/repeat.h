/* repeat.h - many forward passes of changed inputs or feature maps. */
#ifndef KLDVE_LIB_METHODS_REPEAT_H
#define KLDVE_LIB_METHODS_REPEAT_H

#include <stdbool.h>

#include <kldve/method.h>

/** How many inputs are given to the network at once: a multiple of what it runs together or, if
 *  there are fewer, all `passes` (at least 1).  change() is called for that many before take() is
 *  called for the first of them. */
int32_t kldve_repeat_at_once(const kldve_job *job, int64_t passes);

typedef struct kldve_repeat {
    int64_t total; /**< passes, 0 or more */
    bool features; /**< change feature maps [maps][height][width], not inputs; one by one */
    void *opaque;
    /** Change a copy of what the job has. */
    void (*change)(void *opaque, int64_t pass, float *copy);
    /** The logits [classes] of pass 0, 1, 2 ... in this order. */
    void (*take)(void *opaque, int64_t pass, const float *logits);
} kldve_repeat;

/** Run them all.  Reports progress under the name of the method before each batch, and can be
 *  cancelled there.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_CANCELLED, or what a pass returned. */
kldve_status kldve_job_repeat(const kldve_job *job, const kldve_repeat *repeat);

/** options.samples or the method's default, at least 2: one draw has no spread to
 *  estimate the standard error from. */
int32_t kldve_job_samples(const kldve_job *job, int32_t by_default);

#endif
