/* draw.c - random numbers, colours, and an antialiased polygon fill in integers.
 *
 * The fill cuts every pixel row by 8 lines.  On each line it sorts the crossings with the contours,
 * and the spans of non-zero winding number add their exact length, in 1/256 pixel, to the pixels
 * they touch.  All contours are first given the same orientation, so a path is their union. */
#include "draw.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { LINES = 8, ONE = 256, STEP = ONE / LINES, CAP_POINTS = 6 };

uint64_t scenes_mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t next(scenes_rng *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    return scenes_mix64(rng->state);
}

scenes_rng scenes_rng_make(uint64_t seed, uint64_t stream)
{
    scenes_rng rng = {scenes_mix64(seed) ^ scenes_mix64(~stream)};

    return rng;
}

double scenes_uniform(scenes_rng *rng, double low, double high)
{
    return low + (high - low) * ((double)(next(rng) >> 11) * 0x1p-53);
}

int32_t scenes_pick(scenes_rng *rng, int32_t count)
{
    return (int32_t)((next(rng) >> 32) % (uint64_t)count);
}

double scenes_sine(double turns)
{
    double t = turns - floor(turns + 0.5); /* -0.5 .. 0.5 */
    double x, s;

    if (t > 0.25)
        t = 0.5 - t;
    else if (t < -0.25)
        t = -0.5 - t;
    x = t * 6.283185307179586;
    s = x * x;
    /* Taylor's polynomial: the next term is below 6e-8 at a quarter turn */
    return x * (1 + s * (-1.0 / 6 +
                         s * (1.0 / 120 + s * (-1.0 / 5040 + s * (1.0 / 362880 - s / 39916800)))));
}

double scenes_cosine(double turns)
{
    return scenes_sine(turns + 0.25);
}

scenes_colour scenes_hsl(double hue, double saturation, double lightness)
{
    scenes_colour colour;
    double reach = saturation * (lightness < 0.5 ? lightness : 1 - lightness);

    for (int c = 0; c < 3; c++) {
        double k = hue * 12 + 4.0 * (3 - c); /* red, green, blue are a third of a turn apart */
        double wave;

        k -= 12 * floor(k / 12);
        wave = fmin(fmin(k - 3, 9 - k), 1);
        colour.v[c] = 255 * (lightness - reach * fmax(wave, -1));
    }
    return colour;
}

scenes_colour scenes_blend(scenes_colour a, scenes_colour b, double t)
{
    for (int c = 0; c < 3; c++)
        a.v[c] += (b.v[c] - a.v[c]) * t;
    return a;
}

void scenes_path_clear(scenes_path *path)
{
    path->points = 0;
    path->contours = 0;
}

void scenes_path_add(scenes_path *path, double x, double y)
{
    assert(path->points < SCENES_POINTS);
    path->x[path->points] = x;
    path->y[path->points++] = y;
}

void scenes_path_end(scenes_path *path)
{
    assert(path->contours < SCENES_CONTOURS);
    path->end[path->contours++] = path->points;
}

/* A line from a to b with round ends, as one contour. */
static void add_capsule(scenes_path *out, double ax, double ay, double bx, double by, double radius)
{
    double dx = bx - ax, dy = by - ay, length = sqrt(dx * dx + dy * dy);

    if (length < 1e-9) {
        dx = 1;
        dy = 0;
    } else {
        dx /= length;
        dy /= length;
    }
    for (int end = 0; end < 2; end++) {
        for (int i = 0; i < CAP_POINTS; i++) {
            double turn = 0.5 * end - 0.25 + 0.5 * i / (CAP_POINTS - 1);
            double c = scenes_cosine(turn) * radius, s = scenes_sine(turn) * radius;

            scenes_path_add(out, (end ? ax : bx) + c * dx - s * dy,
                            (end ? ay : by) + c * dy + s * dx);
        }
    }
    scenes_path_end(out);
}

/* ---- the fill ---- */

typedef struct edge {
    int32_t x0, y0, x1, y1; /* 1/256 pixel, y0 < y1 */
    int32_t turn;           /* +1 or -1 */
} edge;

typedef struct crossing {
    int32_t x, turn;
} crossing;

typedef struct filler {
    int32_t edges;
    int32_t top, bottom; /* pixel rows, bottom not included */
    edge edge[SCENES_POINTS];
    crossing crossing[SCENES_POINTS];
    int32_t partial[SCENES_SIZE_MAX + 1]; /* coverage of one pixel */
    int32_t running[SCENES_SIZE_MAX + 1]; /* change of coverage from this pixel on */
} filler;

static int32_t fixed(double v)
{
    return (int32_t)floor(fmin(fmax(v, -8192), 8192) * ONE + 0.5);
}

static double twice_area(const scenes_path *path, int32_t start, int32_t end)
{
    double sum = 0;

    for (int32_t i = start, j = end - 1; i < end; j = i++)
        sum += path->x[j] * path->y[i] - path->x[i] * path->y[j];
    return sum;
}

static void add_edge(filler *f, int32_t x0, int32_t y0, int32_t x1, int32_t y1, int32_t turn)
{
    if (y0 == y1)
        return;
    f->edge[f->edges++] = y0 < y1 ? (edge){x0, y0, x1, y1, turn} : (edge){x1, y1, x0, y0, -turn};
    f->top = f->top < (y0 < y1 ? y0 : y1) ? f->top : (y0 < y1 ? y0 : y1);
    f->bottom = f->bottom > (y0 > y1 ? y0 : y1) ? f->bottom : (y0 > y1 ? y0 : y1);
}

