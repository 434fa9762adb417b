/* sheet_flow.c - what stands where on the pages of a sheet: rows and blocks of columns become
 * strips, one after the other, and a strip that does not fit begins the next page.  The blocks of
 * some rows stay together, so that what is compared is on one page. */
#include "sheet_parts.h"

#include <math.h>
#include <stdlib.h>

static double snap(const sheet_layout *l, double points)
{
    return round(points * l->scale) / l->scale;
}

/* ---- heights ------------------------------------------------------------------------------ */

/* The tile of `row` below the top of a strip that begins with row `first`. */
static double below_top(const sheet_layout *l, int32_t first, int32_t row)
{
    bool photos = sheet_has_photo_row(l);
    double y = l->heading;

    if (row < 0)
        return y;
    y += photos ? l->tile_height : 0;
    for (int32_t r = first; r <= row; r++) {
        y += r > first || photos ? l->row_gap : 0;
        y += r > first && sheet_row_begins_group(l, r) ? l->group_gap : 0;
        y += l->row_head + (r < row ? l->tile_height + l->caption : 0);
    }
    return y;
}

double sheet_strip_height(const sheet_layout *l, int32_t first, int32_t count)
{
    return below_top(l, first, first + count - 1) + l->tile_height + l->caption;
}

static double top_of(const sheet_layout *l)
{
    return l->margin + l->title;
}

double sheet_page_need(const sheet_layout *l, int32_t strips, int32_t rows)
{
    return top_of(l) + strips * sheet_strip_height(l, 0, rows) + (strips - 1) * l->block_gap +
           l->footer + l->margin;
}

/* ---- strips ------------------------------------------------------------------------------- */

typedef struct flow {
    sheet_layout *l;
    double y, bottom;
    int32_t page, lane, room;
} flow;

/* To the top of the next lane. */
static void next_lane(flow *f)
{
    f->y = top_of(f->l);
    if (++f->lane < f->l->lanes)
        return;
    f->lane = 0;
    f->page++;
}

static bool put(flow *f, int32_t block, int32_t first, int32_t count)
{
    sheet_layout *l = f->l;
    double height = sheet_strip_height(l, first, count);

    if (l->strips == f->room) {
        int32_t room = 2 * f->room + 8;
        sheet_strip *more = realloc(l->strip, (size_t)room * sizeof *more);

        if (!more)
            return false;
        l->strip = more;
        f->room = room;
    }
    if (l->paged && l->lane_rows == 0 && f->y > top_of(l) && f->y + height > f->bottom + 0.01)
        next_lane(f);
    l->strip[l->strips++] = (sheet_strip){f->page, f->lane, block, first, count, f->y};
    f->y += height + l->block_gap;
    return true;
}

/* Rows from `first` on of which `strips` strips fit on an empty page; at least one. */
static int32_t rows_that_fit(const flow *f, int32_t first, int32_t strips)
{
    const sheet_layout *l = f->l;
    double height = f->bottom - top_of(l) - (strips - 1) * l->block_gap;
    int32_t count = 1;

    while (first + count < l->rows &&
           strips * sheet_strip_height(l, first, count + 1) <= height + 0.01)
        count++;
    return count;
}

/* Rather not within the rows of a picture. */
static int32_t whole_groups(const sheet_layout *l, int32_t first, int32_t count)
{
    int32_t end = first + count;

    while (end < l->rows && end > first && !sheet_row_begins_group(l, end) &&
           l->rows != l->of.pictures)
        end--;
    return end > first ? end - first : count;
}

/* Pictures as columns: each block with all of its rows. */
static bool put_blocks(flow *f)
{
    sheet_layout *l = f->l;

    for (int32_t block = 0; block < l->blocks; block++)
        for (int32_t first = 0, count; first < l->rows; first += count) {
            count = l->paged ? rows_that_fit(f, first, 1) : l->rows;
            if (!put(f, block, first, count))
                return false;
        }
    return true;
}

