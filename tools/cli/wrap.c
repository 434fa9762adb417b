/* wrap.c - text in lines of 80 columns. */
#include "wrap.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char white[] = " \n";

/* Begin a line; returns the column. */
static int32_t begin_line(int32_t indent)
{
    printf("\n%*s", (int)indent, "");
    return indent;
}

/* Whether the white space that begins at `gap` has an empty line, and a word follows it. */
static bool ends_paragraph(const char *gap)
{
    int32_t lines = 0;

    for (; *gap && strchr(white, *gap); gap++)
        lines += *gap == '\n';
    return lines > 1 && *gap;
}

void wrap_text(const char *text, int32_t at, int32_t indent)
{
    const char *word = text + strspn(text, white);
    bool first = true;

    while (*word) {
        size_t n = strcspn(word, white);

        if (!first && at + 1 + (int32_t)n > WRAP_WIDTH)
            at = begin_line(indent);
        else if (!first)
            at += printf(" ");
        at += printf("%.*s", (int)n, word);
        first = ends_paragraph(word + n);
        if (first) {
            printf("\n");
            at = begin_line(indent);
        }
        word += n + strspn(word + n, white);
    }
    printf("\n");
}

void wrap_row(const char *name, const char *text, int32_t indent)
{
    int32_t at = printf("%s", name);

    if (at >= indent)
        at = begin_line(indent);
    else
        at += printf("%*s", (int)(indent - at), "");
    wrap_text(text, at, indent);
}
