/* sheet_draw.c - a sheet, piece by piece; sheet_layout.c says where. */
#include "sheet_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double line = 1.32;   /* distance of baselines in sizes of the font */
static const double ascent = 0.95; /* from the top of a line to its baseline, in the same unit */
static const double small = 0.88;  /* captions, in sizes of normal text */

static sheet_style style(double size, bool bold, sheet_ink ink, sheet_align align)
{
    return (sheet_style){size, bold, ink, align, 1};
}

/* The room on a line of text: from x to `end`, with the baseline at y. */
typedef struct span {
    double x, y, end;
} span;

/* Draw a run of text if there is room for it; `left` is then the room after it. */
static void run(sheet_pen *pen, span *left, const char *text, sheet_style s)
{
    if (left->end - left->x > 2 * s.size)
        left->x += sheet_text(pen, text, left->x, left->y, left->end - left->x, &s);
}

/* "43 %", or a number itself. */
static void certainty(const grid_class *c, char *out, size_t size)
{
    if (isnan(c->probability))
        snprintf(out, size, "%.4g", (double)c->logit);
    else
        sheet_share(c->probability, out, size);
}

/* "tench 43 %"; the class that the row is about is bold. */
static void run_class(sheet_pen *pen, const grid *g, int32_t net, const grid_class *c, span *left,
                      sheet_style s)
{
    char label[LABEL_SIZE], share[32];

    grid_short_label(g, net, c->index, label);
    certainty(c, share, sizeof share);
    run(pen, left, label, s);
    s.bold = false;
    s.ink = INK_FAINT;
    left->x += 0.3 * s.size;
    run(pen, left, share, s);
    left->x += s.size;
}

/* ---- pictures ----------------------------------------------------------------------------- */

static bool paint(cairo_t *cairo, const kldve_image *image, sheet_box box)
{
    int32_t width = kldve_image_width(image), height = kldve_image_height(image);
    const uint8_t *rgb = kldve_image_pixels(image);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    unsigned char *data = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    bool ok = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;

    for (int32_t y = 0; ok && y < height; y++)
        for (int32_t x = 0; x < width; x++, rgb += 3) {
            uint32_t pixel = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];

            memcpy(data + (ptrdiff_t)y * stride + 4 * x, &pixel, sizeof pixel);
        }
    if (ok) {
        cairo_surface_mark_dirty(surface);
        cairo_save(cairo);
        cairo_translate(cairo, box.x, box.y);
        cairo_scale(cairo, box.width / width, box.height / height);
        cairo_set_source_surface(cairo, surface, 0, 0);
        /* So that no edge fades.  In SVG and PDF none does, and cairo 1.18 would draw the picture
         * in strips, with seams. */
        if (cairo_surface_get_type(cairo_get_target(cairo)) == CAIRO_SURFACE_TYPE_IMAGE)
            cairo_pattern_set_extend(cairo_get_source(cairo), CAIRO_EXTEND_PAD);
        cairo_rectangle(cairo, 0, 0, width, height);
        cairo_fill(cairo);
        cairo_restore(cairo);
    }
    cairo_surface_destroy(surface);
    return ok;
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

static void draw_nothing(sheet_pen *pen, const sheet_layout *l, sheet_box tile)
{
    sheet_style s = style(small * l->font, false, INK_FAINT, ALIGN_CENTRE);

    cairo_set_source_rgb(pen->cairo, 0.95, 0.95, 0.95);
    cairo_rectangle(pen->cairo, tile.x, tile.y, tile.width, tile.height);
    cairo_fill(pen->cairo);
    sheet_text(pen, "not for this network", tile.x + 1, tile.y + (tile.height + s.size) / 2,
               tile.width - 2, &s);
}

