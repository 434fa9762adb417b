/* control.c - If, Loop, Scan.  Which nodes run is known when the graph is built.  A branch takes
 * the place of its If; where the input decides, both branches run and Where takes the results of
 * one. The body of a loop comes once for each round; how many there are must not depend on the
 * input. */
#include <assert.h>
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"
#include "read/model.h"

enum { MAX_ROUNDS = 4096 };

static kldve_status branch_of(kx_expander *e, const char *name, const kx_proto_graph **out)
{
    const kx_proto_graph *body = kx_attr_graph(e->n, name);

    if (!body)
        return kx_invalid(e->g, e->n, "attribute '%s' is missing", name);
    if (body->noutput > KX_MAX_IN)
        return kx_refuse(e->g, e->n, "the graph in '%s' has %d outputs, at most %d are supported",
                         name, body->noutput, KX_MAX_IN);
    *out = body;
    return KLDVE_OK;
}

/* One constant bool. */
static kldve_status known_bool(kx_expander *e, const kx_value *v, const char *what, bool *out)
{
    const uint8_t *data;

    if (v->dtype != KX_BOOL || v->count != 1)
        return kx_invalid(e->g, e->n, "the %s must be one bool", what);
    if (!v->raw)
        return kx_refuse(e->g, e->n,
                         "the %s must be constant, but depends on the input: export the network "
                         "without control flow that looks at the data",
                         what);
    if (!(data = kx_value_data(e->g, v)))
        return kx_nomem(e->g);
    *out = *data != 0;
    return KLDVE_OK;
}

/* ---- If -------------------------------------------------------------------------------------- */

/* The results of one branch. */
static kldve_status run_branch(kx_expander *e, const kx_proto_graph *branch, kx_value **out)
{
    if (branch->noutput < e->n->nout)
        return kx_invalid(e->g, e->n, "the branch has %d outputs, the node %d", branch->noutput,
                          e->n->nout);
    e->graph(e, branch, NULL, 0, -1, out);
    return e->status;
}

/* Branches have no effects but their results, so both can run.  No gradient flows into the one that
 * is not taken. */
static kldve_status take_at_run_time(kx_expander *e, const kx_proto_graph *const *branch)
{
    kx_value *out[2][KX_MAX_IN], *in[3] = {e->n->in[0]};
    kldve_status st = KLDVE_OK;

    if (in[0]->count != 1)
        return kx_invalid(e->g, e->n, "the condition (input 0) must be one bool");
    if (in[0]->shape.rank > 0) { /* as a scalar it does not shape the results */
        in[0] = kx_emit_reshape(e, in[0], NULL, 0);
        st = e->status;
    }
    for (int32_t k = 0; k < 2 && st == KLDVE_OK; k++)
        st = run_branch(e, branch[k], out[k]);
    for (int32_t i = 0; i < e->n->nout && st == KLDVE_OK; i++) {
        const kx_value *yes = in[1] = out[0][i], *no = in[2] = out[1][i];

        if (yes->dtype != no->dtype || !kx_same_shape(&yes->shape, &no->shape))
            return kx_refuse(e->g, e->n,
                             "the condition depends on the input, and the branches give output %d "
                             "another type or shape: export the network without control flow that "
                             "looks at the data",
                             i);
        e->out[i] = kx_emit(e, "Where", in, 3, NULL, 0);
        st = e->status;
    }
    return st;
}

static kldve_status expand_if(kx_expander *e)
{
    const kx_proto_graph *branch[2];
    bool condition = false;
    kx_value *out[KX_MAX_IN];
    kldve_status st = kx_expect(e->g, e->n, 1, 1, KX_MAX_OUT);

    if (st < 0 || (st = branch_of(e, "then_branch", &branch[0])) < 0 ||
        (st = branch_of(e, "else_branch", &branch[1])) < 0)
        return st;
    if (e->n->in[0]->dtype == KX_BOOL && !e->n->in[0]->raw)
        return take_at_run_time(e, branch);
    if ((st = known_bool(e, e->n->in[0], "condition (input 0)", &condition)) < 0 ||
        (st = run_branch(e, branch[condition ? 0 : 1], out)) < 0)
        return st;
    memcpy(e->out, out, (size_t)e->n->nout * sizeof *out);
    return KLDVE_OK;
}

/* ---- Loop ------------------------------------------------------------------------------------ */

/* Body: round, condition, carried values -> condition, carried values, results of the round. */
typedef struct loop {
    const kx_proto_graph *body;
    int64_t rounds;
    bool counted; /* there is a trip count; else the condition alone ends it */
    bool go_on;
    int32_t carried, results;
    kx_value *value[KX_MAX_IN]; /* [carried] now */
    kx_value **result;          /* [results][rounds] */
} loop;

