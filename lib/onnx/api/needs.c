/* needs.c - how much memory a network takes, loaded or only measured. */
#include "load.h"

#include <string.h>

static size_t sum_of(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

/* What the library holds for one input beside the engine's state: input, features and their
 * gradient; for each class its scores and the arrays of the divergence. */
static size_t arrays_of(const kldve_onnx *net)
{
    enum { FOR_CLASS = 32 };
    const kx_value *layer = net->choice.layer;
    size_t scores = (size_t)kx_score_count(net);

    return (kx_taken_count(net) + (layer ? 2 * layer->count : 0) + FOR_CLASS * scores) *
           sizeof(float);
}

/* Memory of a plan's state, with what binds its primitives to it. */
static size_t state_of(const kx_plan *plan)
{
    enum { EACH = 160 /* bytes for a primitive's arguments, some more than usual */ };
    size_t bound = 0;

    for (int32_t i = 0; i < plan->nstep; i++)
        bound += plan->step[i].kind == KX_STEP_PRIM ? EACH : sizeof(void *);
    return plan->state_bytes + bound;
}

static kldve_onnx_needs needs_of(const kldve_onnx *net)
{
    const kx_plan *plan = net->plan, *many = net->many_plan;
    kldve_onnx_needs n = {.struct_size = sizeof n, .files = net->model->nbytes};
    size_t passing = 0;

    n.network = net->held;
    if (!plan)
        return n;
    n.weights = plan->packed_bytes + (many ? many->packed_bytes : 0);
    if (!net->options.measure)
        n.network -= n.weights;
    n.explainer = sum_of(state_of(plan), arrays_of(net));
    if (net->options.vjp_input || net->detector.found)
        n.explainer = sum_of(n.explainer, net->choice.input->count * sizeof(float));
    if (many) /* the arrays of the first input are there already */
        n.batch = (size_t)net->batch * state_of(many) + (size_t)(net->batch - 1) * arrays_of(net);
    passing = plan->passing_bytes;
    if (many && many->passing_bytes > passing)
        passing = many->passing_bytes;
    n.peak = sum_of(sum_of(n.network, n.weights), passing > n.explainer ? passing : n.explainer);
    return n;
}

kldve_status kldve_onnx_memory_held(const kldve_onnx *net, kldve_onnx_needs *out)
{
    kldve_onnx_needs n;

    if (!net)
        return KLDVE_E_ARG;
    n = needs_of(net);
    return kldve_struct_store(NULL, "kldve_onnx_needs", &n, sizeof n, out);
}

/* From the file `path`, or from bytes where it is NULL. */
static kldve_status measure(kldve_ctx *ctx, const char *path, const void *bytes, size_t nbytes,
                            const kldve_onnx_options *options, kldve_onnx_needs *out)
{
    kldve_onnx *net = NULL;
    kldve_onnx_needs n;
    kldve_status st = kx_onnx_load(
        ctx, &(kx_source){.path = path, .bytes = bytes, .nbytes = nbytes, .measure = true}, options,
        &net);

    if (st < 0)
        return st;
    n = needs_of(net);
    kldve_onnx_free(net);
    return kldve_struct_store(ctx, "kldve_onnx_needs", &n, sizeof n, out);
}

kldve_status kldve_onnx_memory(kldve_ctx *ctx, const char *path, const kldve_onnx_options *options,
                               kldve_onnx_needs *out)
{
    if (!ctx || !path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_memory: NULL argument");
    return measure(ctx, path, NULL, 0, options, out);
}

kldve_status kldve_onnx_memory_bytes(kldve_ctx *ctx, const void *bytes, size_t nbytes,
                                     const kldve_onnx_options *options, kldve_onnx_needs *out)
{
    if (!ctx || !bytes || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_memory_bytes: NULL argument");
    return measure(ctx, NULL, bytes, nbytes, options, out);
}