static bool draw_tile(sheet_pen *pen, const sheet_layout *l, const grid *g, const sheet_options *o,
                      const sheet_slot *slot, sheet_box tile)
{
    const char *why;
    kldve_image *image = sheet_tile(g, o, slot, (int32_t)lround(tile.width * l->scale),
                                    (int32_t)lround(tile.height * l->scale), &why);
    bool ok;

    if (!image && why) {
        draw_nothing(pen, l, tile);
        return true;
    }
    ok = image && paint(pen->cairo, image, fit(image, tile, l->scale));
    if (image && !ok)
        complain("out of memory");
    kldve_image_free(image);
    return ok;
}

/* ---- captions ----------------------------------------------------------------------------- */

/* A bar that is filled to a share, centred on the small letters of a line of text at y. */
static void draw_bar(cairo_t *cairo, double x, double y, double width, double size, double share)
{
    double height = 0.3 * size, top = y - 0.27 * size - height / 2;

    sheet_ink_set(cairo, INK_RULE);
    cairo_rectangle(cairo, x, top, width, height);
    cairo_fill(cairo);
    cairo_set_source_rgb(cairo, 0.13, 0.4, 0.6);
    cairo_rectangle(cairo, x, top, width * share, height);
    cairo_fill(cairo);
}

/* The first metric of the table: a caption has room for one figure.  Only a share fills a bar. */
static void draw_metric(sheet_pen *pen, const grid_cell *cell, sheet_box tile, double y,
                        double size)
{
    sheet_style s = style(size, false, INK_NORMAL, ALIGN_RIGHT);
    bool is_share = kldve_metric_at(NULL, 0)->is_share;
    double value = cell->metric[0], room = 3.4 * size; /* of "100 %" and the gap before it */
    char text[32];

    if (isnan(value)) {
        s.ink = INK_FAINT;
        sheet_text(pen, "flat", tile.x, y, tile.width, &s);
        return;
    }
    if (is_share)
        sheet_share(value, text, sizeof text);
    else
        snprintf(text, sizeof text, "%.3g", value);
    sheet_text(pen, text, tile.x, y, tile.width, &s);
    if (is_share && tile.width > 1.5 * room)
        draw_bar(pen->cairo, tile.x, y, tile.width - room, size, value);
}

/* Label at the left, share at the right. */
static void draw_class(sheet_pen *pen, const grid *g, int32_t net, const grid_class *c,
                       const char *before, span at, double size)
{
    sheet_style s = style(size, false, INK_FAINT, ALIGN_RIGHT);
    char label[LABEL_SIZE], text[LABEL_SIZE + 16];
    double width = at.end - at.x, used;

    certainty(c, text, sizeof text);
    used = sheet_text_width(pen, text, &s);
    sheet_text(pen, text, at.x, at.y, width, &s);
    grid_short_label(g, net, c->index, label);
    snprintf(text, sizeof text, "%s%s", before, label);
    s = style(size, false, *before ? INK_NORMAL : INK_STRONG, ALIGN_LEFT);
    sheet_text(pen, text, at.x, at.y, width - used - 0.4 * size, &s);
}

/* Once for the rows of a picture; where pictures are columns the heading does. */
static bool names_picture(const sheet_layout *l, const grid *g, int32_t row)
{
    return l->kind != SHEET_COLUMNS_PICTURES &&
           (row == 0 || l->rows == g->pictures || sheet_row_begins_group(l, g, row));
}

static void draw_caption(sheet_pen *pen, const sheet_layout *l, const grid *g, int32_t row,
                         const sheet_slot *slot, sheet_box tile)
{
    const grid_cell *cell =
        grid_cell_at(g, slot->picture, slot->network, slot->method, slot->target);
    const grid_prediction *says = grid_prediction_at(g, slot->picture, slot->network);
    double size = small * l->font, y = tile.y + tile.height + 0.25 * size + ascent * size;
    double end = tile.x + tile.width;
    sheet_style s = style(size, false, INK_FAINT, ALIGN_LEFT);

    if (slot->is_photo) {
        if (names_picture(l, g, row))
            sheet_text(pen, g->picture[slot->picture].name, tile.x, y, tile.width, &s);
        return;
    }
    if (!cell->map)
        return;
    if (l->kind != SHEET_COLUMNS_METHODS) {
        draw_class(pen, g, slot->network, &says->top[0], "", (span){tile.x, y, end}, size);
        y += line * l->font;
        if (l->says_target) {
            draw_class(pen, g, slot->network, &cell->explained, "map of ", (span){tile.x, y, end},
                       size);
            y += line * l->font;
        }
    }
    draw_metric(pen, cell, tile, y, size);
}

