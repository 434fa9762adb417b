/* run.c - the stages as steps on one explanation: which buffer goes into which function. */
#include "run.h"

#include <math.h>
#include <string.h>

#include "base/block.h"
#include "base/clock.h"
#include "base/finite.h"
#include "methods/methods.h"
#include "stages/normalise.h"
#include "options.h"
#include "stages/sensitivity.h"
#include "stages/target.h"

/* What is back-propagated starts at the logits, wherever it ends. */
enum { NEED_COTANGENT = KLDVE_NEED_GRADIENT | KLDVE_NEED_INPUT_GRADIENT };

/* -- buffers ---------------------------------------------------------------------------------- */

/* An array of `count` times `each` items. */
static void *cut_rows(kldve_block *block, size_t count, size_t each, size_t nbytes)
{
    size_t all = 0;

    if (!kldve_size_mul(count, each, &all))
        block->overflow = true;
    return kldve_block_cut(block, all, nbytes);
}

static void cut(kldve_buffers *b, size_t count, kldve_block *block, const kldve_shape *s,
                bool arrays)
{
    size_t n = (size_t)s->classes, maps = (size_t)s->maps, cells = 0, features = 0;

    if (!kldve_size_mul((size_t)s->height, (size_t)s->width, &cells) ||
        !kldve_size_mul(cells, maps, &features))
        block->overflow = true;
    b->seed = cut_rows(block, count, n, sizeof *b->seed);
    b->scratch = cut_rows(block, count, maps, sizeof *b->scratch);
    b->scores = cut_rows(block, count, n, sizeof *b->scores);
    if (!arrays) {
        b->logits = cut_rows(block, count, n, sizeof *b->logits);
        b->features = cut_rows(block, count, features, sizeof *b->features);
        b->gradient = cut_rows(block, count, features, sizeof *b->gradient);
    }
    for (size_t i = 1; block->base && i < count; i++) {
        b[i].seed = b[i - 1].seed + n;
        b[i].scratch = b[i - 1].scratch + maps;
        b[i].scores = b[i - 1].scores + n;
        if (arrays)
            continue;
        b[i].logits = b[i - 1].logits + n;
        b[i].features = b[i - 1].features + features;
        b[i].gradient = b[i - 1].gradient + features;
    }
}

kldve_status kldve_buffers_new(kldve_ctx *ctx, const kldve_shape *shape, int32_t count, bool arrays,
                               kldve_buffers *out)
{
    kldve_buffers measure;
    kldve_block block = {NULL, 0, false};
    void *memory = NULL;

    cut(&measure, (size_t)count, &block, shape, arrays);
    if (!block.overflow)
        memory = kldve_ctx_alloc(ctx, 1, block.size);
    if (!memory)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for %d feature maps of %d x %d",
                               (int)shape->maps, (int)shape->height, (int)shape->width);
    for (int32_t i = 0; i < count; i++)
        out[i] = (kldve_buffers){.ctx = ctx};
    out->memory = memory;
    block = (kldve_block){memory, 0, false};
    cut(out, (size_t)count, &block, shape, arrays);
    return KLDVE_OK;
}

void kldve_buffers_free(kldve_buffers *b, int32_t count)
{
    for (int32_t i = 0; i < count && b[i].ctx; i++) {
        kldve_divergence_free(b[i].divergence);
        kldve_ctx_release(b[i].ctx, b[i].other);
        kldve_ctx_release(b[i].ctx, b[i].memory);
    }
    memset(b, 0, (size_t)count * sizeof *b);
}

/* The divergence object with the options of this call: that of the last call if they are equal. */
static kldve_status divergence_for(kldve_buffers *b, const kldve_options *o, size_t n)
{
    kldve_divergence_options options = {.struct_size = sizeof options,
                                        .temperature = (double)o->temperature,
                                        .perplexity = o->perplexity,
                                        .unattainable = KLDVE_UNATTAINABLE_LIMIT};

    if (b->divergence && b->temperature == options.temperature &&
        b->perplexity == options.perplexity)
        return KLDVE_OK;
    kldve_divergence_free(b->divergence);
    b->divergence = NULL;
    b->temperature = options.temperature;
    b->perplexity = options.perplexity;
    return kldve_divergence_new(b->ctx, n, &options, &b->divergence);
}

/* -- begin ------------------------------------------------------------------------------------ */

