/* dataset_classes.c - which classes of a network the labels of a data set mean. */
#include "dataset_parts.h"

#include "cli/sha256.h"
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A label means a class. */
typedef struct meaning {
    int32_t label, target;
} meaning;

typedef struct match {
    const dataset *d;
    const network *n;
    meaning *pair;
    int64_t pairs;
    dataset_tally missing;
} match;

/* The index of a class; -1: the network has none of that name, or several. */
static int32_t class_of(const network *n, const char *name)
{
    int32_t index = -1;
    char *end;
    unsigned long number;

    if (n->labels)
        return kldve_labels_find(n->ctx, n->labels, name, &index) == KLDVE_OK ? index : -1;
    number = strtoul(name, &end, 10);
    return *name >= '0' && *name <= '9' && *end == '\0' && number < (unsigned long)n->shape.classes
               ? (int32_t)number
               : -1;
}

static bool add(match *m, int32_t label, int32_t target)
{
    meaning *grown = dataset_grow(m->pair, m->pairs, sizeof *m->pair);

    if (!grown)
        return false;
    m->pair = grown;
    m->pair[m->pairs++] = (meaning){label, target};
    return true;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(left, *(const char *const *)right);
}

/* The number of a label of the data set; -1: it has none of that name. */
static int32_t label_of(const dataset *d, const char *text)
{
    char clean[LABEL_SIZE];
    const char **found;

    clean_text(text, clean, sizeof clean);
    found = bsearch(clean, d->label, (size_t)d->labels, sizeof *d->label, by_text);
    return found ? (int32_t)(found - d->label) : -1;
}

/* A row: a label, and one or more classes of the network. */
static bool add_row(match *m, const rows *r)
{
    int32_t label = label_of(m->d, r->cell[0]);

    for (int32_t i = 1; i < r->cells && label >= 0; i++) {
        int32_t target = class_of(m->n, r->cell[i]);

        if (*r->cell[i] == '\0')
            continue;
        if (target < 0)
            dataset_tally_add(&m->missing, r->cell[i]);
        else if (!add(m, label, target))
            return false;
    }
    return true;
}

static bool read_file(match *m, const char *path)
{
    rows r;
    int got = -1;
    bool ok = rows_open(&r, path);

    while (ok && (got = rows_next(&r)) > 0) {
        if (r.cells < 2)
            complain("%s: line %d: a row is a label of the data set, and the network's class or "
                     "classes in further cells",
                     path, (int)r.line);
        ok = r.cells >= 2 && add_row(m, &r);
    }
    rows_close(&r);
    return ok && got == 0;
}

static bool match_names(match *m)
{
    for (int32_t i = 0; i < m->d->labels; i++) {
        int32_t target = class_of(m->n, m->d->label[i]);

        if (target >= 0 && !add(m, i, target))
            return false;
    }
    return true;
}

static int by_label(const void *left, const void *right)
{
    const meaning *a = left, *b = right;

    return a->label != b->label ? (a->label > b->label) - (a->label < b->label)
                                : (a->target > b->target) - (a->target < b->target);
}

/* The labels without a class. */
static void count_strange(const match *m, dataset_targets *out)
{
    const dataset *d = m->d;
    dataset_tally strange = {.count = 0};

    for (int32_t i = 0; i < d->labels; i++)
        if (out->first[i] == out->first[i + 1])
            dataset_tally_add(&strange, d->label[i]);
    for (int32_t i = 0; i < d->questions; i++) {
        int32_t label = d->question[i].label_number;

        out->strange_questions += label >= 0 && out->first[label] == out->first[label + 1];
    }
    out->strange = strange.count;
    memcpy(out->names, strange.names, sizeof out->names);
    out->missing = m->missing.count;
    memcpy(out->missing_names, m->missing.names, sizeof out->missing_names);
}

/* The pairs, each once, as lists. */
static bool make_lists(match *m, dataset_targets *out)
{
    int32_t labels = m->d->labels, used = 0;

    out->first = calloc((size_t)labels + 1, sizeof *out->first);
    out->target = calloc((size_t)m->pairs + 1, sizeof *out->target);
    if (!out->first || !out->target) {
        complain("%s: out of memory", m->d->name);
        return false;
    }
    if (m->pairs > 0)
        qsort(m->pair, (size_t)m->pairs, sizeof *m->pair, by_label);
    for (int64_t i = 0, label = 0; label < labels; label++) {
        out->first[label] = used;
        for (; i < m->pairs && m->pair[i].label == label; i++)
            if (used == out->first[label] || out->target[used - 1] != m->pair[i].target)
                out->target[used++] = m->pair[i].target;
    }
    out->first[labels] = used;
    return true;
}

bool dataset_match(const dataset *d, const network *n, dataset_targets *out)
{
    match m = {.d = d, .n = n};
    bool ok;

    memset(out, 0, sizeof *out);
    ok =
        (d->args.classes ? read_file(&m, d->args.classes) : match_names(&m)) && make_lists(&m, out);
    if (ok)
        count_strange(&m, out);
    free(m.pair);
    return ok;
}

bool dataset_classes_digest(const char *path, char *text)
{
    size_t nbytes;
    char *bytes = dataset_read_file(path, DATASET_FILE_MAX, &nbytes);
    sha256 digest;

    if (!bytes)
        return false;
    sha256_begin(&digest);
    sha256_add(&digest, bytes, nbytes);
    sha256_end(&digest, text);
    free(bytes);
    return true;
}

void dataset_targets_free(dataset_targets *t)
{
    free(t->first);
    free(t->target);
    memset(t, 0, sizeof *t);
}
