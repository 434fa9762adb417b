/* backdrop.c - the background behind the objects, and the light over everything. */
#include "draw.h"

#include <math.h>
#include <stddef.h>

/* ---- colours ---- */

scenes_palette scenes_palette_make(scenes_rng *rng)
{
    scenes_palette palette;
    double hue = scenes_uniform(rng, 0, 1), light = scenes_uniform(rng, 0.2, 0.86);
    double grey = scenes_uniform(rng, 0.1, 0.7), spread = scenes_uniform(rng, 0.03, 0.16);

    for (int i = 0; i < 2; i++) {
        double near = hue + scenes_uniform(rng, -0.12, 0.12);
        double vivid = grey * scenes_uniform(rng, 0.7, 1);

        palette.ground[i] =
            scenes_hsl(near, vivid, fmin(fmax(light + (i ? spread : -spread), 0.08), 0.94));
    }
    for (int i = 0; i < 4; i++) {
        double reach =
            scenes_uniform(rng, 0, 1) < 0.35 ? 0.5 : 0.15; /* any hue, or a similar one */
        double other = hue + scenes_uniform(rng, -reach, reach);
        double vivid = fmin(grey * scenes_uniform(rng, 0.6, 1.5), 0.95);
        double level = light + scenes_uniform(rng, -0.28, 0.28);

        palette.clutter[i] = scenes_hsl(other, vivid, fmin(fmax(level, 0.1), 0.92));
    }
    return palette;
}

/* ---- texture ---- */

typedef struct field {
    double gx, gy, g0, radial; /* gradient */
    uint64_t seed;
    double cells, rough, strength; /* value noise */
    int32_t pattern;
    double px, py, contrast; /* pattern */
} field;

enum { PLAIN, STRIPES, CHECKS, DOTS, WAVES, PATTERNS };

static field field_make(scenes_rng *rng)
{
    field f;
    double turn = scenes_uniform(rng, 0, 1), period = scenes_uniform(rng, 5, 16);

    f.gx = scenes_cosine(turn);
    f.gy = scenes_sine(turn);
    f.g0 = 0.5 - 0.5 * (f.gx + f.gy);
    f.radial = scenes_uniform(rng, 0, 1) < 0.3 ? 1 : 0;
    f.seed = scenes_mix64(rng->state);
    f.cells = scenes_uniform(rng, 2, 9);
    f.rough = scenes_uniform(rng, 0.2, 0.6);
    f.strength = scenes_uniform(rng, 0.1, 0.8);
    f.pattern = scenes_uniform(rng, 0, 1) < 0.45 ? PLAIN : scenes_pick(rng, PATTERNS);
    turn = scenes_uniform(rng, 0, 1);
    f.px = period * scenes_cosine(turn);
    f.py = period * scenes_sine(turn);
    f.contrast = scenes_uniform(rng, 0.1, 0.45);
    return f;
}

static double lattice(uint64_t seed, int64_t x, int64_t y)
{
    return (double)(scenes_mix64(seed + (uint64_t)x * UINT64_C(0x9e3779b97f4a7c15) +
                                 (uint64_t)y * UINT64_C(0xc2b2ae3d27d4eb4f)) >>
                    11) *
           0x1p-53;
}

/* Random values at integer coordinates, smooth in between. */
static double value_noise(uint64_t seed, double x, double y)
{
    double fx = floor(x), fy = floor(y), u = x - fx, v = y - fy, top, bottom;
    int64_t ix = (int64_t)fx, iy = (int64_t)fy;

    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    top = lattice(seed, ix, iy) * (1 - u) + lattice(seed, ix + 1, iy) * u;
    bottom = lattice(seed, ix, iy + 1) * (1 - u) + lattice(seed, ix + 1, iy + 1) * u;
    return top * (1 - v) + bottom * v;
}

static double pattern_at(const field *f, double x, double y)
{
    double u = f->px * x + f->py * y, v = f->px * y - f->py * x;

    switch (f->pattern) {
    case STRIPES:
        return fmin(fmax(0.5 + 3 * scenes_sine(u), 0), 1);
    case CHECKS:
        return fmin(fmax(0.5 + 6 * scenes_sine(u / 2) * scenes_sine(v / 2), 0), 1);
    case DOTS:
        return fmin(fmax(3 * (scenes_cosine(u) + scenes_cosine(v)) - 2.5, 0), 1);
    case WAVES:
        return fmin(fmax(0.5 + 2 * scenes_sine(u + 0.3 * scenes_sine(v * 0.5)), 0), 1);
    default:
        return 0;
    }
}