kldve_status kldve_run_prepare(kldve_run *run, kldve_ctx *ctx, const kldve_shape *shape,
                               const kldve_options *options, kldve_buffers *buffers)
{
    const kldve_method *method;
    kldve_status st;

    memset(run, 0, sizeof *run);
    if ((st = kldve_options_load(ctx, options, &run->options)) < 0)
        return st;
    method = kldve_method_find(ctx, run->options.method);
    if (!method)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "there is no method \"%s\"; kldve_method_name() lists them",
                               run->options.method);
    if (run->options.sign == KLDVE_SIGN_DEFAULT)
        run->options.sign = method->sign;
    if ((st = divergence_for(buffers, &run->options, (size_t)shape->classes)) < 0)
        return st;
    run->buffers = buffers;
    run->where = "arrays";
    run->needs = method->needs_with ? method->needs_with(&run->options) : method->needs;
    run->job = (kldve_job){
        .struct_size = sizeof run->job,
        .ctx = ctx,
        .method = method,
        .options = &run->options,
        .shape = shape,
        .divergence = buffers->divergence,
    };
    return KLDVE_OK;
}

/* In messages: "the reading contrast" for the default method, which the caller need not have named,
 * else "the method NAME". */
static kldve_status lacks(const kldve_run *run, kldve_status st, const char *what)
{
    bool reading = run->job.method == kldve_method_at(NULL, 0);

    return kldve_ctx_failf(
        run->job.ctx, st, "%s: the %s %s needs %s", run->where, reading ? "reading" : "method",
        reading ? kldve_reading_name(run->options.reading) : run->job.method->name, what);
}

static kldve_status check_arrays(const kldve_run *run)
{
    const uint32_t of_network = KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_FORWARDS |
                                KLDVE_NEED_FEATURE_FORWARDS | KLDVE_NEED_BIAS_GRADIENT;

    if (run->options.smooth)
        return lacks(run, KLDVE_E_UNSUPPORTED, "the network itself to be smoothed");
    if (run->needs & of_network || run->job.method->resolution != KLDVE_RESOLUTION_CELLS)
        return lacks(run, KLDVE_E_UNSUPPORTED, "the network itself, not only its arrays");
    if (!(run->needs & KLDVE_NEED_GRADIENT))
        return KLDVE_OK;
    if (!run->given)
        return lacks(run, KLDVE_E_NO_VJP,
                     "kldve_arrays.gradient (the reading paper needs no gradient)");
    if (run->options.flags & KLDVE_FLAG_CHECK)
        return lacks(run, KLDVE_E_NO_VJP, "a second gradient for KLDVE_FLAG_CHECK");
    return KLDVE_OK;
}

static kldve_status check_network(const kldve_run *run)
{
    const kldve_network *net = run->net;

    if (run->needs & KLDVE_NEED_GRADIENT && !kldve_network_has_vjp(net))
        return lacks(run, KLDVE_E_NO_VJP,
                     "a gradient, which this backend cannot give (the reading paper needs none)");
    if (run->needs & KLDVE_NEED_INPUT_GRADIENT && !kldve_network_has_vjp_input(net))
        return lacks(run, KLDVE_E_NO_VJP,
                     "a gradient at the pixels, which this backend cannot give");
    if (run->needs & KLDVE_NEED_FEATURE_FORWARDS && !kldve_network_has_forward_features(net))
        return lacks(run, KLDVE_E_UNSUPPORTED,
                     "to run from changed feature maps, which this backend cannot");
    if (run->needs & KLDVE_NEED_BIAS_GRADIENT && !kldve_network_has_vjp_biases(net))
        return lacks(run, KLDVE_E_UNSUPPORTED,
                     "the gradients at the biases, which this backend cannot give");
    return KLDVE_OK;
}

kldve_status kldve_run_admit(kldve_run *run, kldve_network *net, const float *given)
{
    kldve_status st;

    run->net = net;
    run->given = given;
    if (net)
        run->where = net->backend.name;
    if ((st = net ? check_network(run) : check_arrays(run)) < 0)
        return st;
    return kldve_target_check(run->job.ctx, run->where, &run->options, run->job.shape->classes);
}

kldve_status kldve_run_begin(kldve_run *run)
{
    const kldve_shape *s = run->job.shape;
    const kldve_method *method = run->job.method;
    bool pixels = method->resolution == KLDVE_RESOLUTION_PIXELS;
    kldve_status st;

    st = kldve_heatmap_new(run->job.ctx, s->classes, s->maps, pixels ? s->in_height : s->height,
                           pixels ? s->in_width : s->width, &run->map);
    if (st < 0)
        return st;
    run->map->record.method = method->name;
    run->map->record.reading = run->options.reading;
    run->map->view_height = s->in_height;
    run->map->view_width = s->in_width;
    run->map->has_cotangent = run->needs & NEED_COTANGENT;
    run->map->record.sign = run->options.sign;
    run->map->has_weights = method->weights != NULL;
    run->map->has_error = method->random && !run->options.smooth;
    return KLDVE_OK;
}

