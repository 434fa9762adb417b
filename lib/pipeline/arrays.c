/* arrays.c - explanations without a backend, from what an inference that ran elsewhere left. */
#include <kldve/kldve.h>

#include <limits.h>

#include "admission.h"
#include "array_place.h"
#include "base/finite.h"
#include "base/size.h"
#include "explain.h"
#include "methods/methods.h"
#include "options.h"
#include "options.h"
#include "single.h"
#include "stages/target.h"
#include "steps.h"

enum {
    PIXELS_PER_CELL = 16 /* of a map drawn alone: no input says how large */
};

/* One score as two classes; else the scores as they are. */
typedef struct score_list {
    float pair[2];
    const float *logits; /* [shape.classes] */
} score_list;

/* The scores and what the shape says of them.  `shape` has the caller's number of classes and kind,
 * and gets the library's. */
static kldve_status read_scores(kldve_ctx *ctx, const float *logits, kldve_shape *shape,
                                score_list *out)
{
    size_t given = shape->classes < 1 ? 0 : (size_t)shape->classes;
    kldve_status st = kldve_single_read(ctx, "arrays: ", shape);

    if (st < 0 || (st = kldve_finite_check(ctx, "arrays", "logit", logits, given)) < 0)
        return st;
    out->logits = logits;
    if (shape->single) {
        out->pair[0] = logits[0];
        kldve_single_expand(out->pair, 1);
        out->logits = out->pair;
    }
    return KLDVE_OK;
}

static kldve_shape shape_of(const kldve_arrays *a)
{
    return (kldve_shape){
        .struct_size = sizeof(kldve_shape),
        .classes = a->classes,
        .scores = a->scores,
        .maps = a->maps,
        .height = a->height,
        .width = a->width,
        .frames = a->frames,
        .in_frames = a->picture_frames > 0 ? a->picture_frames : a->frames,
    };
}

/* The method reads the arrays where they are, or a copy in the buffers. */
static void give_arrays(kldve_run *run, const kldve_arrays *a, bool copy)
{
    kldve_strided features = kldve_arrays_place(a, a->features),
                  gradient = kldve_arrays_place(a, a->gradient);

    run->job.features = a->features;
    run->given = a->gradient;
    if (kldve_strided_is_plain(&features))
        return;
    if (!copy) {
        run->features_at = features;
        run->gradient_at = gradient;
        return;
    }
    kldve_strided_gather(&features, run->buffers->features);
    run->job.features = run->buffers->features;
    if (!a->gradient)
        return;
    kldve_strided_gather(&gradient, run->buffers->gradient);
    run->given = run->buffers->gradient;
}

static int32_t drawn(int32_t cells)
{
    return cells <= INT32_MAX / PIXELS_PER_CELL ? cells * PIXELS_PER_CELL : INT32_MAX;
}

/* How large the map is drawn alone, and where over the picture. */
static void describe_picture(const kldve_arrays *a, kldve_heatmap *map)
{
    int32_t frames = map->view_frames, layer = a->frames > 0 ? a->frames : 1;

    map->view_width = a->picture_width > 0 ? a->picture_width : drawn(a->width);
    map->view_height =
        a->picture_height > 0 ? a->picture_height * frames : drawn(a->height / layer) * frames;
    if (a->seen_width == 0)
        return;
    map->record.seen_x = a->seen_x;
    map->record.seen_y = a->seen_y;
    map->record.seen_width = a->seen_width;
    map->record.seen_height = a->seen_height;
}

/* Whether the method needs a copy; it is looked for again when the run is prepared. */
static bool needs_copy(kldve_ctx *ctx, const kldve_arrays *a, const kldve_options *options)
{
    kldve_strided features = kldve_arrays_place(a, a->features);
    kldve_options o;
    const kldve_method *method = NULL;

    if (kldve_strided_is_plain(&features))
        return false;
    if (kldve_options_load(NULL, options, &o) == KLDVE_OK)
        method = kldve_method_named(ctx, o.method);
    return method && !kldve_method_sums(method);
}

static kldve_status check_request(kldve_ctx *ctx, const kldve_arrays *arrays,
                                  const kldve_options *options)
{
    kldve_buffers buffers = {0};
    kldve_run run;
    kldve_arrays a;
    kldve_shape shape;
    kldve_status st = kldve_struct_load(ctx, "kldve_arrays", arrays, &a, sizeof a);

    if (st < 0 || (st = kldve_arrays_admit(ctx, &a)) < 0)
        return st;
    shape = shape_of(&a);
    if ((st = kldve_single_read(ctx, "arrays: ", &shape)) < 0 ||
        (st = kldve_buffers_new(ctx, &shape, 1, true, &buffers)) < 0)
        return st;
    if ((st = kldve_run_prepare(&run, ctx, &shape, options, &buffers)) == KLDVE_OK)
        st = kldve_run_admit_arrays(&run, a.gradient);
    kldve_buffers_free(&buffers, 1);
    return st;
}