static kldve_status loop_limits(kx_expander *e, loop *l)
{
    const int64_t *trip = NULL;
    size_t count = 0;
    kldve_status st = kx_const_ints(e->g, e->n, 0, "trip count", &trip, &count);

    if (st < 0)
        return st;
    l->rounds = MAX_ROUNDS;
    l->go_on = true;
    l->counted = count > 0;
    if (l->counted)
        l->rounds = trip[0] < 0 ? 0 : trip[0] <= MAX_ROUNDS ? trip[0] : MAX_ROUNDS + 1;
    if (l->rounds > MAX_ROUNDS)
        return kx_refuse(e->g, e->n, "%lld rounds, at most %d are supported", (long long)trip[0],
                         MAX_ROUNDS);
    return kx_has(e->n, 1) ? known_bool(e, e->n->in[1], "condition (input 1)", &l->go_on)
                           : KLDVE_OK;
}

static kldve_status loop_sizes(kx_expander *e, loop *l)
{
    l->carried = e->n->nin > 2 ? e->n->nin - 2 : 0;
    l->results = l->body->noutput - 1 - l->carried;
    if (l->results < 0 || e->n->nout > l->carried + l->results || l->body->ninput != l->carried + 2)
        return kx_invalid(e->g, e->n, "its body has %d inputs and %d outputs, which do not fit",
                          l->body->ninput, l->body->noutput);
    for (int32_t i = 0; i < l->carried; i++)
        if (!(l->value[i] = e->n->in[i + 2]))
            return kx_invalid(e->g, e->n, "required input %d is missing", i + 2);
    l->result = kx_new(e->g, (size_t)l->results * (size_t)l->rounds, sizeof(kx_value *));
    return l->result ? KLDVE_OK : kx_nomem(e->g);
}

static kx_value *known_true(kx_expander *e)
{
    kx_value *one = kx_emit_int(e, 1);

    return kx_emit2(e, "Equal", one, one);
}

static kldve_status loop_round(kx_expander *e, loop *l, int64_t round)
{
    kx_value *in[KX_MAX_IN + 2], *out[KX_MAX_IN];
    int64_t first = 0;

    in[0] = kx_emit_int(e, round);
    in[1] = known_true(e);
    memcpy(in + 2, l->value, (size_t)l->carried * sizeof *in);
    e->graph(e, l->body, in, l->carried + 2, round, out);
    if (e->status < 0)
        return e->status;
    memcpy(l->value, out + 1, (size_t)l->carried * sizeof *out);
    for (int32_t k = 0; k < l->results; k++)
        l->result[k * l->rounds + round] =
            kx_emit2(e, "Unsqueeze", out[1 + l->carried + k], kx_emit_ints(e, &first, 1));
    return known_bool(e, out[0], "condition that the body puts out", &l->go_on);
}

static kldve_status expand_loop(kx_expander *e)
{
    loop l = {0};
    int64_t done = 0;
    kldve_status st = kx_expect(e->g, e->n, 0, KX_MAX_IN, KX_MAX_OUT);

    if (st < 0 || (st = branch_of(e, "body", &l.body)) < 0 || (st = loop_limits(e, &l)) < 0 ||
        (st = loop_sizes(e, &l)) < 0)
        return st;
    while (l.go_on && done < l.rounds)
        if ((st = loop_round(e, &l, done++)) < 0)
            return st;
    if (l.go_on && !l.counted && done == MAX_ROUNDS)
        return kx_refuse(e->g, e->n, "more than %d rounds", MAX_ROUNDS);
    for (int32_t i = 0; i < e->n->nout; i++) {
        int32_t k = i - l.carried;

        if (k >= 0 && done == 0)
            return kx_refuse(e->g, e->n,
                             "it runs for no round, and the shape of output %d is unknown", i);
        e->out[i] = k < 0 ? l.value[i] : kx_emit_join(e, l.result + k * l.rounds, done, 0);
    }
    return e->status;
}

/* ---- Scan ------------------------------------------------------------------------------------ */

/* Body: states, one slice of each scanned input -> states, one slice of each scanned output. */
typedef struct scan {
    const kx_proto_graph *body;
    int64_t rounds;
    int32_t states, inputs, outputs;
    const int64_t *in_axis, *out_axis, *in_reverse, *out_reverse; /* NULL: all 0 */
    kx_value *value[KX_MAX_IN];
    kx_value **result; /* [outputs][rounds], in the order of the output */
} scan;

static kldve_status scan_list(kx_expander *e, const char *name, int32_t want, const int64_t **out)
{
    size_t count;

    *out = kx_attr_ints(e->n, name, &count);
    if (*out && count != (size_t)want)
        return kx_invalid(e->g, e->n, "attribute '%s' has %zu values, expected %d", name, count,
                          want);
    return KLDVE_OK;
}

static int64_t listed(const int64_t *list, int32_t i)
{
    return list ? list[i] : 0;
}

