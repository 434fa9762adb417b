/* tail.c - see tail.h.  The way back leads from an output to what looks like a softmax or a sigmoid
 * (tail_softmax.c, tail_sigmoid.c), and keeps what the file does to the probabilities behind it. */
#include "tail_parts.h"

#include <math.h>
#include <string.h>

#include "surgery.h"
#include "ops/params.h"
#include "ops/params_basic.h"

/* Bounds that avoid log(0), and numbers that are added to that end. */
static const double keeps_low = 1e-3, keeps_high = 1 - 1e-3;

static bool keeps(const kx_formula side, double bound)
{
    return side == KX_FORMULA_LARGER ? bound <= keeps_low : bound >= keeps_high;
}

/* ---- one step back --------------------------------------------------------------------------- */

/* at = f(x), factor * x + offset before any logarithm or exponential. */
static bool scale(kx_way_back *w, kx_value *x, double factor, double offset)
{
    bool plain = factor == 1 && offset >= 0 && offset <= keeps_low;

    if (x && w->height == 1 && factor == -1 && offset == 1) { /* log(1 - x) */
        w->opposite = !w->opposite;
        w->at = x;
        return true;
    }
    if (!x || factor == 0 || !isfinite(factor) || (w->height != 0 && !plain))
        return false;
    if (!plain) {
        w->offset += w->factor * offset;
        w->factor *= factor;
    }
    w->at = x;
    return true;
}

/* A sum, difference, product or quotient of x and a constant. */
static bool step_affine(kx_way_back *w, const kx_node *n)
{
    double c = 0;
    kx_value *x = kx_beside(n, &c);

    if (x && x->count != n->out[0]->count) /* repeated */
        return false;
    switch (n->op->traits.formula) {
    case KX_FORMULA_SUM:
        return scale(w, x, 1, c);
    case KX_FORMULA_DIFFERENCE:
        return x && x == n->in[0] ? scale(w, x, 1, -c) : scale(w, x, -1, c);
    case KX_FORMULA_PRODUCT:
        return scale(w, x, c, 0);
    case KX_FORMULA_QUOTIENT:
        return x == n->in[0] && scale(w, x, 1 / c, 0);
    default:
        return n->op->traits.formula == KX_FORMULA_NEGATIVE && scale(w, n->in[0], -1, 0);
    }
}

/* Whether `condition` compares x with something. */
static bool compares(const kx_graph *g, const kx_value *condition, kx_value *x)
{
    const kx_node *n = kx_maker(g, condition);

    for (int32_t k = 0; n && k < n->nin; k++)
        if (n->in[k] && kx_bare(g, n->in[k]) == kx_bare(g, x))
            return true;
    return false;
}

/* The operand that passes where bounds only keep it from 0 and 1; NULL: they cut. */
static kx_value *within_bounds(const kx_graph *g, const kx_node *n)
{
    const kx_clip_params *clip = n->params;
    kx_formula formula = n->op->traits.formula;
    double c;
    kx_value *x;

    if (formula == KX_FORMULA_CLIP)
        return clip->fixed && (double)clip->lo <= keeps_low && (double)clip->hi >= keeps_high
                   ? n->in[0]
                   : NULL;
    if (formula == KX_FORMULA_LARGER || formula == KX_FORMULA_SMALLER)
        return (x = kx_beside(n, &c)) && keeps(formula, c) ? x : NULL;
    if (formula != KX_FORMULA_CHOICE)
        return NULL;
    for (int32_t k = 1; k <= 2; k++)
        if (kx_is_uniform(n->in[k], &c) && ((c >= 0 && c <= keeps_low) || c >= keeps_high) &&
            compares(g, n->in[0], n->in[3 - k]))
            return n->in[3 - k];
    return NULL;
}

bool kx_step_back(const kx_graph *g, kx_way_back *w)
{
    const kx_node *n = kx_maker(g, w->at);
    kx_value *bare = kx_bare(g, w->at), *x;

    if (bare != w->at) {
        w->at = bare;
        return true;
    }
    if (!n)
        return false;
    switch (n->op->traits.formula) {
    case KX_FORMULA_BEST:
        if (kx_picks_smallest(n))
            return false;
        *w = (kx_way_back){.at = n->in[0], .best = true, .factor = 1};
        return true;
    case KX_FORMULA_EXP:
    case KX_FORMULA_LOG:
        w->height += n->op->traits.formula == KX_FORMULA_LOG ? 1 : -1;
        w->at = n->in[0];
        return true;
    default:
        if (w->height >= 0 && (x = kx_before_share(g, w->at))) {
            w->shares = true;
            w->at = x;
            return true;
        }
        if ((x = within_bounds(g, n)))
            w->at = x;
        return x || step_affine(w, n);
    }
}

