/* got.h - the library's getters as expressions: NULL where there is nothing. */
#ifndef KLDVE_TESTS_GOT_H
#define KLDVE_TESTS_GOT_H

#include <kldve/kldve.h>
#include <kldve/method.h>
#include <kldve/metrics.h>

/* `count` becomes the length, 0 where the map has no such array; it may be NULL. */
#define GOT_ARRAY(type, name)                                                                      \
    static inline const type *got_##name(const kldve_heatmap *map, size_t *count)                  \
    {                                                                                              \
        const type *values = NULL;                                                                 \
        int32_t length = 0;                                                                        \
                                                                                                   \
        kldve_heatmap_##name(map, &values, &length);                                               \
        if (count)                                                                                 \
            *count = (size_t)length;                                                               \
        return values;                                                                             \
    }

GOT_ARRAY(float, error)
GOT_ARRAY(float, logits)
GOT_ARRAY(double, probabilities)
GOT_ARRAY(double, z)
GOT_ARRAY(double, alpha)
GOT_ARRAY(double, cotangent)
GOT_ARRAY(double, weights)

static inline const float *got_values(const kldve_heatmap *map)
{
    const float *values = NULL;

    kldve_heatmap_values(map, &values, NULL);
    return values;
}

static inline const kldve_method *got_method(const kldve_ctx *ctx, int32_t index)
{
    const kldve_method *method = NULL;

    kldve_method_at(ctx, index, &method);
    return method;
}

static inline const char *got_method_name(int32_t index)
{
    const char *name = NULL;

    kldve_method_name(index, &name);
    return name;
}

static inline const kldve_metric *got_metric(const kldve_ctx *ctx, int32_t index)
{
    const kldve_metric *metric = NULL;

    kldve_metric_at(ctx, index, &metric);
    return metric;
}

#endif
