/* sheet_layout.c - where everything goes on a sheet.  Arithmetic only; nothing is drawn.
 *
 *     title
 *               heading   heading   ...
 *     row head                               (which network or method, what it says)
 *     [photo]   [tile]    [tile]    ...
 *     caption   caption   caption   ...
 *     ...
 *     colour bar                    what the bars mean */
#include "grid/grid_flags.h"
#include "sheet_parts.h"

#include <math.h>
#include <string.h>

static const double mm = 72 / 25.4, line = 1.32; /* distance of baselines in sizes of the font */
static const double slide_width = 960, slide_height = 540;
static const double narrowest = 20; /* points: a map that is smaller shows nothing */
enum { MOST_PIXELS = 32000 };       /* cairo's pictures end at 32767 */

/* ---- what goes where ---------------------------------------------------------------------- */

static int32_t kind_of(const grid *g, const sheet_options *o)
{
    bool one_map = g->methods * g->targets == 1;

    if (o->columns != SHEET_COLUMNS_DEFAULT)
        return o->columns;
    if (one_map && g->networks > 1)
        return SHEET_COLUMNS_NETWORKS;
    if (one_map && g->pictures > 1 && g->pictures <= 8)
        return SHEET_COLUMNS_PICTURES;
    return SHEET_COLUMNS_METHODS;
}

static void count(sheet_layout *l, const grid *g)
{
    int32_t maps = g->pictures * g->networks * g->methods * g->targets;

    if (l->kind == SHEET_COLUMNS_METHODS) {
        l->columns = 1 + g->methods;
        l->rows = maps / g->methods;
    } else if (l->kind == SHEET_COLUMNS_NETWORKS) {
        l->columns = 1 + g->networks;
        l->rows = maps / g->networks;
    } else {
        l->columns = g->pictures;
        l->rows = 1 + maps / g->pictures;
    }
}

sheet_slot sheet_slot_at(const sheet_layout *l, const grid *g, int32_t row, int32_t column)
{
    sheet_slot s = {false, 0, 0, 0, 0};

    if (l->kind == SHEET_COLUMNS_PICTURES) {
        s.picture = column;
        s.is_photo = row == 0;
        row = s.is_photo ? 0 : row - 1;
        s.target = row % g->targets;
        s.method = row / g->targets % g->methods;
        s.network = row / g->targets / g->methods;
        return s;
    }
    s.is_photo = column == 0;
    s.target = row % g->targets;
    if (l->kind == SHEET_COLUMNS_METHODS) {
        s.network = row / g->targets % g->networks;
        s.picture = row / g->targets / g->networks;
        s.method = s.is_photo ? 0 : column - 1;
    } else {
        s.method = row / g->targets % g->methods;
        s.picture = row / g->targets / g->methods;
        s.network = s.is_photo ? 0 : column - 1;
    }
    return s;
}

bool sheet_row_begins_group(const sheet_layout *l, const grid *g, int32_t row)
{
    sheet_slot here, before;

    if (row == 0 || l->kind == SHEET_COLUMNS_PICTURES || l->rows == g->pictures)
        return false;
    here = sheet_slot_at(l, g, row, 0);
    before = sheet_slot_at(l, g, row - 1, 0);
    return here.picture != before.picture;
}

/* ---- how large ---------------------------------------------------------------------------- */

static double snap(const sheet_layout *l, double points)
{
    return round(points * l->scale) / l->scale;
}

