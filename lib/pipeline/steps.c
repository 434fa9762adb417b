/* steps.c - the stages as steps: which buffer goes into which function. */
#include "steps.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/finite.h"
#include "flags.h"
#include "methods/methods.h"
#include "remark.h"
#include "stages/normalise.h"
#include "stages/sensitivity.h"
#include "stages/target.h"

/* What is back-propagated starts at the logits, wherever it ends. */
enum { NEED_COTANGENT = KLDVE_NEED_GRADIENT | KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_ATTENTION };

/* Where the time of a step is added. */
static kldve_timings *timings(kldve_run *run, kldve_subject subject)
{
    return subject == KLDVE_SUBJECT_OTHER ? &run->other_timings : &run->map->timings;
}

/* -- begin ------------------------------------------------------------------------------------ */

kldve_status kldve_run_begin(kldve_run *run)
{
    const kldve_shape *s = run->job.shape;
    const kldve_method *method = run->job.method;
    bool pixels = method->resolution == KLDVE_RESOLUTION_PIXELS;
    kldve_status st;

    assert(!run->map);
    st = kldve_heatmap_new(run->job.ctx, s->classes, s->maps, pixels ? s->in_height : s->height,
                           pixels ? s->in_width : s->width, &run->map);
    if (st < 0)
        return st;
    run->map->record.method = method->name;
    run->map->record.scores = s->scores;
    run->map->record.all_paths = s->all_paths;
    run->map->record.single = s->single;
    run->map->view_frames = s->in_frames > 1 ? s->in_frames : 1;
    run->map->record.frames = pixels ? run->map->view_frames : s->frames > 1 ? s->frames : 1;
    run->map->record.reading = run->options.reading;
    run->map->record.neighbour_perplexity = run->options.neighbour_perplexity;
    run->map->view_height = s->in_height;
    run->map->view_width = s->in_width;
    kldve_run_frame(run, &(kldve_frame){{0, 0, 1, 1}, s->in_width, s->in_height});
    run->map->has_cotangent = run->needs & NEED_COTANGENT;
    run->map->record.sign = run->options.sign;
    run->map->has_weights = method->weights != NULL;
    run->map->has_error = method->random && !run->options.smooth;
    return run->options.flags & KLDVE_FLAG_CHECK
               ? kldve_buffers_other(run->buffers, kldve_run_cells(run))
               : KLDVE_OK;
}

void kldve_run_frame(kldve_run *run, const kldve_frame *frame)
{
    kldve_record *r = &run->map->record;

    run->frame = *frame;
    r->seen_x = frame->view.x;
    r->seen_y = frame->view.y;
    r->seen_width = frame->view.width;
    r->seen_height = frame->view.height;
    run->map->picture_width = frame->width;
    run->map->picture_height = frame->height;
}

kldve_status kldve_run_picture(kldve_run *run, const kldve_image *const *pictures,
                               const kldve_input_spec *spec, float *input)
{
    double start = kldve_clock_ms();
    kldve_frame frame = {{0, 0, 1, 1}, kldve_image_width(*pictures), kldve_image_height(*pictures)};
    kldve_status st =
        kldve_preprocess(run->job.ctx, pictures, spec, run->job.shape, input, &frame.view);

    if (st < 0)
        return st;
    kldve_run_frame(run, &frame);
    timings(run, KLDVE_SUBJECT_TARGET)->preprocess = kldve_clock_ms() - start;
    return KLDVE_OK;
}

/* -- the network ------------------------------------------------------------------------------ */

/* The buffers of the first run are those of the batch. */
static kldve_status run_forward(kldve_batch *batch)
{
    kldve_run *first = batch->runs;
    kldve_buffers *b = first->buffers;
    kldve_status st = kldve_ctx_progress(first->job.ctx, "forward", 0, 1);

    assert(batch->inputs && first->net);
    return st < 0 ? st
                  : kldve_network_forward(first->net, batch->count, batch->inputs, b->logits,
                                          b->features, &batch->failed);
}

kldve_status kldve_batch_forward(kldve_batch *batch)
{
    double start = kldve_clock_ms(), share;
    kldve_status st;

    batch->failed = -1;
    if ((st = run_forward(batch)) < 0)
        return st;
    share = (kldve_clock_ms() - start) / batch->count;
    for (int32_t i = 0; i < batch->count; i++) {
        kldve_run *run = batch->runs + i;

        run->explained = batch->inputs + (size_t)i * run->net->inputs;
        run->job.input = run->net->shape.head ? NULL : run->explained;
        run->job.logits = run->buffers->logits;
        run->job.features = run->buffers->features;
        timings(run, KLDVE_SUBJECT_TARGET)->forward += share;
    }
    return KLDVE_OK;
}

/* A method that ran the network by itself left it elsewhere: bring it back first. */
static kldve_status run_vjp(kldve_batch *batch)
{
    kldve_run *first = batch->runs;
    kldve_buffers *b = first->buffers;
    kldve_status st = kldve_network_restore(first->net, batch->count, batch->inputs, b->logits,
                                            b->features, &batch->failed);

    if (st < 0 || !(first->needs & KLDVE_NEED_GRADIENT) ||
        (st = kldve_ctx_progress(first->job.ctx, "backward", 0, 1)) < 0)
        return st;
    return kldve_network_vjp(first->net, batch->count, b->seed, b->gradient, &batch->failed);
}

