/* class_terms.c - the same gradient or cotangent for many classes. */
#include "divergence.h"

static kldve_status one_of(const kldve_divergence *d, int32_t kind, int32_t target, double *t)
{
    switch (kind) {
    case KLDVE_CLASS_TERM_ONEHOT:
        return kldve_divergence_onehot(d, target, t, NULL);
    case KLDVE_CLASS_TERM_DELTA:
        return kldve_divergence_delta(d, target, t);
    case KLDVE_CLASS_TERM_CONTRAST:
        return kldve_divergence_contrast(d, target, t);
    case KLDVE_CLASS_TERM_RIVALS:
        return kldve_divergence_rivals(d, target, t);
    case KLDVE_CLASS_TERM_NEIGHBOURS:
        return kldve_divergence_neighbours(d, target, 0, t);
    default:
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "cotangents: unknown kind %d", (int)kind);
    }
}

kldve_status kldve_divergence_many(const kldve_divergence *d, int32_t kind, const int32_t *targets,
                                   int32_t count, double *t)
{
    kldve_status st = kldve_divergence_ready(d, "cotangents");

    if (st < 0)
        return st;
    if (count < 0 || ((!targets || !t) && count > 0))
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG,
                              count < 0 ? "cotangents: the count is negative"
                                        : "cotangents: NULL argument");
    if (kind < KLDVE_CLASS_TERM_ONEHOT || kind > KLDVE_CLASS_TERM_NEIGHBOURS)
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "cotangents: unknown kind %d", (int)kind);
    for (int32_t i = 0; i < count; i++)
        if ((st = kldve_divergence_ready_for(d, "cotangents", targets[i])) < 0)
            return st;
    for (int32_t i = 0; i < count && st == KLDVE_OK; i++)
        st = one_of(d, kind, targets[i], t + (size_t)i * d->n);
    return st;
}
