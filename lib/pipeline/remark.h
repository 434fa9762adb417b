/* remark.h - what everyone who sees this one map should know. */
#ifndef KLDVE_LIB_REMARK_H
#define KLDVE_LIB_REMARK_H

#include <kldve/method.h>

#include "heatmap/heatmap.h"

/** Set map->remark: what the method says of the job, and that the scores of the map are
 *  probabilities where nobody knows what squashed them. */
void kldve_remark(const kldve_job *job, kldve_heatmap *map);

#endif
