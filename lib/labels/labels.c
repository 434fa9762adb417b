/* labels.c - the names of a network's classes: reading and access.
 *
 * A list may have as many lines as bytes, so a line costs its bytes and little more: half a byte of
 * marks, from which the lines between are counted. */
#include "labels_list.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <kldve/backend.h>

#include "base/ctx.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/size.h"

enum { WHERE_SIZE = 384 };

static bool is_synset(const char *text, size_t n)
{
    if (n < KLDVE_SYNSET || text[0] != 'n')
        return false;
    for (int i = 1; i < KLDVE_SYNSET; i++)
        if (!kldve_label_digit(text[i]))
            return false;
    return true;
}

/* Trim blanks off both ends; returns what is left of n bytes. */
static size_t trim(const char **text, size_t n)
{
    for (; n > 0 && kldve_label_space(**text); n--)
        (*text)++;
    while (n > 0 && kldve_label_space((*text)[n - 1]))
        n--;
    return n;
}

static char *put(char *to, const char *text, size_t n)
{
    memcpy(to, text, n);
    to[n] = '\0';
    return to + n + 1;
}

/* A line of n bytes without its end.  At most n + 1 bytes are written; a synset without a name
 * takes one more. */
static char *put_line(char *to, const char *line, size_t n)
{
    n = trim(&line, n);
    if (is_synset(line, n) && (n == KLDVE_SYNSET || kldve_label_space(line[KLDVE_SYNSET]))) {
        to = put(to, line, KLDVE_SYNSET);
        line += KLDVE_SYNSET;
        n = trim(&line, n - KLDVE_SYNSET);
    }
    return put(to, line, n);
}

kldve_label kldve_label_read(const char *at)
{
    kldve_label l = {"", at, at + strlen(at) + 1};

    if (l.next - at == KLDVE_SYNSET + 1 && is_synset(at, KLDVE_SYNSET))
        l = (kldve_label){at, l.next, l.next + strlen(l.next) + 1};
    return l;
}

kldve_label kldve_label_at(const kldve_labels *labels, int32_t i)
{
    kldve_label l;

    assert(i >= 0 && i < labels->count);
    l.next = labels->text + labels->mark[i / KLDVE_LABELS_A_MARK];
    for (int32_t k = 0; k <= i % KLDVE_LABELS_A_MARK; k++)
        l = kldve_label_read(l.next);
    return l;
}

/* The number of lines up to the last one that is not blank. */
static size_t count_lines(const char *text, size_t nbytes)
{
    size_t lines = 0, used = 0;
    bool blank = true;

    for (size_t i = 0; i <= nbytes; i++) {
        if (i < nbytes && text[i] != '\n') {
            blank = blank && kldve_label_space(text[i]);
            continue;
        }
        lines++;
        if (!blank)
            used = lines;
        blank = true;
    }
    return used;
}

static kldve_labels *allocate(kldve_ctx *ctx, size_t nbytes, size_t lines)
{
    size_t marks = (lines - 1) / KLDVE_LABELS_A_MARK + 1, size;
    size_t text = nbytes + nbytes / KLDVE_SYNSET + 2; /* no overflow: `nbytes` are in memory */
    kldve_labels *labels;

    assert(lines > 0 && lines <= INT32_MAX);
    if (!kldve_size_mul(marks, sizeof *labels->mark, &size) ||
        !kldve_size_add(size, sizeof *labels, &size) || !kldve_size_add(size, text, &size) ||
        !(labels = kldve_ctx_alloc(ctx, size, 1)))
        return NULL;
    labels->ctx = ctx;
    labels->count = (int32_t)lines;
    labels->mark = (size_t *)(labels + 1);
    labels->text = (char *)(labels->mark + marks);
    return labels;
}

static kldve_labels *new_labels(kldve_ctx *ctx, const char *text, size_t nbytes, size_t lines)
{
    kldve_labels *labels = allocate(ctx, nbytes, lines);
    const char *end = text + nbytes;
    char *to = labels ? labels->text : NULL;

    for (size_t i = 0; labels && i < lines; i++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((stop ? stop : end) - text);

        if (i % KLDVE_LABELS_A_MARK == 0)
            labels->mark[i / KLDVE_LABELS_A_MARK] = (size_t)(to - labels->text);
        to = put_line(to, text, n);
        text = stop ? stop + 1 : end;
    }
    return labels;
}

/* `where` begins the messages: "PATH: " or "". */
static kldve_status parse(kldve_ctx *ctx, const char *where, const char *text, size_t nbytes,
                          kldve_labels **out)
{
    kldve_labels *labels;
    size_t lines;

    if (nbytes > (uint64_t)kldve_limit_of(ctx, KLDVE_LIMIT_LABELS))
        return kldve_ctx_fail_limit(ctx, KLDVE_LIMIT_LABELS, "%s%zu bytes of labels", where,
                                    nbytes);
    if (nbytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        nbytes -= 3;
    }
    if (nbytes > 0 && memchr(text, '\0', nbytes))
        return kldve_ctx_failf(ctx, KLDVE_E_FORMAT, "%snot a text file: give one label per line",
                               where);
    lines = count_lines(text, nbytes);
    if (lines > INT32_MAX)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED, "%s%zu labels", where, lines);
    if (lines == 0)
        return kldve_ctx_failf(ctx, KLDVE_E_FORMAT, "%sno labels: give one per line", where);
    labels = new_labels(ctx, text, nbytes, lines);
    if (!labels)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%sout of memory", where);
    *out = labels;
    return KLDVE_OK;
}

kldve_status kldve_labels_parse(kldve_ctx *ctx, const char *text, size_t nbytes, kldve_labels **out)
{
    kldve_ctx_clear(ctx);
    if (!ctx || !text || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "labels: an argument is NULL");
    return parse(ctx, "", text, nbytes, out);
}

kldve_status kldve_labels_load(kldve_ctx *ctx, const char *path, kldve_labels **out)
{
    kldve_buffer file = {ctx, NULL, 0, 0};
    char where[WHERE_SIZE];
    kldve_status status;

    kldve_ctx_clear(ctx);
    if (!ctx || !path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "labels: an argument is NULL");
    status = kldve_file_read(ctx, path, KLDVE_LIMIT_LABELS, &file);
    if (status != KLDVE_OK)
        return status;
    snprintf(where, sizeof where, "%s: ", path);
    status = parse(ctx, where, file.bytes ? (const char *)file.bytes : "", file.length, out);
    kldve_buffer_free(&file);
    return status;
}

void kldve_labels_free(kldve_labels *labels)
{
    if (labels)
        kldve_ctx_release(labels->ctx, labels);
}

int32_t kldve_labels_count(const kldve_labels *labels)
{
    return labels ? labels->count : 0;
}

static kldve_status check_index(const kldve_labels *labels, int32_t index, const void *out)
{
    if (!labels || !out)
        return KLDVE_E_ARG;
    return index >= 0 && index < labels->count ? KLDVE_OK : KLDVE_E_NOT_FOUND;
}

kldve_status kldve_labels_name(const kldve_labels *labels, int32_t index, const char **name)
{
    kldve_status st = check_index(labels, index, name);

    if (st == KLDVE_OK)
        *name = kldve_label_at(labels, index).name;
    return st;
}

kldve_status kldve_labels_synset(const kldve_labels *labels, int32_t index, const char **synset)
{
    kldve_status st = check_index(labels, index, synset);

    if (st == KLDVE_OK)
        *synset = kldve_label_at(labels, index).synset;
    return st;
}
