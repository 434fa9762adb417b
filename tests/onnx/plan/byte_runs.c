/* byte_runs.c - see byte_runs.h. */
#include "byte_runs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "build/build.h"
#include "onnx/networks/text.h"
#include "run/state.h"

void byte_open(opened *o, const char *text)
{
    const kx_graph_options options = {.batch = 1};
    size_t nbytes;

    *o = (opened){.model = NULL};
    o->ctx = test_ctx(&o->heap);
    o->bytes = writer_memory(write_text, text, &nbytes);
    if (kx_model_read(o->ctx, o->bytes, nbytes, &o->model) < 0 ||
        kx_graph_new(o->ctx, o->model, &options, &o->g) < 0)
        fail_msg("%s: %s", kldve_ctx_message(o->ctx), text);
}

void byte_close(opened *o)
{
    kx_graph_free(o->g);
    kx_model_free(o->model);
    free(o->bytes);
    kldve_ctx_free(o->ctx);
    assert_int_equal(o->heap.live, 0);
}

static int32_t count_bytes(const kx_plan *plan)
{
    int32_t n = 0;

    for (int32_t i = 0; i < plan->forward.to; i++)
        n += plan->step[i].kind == KX_STEP_BYTES &&
             plan->step[i].as.bytes.work->kind != KX_BYTES_FROM_FLOAT &&
             plan->step[i].as.bytes.work->kind != KX_BYTES_TO_FLOAT;
    return n;
}

result byte_run(const opened *o, kx_plan_options options, const float *x)
{
    result r = {.y = malloc(o->g->output[0]->count * sizeof *r.y)};
    kx_state *state = NULL;
    kx_plan *plan = NULL;

    options.input = o->g->input[0];
    options.logits = o->g->output[0];
    options.threads = options.threads ? options.threads : 1;
    if (kx_plan_new(o->ctx, o->g, &options, &plan) < 0 || kx_state_new(o->ctx, plan, &state) < 0 ||
        kx_state_forward(state, x, r.y, NULL) < 0)
        fail_msg("%s", kldve_ctx_message(o->ctx));
    r.steps = plan->forward.to;
    r.on_bytes = count_bytes(plan);
    r.memory = plan->state_bytes;
    kx_state_free(state);
    kx_plan_free(plan);
    return r;
}

float *byte_input(const opened *o, uint64_t seed)
{
    float *x = malloc(o->g->input[0]->count * sizeof *x);

    for (size_t i = 0; i < o->g->input[0]->count; i++)
        x[i] = (float)test_normal(&seed);
    return x;
}

const kx_value *byte_value(const opened *o, const char *name)
{
    for (int32_t i = 0; i < o->g->nvalue; i++)
        if (strcmp(o->g->value[i]->name, name) == 0)
            return o->g->value[i];
    return NULL;
}

void byte_compare(const char *text, result fast, result slow, size_t count, float tolerance)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(fast.y[i] - slow.y[i]) <= tolerance))
            fail_msg("element %zu: %.9g, with numbers %.9g: %s", i, (double)fast.y[i],
                     (double)slow.y[i], text);
}
