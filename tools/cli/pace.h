/* pace.h - how long work will still take, by how fast it has come on. */
#ifndef KLDVE_TOOLS_PACE_H
#define KLDVE_TOOLS_PACE_H

#include <stddef.h>
#include <stdint.h>

/** Where the work was, and when. */
typedef struct pace_mark {
    double ms, done;
} pace_mark;

/** The pace is that between two marks.  The first is not before the first step is done, because a
 *  first step often takes longer than all others (a file to read, threads to start), and moves up,
 *  because later work may be slower or faster than earlier work. */
typedef struct pace {
    pace_mark from, next, last;
    int32_t steps; /**< since `next`; negative: nothing is done yet */
} pace;

void pace_begin(pace *p);

/** So much of the work is done at this time.  What is less than before is taken for new work. */
void pace_reach(pace *p, double ms, double done);

/** Milliseconds until `total` is done; negative: too early to say. */
double pace_left(const pace *p, double ms, double total);

/** A time for people, "18 s", "3 min", "1.5 h". */
void pace_text(double ms, char *out, size_t size);

#endif
