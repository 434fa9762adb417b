/* sheet_heads.c - the title, the headings of columns and the heads of rows. */
#include "sheet_parts.h"

#include <math.h>
#include <stdio.h>

/* Draw a run of text if there is room for it; `left` is then the room after it. */
static void run(sheet_pen *pen, sheet_span *left, const char *text, sheet_style s)
{
    if (left->end - left->x > 2 * s.size)
        left->x += sheet_text(pen, text, left->x, left->y, left->end - left->x, &s);
}

/* "tench 43 %"; the class that the row is about is bold. */
static void run_class(sheet_pen *pen, const grid *g, int32_t net, const grid_class *c,
                      sheet_span *left, sheet_style s)
{
    char label[LABEL_SIZE], share[32];

    grid_short_label(g, net, c->index, label);
    sheet_certainty(c, share, sizeof share);
    run(pen, left, label, s);
    s.bold = false;
    s.ink = INK_FAINT;
    left->x += 0.3 * s.size;
    run(pen, left, share, s);
    left->x += s.size;
}

/* "" where a column has none. */
static const char *heading_of(const sheet_layout *l, const grid *g, const sheet_strip *strip,
                              int32_t column)
{
    sheet_slot slot;

    if (!sheet_slot_at(l, strip, strip->first, column, &slot) || slot.is_photo)
        return "";
    if (sheet_has_photo_row(l))
        return g->picture[slot.picture].name;
    return l->kind == SHEET_COLUMNS_METHODS ? g->method[slot.method].title
                                            : g->network[slot.network].name;
}

static sheet_style heading_style(const sheet_layout *l)
{
    sheet_style s = sheet_style_of(l->font, true, INK_STRONG, ALIGN_LEFT);

    s.lines = 2;
    return s;
}

int32_t sheet_heading_lines(sheet_pen *pen, const sheet_layout *l, const grid *g)
{
    sheet_style s = heading_style(l);
    int32_t most = 1;

    for (int32_t block = 0; block < l->blocks; block++)
        for (int32_t c = 0; c < sheet_strip_columns(l); c++) {
            const sheet_strip strip = {.block = block, .count = 1};
            int32_t lines = sheet_text_lines(pen, heading_of(l, g, &strip, c), l->tile_width, &s);

            most = lines > most ? lines : most;
        }
    return most < s.lines ? most : s.lines;
}

void sheet_draw_title(sheet_pen *pen, const sheet_layout *l)
{
    sheet_style s = sheet_style_of(1.5 * l->font, true, INK_STRONG, ALIGN_LEFT);
    double left = sheet_content_left(l);

    if (l->title > 0)
        sheet_text(pen, l->text_title, left, l->margin + sheet_ascent * s.size,
                   l->width - left - l->margin, &s);
}

void sheet_draw_headings(sheet_pen *pen, const sheet_layout *l, const grid *g,
                         const sheet_strip *strip)
{
    sheet_style s = heading_style(l);
    double y = strip->y + l->heading - (sheet_line - sheet_ascent) * l->font - 0.85 * l->font;

    for (int32_t c = 0; c < sheet_strip_columns(l); c++)
        if (*heading_of(l, g, strip, c))
            sheet_text_above(pen, heading_of(l, g, strip, c),
                             sheet_tile_at(l, strip, strip->first, c).x, y, l->tile_width, &s);
}

/* The network and its scores: the first class, then as many rivals as there is room for. */
static void draw_network_head(sheet_pen *pen, const sheet_layout *l, const grid *g,
                              const sheet_slot *slot, sheet_span left)
{
    const grid_prediction *says = grid_prediction_at(g, slot->picture, slot->network);
    const grid_cell *cell = NULL;
    sheet_style plain = sheet_style_of(l->font, false, INK_NORMAL, ALIGN_LEFT), bold = plain,
                faint = plain;

    bold.bold = true;
    bold.ink = INK_STRONG;
    faint.ink = INK_FAINT;
    for (int32_t m = 0; m < g->methods && !(cell && cell->map); m++)
        cell = grid_cell_at(g, slot->picture, slot->network, m, slot->target);
    run(pen, &left, g->network[slot->network].name, bold);
    left.x += 1.2 * l->font;
    if (l->of.says_target && cell->map) {
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

void sheet_draw_row_head(sheet_pen *pen, const sheet_layout *l, const grid *g,
                         const sheet_strip *strip, int32_t row)
{
    sheet_box tile = sheet_tile_at(l, strip, row, 0);
    sheet_slot slot = {.is_photo = false};
    sheet_span left = {tile.x, tile.y - (sheet_line - sheet_ascent) * l->font - 0.35 * l->font,
                       tile.x + sheet_strip_width(l)};
    sheet_style plain = sheet_style_of(l->font, false, INK_NORMAL, ALIGN_LEFT), bold = plain,
                faint = plain;

    sheet_slot_at(l, strip, row, 0, &slot);
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
    if (l->of.says_target) {
        char text[LABEL_SIZE], clean[LABEL_SIZE];

        snprintf(text, sizeof text, "map of %s", g->target[slot.target]);
        clean_text(text, clean, sizeof clean);
        run(pen, &left, clean, faint);
    }
}
