/* measure.h - the metrics of a run, each with its options. */
#ifndef KLDVE_TOOLS_MEASURE_H
#define KLDVE_TOOLS_MEASURE_H

#include <kldve/metrics.h>

#include "cli/tool.h"

enum { MEASURES = 256, MEASURE_NAME = 192 };

/** Without --metric, as far as the data set allows them. */
#define MEASURE_DEFAULTS "insertion", "deletion", "energy_area", "pointing_game", "energy_inside"

/** A metric with its options. */
typedef struct measure {
    const kldve_metric *metric;
    kldve_metric_options options;
    char name[MEASURE_NAME]; /**< as given: "insertion:steps=32" */
} measure;

/** What metrics may need. */
typedef struct measure_can {
    bool truth; /**< the data set knows where the answers lie */
    bool other; /**< there is a second map of each picture */
    bool say;   /**< what a family has and cannot be measured */
} measure_can;

/** The metrics that --metric asks for: NAME[:KEY=VALUE...], a family, or "all"; without any the
 *  defaults.  EXIT_DONE, or EXIT_USAGE after a message. */
int measures_read(const char *command, const arg_list *given, const measure_can *can,
                  measure out[MEASURES], int32_t *count);

/** Add the names of options (KLDVE_METRIC_OPTION_*) to a list, see list_name(). */
void measure_list_options(uint64_t options, char *list, size_t size);

#endif
