/* sheet_draw.c - a sheet, piece by piece; sheet_layout.c says where. */
#include "sheet_parts.h"
#include "cli/getters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- pictures ----------------------------------------------------------------------------- */

/* The pixels of a picture; NULL: out of memory. */
static cairo_surface_t *surface_of(const kldve_image *image)
{
    int32_t width = kldve_image_width(image), height = kldve_image_height(image);
    const uint8_t *rgb = kldve_image_pixels(image);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    unsigned char *data = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);

    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        return NULL;
    }
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++, rgb += 3) {
            uint32_t pixel = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];

            memcpy(data + (ptrdiff_t)y * stride + 4 * x, &pixel, sizeof pixel);
        }
    cairo_surface_mark_dirty(surface);
    return surface;
}

static void paint(cairo_t *cairo, cairo_surface_t *surface, sheet_box box)
{
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);

    cairo_save(cairo);
    cairo_translate(cairo, box.x, box.y);
    cairo_scale(cairo, box.width / width, box.height / height);
    cairo_set_source_surface(cairo, surface, 0, 0);
    /* So that no edge fades.  In SVG and PDF none does, and cairo 1.18 would draw the picture in
     * strips, with seams. */
    if (cairo_surface_get_type(cairo_get_target(cairo)) == CAIRO_SURFACE_TYPE_IMAGE)
        cairo_pattern_set_extend(cairo_get_source(cairo), CAIRO_EXTEND_PAD);
    cairo_rectangle(cairo, 0, 0, width, height);
    cairo_fill(cairo);
    cairo_restore(cairo);
}

/* A PDF gets the picture as JPEG: its own file where `photo` says which, or encoded now. */
static bool attach(cairo_t *cairo, cairo_surface_t *surface, const grid *g, const sheet_options *o,
                   const kldve_image *image, const grid_picture *photo)
{
    int32_t quality = o->quality < 0 ? SHEET_QUALITY : o->quality;

    if (cairo_surface_get_type(cairo_get_target(cairo)) != CAIRO_SURFACE_TYPE_PDF || quality == 0)
        return true;
    return (photo && sheet_attach_own(surface, photo->path)) ||
           sheet_attach_jpeg(g->ctx, surface, image, quality);
}

/* In the middle of the tile; what misses it by a pixel or two of rounding fills it. */
static sheet_box fit(const kldve_image *image, sheet_box tile, double scale)
{
    double width = kldve_image_width(image) / scale, height = kldve_image_height(image) / scale;

    if (tile.width - width < 3 / scale)
        width = tile.width;
    if (tile.height - height < 3 / scale)
        height = tile.height;
    return (sheet_box){tile.x + round((tile.width - width) / 2 * scale) / scale,
                       tile.y + round((tile.height - height) / 2 * scale) / scale, width, height};
}

/* Why there is no map, in the few words that fit. */
static void draw_nothing(sheet_pen *pen, const sheet_layout *l, const grid_cell *cell,
                         sheet_box tile)
{
    sheet_style s = sheet_style_of(sheet_small * l->font, false, INK_FAINT, ALIGN_CENTRE);
    const char *why =
        cell->record.flags & KLDVE_RESULT_NON_FINITE ? "numbers are not finite" : "no map";

    cairo_set_source_rgb(pen->cairo, 0.95, 0.95, 0.95);
    cairo_rectangle(pen->cairo, tile.x, tile.y, tile.width, tile.height);
    cairo_fill(pen->cairo);
    sheet_text(pen, why, tile.x + 1, tile.y + (tile.height + s.size) / 2, tile.width - 2, &s);
}

static bool draw_tile(sheet_pen *pen, const sheet_layout *l, const grid *g, const sheet_options *o,
                      const sheet_slot *slot, sheet_box tile)
{
    int32_t width = (int32_t)lround(tile.width * l->scale);
    int32_t height = (int32_t)lround(tile.height * l->scale);
    const grid_picture *photo = sheet_whole_photo(g, slot, width, height);
    const char *why;
    kldve_image *image = sheet_tile(g, o, slot, width, height, &why);
    cairo_surface_t *surface;
    bool ok;

    if (!image && why) {
        draw_nothing(pen, l,
                     grid_cell_at(g, slot->picture, slot->network, slot->method, slot->target),
                     tile);
        return true;
    }
    if (!image)
        return false;
    surface = surface_of(photo ? photo->image : image);
    ok = surface && attach(pen->cairo, surface, g, o, image, photo);
    if (ok)
        paint(pen->cairo, surface, fit(image, tile, l->scale));
    else
        complain("out of memory");
    cairo_surface_destroy(surface);
    kldve_image_free(image);
    return ok;
}

/* ---- captions ----------------------------------------------------------------------------- */

/* The first metric of the table: a caption has room for one figure.  Only a share fills a bar. */
static void draw_metric(sheet_pen *pen, const grid *g, const grid_cell *cell, sheet_box tile,
                        double y, double size)
{
    sheet_style s = sheet_style_of(size, false, INK_NORMAL, ALIGN_RIGHT);
    bool is_share = map_metric(0)->is_share;
    double value = cell->metric[0], room = 3.4 * size; /* of "100 %" and the gap before it */
    char figure[32], marks[SHEET_MARKS], text[sizeof figure + SHEET_MARKS];

    if (isnan(value))
        s.ink = INK_FAINT;
    if (isnan(value))
        snprintf(figure, sizeof figure, "flat");
    else if (is_share)
        sheet_share(value, figure, sizeof figure);
    else
        snprintf(figure, sizeof figure, "%.3g", value);
    snprintf(text, sizeof text, "%s%s", figure, sheet_marks(g, cell->record.flags, marks));
    sheet_text(pen, text, tile.x, y, tile.width, &s);
    if (isnan(value))
        return;
    room = fmax(room, sheet_text_width(pen, text, &s) + 0.4 * size);
    if (is_share && tile.width > 1.5 * room)
        sheet_draw_bar(pen->cairo, tile.x, y, tile.width - room, size, value);
}

