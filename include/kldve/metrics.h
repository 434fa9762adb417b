/* metrics.h - figures that describe or judge a heat map: the library's, and those of a host.
 *
 * A metric turns a finished map into one number.  kldve_metric_at() lists the metrics,
 * kldve_metric_compute() applies one to a heat map by its name.  Some look at the map alone, others
 * need more, which kldve_metric.needs says and kldve_metric_subject gives them:
 *
 *     kldve_metric_subject subject = KLDVE_METRIC_SUBJECT_INIT;
 *     const kldve_metric *m;
 *
 *     subject.explainer = net;
 *     subject.input = input;          of kldve_explainer_input()
 *     subject.explained_with = &options;
 *     for (int32_t i = 0; kldve_metric_at(ctx, i, &m) == KLDVE_OK; i++)
 *         if (kldve_metric_compute(ctx, map, m->name, &subject, &value) == KLDVE_OK)
 *             printf("%s: %g\n", m->summary, value);
 *
 * docs/metrics.md explains the metrics, docs/adding-a-metric.md shows how to write one. */
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

/** The entry of a metric, below. */
typedef struct kldve_metric kldve_metric;

/** What a metric needs beside the map, of kldve_metric_subject.  Checked before any work: without
 *  it kldve_metric_compute() returns KLDVE_E_UNSUPPORTED and names what is missing. */
enum {
    KLDVE_METRIC_NEED_NETWORK = 1, /**< forward passes of changed inputs: `explainer`, `input` */
    KLDVE_METRIC_NEED_EXPLANATIONS = 2, /**< further maps of the same method: the same */
    KLDVE_METRIC_NEED_TRUTH = 4,        /**< where the object is: `truth` */
    KLDVE_METRIC_NEED_OTHER = 8,        /**< a second map: `other` */
    KLDVE_METRIC_NEED_RANDOMISED = 16   /**< the network with random parameters: `randomised` */
};

/** Members of kldve_metric_options that a metric reads.  Another one that is set is refused: an
 *  option that would change nothing is a mistake. */
enum {
    KLDVE_METRIC_OPTION_STEPS = 1,
    KLDVE_METRIC_OPTION_SAMPLES = 2,
    KLDVE_METRIC_OPTION_SEED = 4,
    KLDVE_METRIC_OPTION_PART = 8,
    KLDVE_METRIC_OPTION_NOISE = 16,
    KLDVE_METRIC_OPTION_BASELINE = 32,
    KLDVE_METRIC_OPTION_NORMALISE = 64,
    KLDVE_METRIC_OPTION_TOLERANCE = 128
};

/** What takes the place of pixels that are taken away. */
typedef enum kldve_baseline {
    KLDVE_BASELINE_DEFAULT = 0, /**< the metric's own */
    KLDVE_BASELINE_ZERO = 1,    /**< 0 at the network's input: the mean colour where the input is
                                     normalised to mean 0 */
    KLDVE_BASELINE_BLUR = 2,    /**< the input blurred by a Gaussian of 11 x 11 pixels, deviation 5,
                                     zeros beyond its edge, as RISE does it */
    KLDVE_BASELINE_MEAN = 3,    /**< the mean of each channel of the input */
    KLDVE_BASELINE_BLACK = 4,   /**< pixels of value 0, as kldve_input_spec changes them */
    KLDVE_BASELINE_WHITE = 5    /**< pixels of value 255 */
} kldve_baseline;

/** Options of metrics; all zero = the defaults of each metric, which its entry in the table has
 *  (kldve_metric.defaults). */
typedef struct kldve_metric_options {
    size_t struct_size;
    int32_t steps;    /**< of a curve, 1 or more: all pixels change in so many equal parts, the last
                           of which may be smaller */
    int32_t samples;  /**< random draws, 1 or more */
    uint64_t seed;    /**< of random draws, and of the order among equal values: the same seed gives
                           the same number */
    double part;      /**< of the pixels or of what the metric says, above 0 and at most 1 */
    double noise;     /**< size of a random change, in units of the network's input, above 0 */
    int32_t baseline; /**< a kldve_baseline */
    int32_t normalise; /**< 1: scale the map as the metric's source offers it as an option */
    double
        tolerance; /**< pixels of the network's input by which a place may be missed, 0 or more */
} kldve_metric_options;
#define KLDVE_METRIC_OPTIONS_INIT KLDVE_INIT(kldve_metric_options)

/** What a metric may look at beside the map.  Everything is borrowed for the call; what is NULL is
 *  not there. */
