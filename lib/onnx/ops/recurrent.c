/* recurrent.c - RNN, GRU, LSTM: written out step by step, so that derivatives and relevance are
 * those of ordinary operators.
 *
 * The products with the input are one matrix product for all steps; a step has one with the state
 * (recurrent_cells.c).  Inputs: X [steps][batch][n], W [directions][gates * hidden][n],
 * R [directions][gates * hidden][hidden], B [directions][2 * gates * hidden], sequence_lens
 * [batch], initial_h [directions][batch][hidden], and for an LSTM initial_c and P [directions][3 *
 * hidden]. Outputs: Y [steps][directions][batch][hidden], Y_h, Y_c.  layout 1 has the batch first.
 */
#include "recurrent.h"

#include <string.h>

#include "basic.h"
#include "families.h"

enum { X, W, R, B, LENGTHS, INITIAL_H, INITIAL_C, P, MAX_STEPS = 4096 };

/* What an operator of the family is. */
typedef struct kind {
    int32_t gates, activations, inputs, outputs;
    const char *activation[KX_ACTIVATIONS]; /* defaults */
    kx_cell *step;
} kind;

static const kind rnn = {1, 1, 6, 2, {"Tanh"}, kx_rnn_step};
static const kind gru = {3, 2, 6, 2, {"Sigmoid", "Tanh"}, kx_gru_step};
static const kind lstm = {4, 3, 8, 3, {"Sigmoid", "Tanh", "Tanh"}, kx_lstm_step};

typedef struct layer {
    const kind *kind;
    kx_expander *e;
    kx_recurrent s; /* what all directions share; filled in for one of them by start() */
    int32_t directions;
    bool batch_first, reverse; /* reverse: the only direction */
    kx_value *x;               /* [steps][batch][n] */
    int64_t width;             /* n */
    const int64_t *length;     /* [batch] or NULL */
    kx_value *y[2], *h[2],
        *c[2]; /* results by direction: [steps][1][batch][hidden], [1][batch][hidden] */
} layer;

/* ---- attributes ------------------------------------------------------------------------------ */