/* Label at the left, share at the right. */
static void draw_class(sheet_pen *pen, const grid *g, int32_t net, const grid_class *c,
                       const char *before, sheet_span at, double size)
{
    sheet_style s = sheet_style_of(size, false, INK_FAINT, ALIGN_RIGHT);
    char label[LABEL_SIZE], text[LABEL_SIZE + 16];
    double width = at.end - at.x, used;

    sheet_certainty(c, text, sizeof text);
    used = sheet_text_width(pen, text, &s);
    sheet_text(pen, text, at.x, at.y, width, &s);
    grid_short_label(g, net, c->index, label);
    snprintf(text, sizeof text, "%s%s", before, label);
    s = sheet_style_of(size, false, *before ? INK_NORMAL : INK_STRONG, ALIGN_LEFT);
    sheet_text(pen, text, at.x, at.y, width - used - 0.4 * size, &s);
}

/* Once for the rows of a picture; where pictures are columns the heading does. */
static bool names_picture(const sheet_layout *l, const sheet_strip *strip, int32_t row)
{
    return !sheet_has_photo_row(l) &&
           (row == strip->first || l->rows == l->of.pictures || sheet_row_begins_group(l, row));
}

static void draw_caption(sheet_pen *pen, const sheet_layout *l, const grid *g,
                         const sheet_slot *slot, bool named, sheet_box tile)
{
    const grid_cell *cell =
        grid_cell_at(g, slot->picture, slot->network, slot->method, slot->target);
    const grid_prediction *says = grid_prediction_at(g, slot->picture, slot->network);
    double size = sheet_small * l->font,
           y = tile.y + tile.height + 0.25 * size + sheet_ascent * size;
    double end = tile.x + tile.width;
    sheet_style s = sheet_style_of(size, false, INK_FAINT, ALIGN_LEFT);

    if (slot->is_photo) {
        if (named)
            sheet_text(pen, g->picture[slot->picture].name, tile.x, y, tile.width, &s);
        return;
    }
    if (!cell->map)
        return;
    if (l->kind != SHEET_COLUMNS_METHODS) {
        draw_class(pen, g, slot->network, &says->top[0], "", (sheet_span){tile.x, y, end}, size);
        y += sheet_line * l->font;
        if (l->of.says_target) {
            draw_class(pen, g, slot->network, &cell->explained, "map of ",
                       (sheet_span){tile.x, y, end}, size);
            y += sheet_line * l->font;
        }
    }
    draw_metric(pen, g, cell, tile, y, size);
}

/* Across the columns, at y. */
static void draw_rule(sheet_pen *pen, const sheet_layout *l, double x, double y)
{
    sheet_ink_set(pen->cairo, INK_RULE);
    cairo_set_line_width(pen->cairo, 0.5);
    cairo_move_to(pen->cairo, x, y);
    cairo_line_to(pen->cairo, x + sheet_strip_width(l), y);
    cairo_stroke(pen->cairo);
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* The pictures of a row, -1 for that of the photographs. */
static bool draw_row(sheet_pen *pen, const sheet_layout *l, const grid *g, const sheet_options *o,
                     const sheet_strip *strip, int32_t row)
{
    for (int32_t c = 0; c < sheet_strip_columns(l); c++) {
        sheet_box tile = sheet_tile_at(l, strip, row, c);
        sheet_slot slot;

        if (!sheet_slot_at(l, strip, row, c, &slot))
            break;
        if (!draw_tile(pen, l, g, o, &slot, tile))
            return false;
        draw_caption(pen, l, g, &slot, names_picture(l, strip, row), tile);
    }
    return true;
}

static bool draw_strip(sheet_pen *pen, const sheet_layout *l, const grid *g, const sheet_options *o,
                       const sheet_strip *strip)
{
    double left = sheet_tile_at(l, strip, strip->first, 0).x;

    sheet_draw_headings(pen, l, g, strip);
    draw_rule(pen, l, left, strip->y + l->heading - 0.55 * l->font);
    if (sheet_has_photo_row(l) && !draw_row(pen, l, g, o, strip, -1))
        return false;
    for (int32_t r = strip->first; r < strip->first + strip->count; r++) {
        if (r > strip->first && sheet_row_begins_group(l, r))
            draw_rule(pen, l, left,
                      sheet_tile_at(l, strip, r, 0).y - l->row_head -
                          (l->row_gap + l->group_gap) / 2);
        if (l->row_head > 0)
            sheet_draw_row_head(pen, l, g, strip, r);
        if (!draw_row(pen, l, g, o, strip, r))
            return false;
    }
    return true;
}

bool sheet_draw_page(sheet_pen *pen, const sheet_layout *l, const grid *g, const sheet_options *o,
                     int32_t page)
{
    cairo_set_source_rgb(pen->cairo, 1, 1, 1);
    cairo_paint(pen->cairo);
    sheet_draw_title(pen, l);
    for (int32_t i = 0; i < l->strips; i++)
        if (l->strip[i].page == page && !draw_strip(pen, l, g, o, &l->strip[i]))
            return false;
    sheet_draw_foot(pen, l, g, o, page);
    return true;
}
