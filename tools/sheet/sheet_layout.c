/* sheet_layout.c - how large everything on a sheet is.  Arithmetic only; nothing is drawn.
 *
 *     title
 *               heading   heading   ...
 *     row head                               (which network or method, what it says)
 *     [photo]   [tile]    [tile]    ...
 *     caption   caption   caption   ...
 *     ...
 *     further blocks: the same rows of other columns
 *     colour bar                    what the bars mean
 *
 * Columns stand beside each other as long as a map is wide enough to see something; more of them
 * make further blocks.  On a slide as many blocks and, in a PDF, so many pages are taken that the
 * maps become as large as possible.  sheet_flow.c distributes rows and blocks over pages. */
#include "sheet_parts.h"

#include <math.h>
#include <string.h>

static const double mm = 72 / 25.4, line = 1.32; /* distance of baselines in sizes of the font */
static const double slide_width = 960, slide_height = 540;
static const double narrowest = 20;    /* points: a map that is smaller shows nothing */
static const double roomy = 36;        /* wide enough for a heading; narrower columns are wrapped */
static const double roomy_slide = 110; /* what the back row sees; smaller maps take more pages */
static const double roomy_lane = 62;   /* of strips beside each other */
static const double page_height = 257; /* mm: A4 without margins of 20 mm */
enum { MOST_PIXELS = 32000, /* cairo's pictures end at 32767 */ MOST_LANES = 8 };