/* ---- what it leads to ------------------------------------------------------------------------ */

/* Whether 1 - p is a probability of the same kind: of a sigmoid, and of a softmax of two classes.
 */
static bool has_opposite(int32_t kind, const kx_line *line)
{
    return kind == KLDVE_SCORES_SIGMOID || (kind == KLDVE_SCORES_SOFTMAX && line->n == 2);
}

/* Fill in what a softmax or sigmoid in front of `at` says. */
static bool ends(const kx_graph *g, const kx_way_back *w, kx_tail *out)
{
    kx_line line = {0, 0};
    bool logarithm;
    kx_value *x = kx_before_softmax(g, w->at, &line, &logarithm);
    int32_t kind = KLDVE_SCORES_SOFTMAX, height;

    if (!x) {
        kind = KLDVE_SCORES_SIGMOID;
        x = kx_before_sigmoid(g, w->at, &logarithm);
    }
    height = w->height + logarithm;
    if (!x || height < 0 || height > 1 || (w->shares && kind != KLDVE_SCORES_SOFTMAX) ||
        (w->opposite && (logarithm || !has_opposite(kind, &line))))
        return false;
    out->scores = x;
    out->kind = kind;
    out->form = w->opposite ? KX_TAIL_OPPOSITE : KX_TAIL_PLAIN;
    out->line = line;
    out->logarithm = height == 1;
    out->factor = w->factor;
    out->offset = w->offset;
    return true;
}

/* What falls as p rises is said of 1 - p. */
static void turn(kx_tail *t)
{
    if (t->factor > 0 || t->logarithm || !has_opposite(t->kind, &t->line))
        return;
    t->form = KX_TAIL_OPPOSITE;
    t->offset += t->factor;
    t->factor = -t->factor;
}

/* Go back to a softmax or sigmoid by one node or by hand. */
static void find_plain(const kx_graph *g, kx_value *output, kx_tail *out)
{
    kx_way_back w = {.at = output, .factor = 1};
    kx_value *looked_at = output;
    const kx_node *n;

    *out = (kx_tail){.scores = output, .kind = KLDVE_SCORES_RAW, .factor = 1};
    for (;;) {
        bool found = ends(g, &w, out);

        out->best = w.best;
        if (found)
            break;
        n = kx_maker(g, w.at);
        if (!kx_step_back(g, &w)) {
            out->squashes = n && n->op->traits.unit_interval ? n : NULL;
            return;
        }
        if (n->op->traits.formula == KX_FORMULA_BEST)
            out->scores = looked_at = w.at;
    }
    turn(out);
    if (out->best && out->factor < 0) /* the largest is that of the least probability */
        *out = (kx_tail){.scores = looked_at, .kind = KLDVE_SCORES_RAW, .best = true, .factor = 1};
}

/* ---- several put together -------------------------------------------------------------------- */

/* Whether part k of a concatenation is a sigmoid as the file prints it. */
static bool read_part(const kx_graph *g, const kx_node *n, int32_t k, kx_tail *t)
{
    kx_tail part;

    find_plain(g, n->in[k], &part);
    if (part.kind != KLDVE_SCORES_SIGMOID || part.logarithm || part.best || part.factor != 1 ||
        part.offset != 0 || part.scores->count != n->in[k]->count)
        return false;
    t->part[k] = part.scores;
    t->opposite[k] = part.form == KX_TAIL_OPPOSITE;
    return true;
}

/* 1 - sigmoid(x) beside sigmoid(x): two classes. */
static bool is_pair(const kx_graph *g, const kx_tail *t)
{
    return t->parts == 2 && t->part[0]->count == 1 && t->opposite[0] != t->opposite[1] &&
           kx_bare(g, t->part[0]) == kx_bare(g, t->part[1]);
}

