/* metrics.h - figures that describe a heat map: the library's, and those of a host.
 *
 * A metric turns a finished map into one number.  kldve_metric_at() lists the metrics,
 * kldve_metric_compute() applies one to a heat map by its name:
 *
 *     const kldve_metric *m;
 *
 *     for (int32_t i = 0; kldve_metric_at(ctx, i, &m) == KLDVE_OK; i++)
 *         if (kldve_metric_compute(ctx, map, m->name, &value) == KLDVE_OK)
 *             printf("%s: %g\n", m->summary, value);
 *
 * docs/adding-a-metric.md shows how to write one. */
#ifndef KLDVE_METRICS_H
#define KLDVE_METRICS_H

#include <kldve/kldve.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which values of a metric its source calls better. */
typedef enum kldve_better {
    KLDVE_BETTER_NEITHER = 0, /**< the metric describes a map and does not judge it */
    KLDVE_BETTER_LOWER = 1,
    KLDVE_BETTER_HIGHER = 2
} kldve_better;

typedef struct kldve_metric kldve_metric;

/** One map as a metric sees it.  Everything is borrowed and valid during the call; only the
 *  library makes one. */
typedef struct kldve_metric_job {
    size_t struct_size;
    kldve_ctx *ctx;
    const kldve_metric *metric;
    const kldve_heatmap *map; /**< for its record and the arrays behind it */
    /** [height][width], none below 0: the map upsampled as by kldve_heatmap_upsample().  For a map
     *  with signs, the distance of each value from zero, which is 0.5 there. */
    const float *values;
    int32_t height, width; /**< of the network's input; 16 times those of a map that
                                kldve_explain_arrays() made */
} kldve_metric_job;
#define KLDVE_METRIC_JOB_INIT KLDVE_INIT(kldve_metric_job)

/** A metric. */
struct kldve_metric {
    size_t struct_size;  /**< sizeof(kldve_metric) where this was compiled */
    const char *name;    /**< for kldve_metric_compute(), [a-z0-9_]+; the key in JSON */
    const char *title;   /**< a few words for a column, UTF-8; NULL: as `name` */
    const char *summary; /**< what the number is, one line without a full stop; NULL: not said */
    const char *source;  /**< where the metric was published, one line */
    const char *unit;    /**< what follows the number in a text, "of the area"; NULL: nothing */
    double low, high;    /**< range of the values, low < high; either may be infinite */
    int32_t is_share;    /**< 1: the value is a part of 1, which people read in per cent */
    int32_t better;      /**< a kldve_better */
    const void *opaque;  /**< for compute(): job->metric->opaque */
    /** Required.  Write the number to *value: in low..high, or NaN where the map has none. Describe
     *  a failure with kldve_ctx_fail() and return a negative status.  The same map must give the
     *  same number. */
    kldve_status (*compute)(const kldve_metric_job *job, double *value);
};
#define KLDVE_METRIC_INIT KLDVE_INIT(kldve_metric)

/** Make a host's own metric known to a context, under its name.
 *  @param metric  Copied.  Its strings and `opaque` are borrowed and must outlive the context.
 *  @return KLDVE_OK; KLDVE_E_ARG (a name that is empty, malformed or taken; no compute(); an empty
 *          range; an unknown `better`); KLDVE_E_UNSUPPORTED (it sets a member that this library
 *          does not have); KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_metric_register(kldve_ctx *ctx,
                                                              const kldve_metric *metric);

/** The metrics by number from 0: the library's first, then those registered with `ctx` (which may
 *  be NULL).
 *  @param out  Borrowed: static storage, or it lives as long as the context.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (past the last), KLDVE_E_ARG (`out` is NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_metric_at(const kldve_ctx *ctx, int32_t index,
                                       const kldve_metric **out);

/** The metric of that name, among the same.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND, KLDVE_E_ARG (`name` or `out` is NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_metric_find(const kldve_ctx *ctx, const char *name,
                                         const kldve_metric **out);

/** Compute a metric of a heat map, at the size of the network's input, so that maps of any layer
 *  are measured alike.
 *  @param ctx    Says which metrics there are, and holds the message of a failure.
 *  @param value  Written on KLDVE_OK only; NaN where the map has no such number, as a flat map.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL); KLDVE_E_UNSUPPORTED (no metric of that name);
 *          KLDVE_E_NUMERIC (a host's metric left its range); KLDVE_E_NOMEM; or what compute()
 *          returned.
 *  Threads: as for every call with a context.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_metric_compute(kldve_ctx *ctx,
                                                             const kldve_heatmap *map,
                                                             const char *name, double *value);

/** How small the salient area is: the smallest set of values that holds `part` of the map's energy
 *  (the sum of all its values), as a share of all values.  Near `part` for a map that is almost the
 *  same everywhere, near 0 for one with a single spot.  The metric "energy_area" is this with part
 *  0.5, of kldve_metric_job.values.
 *
 *  To compare pictures of different networks and methods, upsample their maps with
 *  kldve_heatmap_upsample() to one size: the share is then one of the area that the network saw.
 *  For a map with signs, pass the distance of each value from zero.
 *  @param ctx     For the message of a failure; nothing is allocated.
 *  @param values  [count], finite, none below 0; in any order.  Read only.
 *  @param part    Of the energy, above 0 and at most 1: 0.5 for "half of the energy".
 *  @param area    In 1/count..1 on KLDVE_OK; NaN if all values are 0: there is no energy to hold.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, no values, a negative value, a part outside its range);
 *          KLDVE_E_NUMERIC (a value is NaN or infinite).  *area is unchanged after a failure.
 *  Threads: as for every call with a context.  Source: the "smaller salient area" of
 *  arXiv:1711.06431, which names the property without a measure; the measure is ours.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_metric_energy_area(kldve_ctx *ctx,
                                                                 const float *values, int32_t count,
                                                                 double part, double *area);

#ifdef __cplusplus
}
#endif
#endif
