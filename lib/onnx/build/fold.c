/* fold.c - see fold.h. */
#include "fold.h"

#include <assert.h>
#include <string.h>

/* Results of constant folding that are larger, take longer, or come when the sum is reached, are
 * computed at run time instead: a small file must not be able to ask for much memory or time here
 * (an Expand of a scalar, a product of what it gives). */
enum { MAX_FOLDED_BYTES = 64 << 20, MAX_FOLDED_SUM = 256 << 20 };
static const double max_folded_work = 0x1p30; /* multiplications of plain kernels: some seconds */

static void as_tensor(kx_graph *g, const kx_value *v, kx_tensor *t)
{
    memset(t, 0, sizeof *t);
    if (!v)
        return;
    t->dtype = v->dtype;
    t->shape = v->shape;
    t->count = v->count;
    t->data = (void *)(uintptr_t)kx_value_data(g, v); /* only read */
}

/* infer() knew every output. */
static bool known(const kx_node *n)
{
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i] && !n->out[i]->raw)
            return false;
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i])
            n->out[i]->producer = -1;
    return true;
}

static bool constant_inputs(const kx_node *n)
{
    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && !n->in[i]->raw)
            return false;
    return true;
}

/* Add what n costs; false: that is too much. */
static bool affordable(const kx_node *n, size_t scratch_size, kx_fold_cost *spent)
{
    size_t sum = scratch_size;

    for (int32_t i = 0; i < n->nout; i++) {
        size_t bytes = n->out[i] ? n->out[i]->count * kx_dtype_size(n->out[i]->dtype) : 0;

        if (bytes > MAX_FOLDED_BYTES)
            return false;
        sum += bytes; /* no overflow: each has at most 2^40 */
    }
    if (scratch_size > MAX_FOLDED_BYTES || sum > MAX_FOLDED_SUM - spent->bytes)
        return false;
    if (n->op->work) {
        double work = n->op->work(n);

        if (!(work <= max_folded_work - spent->work))
            return false;
        spent->work += work;
    }
    spent->bytes += sum;
    return true;
}

static kldve_status run(kx_graph *g, const kx_node *n, size_t scratch_size)
{
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT];
    void *scratch = NULL;

    for (int32_t i = 0; i < n->nin; i++) {
        as_tensor(g, n->in[i], &in[i]);
        if (n->in[i] && !in[i].data)
            return kx_nomem(g);
    }
    for (int32_t i = 0; i < n->nout; i++) {
        as_tensor(g, n->out[i], &out[i]);
        if (n->out[i]) {
            out[i].data = kx_new(g, out[i].count, kx_dtype_size(out[i].dtype));
            if (!out[i].data)
                return kx_nomem(g);
        }
    }
    if (scratch_size && !(scratch = kx_new(g, scratch_size, 1)))
        return kx_nomem(g);
    assert(n->op->forward);
    n->op->forward(&(kx_op_call){.node = n, .in = in, .out = out, .scratch = scratch});
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i]) {
            n->out[i]->raw = out[i].data;
            n->out[i]->producer = -1;
        }
    return KLDVE_OK;
}

kldve_status kx_fold(kx_graph *g, const kx_node *n, kx_fold_cost *spent, bool *folded)
{
    size_t scratch_size = n->op->scratch_size ? n->op->scratch_size(n) : 0;
    kldve_status st;

    assert(n->nin <= KX_MAX_IN && n->nout <= KX_MAX_OUT);
    *folded = known(n);
    if (*folded || !constant_inputs(n) || !affordable(n, scratch_size, spent))
        return KLDVE_OK;
    st = run(g, n, scratch_size);
    *folded = st == KLDVE_OK;
    return st;
}
