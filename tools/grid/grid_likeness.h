/* grid_likeness.h - how much a map is like that of the first network. */
#ifndef KLDVE_TOOLS_GRID_LIKENESS_H
#define KLDVE_TOOLS_GRID_LIKENESS_H

#include <kldve/kldve.h>

/** Pearson correlation of two maps, -1 to 1; NaN where one is missing or flat. */
double grid_likeness(kldve_ctx *ctx, const kldve_heatmap *first, const kldve_heatmap *second);

#endif
