/* sheet_parts.h - what the files that draw a sheet share.  Lengths are points (1/72 inch). */
#ifndef KLDVE_TOOLS_SHEET_PARTS_H
#define KLDVE_TOOLS_SHEET_PARTS_H

#include <cairo.h>
#include <pango/pangocairo.h>

#include "sheet.h"

/* ---- sheet_text.c ------------------------------------------------------------------------- */

typedef struct sheet_pen {
    cairo_t *cairo; /**< borrowed */
    PangoFontMap *map;
    PangoLayout *layout; /**< reused for every piece of text */
    PangoFontDescription *font;
} sheet_pen;

/** Greys of text and lines, from strong to faint. */
typedef enum sheet_ink { INK_STRONG, INK_NORMAL, INK_FAINT, INK_RULE } sheet_ink;

typedef enum sheet_align { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT } sheet_align;

typedef struct sheet_style {
    double size; /**< of the font */
    bool bold;
    sheet_ink ink;
    sheet_align align;
    int32_t lines; /**< at most; what does not fit ends in "..." */
} sheet_style;

static const double sheet_line = 1.32;   /**< distance of baselines in sizes of the font */
static const double sheet_ascent = 0.95; /**< from the top of a line to its baseline, same unit */
static const double sheet_small = 0.88;  /**< captions, in sizes of normal text */

static inline sheet_style sheet_style_of(double size, bool bold, sheet_ink ink, sheet_align align)
{
    return (sheet_style){size, bold, ink, align, 1};
}

/** The room on a line of text: from x to `end`, with the baseline at y. */
typedef struct sheet_span {
    double x, y, end;
} sheet_span;

/** `family` NULL: a sans serif.  GLib ends the process where there is no memory for either. */
void sheet_pen_open(sheet_pen *pen, cairo_t *cairo, const char *family);
void sheet_pen_close(sheet_pen *pen);

void sheet_ink_set(cairo_t *cairo, sheet_ink ink);

/** Draw text of one line, its baseline at y, in `width`; returns how wide it is. */
double sheet_text(sheet_pen *pen, const char *text, double x, double y, double width,
                  const sheet_style *style);

/** Draw text whose last line has its baseline at y. */
void sheet_text_above(sheet_pen *pen, const char *text, double x, double y, double width,
                      const sheet_style *style);

/** How many lines it takes, style->lines at most; and how wide it is on one line. */
int32_t sheet_text_lines(sheet_pen *pen, const char *text, double width, const sheet_style *style);
double sheet_text_width(sheet_pen *pen, const char *text, const sheet_style *style);

enum { SHEET_MARKS = 32 /**< bytes of the marks of a map, with their NUL */ };

/** The superscript numbers of the lines at the foot that are about a map with these flags. */
const char *sheet_marks(const grid *g, uint64_t flags, char out[SHEET_MARKS]);
/** "43 %", "4.3 %", "< 0.1 %" */
void sheet_share(double share, char *out, size_t size);
/** The same of a class; a number itself. */
void sheet_certainty(const grid_class *c, char *out, size_t size);
/** A bar that is filled to a share, centred on the small letters of a line of text at y. */
void sheet_draw_bar(cairo_t *cairo, double x, double y, double width, double size, double share);

/* ---- sheet_layout.c, sheet_flow.c --------------------------------------------------------- */

typedef struct sheet_box {
    double x, y, width, height;
} sheet_box;

/** What a place of the sheet shows. */
typedef struct sheet_slot {
    bool is_photo;
    int32_t picture, network, method, target; /**< of a photo the picture only; the network is one
                                                   that saw it, for the part that is shown */
} sheet_slot;

/** Rows that stand together on a page, below the headings of their columns.  A sheet of more
 *  columns than fit beside each other has them in several blocks. */
typedef struct sheet_strip {
    int32_t page, lane, block;
    int32_t first, count; /**< rows */
    double y;             /**< where its headings begin */
} sheet_strip;

typedef struct sheet_layout {
    sheet_extent of;
    int32_t kind;           /**< sheet_columns, not the default */
    const char *text_title; /**< NULL: none */
    int32_t columns, rows;  /**< of maps, without those of the photographs */
    int32_t blocks, across; /**< of columns, and how many columns of maps each has at most */
    int32_t lanes;          /**< of strips beside each other */
    int32_t lane_rows;      /**< rows of a strip; 0: as many as the height of a page holds */
    sheet_strip *strip;     /**< [strips], by page; from malloc */
    int32_t strips, pages;
    double width, height; /**< of a page */
    double scale;         /**< pixels for a point */
    double margin;
    double font;                    /**< size of normal text */
    double tile_width, tile_height; /**< of a picture */
    double gap, photo_gap, row_gap, group_gap, block_gap, lane_gap;
    double title, heading, row_head, caption, footer; /**< heights */
    int32_t heading_lines, caption_lines, footer_lines;
    bool paged; /**< there may be several pages, which are numbered */
} sheet_layout;

