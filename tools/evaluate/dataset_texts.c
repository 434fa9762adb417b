/* dataset_texts.c - texts that live as long as their data set, arrays that grow, and notes. */
#include "dataset_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 };

/* A block of texts.  Texts of whole data sets are freed at once, and one malloc() for each would
 * take more memory than the text. */
struct dataset_texts {
    struct dataset_texts *next;
    size_t used, size;
    char text[];
};

const char *dataset_text(dataset *d, const char *text, size_t nbytes)
{
    struct dataset_texts *block = d->texts;
    char *copy;

    if (!block || block->size - block->used <= nbytes) {
        size_t size = nbytes < BLOCK / 4 ? BLOCK : nbytes + 1;

        block = malloc(sizeof *block + size);
        if (!block) {
            complain("%s: out of memory", d->name);
            return NULL;
        }
        block->next = d->texts;
        block->used = 0;
        block->size = size;
        d->texts = block;
    }
    copy = block->text + block->used;
    memcpy(copy, text, nbytes);
    copy[nbytes] = '\0';
    block->used += nbytes + 1;
    return copy;
}

const char *dataset_label(dataset *d, const char *text, size_t nbytes)
{
    char raw[LABEL_SIZE], clean[LABEL_SIZE];
    char *end;

    while (nbytes > 0 && strchr(" \t\r", *text))
        text++, nbytes--;
    snprintf(raw, sizeof raw, "%.*s", nbytes < sizeof raw ? (int)nbytes : (int)sizeof raw, text);
    clean_text(raw, clean, sizeof clean);
    for (end = clean + strlen(clean); end > clean && end[-1] == ' ';)
        *--end = '\0';
    return dataset_text(d, clean, strlen(clean));
}

void dataset_texts_free(struct dataset_texts *texts)
{
    while (texts) {
        struct dataset_texts *next = texts->next;

        free(texts);
        texts = next;
    }
}

void *dataset_grow(void *array, int64_t count, size_t item)
{
    void *grown;

    if (count < 0 || (uint64_t)count > SIZE_MAX / item / 4) {
        complain("out of memory");
        return NULL;
    }
    if (array && (count & (count - 1)) != 0) /* has room up to the next power of two */
        return array;
    grown = realloc(array, (size_t)(count > 0 ? 2 * count : 1) * item);
    if (!grown)
        complain("out of memory");
    return grown;
}

bool dataset_note(dataset *d, const char *format, ...)
{
    char text[MESSAGE_SIZE], clean[MESSAGE_SIZE];
    const char **grown = dataset_grow(d->note, d->notes, sizeof *d->note), *copy;
    va_list args;

    if (!grown)
        return false;
    d->note = grown;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    clean_text(text, clean, sizeof clean); /* names of columns are as the file has them */
    copy = dataset_text(d, clean, strlen(clean));
    if (copy)
        d->note[d->notes++] = copy;
    return copy != NULL;
}

void dataset_tally_add(dataset_tally *t, const char *name)
{
    char clean[LABEL_SIZE / DATASET_NAMED];

    if (t->count++ >= DATASET_NAMED)
        return;
    clean_text(name, clean, sizeof clean);
    list_name(t->names, sizeof t->names, clean);
}

bool dataset_tally_note(dataset *d, const dataset_tally *t, const char *one, const char *many)
{
    if (t->count == 0)
        return true;
    return dataset_note(d, "%d %s: %s%s", (int)t->count, t->count == 1 ? one : many, t->names,
                        t->count > DATASET_NAMED ? ", ..." : "");
}
