/* diff_bounds.c - what --at-least and --at-most ask for. */
#include "diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/getters.h"

void diff_measures_list(diff_measures *m)
{
    const kldve_metric *metric;

    m->count = 0;
    for (int32_t i = 0; m->count < DIFF_MEASURES && (metric = metric_number(i)) != NULL; i++)
        if (metric->family && strcmp(metric->family, "agreement") == 0)
            m->metric[m->count++] = metric;
}

static int32_t find(const diff_measures *m, const char *name, size_t n)
{
    for (int32_t i = 0; i < m->count; i++)
        if (strlen(m->metric[i]->name) == n && memcmp(m->metric[i]->name, name, n) == 0)
            return i;
    return -1;
}

/* A finite number and nothing else. */
static bool read_limit(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

static int read_bound(diff_bound *b, const diff_measures *m, const char *option, const char *text)
{
    const char *equals = strchr(text, '=');
    char names[MESSAGE_SIZE / 2] = "";
    const kldve_metric *metric;

    b->measure = equals ? find(m, text, (size_t)(equals - text)) : -1;
    if (b->measure < 0) {
        for (int32_t i = 0; i < m->count; i++)
            list_name(names, sizeof names, m->metric[i]->name);
        return args_usage("diff", "%s %s: give NAME=NUMBER, where NAME is one of %s", option, text,
                          names);
    }
    metric = m->metric[b->measure];
    if (!read_limit(equals + 1, &b->limit))
        return args_usage("diff", "%s %s: '%s' is not a finite number", option, text, equals + 1);
    if (b->limit < metric->low || b->limit > metric->high)
        return args_usage("diff", "%s %s: %s lies in %g to %g", option, text, metric->name,
                          metric->low, metric->high);
    return EXIT_DONE;
}

static int read_bounds(diff_bounds *b, const diff_measures *m, const arg_list *given, bool at_most)
{
    const char *option = at_most ? "--at-most" : "--at-least";

    for (int32_t i = 0; i < given->count; i++) {
        diff_bound *bound = &b->bound[b->count++];

        bound->at_most = at_most;
        if (read_bound(bound, m, option, given->text[i]) != EXIT_DONE)
            return EXIT_USAGE;
    }
    return EXIT_DONE;
}

int diff_bounds_read(diff_bounds *b, const diff_measures *m, const arg_list *at_least,
                     const arg_list *at_most)
{
    size_t most = (size_t)at_least->count + (size_t)at_most->count;
    int status;

    b->count = 0;
    b->bound = calloc(most + 1, sizeof *b->bound);
    if (!b->bound) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    status = read_bounds(b, m, at_least, false);
    return status == EXIT_DONE ? read_bounds(b, m, at_most, true) : status;
}