/** Whether the pictures stand in a row above the maps; else they are in a column beside them. */
static inline bool sheet_has_photo_row(const sheet_layout *l)
{
    return l->kind == SHEET_COLUMNS_PICTURES;
}

/** Sizes that do not depend on the width of texts: what goes where, the widths, of a slide also
 *  what its height leaves of them. */
void sheet_layout_across(sheet_layout *l, const sheet_extent *of, const sheet_options *options,
                         sheet_format format);

/** The heights and the pages, once heading_lines is known.  False after a message: no memory. */
bool sheet_layout_down(sheet_layout *l, const sheet_options *options, sheet_format format);

void sheet_layout_free(sheet_layout *l);

/** Set everything that goes with the size of the tiles. */
void sheet_size_tiles(sheet_layout *l, bool slide, double width);
/** From the left of the first tile of a strip to the right of its last. */
double sheet_strip_width(const sheet_layout *l);
/** The same of all lanes. */
double sheet_content_width(const sheet_layout *l);
/** Of so many rows from `first` on, with the headings. */
double sheet_strip_height(const sheet_layout *l, int32_t first, int32_t count);
/** What a page needs of so many strips of so many rows. */
double sheet_page_need(const sheet_layout *l, int32_t strips, int32_t rows);

/** Distribute all rows and blocks over pages: fills in strip, strips and pages.  False: out of
 *  memory. */
bool sheet_flow(sheet_layout *l, bool slide);

/** What is in row `row`, -1 for that of the photographs, and place `column` of a strip, from 0 for
 *  the column of the photographs, if there is one.  False: nothing, in the last block. */
bool sheet_slot_at(const sheet_layout *l, const sheet_strip *strip, int32_t row, int32_t column,
                   sheet_slot *slot);
/** Columns of a strip, with that of the photographs. */
int32_t sheet_strip_columns(const sheet_layout *l);
/** Where the picture of a slot is; on whole pixels. */
sheet_box sheet_tile_at(const sheet_layout *l, const sheet_strip *strip, int32_t row,
                        int32_t column);
/** Where the tiles begin. */
double sheet_content_left(const sheet_layout *l);
/** Whether there is a rule above this row, which is not the first of its strip. */
bool sheet_row_begins_group(const sheet_layout *l, int32_t row);

/* ---- sheet_jpeg.c ------------------------------------------------------------------------- */

/** Have a PDF take the file at `path` in place of the pixels of `surface`, which are the same
 *  picture.  False: it is no JPEG that can be taken as it is. */
bool sheet_attach_own(cairo_surface_t *surface, const char *path);
/** The same of a picture that is encoded now.  False: out of memory. */
bool sheet_attach_jpeg(kldve_ctx *ctx, cairo_surface_t *surface, const kldve_image *image,
                       int32_t quality);

/* ---- sheet_tile.c ------------------------------------------------------------------------- */

/** The picture of a slot, as large as fits into width x height pixels.  NULL: either there is
 * nothing to show and *why says why (borrowed from the grid), or the call failed after a message
 * and *why is NULL. */
kldve_image *sheet_tile(const grid *g, const sheet_options *options, const sheet_slot *slot,
                        int32_t width, int32_t height, const char **why);

/** The photograph of a slot where it is shown whole and as it is in its file; else NULL.  Borrowed
 *  from the grid. */
const grid_picture *sheet_whole_photo(const grid *g, const sheet_slot *slot, int32_t width,
                                      int32_t height);

/** Height of the tallest seen part of a picture for a width of 1, 0.2 to 3. */
double sheet_tallest(const grid *g);

/* ---- sheet_heads.c, sheet_foot.c ----------------------------------------------------------- */

/** Lines of the longest heading. */
int32_t sheet_heading_lines(sheet_pen *pen, const sheet_layout *l, const grid *g);
void sheet_draw_title(sheet_pen *pen, const sheet_layout *l);
void sheet_draw_headings(sheet_pen *pen, const sheet_layout *l, const grid *g,
                         const sheet_strip *strip);
void sheet_draw_row_head(sheet_pen *pen, const sheet_layout *l, const grid *g,
                         const sheet_strip *strip, int32_t row);
void sheet_draw_foot(sheet_pen *pen, const sheet_layout *l, const grid *g,
                     const sheet_options *options, int32_t page);

/* ---- sheet_draw.c ------------------------------------------------------------------------- */

/** All of a page.  False after a message. */
bool sheet_draw_page(sheet_pen *pen, const sheet_layout *l, const grid *g,
                     const sheet_options *options, int32_t page);

#endif
