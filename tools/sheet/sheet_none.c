/* sheet_none.c - takes the place of the other sheet files in a build without cairo and pango. */
#include "sheet.h"

bool sheet_admits(const sheet_extent *of, const sheet_options *options, const char *path)
{
    (void)of;
    (void)options;
    (void)path;
    complain("this build cannot draw sheets, it lacks cairo and pango: use --table or --json");
    return false;
}

bool sheet_write(const grid *g, const sheet_options *options, const char *path)
{
    (void)g;
    (void)options;
    complain("%s: this build cannot draw sheets", path);
    return false;
}
