/* pen.h - draws the parts of one object, in the object's own coordinates.
 *
 * These have x to the right and y down, inside the unit circle.  Objects are drawn in two passes
 * with the same random numbers: first a broad line around every part, then the parts themselves, so
 * that the visible rest of the line outlines the whole object. */
#ifndef KLDVE_DEMO_PEN_H
#define KLDVE_DEMO_PEN_H

#include "draw.h"

/** Colours of an object. */
enum { MAIN, SECOND, ACCENT, DARK, TONES };

typedef struct pen {
    const scenes_canvas *canvas;
    uint8_t *mask;
    scenes_rng rng;          /* the shape's numbers, the same in both passes */
    double a, b, c, d, x, y; /* pixel = (a u + b v + x, c u + d v + y) */
    double unit;             /* pixels of one unit */
    double outline;          /* width in units, 0 for none */
    bool outlining;          /* the first pass */
    scenes_colour tone[TONES], outline_tone;
    double light_x, light_y; /* direction the light comes from, unit length */
    double shading;          /* how much lighter and darker it makes a part */
    double at_x, at_y;       /* end of the path so far, in units */
    scenes_path path;
} pen;

/** The next of the shape's random numbers. */
double pen_vary(pen *p, double low, double high);

/* These add contours to the path; pen_part(), pen_detail() or pen_line() then consumes it. */

void pen_line_to(pen *p, double x, double y);
/** A cubic Bezier curve from the end of the path. */
void pen_curve_to(pen *p, double x1, double y1, double x2, double y2, double x, double y);
/** Part of an ellipse, from one angle to another (turns). */
void pen_arc(pen *p, double x, double y, double rx, double ry, double from, double to);
void pen_end_contour(pen *p);

/* Whole contours. */

void pen_polygon(pen *p, int count, const double (*xy)[2]);
void pen_box(pen *p, double left, double top, double right, double bottom);
/** The ellipse is rotated by `tilt`. */
void pen_ellipse(pen *p, double x, double y, double rx, double ry, double tilt);
void pen_disc(pen *p, double x, double y, double r);

/** The path as a part of the silhouette. */
void pen_part(pen *p, int tone);
/** The path as a detail inside the silhouette. */
void pen_detail(pen *p, int tone);
/** The path as a line that is part of the silhouette, or a detail inside it. */
void pen_line(pen *p, double width, int tone, bool silhouette);

/** Draw an object of this kind with the pen (kinds.c). */
void scenes_draw_kind(pen *p, int32_t kind);

#endif
