/* explain.h - the pipeline behind the forward pass, which explainers and arrays share. */
#ifndef KLDVE_LIB_EXPLAIN_H
#define KLDVE_LIB_EXPLAIN_H

#include "run.h"

/** Logits and feature maps, which are set in run->job -> the map and its record in run->map. */
kldve_status kldve_explain_run(kldve_run *run);

#endif
