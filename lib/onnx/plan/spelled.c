/* spelled.c - see spelled.h. */
#include "spelled.h"

#include <math.h>
#include <string.h>

enum { PARTS = 24, LEAVES = 4, DEGREE = 3 };

/* What was found on the way: units that the pattern replaces, and how often it reads x. */
typedef struct finding {
    kx_planner *p;
    const kx_value *x;
    int32_t reads;
    kx_unit *part[PARTS];
    int32_t parts;
} finding;

/* The unit that makes v, a value in between that has `uses` readers. */
static kx_unit *part_of(finding *f, const kx_value *v, int32_t uses)
{
    const kx_place *at = kx_place_of(f->p, v);
    kx_unit *u;

    if (v->raw || at->producer < 0 || at->keep || at->uses != uses || f->parts == PARTS)
        return NULL;
    u = &f->p->unit[at->producer];
    f->part[f->parts++] = u;
    return u;
}

static void replace_parts(finding *f)
{
    for (int32_t i = 0; i < f->parts; i++)
        f->part[i]->dead = true;
    kx_place_of(f->p, f->x)->uses -= f->reads - 1;
}

static bool is_act(const kx_unit *u, kx_act_kind kind)
{
    return u && u->kind == KX_UNIT_ACT && u->act.kind == kind;
}

static bool is_binary(const kx_unit *u, kx_arith kind)
{
    return u && u->kind == KX_UNIT_BINARY && u->binary == kind && u->act.kind == KX_ACT_NONE;
}

static bool near(float a, float b)
{
    return fabsf(a - b) <= 1e-4f * fabsf(b);
}

/* ---- polynomials of x ---- */

typedef struct polynomial {
    float c[DEGREE + 1];
} polynomial;

static bool multiply(const polynomial *a, const polynomial *b, polynomial *out)
{
    polynomial r = {{0}};

    for (int i = 0; i <= DEGREE; i++)
        for (int k = 0; k <= DEGREE; k++) {
            if (i + k > DEGREE && a->c[i] * b->c[k] != 0)
                return false;
            if (i + k <= DEGREE)
                r.c[i + k] += a->c[i] * b->c[k];
        }
    *out = r;
    return true;
}

static void add(polynomial *a, const polynomial *b, float sign)
{
    for (int i = 0; i <= DEGREE; i++)
        a->c[i] += sign * b->c[i];
}

static bool power(polynomial *a, float exponent)
{
    polynomial base = *a;

    if (exponent != 1 && exponent != 2 && exponent != 3)
        return false;
    for (int i = 1; i < (int)exponent; i++)
        if (!multiply(a, &base, a))
            return false;
    return true;
}

enum { DEPTH = 8 };

/* Is v a polynomial of x?  `depth` bounds the descent. */
static bool read_polynomial(finding *f, const kx_value *v, int depth, polynomial *out)
{
    polynomial second;
    const kx_unit *u;

    if (v == f->x) {
        f->reads++;
        *out = (polynomial){{0, 1, 0, 0}};
        return true;
    }
    if (depth == DEPTH || !(u = part_of(f, v, 1)) ||
        (u->kind != KX_UNIT_ACT && u->kind != KX_UNIT_BINARY) ||
        !read_polynomial(f, u->in[0], depth + 1, out))
        return false;
    if (is_act(u, KX_ACT_POW))
        return power(out, u->act.a);
    if (is_act(u, KX_ACT_LINEAR)) {
        for (int i = 0; i <= DEGREE; i++)
            out->c[i] *= u->act.a;
        out->c[0] += u->act.b;
        return true;
    }
    if (u->kind == KX_UNIT_ACT || u->act.kind != KX_ACT_NONE ||
        !read_polynomial(f, u->in[1], depth + 1, &second))
        return false;
    if (u->binary == KX_BINARY_MUL)
        return multiply(out, &second, out);
    if (u->binary != KX_BINARY_ADD && u->binary != KX_BINARY_SUB)
        return false;
    add(out, &second, u->binary == KX_BINARY_ADD ? 1 : -1);
    return true;
}

