/* dataset_mosaic.c - mosaics: photographs of different classes in one picture, and the network
 * asked for each.  Where the answer lies is known to the pixel, without any annotation.
 *
 * Two photographs lie side by side, four in the quarters.  A tile shows the centre square that the
 * network would see of its photograph alone, resized to the tile: nothing of the object is cut off.
 * Each photograph is in one mosaic at most, by the seed.  As many mosaics are made as the labels
 * allow: photographs, those of a label together, are dealt to m mosaics in turn, so that no two of
 * a label meet if none has more than m. */
#include "dataset_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which photographs share a mosaic ----------------------------------------------------------
 */

/* A photograph, and whom it may not meet. */
typedef struct card {
    int32_t question;
    int32_t group; /* of those with its label, in a random order of labels */
    int32_t rank;  /* within the group, from 0 */
} card;

typedef struct mosaic {
    int32_t of[DATASET_TILES]; /* questions about single photographs */
} mosaic;

/* Splitmix64: S. Vigna, public domain.  The same numbers on every machine. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void shuffle(int32_t *list, int32_t count, uint64_t *seed)
{
    for (int32_t i = count - 1; i > 0; i--) {
        int32_t k = (int32_t)(next_random(seed) % ((uint64_t)i + 1)), swap = list[i];

        list[i] = list[k];
        list[k] = swap;
    }
}

/* Questions are sorted, so those about one picture follow each other. */
static bool is_alone(const dataset *d, int32_t i)
{
    const char *key = d->photo[d->question[i].photo[0]].key;

    return (i == 0 || strcmp(key, d->photo[d->question[i - 1].photo[0]].key) != 0) &&
           (i + 1 == d->questions || strcmp(key, d->photo[d->question[i + 1].photo[0]].key) != 0);
}

/* The questions whose pictures can be in a mosaic: with one label, or none has any. */
static int32_t choose(dataset *d, int32_t *list)
{
    int32_t count = 0;

    for (int32_t i = 0; i < d->questions; i++)
        if (is_alone(d, i) && (d->labels == 0 || d->question[i].label))
            list[count++] = i;
    return count;
}

/* How many photographs can be used if no label is used more than `most` times. */
static int64_t usable(const int32_t *of_label, int32_t labels, int32_t most)
{
    int64_t sum = 0;

    for (int32_t i = 0; i < labels; i++)
        sum += of_label[i] < most ? of_label[i] : most;
    return sum;
}

/* The most mosaics of `tiles` different labels: usable() grows ever more slowly with their number,
 * so where one number is possible, all smaller ones are. */
static int32_t most_mosaics(const int32_t *of_label, int32_t labels, int32_t tiles, int32_t photos)
{
    int32_t possible = 0, too_many = photos / tiles + 1;

    while (too_many - possible > 1) {
        int32_t middle = possible + (too_many - possible) / 2;

        if (usable(of_label, labels, middle) >= (int64_t)tiles * middle)
            possible = middle;
        else
            too_many = middle;
    }
    return possible;
}

static int by_group(const void *left, const void *right)
{
    const card *a = left, *b = right;

    return a->group != b->group ? (a->group > b->group) - (a->group < b->group)
                                : (a->rank > b->rank) - (a->rank < b->rank);
}

/* Give each photograph of a shuffled list its group.  How many mosaics can be made; -1: out of
 * memory. */
static int32_t group(const dataset *d, const int32_t *list, int32_t count, uint64_t *seed,
                     card *out)
{
    int32_t *order = calloc((size_t)d->labels + 1, sizeof *order);
    int32_t *seen = calloc((size_t)d->labels + 1, sizeof *seen);
    int32_t most = order && seen ? count / d->args.mosaic : -1;

    for (int32_t i = 0; order && i < d->labels; i++)
        order[i] = i;
    if (most >= 0)
        shuffle(order, d->labels, seed);
    for (int32_t i = 0; most >= 0 && i < count; i++) {
        int32_t label = d->question[list[i]].label_number;

        out[i] = (card){list[i], label < 0 ? i : order[label], label < 0 ? 0 : seen[label]++};
    }
    if (most > 0 && d->labels > 0)
        most = most_mosaics(seen, d->labels, d->args.mosaic, count);
    free(order);
    free(seen);
    return most;
}

