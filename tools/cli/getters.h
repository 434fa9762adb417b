/* getters.h - the library's getters as expressions, for objects and indices that are known to be
 * good: NULL where there is nothing. */
#ifndef KLDVE_TOOLS_GETTERS_H
#define KLDVE_TOOLS_GETTERS_H

#include <kldve/method.h>
#include <kldve/metrics.h>
#include <kldve/onnx.h>

/** The library's methods and metrics, and the notes of a network, by number from 0. */
const kldve_method *method_number(int32_t index);
const kldve_metric *metric_number(int32_t index);
/** Those of them that look at nothing but a map. */
const kldve_metric *map_metric(int32_t index);
const char *note_number(const kldve_onnx *net, int32_t index);

/** The name of a class, and its synset. */
const char *name_of_class(const kldve_labels *labels, int32_t index);
const char *synset_of_class(const kldve_labels *labels, int32_t index);

/** The arrays of a map; *count becomes the length, 0 where it has none, and may be NULL. */
const float *map_values(const kldve_heatmap *map);
const float *map_error(const kldve_heatmap *map);
const float *map_logits(const kldve_heatmap *map, size_t *count);
const double *map_probabilities(const kldve_heatmap *map, size_t *count);

#endif
