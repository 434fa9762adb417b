/* dataset_build.c - a data set while it is made: pictures and questions are added in any order and
 * brought into the one order that every machine sees. */
#include "dataset_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int32_t dataset_add_photo(dataset *d, const dataset_photo *photo)
{
    dataset_photo *grown = NULL;

    if (d->photos == INT32_MAX)
        complain("%s: too many pictures", d->name);
    else
        grown = dataset_grow(d->photo, d->photos, sizeof *d->photo);
    if (!grown)
        return -1;
    d->photo = grown;
    d->photo[d->photos] = *photo;
    return d->photos++;
}

question *dataset_add_question(dataset *d, int32_t photo, const char *label)
{
    question *grown = NULL, *q;

    if (d->questions == INT32_MAX)
        complain("%s: too many questions", d->name);
    else
        grown = dataset_grow(d->question, d->questions, sizeof *d->question);
    if (!grown)
        return NULL;
    d->question = grown;
    q = &d->question[d->questions++];
    memset(q, 0, sizeof *q);
    q->key = d->photo[photo].key;
    q->label = label && *label ? label : NULL;
    q->label_number = -1;
    q->photos = 1;
    q->photo[0] = photo;
    return q;
}

/* By key, then by label; numbers of pictures make the order of equals a fixed one. */
static int by_key(const void *left, const void *right)
{
    const question *a = left, *b = right;
    int order = strcmp(a->key, b->key);

    if (order == 0)
        order = strcmp(a->label ? a->label : "", b->label ? b->label : "");
    if (order == 0)
        order = (a->photo[0] > b->photo[0]) - (a->photo[0] < b->photo[0]);
    if (order == 0)
        order = (a->first > b->first) - (a->first < b->first);
    return order;
}

/* "#2" for the second question about a picture, "#3" for the next. */
static bool number_keys(dataset *d)
{
    const char *before = NULL;
    int32_t same = 1;

    for (int32_t i = 0; i < d->questions; i++) {
        const char *key = d->question[i].key;
        char number[16];
        char *text;

        same = before && strcmp(before, key) == 0 ? same + 1 : 1;
        before = key;
        if (same == 1)
            continue;
        snprintf(number, sizeof number, "#%d", (int)same);
        text = malloc(strlen(key) + sizeof number);
        if (text) {
            strcpy(text, key);
            strcat(text, number);
            d->question[i].key = dataset_text(d, text, strlen(text));
        }
        free(text);
        if (!text || !d->question[i].key)
            return false;
    }
    return true;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The different labels, and the number of each question's. */
static bool list_labels(dataset *d)
{
    const char **label = calloc((size_t)d->questions + 1, sizeof *label);
    int32_t count = 0, different = 0;

    if (!label) {
        complain("%s: out of memory", d->name);
        return false;
    }
    for (int32_t i = 0; i < d->questions; i++)
        if (d->question[i].label)
            label[count++] = d->question[i].label;
    qsort(label, (size_t)count, sizeof *label, by_text);
    for (int32_t i = 0; i < count; i++)
        if (different == 0 || strcmp(label[different - 1], label[i]) != 0)
            label[different++] = label[i];
    free(d->label);
    d->label = label;
    d->labels = different;
    for (int32_t i = 0; i < d->questions; i++) {
        question *q = &d->question[i];
        const char **found =
            q->label ? bsearch(&q->label, label, (size_t)different, sizeof *label, by_text) : NULL;

        q->label_number = found ? (int32_t)(found - label) : -1;
    }
    return true;
}

bool dataset_finish(dataset *d)
{
    if (d->questions == 0) {
        complain("%s: there is no picture to ask about", d->name);
        return false;
    }
    qsort(d->question, (size_t)d->questions, sizeof *d->question, by_key);
    return number_keys(d) && list_labels(d);
}
