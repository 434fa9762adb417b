/* report.h - what the parts of `kldve report` share. */
#ifndef KLDVE_TOOLS_REPORT_H
#define KLDVE_TOOLS_REPORT_H

#include "grid/grid.h"

enum { REPORT_PICTURE_SIDE = 768 }; /* what a page shows of a photograph of any size */

typedef struct report_args {
    grid_args grid; /* first, see there */
    const char *page;
    int32_t colormap; /* 1 + number; 0: not given */
} report_args;

/** report_page.c: write the page.  False after a message. */
bool report_write(const grid *g, const report_args *args);

#endif
