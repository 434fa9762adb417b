/* pen.c - from an object's coordinates to painted pixels. */
#include "pen.h"

#include <math.h>

enum { ROUND = 40, CURVE = 10 }; /* pieces of a circle, of a curve */

double pen_vary(pen *p, double low, double high)
{
    return scenes_uniform(&p->rng, low, high);
}

void pen_line_to(pen *p, double x, double y)
{
    p->at_x = x;
    p->at_y = y;
    scenes_path_add(&p->path, p->a * x + p->b * y + p->x, p->c * x + p->d * y + p->y);
}

void pen_curve_to(pen *p, double x1, double y1, double x2, double y2, double x, double y)
{
    double x0 = p->at_x, y0 = p->at_y;

    for (int i = 1; i <= CURVE; i++) {
        double t = (double)i / CURVE, s = 1 - t;
        double b0 = s * s * s, b1 = 3 * s * s * t, b2 = 3 * s * t * t, b3 = t * t * t;

        pen_line_to(p, b0 * x0 + b1 * x1 + b2 * x2 + b3 * x, b0 * y0 + b1 * y1 + b2 * y2 + b3 * y);
    }
}

void pen_end_contour(pen *p)
{
    scenes_path_end(&p->path);
}

void pen_polygon(pen *p, int count, const double (*xy)[2])
{
    for (int i = 0; i < count; i++)
        pen_line_to(p, xy[i][0], xy[i][1]);
    pen_end_contour(p);
}

void pen_box(pen *p, double left, double top, double right, double bottom)
{
    const double xy[][2] = {{left, top}, {right, top}, {right, bottom}, {left, bottom}};

    pen_polygon(p, 4, xy);
}

/* Points of an ellipse, which is rotated by `tilt`. */
typedef struct ellipse {
    double x, y, rx, ry, tilt;
} ellipse;

static void add_arc(pen *p, const ellipse *e, double from, double to)
{
    int steps = (int)(ROUND * fabs(to - from)) + 1;
    double c = scenes_cosine(e->tilt), s = scenes_sine(e->tilt);

    for (int i = 0; i <= steps; i++) {
        double turn = from + (to - from) * i / steps;
        double u = e->rx * scenes_cosine(turn), v = e->ry * scenes_sine(turn);

        pen_line_to(p, e->x + u * c - v * s, e->y + u * s + v * c);
    }
}

void pen_arc(pen *p, double x, double y, double rx, double ry, double from, double to)
{
    add_arc(p, &(ellipse){x, y, rx, ry, 0}, from, to);
}

void pen_ellipse(pen *p, double x, double y, double rx, double ry, double tilt)
{
    add_arc(p, &(ellipse){x, y, rx, ry, tilt}, 0, 1);
    pen_end_contour(p);
}

void pen_disc(pen *p, double x, double y, double r)
{
    pen_ellipse(p, x, y, r, r, 0);
}

static scenes_paint paint_of(const pen *p, scenes_colour colour)
{
    scenes_colour white = {{255, 255, 255}}, black = {{0, 0, 0}};
    scenes_paint paint = {.opacity = 255};
    double reach = 2 * p->unit;

    paint.from = scenes_blend(colour, white, p->shading);
    paint.to = scenes_blend(colour, black, p->shading);
    paint.gx = -p->light_x / reach;
    paint.gy = -p->light_y / reach;
    paint.g0 = 0.5 - paint.gx * p->x - paint.gy * p->y;
    return paint;
}

static void fill(pen *p, scenes_colour colour)
{
    scenes_paint paint = paint_of(p, colour);

    scenes_fill(p->canvas, &p->path, &paint, p->mask);
}

static void stroke(pen *p, bool closed, double width, scenes_colour colour)
{
    scenes_paint paint = paint_of(p, colour);

    scenes_stroke(p->canvas, &p->path, closed, width * p->unit, &paint, p->mask);
}

void pen_part(pen *p, int tone)
{
    if (!p->outlining) {
        fill(p, p->tone[tone]);
    } else if (p->outline > 0) {
        stroke(p, true, 2 * p->outline, p->outline_tone);
        fill(p, p->outline_tone);
    }
    scenes_path_clear(&p->path);
}

void pen_detail(pen *p, int tone)
{
    if (!p->outlining)
        fill(p, p->tone[tone]);
    scenes_path_clear(&p->path);
}

void pen_line(pen *p, double width, int tone, bool silhouette)
{
    pen_end_contour(p);
    if (!p->outlining || (silhouette && p->outline > 0)) {
        double more = p->outlining ? 2 * p->outline : 0;

        stroke(p, false, width + more, p->outlining ? p->outline_tone : p->tone[tone]);
    }
    scenes_path_clear(&p->path);
}
