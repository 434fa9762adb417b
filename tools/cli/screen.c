/* screen.c - what a terminal can show: its size, its characters, its colours. */
#define _XOPEN_SOURCE 700 /* wcwidth() */

#include "screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS = 80, ROWS = 24, MOST = 1000 };

/* ---- size --------------------------------------------------------------------------------- */

/* A whole number from the environment; 0: none that makes sense. */
static int32_t said(const char *name)
{
    const char *text = getenv(name);
    char *end;
    long n = text ? strtol(text, &end, 10) : 0;

    return text && end != text && *end == '\0' && n > 0 && n <= MOST ? (int32_t)n : 0;
}

/* Of the terminal, of the environment, or usual. */
static int32_t one_of(int32_t own, int32_t other, int32_t usual)
{
    int32_t n = own > 0 ? own : other > 0 ? other : usual;

    return n > MOST ? MOST : n;
}

void screen_size(int fd, int32_t *columns, int32_t *rows)
{
    struct winsize size;
    bool known = ioctl(fd, TIOCGWINSZ, &size) == 0;

    *columns = one_of(known ? size.ws_col : 0, said("COLUMNS"), COLUMNS);
    *rows = one_of(known ? size.ws_row : 0, said("LINES"), ROWS);
}

/* ---- what it understands ------------------------------------------------------------------ */

static bool is_dumb(void)
{
    const char *term = getenv("TERM");

    return !term || !*term || strcmp(term, "dumb") == 0;
}

bool screen_moves(int fd)
{
    return isatty(fd) && !is_dumb();
}

screen_colours screen_colours_of(int fd)
{
    const char *colour = getenv("COLORTERM"), *term = getenv("TERM");

    if (!isatty(fd))
        return SCREEN_24_BIT;
    if (is_dumb())
        return SCREEN_PLAIN;
    if (colour && (strcmp(colour, "truecolor") == 0 || strcmp(colour, "24bit") == 0))
        return SCREEN_24_BIT;
    return strstr(term, "-direct") || strstr(term, "-truecolor") ? SCREEN_24_BIT : SCREEN_256;
}

/* ---- text --------------------------------------------------------------------------------- */

/* The locale of the environment for characters alone, which leaves that of the program as it is;
 * (locale_t)0: there is none. */
static locale_t characters(void)
{
    return newlocale(LC_CTYPE_MASK, "", (locale_t)0);
}

bool screen_unicode(void)
{
    locale_t locale = characters();
    bool yes = locale && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;

    if (locale)
        freelocale(locale);
    return yes;
}

/* The columns and the bytes of the character at `text`, which is valid UTF-8, in the locale that is
 * in use. */
static int32_t character(const char *text, size_t *bytes)
{
    mbstate_t state = {0};
    wchar_t wide;
    size_t n = mbrtowc(&wide, text, strlen(text), &state);
    int width;

    if (n == 0 || n > strlen(text)) { /* not in this locale: a byte is a column */
        *bytes = 1;
        return 1;
    }
    *bytes = n;
    width = wcwidth(wide);
    return width < 0 ? 0 : width;
}

/* The bytes of `text` that fit into so many columns; *took says how many columns these take. */
static size_t fitting(const char *text, int32_t columns, int32_t *took)
{
    size_t at = 0, bytes;

    *took = 0;
    while (text[at]) {
        int32_t width = character(text + at, &bytes);

        if (*took + width > columns)
            break;
        *took += width;
        at += bytes;
    }
    return at;
}

/* fitting() in the locale of the environment. */
static size_t fitting_here(const char *text, int32_t columns, int32_t *took)
{
    locale_t locale = characters(), before = locale ? uselocale(locale) : (locale_t)0;
    size_t n = fitting(text, columns, took);

    if (locale) {
        uselocale(before);
        freelocale(locale);
    }
    return n;
}

int32_t screen_width(const char *text)
{
    int32_t took;

    fitting_here(text, INT32_MAX, &took);
    return took;
}

/* Each character that is not ASCII as one '?'. */
static void to_ascii(const char *text, char *out, size_t size)
{
    size_t used = 0;

    for (const unsigned char *s = (const unsigned char *)text; *s && used + 1 < size; s++)
        if (*s < 0x80 || *s >= 0xc0)
            out[used++] = *s < 0x80 ? (char)*s : '?';
    out[used] = '\0';
}

void screen_cut(const char *text, int32_t columns, char *out, size_t size)
{
    bool unicode = screen_unicode();
    const char *dots = unicode ? "\xe2\x80\xa6" : "...";
    int32_t room = columns - (unicode ? 1 : 3), took;
    size_t n;

    if (unicode)
        snprintf(out, size, "%s", text);
    else
        to_ascii(text, out, size);
    if (screen_width(out) <= columns)
        return;
    n = fitting_here(out, room > 0 ? room : 0, &took);
    snprintf(out + n, size - n, "%s", columns > 0 ? dots : "");
}