static kldve_status read_direction(layer *l)
{
    const char *d = kx_attr_string(l->e->n, "direction", "forward");

    l->reverse = strcmp(d, "reverse") == 0;
    l->directions = strcmp(d, "bidirectional") == 0 ? 2 : 1;
    if (!l->reverse && l->directions == 1 && strcmp(d, "forward") != 0)
        return kx_invalid(l->e->g, l->e->n, "attribute 'direction' is '%.40s'", d);
    return KLDVE_OK;
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static kldve_status need_shape(const layer *l, int32_t i, const char *what, int32_t rank,
                               const int64_t *dim)
{
    const kx_value *v;

    if (!kx_has(l->e->n, i))
        return KLDVE_OK;
    v = l->e->n->in[i];
    for (int32_t k = 0; k < rank; k++)
        if (v->shape.rank != rank || v->dtype != KX_F32 || v->shape.dim[k] != dim[k])
            return kx_invalid(l->e->g, l->e->n,
                              "input %d (%s) does not have the shape that the others ask for", i,
                              what);
    return KLDVE_OK;
}

static kldve_status check_shapes(const layer *l)
{
    int64_t d = l->directions, rows = l->kind->gates * l->s.hidden,
            state[3] = {d, l->s.batch, l->s.hidden};
    kldve_status st;

    if (l->batch_first) {
        state[0] = l->s.batch;
        state[1] = d;
    }
    if ((st = need_shape(l, W, "W", 3, (int64_t[]){d, rows, l->width})) < 0 ||
        (st = need_shape(l, R, "R", 3, (int64_t[]){d, rows, l->s.hidden})) < 0 ||
        (st = need_shape(l, B, "B", 2, (int64_t[]){d, 2 * rows})) < 0 ||
        (st = need_shape(l, INITIAL_H, "initial_h", 3, state)) < 0 ||
        (st = need_shape(l, INITIAL_C, "initial_c", 3, state)) < 0 ||
        (st = need_shape(l, P, "P", 2, (int64_t[]){d, 3 * l->s.hidden})) < 0)
        return st;
    return KLDVE_OK;
}

static kldve_status read_lengths(layer *l)
{
    size_t count;
    bool shorter = false;
    kldve_status st = kx_const_ints(l->e->g, l->e->n, LENGTHS, "sequence_lens", &l->length, &count);

    if (st < 0 || !l->length)
        return st;
    if ((int64_t)count != l->s.batch)
        return kx_invalid(l->e->g, l->e->n,
                          "input 4 (sequence_lens) has %zu values for %lld sequences", count,
                          (long long)l->s.batch);
    for (size_t i = 0; i < count; i++) {
        if (l->length[i] < 0 || l->length[i] > l->s.steps)
            return kx_invalid(l->e->g, l->e->n,
                              "input 4 (sequence_lens) has a length of %lld for %lld steps",
                              (long long)l->length[i], (long long)l->s.steps);
        shorter = shorter || l->length[i] < l->s.steps;
    }
    if (!shorter)
        l->length = NULL;
    return KLDVE_OK;
}

static kldve_status read_sizes(layer *l)
{
    const kx_shape *x = &l->e->n->in[X]->shape, *r = &l->e->n->in[R]->shape;
    int64_t hidden;

    if (x->rank != 3 || r->rank != 3 || l->e->n->in[X]->dtype != KX_F32)
        return kx_invalid(l->e->g, l->e->n, "X and R must be float arrays of rank 3");
    l->s.steps = x->dim[l->batch_first ? 1 : 0];
    l->s.batch = x->dim[l->batch_first ? 0 : 1];
    l->width = x->dim[2];
    l->s.hidden = r->dim[2];
    hidden = kx_attr_int(l->e->n, "hidden_size", l->s.hidden);
    if (hidden != l->s.hidden || hidden < 1)
        return kx_invalid(l->e->g, l->e->n, "attribute 'hidden_size' is %lld, but R is for %lld",
                          (long long)hidden, (long long)l->s.hidden);
    if (l->s.steps < 1 || l->s.steps > MAX_STEPS)
        return kx_refuse(l->e->g, l->e->n, "%lld steps, 1 to %d are supported",
                         (long long)l->s.steps, MAX_STEPS);
    return check_shapes(l);
}

static kldve_status read_layer(layer *l)
{
    kldve_status st = kx_expect(l->e->g, l->e->n, 3, l->kind->inputs, l->kind->outputs);

    if (st < 0 || (st = read_direction(l)) < 0)
        return st;
    l->s.gates = l->kind->gates;
    l->s.clip = kx_attr_float(l->e->n, "clip", 0);
    l->batch_first = kx_attr_int(l->e->n, "layout", 0) != 0;
    if (l->kind == &lstm)
        l->s.input_forget = kx_attr_int(l->e->n, "input_forget", 0) != 0;
    if (l->kind == &gru)
        l->s.reset_after = kx_attr_int(l->e->n, "linear_before_reset", 0) != 0;
    if ((st = read_sizes(l)) < 0 || (st = read_lengths(l)) < 0)
        return st;
    return KLDVE_OK;
}

/* ---- one direction --------------------------------------------------------------------------- */

/* The part of an input that belongs to direction d, in these dimensions; NULL where it is omitted.
 */
static kx_value *part(layer *l, int32_t i, int32_t axis, int32_t d, const int64_t *dim, size_t rank)
{
    kx_expander *e = l->e;

    if (!kx_has(e->n, i))
        return NULL;
    return kx_emit_reshape(e, kx_emit_slice(e, e->n->in[i], axis, d, d + 1), dim, rank);
}

static kx_value *zeros(kx_expander *e, int64_t rows, int64_t columns)
{
    return kx_emit2(e, "Expand", kx_emit_float(e, 0),
                    kx_emit_ints(e, (int64_t[]){rows, columns}, 2));
}

/* W x + b for all steps: [steps * batch][gates * hidden]. */
static kx_value *inputs_to_gates(layer *l, int32_t d)
{
    kx_expander *e = l->e;
    int64_t rows = l->kind->gates * l->s.hidden, kept = rows - (l->s.reset_after ? l->s.hidden : 0);
    kx_attr transposed = kx_attr_of_int("transB", 1), first = kx_attr_of_int("axis", 0);
    kx_value *bias = part(l, B, 0, d, (int64_t[]){2 * rows}, 1), *in[3] = {NULL}, *sum;

    in[0] = kx_emit_reshape(e, l->x, (int64_t[]){l->s.steps * l->s.batch, l->width}, 2);
    in[1] = part(l, W, 0, d, (int64_t[]){rows, l->width}, 2);
    l->s.r_bias = NULL;
    if (bias) {
        l->s.r_bias = kx_emit_slice(e, bias, 0, rows, 2 * rows);
        sum = kx_emit2(e, "Add", kx_emit_slice(e, bias, 0, 0, kept),
                       kx_emit_slice(e, l->s.r_bias, 0, 0, kept));
        if (kept < rows)
            sum = kx_emit(e, "Concat", (kx_value *[]){sum, kx_emit_slice(e, bias, 0, kept, rows)},
                          2, &first, 1);
        in[2] = sum;
    }
    return kx_emit(e, "Gemm", in, bias ? 3 : 2, &transposed, 1);
}

static void start(layer *l, int32_t d)
{
    int64_t rows = l->kind->gates * l->s.hidden, state[2] = {l->s.batch, l->s.hidden};
    int32_t axis = l->batch_first ? 1 : 0;

    l->s.r = part(l, R, 0, d, (int64_t[]){rows, l->s.hidden}, 2);
    l->s.h = part(l, INITIAL_H, axis, d, state, 2);
    l->s.c = l->kind == &lstm ? part(l, INITIAL_C, axis, d, state, 2) : NULL;
    l->s.peephole = l->kind == &lstm ? part(l, P, 0, d, (int64_t[]){3 * l->s.hidden}, 1) : NULL;
    if (!l->s.h)
        l->s.h = zeros(l->e, l->s.batch, l->s.hidden);
    if (!l->s.c && l->kind == &lstm)
        l->s.c = zeros(l->e, l->s.batch, l->s.hidden);
}

/* [batch][1] of bools: which sequences have a step t. */
static kx_value *running(layer *l, int64_t t)
{
    kx_expander *e = l->e;
    kx_value *length = kx_emit_reshape(e, e->n->in[LENGTHS], (int64_t[]){l->s.batch, 1}, 2);

    length = kx_emit_cast(e, length, KX_ONNX_INT64);
    return kx_emit2(e, "Less", kx_emit_int(e, t), length);
}

static kx_value *where(kx_expander *e, kx_value *condition, kx_value *yes, kx_value *no)
{
    return kx_emit(e, "Where", (kx_value *[]){condition, yes, no}, 3, NULL, 0);
}

/* A sequence that has ended keeps its state and puts out 0. */
static kx_value *step(layer *l, kx_value *x, int64_t t)
{
    kx_expander *e = l->e;
    kx_value *h = l->s.h, *c = l->s.c, *on;

    l->kind->step(e, &l->s, x);
    if (!l->length)
        return l->s.h;
    on = running(l, t);
    l->s.h = where(e, on, l->s.h, h);
    if (c)
        l->s.c = where(e, on, l->s.c, c);
    return where(e, on, l->s.h, kx_emit_float(e, 0));
}

/* row[count]: the blocks of `size` rows of x, split and split again, so that the derivative at x is
 * put together from few parts. */
static void split_rows(kx_expander *e, kx_value *x, int64_t count, int64_t size, kx_value **row)
{
    int64_t parts = count < KX_MAX_OUT ? count : KX_MAX_OUT, rows[KX_MAX_OUT] = {0}, done = 0;
    kx_attr axis = kx_attr_of_int("axis", 0);
    kx_value *out[KX_MAX_OUT], *in[2] = {x};

    if (count == 1) {
        row[0] = x;
        return;
    }
    for (int64_t i = 0; i < parts; i++)
        rows[i] = (count * (i + 1) / parts - count * i / parts) * size;
    in[1] = kx_emit_ints(e, rows, (size_t)parts);
    e->emit(
        e,
        &(kx_emitted){
            .type = "Split", .in = in, .nin = 2, .attr = &axis, .nattr = 1, .nout = (int32_t)parts},
        out);
    for (int64_t i = 0; i < parts && e->status == KLDVE_OK; i++) {
        split_rows(e, out[i], rows[i] / size, size, row + done);
        done += rows[i] / size;
    }
}

static kldve_status run_direction(layer *l, int32_t d)
{
    kx_expander *e = l->e;
    bool backwards = l->reverse || d == 1;
    kx_value **y = kx_new(e->g, (size_t)l->s.steps, sizeof *y);
    kx_value **x = kx_new(e->g, (size_t)l->s.steps, sizeof *x);
    const int64_t state[3] = {1, l->s.batch, l->s.hidden};
    kldve_status st =
        x && y ? kx_recurrent_activations(l->e, l->kind->activations, l->kind->activation,
                                          l->directions, d, l->s.activation)
               : kx_nomem(e->g);

    if (st < 0)
        return st;
    split_rows(e, inputs_to_gates(l, d), l->s.steps, l->s.batch, x);
    start(l, d);
    for (int64_t i = 0; i < l->s.steps && e->status == KLDVE_OK; i++) {
        int64_t t = backwards ? l->s.steps - 1 - i : i;

        y[t] = step(l, x[t], t);
    }
    if (e->status < 0)
        return e->status;
    l->y[d] = kx_emit_reshape(e, kx_emit_join(e, y, l->s.steps, 0),
                              (int64_t[]){l->s.steps, 1, l->s.batch, l->s.hidden}, 4);
    l->h[d] = kx_emit_reshape(e, l->s.h, state, 3);
    l->c[d] = l->s.c ? kx_emit_reshape(e, l->s.c, state, 3) : NULL;
    return e->status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static kx_value *both(layer *l, kx_value *const *v, int64_t along)
{
    kx_attr axis = kx_attr_of_int("axis", along);

    return l->directions == 1 ? v[0] : kx_emit(l->e, "Concat", v, 2, &axis, 1);
}

static kldve_status expand(kx_expander *e, const kind *k, bool rounds)
{
    static const int64_t turn_x[3] = {1, 0, 2}, turn_y[4] = {2, 0, 1, 3};
    layer l = {.kind = k, .e = e, .s = {.rounds = rounds}};
    kldve_status st = read_layer(&l);

    if (st < 0)
        return st;
    e->inside = true;
    l.x = l.batch_first ? kx_emit_transpose(e, e->n->in[X], turn_x, 3) : e->n->in[X];
    for (int32_t d = 0; d < l.directions; d++)
        if ((st = run_direction(&l, d)) < 0)
            return st;
    e->out[0] = both(&l, l.y, 1);
    e->out[1] = both(&l, l.h, 0);
    e->out[2] = k == &lstm ? both(&l, l.c, 0) : NULL;
    if (l.batch_first) {
        e->out[0] = kx_emit_transpose(e, e->out[0], turn_y, 4);
        e->out[1] = kx_emit_transpose(e, e->out[1], turn_x, 3);
        e->out[2] = k == &lstm ? kx_emit_transpose(e, e->out[2], turn_x, 3) : NULL;
    }
    return e->status;
}

static kldve_status expand_rnn(kx_expander *e)
{
    return expand(e, &rnn, false);
}

static kldve_status expand_gru(kx_expander *e)
{
    return expand(e, &gru, false);
}

kldve_status kx_expand_lstm(kx_expander *e, bool rounds)
{
    return expand(e, &lstm, rounds);
}

static kldve_status expand_lstm(kx_expander *e)
{
    return kx_expand_lstm(e, false);
}

const kx_op kx_recurrent_ops[] = {
    {.type = "RNN", .since = 7, .expand = expand_rnn},
    {.type = "GRU", .since = 7, .expand = expand_gru},
    {.type = "LSTM", .since = 7, .expand = expand_lstm},
    {0},
};