static scenes_colour field_at(const field *f, const scenes_palette *palette, double x, double y)
{
    double straight = f->gx * x + f->gy * y + f->g0;
    double dx = x - 0.5, dy = y - 0.5, along = straight, noise;
    scenes_colour colour;

    if (f->radial > 0)
        along = 1.6 * sqrt(dx * dx + dy * dy);
    colour = scenes_blend(palette->ground[0], palette->ground[1], fmin(fmax(along, 0), 1));
    noise = (1 - f->rough) * value_noise(f->seed, x * f->cells, y * f->cells) +
            f->rough * value_noise(f->seed + 1, x * f->cells * 3, y * f->cells * 3);
    colour =
        scenes_blend(colour, palette->clutter[0], f->strength * fmin(fmax(2 * noise - 0.5, 0), 1));
    return scenes_blend(colour, palette->clutter[1], f->contrast * pattern_at(f, x, y));
}

static void paint_field(const scenes_canvas *canvas, const scenes_palette *palette, const field *f)
{
    uint8_t *pixel = canvas->rgb;

    for (int32_t y = 0; y < canvas->size; y++) {
        for (int32_t x = 0; x < canvas->size; x++, pixel += 3) {
            scenes_colour colour =
                field_at(f, palette, (x + 0.5) / canvas->size, (y + 0.5) / canvas->size);

            for (int c = 0; c < 3; c++)
                pixel[c] = (uint8_t)floor(fmin(fmax(colour.v[c], 0), 255) + 0.5);
        }
    }
}

/* ---- clutter ---- */

/* A closed curve around (x, y): a polygon with few corners, or a smooth blob. */
static void add_blob(scenes_path *path, scenes_rng *rng, double x, double y, double r, bool smooth)
{
    int corners = 3 + scenes_pick(rng, 5);
    double offset = scenes_uniform(rng, 0, 1), reach[8];
    int steps = smooth ? 8 : 1;

    for (int i = 0; i < corners; i++)
        reach[i] = r * scenes_uniform(rng, 0.55, 1);
    for (int i = 0; i < corners * steps; i++) {
        double t = (double)(i % steps) / steps, turn = offset + (double)i / (corners * steps);
        double length;

        t = t * t * (3 - 2 * t);
        length = reach[i / steps] * (1 - t) + reach[(i / steps + 1) % corners] * t;
        scenes_path_add(path, x + length * scenes_cosine(turn), y + length * scenes_sine(turn));
    }
    scenes_path_end(path);
}

static void add_ellipse(scenes_path *path, double x, double y, double rx, double ry, double tilt)
{
    double c = scenes_cosine(tilt), s = scenes_sine(tilt);

    for (int i = 0; i < 40; i++) {
        double u = rx * scenes_cosine(i / 40.0), v = ry * scenes_sine(i / 40.0);

        scenes_path_add(path, x + u * c - v * s, y + u * s + v * c);
    }
    scenes_path_end(path);
}

/* A parabola through three random points. */
static void add_curve(scenes_path *path, scenes_rng *rng, double x, double y, double r)
{
    double px[3], py[3];

    for (int i = 0; i < 3; i++) {
        px[i] = x + scenes_uniform(rng, -r, r);
        py[i] = y + scenes_uniform(rng, -r, r);
    }
    for (int i = 0; i <= 12; i++) {
        double t = i / 12.0, a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;

        scenes_path_add(path, a * px[0] + b * px[1] + c * px[2], a * py[0] + b * py[1] + c * py[2]);
    }
    scenes_path_end(path);
}

static void add_box(scenes_path *path, double x, double y, double w, double h, double turn)
{
    static const double corner[4][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};
    double c = scenes_cosine(turn), s = scenes_sine(turn);

    for (int i = 0; i < 4; i++) {
        double u = corner[i][0] * w, v = corner[i][1] * h;

        scenes_path_add(path, x + u * c - v * s, y + u * s + v * c);
    }
    scenes_path_end(path);
}

