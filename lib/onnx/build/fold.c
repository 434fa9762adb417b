/* fold.c - see fold.h. */
#include "fold.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "graph/work.h"

/* Results of constant folding that are larger, take longer, or come when the sum is reached, are
 * computed at run time instead: a small file must not be able to ask for much memory or time here
 * (an Expand of a scalar, a product of what it gives). */
enum { MAX_FOLDED_BYTES = 32 << 20, MAX_FOLDED_SUM = 128 << 20 };
/* ... or as many times the bytes of the file: its weights may be int8 and become float32, and be
 * transposed, too. */
enum { TIMES_FILE = 4, SUM_TIMES_FILE = 12 };
/* Work of plain kernels, all in all: a quarter of a second; more for each byte of the file, up to
 * some seconds. */
static const double least_folded_work = 0x1p27, most_folded_work = 0x1p30,
                    folded_work_of_byte = 256;

static double max_folded_work(const kx_fold_cost *spent)
{
    double file = (double)spent->file, most = fmax(folded_work_of_byte * file, least_folded_work);

    /* Each weight of a large file a few times, as with the bytes. */
    return fmax(fmin(most, most_folded_work), SUM_TIMES_FILE * file);
}

static size_t at_least(size_t nbytes, size_t times, size_t least)
{
    size_t product = nbytes > SIZE_MAX / times ? SIZE_MAX : nbytes * times;

    return product > least ? product : least;
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
    size_t sum = scratch_size, most = at_least(spent->file, TIMES_FILE, MAX_FOLDED_BYTES);
    double work = kx_node_work(n);
    size_t most_sum = at_least(spent->file, SUM_TIMES_FILE, MAX_FOLDED_SUM);

    for (int32_t i = 0; i < n->nout; i++) {
        size_t bytes = n->out[i] ? n->out[i]->count * kx_dtype_size(n->out[i]->dtype) : 0;

        if (bytes > most)
            return false;
        sum += bytes; /* no overflow: each has at most 2^40 */
    }
    if (scratch_size > most || sum > most_sum - spent->bytes)
        return false;
    if (!(work <= max_folded_work(spent) - spent->work))
        return false;
    spent->work += work;
    spent->bytes += sum;
    return true;
}

/* What is computed from parameters is made of them. */
static kldve_status inherit(kx_graph *g, const kx_node *n)
{
    kx_value **from = kx_new(g, (size_t)n->nin, sizeof *from);
    int32_t count = 0;

    if (!from)
        return kx_nomem(g);
    for (int32_t i = 0; i < n->nin; i++)
        if (kx_is_parameter(n, i))
            from[count++] = n->in[i];
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i]) {
            n->out[i]->from = from;
            n->out[i]->nfrom = count;
        }
    return KLDVE_OK;
}

static kldve_status run(kx_graph *g, const kx_node *n, size_t scratch_size)
{
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT];
    kx_pace pace = {.ctx = g->ctx};
    void *scratch = NULL;

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
    n->op->forward(
        &(kx_op_call){.node = n, .in = in, .out = out, .scratch = scratch, .pace = &pace});
    if (pace.status < 0)
        return pace.status;
    for (int32_t i = 0; i < n->nout; i++)
        if (n->out[i]) {
            n->out[i]->raw = out[i].data;
            n->out[i]->producer = -1;
        }
    return inherit(g, n);
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