static bool is_polynomial(const polynomial *p, float c0, float c1, float c3)
{
    return near(p->c[0], c0) && near(p->c[1], c1) && p->c[2] == 0 && near(p->c[3], c3);
}

/* ---- gates: x times one of them is an activation ---- */

/* What goes into the function of unit u, which may have been merged into a sum. */
static bool read_argument(finding *f, const kx_unit *u, polynomial *out)
{
    polynomial second;

    if (!read_polynomial(f, u->in[0], 0, out))
        return false;
    if (u->kind == KX_UNIT_ACT)
        return true;
    if (u->kind != KX_UNIT_BINARY || u->binary != KX_BINARY_ADD ||
        !read_polynomial(f, u->in[1], 0, &second))
        return false;
    add(out, &second, 1);
    return true;
}

/* c (scale F(polynomial of x) + shift) for the kinds F of functions that gates are made of. */
static bool is_gate(const kx_unit *u, const polynomial *t, float scale, float shift, kx_act *act)
{
    bool plain = near(scale, 1) && shift == 0, half = near(scale, 0.5f) && near(shift, 0.5f);

    switch (u->act.kind) {
    case KX_ACT_SIGMOID:
        *act = (kx_act){KX_ACT_SWISH, t->c[1], 0};
        return plain && is_polynomial(t, 0, t->c[1], 0);
    case KX_ACT_ERF:
        *act = (kx_act){KX_ACT_GELU, 0, 0};
        return half && is_polynomial(t, 0, 0.707106781f, 0);
    case KX_ACT_TANH:
        *act = (kx_act){KX_ACT_GELU_TANH, 0, 0};
        return half && is_polynomial(t, 0, 0.797884561f, 0.0356774081f);
    case KX_ACT_HARDSIGMOID:
        *act = (kx_act){KX_ACT_HARDSWISH, 0, 0};
        return plain && near(u->act.a, 1.0f / 6) && near(u->act.b, 0.5f) &&
               is_polynomial(t, 0, 1, 0);
    case KX_ACT_CLIP:
        *act = (kx_act){KX_ACT_HARDSWISH, 0, 0};
        return near(scale, 1.0f / 6) && shift == 0 && u->act.a == 0 && u->act.b == 6 &&
               is_polynomial(t, 3, 1, 0);
    default:
        return false;
    }
}

static bool read_gate(finding *f, const kx_value *v, float c, kx_act *act)
{
    float scale = c, shift = 0;
    const kx_unit *u = part_of(f, v, 1);
    polynomial t;

    for (; is_act(u, KX_ACT_LINEAR); u = part_of(f, u->in[0], 1)) {
        shift += scale * u->act.b;
        scale *= u->act.a;
    }
    return u && u->act.kind != KX_ACT_NONE && read_argument(f, u, &t) &&
           is_gate(u, &t, scale, shift, act);
}

/* ---- products ---- */

typedef struct product {
    const kx_value *leaf[LEAVES];
    int32_t leaves;
    float constant;
} product;

/* v as a product of leaves and numbers. */
static bool collect(finding *f, const kx_value *v, int depth, product *out)
{
    int32_t before = f->parts;
    const kx_unit *u = depth < DEPTH ? part_of(f, v, 1) : NULL;

    if (is_act(u, KX_ACT_LINEAR) && u->act.b == 0) {
        out->constant *= u->act.a;
        return collect(f, u->in[0], depth + 1, out);
    }
    if (is_binary(u, KX_BINARY_MUL))
        return collect(f, u->in[0], depth + 1, out) && collect(f, u->in[1], depth + 1, out);
    f->parts = before;
    if (out->leaves == LEAVES)
        return false;
    out->leaf[out->leaves++] = v;
    return true;
}

bool kx_spelled_act(kx_planner *p, const kx_value *const *factor, int32_t factors, float c,
                    const kx_value **x, kx_act *act)
{
    finding product_parts = {.p = p};
    product all = {.constant = c};

    for (int32_t i = 0; i < factors; i++)
        if (!collect(&product_parts, factor[i], 0, &all))
            return false;
    if (all.leaves != 2)
        return false;
    for (int i = 0; i < 2; i++) {
        finding f = product_parts;

        f.x = all.leaf[i];
        f.reads = 1;
        if (f.x->raw || !read_gate(&f, all.leaf[1 - i], all.constant, act))
            continue;
        replace_parts(&f);
        *x = f.x;
        return true;
    }
    return false;
}

