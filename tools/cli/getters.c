/* getters.c - the library's getters as expressions. */
#include "getters.h"

const kldve_method *method_number(int32_t index)
{
    const kldve_method *method = NULL;

    kldve_method_at(NULL, index, &method);
    return method;
}

const kldve_metric *metric_number(int32_t index)
{
    const kldve_metric *metric = NULL;

    kldve_metric_at(NULL, index, &metric);
    return metric;
}

const kldve_metric *map_metric(int32_t index)
{
    const kldve_metric *metric = NULL;

    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++)
        if (metric->needs == 0 && index-- == 0)
            return metric;
    return NULL;
}

const char *note_number(const kldve_onnx *net, int32_t index)
{
    const char *note = NULL;

    kldve_onnx_note(net, index, &note);
    return note;
}

const char *name_of_class(const kldve_labels *labels, int32_t index)
{
    const char *name = NULL;

    kldve_labels_name(labels, index, &name);
    return name;
}

const char *synset_of_class(const kldve_labels *labels, int32_t index)
{
    const char *synset = NULL;

    kldve_labels_synset(labels, index, &synset);
    return synset;
}

const float *map_values(const kldve_heatmap *map)
{
    const float *values = NULL;

    kldve_heatmap_values(map, &values, NULL);
    return values;
}

const float *map_error(const kldve_heatmap *map)
{
    const float *error = NULL;

    kldve_heatmap_error(map, &error, NULL);
    return error;
}

const float *map_logits(const kldve_heatmap *map, size_t *count)
{
    const float *logits = NULL;
    int32_t length = 0;

    kldve_heatmap_logits(map, &logits, &length);
    if (count)
        *count = (size_t)length;
    return logits;
}

const double *map_probabilities(const kldve_heatmap *map, size_t *count)
{
    const double *probabilities = NULL;
    int32_t length = 0;

    kldve_heatmap_probabilities(map, &probabilities, &length);
    if (count)
        *count = (size_t)length;
    return probabilities;
}
