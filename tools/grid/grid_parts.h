/* grid_parts.h - the steps of grid_run(). */
#ifndef KLDVE_TOOLS_GRID_PARTS_H
#define KLDVE_TOOLS_GRID_PARTS_H

#include "grid.h"

/** Name the networks, which are loaded, each by another name. */
void grid_name_networks(grid *g);

/** How many cells there are. */
int32_t grid_cells(const grid *g);
/** Whether a target is GRID_EXPECTED and somebody knows what is. */
bool grid_expects(const grid *g, int32_t target);

/** False after a message. */
/** Explain picture i by all networks and methods.  False after a message. */
bool grid_explain_picture(grid *g, const grid_args *args, int32_t i, progress *p);

/** False after a message: every network rules out every method. */
bool grid_any_map(const grid *g);
/** Say once for each network and method what was left out. */
void grid_say_left_out(const grid *g);
/** What the maps say of themselves, once for each network and method. */
void grid_say_remarks(const grid *g);

#endif
