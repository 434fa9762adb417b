/* attentions.c - what one row of a product of attentions says of the cells of the picture.
 *
 * Only the rows of the tokens that the scores read are wanted, and they are averaged, which is
 * linear: with r their mean, r R is computed from the left, attention by attention, as the network
 * is walked from the logits to the input.  That takes two rows of memory, not a matrix. */
#include "attentions.h"

#include <assert.h>
#include <string.h>

typedef struct product {
    const kldve_job *job;
    const kldve_attention_rule *rule;
    double *row, *next; /* [tokens] each, one block from `row`; NULL before the first attention */
    int32_t tokens, lead;
} product;

static kldve_status begin(product *p, const kldve_attention *a)
{
    const kldve_shape *s = p->job->shape;
    size_t tokens = (size_t)a->queries;

    if (a->height != s->height || a->width != s->width)
        return kldve_ctx_failf(p->job->ctx, KLDVE_E_UNSUPPORTED,
                               "%s: the tokens of the attentions are a grid of %d x %d, but the "
                               "layer has %d x %d cells: choose a layer with the tokens' grid",
                               p->job->method->name, (int)a->height, (int)a->width, (int)s->height,
                               (int)s->width);
    p->row = kldve_ctx_alloc(p->job->ctx, tokens, 2 * sizeof *p->row);
    if (!p->row)
        return kldve_ctx_failf(p->job->ctx, KLDVE_E_NOMEM, "%s: out of memory for %d tokens",
                               p->job->method->name, (int)a->queries);
    p->next = p->row + tokens;
    p->tokens = a->queries;
    p->lead = a->lead;
    for (size_t i = 0; i < tokens; i++)
        p->row[i] = (double)a->read[i];
    return KLDVE_OK;
}

/* next += share times the terms of one query in one head. */
static void add_query(const product *p, double share, const float *weights, const float *gradient)
{
    for (int32_t k = 0; k < p->tokens; k++)
        p->next[k] +=
            share * p->rule->term((double)weights[k], gradient ? (double)gradient[k] : 0.0);
}

/* row = row (keep I + take A) */
static kldve_status multiply(void *opaque, const kldve_attention *a)
{
    product *p = opaque;
    size_t tokens = (size_t)a->queries;
    kldve_status st = p->row ? KLDVE_OK : begin(p, a);

    if (st < 0)
        return st;
    if (a->queries != p->tokens || a->lead != p->lead)
        return kldve_ctx_failf(p->job->ctx, KLDVE_E_UNSUPPORTED,
                               "%s: the attention '%.80s' has %d tokens, the one behind it %d",
                               p->job->method->name, a->name, (int)a->queries, (int)p->tokens);
    for (size_t i = 0; i < tokens; i++)
        p->next[i] = p->rule->keep * p->row[i];
    for (size_t h = 0; h < (size_t)a->heads; h++)
        for (size_t q = 0; q < tokens; q++) {
            size_t from = (h * tokens + q) * tokens;

            if (p->row[q] != 0)
                add_query(p, p->rule->take * p->row[q] / a->heads, a->weights + from,
                          a->gradient ? a->gradient + from : NULL);
        }
    memcpy(p->row, p->next, tokens * sizeof *p->row);
    return KLDVE_OK;
}

kldve_status kldve_attentions_row(const kldve_job *job, const float *cotangent,
                                  const kldve_attention_rule *rule, float *map)
{
    product p = {.job = job, .rule = rule};
    size_t cells = (size_t)job->shape->height * (size_t)job->shape->width;
    kldve_status st = kldve_ctx_progress(job->ctx, job->method->name, 0, 1);

    if (st == KLDVE_OK)
        st = kldve_job_attentions(job, cotangent, multiply, &p);
    if (st == KLDVE_OK) {
        assert(p.row && (size_t)p.lead + cells == (size_t)p.tokens);
        for (size_t i = 0; i < cells; i++)
            map[i] = (float)p.row[(size_t)p.lead + i];
    }
    kldve_ctx_release(job->ctx, p.row);
    return st;
}