typedef struct kldve_metric_subject {
    size_t struct_size;
    /** The one that made the map, from the context of the call.  Its network runs; the maps that it
     *  made stay. */
    kldve_explainer *explainer;
    const float *input; /**< [in_channels][in_height][in_width], what was explained */
    /** With which the map was made; NULL: defaults.  What it picks is picked again; of a detector
     * the row that the map's record names. */
    const kldve_options *explained_with;
    const uint8_t *truth;        /**< [in_height][in_width] of the network's input: not 0 where the
                                      object is */
    const kldve_heatmap *other;  /**< a second map of the same picture */
    kldve_explainer *randomised; /**< the same network, after kldve_explainer_randomise() */
    const kldve_metric_options *options; /**< NULL: defaults */
} kldve_metric_subject;
#define KLDVE_METRIC_SUBJECT_INIT KLDVE_INIT(kldve_metric_subject)

/** One map as a metric sees it.  Everything is borrowed and valid during the call; only the
 *  library makes one. */
typedef struct kldve_metric_job {
    size_t struct_size;
    kldve_ctx *ctx;             /**< for memory, polls and messages */
    const kldve_metric *metric; /**< whose compute() is called */
    const kldve_heatmap *map;   /**< for its record and the arrays behind it */
    /** [height][width], none below 0: the map upsampled as by kldve_heatmap_upsample().  For a map
     *  with signs, the distance of each value from zero, which is 0.5 there. */
    const float *values;
    int32_t height, width; /**< of the network's input; 16 times those of a map that
                                kldve_explain_arrays() made */
    /** [height][width]: `values` and, for a map with signs, below 0 what speaks against the target.
     *  Its order is that of the pixels, the most important ones for the target highest. */
    const float *evidence;
    kldve_explainer *explainer; /**< of the kldve_metric_subject, as what follows; NULL where it is
                                     not there */
    const kldve_shape *shape;   /**< of the explainer */
    const float *input;         /**< kldve_metric_subject.input */
    /** Every default filled in; a rank or a best row is the class or row that the map is about. */
    const kldve_options *explained_with;
    const uint8_t *truth;                /**< kldve_metric_subject.truth */
    const kldve_heatmap *other;          /**< kldve_metric_subject.other */
    kldve_explainer *randomised;         /**< kldve_metric_subject.randomised */
    const kldve_metric_options *options; /**< every default filled in */
    struct kldve_metric_drawn *drawn;    /**< the library's: what metrics of one map share */
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
    uint64_t needs;   /**< KLDVE_METRIC_NEED_* */
    uint64_t options; /**< KLDVE_METRIC_OPTION_*: those that it reads */
    /** What its kind asks: "faithfulness", "localisation", "concentration", "sanity", "agreement";
     *  NULL: none of them. */
    const char *family;
    const kldve_metric_options *defaults; /**< of the options that it reads; NULL: all zero */
};
#define KLDVE_METRIC_INIT KLDVE_INIT(kldve_metric)

