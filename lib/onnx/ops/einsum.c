/* einsum.c - Einsum: Einstein's sum convention for one or two arrays, "bhid,bhjd->bhij".
 *
 *     y[output letters] = sum over all other letters of a[its letters] b[its letters]
 *
 * A letter that an operand has twice walks along its diagonal.  "..." stands for any number of
 * axes, aligned at the end and broadcast.  Without "->" the output has the axes of "...", then the
 * letters that occur once, in the order of ASCII.
 *
 * All of it is one walk (walk.h) over the letters of the output, then those that are summed: the
 * operands are a, b and y.  The VJP is the same walk with the roles exchanged:
 * da += dy b, db += dy a. */
#include <assert.h>
#include <string.h>

#include "basic.h"
#include "families.h"
#include "nn.h"

enum {
    LETTERS = 52,
    AXES = LETTERS + KX_MAX_RANK, /* letters, then the axes of "...", aligned at the end */
    MOST_AXES = KX_WALK_RANK
};

/* What "bi...j" says of an array: its axes by number. */
typedef struct term {
    int32_t count;
    uint8_t axis[KX_MAX_RANK];
    bool dots;
} term;

typedef struct equation {
    int64_t dim[AXES];  /* length of each axis that occurs */
    int32_t uses[AXES]; /* how often inputs name it */
    int32_t broadcast;  /* axes of "..." */
    term in[2], out;
} equation;

static int32_t letter(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1;
}

/* The letters up to the end of a term. */
static int32_t letters_of(const char *s)
{
    int32_t count = 0;

    for (; *s && *s != ',' && *s != '-'; s++)
        count += letter(*s) >= 0;
    return count;
}

/* Append `count` axes from number `first` on; false: more than an array can have. */
static bool append(term *t, int32_t first, int32_t count)
{
    if (count < 0 || t->count + count > KX_MAX_RANK)
        return false;
    for (int32_t i = 0; i < count; i++)
        t->axis[t->count++] = (uint8_t)(first + i);
    return true;
}

/* Read a term in which "..." stands for `dots` axes. */
static kldve_status read_term(kx_graph *g, kx_node *n, const char **text, int32_t dots, term *t)
{
    const char *s = *text;
    bool fits = true;

    *t = (term){.count = 0};
    for (; *s && *s != ',' && *s != '-' && fits; s++) {
        if (*s == ' ')
            continue;
        if (letter(*s) >= 0) {
            fits = append(t, letter(*s), 1);
        } else if (strncmp(s, "...", 3) == 0 && !t->dots) {
            t->dots = true;
            s += 2;
            fits = append(t, AXES - dots, dots);
        } else {
            return kx_invalid(g, n, "the equation has '%c' where a letter is expected", *s);
        }
    }
    if (!fits)
        return kx_invalid(g, n, "a term of the equation does not fit the rank of its array");
    *text = s;
    return KLDVE_OK;
}

/* Lengths of the axes: equal wherever a letter occurs, or 1. */
static kldve_status measure(kx_graph *g, kx_node *n, equation *e)
{
    for (int32_t k = 0; k < n->nin; k++)
        for (int32_t i = 0; i < e->in[k].count; i++) {
            int64_t d = n->in[k]->shape.dim[i], *dim = &e->dim[e->in[k].axis[i]];

            if (e->uses[e->in[k].axis[i]]++ == 0 || *dim == 1)
                *dim = d;
            else if (d != *dim && d != 1)
                return kx_invalid(g, n, "axis %d of input %d has length %lld, expected %lld", i, k,
                                  (long long)d, (long long)*dim);
        }
    return KLDVE_OK;
}

/* The output of an equation without "->". */
static bool imply_output(equation *e)
{
    bool full = false;

    for (int32_t i = 0; i < AXES && !full; i++) {
        int32_t axis = i < KX_MAX_RANK ? LETTERS + i : i - KX_MAX_RANK; /* "..." comes first */

        if (axis >= LETTERS ? e->uses[axis] > 0 : e->uses[axis] == 1)
            full = !append(&e->out, axis, 1);
    }
    return !full;
}

static kldve_status check_output(kx_graph *g, kx_node *n, const equation *e)
{
    bool seen[AXES] = {false};

    for (int32_t i = 0; i < e->out.count; i++) {
        int32_t axis = e->out.axis[i];

        if (e->uses[axis] == 0 || seen[axis])
            return kx_invalid(g, n, "axis %d of the output must be a letter of an input, once", i);
        seen[axis] = true;
    }
    for (int32_t i = LETTERS; i < AXES; i++)
        if (e->uses[i] && !seen[i])
            return kx_invalid(g, n, "the output lacks the '...' of the inputs");
    return KLDVE_OK;
}

static kldve_status parse(kx_graph *g, kx_node *n, const char *text, equation *e)
{
    kldve_status st;

    for (int32_t k = 0; k < n->nin; k++) {
        const kx_shape *s = &n->in[k]->shape;

        if (k > 0 && *text++ != ',')
            return kx_invalid(g, n, "the equation has fewer terms than the node has inputs");
        if ((st = read_term(g, n, &text, s->rank - letters_of(text), &e->in[k])) < 0)
            return st;
        if (e->in[k].count != s->rank)
            return kx_invalid(g, n, "the equation names %d axes of input %d, which has rank %d",
                              e->in[k].count, k, s->rank);
    }
    if ((st = measure(g, n, e)) < 0)
        return st;
    for (int32_t i = LETTERS; i < AXES; i++)
        e->broadcast += e->uses[i] > 0;
    if (*text == ',')
        return kx_invalid(g, n, "the equation has more terms than the node has inputs");
    if (*text == '\0' && imply_output(e))
        return check_output(g, n, e);
    if (*text == '\0')
        return kx_refuse(g, n, "the rank of the result is above %d, the largest supported",
                         KX_MAX_RANK);
    if (strncmp(text, "->", 2) != 0)
        return kx_invalid(g, n, "the equation has '-' without '>'");
    text += 2;
    if ((st = read_term(g, n, &text, e->broadcast, &e->out)) < 0)
        return st;
    if (*text)
        return kx_invalid(g, n, "the equation goes on behind its output");
    return check_output(g, n, e);
}