static void collect_edges(filler *f, const scenes_path *path, int32_t size)
{
    int32_t start = 0;

    f->edges = 0;
    f->top = INT32_MAX;
    f->bottom = INT32_MIN;
    for (int32_t k = 0; k < path->contours; k++) {
        int32_t end = path->end[k], turn = twice_area(path, start, end) < 0 ? -1 : 1;

        for (int32_t i = start, j = end - 1; i < end; j = i++)
            add_edge(f, fixed(path->x[j]), fixed(path->y[j]), fixed(path->x[i]), fixed(path->y[i]),
                     turn);
        start = end;
    }
    if (f->edges == 0) {
        f->top = f->bottom = 0;
        return;
    }
    f->top = f->top < 0 ? 0 : f->top / ONE;
    f->bottom = f->bottom < 0 ? 0 : f->bottom / ONE + 1;
    if (f->bottom > size)
        f->bottom = size;
}

static void add_span(filler *f, int32_t from, int32_t to, int32_t size)
{
    int32_t a, b;

    from = from < 0 ? 0 : from;
    to = to > size * ONE ? size * ONE : to;
    if (from >= to)
        return;
    a = from / ONE;
    b = to / ONE;
    if (a == b) {
        f->partial[a] += to - from;
        return;
    }
    f->partial[a] += ONE - from % ONE;
    f->running[a + 1] += ONE;
    f->running[b] -= ONE;
    f->partial[b] += to % ONE;
}

static int32_t sorted_crossings(filler *f, const int32_t *active, int32_t count, int32_t y)
{
    int32_t n = 0;

    for (int32_t i = 0; i < count; i++) {
        const edge *e = &f->edge[active[i]];
        crossing c;
        int32_t at = n;

        if (y < e->y0 || y >= e->y1)
            continue;
        c.x = e->x0 + (int32_t)((int64_t)(y - e->y0) * (e->x1 - e->x0) / (e->y1 - e->y0));
        c.turn = e->turn;
        while (at > 0 && f->crossing[at - 1].x > c.x) {
            f->crossing[at] = f->crossing[at - 1];
            at--;
        }
        f->crossing[at] = c;
        n++;
    }
    return n;
}

/* Leaves the coverage of pixel row y, 0..LINES * ONE, in partial + running sum of running. */
static void cover_row(filler *f, int32_t y, int32_t size)
{
    int32_t active[SCENES_POINTS], count = 0;

    memset(f->partial, 0, sizeof(f->partial[0]) * ((size_t)size + 1));
    memset(f->running, 0, sizeof(f->running[0]) * ((size_t)size + 1));
    for (int32_t i = 0; i < f->edges; i++)
        if (f->edge[i].y0 < (y + 1) * ONE && f->edge[i].y1 > y * ONE)
            active[count++] = i;
    for (int32_t line = 0; line < LINES; line++) {
        int32_t n = sorted_crossings(f, active, count, y * ONE + line * STEP + STEP / 2);
        int32_t winding = 0;

        for (int32_t i = 0; i + 1 < n; i++) {
            winding += f->crossing[i].turn;
            if (winding != 0)
                add_span(f, f->crossing[i].x, f->crossing[i + 1].x, size);
        }
    }
}

static void paint_pixel(uint8_t *pixel, const scenes_paint *paint, int32_t x, int32_t y,
                        int32_t alpha)
{
    double u = paint->gx * (x + 0.5) + paint->gy * (y + 0.5) + paint->g0;

    u = fmin(fmax(u, 0), 1);
    for (int c = 0; c < 3; c++) {
        double v = paint->from.v[c] + (paint->to.v[c] - paint->from.v[c]) * u;
        int32_t value = (int32_t)floor(fmin(fmax(v, 0), 255) + 0.5);

        pixel[c] = (uint8_t)((pixel[c] * (255 - alpha) + value * alpha + 127) / 255);
    }
}

void scenes_fill(const scenes_canvas *canvas, const scenes_path *path, const scenes_paint *paint,
                 uint8_t *mask)
{
    filler f;
    int32_t size = canvas->size;

    collect_edges(&f, path, size);
    for (int32_t y = f.top; y < f.bottom; y++) {
        int32_t full = 0;

        cover_row(&f, y, size);
        for (int32_t x = 0; x < size; x++) {
            size_t at = (size_t)y * (size_t)size + (size_t)x;
            int32_t alpha;

            full += f.running[x];
            alpha = ((full + f.partial[x]) * paint->opacity + LINES * ONE / 2) / (LINES * ONE);
            if (alpha == 0)
                continue;
            if (canvas->rgb)
                paint_pixel(canvas->rgb + 3 * at, paint, x, y, alpha);
            if (mask)
                mask[at] = (uint8_t)(mask[at] + ((255 - mask[at]) * alpha + 127) / 255);
        }
    }
}

void scenes_stroke(const scenes_canvas *canvas, const scenes_path *path, bool closed, double width,
                   const scenes_paint *paint, uint8_t *mask)
{
    scenes_path stroke;
    int32_t start = 0;

    for (int32_t k = 0; k < path->contours; k++) {
        int32_t count = path->end[k] - start;

        scenes_path_clear(&stroke);
        for (int32_t i = 0; i < (closed ? count : count - 1); i++) {
            int32_t a = start + i, b = start + (i + 1) % count;

            add_capsule(&stroke, path->x[a], path->y[a], path->x[b], path->y[b], width / 2);
        }
        scenes_fill(canvas, &stroke, paint, mask);
        start = path->end[k];
    }
}
