/* pick.h - which of its scores a network is asked for, where it has some for every place or row. */
#ifndef KLDVE_LIB_PIPELINE_PICK_H
#define KLDVE_LIB_PIPELINE_PICK_H

#include "run.h"

/** See that the options pick where the network has something to pick, and only there. */
kldve_status kldve_run_admit_pick(const kldve_run *run);
/** After the forward pass of one input: options, frame -> the scores of the job, row and box of the
 *  record.  Does nothing where there is nothing to pick. */
kldve_status kldve_run_pick(kldve_run *run);

#endif