/* Where each axis of the walk leads in an operand: over a diagonal several steps at once, nowhere
 * along what is broadcast. */
static void add_operand(kx_walk *w, const equation *e, const uint8_t *order, const term *t,
                        const kx_shape *s)
{
    int64_t *stride = w->stride[w->operands++];

    for (int32_t k = 0; k < w->rank; k++)
        for (int32_t i = 0; i < t->count; i++)
            if (t->axis[i] == order[k] && (s->dim[i] != 1 || e->dim[order[k]] == 1))
                stride[k] += kx_stride(s, i);
}

static kldve_status make_walk(kx_graph *g, kx_node *n, const equation *e, const kx_shape *y,
                              kx_walk *w)
{
    uint8_t order[AXES];
    bool kept[AXES] = {false};

    for (int32_t i = 0; i < e->out.count; i++) {
        kept[e->out.axis[i]] = true;
        order[w->rank++] = e->out.axis[i];
    }
    for (int32_t i = 0; i < AXES; i++)
        if (e->uses[i] && !kept[i]) {
            if (w->rank == MOST_AXES)
                return kx_refuse(g, n, "the equation has more than %d letters", MOST_AXES);
            order[w->rank++] = (uint8_t)i;
        }
    for (int32_t k = 0; k < w->rank; k++)
        w->dim[k] = e->dim[order[k]];
    for (int32_t k = 0; k < n->nin; k++)
        add_operand(w, e, order, &e->in[k], &n->in[k]->shape);
    w->operands = 2; /* without b: it is one number */
    add_operand(w, e, order, &e->out, y);
    kx_walk_pack(w);
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    const char *text = kx_attr_string(n, "equation", "");
    kx_walk_params *p = kx_new(g, 1, sizeof *p);
    equation e = {.broadcast = 0};
    kx_shape y = {.rank = 0};
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if (n->nin > 2)
        return kx_refuse(g, n, "%d operands, at most 2 are supported", n->nin);
    if ((st = kx_expect(g, n, 1, 2, 1)) < 0)
        return st;
    if (n->nin == 2 && !n->in[1])
        return kx_invalid(g, n, "input 1 is omitted");
    if ((st = kx_need_floats(g, n, 2)) < 0 || (st = parse(g, n, text, &e)) < 0)
        return st;
    y.rank = e.out.count;
    for (int32_t i = 0; i < y.rank; i++)
        y.dim[i] = e.dim[e.out.axis[i]];
    if ((st = kx_out_like(g, n, 0, n->in[0], &y)) < 0 ||
        (st = make_walk(g, n, &e, &y, &p->walk)) < 0)
        return st;
    n->params = p;
    return KLDVE_OK;
}

static const float one = 1;

/* to += x y along the walk, which has them as operands tx, ty and tto. */
static void multiply(const kx_walk *w, const int32_t role[3], const float *x, const float *y,
                     float *to)
{
    for (kx_run r = kx_run_first(w); r.more; kx_run_next(w, &r)) {
        const float *a = x + r.at[role[0]], *b = y + r.at[role[1]];
        int64_t sa = r.step[role[0]], sb = r.step[role[1]], st = r.step[role[2]];
        float *out = to + r.at[role[2]];
        double sum = 0;

        if (st == 0) {
            for (int64_t i = 0; i < r.n; i++)
                sum += (double)a[i * sa] * (double)b[i * sb];
            *out += (float)sum;
            continue;
        }
        for (int64_t i = 0; i < r.n; i++)
            out[i * st] += a[i * sa] * b[i * sb];
    }
}

static void forward(const kx_op_call *call)
{
    const kx_walk_params *p = call->node->params;
    const float *b = call->node->nin > 1 ? call->in[1].data : &one;

    memset(call->out[0].data, 0, call->out[0].count * sizeof(float));
    multiply(&p->walk, (const int32_t[]){0, 1, 2}, call->in[0].data, b, call->out[0].data);
}

static void vjp(const kx_op_call *call)
{
    const kx_walk_params *p = call->node->params;
    int32_t which = call->which, other = 1 - which;
    const float *b = call->node->nin > 1 ? call->in[other].data : &one;

    if (call->dout[0].data)
        multiply(&p->walk, (const int32_t[]){2, other, which}, call->dout[0].data, b,
                 call->din->data);
}

static double work(const kx_node *n)
{
    const kx_walk_params *p = n->params;
    double steps = 1;

    for (int32_t i = 0; i < p->walk.rank; i++)
        steps *= (double)p->walk.dim[i];
    return steps;
}

const kx_op kx_einsum_ops[] = {
    {.type = "Einsum",
     .since = 12,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .work = work,
     .vjp_needs = KX_NEEDS_IN(0) | KX_NEEDS_IN(1),
     .traits = {.effect = KX_EFFECT_WEIGHS,
                .bias = KX_BIAS_NONE,
                .formula = KX_FORMULA_CONTRACTION}},
    {0},
};
