/* dataset_shape.c - outlines and runs of COCO, as masks.
 *
 * Runs (RLE) say how many pixels, column by column from the upper left one, are outside, inside,
 * outside ...  Compressed, each run is the difference to the one before the last (from the fourth
 * on), in groups of 5 bits, the lowest first: a character is 48 + group + 32 if more follow, and
 * bit 4 of the last group is the sign.
 *
 * Outlines are polygons in pixels.  A pixel is inside if a line from its centre to the left crosses
 * the outline an odd number of times: every crossing flips all pixels to its right, so one pass
 * over the edges marks where a row flips and one pass over the pixels fills it.  Several polygons
 * of one object are united. */
#include "dataset_parts.h"

#include "slices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FARTHEST = 1 << 20 /* pixels */ };
static const int64_t most_work = 1 << 30; /* edges x rows of one object, about a second */

typedef struct canvas {
    int32_t width, height;
    uint8_t *mask; /* [height][width] */
    uint8_t *flip; /* [height][width], all 0 between two polygons */
    int64_t work;
} canvas;

static bool fail(char why[LABEL_SIZE], const char *text)
{
    snprintf(why, LABEL_SIZE, "%s", text);
    return false;
}

/* ---- runs --------------------------------------------------------------------------------------
 */

typedef struct runs {
    int64_t done; /* pixels, column by column */
    bool inside;
} runs;

static bool add_run(runs *r, canvas *c, int64_t length)
{
    int64_t height = c->height, size = height * c->width;

    if (length < 0 || length > size - r->done)
        return false;
    for (int64_t i = r->done; r->inside && i < r->done + length; i++)
        c->mask[i % height * c->width + i / height] = 1;
    r->done += length;
    r->inside = !r->inside;
    return true;
}

static bool add_packed(runs *r, canvas *c, const char *text)
{
    int64_t before[2] = {0, 0};

    for (int64_t number = 0; *text; number++) {
        int64_t value = 0;
        int group, shift = 0;

        do {
            group = *text++ - 48;
            if (group < 0 || group > 63 || shift > 45)
                return false;
            value |= (int64_t)(group & 31) << shift;
            shift += 5;
        } while (group & 32 && *text);
        if (group & 32)
            return false;
        if (group & 16)
            value -= (int64_t)1 << shift;
        if (number > 2)
            value += before[0];
        before[0] = before[1];
        before[1] = value;
        if (!add_run(r, c, value))
            return false;
    }
    return true;
}

static bool add_listed(runs *r, canvas *c, json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *item = json_object_array_get_idx(list, i);

        if (!json_object_is_type(item, json_type_int) ||
            !add_run(r, c, json_object_get_int64(item)))
            return false;
    }
    return true;
}

static bool fill_runs(json_object *shape, canvas *c, char why[LABEL_SIZE])
{
    json_object *size = json_object_object_get(shape, "size");
    json_object *counts = json_object_object_get(shape, "counts");
    runs r = {.done = 0};
    bool ok = false;

    if (!json_object_is_type(size, json_type_array) || json_object_array_length(size) != 2)
        return fail(why, "its runs do not say of what size they are");
    if (json_object_get_int64(json_object_array_get_idx(size, 0)) != c->height ||
        json_object_get_int64(json_object_array_get_idx(size, 1)) != c->width)
        return fail(why, "its runs are of a picture of another size");
    if (json_object_is_type(counts, json_type_string))
        ok = add_packed(&r, c, json_object_get_string(counts));
    else if (json_object_is_type(counts, json_type_array))
        ok = add_listed(&r, c, counts);
    return (ok && r.done == (int64_t)c->width * c->height) ||
           fail(why, "its runs do not fill the picture");
}

/* ---- outlines ----------------------------------------------------------------------------------
 */

/* Mark where the rows between the ends of an edge flip. */
static void mark_edge(canvas *c, const double a[2], const double b[2])
{
    const double *top = a[1] < b[1] ? a : b, *bottom = a[1] < b[1] ? b : a;
    int32_t from = (int32_t)fmax(ceil(top[1] - 0.5), 0);
    int32_t to = (int32_t)fmin(ceil(bottom[1] - 0.5), c->height); /* centres above the lower end */

    c->work += to > from ? to - from : 0;
    for (int32_t y = from; y < to && c->work <= most_work; y++) {
        double part = (y + 0.5 - top[1]) / (bottom[1] - top[1]);
        double x = ceil(top[0] + part * (bottom[0] - top[0]) - 0.5);

        if (x < c->width)
            c->flip[(size_t)y * (size_t)c->width + (size_t)fmax(x, 0)] ^= 1;
    }
}