/* Pictures as rows: all blocks of some rows together. */
static bool put_rows(flow *f)
{
    sheet_layout *l = f->l;

    for (int32_t first = 0, count; first < l->rows; first += count) {
        count = l->lane_rows ? l->lane_rows
                             : whole_groups(l, first, rows_that_fit(f, first, l->blocks));
        count = count < l->rows - first ? count : l->rows - first;
        if (l->lane_rows && first > 0)
            next_lane(f);
        for (int32_t block = 0; block < l->blocks; block++)
            if (!put(f, block, first, count))
                return false;
    }
    return true;
}

/* What is left of the height of a slide above and below. */
static void centre(sheet_layout *l, double bottom)
{
    for (int32_t first = 0, end; first < l->strips; first = end) {
        double left = bottom - top_of(l);

        for (end = first; end < l->strips && l->strip[end].page == l->strip[first].page; end++) {
            const sheet_strip *s = &l->strip[end];

            left = fmin(left, bottom - s->y - sheet_strip_height(l, s->first, s->count));
        }
        for (int32_t i = first; i < end && left > 0; i++)
            l->strip[i].y = snap(l, l->strip[i].y + left / 2);
    }
}

bool sheet_flow(sheet_layout *l, bool slide)
{
    flow f = {.l = l, .y = top_of(l), .bottom = l->height - l->margin - l->footer};
    bool ok;

    l->strips = 0;
    free(l->strip);
    l->strip = NULL;
    ok = sheet_has_photo_row(l) ? put_blocks(&f) : put_rows(&f);
    l->pages = f.page + 1;
    if (ok && slide)
        centre(l, l->height - l->margin - l->footer);
    return ok;
}

void sheet_layout_free(sheet_layout *l)
{
    free(l->strip);
    l->strip = NULL;
}

/* ---- places ------------------------------------------------------------------------------- */

/* The picture, network, method and target of a map. */
static sheet_slot slot_of(const sheet_layout *l, int32_t row, int32_t column)
{
    const sheet_extent *of = &l->of;
    sheet_slot s = {.target = row % of->targets};

    row /= of->targets;
    if (l->kind == SHEET_COLUMNS_PICTURES) {
        s.method = row % of->methods;
        s.network = row / of->methods;
        s.picture = column;
    } else if (l->kind == SHEET_COLUMNS_METHODS) {
        s.network = row % of->networks;
        s.picture = row / of->networks;
        s.method = column;
    } else {
        s.method = row % of->methods;
        s.picture = row / of->methods;
        s.network = column;
    }
    return s;
}

bool sheet_slot_at(const sheet_layout *l, const sheet_strip *strip, int32_t row, int32_t column,
                   sheet_slot *slot)
{
    bool photo_column = !sheet_has_photo_row(l);
    int32_t map = column - photo_column, at = strip->block * l->across + map;

    if (at >= l->columns)
        return false;
    *slot = slot_of(l, row < 0 ? 0 : row, map < 0 ? 0 : at);
    slot->is_photo = row < 0 || map < 0;
    return true;
}

sheet_box sheet_tile_at(const sheet_layout *l, const sheet_strip *strip, int32_t row,
                        int32_t column)
{
    double photo = !sheet_has_photo_row(l) && column > 0 ? l->photo_gap : 0;
    double x = sheet_content_left(l) + strip->lane * (sheet_strip_width(l) + l->lane_gap);

    return (sheet_box){snap(l, x + photo + column * (l->tile_width + l->gap)),
                       snap(l, strip->y + below_top(l, strip->first, row)), l->tile_width,
                       l->tile_height};
}

bool sheet_row_begins_group(const sheet_layout *l, int32_t row)
{
    if (row == 0 || sheet_has_photo_row(l) || l->rows == l->of.pictures)
        return false;
    return slot_of(l, row, 0).picture != slot_of(l, row - 1, 0).picture;
}
