/* worker_task.h - a unit in progress, for the files of the worker. */
#ifndef KLDVE_TOOLS_WORKER_TASK_H
#define KLDVE_TOOLS_WORKER_TASK_H

#include <stdatomic.h>

#include "worker.h"

typedef struct worker {
    const evaluation *e;
    kldve_ctx *ctx;
    network *net;    /* [networks], twins of those of the evaluation */
    network *random; /* [networks], the same with random parameters; NULL where no metric asks */
    atomic_bool cancelled;
} worker;

typedef struct task {
    worker *w;
    unit *u;
    char *why;          /* [UNIT_WHY_SIZE], of a run that cannot go on */
    const network *net; /* the twin */
    dataset_picture picture;
    float *input;         /* what the network is given of it; NULL where no metric asks */
    uint8_t *truth;       /* of its input, NULL where nobody knows or asks */
    bool placed;          /* whether `truth` was looked for */
    kldve_options target; /* what is explained, of any method */
    kldve_heatmap *first; /* of the first method, for metrics that compare */
} task;

/** The run cannot go on: false, with the message of the worker's context in task.why. */
bool worker_give_up(task *t, const char *what);
/** Whether a failure has nothing to do with this picture. */
bool worker_ends_run(const worker *w, kldve_status status);
/** None of the methods has a map. */
void worker_no_maps(task *t, const char *why);
/** What every method explains: task.target.  False: the run cannot go on. */
bool worker_ask(task *t);

#endif