/* -- steps ------------------------------------------------------------------------------------ */

static kldve_timings *timings(kldve_run *run)
{
    return &run->map->timings;
}

kldve_status kldve_run_picture(kldve_run *run, const kldve_image *picture,
                               const kldve_input_spec *spec, float *input)
{
    kldve_record *r = &run->map->record;
    double start = kldve_clock_ms();
    kldve_view view;
    kldve_status st = kldve_preprocess(run->job.ctx, picture, spec, run->job.shape, input, &view);

    if (st < 0)
        return st;
    r->seen_x = view.x;
    r->seen_y = view.y;
    r->seen_width = view.width;
    r->seen_height = view.height;
    timings(run)->preprocess = kldve_clock_ms() - start;
    return KLDVE_OK;
}

void kldve_run_take_forward(kldve_run *run, const float *input, double ms)
{
    run->job.input = input;
    run->job.logits = run->buffers->logits;
    run->job.features = run->buffers->features;
    timings(run)->forward += ms;
}

kldve_status kldve_run_forward(kldve_run *run, const float *input)
{
    kldve_buffers *b = run->buffers;
    double start = kldve_clock_ms();
    kldve_status st = kldve_ctx_progress(run->job.ctx, "forward", 0, 1);

    if (st < 0 || (st = kldve_network_forward(run->net, input, b->logits, b->features)) < 0)
        return st;
    kldve_run_take_forward(run, input, kldve_clock_ms() - start);
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
    timings(run)->divergence += kldve_clock_ms() - start;
    return KLDVE_OK;
}

/* The best of a set stands for it in the record. */
static int32_t best_of(const float *k, const int32_t *targets, int32_t count)
{
    int32_t best = targets[0];

    for (int32_t i = 1; i < count; i++)
        if (k[targets[i]] > k[best])
            best = targets[i];
    return best;
}

static bool is_target(const kldve_options *o, int32_t target, int32_t c)
{
    for (int32_t i = 0; o->target_kind == KLDVE_TARGET_SET && i < o->target_count; i++)
        if (o->targets[i] == c)
            return true;
    return c == target;
}

static int32_t best_other(const float *k, int32_t n, const kldve_options *o, int32_t target)
{
    int32_t best = -1;

    for (int32_t c = 0; c < n; c++)
        if (!is_target(o, target, c) && (best < 0 || k[c] > k[best]))
            best = c;
    return best;
}

void kldve_run_target(kldve_run *run)
{
    const kldve_options *o = &run->options;
    const float *k = run->job.logits;
    int32_t n = run->job.shape->classes;

    run->target = o->target;
    if (o->target_kind == KLDVE_TARGET_RANK)
        run->target = (int32_t)kldve_target_ranked(k, (size_t)n, (size_t)o->target);
    if (o->target_kind == KLDVE_TARGET_SET)
        run->target = best_of(k, o->targets, o->target_count);
    run->other = best_other(k, n, o, run->target);
}

/* k and what is true -> z, KL. */
static kldve_status divergence(kldve_run *run, size_t c)
{
    const kldve_options *o = &run->options;
    kldve_divergence *d = run->buffers->divergence;
    double *z = run->map->z, *kl = &run->map->record.kl;
    size_t *targets;
    kldve_status st;

    if (o->truth)
        return kldve_divergence_truth(d, o->truth, z, kl);
    if (o->target_kind != KLDVE_TARGET_SET)
        return kldve_divergence_onehot(d, c, z, kl);
    targets = kldve_ctx_alloc(run->job.ctx, (size_t)o->target_count, sizeof *targets);
    if (!targets)
        return kldve_ctx_failf(run->job.ctx, KLDVE_E_NOMEM, "out of memory for %d targets",
                               (int)o->target_count);
    for (int32_t i = 0; i < o->target_count; i++)
        targets[i] = (size_t)o->targets[i];
    st = kldve_divergence_positives(d, targets, (size_t)o->target_count, z, kl);
    kldve_ctx_release(run->job.ctx, targets);
    return st;
}

kldve_status kldve_run_divergence(kldve_run *run)
{
    kldve_heatmap *map = run->map;
    int32_t target = run->checking ? run->other : run->target;
    size_t n = (size_t)run->job.shape->classes, c = (size_t)target;
    double start = kldve_clock_ms();
    kldve_status st = divergence(run, c);

    if (st < 0)
        return st;
    run->job.cotangent = NULL;
    run->job.flat = kldve_standardise(map->z, n, map->alpha);
    run->job.alpha = map->alpha;
    run->job.target = target;
    run->job.gradient = NULL;
    run->job.weights = NULL;
    map->record.target = target;
    map->record.logit = run->job.logits[c];
    map->record.probability = (float)kldve_target_probability(run->job.logits, n, c);
    timings(run)->divergence += kldve_clock_ms() - start;
    return KLDVE_OK;
}