/* ---- normalisations ---- */

static bool is_mean(const kx_unit *u)
{
    return u && u->kind == KX_UNIT_ROWS && u->rows.kind == KX_ROWS_MEAN;
}

/* v = w^2: w, and how often it is read for that. */
static const kx_value *squared(finding *f, const kx_value *v, int32_t *reads)
{
    const kx_unit *u = part_of(f, v, 1);

    *reads = is_binary(u, KX_BINARY_MUL) ? 2 : 1;
    if ((is_act(u, KX_ACT_POW) && u->act.a == 2) ||
        (is_binary(u, KX_BINARY_MUL) && u->in[0] == u->in[1]))
        return u->in[0];
    return NULL;
}

/* v = sqrt(mean of w^2 + epsilon), or 1 by that: w. */
static const kx_value *deviation(finding *f, const kx_value *v, bool inverse, kx_rows *rows,
                                 int32_t *reads)
{
    const kx_unit *u = part_of(f, v, 1);

    if (inverse && is_act(u, KX_ACT_POW) && u->act.a == -1)
        u = part_of(f, u->in[0], 1);
    else if (inverse != (is_act(u, KX_ACT_POW) && u->act.a == -0.5f))
        return NULL;
    if (!is_act(u, KX_ACT_POW) || fabsf(u->act.a) != 0.5f)
        return NULL;
    u = part_of(f, u->in[0], 1);
    if (!is_act(u, KX_ACT_LINEAR) || u->act.a != 1)
        return NULL;
    rows->epsilon = u->act.b;
    u = part_of(f, u->in[0], 1);
    if (!is_mean(u))
        return NULL;
    rows->count = u->rows.count;
    rows->n = u->rows.n;
    return squared(f, u->in[0], reads);
}

/* d = x - mean of x: x.  `uses` readers of d, `means` of the mean. */
static const kx_value *centred(finding *f, const kx_value *d, int32_t uses, int32_t means,
                               const kx_rows *rows)
{
    const kx_unit *u = part_of(f, d, uses), *mean;

    if (!is_binary(u, KX_BINARY_SUB))
        return NULL;
    mean = part_of(f, u->in[1], means);
    f->reads++;
    return is_mean(mean) && mean->in[0] == u->in[0] && mean->rows.n == rows->n ? u->in[0] : NULL;
}

/* w, whose squares are averaged with `reads` readers, and x, which is divided: the difference from
 * the mean, which may be there twice, or the array itself. */
static bool read_difference(finding *f, const kx_value *w, const kx_value *x, int32_t reads,
                            kx_rows *rows)
{
    finding before = *f;

    if (w != x) {
        const kx_value *other = centred(f, w, reads, 2, rows);

        f->x = centred(f, x, 1, 2, rows);
        f->reads++; /* the mean reads it, too */
        return f->x && f->x == other;
    }
    f->x = centred(f, x, reads + 1, 1, rows);
    f->reads++;
    if (f->x)
        return true;
    *f = before;
    f->x = x;
    f->reads = reads + 1;
    rows->centred = true;
    return true;
}

bool kx_spelled_norm(kx_planner *p, kx_unit *u, const kx_value *x, const kx_value *y, bool inverse)
{
    finding f = {.p = p};
    kx_rows rows = {.kind = KX_ROWS_NORM};
    int32_t reads;
    const kx_value *w = deviation(&f, y, inverse, &rows, &reads);

    if (!w || !read_difference(&f, w, x, reads, &rows) || f.x->raw ||
        rows.count * rows.n != (int64_t)f.x->count)
        return false;
    replace_parts(&f);
    u->kind = KX_UNIT_ROWS;
    u->rows = rows;
    kx_unit_reads_one(u, f.x);
    return true;
}