/** Make a host's own metric known to a context, under its name.
 *  @param metric  Copied.  Its strings, `defaults` and `opaque` are borrowed and must outlive the
 *                 context.
 *  @return KLDVE_OK; KLDVE_E_ARG (a name that is empty, malformed or taken; no compute(); an empty
 *          range; an unknown `better`, need or option); KLDVE_E_UNSUPPORTED (it sets a member that
 *          this library does not have); KLDVE_E_NOMEM.
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
 *  @param name     Of the metric.
 *  @param ctx      Says which metrics there are, and holds the message of a failure.
 *  @param subject  What the metric may look at beside the map; NULL: nothing.  What it does not
 * need is not looked at.
 *  @param value    Written on KLDVE_OK only; NaN where the map has no such number, as a flat map.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL; an option out of range, or one that the metric does not
 * read; an explainer of another context; a map of another size, of other classes or made with
 *          another method than the subject says); KLDVE_E_UNSUPPORTED (no metric of that name; the
 *          subject lacks what the metric needs; a network that is open behind its layer only);
 *          KLDVE_E_NUMERIC (a metric left its range); KLDVE_E_NOMEM; KLDVE_E_CANCELLED;
 *          KLDVE_E_DEADLINE; or what compute() or the network returned.
 *  Threads: as for every call with a context.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_metric_compute(kldve_ctx *ctx,
                                                             const kldve_heatmap *map,
                                                             const char *name,
                                                             const kldve_metric_subject *subject,
                                                             double *value);

/** Compute several metrics of a heat map, each as kldve_metric_compute() would: the map is brought
 *  to the size of the input and sorted once for all of them.
 *  @param names    [count], of the metrics; [1024] at most.
 *  @param subject  Of all of them.
 *  @param values   [count], written on KLDVE_OK only.
 *  @return As kldve_metric_compute(), of the first that fails; KLDVE_E_ARG also where `count` is
 *          not 1 to 1024.
 *  Threads: as for every call with a context.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status
kldve_metric_compute_several(kldve_ctx *ctx, const kldve_heatmap *map, const char *const *names,
                             int32_t count, const kldve_metric_subject *subject, double *values);

/** For metrics with KLDVE_METRIC_NEED_NETWORK: run the network on changed inputs and say what is
 *  explained, of each as one number.
 *
 *  They run in batches of job->shape->batch where that is more than 1: best a multiple of it.
 *  @param kind    A kldve_score (method.h), of the logits as they are, whatever the temperature of
 *                 the explanation was.
 *  @param inputs  [count][in_channels][in_height][in_width].
 *  @param scores  [count], written on KLDVE_OK.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, an unknown kind); KLDVE_E_UNSUPPORTED (there is no
 * network); KLDVE_E_NUMERIC (a logit is NaN or infinite); KLDVE_E_NOMEM; or what the backend
 * returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_metric_scores(const kldve_metric_job *job,
                                                            int32_t kind, const float *inputs,
                                                            int32_t count, double *scores);

/** For metrics with KLDVE_METRIC_NEED_EXPLANATIONS: explain another input, or with other options.
 *  @param input    [in_channels][in_height][in_width].
 *  @param options  NULL: those of the map, job->explained_with.
 *  @param values   [height][width] of the job: as kldve_metric_job.values, of the other map.
 *  @return As kldve_explain_input(); KLDVE_E_UNSUPPORTED also where there is no network.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_metric_explain(const kldve_metric_job *job,
                                                             const float *input,
                                                             const kldve_options *options,
                                                             float *values);

/** Where an object is, from boxes in a picture to kldve_metric_subject.truth: the pixels of the
 *  network's input whose centres lie in one of them, by what the network saw of the picture
 *  (kldve_record.seen_x and the others).  A box is cut to the picture; one too small to hold a
 * centre has the pixel that it lies in.  The map may be any one of that picture.
 *  @param width, height  Of the picture, pixels.
 *  @param boxes          [count][4]: x0, y0, x1, y1 in pixels of the picture, x1 and y1 outside.
 *  @param truth          [map height][map width] of the network's input, the caller's: 1 where the
 *                        object is, else 0.  Unchanged after a failure.
 *  @return KLDVE_OK; KLDVE_E_NOT_FOUND, with a message that says what the network sees, if it sees
 *          none of them; KLDVE_E_ARG (NULL; no boxes; one that is empty, not finite or wholly
 * outside the picture); KLDVE_E_UNSUPPORTED (the map of a film: see kldve_heatmap_frame());
 *          KLDVE_E_NOMEM.
 *  Threads: as for every call with a context; threads may share the map.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_truth_boxes(kldve_ctx *ctx,
                                                                  const kldve_heatmap *map,
                                                                  int32_t width, int32_t height,
                                                                  const float *boxes, int32_t count,
                                                                  uint8_t *truth);

/** The same from a mask of the picture: the pixels of the network's input of which at least half is
 *  set; if there is none, the one that shows most of it.
 *  @param truth          As of kldve_heatmap_truth_boxes().
 *  @param width, height  Of the mask, which covers the picture.
 *  @param mask           [height][width], not 0 where the object is.
 *  @return As kldve_heatmap_truth_boxes(); KLDVE_E_ARG also for a mask without a pixel that is set.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_truth_mask(kldve_ctx *ctx,
                                                                 const kldve_heatmap *map,
                                                                 int32_t width, int32_t height,
                                                                 const uint8_t *mask,
                                                                 uint8_t *truth);

/** How far two maps of a host agree, by the library's metrics of the family "agreement": pearson,
 *  spearman, ssim, top_overlap, mean_difference, max_difference (docs/metrics.md has the formulas).
 *  For heat maps of the library use kldve_metric_compute() with a second map.
 *  @param height,width  Of each map.
 *  @param name     Of the metric.
 *  @param maps     [2], each [height][width], finite.  Another unit changes the differences only.
 *  @param options  NULL: the metric's defaults.
 *  @param value    Written on KLDVE_OK only; NaN where the maps have no such number: a constant map
 *                  has no correlation, one smaller than 11 x 11 no SSIM.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, a side below 1, more than 2147483647 values, an option out
 * of range or one that the metric does not read); KLDVE_E_UNSUPPORTED (no metric of that name, or
 * not one that compares two arrays); KLDVE_E_NUMERIC (a value is NaN or infinite); KLDVE_E_NOMEM.
 *  Threads: as for every call with a context.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_agreement(kldve_ctx *ctx, const char *name,
                                                        const float *const maps[2], int32_t height,
                                                        int32_t width,
                                                        const kldve_metric_options *options,
                                                        double *value);

/** Scale a map of a host to another size, as kldve_heatmap_upsample() does: bilinear with
 * half-pixel centres; a smaller result is sampled, not averaged.
 *  @param height,width  Of `map`.
 *  @param out_height,out_width  Of `out`.
 *  @param map  [height][width].
 *  @param out  [out_height][out_width], the caller's; not overlapping.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, a side below 1).  Nothing is written after a failure.
 *  Threads: as for every call with a context.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_map_upsample(kldve_ctx *ctx, const float *map,
                                                           int32_t height, int32_t width,
                                                           float *out, int32_t out_height,
                                                           int32_t out_width);

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
