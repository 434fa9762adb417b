/* admission.c - before any work: are the options valid, and can the network do what they ask? */
#include "admission.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "faithful.h"
#include "methods/methods.h"
#include "options.h"
#include "pick.h"
#include "stages/target.h"

static kldve_status refuse(kldve_ctx *ctx, const kldve_method *method, const char *option)
{
    return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                           "options: %s is set, but the method %s does not read it: leave it at 0",
                           option, method->name);
}

/* An option that would change nothing is a mistake. */
static kldve_status check_read(kldve_ctx *ctx, const kldve_options *o, const kldve_method *method)
{
    const struct {
        bool set;
        uint64_t option;
        const char *name;
    } given[] = {
        {o->samples > 0, KLDVE_OPTION_SAMPLES, "samples"},
        {o->window > 0, KLDVE_OPTION_WINDOW, "window"},
        {o->stride > 0, KLDVE_OPTION_STRIDE, "stride"},
        {o->noise > 0, KLDVE_OPTION_NOISE, "noise"},
        {o->seed > 0, KLDVE_OPTION_SEED, "seed"},
        {o->neighbour_perplexity > 0, KLDVE_OPTION_NEIGHBOUR_PERPLEXITY, "neighbour_perplexity"},
    };

    if (o->reading != KLDVE_READING_DEFAULT && !method->readings)
        return refuse(ctx, method, "reading");
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i].set && !(method->options & given[i].option))
            return refuse(ctx, method, given[i].name);
    return KLDVE_OK;
}

/* Whether the map depends on it. */
static bool reads_neighbours(const kldve_options *o, const kldve_method *method)
{
    return method->options & KLDVE_OPTION_NEIGHBOUR_PERPLEXITY &&
           (!method->readings || o->reading == KLDVE_READING_NEIGHBOURS) &&
           o->target_kind != KLDVE_TARGET_VERSUS;
}

/* Fill in the perplexity of the reading `neighbours`, or refuse it. */
static kldve_status settle_neighbours(kldve_ctx *ctx, kldve_options *o, const kldve_method *method,
                                      int32_t classes)
{
    if (reads_neighbours(o, method)) {
        if (o->neighbour_perplexity == 0)
            o->neighbour_perplexity = kldve_divergence_neighbour_perplexity(classes);
        return KLDVE_OK;
    }
    if (o->neighbour_perplexity == 0)
        return KLDVE_OK;
    if (o->target_kind == KLDVE_TARGET_VERSUS)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "options: neighbour_perplexity is set, but a class against a rival "
                              "does not read it: leave it at 0");
    return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                           "options: neighbour_perplexity is set, but the reading %s does not read "
                           "it: leave it at 0, or choose the reading neighbours",
                           kldve_reading_name(o->reading));
}

kldve_status kldve_run_prepare(kldve_run *run, kldve_ctx *ctx, const kldve_shape *shape,
                               const kldve_options *options, kldve_buffers *buffers)
{
    const kldve_method *method;
    kldve_status st;

    memset(run, 0, sizeof *run);
    if ((st = kldve_options_load(ctx, options, &run->options)) < 0)
        return st;
    method = kldve_method_named(ctx, run->options.method);
    if (!method)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "unknown method \"%s\"; kldve_method_name() lists the methods",
                               run->options.method);
    if ((st = check_read(ctx, &run->options, method)) < 0)
        return st;
    if (run->options.reading == KLDVE_READING_DEFAULT)
        run->options.reading = run->options.truth ? KLDVE_READING_CONTRAST /* about a truth */
                                                  : KLDVE_READING_NEIGHBOURS;
    if (run->options.sign == KLDVE_SIGN_DEFAULT)
        run->options.sign = method->sign;
    if ((st = settle_neighbours(ctx, &run->options, method, shape->classes)) < 0 ||
        (st = kldve_buffers_divergence(buffers, &run->options, shape->classes)) < 0)
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

/* In messages: "the reading neighbours" for the default method, which the caller need not have
 * named, else "the method NAME". */
static kldve_status lacks(const kldve_run *run, kldve_status st, const char *what)
{
    bool reading = run->job.method == kldve_method_number(NULL, 0);

    return kldve_ctx_failf(
        run->job.ctx, st, "%s: the %s %s needs %s", run->where, reading ? "reading" : "method",
        reading ? kldve_reading_name(run->options.reading) : run->job.method->name, what);
}

