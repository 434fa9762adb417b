/* fold.c - see fold.h. */
#include "fold.h"

#include <assert.h>
#include <string.h>

/* A small file must not be able to ask for much memory here (an Expand of a scalar, say), but
 * weights of a large one may be int8 and become float32, and be transposed too. */
enum { MIN_EACH = 64 << 20, MIN_SUM = 256 << 20, EACH_OF_FILE = 4, SUM_OF_FILE = 12 };

static size_t at_least(size_t nbytes, size_t times, size_t least)
{
    size_t product = nbytes > SIZE_MAX / 2 / times ? SIZE_MAX / 2 : nbytes * times;

    return product > least ? product : least;
}

kx_folding kx_folding_of(size_t model_nbytes)
{
    return (kx_folding){.each = at_least(model_nbytes, EACH_OF_FILE, MIN_EACH),
                        .sum = at_least(model_nbytes, SUM_OF_FILE, MIN_SUM)};
}

/* narrow: as it lies in the file, if nobody has asked for it otherwise. */
static void as_tensor(kx_graph *g, const kx_value *v, bool narrow, kx_tensor *t)
{
    memset(t, 0, sizeof *t);
    if (!v)
        return;
    t->dtype = v->dtype;
    t->shape = v->shape;
    t->count = v->count;
    t->narrow = narrow && v->narrow ? v->onnx_type : 0;
    t->data = (void *)(uintptr_t)(t->narrow ? v->raw : kx_value_data(g, v)); /* only read */
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

kldve_status kx_fold(kx_graph *g, const kx_node *n, kx_folding *budget, bool *folded)
{
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT];
    size_t scratch_size = n->op->scratch_size ? n->op->scratch_size(n) : 0, sum = budget->spent;
    void *scratch = NULL;

    assert(n->nin <= KX_MAX_IN && n->nout <= KX_MAX_OUT);
    *folded = known(n);
    if (*folded)
        return KLDVE_OK;
    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && !n->in[i]->raw)
            return KLDVE_OK;
    for (int32_t i = 0; i < n->nout; i++) {
        size_t bytes = n->out[i] ? n->out[i]->count * kx_dtype_size(n->out[i]->dtype) : 0;

        sum += bytes; /* no overflow: each has at most 2^40 */
        if (bytes > budget->each)
            return KLDVE_OK;
    }
    sum += scratch_size;
    if (scratch_size > budget->each || sum > budget->sum)
        return KLDVE_OK;
    budget->spent = sum;
    for (int32_t i = 0; i < n->nin; i++) {
        as_tensor(g, n->in[i], i == 0 && n->op->narrow, &in[i]);
        if (n->in[i] && !in[i].data)
            return kx_nomem(g);
    }
    for (int32_t i = 0; i < n->nout; i++) {
        as_tensor(g, n->out[i], false, &out[i]);
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
    *folded = true;
    return KLDVE_OK;
}
