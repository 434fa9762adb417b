/* recurrent_cells.c - one step of RNN, GRU and LSTM, in ordinary operators.  The equations stand in
 * ONNX's Operators.md; (.) is the product of elements, W x + b is done for all steps at once
 * (recurrent.c).
 *
 *     RNN   h' = f(x + R h)
 *     GRU   z = f(x_z + R_z h), r = f(x_r + R_r h),
 *           n = g(x_n + R_n (r (.) h) + b)   or, reset behind the product, g(x_n + r (.) (R_n h +
 * b)) h' = (1 - z) (.) n + z (.) h LSTM  i = f(x_i + R_i h + P_i (.) c), q = f(x_f + R_f h + P_f
 * (.) c), n = g(x_c + R_c h) c' = q (.) c + i (.) n,  o = f(x_o + R_o h + P_o (.) c'),  h' = o (.)
 * k(c') input_forget: q = 1 - i */
#include "quantise.h"
#include "recurrent.h"

#include <string.h>

static kx_value *affine(kx_expander *e, kx_value *x, float factor, float shift)
{
    if (factor != 1.0f)
        x = kx_emit2(e, "Mul", x, kx_emit_float(e, factor));
    return shift != 0.0f ? kx_emit2(e, "Add", x, kx_emit_float(e, shift)) : x;
}

/* Those that are operators of the same name; `numbers`: how many attributes they take. */
static const struct {
    const char *type;
    int numbers;
} plain[] = {
    {"Relu", 0},        {"Tanh", 0}, {"Sigmoid", 0},  {"LeakyRelu", 1}, {"ThresholdedRelu", 1},
    {"HardSigmoid", 2}, {"Elu", 1},  {"Softsign", 0}, {"Softplus", 0}};

static int plain_index(const char *type)
{
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(plain[i].type, type) == 0)
            return (int)i;
    return -1;
}

bool kx_recurrent_known(const char *type)
{
    return plain_index(type) >= 0 || strcmp(type, "Affine") == 0 || strcmp(type, "ScaledTanh") == 0;
}

static kx_value *activate(kx_expander *e, const kx_recurrent *s, int which, kx_value *x)
{
    const kx_recurrent_activation *a = &s->activation[which];
    kx_attr attr[2] = {kx_attr_of_float("alpha", a->alpha), kx_attr_of_float("beta", a->beta)};
    int at = plain_index(a->type);

    if (s->clip > 0.0f)
        x = kx_emit(e, "Clip",
                    (kx_value *[]){x, kx_emit_float(e, -s->clip), kx_emit_float(e, s->clip)}, 3,
                    NULL, 0);
    if (at >= 0)
        return kx_emit(e, a->type, &x, 1, attr, plain[at].numbers);
    if (strcmp(a->type, "Affine") == 0)
        return affine(e, x, a->alpha, a->beta);
    return affine(e, kx_emit1(e, "Tanh", affine(e, x, a->beta, 0)), a->alpha, 0); /* ScaledTanh */
}

static kx_value *gate(kx_expander *e, const kx_recurrent *s, kx_value *all, int first, int count)
{
    return kx_emit_slice(e, all, 1, first * s->hidden, (first + count) * s->hidden);
}

/* h R' for `count` gates from `first` on. */
static kx_value *recur(kx_expander *e, const kx_recurrent *s, kx_value *h, int first, int count)
{
    kx_attr transposed = kx_attr_of_int("transB", 1);
    kx_value *r = s->r;

    if (s->rounds && h && !h->raw) /* the first state is often the constant 0 */
        h = kx_emit_dynamic(e, h);
    if (count < s->gates)
        r = kx_emit_slice(e, r, 0, first * s->hidden, (first + count) * s->hidden);
    return kx_emit(e, "Gemm", (kx_value *[]){h, r}, 2, &transposed, 1);
}

static kx_value *one_minus(kx_expander *e, kx_value *x)
{
    return kx_emit2(e, "Sub", kx_emit_float(e, 1), x);
}

void kx_rnn_step(kx_expander *e, kx_recurrent *s, kx_value *x)
{
    s->h = activate(e, s, 0, kx_emit2(e, "Add", x, recur(e, s, s->h, 0, 1)));
}

void kx_gru_step(kx_expander *e, kx_recurrent *s, kx_value *x)
{
    kx_value *zr = kx_emit2(e, "Add", gate(e, s, x, 0, 2), recur(e, s, s->h, 0, 2));
    kx_value *z, *r, *n;

    zr = activate(e, s, 0, zr);
    z = gate(e, s, zr, 0, 1);
    r = gate(e, s, zr, 1, 1);
    if (s->reset_after) {
        n = recur(e, s, s->h, 2, 1);
        if (s->r_bias)
            n = kx_emit2(e, "Add", n, kx_emit_slice(e, s->r_bias, 0, 2 * s->hidden, 3 * s->hidden));
        n = kx_emit2(e, "Mul", r, n);
    } else {
        n = recur(e, s, kx_emit2(e, "Mul", r, s->h), 2, 1);
    }
    n = activate(e, s, 1, kx_emit2(e, "Add", gate(e, s, x, 2, 1), n));
    s->h = kx_emit2(e, "Add", kx_emit2(e, "Mul", one_minus(e, z), n), kx_emit2(e, "Mul", z, s->h));
}

/* Gate `at` of all [batch][4 hidden], with a peephole to c. */
static kx_value *lstm_gate(kx_expander *e, const kx_recurrent *s, kx_value *all, int at,
                           kx_value *c)
{
    kx_value *x = gate(e, s, all, at, 1);

    if (s->peephole)
        x = kx_emit2(
            e, "Add", x,
            kx_emit2(e, "Mul", c,
                     kx_emit_slice(e, s->peephole, 0, at * s->hidden, (at + 1) * s->hidden)));
    return activate(e, s, 0, x);
}

void kx_lstm_step(kx_expander *e, kx_recurrent *s, kx_value *x)
{
    enum { INPUT, OUTPUT, FORGET, CELL };
    kx_value *all = kx_emit2(e, "Add", x, recur(e, s, s->h, 0, 4));
    kx_value *i = lstm_gate(e, s, all, INPUT, s->c);
    kx_value *forget = s->input_forget ? one_minus(e, i) : lstm_gate(e, s, all, FORGET, s->c);
    kx_value *n = activate(e, s, 1, gate(e, s, all, CELL, 1));
    kx_recurrent unclipped = *s;

    s->c = kx_emit2(e, "Add", kx_emit2(e, "Mul", forget, s->c), kx_emit2(e, "Mul", i, n));
    unclipped.clip = 0; /* the state is not clipped on its way out */
    s->h = kx_emit2(e, "Mul", lstm_gate(e, s, all, OUTPUT, s->c), activate(e, &unclipped, 2, s->c));
}
