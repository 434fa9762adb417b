/* load_log.c - what loading chose, for the log of the context. */
#include "load.h"

/* What runs slowly: no primitive and no kernel of ours computes it. */
static void log_plain_nodes(const kldve_onnx *net)
{
    const kx_plan *plan = net->plan;

    for (int32_t i = plan->forward.from; i < plan->forward.to; i++)
        if (plan->step[i].kind == KX_STEP_NODE)
            kldve_ctx_logf(net->ctx, KLDVE_LOG_DEBUG,
                           "node '%.80s' (%.40s) runs with the reference kernel",
                           plan->step[i].node->name, plan->step[i].node->type);
}

void kx_log_loaded(const kldve_onnx *net)
{
    const kx_choice *c = &net->choice;
    const char *note;

    if (c->layer)
        kldve_ctx_logf(net->ctx, KLDVE_LOG_INFO, "layer '%.80s': %lld maps of %lld x %lld cells%s",
                       c->layer->name, (long long)c->layer->shape.dim[1], (long long)c->view.height,
                       (long long)c->view.width,
                       c->how == KLDVE_ONNX_LAYER_GIVEN ? "" : ", chosen for the caller");
    else
        kldve_ctx_logf(net->ctx, KLDVE_LOG_INFO, "no layer with cells");
    kldve_ctx_logf(net->ctx, KLDVE_LOG_INFO, "scores '%.80s': %d", c->logits->name,
                   (int)kx_score_count(net));
    for (int32_t i = 0; (note = kx_note_at(&c->notes, i)); i++)
        kldve_ctx_logf(net->ctx, KLDVE_LOG_WARNING, "%s", note);
    if (net->plan)
        log_plain_nodes(net);
}