static double clamp(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

static double tallest(const grid *g)
{
    double aspect = 0;

    for (int32_t p = 0; p < g->pictures; p++)
        for (int32_t n = 0; n < g->networks; n++)
            aspect = fmax(aspect, sheet_seen_aspect(g, p, n));
    return clamp(aspect, 0.2, 3);
}

static void size_tiles(sheet_layout *l, const grid *g, double width)
{
    l->tile_width = snap(l, width);
    l->tile_height = snap(l, l->tile_width * tallest(g));
}

/* From the left of the first tile to the right of the last. */
static double width_of_content(const sheet_layout *l)
{
    return l->columns * l->tile_width + (l->columns - 1) * l->gap +
           (l->kind != SHEET_COLUMNS_PICTURES ? l->photo_gap : 0);
}

static double width_of_tiles(const sheet_layout *l)
{
    double between = l->gap * (l->columns - 1);

    if (l->kind != SHEET_COLUMNS_PICTURES)
        between += l->photo_gap;
    return (l->width - 2 * l->margin - between) / l->columns;
}

/* Everything but the tiles. */
static double height_without_tiles(const sheet_layout *l, const grid *g)
{
    double height = 2 * l->margin + l->title + l->heading + l->footer;

    for (int32_t r = 0; r < l->rows; r++) {
        bool photos = l->kind == SHEET_COLUMNS_PICTURES && r == 0;

        height += photos ? 0 : l->row_head + l->caption;
        height += r > 0 ? l->row_gap : 0;
        height += sheet_row_begins_group(l, g, r) ? l->group_gap : 0;
    }
    return height;
}

static bool has_row_heads(const sheet_layout *l, const grid *g)
{
    return l->kind != SHEET_COLUMNS_NETWORKS || g->methods * g->targets > 1;
}

static void set_font(sheet_layout *l, bool slide)
{
    l->font = slide ? clamp(0.11 * l->tile_width, 7, 14) : clamp(0.11 * l->tile_width, 5.5, 7.5);
}

/* Everything that goes with the size of the text; how high the sheet is then. */
static double stack(sheet_layout *l, const grid *g, bool slide)
{
    double step;

    set_font(l, slide);
    step = line * l->font;
    l->title = l->text_title ? 2.2 * 1.5 * l->font : 0;
    l->heading = step * l->heading_lines + 1.1 * l->font;
    l->row_head = has_row_heads(l, g) ? step + 0.35 * l->font : 0;
    l->caption = step * l->caption_lines + 0.15 * l->font;
    l->row_gap = 0.7 * l->font;
    l->group_gap = 1.1 * l->font;
    l->footer_lines = width_of_content(l) >= 44 * l->font    ? 2
                      : g->has_truth || !has_row_heads(l, g) ? 4
                                                             : 3;
    l->flag_lines = 0;
    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1)
        l->flag_lines += (grid_flags(g) & flag) != 0;
    l->footer = 1.3 * l->font + step * (l->footer_lines + l->flag_lines);
    return height_without_tiles(l, g) + l->rows * l->tile_height;
}

bool sheet_layout_across(sheet_layout *l, const grid *g, const sheet_options *o)
{
    memset(l, 0, sizeof *l);
    l->kind = kind_of(g, o);
    count(l, g);
    l->text_title = o->title;
    l->width = o->slide ? slide_width : (o->width > 0 ? o->width : 170) * mm;
    l->scale = o->slide ? 2 : SHEET_DPI / 72.0;
    l->margin = o->slide ? 24 : 4;
    l->gap = snap(l, clamp(l->width / 80, 5, 12));
    l->photo_gap = snap(l, l->gap / 2);
    l->says_target = g->targets > 1 || strcmp(g->target[0], "top1") != 0;
    l->caption_lines = l->kind == SHEET_COLUMNS_METHODS ? 1 : l->says_target ? 3 : 2;
    if (width_of_tiles(l) < narrowest) {
        complain(
            "%d columns do not fit on the sheet: give fewer, a wider --sheet or other --columns",
            (int)l->columns);
        return false;
    }
    size_tiles(l, g, width_of_tiles(l));
    l->heading_lines = 2;
    if (o->slide) {
        l->height = slide_height;
        while (l->tile_width >= narrowest && stack(l, g, true) > slide_height)
            size_tiles(l, g, l->tile_width - 0.5);
        if (l->tile_width < narrowest) {
            complain("%d rows do not fit on a slide: give fewer, other --columns or --sheet paper",
                     (int)l->rows);
            return false;
        }
    }
    set_font(l, o->slide);
    return true;
}

bool sheet_layout_down(sheet_layout *l, const grid *g, const sheet_options *o)
{
    double height = stack(l, g, o->slide);

    if (o->slide)
        return true;
    l->height = snap(l, height);
    if (l->height * l->scale <= MOST_PIXELS)
        return true;
    complain("the sheet would be %.0f mm high, which is too much: give fewer pictures, networks or "
             "targets",
             l->height / mm);
    return false;
}

sheet_box sheet_tile_at(const sheet_layout *l, const grid *g, int32_t row, int32_t column)
{
    double photo = l->kind != SHEET_COLUMNS_PICTURES && column > 0 ? l->photo_gap : 0;
    double x = fmax((l->width - width_of_content(l)) / 2, l->margin);
    double y = l->margin + l->title + l->heading;

    for (int32_t r = 0; r <= row; r++) {
        bool photos = l->kind == SHEET_COLUMNS_PICTURES && r == 0;

        y += r > 0 ? l->row_gap : 0;
        y += sheet_row_begins_group(l, g, r) ? l->group_gap : 0;
        y += photos ? 0 : l->row_head;
        if (r < row)
            y += l->tile_height + (photos ? 0 : l->caption);
    }
    return (sheet_box){snap(l, x + photo + column * (l->tile_width + l->gap)), snap(l, y),
                       l->tile_width, l->tile_height};
}