kldve_status kldve_run_cotangent(kldve_run *run)
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
    timings(run)->divergence += kldve_clock_ms() - start;
    return st;
}

/* A method that ran further forward passes left the network elsewhere: go back first. */
static kldve_status go_back(kldve_run *run)
{
    kldve_buffers *b = run->buffers;

    if (!run->net->moved)
        return KLDVE_OK;
    return kldve_network_forward(run->net, run->job.input, b->logits, b->features);
}

void kldve_run_take_vjp(kldve_run *run, double ms)
{
    run->job.gradient = run->buffers->gradient;
    timings(run)->backward += ms;
}

kldve_status kldve_run_vjp(kldve_run *run)
{
    kldve_buffers *b = run->buffers;
    double start = kldve_clock_ms();
    kldve_status st;

    if (run->net && (st = go_back(run)) < 0)
        return st;
    if (!(run->needs & KLDVE_NEED_GRADIENT))
        return KLDVE_OK;
    if (!run->net) {
        run->job.gradient = run->given;
        return KLDVE_OK;
    }
    if ((st = kldve_ctx_progress(run->job.ctx, "backward", 0, 1)) < 0 ||
        (st = kldve_network_vjp(run->net, b->seed, b->gradient)) < 0)
        return st;
    kldve_run_take_vjp(run, kldve_clock_ms() - start);
    return KLDVE_OK;
}

kldve_status kldve_run_weights(kldve_run *run)
{
    const kldve_method *method = run->job.method;
    double start = kldve_clock_ms();
    kldve_status st;

    if (!method->weights)
        return KLDVE_OK;
    if ((st = method->weights(&run->job, run->map->weights)) < 0)
        return st;
    for (int32_t c = 0; c < run->job.shape->maps; c++)
        if (!isfinite(run->map->weights[c]))
            return kldve_ctx_failf(run->job.ctx, KLDVE_E_NUMERIC, "%s: the weight of map %d is %s",
                                   method->name, (int)c, kldve_finite_name(run->map->weights[c]));
    run->job.weights = run->map->weights;
    timings(run)->reduce += kldve_clock_ms() - start;
    return KLDVE_OK;
}

static size_t map_count(const kldve_run *run)
{
    return (size_t)run->map->record.height * (size_t)run->map->record.width;
}

kldve_status kldve_run_map(kldve_run *run)
{
    size_t count = map_count(run);
    float *map = run->checking ? run->buffers->other : run->map->values;
    double start = kldve_clock_ms(), scale;
    kldve_status st;

    run->job.error = NULL;
    if (run->job.method->random && !run->checking) {
        run->job.error = run->map->error;
        memset(run->job.error, 0, count * sizeof *run->job.error);
    }
    st = kldve_method_map(&run->job, map);

    if (st < 0 || (st = kldve_network_check(run->job.ctx, run->job.method->name, "value of the map",
                                            map, count)) < 0)
        return st;
    kldve_apply_sign(run->options.sign, map, count);
    run->map->record.flat = kldve_normalise(run->options.sign, map, count, &scale);
    for (size_t i = 0; run->job.error && i < count; i++)
        run->job.error[i] = (float)((double)run->job.error[i] * scale);
    timings(run)->reduce += kldve_clock_ms() - start;
    return KLDVE_OK;
}

/* Room for a second map. */
static kldve_status other_map(kldve_buffers *b, size_t count)
{
    if (b->other_count >= count)
        return KLDVE_OK;
    kldve_ctx_release(b->ctx, b->other);
    b->other_count = 0;
    b->other = kldve_ctx_alloc(b->ctx, count, sizeof *b->other);
    if (!b->other)
        return kldve_ctx_fail(b->ctx, KLDVE_E_NOMEM, "out of memory for a second map");
    b->other_count = count;
    return KLDVE_OK;
}

kldve_status kldve_run_check_begin(kldve_run *run)
{
    kldve_status st = other_map(run->buffers, map_count(run));

    if (st < 0)
        return st;
    run->checking = true;
    run->timings = *timings(run);
    run->target_kind = run->options.target_kind;
    run->options.target_kind = KLDVE_TARGET_INDEX;
    return KLDVE_OK;
}

void kldve_run_check_end(kldve_run *run)
{
    run->options.target_kind = run->target_kind;
    *timings(run) = run->timings;
    run->checking = false;
}

void kldve_run_compare(kldve_run *run)
{
    run->map->record.class_sensitivity =
        kldve_sensitivity(run->map->values, run->buffers->other, map_count(run));
}
