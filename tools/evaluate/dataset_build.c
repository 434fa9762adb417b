/* dataset_build.c - a data set while it is made: findings are added in any order and become
 * questions in the one order that every machine sees. */
#include "dataset_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Something that is asked about a picture, and a piece of where it lies. */
struct dataset_draft {
    int64_t number; /* in the order in which they were added */
    const char *label;
    dataset_piece piece; /* kind 0: none */
    bool located;        /* something is known of where it lies, wanted or not */
    int32_t photo;
    const char *key;
};

typedef struct dataset_draft draft;

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

bool dataset_add(dataset *d, int32_t photo, const char *label, const dataset_piece *box,
                 const dataset_piece *mask)
{
    const dataset_piece *piece = d->args.truth == DATASET_TRUTH_BOXES   ? box
                                 : d->args.truth == DATASET_TRUTH_MASKS ? mask
                                 : mask                                 ? mask
                                                                        : box;
    draft *grown = NULL, *made;

    if (d->drafts == INT32_MAX)
        complain("%s: too many annotations", d->name);
    else
        grown = dataset_grow(d->draft, d->drafts, sizeof *d->draft);
    if (!grown)
        return false;
    d->draft = grown;
    made = &d->draft[d->drafts];
    memset(made, 0, sizeof *made);
    made->number = d->drafts++;
    made->label = label ? label : "";
    made->photo = photo;
    made->key = d->photo[photo].key;
    made->located = box || mask;
    if (piece)
        made->piece = *piece;
    return true;
}

static bool same_question(const draft *a, const draft *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->label, b->label) == 0;
}

static int by_key(const void *left, const void *right)
{
    const draft *a = left, *b = right;
    int order = strcmp(a->key, b->key);

    if (order == 0)
        order = strcmp(a->label, b->label);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

const char *dataset_numbered(dataset *d, const char *key, int32_t number, bool always)
{
    char end[16];
    size_t n = strlen(key);
    char *text;
    const char *made = NULL;

    if (number == 1 && !always)
        return key;
    snprintf(end, sizeof end, "#%d", (int)number);
    text = malloc(n + sizeof end);
    if (text) {
        memcpy(text, key, n);
        memcpy(text + n, end, sizeof end);
        made = dataset_text(d, text, strlen(text));
    } else {
        complain("%s: out of memory", d->name);
    }
    free(text);
    return made;
}

/* One question of `count` drafts, where there are zeros so far. */
static bool make_question(dataset *d, const draft *of, int64_t count, int64_t *pieces)
{
    question *q = &d->question[d->questions];
    const question *before = d->questions > 0 ? q - 1 : NULL;
    bool same = before && strcmp(d->photo[before->photo[0]].key, of->key) == 0;
    static const int32_t none = -1;

    q->tile = same ? before->tile + 1 : 1; /* for a moment: which question about its picture */
    q->key = dataset_numbered(d, of->key, q->tile, false);
    q->picture = of->key;
    q->label = *of->label ? of->label : NULL;
    q->label_number = none;
    q->photos = 1;
    q->photo[0] = of->photo;
    q->first = *pieces;
    for (int64_t i = 0; i < count; i++)
        if (of[i].piece.kind != 0) {
            d->piece[(*pieces)++] = of[i].piece;
            q->pieces++;
        }
    d->questions++;
    return q->key != NULL;
}

/* Findings that say the same as others and nothing more. */
static bool note_repeated(dataset *d)
{
    dataset_tally again = {.count = 0};

    for (int64_t i = 1; i < d->drafts; i++)
        if (!d->draft[i - 1].located && !d->draft[i].located &&
            same_question(&d->draft[i - 1], &d->draft[i]))
            dataset_tally_add(&again, d->draft[i].key);
    return dataset_tally_note(d, &again, "picture is named more than once under one label",
                              "pictures are named more than once under one label");
}

static bool make_questions(dataset *d)
{
    int64_t pieces = 0;

    d->question = calloc((size_t)d->drafts, sizeof *d->question);
    d->piece = calloc((size_t)d->drafts, sizeof *d->piece);
    if (!d->question || !d->piece) {
        complain("%s: out of memory", d->name);
        return false;
    }
    for (int64_t i = 0, count; i < d->drafts; i += count) {
        for (count = 1; i + count < d->drafts; count++)
            if (!same_question(&d->draft[i], &d->draft[i + count]))
                break;
        if (!make_question(d, &d->draft[i], count, &pieces))
            return false;
    }
    for (int32_t i = 0; i < d->questions; i++)
        d->question[i].tile = 0;
    return true;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

bool dataset_list_labels(dataset *d)
{
    const char **label = calloc((size_t)d->questions + 1, sizeof *label);
    size_t count = 0, different = 0;

    if (!label) {
        complain("%s: out of memory", d->name);
        return false;
    }
    for (int32_t i = 0; i < d->questions; i++)
        if (d->question[i].label)
            label[count++] = d->question[i].label;
    qsort(label, count, sizeof *label, by_text);
    for (size_t i = 0; i < count; i++)
        if (different == 0 || strcmp(label[different - 1], label[i]) != 0)
            label[different++] = label[i];
    free(d->label);
    d->label = label;
    d->labels = (int32_t)different;
    for (int32_t i = 0; i < d->questions; i++) {
        question *q = &d->question[i];
        const char **found =
            q->label ? bsearch(&q->label, label, different, sizeof *label, by_text) : NULL;

        q->label_number = found ? (int32_t)(found - label) : -1;
    }
    return true;
}

bool dataset_finish(dataset *d)
{
    bool ok;

    if (d->drafts == 0) {
        complain("%s: there is no picture to ask about%s%s", d->name, d->notes > 0 ? "; " : "",
                 d->notes > 0 ? d->note[d->notes - 1] : "");
        return false;
    }
    qsort(d->draft, (size_t)d->drafts, sizeof *d->draft, by_key);
    ok = note_repeated(d) && make_questions(d) && dataset_list_labels(d);
    free(d->draft);
    d->draft = NULL;
    d->drafts = 0;
    return ok;
}
