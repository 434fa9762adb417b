/* einsum.c - Einsum: Einstein's sum convention, "bhid,bhjd->bhij".
 *
 *     y[output letters] = sum over all other letters of a[its letters] b[its letters] ...
 *
 * A letter that an operand has twice walks along its diagonal.  "..." stands for any number of
 * axes, aligned at the end and broadcast.  Without "->" the output has the axes of "...", then the
 * letters that occur once, in the order of ASCII.
 *
 * This file reads the equation; contract.c makes it transpositions, sums and matrix products. */
#include <string.h>

#include "basic.h"
#include "contract.h"
#include "families.h"
#include "nn.h"

enum { LETTERS = 52, AXES = KX_CONTRACT_AXES }; /* letters, then the axes of "...", at the end */

/* What "bi...j" says of an array. */
typedef struct term {
    kx_axis_list axes;
    bool dots;
} term;

typedef struct equation {
    int64_t dim[AXES];  /* length of each axis that occurs */
    int32_t uses[AXES]; /* how often inputs name it */
    int32_t broadcast;  /* axes of "..." */
    term in[KX_MAX_IN], out;
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
    if (count < 0 || t->axes.count + count > KX_MAX_RANK)
        return false;
    for (int32_t i = 0; i < count; i++)
        t->axes.axis[t->axes.count++] = (uint8_t)(first + i);
    return true;
}

/* Read a term in which "..." stands for `dots` axes. */
static kldve_status read_term(const kx_graph *g, const kx_node *n, const char **text, int32_t dots,
                              term *t)
{
    const char *s = *text;
    bool fits = true;

    *t = (term){.dots = false};
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
static kldve_status measure(const kx_graph *g, const kx_node *n, equation *e)
{
    for (int32_t k = 0; k < n->nin; k++)
        for (int32_t i = 0; i < e->in[k].axes.count; i++) {
            int64_t d = n->in[k]->shape.dim[i], *dim = &e->dim[e->in[k].axes.axis[i]];

            if (e->uses[e->in[k].axes.axis[i]]++ == 0 || *dim == 1)
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

static kldve_status check_output(const kx_graph *g, const kx_node *n, const equation *e)
{
    bool seen[AXES] = {false};

    for (int32_t i = 0; i < e->out.axes.count; i++) {
        int32_t axis = e->out.axes.axis[i];

        if (e->uses[axis] == 0 || seen[axis])
            return kx_invalid(g, n, "axis %d of the output must be a letter of an input, once", i);
        seen[axis] = true;
    }
    for (int32_t i = LETTERS; i < AXES; i++)
        if (e->uses[i] && !seen[i])
            return kx_invalid(g, n, "the output lacks the '...' of the inputs");
    return KLDVE_OK;
}

static kldve_status parse(const kx_graph *g, const kx_node *n, const char *text, equation *e)
{
    kldve_status st;

    for (int32_t k = 0; k < n->nin; k++) {
        const kx_shape *s = &n->in[k]->shape;

        if (k > 0 && *text++ != ',')
            return kx_invalid(g, n, "the equation has fewer terms than the node has inputs");
        if ((st = read_term(g, n, &text, s->rank - letters_of(text), &e->in[k])) < 0)
            return st;
        if (e->in[k].axes.count != s->rank)
            return kx_invalid(g, n, "the equation names %d axes of input %d, which has rank %d",
                              e->in[k].axes.count, k, s->rank);
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

static kldve_status expand(kx_expander *x)
{
    const char *text = kx_attr_string(x->n, "equation", "");
    kx_node *n = x->n;
    equation e = {.broadcast = 0};
    kx_contract c = {.dim = e.dim, .count = n->nin};
    kldve_status st;

    if ((st = kx_expect(x->g, n, n->nin > 1 ? n->nin : 1, KX_MAX_IN, 1)) < 0 ||
        (st = kx_need_floats(x->g, n, n->nin)) < 0 || (st = parse(x->g, n, text, &e)) < 0)
        return st;
    for (int32_t i = 0; i < n->nin; i++)
        c.operand[i] = (kx_operand){n->in[i], e.in[i].axes};
    return kx_contract_all(x, &c, &e.out.axes, &x->out[0]);
}

const kx_op kx_einsum_ops[] = {
    {.type = "Einsum", .since = 12, .expand = expand},
    {0},
};