kldve_status kldve_batch_vjp(kldve_batch *batch, kldve_subject subject)
{
    kldve_run *first = batch->runs;
    double start = kldve_clock_ms(), share;
    kldve_status st;

    batch->failed = -1;
    if (first->net && (st = run_vjp(batch)) < 0)
        return st;
    if (!(first->needs & KLDVE_NEED_GRADIENT))
        return KLDVE_OK;
    share = first->net ? (kldve_clock_ms() - start) / batch->count : 0;
    for (int32_t i = 0; i < batch->count; i++) {
        kldve_run *run = batch->runs + i;

        run->job.gradient = run->net ? run->buffers->gradient : run->given;
        timings(run, subject)->backward += share;
    }
    return KLDVE_OK;
}

/* Half-precision and quantised runs differ by some hundredths; another tensor, or another order of
 * its axes, by far more. */
kldve_status kldve_run_same_scores(kldve_run *run, const float *logits)
{
    const double part = 0.05;
    size_t n = run->net->shape.single ? 1 : (size_t)run->net->shape.classes, worst = 0;
    const float *own = run->job.logits;
    double most = 1e-3, far = 0;

    for (size_t i = 0; i < n; i++) {
        double distance = isnan(logits[i]) ? INFINITY : fabs((double)own[i] - (double)logits[i]);

        most = fmax(most, fabs((double)own[i]));
        if (distance > far) {
            far = distance;
            worst = i;
        }
    }
    if (far <= part * most)
        return KLDVE_OK;
    return kldve_ctx_failf(
        run->job.ctx, KLDVE_E_ARG,
        "features: the scores that follow from them are not those that were given: class %zu has "
        "%g, not %g; are these the tensors that the head takes, in its order?",
        worst, (double)own[worst], (double)logits[worst]);
}

/* -- from the logits to the cotangent --------------------------------------------------------- */

kldve_status kldve_run_target(kldve_run *run)
{
    const kldve_shape *s = run->job.shape;
    const float *k = run->job.logits;

    assert(k);
    run->target = kldve_target_choose(&run->options, s, k);
    run->other = kldve_target_best_other(&run->options, run->target, k, (size_t)s->classes);
    run->other_options = run->options;
    run->other_options.target_kind = KLDVE_TARGET_INDEX;
    return KLDVE_OK;
}

kldve_status kldve_run_scores(kldve_run *run)
{
    size_t n = (size_t)run->job.shape->classes;
    double start = kldve_clock_ms();
    kldve_status st;

    for (size_t i = 0; i < n; i++)
        run->buffers->scores[i] = (double)run->job.logits[i];
    if ((st = kldve_divergence_set_scores(run->buffers->divergence, run->buffers->scores)) < 0)
        return st;
    memcpy(run->map->logits, run->job.logits, n * sizeof *run->map->logits);
    run->map->has_probabilities =
        kldve_target_probabilities(run->job.shape, run->job.logits, 1, run->map->probabilities);
    timings(run, KLDVE_SUBJECT_TARGET)->divergence += kldve_clock_ms() - start;
    return KLDVE_OK;
}

/* Whether a row of the truth could not have the wanted perplexity. */
static kldve_status look_at_rows(kldve_run *run)
{
    int32_t n = run->job.shape->classes, *unattainable = run->buffers->rows;
    kldve_status st = kldve_divergence_rows(run->buffers->divergence, NULL, NULL, unattainable);

    for (int32_t i = 0; st == KLDVE_OK && i < n; i++)
        run->limited = run->limited || unattainable[i];
    return st;
}

/* k and the truth of the options, their set of classes or class c -> z, KL. */
static kldve_status divergence(kldve_run *run, const kldve_options *o, int32_t c)
{
    kldve_divergence *d = run->buffers->divergence;
    double *z = run->map->z, *kl = &run->map->record.kl;

    run->limited = false;
    if (o->truth) {
        kldve_status st = kldve_divergence_truth(d, o->truth, z, kl);

        return st < 0 ? st : look_at_rows(run);
    }
    if (o->target_kind != KLDVE_TARGET_SET)
        return kldve_divergence_onehot(d, c, z, kl);
    return kldve_divergence_positives(d, o->targets, o->target_count, z, kl);
}

static void record_scores(kldve_heatmap *map, const kldve_job *job)
{
    kldve_record *r = &map->record;
    bool number = r->scores == KLDVE_SCORES_NUMBER;

    r->logit = job->logits[number ? 0 : job->target];
    r->probability = map->has_probabilities ? (float)map->probabilities[job->target] : NAN;
    r->sigmoid = r->single ? (float)kldve_target_sigmoid((double)job->logits[0]) : NAN;
}