static kldve_status check_target(const kldve_run *run)
{
    return kldve_target_check(run->job.ctx, run->where, &run->options, run->job.shape->classes);
}

static kldve_status check_arrays(const kldve_run *run)
{
    const uint64_t of_network = KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_FORWARDS |
                                KLDVE_NEED_FEATURE_FORWARDS | KLDVE_NEED_BIAS_GRADIENT |
                                KLDVE_NEED_ATTENTION;

    if (run->options.pick)
        return kldve_ctx_failf(run->job.ctx, KLDVE_E_ARG,
                               "%s: kldve_options.pick is for networks: the logits of arrays are "
                               "picked already",
                               run->where);
    if (run->options.smooth)
        return lacks(run, KLDVE_E_UNSUPPORTED, "the network itself to be smoothed");
    if (run->options.check_passes > 0)
        return lacks(run, KLDVE_E_UNSUPPORTED, "the network itself for check_passes");
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

kldve_status kldve_run_admit_arrays(kldve_run *run, const float *gradient)
{
    kldve_status st;

    assert(run->job.method && !run->net);
    run->given = gradient;
    st = check_arrays(run);
    return st < 0 ? st : check_target(run);
}

bool kldve_run_looks_at_layer(const kldve_run *run)
{
    const uint64_t of_layer =
        KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT | KLDVE_NEED_FEATURE_FORWARDS;

    return run->needs & of_layer || run->job.method->resolution == KLDVE_RESOLUTION_CELLS;
}

/* Behind the layer there are no pixels. */
static bool looks_at_pixels(const kldve_run *run)
{
    const uint64_t of_input = KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_FORWARDS |
                              KLDVE_NEED_BIAS_GRADIENT | KLDVE_NEED_ATTENTION;

    return run->needs & of_input || run->options.smooth ||
           run->job.method->resolution != KLDVE_RESOLUTION_CELLS;
}

static kldve_status check_network(const kldve_run *run)
{
    const kldve_network *net = run->net;

    if (net->shape.head && run->options.check_passes > 0)
        return lacks(run, KLDVE_E_UNSUPPORTED,
                     "the whole network for check_passes; only the part behind the layer is open");
    if (net->shape.head && looks_at_pixels(run))
        return lacks(run, KLDVE_E_UNSUPPORTED,
                     "the whole network, of which only the part behind the layer is open");
    if (net->shape.maps == 0 && kldve_run_looks_at_layer(run))
        return lacks(run, KLDVE_E_UNSUPPORTED,
                     "a layer with cells, which this network does not have: choose a method that "
                     "explains the input itself, such as gradient-x-input, integrated-gradients, "
                     "occlusion or kernel-shap");
    if (run->needs & KLDVE_NEED_GRADIENT && !kldve_network_has(net, vjp))
        return lacks(run, KLDVE_E_NO_VJP,
                     "a gradient, which this backend cannot give (the reading paper needs none)");
    if (run->needs & KLDVE_NEED_INPUT_GRADIENT && !kldve_network_has(net, vjp_input))
        return lacks(run, KLDVE_E_NO_VJP,
                     "a gradient at the pixels, which this backend cannot give");
    if (run->needs & KLDVE_NEED_FEATURE_FORWARDS && !kldve_network_has(net, forward_features))
        return lacks(run, KLDVE_E_UNSUPPORTED,
                     "to run from changed feature maps, which this backend cannot");
    if (run->needs & KLDVE_NEED_BIAS_GRADIENT && !kldve_network_has(net, vjp_biases))
        return lacks(run, KLDVE_E_UNSUPPORTED,
                     "the gradients at the biases, which this backend cannot give");
    if (run->needs & KLDVE_NEED_ATTENTION && !kldve_network_has(net, attentions))
        return lacks(run, KLDVE_E_UNSUPPORTED, "the attentions, which this backend cannot give");
    return KLDVE_OK;
}

kldve_status kldve_run_admit_network(kldve_run *run, kldve_network *net)
{
    const kldve_method *method = run->job.method;
    kldve_status st;

    assert(run->job.shape == &net->shape);
    run->net = net;
    run->where = net->backend.name;
    if ((st = check_network(run)) < 0 || (st = kldve_run_admit_pick(run)) < 0 ||
        (st = check_target(run)) < 0)
        return st;
    if (run->options.check_passes == 0)
        run->options.check_passes = KLDVE_CHECK_PASSES;
    return kldve_network_can(net, method->name, run->needs, method->rule);
}
