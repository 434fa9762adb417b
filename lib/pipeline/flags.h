/* flags.h - what everyone who sees a map should know, as bits. */
#ifndef KLDVE_LIB_FLAGS_H
#define KLDVE_LIB_FLAGS_H

#include "run.h"

/** KLDVE_RESULT_* of the map that the run has just made, with FLAT if `flat`. */
uint64_t kldve_run_flags(const kldve_run *run, bool flat);

#endif
