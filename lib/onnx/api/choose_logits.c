/* choose_logits.c - which tensor of a graph has the class scores, and what kind of scores they are.
 */
#include "choose_parts.h"

static const kx_node *maker(const kx_graph *g, const kx_value *v)
{
    return v->producer < 0 ? NULL : &g->node[v->producer];
}

/* The scores before a trailing Softmax (or LogSoftmax, or a pure reshaping behind one). */
static kx_value *before_softmax(const kx_graph *g, kx_value *v, int32_t *scores)
{
    kx_value *at = v;

    for (const kx_node *n = maker(g, at); n; n = maker(g, at)) {
        if (n->op->traits.probabilities) {
            *scores = KLDVE_SCORES_SOFTMAX;
            return n->in[0];
        }
        if (!n->op->traits.copies)
            return v;
        at = n->in[0];
    }
    return v;
}

kldve_status kx_choose_logits(const kx_graph *g, const char *name, const kx_selection *selection,
                              kx_choice *c)
{
    kldve_status st;

    if (selection) {
        c->logits = selection->whole;
        c->scores = selection->scores;
        return KLDVE_OK;
    }
    c->scores = KLDVE_SCORES_RAW;
    if (name) {
        if ((st = kx_choose_named(g, "logits", name, &c->logits)) < 0)
            return st;
    } else {
        if (g->noutput < 1)
            return kldve_ctx_fail(g->ctx, KLDVE_E_FORMAT, "the network has no output");
        c->logits = before_softmax(g, g->output[0], &c->scores);
    }
    if (c->logits->dtype != KX_F32 || c->logits->raw || c->logits->count > INT32_MAX)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "the logits '%.80s' are not scores computed from the picture",
                               c->logits->name);
    return KLDVE_OK;
}