kldve_status kldve_run_divergence(kldve_run *run, kldve_subject subject)
{
    bool other = subject == KLDVE_SUBJECT_OTHER;
    kldve_heatmap *map = run->map;
    kldve_job *job = &run->job;
    int32_t n = job->shape->classes;
    double start = kldve_clock_ms();
    kldve_status st;

    job->options = other ? &run->other_options : &run->options;
    job->target = other ? run->other : run->target;
    assert(job->target >= 0 && job->target < n);
    if ((st = divergence(run, job->options, job->target)) < 0)
        return st;
    job->cotangent = NULL;
    st = kldve_divergence_standardise(map->z, n, map->alpha, &job->flat);
    assert(st == KLDVE_OK);
    job->alpha = map->alpha;
    job->gradient = NULL;
    job->weights = NULL;
    map->record.target = job->target;
    record_scores(map, job);
    timings(run, subject)->divergence += kldve_clock_ms() - start;
    return KLDVE_OK;
}

kldve_status kldve_run_cotangent(kldve_run *run, kldve_subject subject)
{
    double start = kldve_clock_ms();
    kldve_status st;

    if (!(run->needs & NEED_COTANGENT))
        return KLDVE_OK;
    if ((st = kldve_method_cotangent(&run->job, run->map->cotangent)) < 0)
        return st;
    for (int32_t i = 0; i < run->job.shape->classes; i++)
        run->buffers->seed[i] = (float)run->map->cotangent[i];
    run->job.cotangent = run->buffers->seed;
    timings(run, subject)->divergence += kldve_clock_ms() - start;
    return KLDVE_OK;
}

/* -- from the gradient to the map ------------------------------------------------------------- */

kldve_status kldve_run_weights(kldve_run *run, kldve_subject subject)
{
    const kldve_method *method = run->job.method;
    double start = kldve_clock_ms();
    kldve_status st;

    if (!method->weights)
        return KLDVE_OK;
    assert(run->job.gradient || !(run->needs & KLDVE_NEED_GRADIENT));
    if ((st = method->weights(&run->job, run->map->weights)) < 0)
        return st;
    for (int32_t c = 0; c < run->job.shape->maps; c++)
        if (!isfinite(run->map->weights[c]))
            return kldve_ctx_failf(run->job.ctx, KLDVE_E_NUMERIC, "%s: the weight of map %d is %s",
                                   method->name, (int)c, kldve_finite_name(run->map->weights[c]));
    run->job.weights = run->map->weights;
    timings(run, subject)->reduce += kldve_clock_ms() - start;
    return KLDVE_OK;
}

/* The map of the target has standard errors where the method draws random numbers. */
static float *error_of(const kldve_run *run, kldve_subject subject)
{
    if (!run->job.method->random || subject == KLDVE_SUBJECT_OTHER)
        return NULL;
    memset(run->map->error, 0, kldve_run_cells(run) * sizeof *run->map->error);
    return run->map->error;
}

/* What the sign leaves of the map; run->kept and run->cut count it where the method has not. */
static void apply_sign(kldve_run *run, float *map, size_t count)
{
    if (run->options.sign == KLDVE_SIGN_POSITIVE && run->kept == 0 && run->cut == 0)
        kldve_add_by_sign(map, count, &run->kept, &run->cut);
    kldve_apply_sign(run->options.sign, map, count);
}

/* The map to 0..1, its standard errors with it. */
static void normalise(kldve_run *run, float *map, size_t count)
{
    kldve_record *r = &run->map->record;
    double range[2], scale;
    bool flat = kldve_normalise(run->options.sign, map, count, range);

    r->flags = kldve_run_flags(run, flat);
    scale = flat ? 0 : 1 / (range[1] - range[0]);
    r->low = range[0] * run->unit;
    r->high = range[1] * run->unit;
    for (size_t i = 0; run->job.error && i < count; i++)
        run->job.error[i] = (float)((double)run->job.error[i] * scale);
}

kldve_status kldve_run_map(kldve_run *run, kldve_subject subject)
{
    size_t count = kldve_run_cells(run);
    float *map = subject == KLDVE_SUBJECT_OTHER ? run->buffers->other : run->map->values;
    double start = kldve_clock_ms();
    kldve_status st;
    bool zero;

    run->job.error = error_of(run, subject);
    run->unit = 1;
    run->kept = run->cut = 0;
    if ((st = kldve_method_map(&run->job, map)) < 0 ||
        (st = kldve_finite_check(run->job.ctx, run->job.method->name, "value of the map", map,
                                 count)) < 0)
        return st;
    apply_sign(run, map, count);
    zero = kldve_all_zero(map, count);
    normalise(run, map, count);
    kldve_remark(run, zero, run->map);
    timings(run, subject)->reduce += kldve_clock_ms() - start;
    return KLDVE_OK;
}

kldve_status kldve_run_compare(kldve_run *run)
{
    kldve_record *r = &run->map->record;

    assert(run->buffers->other_count >= kldve_run_cells(run));
    r->class_sensitivity =
        kldve_sensitivity(run->map->values, run->buffers->other, kldve_run_cells(run));
    r->flags = kldve_run_flags(run, r->flags & KLDVE_RESULT_FLAT);
    return KLDVE_OK;
}
