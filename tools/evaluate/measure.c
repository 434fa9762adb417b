/* measure.c - what --metric asks for: NAME[:KEY=VALUE...], a family, or all. */
#include "measure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/getters.h"
#include "cli/nearest.h"

/* ---- options of a metric ------------------------------------------------------------------ */

static const struct {
    const char *name;
    uint64_t option;
} keys[] = {
    {"steps", KLDVE_METRIC_OPTION_STEPS},         {"samples", KLDVE_METRIC_OPTION_SAMPLES},
    {"seed", KLDVE_METRIC_OPTION_SEED},           {"part", KLDVE_METRIC_OPTION_PART},
    {"noise", KLDVE_METRIC_OPTION_NOISE},         {"baseline", KLDVE_METRIC_OPTION_BASELINE},
    {"normalise", KLDVE_METRIC_OPTION_NORMALISE}, {"tolerance", KLDVE_METRIC_OPTION_TOLERANCE},
};

enum { KEYS = sizeof keys / sizeof *keys };

static const char *const baselines[] = {"zero", "blur", "mean", "black", "white"}; /* from 1 */

enum { BASELINES = sizeof baselines / sizeof *baselines };

void measure_list_options(uint64_t options, char *list, size_t size)
{
    for (int i = 0; i < KEYS; i++)
        if (options & keys[i].option)
            list_name(list, size, keys[i].name);
}

static bool read_count(const char *text, int32_t *out)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno != 0 || n < 1 || n > INT32_MAX)
        return false;
    *out = (int32_t)n;
    return true;
}

static bool read_seed(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static bool read_positive(const char *text, double most, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return *text > ' ' && end != text && *end == '\0' && isfinite(*out) && *out > 0 && *out <= most;
}

static bool read_baseline(const char *text, int32_t *out)
{
    for (int i = 0; i < BASELINES; i++)
        if (strcmp(baselines[i], text) == 0) {
            *out = i + 1;
            return true;
        }
    return false;
}

static bool read_value(uint64_t option, const char *text, kldve_metric_options *o)
{
    switch (option) {
    case KLDVE_METRIC_OPTION_STEPS:
        return read_count(text, &o->steps);
    case KLDVE_METRIC_OPTION_SAMPLES:
        return read_count(text, &o->samples);
    case KLDVE_METRIC_OPTION_SEED:
        return read_seed(text, &o->seed);
    case KLDVE_METRIC_OPTION_PART:
        return read_positive(text, 1, &o->part);
    case KLDVE_METRIC_OPTION_NOISE:
        return read_positive(text, HUGE_VAL, &o->noise);
    case KLDVE_METRIC_OPTION_TOLERANCE:
        return read_positive(text, HUGE_VAL, &o->tolerance);
    case KLDVE_METRIC_OPTION_BASELINE:
        return read_baseline(text, &o->baseline);
    default: /* KLDVE_METRIC_OPTION_NORMALISE: 0 is the default, which would do nothing */
        o->normalise = 1;
        return strcmp(text, "1") == 0;
    }
}

/* What a wrong value should have been. */
static const char *value_of(uint64_t option)
{
    switch (option) {
    case KLDVE_METRIC_OPTION_STEPS:
    case KLDVE_METRIC_OPTION_SAMPLES:
        return "a whole number from 1";
    case KLDVE_METRIC_OPTION_SEED:
        return "a whole number";
    case KLDVE_METRIC_OPTION_PART:
        return "a number above 0 and at most 1";
    case KLDVE_METRIC_OPTION_NOISE:
    case KLDVE_METRIC_OPTION_TOLERANCE:
        return "a number above 0";
    case KLDVE_METRIC_OPTION_BASELINE:
        return "zero, blur, mean, black or white";
    default:
        return "1";
    }
}

/* ---- one metric --------------------------------------------------------------------------- */

static int refuse_key(const char *command, const kldve_metric *metric, const char *pair)
{
    char list[MESSAGE_SIZE / 4] = "";

    measure_list_options(metric->options, list, sizeof list);
    if (!*list)
        return args_usage(command, "--metric: '%s': %s takes no options", pair, metric->name);
    return args_usage(command, "--metric: '%s': the options of %s are %s, each KEY=VALUE", pair,
                      metric->name, list);
}

/* One "KEY=VALUE"; *seen has the options that were given before. */
static int read_pair(const char *command, const char *pair, measure *m, uint64_t *seen)
{
    const char *equals = strchr(pair, '=');
    uint64_t option = 0;

    for (int i = 0; equals && i < KEYS; i++)
        if (strlen(keys[i].name) == (size_t)(equals - pair) &&
            memcmp(keys[i].name, pair, (size_t)(equals - pair)) == 0)
            option = keys[i].option;
    if (!(option & m->metric->options))
        return refuse_key(command, m->metric, pair);
    if (*seen & option)
        return args_usage(command, "--metric: '%s': %s has it twice", pair, m->metric->name);
    *seen |= option;
    if (!read_value(option, equals + 1, &m->options))
        return args_usage(command, "--metric: '%s' of %s: the value is not %s", pair,
                          m->metric->name, value_of(option));
    return EXIT_DONE;
}

/* `text` is "KEY=VALUE:KEY=VALUE", which is cut up. */
static int read_pairs(const char *command, char *text, measure *m)
{
    uint64_t seen = 0;
    int status = EXIT_DONE;

    while (text && status == EXIT_DONE) {
        char *next = strchr(text, ':');

        if (next)
            *next++ = '\0';
        status = read_pair(command, text, m, &seen);
        text = next;
    }
    return status;
}

static const kldve_metric *find_metric(const char *name)
{
    const kldve_metric *metric = NULL;

    return kldve_metric_find(NULL, name, &metric) == KLDVE_OK ? metric : NULL;
}

static int refuse_metric(const char *command, const char *name)
{
    const kldve_metric *metric;
    char hint[NEAREST_HINT];
    nearest near;

    nearest_begin(&near, name, strlen(name));
    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++) {
        nearest_offer(&near, metric->name);
        if (metric->family)
            nearest_offer(&near, metric->family);
    }
    return args_usage(command, "--metric: there is no metric '%s'%s", name,
                      nearest_best(&near) ? nearest_hint(&near, "", hint)
                                          : "; 'kldve metrics' lists the names");
}

