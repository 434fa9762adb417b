/* remark.h - what everyone who sees this one map should know. */
#ifndef KLDVE_LIB_REMARK_H
#define KLDVE_LIB_REMARK_H

#include <stdbool.h>

#include "run.h"

bool kldve_all_zero(const float *x, size_t n);

/** Whether nobody knows what squashed the scores [record->classes], and they lie as probabilities
 *  do. */
bool kldve_look_like_probabilities(const kldve_record *record, const float *scores);

/** Set map->remark: what the method says of the job or why the map is flat, and that the scores of
 *  the map are probabilities where nobody knows what squashed them.
 *  @param zero  Before it was normalised, all values of the map were 0. */
void kldve_remark(const kldve_run *run, bool zero, kldve_heatmap *map);

#endif