/* ---- heads -------------------------------------------------------------------------------- */

/* "" where a column has none. */
static const char *heading_of(const sheet_layout *l, const grid *g, int32_t column)
{
    sheet_slot slot = sheet_slot_at(l, g, l->kind == SHEET_COLUMNS_PICTURES, column);

    if (l->kind == SHEET_COLUMNS_PICTURES)
        return g->picture[column].name;
    if (slot.is_photo)
        return "";
    return l->kind == SHEET_COLUMNS_METHODS ? g->method[slot.method].title
                                            : g->network[slot.network].name;
}

static sheet_style heading_style(const sheet_layout *l)
{
    sheet_style s = style(l->font, true, INK_STRONG, ALIGN_LEFT);

    s.lines = 2;
    return s;
}

int32_t sheet_heading_lines(sheet_pen *pen, const sheet_layout *l, const grid *g)
{
    sheet_style s = heading_style(l);
    int32_t most = 1;

    for (int32_t c = 0; c < l->columns; c++) {
        int32_t lines = sheet_text_lines(pen, heading_of(l, g, c), l->tile_width, &s);

        most = lines > most ? lines : most;
    }
    return most < s.lines ? most : s.lines;
}

static void draw_headings(sheet_pen *pen, const sheet_layout *l, const grid *g)
{
    sheet_style s = heading_style(l), title = style(1.5 * l->font, true, INK_STRONG, ALIGN_LEFT);
    double y = l->margin + l->title + l->heading - (line - ascent) * l->font - 0.85 * l->font;
    double left = sheet_tile_at(l, g, 0, 0).x;

    if (l->title > 0)
        sheet_text(pen, l->text_title, left, l->margin + ascent * title.size,
                   l->width - left - l->margin, &title);
    for (int32_t c = 0; c < l->columns; c++)
        if (*heading_of(l, g, c))
            sheet_text_above(pen, heading_of(l, g, c), sheet_tile_at(l, g, 0, c).x, y,
                             l->tile_width, &s);
}

/* The network and its scores: the first class, then as many rivals as there is room for. */
static void draw_network_head(sheet_pen *pen, const sheet_layout *l, const grid *g,
                              const sheet_slot *slot, span left)
{
    const grid_prediction *says = grid_prediction_at(g, slot->picture, slot->network);
    const grid_cell *cell = NULL;
    sheet_style plain = style(l->font, false, INK_NORMAL, ALIGN_LEFT), bold = plain, faint = plain;

    bold.bold = true;
    bold.ink = INK_STRONG;
    faint.ink = INK_FAINT;
    for (int32_t m = 0; m < g->methods && !(cell && cell->map); m++)
        cell = grid_cell_at(g, slot->picture, slot->network, m, slot->target);
    run(pen, &left, g->network[slot->network].name, bold);
    left.x += 1.2 * l->font;
    if (l->says_target && cell->map) {
        run(pen, &left, "map of", faint);
        left.x += 0.4 * l->font;
        run_class(pen, g, slot->network, &cell->explained, &left, bold);
        run(pen, &left, "predicts", faint);
        left.x += 0.4 * l->font;
    }
    for (int32_t i = 0; i < says->tops; i++)
        if (i == 0 || left.end - left.x > 10 * l->font)
            run_class(pen, g, slot->network, &says->top[i], &left, plain);
    if (scores_are_independent(&g->network[slot->network].net.shape))
        run(pen, &left, "each by itself", faint);
}