/* A vector of sigmoids that are computed one by one. */
static bool find_joined(const kx_graph *g, const kx_way_back *w, kx_tail *out)
{
    const kx_node *n = kx_maker(g, kx_bare(g, w->at));
    size_t most = 1;

    if (!n || n->op->traits.axes != KX_AXES_JOINED || w->shares || w->opposite || w->height < 0 ||
        w->height > 1)
        return false;
    for (int32_t i = 0; i < n->out[0]->shape.rank; i++)
        most = n->out[0]->shape.dim[i] > (int64_t)most ? (size_t)n->out[0]->shape.dim[i] : most;
    if (n->out[0]->count != most) /* a map: its parts do not lie one behind the other */
        return false;
    for (int32_t k = 0; k < n->nin; k++)
        if (!read_part(g, n, k, out))
            return false;
    out->parts = n->nin;
    out->scores = w->at;
    out->factor = w->factor;
    out->offset = w->offset;
    out->logarithm = w->height == 1;
    out->form = is_pair(g, out) ? KX_TAIL_PAIR : KX_TAIL_JOINED;
    out->kind = out->form == KX_TAIL_PAIR ? KLDVE_SCORES_SOFTMAX : KLDVE_SCORES_SIGMOID;
    out->line = (kx_line){2, 1};
    return true;
}

void kx_find_tail(const kx_graph *g, kx_value *output, kx_tail *out)
{
    kx_way_back w = {.at = output, .factor = 1};

    find_plain(g, output, out);
    if (out->kind != KLDVE_SCORES_RAW)
        return;
    do {
        if (find_joined(g, &w, out)) {
            out->best = w.best;
            out->squashes = NULL;
            return;
        }
    } while (kx_step_back(g, &w));
}

/* ---- the scores as a tensor ------------------------------------------------------------------ */

/* Part k, x.  Of a pair each class has half of the score, so that each of the two has a gradient.
 */
static kldve_status put_part(kx_surgery *s, const kx_tail *t, int32_t k, kx_value *x,
                             kx_value **out)
{
    *out = x;
    if (t->form == KX_TAIL_PAIR)
        return kx_put_scaled(s, t->opposite[k] ? -0.5f : 0.5f, x, out);
    return t->opposite[k] ? kx_put_negative(s, x, out) : KLDVE_OK;
}

/* All parts as [1][count], one behind the other. */
static kldve_status put_parts(kx_surgery *s, const kx_tail *t, kx_value **out)
{
    kx_value *flat[KX_MAX_IN] = {NULL};
    kldve_status st = KLDVE_OK;

    for (int32_t k = 0; k < t->parts && st == KLDVE_OK; k++) {
        const kx_shape row = {2, {1, (int64_t)t->part[k]->count}};

        st = kx_put_reshape(s, &row, t->part[k], &flat[k]);
        st = st < 0 ? st : put_part(s, t, k, flat[k], &flat[k]);
    }
    return st < 0 ? st : kx_put_concat(s, 1, t->parts, flat, out);
}

/* log p, kept from -infinity by the least p that has a logarithm worth the name. */
static kldve_status put_log(kx_surgery *s, float least, kx_value *p, kx_value **out)
{
    kldve_status st = kx_put_clip(s, least, INFINITY, p, out);

    return st < 0 ? st : kx_put_log(s, *out, out);
}

/* log p, or log p - log(1 - p). */
static kldve_status put_mixed(kx_surgery *s, const kx_tail *t, kx_value **out)
{
    const float least = 1e-30f, half_step = 0x1p-25f; /* of a float32 below 1 */
    kx_value *yes, *no;
    kldve_status st = put_log(s, least, t->scores, &yes);

    if (st < 0 || t->kind == KLDVE_SCORES_SOFTMAX) {
        *out = yes;
        return st;
    }
    if ((st = kx_put_number(s, &t->scores->shape, 1, &no)) < 0 ||
        (st = kx_put_difference(s, no, t->scores, &no)) < 0 ||
        (st = put_log(s, half_step, no, &no)) < 0)
        return st;
    return kx_put_difference(s, yes, no, out);
}

kldve_status kx_tail_scores(kx_graph *g, const kx_tail *t, kx_value **out)
{
    kx_surgery s = {.g = g, .name = t->scores->name, .at = g->nnode};

    switch (t->form) {
    case KX_TAIL_OPPOSITE:
        return kx_put_negative(&s, t->scores, out);
    case KX_TAIL_JOINED:
    case KX_TAIL_PAIR:
        return put_parts(&s, t, out);
    case KX_TAIL_MIXED:
        return put_mixed(&s, t, out);
    case KX_TAIL_PLAIN:
        break;
    }
    *out = t->scores;
    return KLDVE_OK;
}
