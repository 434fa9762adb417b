/* metrics.c - kldve metrics: the figures that describe and judge maps. */
#include "tool.h"
#include "getters.h"

#include <stdio.h>
#include <string.h>

#include <kldve/metrics.h>

#include "wrap.h"

static const arg_option options[] = {OPTION_END};

enum { TEXT_SIZE = 128, SUMMARY_COLUMN = 30, FACT_COLUMN = 10 };

/* "0 to 1" */
static const char *range_of(const kldve_metric *metric, char text[TEXT_SIZE])
{
    snprintf(text, TEXT_SIZE, "%g to %g", metric->low, metric->high);
    return text;
}

static const char *better_of(const kldve_metric *metric)
{
    switch ((kldve_better)metric->better) {
    case KLDVE_BETTER_LOWER:
        return "lower";
    case KLDVE_BETTER_HIGHER:
        return "higher";
    case KLDVE_BETTER_NEITHER:
        break;
    }
    return "-";
}

/* "network, truth" */
static const char *needs_of(const kldve_metric *metric, char text[TEXT_SIZE])
{
    static const struct {
        uint64_t need;
        const char *word;
    } words[] = {
        {KLDVE_METRIC_NEED_NETWORK, "network"},       {KLDVE_METRIC_NEED_EXPLANATIONS, "maps"},
        {KLDVE_METRIC_NEED_TRUTH, "truth"},           {KLDVE_METRIC_NEED_OTHER, "other"},
        {KLDVE_METRIC_NEED_RANDOMISED, "randomised"},
    };
    size_t length = 0;

    snprintf(text, TEXT_SIZE, "map");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (metric->needs & words[i].need)
            length += (size_t)snprintf(text + length, TEXT_SIZE - length, "%s%s",
                                       length > 0 ? ", " : "", words[i].word);
    return text;
}

static void say_metrics(void)
{
    const kldve_metric *metric;
    const char *family = "";
    char start[TEXT_SIZE];

    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++) {
        if (strcmp(family, metric->family) != 0)
            printf("%s%s\n", *family ? "\n" : "", metric->family);
        family = metric->family;
        snprintf(start, sizeof start, "  %-18s  %s", metric->name, better_of(metric));
        wrap_row(start, metric->summary, SUMMARY_COLUMN);
    }
    printf("\n");
    wrap_text(
        "higher, lower: which values the source calls better.  kldve help NAME says of a metric "
        "what it needs beside the map, its range, and where it was published.",
        0, 0);
}

bool metric_help(const char *name)
{
    const kldve_metric *metric;
    char text[TEXT_SIZE];

    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++) {
        if (strcmp(metric->name, name) != 0)
            continue;
        printf("%s: ", name);
        wrap_text(metric->summary, (int32_t)strlen(name) + 2, 0);
        printf("\n");
        wrap_row("family", metric->family, FACT_COLUMN);
        wrap_row("needs", needs_of(metric, text), FACT_COLUMN);
        wrap_row("range", range_of(metric, text), FACT_COLUMN);
        wrap_row("better", better_of(metric), FACT_COLUMN);
        wrap_row("source", metric->source, FACT_COLUMN);
        return true;
    }
    return false;
}

static int command_metrics(const arg_command *command, int argc, char **argv)
{
    return args_run_list(command, argc, argv, say_metrics);
}

const arg_command metrics_command = {
    .name = "metrics",
    .group = "Look up:",
    .line = "the figures that describe and judge a map",
    .usage = "",
    .summary = "List the figures that describe and judge a map, by families.  compare and report "
               "give those "
               "that need the map alone.",
    .option = options,
    .run = command_metrics,
};
