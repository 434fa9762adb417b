/* passes.c - forward passes without an explanation, and the input of a picture. */
#include "passes.h"

#include <string.h>

#include "base/finite.h"
#include "explain.h"
#include "explainer.h"
#include "options.h"
#include "pick.h"

kldve_ctx *kldve_explainer_ctx(const kldve_explainer *ex)
{
    return ex->ctx;
}

const kldve_shape *kldve_explainer_shape_of(const kldve_explainer *ex)
{
    return &ex->net.shape;
}

const kldve_input_spec *kldve_explainer_spec_of(const kldve_explainer *ex)
{
    return &ex->spec;
}

/* -- pictures --------------------------------------------------------------------------------- */

static kldve_status prepare_picture(kldve_explainer *ex, const kldve_image *picture, float *input)
{
    kldve_view view;
    kldve_status st = kldve_ctx_poll(ex->ctx);

    if (st < 0 || (st = kldve_scratch_open(ex->ctx, &ex->scratch)) < 0)
        return st;
    st = kldve_preprocess(ex->ctx, &picture, &ex->spec, &ex->net.shape, input, &view);
    kldve_scratch_close(ex->ctx);
    return st;
}

kldve_status kldve_explainer_input(kldve_explainer *ex, const kldve_image *picture, float *input)
{
    double before;

    if (!ex)
        return KLDVE_E_ARG;
    if (!picture || !input)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "input: the %s is NULL",
                               picture ? "result" : "picture");
    if (ex->net.shape.in_frames > 1)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                               "input: the network takes a film of %d frames, not one picture",
                               (int)ex->net.shape.in_frames);
    before = kldve_ctx_enter(ex->ctx, "input", 0);
    return kldve_ctx_leave(ex->ctx, before, prepare_picture(ex, picture, input));
}

/* -- forward passes --------------------------------------------------------------------------- */

/* A run that ends behind the scores: there is no method and no map. */
static kldve_status prepare_run(kldve_run *run, kldve_explainer *ex, const kldve_frame *frame,
                                const kldve_options *options)
{
    const kldve_shape *s = &ex->net.shape;
    kldve_status st;

    memset(run, 0, sizeof *run);
    if ((st = kldve_options_load(ex->ctx, options, &run->options)) < 0)
        return st;
    if (s->head)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_UNSUPPORTED,
                               "%s: only the part behind the layer is open: it takes no inputs",
                               ex->net.backend.name);
    run->net = &ex->net;
    run->where = ex->net.backend.name;
    run->buffers = ex->buffers;
    run->frame = frame ? *frame : (kldve_frame){{0, 0, 1, 1}, s->in_width, s->in_height};
    run->job = (kldve_job){
        .struct_size = sizeof run->job,
        .ctx = ex->ctx,
        .options = &run->options,
        .shape = s,
    };
    return kldve_run_admit_pick(run);
}

/* The first input of all, whose scores say what is picked. */
static kldve_status pass_and_pick(kldve_run *run, const float *input, float *logits)
{
    kldve_buffers *b = run->buffers;
    int32_t refused;
    kldve_status st = kldve_network_forward(run->net, 1, input, b->logits, b->features, &refused);

    if (st < 0 || (st = kldve_run_pick(run)) < 0)
        return st;
    memcpy(logits, b->logits, (size_t)run->net->shape.classes * sizeof *logits);
    return KLDVE_OK;
}

kldve_status kldve_explainer_pass_again(kldve_explainer *ex, const float *inputs, int32_t count,
                                        float *logits)
{
    kldve_network *net = &ex->net;
    kldve_status st = KLDVE_OK;

    for (int32_t done = 0; st == KLDVE_OK && done < count;) {
        int32_t at_once = count - done >= net->shape.batch ? net->shape.batch : 1;

        if ((st = kldve_ctx_poll(ex->ctx)) == KLDVE_OK)
            st = kldve_network_forward_changed(net, inputs, at_once,
                                               inputs + (size_t)done * net->inputs,
                                               logits + (size_t)done * (size_t)net->shape.classes);
        done += at_once;
    }
    net->held = KLDVE_HELD_NOTHING; /* a later run must not take the caller's memory for its own */
    return st;
}

kldve_status kldve_explainer_pass(kldve_explainer *ex, const kldve_frame *frame,
                                  const float *inputs, int32_t count, const kldve_options *options,
                                  float *logits)
{
    kldve_run run;
    int32_t first = 0;
    kldve_status st = prepare_run(&run, ex, frame, options);

    if (st == KLDVE_OK && run.options.pick) {
        st = pass_and_pick(&run, inputs, logits);
        first = 1;
    }
    return st < 0
               ? st
               : kldve_explainer_pass_again(ex, inputs + (size_t)first * ex->net.inputs,
                                            count - first,
                                            logits + (size_t)first * (size_t)ex->net.shape.classes);
}

kldve_status kldve_explainer_forward(kldve_explainer *ex, const float *inputs, int32_t count,
                                     const kldve_options *options, float *logits)
{
    kldve_status st;
    double before;

    if (!ex)
        return KLDVE_E_ARG;
    if (!inputs || !logits)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "forward: the %s are NULL",
                               inputs ? "logits" : "inputs");
    if (count < 1)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                               "forward: the number of inputs is %d, it must be at least 1",
                               (int)count);
    before = kldve_ctx_enter(ex->ctx, "forward", kldve_options_deadline(options));
    st = kldve_finite_check(ex->ctx, "forward", "number of the inputs", inputs,
                            (size_t)count * ex->net.inputs);
    if (st == KLDVE_OK)
        st = kldve_explainer_pass(ex, NULL, inputs, count, options, logits);
    return kldve_ctx_leave(ex->ctx, before, st);
}

kldve_status kldve_explainer_explain(kldve_explainer *ex, const kldve_frame *frame,
                                     const float *input, const kldve_options *options,
                                     kldve_heatmap **out)
{
    const kldve_call call = {.ex = ex, .options = options, .inputs = input, .frame = frame};
    kldve_heatmap *map = NULL;
    int32_t failed;
    kldve_status st = kldve_explain_together(&call, 0, 1, &map, &failed);

    if (st == KLDVE_OK)
        *out = map;
    return st;
}