/* Deal the photographs to mosaics, the tiles of each in a random order. */
static void deal(card *list, int32_t count, int32_t mosaics, int32_t tiles, uint64_t *seed,
                 mosaic *out)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < count; i++)
        if (list[i].rank < mosaics)
            list[kept++] = list[i];
    qsort(list, (size_t)kept, sizeof *list, by_group);
    for (int32_t i = 0; i < mosaics * tiles; i++)
        out[i % mosaics].of[i / mosaics] = list[i].question;
    for (int32_t i = 0; i < mosaics; i++)
        shuffle(out[i].of, tiles, seed);
}

/* ---- the questions -----------------------------------------------------------------------------
 */

/* "a.jpg|b.jpg" */
static const char *name_of(dataset *d, const mosaic *m)
{
    char *text;
    const char *made = NULL;
    size_t size = 0, used = 0;

    for (int32_t i = 0; i < d->args.mosaic; i++)
        size += strlen(d->question[m->of[i]].key) + 1;
    text = malloc(size);
    for (int32_t i = 0; text && i < d->args.mosaic; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? "|" : "",
                                 d->question[m->of[i]].key);
    if (text)
        made = dataset_text(d, text, used);
    else
        complain("%s: out of memory", d->name);
    free(text);
    return made;
}

/* One question for each tile. */
static bool ask(dataset *d, const mosaic *m, question *out)
{
    const char *name = name_of(d, m);
    bool ok = name != NULL;

    for (int32_t i = 0; ok && i < d->args.mosaic; i++) {
        question *q = &out[i];

        *q = d->question[m->of[i]];
        q->picture = name;
        q->key = dataset_numbered(d, name, i + 1, true);
        q->photos = d->args.mosaic;
        q->tile = i;
        q->pieces = 0;
        for (int32_t k = 0; k < d->args.mosaic; k++)
            q->photo[k] = d->question[m->of[k]].photo[0];
        ok = q->key != NULL;
    }
    return ok;
}

static int by_key(const void *left, const void *right)
{
    return strcmp(((const question *)left)->key, ((const question *)right)->key);
}

static bool ask_all(dataset *d, const mosaic *made, int32_t count)
{
    int32_t tiles = d->args.mosaic;
    question *asked = calloc((size_t)count * (size_t)tiles, sizeof *asked);

    if (!asked)
        complain("%s: out of memory", d->name);
    for (int32_t i = 0; asked && i < count; i++)
        if (!ask(d, &made[i], &asked[(size_t)i * (size_t)tiles])) {
            free(asked);
            return false;
        }
    if (!asked)
        return false;
    free(d->question);
    d->question = asked;
    d->questions = count * tiles;
    qsort(asked, (size_t)d->questions, sizeof *asked, by_key);
    return dataset_list_labels(d);
}

static bool note(dataset *d, int32_t mosaics, int32_t left)
{
    return left == 0 ||
           dataset_note(
               d,
               "%d mosaics of %d photographs; %d questions about single photographs are "
               "not asked: pictures with several labels or none, or no other label is left",
               (int)mosaics, (int)d->args.mosaic, (int)left);
}

static bool make(dataset *d, int32_t *list, card *cards, mosaic *made)
{
    int32_t tiles = d->args.mosaic, count = choose(d, list), mosaics;
    uint64_t seed = (uint64_t)d->args.seed;

    shuffle(list, count, &seed);
    mosaics = group(d, list, count, &seed, cards);
    if (mosaics == 0)
        complain("%s: no mosaic can be made: there are no %d photographs of different labels",
                 d->name, (int)tiles);
    else if (mosaics < 0)
        complain("%s: out of memory", d->name);
    if (mosaics <= 0)
        return false;
    deal(cards, count, mosaics, tiles, &seed, made);
    return note(d, mosaics, d->questions - mosaics * tiles) && ask_all(d, made, mosaics);
}

bool dataset_make_mosaics(dataset *d)
{
    int32_t *list = calloc((size_t)d->questions, sizeof *list);
    card *cards = calloc((size_t)d->questions, sizeof *cards);
    mosaic *made = calloc((size_t)d->questions + 1, sizeof *made);
    bool ok = list && cards && made;

    if (!ok)
        complain("%s: out of memory", d->name);
    ok = ok && make(d, list, cards, made);
    free(list);
    free(cards);
    free(made);
    return ok;
}

