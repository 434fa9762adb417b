/* conformance_plan.c - see conformance_plan.h. */
#include "conformance_plan.h"

#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build/build.h"
#include "plan/plan.h"
#include "run/state.h"

/* One plan, its state and what it gave. */
typedef struct outcome_of {
    kx_plan *plan;
    kx_state *state;
    float *logits, *gradient;
} outcome_of;

static void release(outcome_of *o)
{
    kx_state_free(o->state);
    kx_plan_free(o->plan);
    free(o->logits);
    free(o->gradient);
}

/* A network of the data: its graph and the input that is like a picture. */
typedef struct planned {
    kldve_ctx *ctx;
    const char *name;
    kx_graph *g;
    kx_value *input;
} planned;

/* Plan and run.  KLDVE_OK, or why not. */
static kldve_status go(const planned *p, bool vjp, bool plain, const float *x,
                       const float *cotangent, outcome_of *o)
{
    kx_graph *g = p->g;
    kx_plan_options options = {
        .input = p->input, .logits = g->output[0], .vjp_input = vjp, .plain = plain, .threads = 1};
    kldve_status st;

    memset(o, 0, sizeof *o);
    if ((st = kx_plan_new(p->ctx, g, &options, &o->plan)) < 0 ||
        (st = kx_state_new(p->ctx, o->plan, &o->state)) < 0)
        return st;
    o->logits = calloc(g->output[0]->count + 1, sizeof(float));
    o->gradient = calloc(p->input->count + 1, sizeof(float));
    if ((st = kx_state_forward(o->state, x, o->logits, NULL)) < 0 || !vjp)
        return st;
    return kx_state_vjp(o->state, KX_TO_INPUT, KLDVE_RULE_GRADIENT, cotangent, o->gradient);
}

static bool close_to(const float *a, const float *b, size_t n, char *why)
{
    double largest = 0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(b[i]))
            largest = fmax(largest, fabs((double)b[i]));
    for (size_t i = 0; i < n; i++)
        if (!(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])) ||
              fabs((double)a[i] - (double)b[i]) <= 1e-6 + 1e-4 * largest)) {
            snprintf(why, WHY_SIZE, "planned VJP: element %zu is %.9g, plain kernels give %.9g", i,
                     (double)a[i], (double)b[i]);
            return false;
        }
    return true;
}

/* The planned engine against the data, and backwards against the plain kernels. */
static bool compare(const planned *p, const kx_proto_tensor *x, const kx_proto_tensor *want,
                    planned_counts *counts, char *why)
{
    kx_value *input = p->input, *output = p->g->output[0];
    kx_tensor in = {input->dtype, input->shape, input->count,
                    calloc(input->count + 1, sizeof(float)), 0};
    kx_tensor out = {output->dtype, output->shape, output->count, NULL, 0};
    float *cotangent = calloc(output->count + 1, sizeof(float));
    outcome_of fast, slow = {NULL, NULL, NULL, NULL};
    uint64_t seed = 7;
    bool ok = true, vjp = true;
    kldve_status st;

    if (!data_fill(&in, x)) { /* CastLike: the data is not as the model declares it */
        free(in.data);
        free(cotangent);
        return true;
    }
    for (size_t i = 0; i < output->count; i++)
        cotangent[i] = (float)test_normal(&seed);
    st = go(p, true, false, in.data, cotangent, &fast);
    if (st < 0) { /* not differentiable */
        release(&fast);
        vjp = false;
        st = go(p, false, false, in.data, NULL, &fast);
    }
    out.data = fast.logits;
    if (st < 0) {
        counts->not_planned++;
        if (getenv("KLDVE_VERBOSE"))
            fprintf(stderr, "%s: not planned: %s\n", p->name, kldve_ctx_message(p->ctx));
    } else if (!data_agrees(p->name, output->onnx_type, &out, want, why)) {
        ok = false;
    } else if (vjp) {
        st = go(p, true, true, in.data, cotangent, &slow);
        ok = st == KLDVE_OK && close_to(fast.gradient, slow.gradient, input->count, why);
    }
    counts->forward += ok && fast.state != NULL;
    counts->vjp += ok && slow.state != NULL;
    release(&fast);
    release(&slow);
    free(in.data);
    free(cotangent);
    return ok;
}

bool planned_agrees(kldve_ctx *ctx, const char *name, const kx_model *m, const data_set *d,
                    kx_proto_tensor *room, planned_counts *counts, char *why)
{
    static const kx_graph_options as_given = {0};
    bool ok = true;

    for (int32_t k = 0; k < d->inputs && ok; k++) {
        bool constant[MAX_DATA];
        kx_model with;
        kx_graph *g = NULL;
        kx_value *input;

        if (d->input[k].dtype != KX_ONNX_FLOAT || d->input[k].count == 0)
            continue;
        for (int32_t i = 0; i < MAX_DATA; i++)
            constant[i] = i != k;
        with = data_promote(m, d, constant, room);
        if (kx_graph_new(ctx, &with, &as_given, &g) != KLDVE_OK)
            continue; /* an argument such as axes cannot be a picture */
        input = kx_graph_find(g, d->input[k].name);
        if (input && !input->raw && g->noutput > 0 && g->output[0]->dtype == KX_F32 &&
            !g->output[0]->raw && g->output[0] != input && g->output[0]->count > 0)
            ok = compare(&(planned){ctx, name, g, input}, &d->input[k], &d->output[0], counts, why);
        kx_graph_free(g);
    }
    return ok;
}
