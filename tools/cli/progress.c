/* progress.c - one line on a terminal that shows how far long work has come. */
#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 300 }; /* shorter work does not need a line */

static int32_t show(void *opaque, const char *stage, int64_t done, int64_t total)
{
    progress *p = opaque;

    if (now_ms() - p->begin < PATIENCE_MS)
        return 0;
    fprintf(stderr, "\r\033[K%s%s", p->step, *p->step ? ": " : "");
    if (total > 0)
        fprintf(stderr, "%s %3.0f %%", stage, 100.0 * (double)done / (double)total);
    else
        fprintf(stderr, "%s", stage);
    fflush(stderr);
    p->drawn = true;
    return 0;
}

void progress_begin(progress *p, kldve_ctx *ctx, bool quiet)
{
    const char *terminal = getenv("TERM");

    memset(p, 0, sizeof *p);
    p->shown = !quiet && isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
    p->begin = now_ms();
    if (p->shown)
        kldve_ctx_set_progress(ctx, show, p);
}

void progress_step(progress *p, const char *format, ...)
{
    char step[LABEL_SIZE];
    va_list args;

    if (!p->shown)
        return;
    va_start(args, format);
    vsnprintf(step, sizeof step, format, args);
    va_end(args);
    clean_text(step, p->step, sizeof p->step);
    if (now_ms() - p->begin < PATIENCE_MS)
        return;
    fprintf(stderr, "\r\033[K%s", p->step);
    fflush(stderr);
    p->drawn = true;
}

void progress_end(progress *p)
{
    if (p->drawn)
        fprintf(stderr, "\r\033[K");
    p->drawn = false;
}
