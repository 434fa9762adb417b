/* metrics.c - kldve metrics: the figures that describe and judge maps. */
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
    static const char *const line = "%-19s  %-13s  %-16s  %-13s  %-7s  %-66s  %s\n";
    const kldve_metric *metric;
    char range[TEXT_SIZE], needs[TEXT_SIZE];

    printf(line, "metric", "family", "needs", "range", "better", "what it is", "source");
    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++)
        printf(line, metric->name, metric->family, needs_of(metric, needs), range_of(metric, range),
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
        "List the figures that describe and judge a map: what they need beside it, their range,\n"
        "which values their source calls better, what they are, and where they come from.  "
        "compare\n"
        "and report give those that need the map alone.",
    .option = options,
    .run = command_metrics,
};
