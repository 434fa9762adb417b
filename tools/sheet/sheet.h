/* sheet.h - the grid as one picture: PNG, SVG or PDF, drawn by the same code. */
#ifndef KLDVE_TOOLS_SHEET_H
#define KLDVE_TOOLS_SHEET_H

#include "cli/drawing.h"
#include "grid/grid.h"

/** What the columns are; the photographs stand to their left or above them.  The rest makes the
 *  rows. */
typedef enum sheet_columns {
    SHEET_COLUMNS_DEFAULT = 0, /**< networks or pictures where there is one method, else methods */
    SHEET_COLUMNS_METHODS = 1,
    SHEET_COLUMNS_NETWORKS = 2,
    SHEET_COLUMNS_PICTURES = 3
} sheet_columns;

/** How the sheet looks; all zero and drawing_defaults() = defaults. */
typedef struct sheet_options {
    double width;      /**< mm; 0: 170 */
    bool slide;        /**< 1920 x 1080 pixels instead */
    bool page;         /**< A4 with margins, to print */
    int32_t columns;   /**< a sheet_columns */
    drawing draw;      /**< of maps; its colours are those of maps without sign */
    const char *title; /**< NULL: none */
    const char *font;  /**< family; NULL: a sans serif */
    int32_t quality;   /**< of JPEG in a PDF, 1..100; 0: every pixel; negative: the default */
} sheet_options;

enum {
    SHEET_QUALITY = 92,       /**< of JPEG: no difference to be seen at 300 dpi */
    SHEET_DPI = 300,          /**< of paper */
    SHEET_PICTURE_SIDE = 2048 /**< pictures need not be larger */
};

typedef enum sheet_format { SHEET_PNG, SHEET_SVG, SHEET_PDF } sheet_format;

/** By the ending of the file's name. */
sheet_format sheet_format_of(const char *path);

/** What a sheet has to hold. */
typedef struct sheet_extent {
    int32_t pictures, networks, methods, targets;
    double aspect;      /**< height of the tallest picture, for a width of 1 */
    int32_t flag_lines; /**< of the foot: what to know of the maps */
    bool has_truth;
    bool says_target; /**< other classes than the predicted one are shown */
} sheet_extent;

/** Whether a sheet can be drawn at all; ask before long work.  False after a message: this build
 *  has none, or what `of` has does not fit into the file. */
bool sheet_admits(const sheet_extent *of, const sheet_options *options, const char *path);

/** Draw and write, as the ending of `path` says: .png, .svg or .pdf, which can have several pages.
 *  False after a message. */
bool sheet_write(const grid *g, const sheet_options *options, const char *path);

#endif
