/* nearest.h - which of many names somebody may have meant. */
#ifndef KLDVE_TOOLS_NEAREST_H
#define KLDVE_TOOLS_NEAREST_H

#include "tool.h"

enum {
    NEAREST_LETTERS = 64, /**< of a folded name, more are not looked at */
    NEAREST_NAMES = 3,    /**< that are remembered */
    NEAREST_HINT = NEAREST_NAMES * (LABEL_SIZE + 16)
};

typedef struct nearest_name {
    char name[LABEL_SIZE]; /**< clean, cut */
    int32_t far;           /**< 0: the same but for case and punctuation */
} nearest_name;

/** The names so far that are most like one that does not exist. */
typedef struct nearest {
    char wanted[NEAREST_LETTERS]; /**< folded */
    int32_t letters, limit;       /**< of `wanted`; what is farther is no resemblance */
    int32_t count;
    nearest_name found[NEAREST_NAMES]; /**< [count], the nearest first; among equals as offered */
} nearest;

/** Begin with the first `n` characters of what was given. */
void nearest_begin(nearest *to, const char *wanted, size_t n);

/** Look at a name that exists.  Names are compared without case, blanks and punctuation; "+" and
 *  "plus" are one letter; the distance is the number of letters to insert, delete, replace or swap
 * (optimal string alignment).  A name that contains what was given, or is contained in it, is near,
 * too. */
void nearest_offer(nearest *to, const char *name);

/** The nearest name, NULL: none is near. */
const char *nearest_best(const nearest *to);

/** "; did you mean 'a', 'b' or 'c'?", each behind `before` ("--"); "" where none is near.  Names
 *  that are much farther than the nearest are left out.  Returns `out`. */
const char *nearest_hint(const nearest *to, const char *before, char out[NEAREST_HINT]);

#endif
