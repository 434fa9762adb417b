/* sheet_tile.c - one picture of a sheet: what the network saw, with or without the heat, at the
 * size in which it is drawn. */
#include "sheet_parts.h"

#include <math.h>

enum { LARGEST = 65535 };

/* The record of any map of this picture and network: they all lie in the same place. */
static const kldve_record *record_of(const grid *g, int32_t picture, int32_t net)
{
    for (int32_t m = 0; m < g->methods; m++) {
        const grid_cell *cell = grid_cell_at(g, picture, net, m, 0);

        if (cell->map)
            return &cell->record;
    }
    return NULL;
}

/* Without padding; all of the picture where nothing is known. */
static sheet_box seen_of(const grid *g, int32_t picture, int32_t net)
{
    const kldve_record *r = record_of(g, picture, net);

    double x, y, right, bottom;

    if (!r)
        return (sheet_box){0, 0, 1, 1};
    x = fmax((double)r->seen_x, 0);
    y = fmax((double)r->seen_y, 0);
    right = fmin((double)r->seen_x + (double)r->seen_width, 1);
    bottom = fmin((double)r->seen_y + (double)r->seen_height, 1);
    return (sheet_box){x, y, right - x, bottom - y};
}

/* Height of the seen part of a picture for a width of 1. */
static double seen_aspect(const grid *g, int32_t picture, int32_t net)
{
    const grid_picture *p = &g->picture[picture];
    sheet_box seen = seen_of(g, picture, net);

    return seen.height * p->height / (seen.width * p->width);
}

double sheet_tallest(const grid *g)
{
    double aspect = 0;

    for (int32_t p = 0; p < g->pictures; p++)
        for (int32_t n = 0; n < g->networks; n++)
            aspect = fmax(aspect, seen_aspect(g, p, n));
    return fmin(fmax(aspect, 0.2), 3);
}

static int32_t side(double pixels)
{
    return (int32_t)fmin(fmax(round(pixels), 1), LARGEST);
}

/* The whole picture, so large that the seen part just fits. */
static kldve_status scale(kldve_ctx *ctx, const kldve_image *image, sheet_box seen, int32_t width,
                          int32_t height, kldve_image **out)
{
    double w = kldve_image_width(image), h = kldve_image_height(image);
    double factor = fmin(width / (seen.width * w), height / (seen.height * h));

    return kldve_image_resize(ctx, image, side(w * factor), side(h * factor), out);
}

/* The pixels that lie in the seen part as a whole, at least one. */
static kldve_status cut(kldve_ctx *ctx, const kldve_image *image, sheet_box seen, kldve_image **out)
{
    const double slack = 0.01; /* parts are float32 */
    int32_t w = kldve_image_width(image), h = kldve_image_height(image);
    int32_t x = (int32_t)fmin(ceil(seen.x * w - slack), w - 1);
    int32_t y = (int32_t)fmin(ceil(seen.y * h - slack), h - 1);
    int32_t right = (int32_t)fmin(floor((seen.x + seen.width) * w + slack), w);
    int32_t bottom = (int32_t)fmin(floor((seen.y + seen.height) * h + slack), h);

    return kldve_image_crop(ctx, image, x, y, right > x ? right - x : 1,
                            bottom > y ? bottom - y : 1, out);
}

static kldve_status heat(const grid *g, const grid_cell *cell, const sheet_options *options,
                         kldve_image **image)
{
    const grid_picture *picture = &g->picture[cell->picture];
    kldve_render_options o;
    kldve_image *drawn = NULL;
    kldve_status status;

    drawing_render_options(&options->draw, &o);
    if (cell->is_signed)
        o.colormap = KLDVE_COLORMAP_DIVERGING;
    o.side = -1; /* the tile has its size */
    status = kldve_heatmap_render(g->ctx, cell->map, *image, &o, &drawn);
    if (status == KLDVE_OK) {
        pick_draw(&g->pick, &g->mask, picture->width, picture->height, drawn);
        kldve_image_free(*image);
        *image = drawn;
    }
    return status;
}

const grid_picture *sheet_whole_photo(const grid *g, const sheet_slot *slot, int32_t width,
                                      int32_t height)
{
    const double slack = 0.001;
    const grid_picture *p = &g->picture[slot->picture];
    sheet_box seen = seen_of(g, slot->picture, slot->network);
    bool whole =
        seen.x < slack && seen.y < slack && seen.width > 1 - slack && seen.height > 1 - slack;

    return slot->is_photo && whole && !p->shrunk && kldve_image_orientation(p->image) == 1 &&
                   p->width <= width && p->height <= height
               ? p
               : NULL;
}

kldve_image *sheet_tile(const grid *g, const sheet_options *options, const sheet_slot *slot,
                        int32_t width, int32_t height, const char **why)
{
    const grid_picture *picture = &g->picture[slot->picture];
    const grid_cell *cell =
        grid_cell_at(g, slot->picture, slot->network, slot->method, slot->target);
    sheet_box seen = seen_of(g, slot->picture, slot->network);
    kldve_image *whole = NULL, *tile = NULL;
    kldve_status status;

    *why = NULL;
    if (!slot->is_photo && !cell->map) {
        *why = cell->why;
        return NULL;
    }
    status = scale(g->ctx, picture->image, seen, width, height, &whole);
    if (status == KLDVE_OK && !slot->is_photo)
        status = heat(g, cell, options, &whole);
    if (status == KLDVE_OK)
        status = cut(g->ctx, whole, seen, &tile);
    kldve_image_free(whole);
    if (status != KLDVE_OK)
        complain_ctx(g->ctx, picture->path, status);
    return tile;
}
