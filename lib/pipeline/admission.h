/* admission.h - before any work: are the options valid, and can the network do what they ask? */
#ifndef KLDVE_LIB_ADMISSION_H
#define KLDVE_LIB_ADMISSION_H

#include "run.h"

/** Load the options and find the method.  `shape` and `buffers` are borrowed.  Enough for the steps
 *  up to the cotangent. */
kldve_status kldve_run_prepare(kldve_run *run, kldve_ctx *ctx, const kldve_shape *shape,
                               const kldve_options *options, kldve_buffers *buffers);

/** See that the network can give what the method needs, and that the classes exist. */
kldve_status kldve_run_admit_network(kldve_run *run, kldve_network *net);

/** Whether the method looks at the layer: without one there are no cells to explain. */
bool kldve_run_looks_at_layer(const kldve_run *run);

/** kldve_run_admit_network() of arrays; `gradient` may be NULL. */
kldve_status kldve_run_admit_arrays(kldve_run *run, const float *gradient);

#endif
