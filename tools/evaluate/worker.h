/* worker.h - one thread that measures units: a context and an explainer of each network of its own,
 * so that a unit does not depend on what other threads do. */
#ifndef KLDVE_TOOLS_WORKER_H
#define KLDVE_TOOLS_WORKER_H

#include "evaluate.h"
#include "many/pool.h"

/** What the threads of a pool do with an evaluation, which outlives the pool. */
pool_work worker_work(const evaluation *e);

#endif
