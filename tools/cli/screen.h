/* screen.h - what a terminal can show: its size, its characters, its colours. */
#ifndef KLDVE_TOOLS_SCREEN_H
#define KLDVE_TOOLS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Columns and rows of the terminal on `fd`, as they are now.  Without one: COLUMNS and LINES of
 *  the environment, else 80 x 24. */
void screen_size(int fd, int32_t *columns, int32_t *rows);

/** Whether `fd` is a terminal that can go back to the start of a line: TERM is set and not dumb. */
bool screen_moves(int fd);

/** Whether the locale of the environment writes UTF-8. */
bool screen_unicode(void);

typedef enum screen_colours {
    SCREEN_PLAIN, /**< none: TERM is dumb or not set, on a terminal */
    SCREEN_256,   /**< the 6 x 6 x 6 cube and the greys of xterm */
    SCREEN_24_BIT /**< COLORTERM or TERM says so, or it is no terminal */
} screen_colours;

/** The colours that the terminal on `fd` understands.  What is no terminal gets 24-bit colours: a
 *  file or a pager is for whoever asked. */
screen_colours screen_colours_of(int fd);

/** Columns that `text`, valid UTF-8, takes on a terminal. */
int32_t screen_width(const char *text);

/** Cut `text` to so many columns, with an ellipsis where something is missing; where the locale is
 *  not UTF-8, other characters than ASCII become '?'.  `out` has room for `size` bytes. */
void screen_cut(const char *text, int32_t columns, char *out, size_t size);

#endif