static void add_specks(scenes_path *path, scenes_rng *rng, double x, double y, double r)
{
    int count = 4 + scenes_pick(rng, 8);
    double dot = r * scenes_uniform(rng, 0.06, 0.16);

    for (int i = 0; i < count; i++) {
        double dx = scenes_uniform(rng, -r, r), dy = scenes_uniform(rng, -r, r);

        add_ellipse(path, x + dx, y + dy, dot, dot, 0);
    }
}

enum { BLOB, CORNERS, ELLIPSE, BOX, SPECKS, CURVE, RING, FRAME, ITEMS };

static void paint_item(const scenes_canvas *canvas, const scenes_palette *palette, scenes_rng *rng)
{
    scenes_path path;
    scenes_paint paint = {.opacity = 90 + scenes_pick(rng, 166)};
    int item = scenes_pick(rng, ITEMS);
    double x = scenes_uniform(rng, 0, 1) * canvas->size,
           y = scenes_uniform(rng, 0, 1) * canvas->size;
    double small = scenes_uniform(rng, 0, 1);
    double r = (0.03 + 0.2 * small * small) * canvas->size, other = scenes_uniform(rng, 0.3, 1);
    double turn = scenes_uniform(rng, 0, 1);
    double width = scenes_uniform(rng, 0.006, 0.03) * canvas->size;

    paint.from = palette->clutter[scenes_pick(rng, 4)];
    paint.to = palette->clutter[scenes_pick(rng, 4)];
    paint.to = scenes_blend(paint.from, paint.to, scenes_uniform(rng, 0, 0.6));
    paint.gx = scenes_cosine(turn) / (2 * r);
    paint.gy = scenes_sine(turn) / (2 * r);
    paint.g0 = 0.5 - paint.gx * x - paint.gy * y;
    scenes_path_clear(&path);
    if (item == BLOB || item == CORNERS)
        add_blob(&path, rng, x, y, r, item == BLOB);
    else if (item == ELLIPSE || item == RING)
        add_ellipse(&path, x, y, r, r * other, turn);
    else if (item == BOX || item == FRAME)
        add_box(&path, x, y, r, r * other, turn);
    else if (item == SPECKS)
        add_specks(&path, rng, x, y, r);
    else
        add_curve(&path, rng, x, y, 2 * r + 0.1 * canvas->size);
    if (item >= CURVE)
        scenes_stroke(canvas, &path, item != CURVE, width, &paint, NULL);
    else
        scenes_fill(canvas, &path, &paint, NULL);
}

void scenes_backdrop(const scenes_canvas *canvas, const scenes_palette *palette, scenes_rng *rng)
{
    field f = field_make(rng);
    int32_t items = 8 + scenes_pick(rng, 24);

    paint_field(canvas, palette, &f);
    for (int32_t i = 0; i < items; i++)
        paint_item(canvas, palette, rng);
}

/* ---- light ---- */

void scenes_light(const scenes_canvas *canvas, scenes_rng *rng)
{
    double turn = scenes_uniform(rng, 0, 1), slope = scenes_uniform(rng, 0, 0.35);
    double level = scenes_uniform(rng, 0.8, 1.12), dark = scenes_uniform(rng, 0, 0.5);
    double cast[3], small = scenes_uniform(rng, 0, 1), grain = 9 * small * small / 104;
    double gx = slope * scenes_cosine(turn), gy = slope * scenes_sine(turn);
    uint64_t seed = scenes_mix64(rng->state);
    uint8_t *pixel = canvas->rgb;

    for (int c = 0; c < 3; c++)
        cast[c] = scenes_uniform(rng, 0.93, 1.05);
    for (int32_t y = 0; y < canvas->size; y++) {
        for (int32_t x = 0; x < canvas->size; x++, pixel += 3) {
            double u = (x + 0.5) / canvas->size - 0.5, v = (y + 0.5) / canvas->size - 0.5;
            double gain = level + gx * u + gy * v - dark * (u * u + v * v);
            uint64_t bits = scenes_mix64(seed + (uint64_t)y * 65536 + (uint64_t)x);

            for (int c = 0; c < 3; c++, bits >>= 16) { /* two bytes: deviation 104 */
                double noise = (double)(bits & 255) + (double)(bits >> 8 & 255) - 255;
                double value = pixel[c] * gain * cast[c] + noise * grain;

                pixel[c] = (uint8_t)floor(fmin(fmax(value, 0), 255) + 0.5);
            }
        }
    }
}
