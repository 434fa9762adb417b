/* classes.c - classes by their scores, and by their names on the command line. */
#include "tool.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* The sum of exp(logit - *top), which cannot overflow. */
static double partition(const float *logits, size_t count, double *top)
{
    double sum = 0;

    *top = (double)logits[0];
    for (size_t i = 1; i < count; i++)
        *top = fmax(*top, (double)logits[i]);
    for (size_t i = 0; i < count; i++)
        sum += exp((double)logits[i] - *top);
    return sum;
}

double classes_probability(const float *logits, size_t count, int32_t index)
{
    double top, sum = partition(logits, count, &top);

    return exp((double)logits[index] - top) / sum;
}

void classes_probabilities(const float *logits, size_t count, double *out)
{
    double top, sum = partition(logits, count, &top);

    for (size_t i = 0; i < count; i++)
        out[i] = exp((double)logits[i] - top) / sum;
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

/* Digits only -> the number, INT32_MAX at most. */
static bool read_index(const char *text, int32_t *index)
{
    char *end;
    long n;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    n = strtol(text, &end, 10);
    if (*end != '\0')
        return false;
    *index = errno != 0 || n > INT32_MAX ? INT32_MAX : (int32_t)n;
    return true;
}

bool classes_target(const network *n, const char *text, kldve_options *o)
{
    int32_t classes = n->shape.classes;
    kldve_status status;

    if (read_rank(text, &o->target)) {
        o->target_kind = KLDVE_TARGET_RANK;
        if (o->target >= 0 && o->target < classes)
            return true;
        complain("%s: --target %s: there are %d classes, give top1 to top%d", n->name, text,
                 (int)classes, (int)classes);
        return false;
    }
    o->target_kind = KLDVE_TARGET_INDEX;
    if (read_index(text, &o->target)) {
        if (o->target < classes)
            return true;
        complain("%s: --target %s: there are %d classes, give 0 to %d", n->name, text, (int)classes,
                 (int)classes - 1);
        return false;
    }
    if (!n->labels) {
        complain("%s: --target %s: the network has no labels; give an index or --labels FILE",
                 n->name, text);
        return false;
    }
    status = kldve_labels_find(n->labels, text, &o->target);
    if (status == KLDVE_OK)
        return true;
    complain("%s: --target %s: %s", n->name, text, kldve_ctx_message(n->ctx));
    return false;
}