static void draw_row_head(sheet_pen *pen, const sheet_layout *l, const grid *g, int32_t row)
{
    sheet_slot slot = sheet_slot_at(l, g, row, l->kind == SHEET_COLUMNS_NETWORKS);
    sheet_box tile = sheet_tile_at(l, g, row, 0);
    span left = {tile.x, tile.y - (line - ascent) * l->font - 0.35 * l->font, l->width - tile.x};
    sheet_style plain = style(l->font, false, INK_NORMAL, ALIGN_LEFT), bold = plain, faint = plain;

    bold.bold = true;
    bold.ink = INK_STRONG;
    faint.ink = INK_FAINT;
    if (l->kind == SHEET_COLUMNS_METHODS) {
        draw_network_head(pen, l, g, &slot, left);
        return;
    }
    if (l->kind == SHEET_COLUMNS_PICTURES) {
        run(pen, &left, g->network[slot.network].name, bold);
        left.x += 1.2 * l->font;
    }
    run(pen, &left, g->method[slot.method].title, l->kind == SHEET_COLUMNS_PICTURES ? plain : bold);
    left.x += 1.2 * l->font;
    if (l->says_target) {
        char text[LABEL_SIZE], clean[LABEL_SIZE];

        snprintf(text, sizeof text, "map of %s", g->target[slot.target]);
        clean_text(text, clean, sizeof clean);
        run(pen, &left, clean, faint);
    }
}

/* Across the sheet, at y. */
static void draw_rule(sheet_pen *pen, const sheet_layout *l, const grid *g, double y)
{
    sheet_box tile = sheet_tile_at(l, g, 0, 0);

    sheet_ink_set(pen->cairo, INK_RULE);
    cairo_set_line_width(pen->cairo, 0.5);
    cairo_move_to(pen->cairo, tile.x, y);
    cairo_line_to(pen->cairo, l->width - tile.x, y);
    cairo_stroke(pen->cairo);
}

/* ---- the foot ----------------------------------------------------------------------------- */

static bool any_map(const grid *g, bool is_signed)
{
    size_t maps =
        (size_t)g->pictures * (size_t)g->networks * (size_t)g->methods * (size_t)g->targets;

    for (size_t i = 0; i < maps; i++)
        if (g->cell[i].map && g->cell[i].is_signed == is_signed)
            return true;
    return false;
}

static void draw_gradient(cairo_t *cairo, int32_t colormap, sheet_box box)
{
    enum { STOPS = 64 };
    cairo_pattern_t *gradient = cairo_pattern_create_linear(box.x, 0, box.x + box.width, 0);

    for (int i = 0; i <= STOPS; i++) {
        uint8_t rgb[3];

        kldve_colormap_rgb(colormap, (float)i / STOPS, rgb);
        cairo_pattern_add_color_stop_rgb(gradient, (double)i / STOPS, rgb[0] / 255.0,
                                         rgb[1] / 255.0, rgb[2] / 255.0);
    }
    cairo_set_source(cairo, gradient);
    cairo_pattern_destroy(gradient);
    cairo_rectangle(cairo, box.x, box.y, box.width, box.height);
    cairo_fill(cairo);
}

/* A colour bar with three ticks below; returns where it ends. */
static double draw_colour_bar(sheet_pen *pen, const sheet_layout *l, int32_t colormap, double x,
                              double y, const char *const tick[3])
{
    static const sheet_align align[3] = {ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT};
    sheet_box bar = {x, y, 14 * l->font, 0.75 * l->font};

    draw_gradient(pen->cairo, colormap, bar);
    for (int i = 0; i < 3; i++) {
        sheet_style s = style(small * l->font, false, INK_FAINT, align[i]);

        sheet_text(pen, tick[i], bar.x, y + bar.height + 1.15 * l->font, bar.width, &s);
    }
    return x + bar.width;
}

