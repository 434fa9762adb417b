/* run.h - explanations in progress: the job that methods see and what lies behind it.
 *
 * admission.h fills in a run, steps.h takes it from step to step, explain.c says in which order. */
#ifndef KLDVE_LIB_RUN_H
#define KLDVE_LIB_RUN_H

#include "buffers.h"
#include "heatmap/heatmap.h"
#include "network.h"
#include "stages/frame.h"
#include "stages/strided.h"

/** What the steps from the choice of the class on are about. */
typedef enum kldve_subject {
    KLDVE_SUBJECT_TARGET, /**< what the options ask for */
    KLDVE_SUBJECT_OTHER   /**< the best class beside it, with KLDVE_FLAG_CHECK; comes first, so that
                               the target overwrites what it leaves in the record */
} kldve_subject;

/** The explanation of one input.  `job` stays the first member: kldve_job_forward() and its kin
 *  find the rest behind it. */
typedef struct kldve_run {
    kldve_job job;
    kldve_options options;       /**< those of the call, every default filled in */
    kldve_options other_options; /**< the same about `other` */
    uint64_t needs;              /**< KLDVE_NEED_* of the method with these options */
    const char *where;           /**< at the head of messages */
    kldve_network *net;          /**< NULL: from arrays */
    const float *explained;      /**< what the forward pass takes: the input, or that of a head */
    kldve_buffers *buffers;
    const float *given; /**< the gradient of the arrays, may be NULL; unused with a network */
    /** Arrays that the method reads where the host has them; at: NULL where those of the job are
     *  plain. */
    kldve_strided features_at, gradient_at;
    kldve_heatmap *map;
    double unit;       /**< of the numbers that a method puts into its map */
    double kept, cut;  /**< sums of what the sign rule left of the map, and of what it cut off */
    bool limited;      /**< a row of the truth could not have the wanted perplexity */
    kldve_frame frame; /**< the picture, or the input where there is none */
    int32_t target, other;       /**< the class to explain, the best one beside it */
    kldve_timings other_timings; /**< of the steps about `other`; nothing shows them */
} kldve_run;

/** Inputs that are explained together, each step for all of them before the next: one, or as many
 *  as the network runs at once. */
typedef struct kldve_batch {
    kldve_run *runs;     /**< [count] */
    int32_t count;       /**< 1 or shape.batch */
    const float *inputs; /**< [count][net->inputs]; NULL: from arrays */
    int32_t failed;      /**< after a failure: which run it is about; -1: all of them */
} kldve_batch;

#endif