static int read_one(const char *command, const char *text, measure *m)
{
    char copy[MEASURE_NAME], *colon;

    memset(m, 0, sizeof *m);
    m->options.struct_size = sizeof m->options;
    if (snprintf(m->name, sizeof m->name, "%s", text) >= (int)sizeof m->name)
        return args_usage(command, "--metric: '%.40s...' is too long", text);
    memcpy(copy, m->name, sizeof copy);
    colon = strchr(copy, ':');
    if (colon)
        *colon++ = '\0';
    m->metric = find_metric(copy);
    if (!m->metric)
        return refuse_metric(command, copy);
    return read_pairs(command, colon, m);
}

/* ---- what can be measured ----------------------------------------------------------------- */

/* Why a metric cannot be computed here; NULL: it can. */
static const char *lacking(const kldve_metric *metric, const measure_can *can)
{
    if (metric->needs & KLDVE_METRIC_NEED_TRUTH && !can->truth)
        return "it asks where the object is, which this data set does not say";
    if (metric->needs & KLDVE_METRIC_NEED_OTHER && !can->other)
        return "it compares with the map of the first --method: give a second one";
    return NULL;
}

typedef struct measures {
    measure *out; /* [MEASURES] */
    int32_t count;
} measures;

static bool has(const measures *list, const char *name)
{
    for (int32_t i = 0; i < list->count; i++)
        if (strcmp(list->out[i].name, name) == 0)
            return true;
    return false;
}

/* A family is "all" or that of the metric. */
static bool in_family(const kldve_metric *metric, const char *name)
{
    return strcmp(name, "all") == 0 || (metric->family && strcmp(metric->family, name) == 0);
}

static bool is_family(const char *name)
{
    const kldve_metric *metric;

    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++)
        if (in_family(metric, name))
            return true;
    return false;
}

static void add(measures *list, const kldve_metric *metric)
{
    measure *m = &list->out[list->count++];

    memset(m, 0, sizeof *m);
    m->metric = metric;
    m->options.struct_size = sizeof m->options;
    snprintf(m->name, sizeof m->name, "%s", metric->name);
}

/* Those of a family that can be measured; what cannot is listed in `left`. */
static void add_family(measures *list, const char *name, const measure_can *can, char *left,
                       size_t size)
{
    const kldve_metric *metric;

    for (int32_t i = 0; (metric = metric_number(i)) != NULL && list->count < MEASURES; i++) {
        if (!in_family(metric, name) || has(list, metric->name))
            continue;
        if (lacking(metric, can))
            list_name(left, size, metric->name);
        else
            add(list, metric);
    }
}

static void add_defaults(measures *list, const measure_can *can)
{
    static const char *const names[] = {MEASURE_DEFAULTS};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const kldve_metric *metric = find_metric(names[i]);

        if (metric && !lacking(metric, can))
            add(list, metric);
    }
}

/* Whether one of the texts before text i is the same: a family may hold it, too, but once. */
static bool is_repeated(const arg_list *given, int32_t i)
{
    for (int32_t k = 0; k < i; k++)
        if (strcmp(given->text[k], given->text[i]) == 0)
            return true;
    return false;
}

static int add_given(const char *command, const arg_list *given, int32_t i, const measure_can *can,
                     measures *list, char *left, size_t size)
{
    const char *text = given->text[i];
    measure m;
    const char *lacks;
    int status;

    if (is_repeated(given, i))
        return args_usage(command, "--metric: %s is given twice", text);
    if (is_family(text)) {
        add_family(list, text, can, left, size);
        return EXIT_DONE;
    }
    status = read_one(command, text, &m);
    if (status != EXIT_DONE)
        return status;
    if (has(list, m.name)) /* by its family */
        return EXIT_DONE;
    if ((lacks = lacking(m.metric, can)) != NULL)
        return args_usage(command, "--metric: %s: %s", m.name, lacks);
    if (list->count == MEASURES)
        return args_usage(command, "--metric: more than %d metrics", MEASURES);
    list->out[list->count++] = m;
    return EXIT_DONE;
}

int measures_read(const char *command, const arg_list *given, const measure_can *can,
                  measure out[MEASURES], int32_t *count)
{
    measures list = {out, 0};
    char left[MESSAGE_SIZE / 2] = "";
    int status = EXIT_DONE;

    if (given->count == 0)
        add_defaults(&list, can);
    for (int32_t i = 0; status == EXIT_DONE && i < given->count; i++)
        status = add_given(command, given, i, can, &list, left, sizeof left);
    if (status == EXIT_DONE && *left && can->say)
        complain("left out, because this data set or these methods do not allow them: %s", left);
    if (status == EXIT_DONE && list.count == 0)
        status = args_usage(command, "--metric: none of these can be measured here");
    *count = list.count;
    return status;
}
