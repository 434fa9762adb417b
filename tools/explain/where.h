/* where.h - in which parts of the picture the heat lies, in words. */
#ifndef KLDVE_TOOLS_WHERE_H
#define KLDVE_TOOLS_WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kldve/metrics.h>

enum { WHERE_FRAMES = 256 /**< longer films are looked at as one picture */ };

/** A map at equally many places, whatever its cells are. */
typedef struct where {
    int32_t frames; /**< 1: no film */
    float *place;   /**< [frames][side][side] */
} where;

/** Which values count: all of a map without signs; of one with signs those for the target, above
 *  one half, or those against it. */
typedef enum where_side { WHERE_ALL, WHERE_FOR, WHERE_AGAINST } where_side;

/** Look at a map; false without memory, or where the context says that the call is to end.  Free it
 *  with where_free(). */
bool where_read(kldve_ctx *ctx, const kldve_heatmap *map, int32_t frames, where *w);

/** "the left and the upper left": the parts that hold half of the energy, largest first; of a row
 *  ("the beginning"), of a film with the frames that hold half of it, where these are few. */
void where_say(const where *w, where_side side, bool is_row, char *out, size_t size);

/** The share of what the network saw that holds half of the energy; NaN of a flat map. */
double where_share(kldve_ctx *ctx, const where *w, bool has_signs);

void where_free(where *w);

#endif
