/* where.c - in which parts of the picture the heat lies, in words.
 *
 * The map is upsampled to SIDE x SIDE places of what the network saw; the energy of a place is its
 * value, of a map with signs the distance from zero.  The nine parts, thirds of width and height,
 * are named in the order of their energy until they hold half of it. */
#include "where.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THIRDS = 3, PARTS = THIRDS * THIRDS, SIDE = 60, NAMED = 3 };

static const double most = 0.7; /* of the energy: "mostly" */

/* Energy of the parts, which adds up to 1; all 0 if there is none. */
typedef struct parts {
    double energy[PARTS];
    int32_t rows; /* 1: the input is a row, whose map has one row of parts */
} parts;

/* ---- energy ------------------------------------------------------------------------------- */

/* What a value counts for: all of it, or that for or against the target of a map with signs. */
static double energy_of(float value, where_side side)
{
    double from_zero = 2 * (double)value - 1;

    return side == WHERE_ALL   ? (double)value
           : side == WHERE_FOR ? fmax(from_zero, 0)
                               : fmax(-from_zero, 0);
}

static void scale(double *value, int32_t count)
{
    double sum = 0;

    for (int32_t i = 0; i < count; i++)
        sum += value[i];
    for (int32_t i = 0; i < count; i++)
        value[i] = sum > 0 ? value[i] / sum : 0;
}

/* `places` has frames x SIDE x SIDE values. */
static void add_up(const float *places, int32_t frames, where_side side, parts *p, double *frame)
{
    for (int32_t f = 0; f < frames; f++)
        for (int32_t y = 0; y < SIDE; y++)
            for (int32_t x = 0; x < SIDE; x++) {
                double energy = energy_of(places[((f * SIDE) + y) * SIDE + x], side);

                p->energy[y * THIRDS / SIDE * THIRDS + x * THIRDS / SIDE] += energy;
                frame[f] += energy;
            }
    scale(p->energy, PARTS);
    scale(frame, frames);
}

/* ---- words -------------------------------------------------------------------------------- */

static const char *name_of(const parts *p, int32_t part)
{
    static const char *const names[PARTS] = {"the upper left", "the top",    "the upper right",
                                             "the left",       "the centre", "the right",
                                             "the lower left", "the bottom", "the lower right"};
    static const char *const of_row[THIRDS] = {"the beginning", "the middle", "the end"};

    return p->rows == 1 ? of_row[part % THIRDS] : names[part];
}

/* The numbers 0 to count - 1 in the order of falling values. */
static void order_of(const double *value, int32_t count, int32_t *order)
{
    for (int32_t i = 0; i < count; i++) {
        int32_t at = i;

        for (; at > 0 && value[order[at - 1]] < value[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* How many of the largest values hold half of the sum, 1. */
static int32_t half_of(const double *value, const int32_t *order, int32_t count)
{
    double sum = 0;
    int32_t n = 0;

    while (n < count && sum < 0.5)
        sum += value[order[n++]];
    return n;
}

/* "the left half", if it holds most; NULL: no half does. */
static const char *half_with_most(const parts *p)
{
    static const struct {
        const char *name;
        double part[PARTS]; /* 1: in this half, 0.5: its middle third */
    } halves[] = {{"the left half", {1, .5, 0, 1, .5, 0, 1, .5, 0}},
                  {"the right half", {0, .5, 1, 0, .5, 1, 0, .5, 1}},
                  {"the upper half", {1, 1, 1, .5, .5, .5, 0, 0, 0}},
                  {"the lower half", {0, 0, 0, .5, .5, .5, 1, 1, 1}}};

    for (size_t i = 0; p->rows > 1 && i < sizeof halves / sizeof *halves; i++) {
        double sum = 0;

        for (int32_t j = 0; j < PARTS; j++)
            sum += halves[i].part[j] * p->energy[j];
        if (sum >= most)
            return halves[i].name;
    }
    return NULL;
}

/* "the left and the upper left" */
static void say_parts(const parts *p, char *out, size_t size)
{
    const char *half = half_with_most(p);
    int32_t order[PARTS], n;
    size_t used = 0;

    order_of(p->energy, PARTS, order);
    n = half_of(p->energy, order, PARTS);
    if (n > NAMED || (n == NAMED && half)) {
        snprintf(out, size, "%s", half ? half : "many places");
        return;
    }
    *out = '\0';
    for (int32_t i = 0; i < n && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 i == 0      ? ""
                                 : i < n - 1 ? ", "
                                             : " and ",
                                 name_of(p, order[i]));
}

/* ", in frames 3 and 4 of 8" of a film whose heat lies in few of them, else "". */
static void say_frames(const double *frame, int32_t frames, char *out, size_t size)
{
    int32_t order[WHERE_FRAMES], n, first, second;

    *out = '\0';
    if (frames < 2)
        return;
    order_of(frame, frames, order);
    n = half_of(frame, order, frames);
    first = order[0] + 1;
    second = order[1] + 1;
    if (n == 1)
        snprintf(out, size, ", in frame %d of %d", (int)first, (int)frames);
    else if (n == 2 && frames > 4)
        snprintf(out, size, ", in frames %d and %d of %d", (int)(first < second ? first : second),
                 (int)(first < second ? second : first), (int)frames);
}

/* ---- for the summary ---------------------------------------------------------------------- */

bool where_read(kldve_ctx *ctx, const kldve_heatmap *map, int32_t frames, where *w)
{
    size_t count;

    w->frames = frames > WHERE_FRAMES ? 1 : frames;
    count = (size_t)w->frames * SIDE * SIDE;
    w->place = malloc(count * sizeof *w->place);
    if (w->place &&
        kldve_heatmap_upsample(ctx, map, SIDE, w->frames * SIDE, 0, w->place) == KLDVE_OK)
        return true;
    where_free(w);
    return false;
}

void where_say(const where *w, where_side side, bool is_row, char *out, size_t size)
{
    double frame[WHERE_FRAMES] = {0};
    parts p = {.rows = is_row ? 1 : THIRDS};
    size_t used;

    add_up(w->place, w->frames, side, &p, frame);
    if (is_row)
        for (int32_t i = THIRDS; i < PARTS; i++) {
            p.energy[i % THIRDS] += p.energy[i];
            p.energy[i] = 0;
        }
    say_parts(&p, out, size);
    used = strlen(out);
    say_frames(frame, w->frames, out + used, size - used);
}

double where_share(kldve_ctx *ctx, const where *w, bool has_signs)
{
    int32_t count = w->frames * SIDE * SIDE;
    float *energy = malloc((size_t)count * sizeof *energy);
    double share = (double)NAN;

    for (int32_t i = 0; energy && i < count; i++)
        energy[i] = has_signs ? fabsf(2 * w->place[i] - 1) : w->place[i];
    if (energy && kldve_metric_energy_area(ctx, energy, count, 0.5, &share) != KLDVE_OK)
        share = (double)NAN;
    free(energy);
    return share;
}

void where_free(where *w)
{
    free(w->place);
    w->place = NULL;
}
