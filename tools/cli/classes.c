/* classes.c - classes by their scores, and by their names on the command line. */
#include "tool.h"
#include "getters.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int32_t classes_top(const float *logits, size_t count, int32_t top[TOP])
{
    int32_t tops = 0;

    for (int32_t i = 0; i < (int32_t)count; i++) {
        int32_t at = tops;

        while (at > 0 && logits[i] > logits[top[at - 1]])
            at--;
        if (at == TOP)
            continue;
        if (tops < TOP)
            tops++;
        memmove(top + at + 1, top + at, (size_t)(tops - 1 - at) * sizeof *top);
        top[at] = i;
    }
    return tops;
}

double classes_probability(const kldve_heatmap *map, int32_t index)
{
    const double *p = map_probabilities(map, NULL);

    return p ? p[index] : (double)NAN;
}

bool scores_are_independent(const kldve_shape *shape)
{
    return shape->scores == KLDVE_SCORES_SIGMOID && !shape->single;
}

const char *scores_meaning(const kldve_shape *shape)
{
    switch (shape->scores) {
    case KLDVE_SCORES_SIGMOID:
        return scores_are_independent(shape)
                   ? "each class by itself, so the probabilities do not sum to 100 %"
                   : NULL;
    case KLDVE_SCORES_RAW:
        return shape->single ? "the sigmoid of a raw score, which is an assumption"
                             : "the softmax of raw scores, which is an assumption";
    case KLDVE_SCORES_NUMBER:
        return "none, because the network gives one number and no class";
    default:
        return NULL;
    }
}

const char *number_question(int32_t index)
{
    return index == 0 ? "why so high" : "why not higher";
}

/* The two that look least at the network: one pass, or two where there is no layer. */
void classes_ask(const network *n, kldve_options *o)
{
    memset(o, 0, sizeof *o);
    o->struct_size = sizeof *o;
    o->reading = KLDVE_READING_PAPER; /* needs no gradient */
    if (n->shape.maps > 0)
        return;
    o->reading = KLDVE_READING_DEFAULT;
    o->method = "occlusion";
    o->window = INT32_MAX; /* one place */
}

/* ---- the target --------------------------------------------------------------------------- */

/* "top1" is rank 0; false if the text has another form. */
static bool read_rank(const char *text, int32_t *rank)
{
    char *end;
    long n;

    if (strncmp(text, "top", 3) != 0 || text[3] < '0' || text[3] > '9')
        return false;
    errno = 0;
    n = strtol(text + 3, &end, 10);
    if (*end != '\0')
        return false;
    *rank = errno != 0 || n > INT32_MAX ? INT32_MAX : (int32_t)n - 1;
    return true;
}

/* A whole number -> it, at most INT32_MAX and at least -1. */
static bool read_index(const char *text, int32_t *index)
{
    const char *digits = *text == '-' || *text == '+' ? text + 1 : text;
    char *end;
    long n;

    if (*digits < '0' || *digits > '9')
        return false;
    errno = 0;
    n = strtol(text, &end, 10);
    if (*end != '\0')
        return false;
    *index = n < 0 ? -1 : errno != 0 || n > INT32_MAX ? INT32_MAX : (int32_t)n;
    return true;
}

/* One of the two names that a single score has: "yes", "not cat". */
static bool read_single(const network *n, const char *text, int32_t *index)
{
    for (*index = 0; *index < 2; ++*index) {
        char label[LABEL_SIZE];

        network_label(n, *index, label);
        if (strcasecmp(text, label) == 0)
            return true;
    }
    return false;
}

bool classes_target(const network *n, const char *option, const char *text, kldve_options *o)
{
    int32_t classes = n->shape.classes;
    kldve_status status;

    if (read_rank(text, &o->target)) {
        o->target_kind = KLDVE_TARGET_RANK;
        if (o->target >= 0 && o->target < classes)
            return true;
        complain("%s: --%s %s: there are %d classes, give top1 to top%d", n->name, option, text,
                 (int)classes, (int)classes);
        return false;
    }
    o->target_kind = KLDVE_TARGET_INDEX;
    if (read_index(text, &o->target)) {
        if (o->target >= 0 && o->target < classes)
            return true;
        complain("%s: --%s %s: there are %d classes, give 0 to %d", n->name, option, text,
                 (int)classes, (int)classes - 1);
        return false;
    }
    if (n->shape.single && read_single(n, text, &o->target))
        return true;
    if (!n->labels) {
        complain("%s: --%s %s: the network has no labels; give an index or --labels FILE", n->name,
                 option, text);
        return false;
    }
    status = kldve_labels_find(n->ctx, n->labels, text, &o->target);
    if (status == KLDVE_OK)
        return true;
    complain("%s: --%s %s: %s", n->name, option, text, kldve_ctx_message(n->ctx));
    return false;
}
