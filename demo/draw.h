/* draw.h - internals of the scene generator: random numbers, colours, paths, the antialiased fill.
 */
#ifndef KLDVE_DEMO_DRAW_H
#define KLDVE_DEMO_DRAW_H

#include <stdint.h>

#include "scenes.h"

/* ---- random numbers: splitmix64 (Steele, Lea, Flood 2014) ---- */

/* Never draw twice in one expression: C does not say which argument of a call is evaluated first.
 */

typedef struct scenes_rng {
    uint64_t state;
} scenes_rng;

uint64_t scenes_mix64(uint64_t x);
/** An independent stream for every (seed, stream). */
scenes_rng scenes_rng_make(uint64_t seed, uint64_t stream);
/** In [low, high). */
double scenes_uniform(scenes_rng *rng, double low, double high);
/** 0 .. count - 1. */
int32_t scenes_pick(scenes_rng *rng, int32_t count);

/** sin(2 pi turns) by a polynomial, error below 1e-7; the C library's differs between systems. */
double scenes_sine(double turns);
double scenes_cosine(double turns);

/* ---- colours: R,G,B, 0..255 ---- */

typedef struct scenes_colour {
    double v[3];
} scenes_colour;

/** Hue in turns (any real number), saturation and lightness 0..1. */
scenes_colour scenes_hsl(double hue, double saturation, double lightness);
/** a at t = 0, b at t = 1. */
scenes_colour scenes_blend(scenes_colour a, scenes_colour b, double t);

/* ---- paths: contours of points, in pixels ---- */

enum { SCENES_POINTS = 1536, SCENES_CONTOURS = 128 };

typedef struct scenes_path {
    int32_t points, contours;
    double x[SCENES_POINTS], y[SCENES_POINTS];
    int32_t end[SCENES_CONTOURS]; /**< one past the last point of each contour */
} scenes_path;

void scenes_path_clear(scenes_path *path);
void scenes_path_add(scenes_path *path, double x, double y);
/** Ends the contour that scenes_path_add() has been adding to. */
void scenes_path_end(scenes_path *path);

/* ---- painting ---- */

/** A colour that runs from `from` to `to` as u = gx x + gy y + g0 goes from 0 to 1. */
typedef struct scenes_paint {
    scenes_colour from, to;
    double gx, gy, g0;
    int32_t opacity; /**< 0..255 */
} scenes_paint;

typedef struct scenes_canvas {
    uint8_t *rgb; /**< [size][size][3]; NULL paints into masks only */
    int32_t size;
} scenes_canvas;

/** Fill the union of the path's contours.  If `mask` [size][size] is not NULL, the coverage is
 *  also drawn over it. */
void scenes_fill(const scenes_canvas *canvas, const scenes_path *path, const scenes_paint *paint,
                 uint8_t *mask);

/** The same for everything within width / 2 of each contour's line, contour by contour. */
void scenes_stroke(const scenes_canvas *canvas, const scenes_path *path, bool closed, double width,
                   const scenes_paint *paint, uint8_t *mask);

/* ---- the parts of a scene ---- */

/** The background colours of a scene, which objects avoid. */
typedef struct scenes_palette {
    scenes_colour ground[2];  /**< of the gradient behind everything */
    scenes_colour clutter[4]; /**< of texture and clutter */
} scenes_palette;

scenes_palette scenes_palette_make(scenes_rng *rng);
/** Gradient, texture and clutter over the whole canvas. */
void scenes_backdrop(const scenes_canvas *canvas, const scenes_palette *palette, scenes_rng *rng);
/** Light that varies over the picture, a cast, and grain. */
void scenes_light(const scenes_canvas *canvas, scenes_rng *rng);
/** One object inside the circle (x, y, radius), pixels; `mask` [size][size] starts as zeros. */
void scenes_paint_object(const scenes_canvas *canvas, const scenes_palette *palette,
                         const scenes_object *object, scenes_rng *rng, uint8_t *mask);

#endif
