/* render.h - what the parts of a drawing share. */
#ifndef KLDVE_LIB_HEATMAP_RENDER_H
#define KLDVE_LIB_HEATMAP_RENDER_H

#include <stdbool.h>

#include "heatmap.h"
#include "image/stretch.h"

/* ---- render_options.c ----------------------------------------------------------------------- */

/** Check options and replace every 0 that is a default.
 *  @param size  Width and height of the picture; zeros: the map alone.
 *  @param src   NULL means defaults. */
kldve_status kldve_render_load(kldve_ctx *ctx, const kldve_heatmap *map, const int32_t size[2],
                               const kldve_render_options *src, kldve_render_options *o);

/** By how much a drawing of this size is enlarged: 1 or more. */
int32_t kldve_render_factor(const kldve_heatmap *map, const int32_t size[2],
                            const kldve_render_options *o);

/** How many frames of the map lie below each other in a drawing. */
int32_t kldve_render_frames(const kldve_heatmap *map, const kldve_render_options *o);

/* ---- heat_rows.c ---------------------------------------------------------------------------- */

/** The values of a map at the size of a drawing, row after row. */
typedef struct kldve_heat {
    kldve_ctx *ctx;
    kldve_film film;               /**< the map; a copy of it where it is blurred */
    float *copy;                   /**< NULL: the map itself */
    float *row;                    /**< [film.width] */
    kldve_taps along, down, later; /**< columns, rows, frames */
    float least, most;             /**< of the film */
    bool magnitude;                /**< what counts is the distance from zero */
    double shift, factor;          /**< result = shift + factor * value */
} kldve_heat;

/** Begin.
 *  @param o     From kldve_render_load().
 *  @param over  Whether there is a picture: 0.5 is then the level of the views that have one.
 *  @param size  Height and width of a frame.
 *  @return KLDVE_OK, or KLDVE_E_NOMEM with a message; end it in either case. */
kldve_status kldve_heat_begin(kldve_ctx *ctx, const kldve_heatmap *map,
                              const kldve_render_options *o, bool over, const int32_t size[2],
                              kldve_heat *heat);

/** Part of row y of a frame: columns begin .. begin + count - 1 -> out [count]. */
void kldve_heat_row(const kldve_heat *heat, int32_t frame, int32_t y, int32_t begin, int32_t count,
                    float *out);

void kldve_heat_end(kldve_heat *heat);

#endif