/* Fill the rows first .. last that edges were marked in. */
static void fill_rows(canvas *c, double first, double last)
{
    int32_t from = (int32_t)fmax(floor(first), 0), to = (int32_t)fmin(ceil(last), c->height);

    for (int32_t y = from; y < to; y++) {
        uint8_t *flip = c->flip + (size_t)y * (size_t)c->width;
        uint8_t *mask = c->mask + (size_t)y * (size_t)c->width;
        uint8_t inside = 0;

        for (int32_t x = 0; x < c->width; x++) {
            inside ^= flip[x];
            mask[x] |= inside;
            flip[x] = 0;
        }
    }
}

static bool coordinate(json_object *polygon, size_t i, double *out)
{
    json_object *item = json_object_array_get_idx(polygon, i);

    *out = json_object_get_double(item);
    return (json_object_is_type(item, json_type_double) ||
            json_object_is_type(item, json_type_int)) &&
           fabs(*out) <= FARTHEST; /* not of NaN */
}

static bool fill_polygon(json_object *polygon, canvas *c, char why[LABEL_SIZE])
{
    size_t n =
        json_object_is_type(polygon, json_type_array) ? json_object_array_length(polygon) : 0;
    double before[2], now[2], first = c->height, last = 0;

    if (n < 6 || n % 2 != 0)
        return fail(why, "its outline is not a list of three points or more");
    if (!coordinate(polygon, n - 2, &before[0]) || !coordinate(polygon, n - 1, &before[1]))
        return fail(why, "its outline has a coordinate that is no number, or far outside");
    for (size_t i = 0; i < n; i += 2) {
        if (!coordinate(polygon, i, &now[0]) || !coordinate(polygon, i + 1, &now[1]))
            return fail(why, "its outline has a coordinate that is no number, or far outside");
        mark_edge(c, before, now);
        memcpy(before, now, sizeof before);
        first = fmin(first, now[1]);
        last = fmax(last, now[1]);
    }
    if (c->work > most_work)
        return fail(why, "its outline has too many points");
    fill_rows(c, first, last);
    return true;
}

static bool fill_outline(json_object *shape, canvas *c, char why[LABEL_SIZE])
{
    bool ok = true;

    c->flip = calloc((size_t)c->width * (size_t)c->height, 1);
    if (!c->flip)
        return fail(why, "out of memory");
    for (size_t i = 0; ok && i < json_object_array_length(shape); i++)
        ok = fill_polygon(json_object_array_get_idx(shape, i), c, why);
    free(c->flip);
    return ok;
}

/* ---- the annotation ----------------------------------------------------------------------------
 */

/* NULL after a message in `why`. */
static json_object *read_annotation(const dataset *d, const dataset_piece *piece,
                                    char why[LABEL_SIZE])
{
    size_t nbytes = (size_t)piece->at.shape.nbytes;
    char *text = malloc(nbytes);
    json_object *object = NULL;

    if (!text) {
        fail(why, "out of memory");
        return NULL;
    }
    if (pread(d->annotations, text, nbytes, (off_t)piece->at.shape.offset) == (ssize_t)nbytes)
        object = slice_read(&(slice){text, nbytes});
    if (!object)
        fail(why, "the file of its annotations has changed since it was opened");
    free(text);
    return object;
}

bool dataset_fill_shape(const dataset *d, const dataset_piece *piece, const dataset_frame *frame,
                        uint8_t *mask, char why[LABEL_SIZE])
{
    json_object *object = read_annotation(d, piece, why), *shape;
    canvas c = {.width = frame->width, .height = frame->height, .mask = mask};
    bool ok;

    if (!object)
        return false;
    shape = json_object_object_get(object, "segmentation");
    if (json_object_is_type(shape, json_type_object))
        ok = fill_runs(shape, &c, why);
    else if (json_object_is_type(shape, json_type_array))
        ok = fill_outline(shape, &c, why);
    else
        ok = fail(why, "the file of its annotations has changed since it was opened");
    json_object_put(object);
    return ok;
}
