/* progress.c - one line on a terminal that shows how far long work has come:
 *
 *     3/12 · explaining cat.jpg with rise · 41 % · 18 s left
 *
 * The size of the terminal is asked for each time, so a window may change its size. */
#include "tool.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "screen.h"

enum {
    PATIENCE_MS = 300, /* shorter work does not need a line */
    DRAW_MS = 100,     /* between two drawings */
    LINE_SIZE = 4 * LABEL_SIZE
};

/* ---- the parts of the line ---------------------------------------------------------------- */

/* What the library calls its stages, for people. */
static const char *stage_words(const char *stage)
{
    static const char *const words[][2] = {
        {"reading", "reading the file"},
        {"building", "building the graph"},
        {"forward", "forward pass"},
        {"backward", "backward pass"},
        {"check", "checking the map"},
        {"truth", "affinities of truth"},
        {"inputs", ""},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], stage) == 0)
            return words[i][1];
    return stage;
}

/* How much of the work is done, and of how much; of = 0: not known. */
static double reached(const progress *p, double *of)
{
    if (p->of > 0) {
        *of = (double)p->of;
        return fmin((double)p->done + p->part, *of);
    }
    *of = p->has_part ? 1 : 0;
    return p->part;
}

/* " · 41 % · 18 s left" */
static void say_figures(const progress *p, double now, const char *dot, char *out, size_t size)
{
    double of, at = reached(p, &of), left = of > 0 ? pace_left(&p->pace, now, of) : -1;
    char time[LABEL_SIZE / 4];
    int n = 0;

    *out = '\0';
    if (of > 0)
        n = snprintf(out, size, "%s%.0f %%", dot, floor(100 * at / of));
    if (left < 0)
        return;
    pace_text(left, time, sizeof time);
    snprintf(out + n, size - (size_t)n, "%s%s left", dot, time);
}

/* "explaining cat.jpg with rise", "loading net.onnx · planning" */
static void say_work(const progress *p, const char *dot, char *out, size_t size)
{
    const char *stage = p->of > 0 || strstr(p->step, p->stage) ? "" : stage_words(p->stage);

    snprintf(out, size, "%s%s%s", p->step, *p->step && *stage ? dot : "", stage);
}

/* ---- the line ----------------------------------------------------------------------------- */

/* Only the words in the middle are cut to the width: the figures are what people wait for. */
static void draw(progress *p, double now)
{
    const char *dot = screen_unicode() ? " \xc2\xb7 " : ", ";
    char count[LABEL_SIZE / 4] = "", work[LINE_SIZE], figures[LABEL_SIZE / 2], cut[LINE_SIZE];
    int32_t columns, rows, room;

    screen_size(STDERR_FILENO, &columns, &rows);
    if (p->of > 1)
        snprintf(count, sizeof count, "%lld/%lld", (long long)p->done, (long long)p->of);
    say_figures(p, now, dot, figures, sizeof figures);
    say_work(p, dot, work, sizeof work);
    room = columns - 1 - screen_width(count) - screen_width(figures) -
           (*count && *work ? screen_width(dot) : 0);
    screen_cut(work, room > 0 ? room : 0, cut, sizeof cut);
    fprintf(stderr, "\r\033[K%s%s%s%s", count, *count && *cut ? dot : "", cut,
            *count || *cut || !*figures ? figures : figures + strlen(dot));
    fflush(stderr);
    p->drawn = true;
    complain_over_line(true);
    p->painted = now;
}

static void draw_soon(progress *p)
{
    double now = now_ms();

    if (p->shown && now - p->begin >= PATIENCE_MS && now - p->painted >= DRAW_MS)
        draw(p, now);
}

/* The part of one piece of work goes through several stages, and never back. */
static void reach(progress *p, double part)
{
    double of;

    if (p->of > 0 && part < p->part)
        return;
    p->part = part;
    pace_reach(&p->pace, now_ms(), reached(p, &of));
}

static int32_t hear(void *opaque, const char *stage, int64_t done, int64_t total)
{
    progress *p = opaque;

    if (strcmp(stage, p->stage) != 0) {
        snprintf(p->stage, sizeof p->stage, "%s", stage);
        if (p->of == 0) {
            pace_begin(&p->pace);
            p->part = 0;
        }
    }
    p->has_part = total > 1;
    if (p->has_part)
        reach(p, (double)done / (double)total);
    draw_soon(p);
    return 0;
}

/* ---- for the commands --------------------------------------------------------------------- */

void progress_begin(progress *p, kldve_ctx *ctx, bool quiet)
{
    memset(p, 0, sizeof *p);
    p->shown = !quiet && screen_moves(STDERR_FILENO);
    p->begin = now_ms();
    pace_begin(&p->pace);
    if (p->shown)
        kldve_ctx_set_progress(ctx, hear, p);
}

void progress_step(progress *p, const char *format, ...)
{
    char step[LABEL_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(step, sizeof step, format, args);
    va_end(args);
    clean_text(step, p->step, sizeof p->step);
    *p->stage = '\0';
    p->has_part = false;
    if (p->of == 0) {
        pace_begin(&p->pace);
        p->part = 0;
    }
    draw_soon(p);
}

void progress_count(progress *p, int64_t done, int64_t of)
{
    if (of != p->of)
        pace_begin(&p->pace);
    p->done = done;
    p->of = of;
    p->part = 0;
    pace_reach(&p->pace, now_ms(), (double)done);
    if (of > 0) /* else the words are still those of what was counted: the next step draws */
        draw_soon(p);
}

void progress_figures(const progress *p, char *out, size_t size)
{
    char figures[LABEL_SIZE / 2];

    say_figures(p, now_ms(), ", ", figures, sizeof figures);
    snprintf(out, size, "%lld/%lld%s", (long long)p->done, (long long)p->of, figures);
}

void progress_end(progress *p)
{
    if (p->drawn)
        fprintf(stderr, "\r\033[K");
    p->drawn = false;
    complain_over_line(false);
    p->painted = 0;
}
