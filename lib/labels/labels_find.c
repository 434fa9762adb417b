/* labels_find.c - the class that somebody means: by index, synset, label, or one of its names. */
#include "labels_list.h"
#include "base/ctx.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <kldve/backend.h>

enum {
    WHAT_LIMIT = 128, /* bytes of a search; nobody types a longer label */
    SUGGESTIONS = 3,  /* nearest labels that a message names */
    CANDIDATES = 5,   /* labels that a message lists when several fit */
    LIST_SIZE = 384   /* bytes of such a list in a message */
};

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static bool same(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

/* The next of the names "tench, Tinca tinca", without blanks around it; false after the last. */
static bool next_name(const char **rest, const char **name, size_t *n)
{
    const char *p = *rest, *end;

    while (*p == ',' || kldve_label_space(*p))
        p++;
    if (*p == '\0')
        return false;
    end = strchr(p, ',');
    if (!end)
        end = p + strlen(p);
    *rest = end;
    *name = p;
    while (end > p && kldve_label_space(end[-1]))
        end--;
    assert(end > p);
    *n = (size_t)(end - p);
    return true;
}

static bool is_synset(const kldve_label *l, const char *what, size_t n)
{
    return n == KLDVE_SYNSET && l->synset[0] != '\0' && same(l->synset, what, n);
}

static bool is_whole(const kldve_label *l, const char *what, size_t n)
{
    return n > 0 && strlen(l->name) == n && same(l->name, what, n);
}

static bool is_name(const kldve_label *l, const char *what, size_t n)
{
    const char *rest = l->name, *name;
    size_t length;

    while (next_name(&rest, &name, &length))
        if (length == n && same(name, what, n))
            return true;
    return false;
}

/* Append to a list in a message; what does not fit is left out. */
static void list_add(char list[LIST_SIZE], const char *separator, const kldve_label *l,
                     int32_t index)
{
    size_t used = strlen(list);
    char item[160];
    int n = snprintf(item, sizeof item, "%s%d '%.80s'", *list ? separator : "", index, l->name);

    if (n > 0 && (size_t)n < sizeof item && used + (size_t)n < LIST_SIZE)
        memcpy(list + used, item, (size_t)n + 1);
}

static kldve_status several(kldve_ctx *ctx, const kldve_labels *labels, const char *what, size_t n,
                            bool (*fits)(const kldve_label *, const char *, size_t))
{
    char list[LIST_SIZE] = "";
    kldve_label l = {.next = labels->text};
    int32_t found = 0;

    for (int32_t i = 0; i < labels->count; i++) {
        l = kldve_label_read(l.next);
        if (fits(&l, what, n) && found++ < CANDIDATES)
            list_add(list, ", ", &l, i);
    }
    return kldve_ctx_failf(ctx, KLDVE_E_ARG, "'%s' names %d classes: %s%s; give the index of one",
                           what, (int)found, list, found > CANDIDATES ? ", ..." : "");
}

/* Levenshtein's distance between a name and the search, in O(n) memory. */
static size_t distance(const char *name, size_t length, const char *what, size_t n)
{
    size_t row[WHAT_LIMIT + 1];

    assert(n <= WHAT_LIMIT);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t replace = diagonal + (lower(name[i - 1]) != lower(what[j - 1]));
            size_t best = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = replace < best ? replace : best;
        }
    }
    return row[n];
}

/* True when `what` is in the name as whole words: "cat" in "Egyptian cat". */
static bool has_words(const char *name, size_t length, const char *what, size_t n)
{
    assert(n > 0);
    for (size_t i = 0; i + n <= length; i++)
        if (same(name + i, what, n) && (i == 0 || name[i - 1] == ' ' || name[i - 1] == '-') &&
            (i + n == length || name[i + n] == ' ' || name[i + n] == '-'))
            return true;
    return false;
}

