/* single.c - one score as two classes: see single.h. */
#include "single.h"

#include <kldve/backend.h>

static kldve_status check(kldve_ctx *ctx, const char *where, const kldve_shape *s)
{
    if (s->classes < 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s%d classes, there must be at least 1", where,
                               (int)s->classes);
    if (s->scores < KLDVE_SCORES_SOFTMAX || s->scores > KLDVE_SCORES_NUMBER)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%sthere are no scores of kind %d", where,
                               (int)s->scores);
    if (s->scores == KLDVE_SCORES_NUMBER && s->classes > 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s%d scores are not one number", where,
                               (int)s->classes);
    if (s->single != 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "%s`single` is for the library to set", where);
    return KLDVE_OK;
}

kldve_status kldve_single_read(kldve_ctx *ctx, const char *where, kldve_shape *s)
{
    kldve_status st = check(ctx, where, s);

    if (st < 0 || s->classes > 1)
        return st;
    s->single = 1;
    s->classes = 2;
    if (s->scores == KLDVE_SCORES_SOFTMAX)
        s->scores = KLDVE_SCORES_SIGMOID;
    return KLDVE_OK;
}

void kldve_single_expand(float *scores, size_t count)
{
    for (size_t i = count; i-- > 0;) { /* from the end, so that none is overwritten unread */
        scores[2 * i] = scores[i];
        scores[2 * i + 1] = 0;
    }
}

void kldve_single_contract(const float *cotangents, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = cotangents[2 * i];
}