/* ---- the picture -------------------------------------------------------------------------------
 */

/* Where a tile lies: x, y, width, height. */
static void tile_place(const question *q, int32_t tile, const dataset_view *view, int32_t out[4])
{
    int32_t rows = q->photos / 2, column = tile % 2, row = tile / 2;

    out[0] = column * (view->width / 2);
    out[1] = row * (view->height / rows);
    out[2] = column ? view->width - view->width / 2 : view->width / 2;
    out[3] = row + 1 == rows ? view->height - out[1] : view->height / rows;
}

/* The centre square of a photograph, `part` of its shorter side, as width x height. */
static bool load_square(const char *path, double part, int32_t width, int32_t height,
                        kldve_ctx *ctx, kldve_image **out, char why[LABEL_SIZE])
{
    kldve_image *whole = NULL, *square = NULL;
    int32_t w, h, side;
    kldve_status status;

    if (!dataset_load_image(path, ctx, &whole, why))
        return false;
    w = kldve_image_width(whole);
    h = kldve_image_height(whole);
    side = (int32_t)fmax(1, floor((w < h ? w : h) * (part > 0 && part < 1 ? part : 1) + 0.5));
    status = kldve_image_crop(ctx, whole, (w - side) / 2, (h - side) / 2, side, side, &square);
    if (status == KLDVE_OK)
        status = kldve_image_resize(ctx, square, width, height, out);
    if (status != KLDVE_OK)
        clean_text(kldve_ctx_message(ctx), why, LABEL_SIZE);
    kldve_image_free(whole);
    kldve_image_free(square);
    return status == KLDVE_OK;
}

/* Put a tile into the mosaic. */
static bool draw_tile(const dataset *d, const question *q, int32_t tile, const dataset_view *view,
                      kldve_ctx *ctx, kldve_image *canvas, char why[LABEL_SIZE])
{
    kldve_image *image = NULL;
    char text[LABEL_SIZE];
    int32_t at[4];
    kldve_pixels dest;
    kldve_status status;

    tile_place(q, tile, view, at);
    if (!load_square(d->photo[q->photo[tile]].path, view->part, at[2], at[3], ctx, &image, text)) {
        snprintf(why, LABEL_SIZE, "%.120s: %.120s", d->photo[q->photo[tile]].key, text);
        return false;
    }
    dest = kldve_pixels_of(KLDVE_PIXEL_RGB, at[2], at[3],
                           kldve_image_edit(canvas) +
                               3 * ((size_t)at[1] * (size_t)view->width + (size_t)at[0]),
                           3 * (ptrdiff_t)view->width);
    status = kldve_image_read(ctx, image, 0, &dest);
    if (status != KLDVE_OK)
        clean_text(kldve_ctx_message(ctx), why, LABEL_SIZE);
    kldve_image_free(image);
    return status == KLDVE_OK;
}

bool dataset_load_mosaic(const dataset *d, const question *q, kldve_ctx *ctx,
                         const dataset_view *view, dataset_picture *p, char why[LABEL_SIZE])
{
    int32_t at[4];

    if (view->width < 2 || view->height < 2) {
        snprintf(why, LABEL_SIZE, "the network's input is too small for a mosaic");
        return false;
    }
    p->mask = calloc((size_t)view->width * (size_t)view->height, 1);
    if (!p->mask || kldve_image_new(ctx, view->width, view->height, &p->image) != KLDVE_OK) {
        snprintf(why, LABEL_SIZE, "out of memory");
        return false;
    }
    for (int32_t i = 0; i < q->photos; i++)
        if (!draw_tile(d, q, i, view, ctx, p->image, why))
            return false;
    tile_place(q, q->tile, view, at);
    for (int32_t y = at[1]; y < at[1] + at[3]; y++)
        memset(p->mask + (size_t)y * (size_t)view->width + at[0], 1, (size_t)at[2]);
    return true;
}

bool dataset_load_tile(const dataset *d, int32_t number, int32_t tile, kldve_ctx *ctx,
                       const dataset_view *view, kldve_image **out, char why[LABEL_SIZE])
{
    const question *q = &d->question[number];

    return load_square(d->photo[q->photo[tile]].path, view->part, view->width, view->height, ctx,
                       out, why);
}