/* What holds for all maps and is not said anywhere else. */
static void draw_remark(sheet_pen *pen, const sheet_layout *l, const grid *g, double x, double y,
                        double width)
{
    const char *title =
        l->kind == SHEET_COLUMNS_NETWORKS && l->row_head == 0 ? g->method[0].title : "";
    const char *slash = g->has_truth ? strrchr(g->truth.net.name, '/') : NULL;
    sheet_style s =
        style(small * l->font, false, INK_NORMAL, l->footer_lines > 2 ? ALIGN_LEFT : ALIGN_RIGHT);
    char text[2 * LABEL_SIZE], clean[2 * LABEL_SIZE];

    snprintf(text, sizeof text, "%s%s%s", title, g->has_truth ? "  truth: " : "",
             slash          ? slash + 1
             : g->has_truth ? g->truth.net.name
                            : "");
    clean_text(text, clean, sizeof clean);
    if (*clean)
        sheet_text(pen, clean, x, y, width, &s);
}

/* What the figures below the maps are, at the right of the colour bar or below it. */
static void draw_meaning(sheet_pen *pen, const sheet_layout *l, const grid *g, double x, double y)
{
    const kldve_metric *metric = kldve_metric_at(NULL, 0);
    sheet_style s = style(small * l->font, false, INK_FAINT, ALIGN_LEFT);
    double sample = metric->is_share ? 3 * s.size : 0,
           room = sample > 0 ? sample + 0.6 * s.size : 0;
    double end = l->width - x, width = sheet_text_width(pen, metric->summary, &s);
    double left = l->footer_lines > 2 ? x : fmax(end - width - room, x);

    if (sample > 0)
        draw_bar(pen->cairo, left, y, sample, s.size, 0.3);
    sheet_text(pen, metric->summary, left + room, y, end - left - room, &s);
    draw_remark(pen, l, g, x, y + line * l->font, end - x);
}

static void draw_foot(sheet_pen *pen, const sheet_layout *l, const grid *g, const sheet_options *o)
{
    static const char *const plain[3] = {"0", "map value", "1"};
    static const char *const with_sign[3] = {"\xe2\x88\x92", "0", "+"};
    double left = sheet_tile_at(l, g, 0, 0).x, x = left, y = l->height - l->margin - l->footer;

    y += 1.1 * l->font;
    if (any_map(g, false))
        x = draw_colour_bar(pen, l, o->colormap, x, y, plain) + 2 * l->font;
    if (any_map(g, true))
        draw_colour_bar(pen, l, KLDVE_COLORMAP_DIVERGING, x, y, with_sign);
    y += 0.65 * l->font;
    draw_meaning(pen, l, g, left, y + (l->footer_lines > 2 ? 2.5 * l->font : 0));
}

/* ---- the whole ---------------------------------------------------------------------------- */

bool sheet_draw(sheet_pen *pen, const sheet_layout *l, const grid *g, const sheet_options *o)
{
    cairo_set_source_rgb(pen->cairo, 1, 1, 1);
    cairo_paint(pen->cairo);
    draw_headings(pen, l, g);
    draw_rule(pen, l, g, l->margin + l->title + l->heading - 0.55 * l->font);
    for (int32_t r = 0; r < l->rows; r++) {
        if (sheet_row_begins_group(l, g, r))
            draw_rule(pen, l, g,
                      sheet_tile_at(l, g, r, 0).y - l->row_head - (l->row_gap + l->group_gap) / 2);
        if (l->row_head > 0 && !(l->kind == SHEET_COLUMNS_PICTURES && r == 0))
            draw_row_head(pen, l, g, r);
        for (int32_t c = 0; c < l->columns; c++) {
            sheet_slot slot = sheet_slot_at(l, g, r, c);
            sheet_box tile = sheet_tile_at(l, g, r, c);

            if (!draw_tile(pen, l, g, o, &slot, tile))
                return false;
            draw_caption(pen, l, g, r, &slot, tile);
        }
    }
    draw_foot(pen, l, g, o);
    return true;
}
