/* objects.c - colours, outline and position of one object.  Colours come from the same distribution
 * for every kind, so they reveal nothing about it. */
#include "pen.h"

#include <math.h>
#include <string.h>

static double distance(scenes_colour a, scenes_colour b)
{
    double dr = a.v[0] - b.v[0], dg = a.v[1] - b.v[1], db = a.v[2] - b.v[2];

    return sqrt(2 * dr * dr + 4 * dg * dg + db * db);
}

static scenes_colour vary_colour(scenes_rng *rng, double hue, double grey, double vivid,
                                 double dark, double light)
{
    double saturation = scenes_uniform(rng, grey, vivid);

    return scenes_hsl(hue, saturation, scenes_uniform(rng, dark, light));
}

static void draw_tones(scenes_rng *rng, scenes_colour tone[TONES])
{
    static const double steps[] = {0.08, -0.08, 0.33, -0.33, 0.5};
    double hue = scenes_uniform(rng, 0, 1), light = scenes_uniform(rng, 0.38, 0.72);
    double other = light + (light > 0.55 ? -1 : 1) * scenes_uniform(rng, 0.08, 0.25);

    tone[MAIN] = vary_colour(rng, hue, 0.5, 0.95, light, light);
    hue += steps[scenes_pick(rng, 5)];
    tone[SECOND] = vary_colour(rng, hue, 0.3, 0.9, other, other);
    hue += scenes_uniform(rng, 0, 1);
    tone[ACCENT] = vary_colour(rng, hue, 0.3, 1, 0.84, 0.96);
    tone[DARK] = vary_colour(rng, hue, 0.1, 0.5, 0.1, 0.24);
}

/* Of a few draws, the one that stands out most from the background. */
static void choose_tones(scenes_rng *rng, const scenes_palette *palette, scenes_colour tone[TONES])
{
    double best = -1;

    for (int i = 0; i < 4; i++) {
        scenes_colour drawn[TONES];
        double nearest;

        draw_tones(rng, drawn);
        nearest = fmin(distance(drawn[MAIN], palette->ground[0]),
                       distance(drawn[MAIN], palette->ground[1]));
        nearest = fmin(nearest, 1.5 * distance(drawn[SECOND], palette->ground[0]));
        nearest = fmin(nearest, 1.5 * distance(drawn[SECOND], palette->ground[1]));
        if (nearest > best) {
            best = nearest;
            memcpy(tone, drawn, sizeof(drawn));
        }
    }
}

static void choose_outline(pen *p, scenes_rng *rng)
{
    double style = scenes_uniform(rng, 0, 1), width = scenes_uniform(rng, 0.025, 0.06);
    scenes_colour white = {{255, 255, 255}};

    p->outline = style < 0.4 ? 0 : width;
    p->outline_tone = style < 0.75 ? p->tone[DARK] : scenes_blend(p->tone[ACCENT], white, 0.6);
}

static void place(pen *p, scenes_rng *rng, const scenes_object *object)
{
    double turn = scenes_uniform(rng, -0.09, 0.09), mirror = scenes_pick(rng, 2) ? -1 : 1;
    double wide = scenes_uniform(rng, 0.84, 1), high = scenes_uniform(rng, 0.84, 1);
    double more = scenes_uniform(rng, 0, 1), fit;

    if (more < 0.5)
        wide = 1;
    else
        high = 1;
    fit = object->radius * (1 - p->outline);
    p->unit = object->radius;
    p->a = fit * wide * mirror * scenes_cosine(turn);
    p->b = -fit * high * scenes_sine(turn);
    p->c = fit * wide * mirror * scenes_sine(turn);
    p->d = fit * high * scenes_cosine(turn);
    p->x = object->x;
    p->y = object->y;
}

void scenes_paint_object(const scenes_canvas *canvas, const scenes_palette *palette,
                         const scenes_object *object, scenes_rng *rng, uint8_t *mask)
{
    pen p;
    scenes_rng shape;
    double light;

    memset(&p, 0, sizeof(p));
    p.canvas = canvas;
    p.mask = mask;
    choose_tones(rng, palette, p.tone);
    choose_outline(&p, rng);
    place(&p, rng, object);
    light = scenes_uniform(rng, 0.55, 0.95); /* from above */
    p.light_x = scenes_cosine(light);
    p.light_y = scenes_sine(light);
    p.shading = scenes_uniform(rng, 0.05, 0.28);
    shape = *rng;
    for (int pass = 0; pass < 2; pass++) {
        p.rng = shape;
        p.outlining = pass == 0;
        scenes_draw_kind(&p, object->kind);
    }
}
