/* randomised.c - a network with other parameters than its file has: its graph is built and planned
 * again from the same model, with other data for some of its tensors.  So everything that is made
 * of them - folded constants, packed weights, levels of bytes, plans for batches - is made of the
 * others, and nothing has to know where parameters went. */
#include "randomised.h"

#include <string.h>

static bool same_name(const kx_value *a, const kx_value *b)
{
    return !a == !b && (!a || strcmp(a->name, b->name) == 0);
}

/* What is explained must not depend on the numbers. */
static kldve_status check_same(const kldve_onnx *net, const kldve_onnx *base)
{
    if (same_name(net->choice.file_layer, base->choice.file_layer) &&
        same_name(net->choice.logits, base->choice.logits) &&
        kx_score_count(net) == kx_score_count(base) && net->batch == base->batch &&
        net->choice.members == base->choice.members)
        return KLDVE_OK;
    return kldve_ctx_fail(net->ctx, KLDVE_E_UNSUPPORTED,
                          "with random parameters another layer or other scores would be chosen: "
                          "name both (kldve_onnx_options.layer and logits, or --layer and "
                          "--logits)");
}

static kldve_status build(kldve_onnx *net, const kx_parameters *p, int32_t first, int32_t end,
                          uint64_t seed)
{
    kx_graph_options shape = net->built;
    kx_swap *swap = NULL;
    kldve_status st = kx_parameters_shuffle(net->ctx, p, first, end, seed, &net->arena, &swap);

    if (st < 0)
        return st;
    shape.swap = swap;
    shape.swaps = end - first;
    if ((st = kx_graph_new(net->ctx, &net->inputs.model, &shape, &net->graph)) < 0)
        return st;
    if (net->graph->ninput == 1)
        net->graph->input[0]->name = net->inputs.name;
    if ((st = kx_onnx_plan(net, &net->asked)) < 0)
        return st;
    return check_same(net, net->base);
}

kldve_status kx_onnx_randomised(kldve_ctx *ctx, const kldve_onnx *base, const kx_parameters *p,
                                int32_t first, int32_t end, uint64_t seed, kldve_onnx **out)
{
    kldve_onnx *net = kldve_ctx_alloc(ctx, 1, sizeof *net);
    kldve_status st;

    if (!net)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for random parameters");
    memset(net, 0, sizeof *net);
    net->ctx = ctx;
    net->base = base;
    net->model = base->model;
    net->frontier = base->frontier;
    net->inputs = base->inputs;
    net->pictures = base->pictures;
    net->item_selected = base->item_selected;
    net->built = base->built;
    net->asked = base->asked;
    net->asked.threads = base->options.threads;
    net->asked.batch = base->batch;
    kx_arena_init(&net->arena, ctx);
    net->choice.notes.arena = &net->arena;
    if ((st = build(net, p, first, end, seed)) < 0) {
        kldve_onnx_free(net);
        return st;
    }
    *out = net;
    return KLDVE_OK;
}
