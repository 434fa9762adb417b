/* faithful.c - the quick figure of KLDVE_FLAG_CHECK: does the score follow what the map marks?
 *
 *     F = area under insertion - area under deletion
 *
 * of n steps (curve.h), both to and from an input of zeros, which is the mean colour after the
 * usual normalisation.  The score is the probability at temperature 1 (kldve_job_score()).  The two
 * curves share the ends, which the control's share, too: 1 + 4 (n - 1) passes.  The control is a
 * blob in the middle, which points at what photographers point at and looks at nothing.
 *
 * The full figures are the metrics insertion and deletion (224 steps, a blurred picture to begin
 * insertion with); after V. Petsiuk, A. Das, K. Saenko, arXiv:1806.07421. */
#include "faithful.h"

#include <assert.h>
#include <string.h>

#include "base/size.h"
#include "methods/methods.h"
#include "stages/curve.h"
#include "stages/target.h"

enum { MAP, CONTROL, ORDERS };
enum { DELETION, INSERTION, CURVES };

typedef struct quick {
    int32_t steps, at_once;
    size_t pixels, each;     /* of a step */
    uint32_t *order[ORDERS]; /* [pixels] */
    float *values;           /* [pixels] */
    uint32_t *spare;         /* [pixels] */
    float *inputs, *logits;  /* [at_once][inputs], [at_once][classes] */
    double *score;           /* [ORDERS][CURVES][steps + 1] */
} quick;

static double *curve_of(const quick *q, int order, int curve)
{
    return q->score + (size_t)(order * CURVES + curve) * ((size_t)q->steps + 1);
}

static int32_t passes_of(const quick *q)
{
    return 1 + ORDERS * CURVES * (q->steps - 1);
}

static void put_back(const kldve_run *run, quick *q)
{
    void *const memory[] = {q->order[MAP], q->order[CONTROL], q->values, q->spare,
                            q->inputs,     q->logits,         q->score};

    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        kldve_ctx_release(run->job.ctx, memory[i]);
}

static kldve_status take(const kldve_run *run, quick *q)
{
    const kldve_shape *s = run->job.shape;
    kldve_ctx *ctx = run->job.ctx;
    size_t batch, inputs = 0, logits = 0;

    q->at_once = s->batch > 1 ? s->batch : 1;
    batch = (size_t)q->at_once;
    q->pixels = (size_t)s->in_height * (size_t)s->in_width;
    q->steps = kldve_curve_steps(q->pixels, (run->options.check_passes + 3) / 4, &q->each);
    if (!kldve_size_mul(batch, run->net->inputs, &inputs) ||
        !kldve_size_mul(batch, (size_t)s->classes, &logits))
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for the check");
    q->order[MAP] = kldve_ctx_alloc(ctx, q->pixels, sizeof *q->order[MAP]);
    q->order[CONTROL] = kldve_ctx_alloc(ctx, q->pixels, sizeof *q->order[CONTROL]);
    q->values = kldve_ctx_alloc(ctx, q->pixels, sizeof *q->values);
    q->spare = kldve_ctx_alloc(ctx, q->pixels, sizeof *q->spare);
    q->inputs = kldve_ctx_alloc(ctx, inputs, sizeof *q->inputs);
    q->logits = kldve_ctx_alloc(ctx, logits, sizeof *q->logits);
    q->score = kldve_ctx_alloc(ctx, (size_t)q->steps + 1, ORDERS * CURVES * sizeof *q->score);
    return q->order[MAP] && q->order[CONTROL] && q->values && q->spare && q->inputs && q->logits &&
                   q->score
               ? KLDVE_OK
               : kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for the check");
}

static kldve_status find_orders(const kldve_run *run, quick *q)
{
    const kldve_film film = kldve_heatmap_film(run->map);
    int32_t frames = run->map->view_frames;
    const int32_t size[2] = {run->job.shape->in_height / frames, run->job.shape->in_width};
    kldve_status st;

    kldve_upsample_film(&film, frames, size, size[1], q->values);
    kldve_curve_order(q->values, q->pixels, 0, q->order[MAP], q->spare);
    if ((st = kldve_method_centre.map(&run->job, q->values)) < 0)
        return st;
    kldve_curve_order(q->values, q->pixels, 0, q->order[CONTROL], q->spare);
    return KLDVE_OK;
}

