/* labels.c - the names of a network's classes: reading and access. */
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

/* "n01440764" followed by a blank or the end. */
static bool starts_with_synset(const char *line)
{
    if (line[0] != 'n')
        return false;
    for (int i = 1; i < KLDVE_SYNSET; i++)
        if (!kldve_label_digit(line[i]))
            return false;
    return line[KLDVE_SYNSET] == '\0' || kldve_label_space(line[KLDVE_SYNSET]);
}

/* Trim blanks off both ends, in place. */
static char *trim(char *line)
{
    size_t n;

    while (kldve_label_space(*line))
        line++;
    for (n = strlen(line); n > 0 && kldve_label_space(line[n - 1]); n--)
        line[n - 1] = '\0';
    return line;
}

static void read_line(kldve_label *out, char *line)
{
    line = trim(line);
    memset(out->synset, 0, sizeof out->synset);
    if (starts_with_synset(line)) {
        memcpy(out->synset, line, KLDVE_SYNSET);
        line = trim(line + KLDVE_SYNSET);
    }
    out->name = line;
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

static kldve_labels *new_labels(kldve_ctx *ctx, const char *text, size_t nbytes, size_t lines)
{
    kldve_labels *labels;
    size_t size;
    char *copy, *end;

    assert(lines > 0 && lines <= INT32_MAX);
    if (!kldve_size_mul(lines, sizeof(kldve_label), &size) ||
        !kldve_size_add(size, sizeof *labels + 1, &size) || !kldve_size_add(size, nbytes, &size) ||
        !(labels = kldve_ctx_alloc(ctx, size, 1)))
        return NULL;
    labels->ctx = ctx;
    labels->count = (int32_t)lines;
    labels->label = (kldve_label *)(labels + 1);
    copy = (char *)(labels->label + lines);
    memcpy(copy, text, nbytes);
    copy[nbytes] = '\0';
    for (size_t i = 0; i < lines; i++, copy = end + 1) {
        end = strchr(copy, '\n');
        if (!end)
            end = copy + strlen(copy);
        *end = '\0';
        read_line(&labels->label[i], copy);
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
        *name = labels->label[index].name;
    return st;
}

kldve_status kldve_labels_synset(const kldve_labels *labels, int32_t index, const char **synset)
{
    kldve_status st = check_index(labels, index, synset);

    if (st == KLDVE_OK)
        *synset = labels->label[index].synset;
    return st;
}