/* How far a label is from the search: a name that contains all its words beats any misspelling. */
static size_t remoteness(const kldve_label *l, const char *what, size_t n)
{
    const char *rest = l->name, *name;
    size_t length, best = SIZE_MAX;

    while (next_name(&rest, &name, &length)) {
        size_t d;

        if (length > WHAT_LIMIT)
            length = WHAT_LIMIT;
        d = has_words(name, length, what, n) ? 0 : distance(name, length, what, n);
        best = d < best ? d : best;
    }
    return best;
}

static kldve_status none(kldve_ctx *ctx, const kldve_labels *labels, const char *what, size_t n)
{
    char list[LIST_SIZE] = "";
    size_t distance_of[SUGGESTIONS];
    int32_t nearest[SUGGESTIONS], found = 0;
    kldve_label l = {.next = labels->text};

    /* Insert into the few best; the first of equals stays in front. */
    for (int32_t i = 0; i < labels->count; i++) {
        size_t d;
        int32_t at = found;

        l = kldve_label_read(l.next);
        d = remoteness(&l, what, n);
        while (at > 0 && d < distance_of[at - 1])
            at--;
        if (d == SIZE_MAX || at >= SUGGESTIONS)
            continue;
        found = found < SUGGESTIONS ? found + 1 : found;
        for (int32_t j = found - 1; j > at; j--) {
            distance_of[j] = distance_of[j - 1];
            nearest[j] = nearest[j - 1];
        }
        assert(at < found && found <= SUGGESTIONS);
        distance_of[at] = d;
        nearest[at] = i;
    }
    for (int32_t i = 0; i < found; i++) {
        l = kldve_label_at(labels, nearest[i]);
        if (i == 0 || distance_of[i] <= n / 2) /* one may be far off; more would be noise */
            list_add(list, " or ", &l, nearest[i]);
    }
    return kldve_ctx_failf(ctx, KLDVE_E_NOT_FOUND, "no class is called '%s'%s%s%s", what,
                           *list ? "; did you mean " : "", list, *list ? "?" : "");
}

/* Digits only -> their value, at most INT32_MAX; -1: not digits only. */
static int32_t as_index(const char *what)
{
    int64_t value = 0;

    for (const char *p = what; *p; p++) {
        if (!kldve_label_digit(*p))
            return -1;
        value = value * 10 + (*p - '0');
        if (value > INT32_MAX)
            value = INT32_MAX;
    }
    return *what ? (int32_t)value : -1;
}

kldve_status kldve_labels_find(kldve_ctx *ctx, const kldve_labels *labels, const char *what,
                               int32_t *index)
{
    static bool (*const fits[])(const kldve_label *, const char *, size_t) = {is_synset, is_whole,
                                                                              is_name};
    size_t n;

    kldve_ctx_clear(ctx);
    if (!ctx || !labels || !what || !index)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "labels: an argument is NULL");
    n = strlen(what);
    if (n == 0 || n > WHAT_LIMIT)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "a label of %zu bytes: give 1 to %d", n,
                               (int)WHAT_LIMIT);
    if (as_index(what) >= 0) {
        if (as_index(what) >= labels->count)
            return kldve_ctx_failf(ctx, KLDVE_E_NOT_FOUND,
                                   "class %s: there are %d classes, give 0 to %d", what,
                                   (int)labels->count, (int)labels->count - 1);
        *index = as_index(what);
        return KLDVE_OK;
    }
    for (size_t rule = 0; rule < sizeof fits / sizeof *fits; rule++) {
        kldve_label l = {.next = labels->text};
        int32_t found = -1;

        for (int32_t i = 0; i < labels->count; i++) {
            l = kldve_label_read(l.next);
            if (!fits[rule](&l, what, n))
                continue;
            if (found >= 0)
                return several(ctx, labels, what, n, fits[rule]);
            found = i;
        }
        if (found >= 0) {
            *index = found;
            return KLDVE_OK;
        }
    }
    return none(ctx, labels, what, n);
}
