/* sheet_none.c - in place of the other sheet files in a build without cairo and pango. */
#include "sheet.h"

bool sheet_available(void)
{
    complain("this build draws no sheets: it lacks cairo and pango; --table and --json work");
    return false;
}

bool sheet_write(const grid *g, const sheet_options *options, const char *path)
{
    (void)g;
    (void)options;
    complain("%s: this build draws no sheets", path);
    return false;
}
