/* grid_flags.h - what everyone who sees the maps of a grid should know, each thing once. */
#ifndef KLDVE_TOOLS_GRID_FLAGS_H
#define KLDVE_TOOLS_GRID_FLAGS_H

#include "grid.h"

/** KLDVE_RESULT_* that any cell has, and how many cells have one of them. */
uint64_t grid_flags(const grid *g);
int32_t grid_flag_count(const grid *g, uint64_t flag);

/** "the map", "all 6 maps", "2 of 6 maps".  Returns `out`. */
const char *grid_flag_scope(const grid *g, uint64_t flag, char *out, size_t size);

/** A line on standard output for each flag: which maps have it, and what it means. */
void grid_say_flags(const grid *g);

#endif
