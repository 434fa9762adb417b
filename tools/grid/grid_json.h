/* grid_json.h - all figures of a grid as JSON. */
#ifndef KLDVE_TOOLS_GRID_JSON_H
#define KLDVE_TOOLS_GRID_JSON_H

#include <json-c/json.h>

#include "grid.h"

/** The object that `kldve compare --json` writes (docs/compare.md lists its members); `maps` is in
 *  the order of g->cell.  NULL: out of memory. */
json_object *grid_json(const grid *g);

/** Its parts: what holds for all pictures, where `judge` is what to call the network of --truth;
 * and `predictions` and `maps`.  NULL or false: out of memory. */
json_object *grid_json_head(const grid *g, const char *judge);
bool grid_json_put_pictures(json_object *object, const grid *g);

#endif