kldve_status kldve_arrays_check(kldve_ctx *ctx, const kldve_arrays *arrays,
                                const kldve_options *options)
{
    double before;

    if (!ctx || !arrays)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "arrays: NULL argument");
    before = kldve_ctx_enter(ctx, "check", kldve_options_deadline(options));
    return kldve_ctx_leave(ctx, before, check_request(ctx, arrays, options));
}

static kldve_status explain_arrays(kldve_ctx *ctx, const kldve_arrays *arrays,
                                   const kldve_options *options, kldve_heatmap **out)
{
    kldve_buffers buffers = {0};
    kldve_run run = {0};
    kldve_batch batch = {.runs = &run, .count = 1};
    kldve_arrays a;
    kldve_shape shape;
    score_list scores;
    bool copy;
    kldve_status st;

    if ((st = kldve_struct_load(ctx, "kldve_arrays", arrays, &a, sizeof a)) < 0 ||
        (st = kldve_arrays_admit(ctx, &a)) < 0 || (st = kldve_arrays_finite(ctx, &a)) < 0)
        return st;
    shape = shape_of(&a);
    copy = needs_copy(ctx, &a, options);
    if ((st = read_scores(ctx, a.logits, &shape, &scores)) < 0 ||
        (st = kldve_buffers_new(ctx, &shape, 1, !copy, &buffers)) < 0)
        return st;
    if ((st = kldve_run_prepare(&run, ctx, &shape, options, &buffers)) < 0 ||
        (st = kldve_run_admit_arrays(&run, a.gradient)) < 0 || (st = kldve_run_begin(&run)) < 0)
        goto done;
    run.job.logits = scores.logits;
    give_arrays(&run, &a, copy);
    if ((st = kldve_explain_passed(&batch)) < 0)
        goto done;
    describe_picture(&a, run.map);
    *out = run.map;
    run.map = NULL;
done:
    kldve_heatmap_free(run.map);
    kldve_buffers_free(&buffers, 1);
    return st;
}

kldve_status kldve_explain_arrays(kldve_ctx *ctx, const kldve_arrays *arrays,
                                  const kldve_options *options, kldve_heatmap **out)
{
    double before;

    if (!ctx || !arrays || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "arrays: NULL argument");
    before = kldve_ctx_enter(ctx, "explain", kldve_options_deadline(options));
    return kldve_ctx_leave(ctx, before, explain_arrays(ctx, arrays, options, out));
}

/* The run as far as the cotangent; its heat map only holds z and alpha. */
static kldve_status find_cotangent(kldve_run *run, const float *logits)
{
    int32_t classes = run->job.shape->classes;
    kldve_status st = kldve_target_check(run->job.ctx, run->where, &run->options, classes);

    if (st < 0 || (st = kldve_heatmap_new(run->job.ctx, classes, 1, 1, 1, &run->map)) < 0)
        return st;
    run->job.logits = logits;
    if ((st = kldve_run_target(run)) < 0 || (st = kldve_run_scores(run)) < 0 ||
        (st = kldve_run_divergence(run, KLDVE_SUBJECT_TARGET)) < 0)
        return st;
    return kldve_run_cotangent(run, KLDVE_SUBJECT_TARGET);
}

static kldve_status cotangent_of(kldve_ctx *ctx, const float *logits, int32_t classes,
                                 const kldve_options *options, float *cotangent)
{
    kldve_shape shape = {
        .struct_size = sizeof shape, .classes = classes, .maps = 1, .height = 1, .width = 1};
    kldve_buffers buffers = {0};
    kldve_run run = {0};
    score_list scores;
    kldve_status st;

    if ((st = read_scores(ctx, logits, &shape, &scores)) < 0 ||
        (st = kldve_buffers_new(ctx, &shape, 1, true, &buffers)) < 0)
        return st;
    if ((st = kldve_run_prepare(&run, ctx, &shape, options, &buffers)) < 0 ||
        (st = find_cotangent(&run, scores.logits)) < 0)
        goto done;
    for (int32_t i = 0; i < classes; i++)
        cotangent[i] = run.needs & KLDVE_NEED_GRADIENT ? (float)run.map->cotangent[i] : 0;
done:
    kldve_heatmap_free(run.map);
    kldve_buffers_free(&buffers, 1);
    return st;
}

kldve_status kldve_arrays_cotangent(kldve_ctx *ctx, const float *logits, int32_t classes,
                                    const kldve_options *options, float *cotangent)
{
    double before;

    if (!ctx || !logits || !cotangent)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "cotangent: NULL argument");
    before = kldve_ctx_enter(ctx, "cotangent", kldve_options_deadline(options));
    return kldve_ctx_leave(ctx, before, cotangent_of(ctx, logits, classes, options, cotangent));
}
