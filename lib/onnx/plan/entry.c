/* entry.c - see entry.h. */
#include "entry.h"

/* Whether a buffer is filled by the caller and by no step. */
static bool is_given(const kx_plan *plan, int32_t buffer)
{
    for (int32_t i = 0; i < plan->ngiven; i++)
        if (plan->given[i].buffer == buffer)
            return true;
    return false;
}

/* A step from the layer on reads a buffer: what steps before the layer wrote must stay, and must
 * have its place to itself when the first of those steps, `head`, runs again. */
static void keep_for_head(kx_planner *p, int32_t buffer, int32_t layer, int32_t head)
{
    kx_plan *plan = p->plan;
    kx_buffer *b = &plan->buffer[buffer];

    if (buffer == layer) {
        b->last = plan->nstep;
        return;
    }
    if (b->fixed || (!is_given(plan, buffer) && plan->step[b->first].head))
        return;
    b->first = b->first < head ? b->first : head;
    b->last = plan->nstep;
    plan->aside = true;
}

/* Steps that put feature maps in the layer's place, and what the steps behind it need to run by
 * themselves.  `outputs`: the first of the steps that only hand out features and logits. */
kldve_status kx_plan_entry(kx_planner *p, int32_t outputs)
{
    kx_plan *plan = p->plan;
    const struct kx_copy *at = kx_primary(p, p->options.layer);
    const kx_layout *plain = kx_layout_plain(plan->accel, &p->options.layer->shape);
    int32_t bind[KX_SLOTS], layer = at->buffer;
    bool *read = kx_scratch(p, (size_t)plan->nbuffer, sizeof *read);
    int32_t nbuffer = plan->nbuffer, head = 0;
    kx_prim *prim;
    kldve_status st;

    if (!plain || !read)
        return kx_plan_nomem(p);
    for (int32_t i = outputs; i < plan->forward.to; i++)
        plan->step[i].head = plan->step[i].head || !plan->step[i].node;
    plan->entry = (kx_port){layer, p->options.layer->count};
    if (!kx_layout_equal(at->layout, plain)) {
        if ((st = kx_accel_reorder(plan->accel, plain, at->layout, &prim)) < 0)
            return kx_plan_failed(p, NULL, st);
        kx_unbound(bind);
        if ((st = kx_buffer_new(p, plan->entry.count * sizeof(float), &bind[KX_SRC])) < 0)
            return st;
        bind[KX_DST] = layer;
        plan->entry.buffer = bind[KX_SRC];
        if ((st = kx_step_prim(p, NULL, prim, bind)) < 0)
            return st;
    }
    while (head < plan->forward.to && !plan->step[head].head)
        head++;
    read[layer] = true;
    for (int32_t i = 0; i < plan->forward.to; i++) {
        int32_t buffer[KX_STEP_BUFFERS], n;

        if (!plan->step[i].head)
            continue;
        n = kx_step_buffers(&plan->step[i], buffer);
        for (int32_t k = 0; k < n; k++)
            if (buffer[k] >= 0)
                read[buffer[k]] = true;
    }
    /* A step that reads a concatenation in place reads its parts, which were planned before it. */
    for (int32_t i = nbuffer - 1; i >= 0; i--) {
        int32_t whole = plan->buffer[i].whole;

        if (whole >= 0 && whole != layer && read[whole])
            read[i] = true;
    }
    for (int32_t i = 0; i < nbuffer; i++)
        if (plan->buffer[i].whole >= 0 && plan->buffer[i].whole != layer)
            read[plan->buffer[i].whole] = false;
    for (int32_t i = 0; i < nbuffer; i++)
        if (read[i])
            keep_for_head(p, i, layer, head);
    return KLDVE_OK;
}
