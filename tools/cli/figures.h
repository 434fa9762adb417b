/* figures.h - the figures of one map, as every record of a map has them: of `kldve explain` and of
 * `kldve compare` (docs/compare.md lists the members). */
#ifndef KLDVE_TOOLS_FIGURES_H
#define KLDVE_TOOLS_FIGURES_H

#include "json.h"
#include "tool.h"

/** How many metrics look at nothing but the map: map_metric(0) .. map_metric(count - 1). */
int32_t figures_count(void);

/** Measure all of them.  `name` is what a message is about.  False after a message.
 *  @param value  [figures_count()]; NaN where the map has no such number, as a flat one. */
bool figures_measure(kldve_ctx *ctx, const char *name, const kldve_heatmap *map, double *value);

/** Of a network: "scores", "probabilities" and, where it gives one, the name of its "number". */
bool figures_put_scores(json_object *object, const network *n);

/** Of a map: the class that it explains, or the number; the row that was picked; remark, KL, the
 *  metrics, its sign and size. */
bool figures_put_map(json_object *object, const network *n, const kldve_heatmap *map,
                     const kldve_record *record, const double *metric);

#endif
