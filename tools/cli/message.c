/* message.c - messages on standard error, and the clean text that they are made of. */
#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The length of the UTF-8 sequence at s; 0 if it is not valid, which includes overlong forms,
 * surrogates and code points past U+10FFFF. */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                             : 0;

    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
        return 0;
    return n;
}

void valid_text(const char *text, char *out, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    size_t used = 0;

    while (*text) {
        size_t n = utf8_length((const unsigned char *)text), add = n ? n : sizeof replacement - 1;

        if (used + add >= size)
            break;
        memcpy(out + used, n ? text : replacement, add);
        used += add;
        text += n ? n : 1;
    }
    out[used] = '\0';
}

void clean_text(const char *text, char *out, size_t size)
{
    kldve_printable(text, out, size);
}

void print_text(FILE *to, const char *text)
{
    size_t size = 3 * strlen(text) + 1;
    char *clean = malloc(size);

    if (clean) {
        clean_text(text, clean, size);
        fputs(clean, to);
    } else {
        fputs("...", to);
    }
    free(clean);
}

void print_wrote(FILE *to, const char *path)
{
    fputs("wrote ", to);
    print_text(to, path);
    fputc('\n', to);
}

/* Where complaints of this thread go in place of standard error. */
static _Thread_local struct {
    char *line;
    size_t size;
} kept;

void complain_into(char *line, size_t size)
{
    kept.line = line;
    kept.size = size;
    if (line)
        *line = '\0';
}

/* A line without an end is on the terminal. */
static bool over_line;

void complain_over_line(bool drawn)
{
    over_line = drawn;
}

void complain(const char *format, ...)
{
    /* Room for the longest path, so that what is wrong with it is not cut off. */
    char message[8 * MESSAGE_SIZE], clean[8 * MESSAGE_SIZE - sizeof "kldve: "];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    clean_text(message, clean, sizeof clean);
    if (!kept.line)
        fprintf(stderr, "%skldve: %s\n", over_line ? "\r\033[K" : "", clean);
    else if (!*kept.line)
        clean_text(clean, kept.line, kept.size); /* cut between two characters */
}

void complain_ctx(const kldve_ctx *ctx, const char *file, kldve_status status)
{
    const char *message = kldve_ctx_message(ctx);
    char name[4 * MESSAGE_SIZE]; /* as the message has it */
    size_t n;

    clean_text(file, name, sizeof name);
    n = strlen(name);
    if (*message == '\0')
        message = kldve_status_name(status);
    if (strncmp(message, name, n) == 0 && message[n] == ':')
        complain("%s", message);
    else
        complain("%s: %s", file, message);
}

void list_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list);

    snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
