/* compare.h - what the parts of `kldve compare` share. */
#ifndef KLDVE_TOOLS_COMPARE_H
#define KLDVE_TOOLS_COMPARE_H

#include "grid/grid.h"
#include "sheet.h"

typedef struct compare_args {
    grid_args grid; /* first, see there */
    const char *sheet, *json, *size;
    bool table;
    sheet_options look;
} compare_args;

/** compare_table.c: the figures for people, on standard output. */
void compare_table(const grid *g);

#endif
