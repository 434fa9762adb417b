/* rows.c - tables that come from outside as text. */
#include "rows.h"

#include "dataset_parts.h"

#include <stdlib.h>
#include <string.h>

static char separator_of(const char *text)
{
    size_t n = strcspn(text, "\r\n");

    for (const char *s = "\t,;"; *s; s++)
        if (memchr(text, *s, n))
            return *s;
    return '\t';
}

bool rows_open(rows *r, const char *path)
{
    size_t nbytes;

    memset(r, 0, sizeof *r);
    r->path = path;
    r->text = dataset_read_file(path, DATASET_FILE_MAX, &nbytes);
    if (!r->text)
        return false;
    if (memchr(r->text, '\0', nbytes)) {
        complain("%s: has NUL bytes: no text file", path);
        return false;
    }
    r->end = r->text + nbytes;
    r->at = r->text + (strncmp(r->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    r->separator = separator_of(r->at);
    return true;
}

static char *without_spaces(char *from, char *to)
{
    while (to > from && (to[-1] == ' ' || to[-1] == '\r'))
        *--to = '\0';
    return from + strspn(from, " ");
}

/* A quoted cell is unquoted in place.  The quote that ends it, or NULL. */
static char *unquote(rows *r, char *at)
{
    char *to = at;

    for (at++; *at && !(at[0] == '"' && at[1] != '"'); at++) {
        r->lines += *at == '\n';
        if (*at == '"')
            at++;
        *to++ = *at;
    }
    if (*at)
        *to = '\0';
    return *at ? at + 1 : NULL;
}

/* One cell from r->at on; whether another follows in this row. */
static int next_cell(rows *r)
{
    char *from = r->at + strspn(r->at, " "), *to = from;
    bool quoted = *from == '"';
    char ended;

    if (r->cells == ROWS_CELLS) {
        complain("%s: line %d has more than %d cells", r->path, (int)r->line, ROWS_CELLS);
        return -1;
    }
    if (quoted && !(to = unquote(r, from))) {
        complain("%s: line %d has a quote that does not end", r->path, (int)r->line);
        return -1;
    }
    while (*to && *to != r->separator && *to != '\n')
        to++;
    ended = *to;
    r->at = to < r->end ? to + 1 : to;
    *to = '\0';
    r->cell[r->cells++] = quoted ? from : without_spaces(from, to);
    r->lines += ended == '\n';
    return ended == r->separator;
}

int rows_next(rows *r)
{
    int more;

    do {
        if (r->at >= r->end)
            return 0;
        r->line = ++r->lines;
        r->lines--;
        r->cells = 0;
        while ((more = next_cell(r)) > 0)
            continue;
        if (more < 0)
            return -1;
    } while (r->cells == 1 && *r->cell[0] == '\0');
    return 1;
}

void rows_close(rows *r)
{
    free(r->text);
    memset(r, 0, sizeof *r);
}