static int32_t ceil_div(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

static double clamp(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

static double snap(const sheet_layout *l, double points)
{
    return round(points * l->scale) / l->scale;
}

/* ---- what goes where ---------------------------------------------------------------------- */

static int32_t kind_of(const sheet_extent *of, const sheet_options *o)
{
    bool one_map = of->methods * of->targets == 1;

    if (o->columns != SHEET_COLUMNS_DEFAULT)
        return o->columns;
    if (one_map && of->networks > 1)
        return SHEET_COLUMNS_NETWORKS;
    return one_map && of->pictures > 1 ? SHEET_COLUMNS_PICTURES : SHEET_COLUMNS_METHODS;
}

static void count(sheet_layout *l)
{
    const sheet_extent *of = &l->of;

    l->columns = l->kind == SHEET_COLUMNS_METHODS    ? of->methods
                 : l->kind == SHEET_COLUMNS_NETWORKS ? of->networks
                                                     : of->pictures;
    l->rows = of->pictures * of->networks * of->methods * of->targets / l->columns;
}

/* ---- how large ---------------------------------------------------------------------------- */

int32_t sheet_strip_columns(const sheet_layout *l)
{
    return l->across + !sheet_has_photo_row(l);
}

static double between_tiles(const sheet_layout *l)
{
    return l->gap * (sheet_strip_columns(l) - 1) + (sheet_has_photo_row(l) ? 0 : l->photo_gap);
}

double sheet_strip_width(const sheet_layout *l)
{
    return sheet_strip_columns(l) * l->tile_width + between_tiles(l);
}

double sheet_content_width(const sheet_layout *l)
{
    return l->lanes * sheet_strip_width(l) + (l->lanes - 1) * l->lane_gap;
}

double sheet_content_left(const sheet_layout *l)
{
    return fmax((l->width - sheet_content_width(l)) / 2, l->margin);
}

/* As wide as fits beside each other. */
static double widest(const sheet_layout *l)
{
    double room = l->width - 2 * l->margin - (l->lanes - 1) * l->lane_gap;

    return (room / l->lanes - between_tiles(l)) / sheet_strip_columns(l);
}

static bool has_row_heads(const sheet_layout *l)
{
    return l->kind != SHEET_COLUMNS_NETWORKS || l->of.methods * l->of.targets > 1;
}

void sheet_size_tiles(sheet_layout *l, bool slide, double width)
{
    double step;

    l->tile_width = snap(l, width);
    l->tile_height = snap(l, l->tile_width * l->of.aspect);
    l->font = slide ? clamp(0.11 * l->tile_width, 7, 18) : clamp(0.11 * l->tile_width, 5.5, 7.5);
    step = line * l->font;
    l->title = l->text_title ? 2.2 * 1.5 * l->font : 0;
    l->heading = step * l->heading_lines + 1.1 * l->font;
    l->row_head = has_row_heads(l) ? step + 0.35 * l->font : 0;
    l->caption = step * l->caption_lines + 0.15 * l->font;
    l->row_gap = 0.7 * l->font;
    l->group_gap = 1.1 * l->font;
    l->block_gap = 1.6 * l->font;
    l->footer_lines = l->width - 2 * l->margin >= 44 * l->font ? 2
                      : l->of.has_truth || !has_row_heads(l)   ? 4
                                                               : 3;
    l->footer = 1.3 * l->font + step * (l->footer_lines + l->of.flag_lines + l->paged);
}

/* ---- paper -------------------------------------------------------------------------------- */

/* In as many blocks as it takes. */
static void wrap(sheet_layout *l)
{
    l->blocks = 1;
    l->across = l->columns;
    while (widest(l) < roomy && l->across > 1)
        l->across = ceil_div(l->columns, ++l->blocks);
    l->blocks = ceil_div(l->columns, l->across);
    sheet_size_tiles(l, false, widest(l));
    while (!sheet_has_photo_row(l) && l->lanes < l->rows &&
           sheet_page_need(l, l->blocks, ceil_div(l->rows, l->lanes)) > page_height * mm) {
        l->lanes++;
        if (widest(l) < roomy_lane) {
            l->lanes--;
            break;
        }
        sheet_size_tiles(l, false, widest(l));
    }
    l->lane_rows = ceil_div(l->rows, l->lanes);
}

/* The height of all of it. */
static double need(const sheet_layout *l)
{
    return sheet_page_need(l, l->blocks, l->lane_rows);
}

/* The smallest page that makes sense: one row of one block. */
static void fit_row(sheet_layout *l, double height)
{
    while (sheet_page_need(l, 1, 1) > height && l->tile_width > 4)
        sheet_size_tiles(l, false, l->tile_width * 0.97);
}

static void size_pages(sheet_layout *l, const sheet_options *o)
{
    double most = (o->page ? 297 : fmax(page_height, o->width * sqrt(2))) * mm;

    l->paged = o->page || need(l) > most;
    sheet_size_tiles(l, false, widest(l)); /* the foot may have another line */
    l->height = l->paged ? most : need(l);
    if (!l->paged)
        return;
    if (need(l) > most)
        l->lane_rows = 0;
    fit_row(l, l->height);
}

/* One picture, whatever its height, with fewer pixels where they would be too many. */
static void size_picture(sheet_layout *l, sheet_format format)
{
    double most = MOST_PIXELS / l->scale;

    if (format == SHEET_PNG)
        while (need(l) > most && l->tile_width > narrowest)
            sheet_size_tiles(l, false, fmax(l->tile_width * 0.97, narrowest));
    l->height = need(l);
    if (format == SHEET_PNG && l->height > most) {
        l->scale = MOST_PIXELS / l->height;
        sheet_size_tiles(l, false, l->tile_width);
        l->height = need(l);
    }
    l->height = snap(l, l->height);
}

/* ---- slides ------------------------------------------------------------------------------- */

/* The largest tiles with which the strips of a lane fit. */
static double largest(sheet_layout *l, int32_t strips, int32_t rows)
{
    double low = 4, high = widest(l);

    sheet_size_tiles(l, true, high);
    if (sheet_page_need(l, strips, rows) <= l->height)
        return high;
    while (high - low > 0.5) {
        double middle = (low + high) / 2;

        sheet_size_tiles(l, true, middle);
        if (sheet_page_need(l, strips, rows) <= l->height)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* With `units` rows on a slide, or pictures where these are the columns: in so many blocks that the
 * tiles become largest. */
static double arrange(sheet_layout *l, int32_t units)
{
    bool pictures = sheet_has_photo_row(l);
    int32_t columns = pictures ? units : l->columns, best_across = columns, best_lanes = 1;
    int32_t most_lanes = pictures ? 1 : units < MOST_LANES ? units : MOST_LANES;
    double best = 0;

    for (l->lanes = 1; l->lanes <= most_lanes; l->lanes++)
        for (int32_t strips = 1; strips <= columns; strips++) {
            double width;

            l->across = ceil_div(columns, strips);
            width = largest(l, strips, pictures ? l->rows : ceil_div(units, l->lanes));
            if (width > best) {
                best = width;
                best_across = l->across;
                best_lanes = l->lanes;
            }
        }
    l->across = best_across;
    l->lanes = best_lanes;
    l->lane_rows = pictures ? 0 : ceil_div(units, l->lanes);
    return best;
}

static void size_slide(sheet_layout *l, sheet_format format)
{
    int32_t units = sheet_has_photo_row(l) ? l->columns : l->rows;
    double goal = fmin(roomy_slide, arrange(l, 1)), width = arrange(l, units);

    l->paged = format == SHEET_PDF && width < goal - 1;
    if (l->paged) { /* as many as possible; more of them never make larger tiles */
        int32_t few = 1, many = units;

        while (many - few > 1) {
            int32_t middle = few + (many - few) / 2;

            if (arrange(l, middle) >= goal - 1)
                few = middle;
            else
                many = middle;
        }
        width = arrange(l, few);
    }
    l->blocks = ceil_div(l->columns, l->across);
    sheet_size_tiles(l, true, width);
}

/* ---- the whole ---------------------------------------------------------------------------- */

void sheet_layout_across(sheet_layout *l, const sheet_extent *of, const sheet_options *o,
                         sheet_format format)
{
    memset(l, 0, sizeof *l);
    l->of = *of;
    l->kind = kind_of(of, o);
    count(l);
    l->text_title = o->title;
    l->width = o->slide ? slide_width : (o->page ? 210 : o->width > 0 ? o->width : 170) * mm;
    l->scale = o->slide ? 2 : SHEET_DPI / 72.0;
    l->margin = o->slide ? 24 : o->page ? 15 * mm : 4;
    l->gap = snap(l, clamp(l->width / 80, 5, 12));
    l->photo_gap = snap(l, l->gap / 2);
    l->caption_lines = l->kind == SHEET_COLUMNS_METHODS ? 1 : of->says_target ? 3 : 2;
    l->heading_lines = 2;
    l->lanes = 1;
    l->lane_gap = 3 * l->gap;
    if (o->slide) {
        l->height = slide_height;
        size_slide(l, format);
    } else {
        wrap(l);
    }
}

bool sheet_layout_down(sheet_layout *l, const sheet_options *o, sheet_format format)
{
    if (o->slide)
        size_slide(l, format);
    else if (format == SHEET_PDF)
        size_pages(l, o);
    else
        size_picture(l, format);
    if (sheet_flow(l, o->slide))
        return true;
    complain("out of memory");
    return false;
}

bool sheet_admits(const sheet_extent *of, const sheet_options *o, const char *path)
{
    sheet_format format = sheet_format_of(path);
    const double lowest = 100 / 72.0; /* dpi: what is coarser shows nothing */
    sheet_layout l;
    bool ok = true;

    sheet_layout_across(&l, of, o, format);
    if (!sheet_layout_down(&l, o, format))
        return false;
    if (o->slide && l.tile_width < narrowest) {
        complain("%s: %d columns and %d rows do not fit on a slide: %s", path, (int)l.columns,
                 (int)l.rows,
                 format == SHEET_PDF ? "give fewer networks, methods or targets"
                                     : "give a .pdf, which has several, or other --columns");
        ok = false;
    } else if (format == SHEET_PNG && l.scale < lowest) {
        complain("%s: the sheet would be %.1f m high, and a PNG ends at 32767 pixels: give a .pdf, "
                 "which has pages, or fewer pictures",
                 path, l.height / mm / 1000);
        ok = false;
    }
    sheet_layout_free(&l);
    return ok;
}