static kldve_status scan_sizes(kx_expander *e, scan *s)
{
    int64_t inputs = kx_attr_int(e->n, "num_scan_inputs", 0);
    kldve_status st;

    if (inputs < 1 || inputs > e->n->nin)
        return kx_invalid(e->g, e->n, "attribute 'num_scan_inputs' is %lld for %d inputs",
                          (long long)inputs, e->n->nin);
    s->inputs = (int32_t)inputs;
    s->states = e->n->nin - s->inputs;
    s->outputs = s->body->noutput - s->states;
    if (s->outputs < 0 || e->n->nout > s->body->noutput || s->body->ninput != e->n->nin)
        return kx_invalid(e->g, e->n, "its body has %d inputs and %d outputs, which do not fit",
                          s->body->ninput, s->body->noutput);
    if ((st = scan_list(e, "scan_input_axes", s->inputs, &s->in_axis)) < 0 ||
        (st = scan_list(e, "scan_output_axes", s->outputs, &s->out_axis)) < 0 ||
        (st = scan_list(e, "scan_input_directions", s->inputs, &s->in_reverse)) < 0 ||
        (st = scan_list(e, "scan_output_directions", s->outputs, &s->out_reverse)) < 0)
        return st;
    return KLDVE_OK;
}

static kldve_status scan_rounds(kx_expander *e, scan *s)
{
    s->rounds = -1;
    for (int32_t i = 0; i < s->inputs; i++) {
        const kx_shape *shape = &e->n->in[s->states + i]->shape;
        int32_t axis;

        if (!kx_axis(listed(s->in_axis, i), shape->rank, &axis))
            return kx_invalid(e->g, e->n, "axis %lld is out of range for rank %d",
                              (long long)listed(s->in_axis, i), shape->rank);
        if (s->rounds >= 0 && shape->dim[axis] != s->rounds)
            return kx_invalid(e->g, e->n, "the scanned inputs differ in length");
        s->rounds = shape->dim[axis];
    }
    if (s->rounds < 1 || s->rounds > MAX_ROUNDS)
        return kx_refuse(e->g, e->n, "%lld rounds, 1 to %d are supported", (long long)s->rounds,
                         MAX_ROUNDS);
    s->result = kx_new(e->g, (size_t)s->outputs * (size_t)s->rounds, sizeof(kx_value *));
    return s->result ? KLDVE_OK : kx_nomem(e->g);
}

static kx_value *scan_slice(kx_expander *e, const scan *s, int32_t i, int64_t round)
{
    kx_value *whole = e->n->in[s->states + i];
    int64_t at = listed(s->in_reverse, i) ? s->rounds - 1 - round : round;
    kx_attr axis = kx_attr_of_int("axis", listed(s->in_axis, i));
    kx_value *in[2] = {whole, kx_emit_int(e, at)};

    return kx_emit(e, "Gather", in, 2, &axis, 1);
}

static void scan_round(kx_expander *e, scan *s, int64_t round)
{
    kx_value *in[KX_MAX_IN], *out[KX_MAX_IN];

    memcpy(in, s->value, (size_t)s->states * sizeof *in);
    for (int32_t i = 0; i < s->inputs; i++)
        in[s->states + i] = scan_slice(e, s, i, round);
    e->graph(e, s->body, in, e->n->nin, round, out);
    memcpy(s->value, out, (size_t)s->states * sizeof *out);
    for (int32_t k = 0; k < s->outputs; k++) {
        int64_t at = listed(s->out_reverse, k) ? s->rounds - 1 - round : round;
        int64_t axis = listed(s->out_axis, k);

        s->result[k * s->rounds + at] =
            kx_emit2(e, "Unsqueeze", out[s->states + k], kx_emit_ints(e, &axis, 1));
    }
}

static kldve_status expand_scan(kx_expander *e)
{
    scan s = {0};
    kldve_status st = kx_expect(e->g, e->n, 1, KX_MAX_IN, KX_MAX_OUT);

    if (st < 0 || (st = branch_of(e, "body", &s.body)) < 0 || (st = scan_sizes(e, &s)) < 0)
        return st;
    for (int32_t i = 0; i < e->n->nin; i++)
        if (!(s.value[i] = e->n->in[i]))
            return kx_invalid(e->g, e->n, "required input %d is missing", i);
    if ((st = scan_rounds(e, &s)) < 0)
        return st;
    for (int64_t round = 0; round < s.rounds && e->status == KLDVE_OK; round++)
        scan_round(e, &s, round);
    for (int32_t i = 0; i < e->n->nout && e->status == KLDVE_OK; i++) {
        int32_t k = i - s.states;

        e->out[i] = k < 0
                        ? s.value[i]
                        : kx_emit_join(e, s.result + k * s.rounds, s.rounds, listed(s.out_axis, k));
    }
    return e->status;
}

const kx_op kx_control_ops[] = {
    {.type = "If", .since = 1, .expand = expand_if, .sequences = true},
    {.type = "Loop", .since = 1, .expand = expand_loop, .sequences = true},
    {.type = "Scan", .since = 9, .expand = expand_scan},
    {0},
};
