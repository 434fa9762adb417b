/* pace.c - how long work will still take, by how fast it has come on. */
#include "pace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WINDOW_MS = 15000, /* the pace is that of the last one to two windows, */
    STEPS = 4,         /* each of so many steps at least */
    LEAST_MS = 500     /* less says little: threads may end their first steps together */
};

void pace_begin(pace *p)
{
    memset(p, 0, sizeof *p);
    p->steps = -1;
}

void pace_reach(pace *p, double ms, double done)
{
    if (done < p->last.done)
        pace_begin(p);
    if (done <= p->last.done)
        return;
    p->last = (pace_mark){ms, done};
    if (p->steps < 0)
        p->from = p->next = p->last;
    p->steps++;
    if (p->steps >= STEPS && ms - p->next.ms >= WINDOW_MS) {
        p->from = p->next;
        p->next = p->last;
        p->steps = 0;
    }
}

double pace_left(const pace *p, double ms, double total)
{
    double took = p->last.ms - p->from.ms, left;

    if (p->steps < 0 || took < LEAST_MS)
        return -1;
    left = took / (p->last.done - p->from.done) * (total - p->last.done) - (ms - p->last.ms);
    return left > 0 ? left : 0;
}

void pace_text(double ms, char *out, size_t size)
{
    double s = ms / 1000;

    if (s < 90)
        snprintf(out, size, "%.0f s", fmax(1, ceil(s)));
    else if (s < 5400)
        snprintf(out, size, "%.0f min", ceil(s / 60));
    else if (s < 48 * 3600.0)
        snprintf(out, size, "%.1f h", s / 3600);
    else
        snprintf(out, size, "%.1f days", s / 86400);
}
