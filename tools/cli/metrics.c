/* metrics.c - kldve metrics: the figures that compare and report give for each map. */
#include "tool.h"
#include "getters.h"

#include <stdio.h>

#include <kldve/metrics.h>

static const arg_option options[] = {OPTION_END};

enum { TEXT_SIZE = 64 };

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

static void say_metrics(void)
{
    const kldve_metric *metric;
    char text[TEXT_SIZE];

    printf("%-14s  %-10s  %-7s  %-56s  %s\n", "metric", "range", "better", "what it is", "source");
    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++)
        printf("%-14s  %-10s  %-7s  %-56s  %s\n", metric->name, range_of(metric, text),
               better_of(metric), metric->summary, metric->source);
}

static int command_metrics(const arg_command *command, int argc, char **argv)
{
    return args_run_list(command, argc, argv, say_metrics);
}

const arg_command metrics_command = {
    .name = "metrics",
    .usage = "",
    .summary =
        "List the figures that describe a map: their range, which values their source calls\n"
        "better, what they are, and where they come from.  compare and report give them.",
    .option = options,
    .run = command_metrics,
};