/* Where the score of pass number i belongs; pass 0 is that of zeros alone, and the end of every
 * curve. */
static double *place_of(const quick *q, int32_t i, int *order, int *curve, int32_t *step)
{
    int32_t each = q->steps - 1;

    assert(i > 0);
    i--;
    *step = i % each + 1;
    *curve = i / each % CURVES;
    *order = i / each / CURVES;
    return curve_of(q, *order, *curve) + *step;
}

static void make_input(const kldve_run *run, const quick *q, int32_t i, float *input)
{
    size_t channels = (size_t)run->job.shape->in_channels, inputs = run->net->inputs;
    int order, curve;
    int32_t step;

    memset(input, 0, inputs * sizeof *input);
    if (i == 0)
        return;
    place_of(q, i, &order, &curve, &step);
    if (curve == INSERTION)
        kldve_curve_change(run->explained, q->order[order], 0, (size_t)step * q->each, channels,
                           q->pixels, input);
    else
        kldve_curve_change(run->explained, q->order[order], (size_t)step * q->each, q->pixels,
                           channels, q->pixels, input);
}

static double score_of(const kldve_run *run, const float *logits)
{
    kldve_options o = run->options;

    o.temperature = 1;
    return kldve_target_score(&o, run->job.shape, run->target, logits, KLDVE_SCORE_PROBABILITY);
}

static void put_score(const quick *q, int32_t i, double score)
{
    int order, curve;
    int32_t step;

    if (i > 0) {
        *place_of(q, i, &order, &curve, &step) = score;
        return;
    }
    for (order = 0; order < ORDERS; order++) {
        curve_of(q, order, DELETION)[q->steps] = score;
        curve_of(q, order, INSERTION)[0] = score;
    }
}

static kldve_status run_passes(const kldve_run *run, const quick *q)
{
    size_t inputs = run->net->inputs, classes = (size_t)run->job.shape->classes;
    int32_t all = passes_of(q), some;
    kldve_status st = KLDVE_OK;

    for (int32_t done = 0; st == KLDVE_OK && done < all; done += some) {
        some = all - done >= q->at_once ? q->at_once : 1;
        for (int32_t i = 0; i < some; i++)
            make_input(run, q, done + i, q->inputs + (size_t)i * inputs);
        if ((st = kldve_ctx_progress(run->job.ctx, "check", done, all)) == KLDVE_OK)
            st =
                kldve_network_forward_changed(run->net, run->explained, some, q->inputs, q->logits);
        for (int32_t i = 0; st == KLDVE_OK && i < some; i++)
            put_score(q, done + i, score_of(run, q->logits + (size_t)i * classes));
    }
    kldve_network_let_go(run->net);
    return st;
}

static double figure_of(const kldve_run *run, const quick *q, int order)
{
    double *deletion = curve_of(q, order, DELETION), *insertion = curve_of(q, order, INSERTION);
    size_t points = (size_t)q->steps + 1;

    deletion[0] = insertion[q->steps] = score_of(run, run->map->logits);
    return kldve_curve_area(insertion, points) - kldve_curve_area(deletion, points);
}

kldve_status kldve_run_faithfulness(kldve_run *run)
{
    kldve_record *r = &run->map->record;
    quick q = {0};
    kldve_status st;

    if (!run->net || run->net->shape.head || run->options.check_passes < 0 ||
        r->flags & KLDVE_RESULT_FLAT)
        return KLDVE_OK;
    if ((st = take(run, &q)) == KLDVE_OK && (st = find_orders(run, &q)) == KLDVE_OK &&
        (st = run_passes(run, &q)) == KLDVE_OK) {
        r->faithfulness = figure_of(run, &q, MAP);
        r->faithfulness_control = figure_of(run, &q, CONTROL);
        r->check_passes = passes_of(&q);
    }
    put_back(run, &q);
    return st;
}
