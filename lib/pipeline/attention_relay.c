/* attention_relay.c - attentions on their way from a backend to a visitor. */
#include "attention_relay.h"

#include "base/finite.h"
#include "base/size.h"

static bool fits(const kldve_attention *a, size_t *count)
{
    int64_t tokens = (int64_t)a->lead + (int64_t)a->height * a->width;
    size_t square;

    return a->heads >= 1 && a->lead >= 0 && a->height >= 1 && a->width >= 1 &&
           a->queries == a->keys && a->queries == tokens &&
           kldve_size_mul((size_t)a->queries, (size_t)a->keys, &square) &&
           kldve_size_mul((size_t)a->heads, square, count) && *count <= SIZE_MAX / sizeof(float);
}

static kldve_status check_numbers(const kldve_attention_relay *to, const kldve_attention *a,
                                  size_t count)
{
    kldve_status st =
        kldve_finite_check(to->ctx, to->backend, "attention weight", a->weights, count);

    if (st == KLDVE_OK && a->gradient)
        st = kldve_finite_check(to->ctx, to->backend, "attention gradient", a->gradient, count);
    if (st == KLDVE_OK && a->read)
        st = kldve_finite_check(to->ctx, to->backend, "share of a token", a->read,
                                (size_t)a->queries);
    return st;
}

static kldve_status check(const kldve_attention_relay *to, const kldve_attention *a)
{
    size_t count;

    if (!a->name || !a->weights || to->gradients != (a->gradient != NULL) ||
        (to->visited == 0) != (a->read != NULL))
        return kldve_ctx_failf(to->ctx, KLDVE_E_ARG,
                               "attention %d: name, weights, gradient or read is NULL where it "
                               "must not be, or set where it must be NULL",
                               (int)to->visited);
    if (!fits(a, &count))
        return kldve_ctx_failf(to->ctx, KLDVE_E_ARG,
                               "attention '%.80s': %d heads of %d queries and %d keys do not fit "
                               "%d tokens and a grid of %d x %d",
                               a->name, (int)a->heads, (int)a->queries, (int)a->keys, (int)a->lead,
                               (int)a->height, (int)a->width);
    return check_numbers(to, a, count);
}

kldve_status kldve_attention_pass_on(void *relay, const kldve_attention *theirs)
{
    kldve_attention_relay *to = relay;
    kldve_attention own;
    kldve_status st = kldve_struct_load(to->ctx, "kldve_attention", theirs, &own, sizeof own);

    if (st < 0 || (st = check(to, &own)) < 0)
        return st;
    to->visited++;
    return to->visit(to->opaque, &own);
}
