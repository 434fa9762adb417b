/* origin.c - which element of which earlier tensor an element is.
 *
 * The operators that only move elements are run on labels in place of values: each element of the
 * tensors that they start from is labelled with that tensor and its own place there, so what comes
 * out says where it comes from, whatever the operators are. */
#include "origin.h"

#include <assert.h>
#include <string.h>

#include "surgery.h"
#include "tail.h"
#include "ops/params.h"
#include "ops/params_basic.h"

enum { MAX_LABELS = 1 << 25 }; /* 256 MiB */

typedef struct tracer {
    const kx_graph *g;
    kx_arena arena;
    bool *needed;    /* by value id */
    int64_t **label; /* by value id: id << 32 | place; NULL: not yet */
    size_t labels;   /* of all tensors */
} tracer;

static const kx_node *maker(const kx_graph *g, const kx_value *v)
{
    return v->producer < 0 ? NULL : &g->node[v->producer];
}

static bool is_operand(const kx_value *v)
{
    return v && v->dtype == KX_F32;
}

/* Whether every element of the outputs is one of the operands, whatever their values. */
static bool moves(const kx_node *n)
{
    if (kx_op_copies(n))
        return is_operand(n->in[0]);
    if (!n->op->traits.rearranges)
        return false;
    for (int32_t i = 0; i < n->nin; i++)
        if (!n->in[i] || (!is_operand(n->in[i]) && !n->in[i]->raw))
            return false;
    return true;
}

static bool computed(const kx_graph *g, const kx_value *v)
{
    const kx_node *n = maker(g, v);

    return !n || !moves(n);
}

static void mark_needed(tracer *t, const kx_value *v)
{
    t->needed[v->id] = true;
    for (int32_t i = v->producer; i >= 0; i--) {
        const kx_node *n = &t->g->node[i];
        bool needed = false;

        for (int32_t o = 0; o < n->nout; o++)
            needed = needed || (n->out[o] && t->needed[n->out[o]->id]);
        for (int32_t k = 0; needed && moves(n) && k < n->nin; k++)
            if (is_operand(n->in[k]))
                t->needed[n->in[k]->id] = true;
    }
}

/* Whether there is room for the labels of all that is needed. */
static bool fits(tracer *t)
{
    for (int32_t i = 0; i < t->g->nvalue; i++) {
        if (!t->needed[i])
            continue;
        if (t->g->value[i]->count > MAX_LABELS - t->labels)
            return false;
        t->labels += t->g->value[i]->count;
    }
    return true;
}

/* Labels of a tensor that nothing has been found about: its own elements. */
static int64_t *own_labels(tracer *t, const kx_value *v)
{
    int64_t *label = kx_arena_alloc(&t->arena, v->count, sizeof *label);

    for (size_t i = 0; label && i < v->count; i++)
        label[i] = (int64_t)v->id << 32 | (int64_t)i;
    t->label[v->id] = label;
    return label;
}

/* Operand k: labels where it is one, else the numbers that say how elements move. */
static bool as_input(tracer *t, const kx_value *v, kx_tensor *to)
{
    *to = (kx_tensor){.dtype = v->dtype, .shape = v->shape, .count = v->count};
    if (is_operand(v)) {
        to->dtype = KX_I64;
        to->data = t->label[v->id] ? t->label[v->id] : own_labels(t, v);
    } else {
        to->data = (void *)(uintptr_t)kx_value_read(v, &t->arena); /* only read */
    }
    return to->data != NULL;
}

static bool as_output(tracer *t, const kx_value *v, kx_tensor *to)
{
    memset(to, 0, sizeof *to);
    if (!v)
        return true;
    *to = (kx_tensor){.dtype = KX_I64, .shape = v->shape, .count = v->count};
    if (!t->needed[v->id])
        return true;
    to->data = t->label[v->id] = kx_arena_alloc(&t->arena, v->count, sizeof *t->label[v->id]);
    return to->data != NULL;
}

/* Labels of the operands -> labels of the outputs.  False: out of memory. */
static bool trace_node(tracer *t, const kx_node *n)
{
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT];

    assert(n->nin <= KX_MAX_IN && n->nout <= KX_MAX_OUT && !n->op->scratch_size);
    for (int32_t i = 0; i < n->nin; i++)
        if (!as_input(t, n->in[i], &in[i]))
            return false;
    for (int32_t i = 0; i < n->nout; i++)
        if (!as_output(t, n->out[i], &out[i]))
            return false;
    n->op->forward(&(kx_op_call){.node = n, .in = in, .out = out});
    return true;
}

/* The same where all elements stay in their order. */
static bool trace_copy(tracer *t, const kx_node *n)
{
    const kx_value *from = n->in[0];

    t->label[n->out[0]->id] = t->label[from->id] ? t->label[from->id] : own_labels(t, from);
    return t->label[n->out[0]->id] != NULL;
}

static bool trace_nodes(tracer *t, const kx_value *v)
{
    for (int32_t i = 0; i <= v->producer; i++) {
        const kx_node *n = &t->g->node[i];
        bool needed = false;

        for (int32_t o = 0; o < n->nout; o++)
            needed = needed || (n->out[o] && t->needed[n->out[o]->id]);
        if (needed && moves(n) && !(kx_op_copies(n) ? trace_copy(t, n) : trace_node(t, n)))
            return false;
    }
    return true;
}

/* Replace the elements of v among e [count]. */
static kldve_status trace(const kx_graph *g, const kx_value *v, kx_element *e, size_t count)
{
    tracer t = {.g = g};
    kldve_status st = KLDVE_OK;
    const int64_t *label;

    kx_arena_init(&t.arena, g->ctx);
    t.needed = kx_arena_alloc(&t.arena, (size_t)g->nvalue, sizeof *t.needed);
    t.label = kx_arena_alloc(&t.arena, (size_t)g->nvalue, sizeof *t.label);
    if (!t.needed || !t.label) {
        st = kx_nomem(g);
        goto done;
    }
    mark_needed(&t, v);
    if (!fits(&t))
        goto done;
    if (!trace_nodes(&t, v)) {
        st = kx_nomem(g);
        goto done;
    }
    label = t.label[v->id];
    for (size_t i = 0; i < count; i++)
        if (e[i].value == v->id) {
            int64_t of = label[e[i].at];

            e[i] = (kx_element){(int32_t)(of >> 32), (int32_t)(of & INT32_MAX)};
        }
done:
    kx_arena_free(&t.arena);
    return st;
}

kldve_status kx_follow_back(const kx_graph *g, kx_element *e, size_t count)
{
    int32_t last = -1; /* found to stay */
    kldve_status st = KLDVE_OK;

    for (size_t i = 0; st == KLDVE_OK && i < count; i++) {
        const kx_value *v = g->value[e[i].value];

        if (v->id == last || computed(g, v))
            continue;
        st = trace(g, v, e + i, count - i);
        last = e[i].value;
    }
    return st;
}

/* ---- scores before a Sigmoid or Softmax ------------------------------------------------------ */

/* What the elements of a tensor stand behind.  RAW where the scores are not elements of the tensor
 * in front: those have the same places there. */
static kx_tail tail_of(const kx_graph *g, const kx_element *e)
{
    kx_value *v = g->value[e->value];
    kx_tail t;

    kx_find_tail(g, v, &t);
    if (t.form != KX_TAIL_PLAIN || t.best || t.factor <= 0 || t.scores->count != v->count)
        t = (kx_tail){.scores = v, .kind = KLDVE_SCORES_RAW};
    return t;
}

/* The same kind for all of them; RAW where they differ: *mixed. */
static int32_t common_kind(const kx_graph *g, const kx_element *e, size_t count, bool *mixed)
{
    int32_t kind = tail_of(g, e).kind;

    *mixed = false;
    for (size_t i = 1; i < count && !*mixed; i++)
        if (e[i].value != e[i - 1].value && tail_of(g, &e[i]).kind != kind)
            *mixed = true;
    return *mixed ? KLDVE_SCORES_RAW : kind;
}

/* Whether e [count] are one whole line of a softmax, in any order; seen [count] is for `place`. */
static bool is_line(const kx_line *line, const kx_element *e, size_t count, size_t place,
                    size_t *seen)
{
    int64_t step = line->step, n = line->n;
    int64_t first = e[0].at / (n * step) * (n * step) + e[0].at % step;

    if ((int64_t)count != n)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t from = e[i].at - first;

        if (e[i].value != e[0].value || from < 0 || from % step != 0 || from / step >= n ||
            seen[from / step] == place + 1)
            return false;
        seen[from / step] = place + 1;
    }
    return true;
}

static kldve_status not_line(const kx_graph *g, const char *text, const kx_element *e)
{
    const kx_node *n = maker(g, g->value[e->value]);
    intmax_t of = (intmax_t)tail_of(g, e).line.n;

    return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                           "select '%.80s': node '%.60s' (%s) makes probabilities of %jd scores "
                           "together: select all %jd of one place",
                           text, n->name, n->type, of, of);
}

static kldve_status whole_lines(const kx_graph *g, const char *text, const kx_element *e,
                                size_t places, size_t count)
{
    kldve_status st = KLDVE_OK;
    kx_tail t = {.scores = NULL};
    kx_arena arena;
    size_t *seen;

    kx_arena_init(&arena, g->ctx);
    seen = kx_arena_alloc(&arena, count, sizeof *seen);
    if (!seen)
        st = kx_nomem(g);
    for (size_t i = 0; st == KLDVE_OK && i < places; i++) {
        const kx_element *at = e + i * count;

        if (i == 0 || at->value != at[-(ptrdiff_t)count].value)
            t = tail_of(g, at);
        if (!is_line(&t.line, at, count, i, seen))
            st = not_line(g, text, at);
    }
    kx_arena_free(&arena);
    return st;
}

kldve_status kx_scores_back(const kx_graph *g, const char *text, kx_element *e, size_t places,
                            size_t count, int32_t *scores)
{
    size_t all = places * count;
    kldve_status st = kx_follow_back(g, e, all);
    int32_t before = -1, from = -1; /* tensors: of a probability, and of its score */
    bool mixed;

    if (st < 0)
        return st;
    *scores = common_kind(g, e, all, &mixed);
    if (mixed)
        return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                               "select '%.80s': some of these are probabilities and some are not: "
                               "select the class scores alone",
                               text);
    if (*scores == KLDVE_SCORES_RAW)
        return KLDVE_OK;
    if (*scores == KLDVE_SCORES_SOFTMAX && (st = whole_lines(g, text, e, places, count)) < 0)
        return st;
    for (size_t i = 0; i < all; i++) {
        if (e[i].value != before) {
            before = e[i].value;
            from = tail_of(g, &e[i]).scores->id;
        }
        e[i].value = from;
    }
    return kx_follow_back(g, e, all);
}

/* ---- several tensors as one ------------------------------------------------------------------ */

/* The distinct tensors in the order in which they are met; -1: too many. */
static int32_t distinct(const kx_element *e, size_t count, int32_t id[KX_MAX_IN])
{
    int32_t n = 0, k = 0;

    for (size_t i = 0; i < count; i++) {
        if (i > 0 && e[i].value == e[i - 1].value)
            continue;
        for (k = 0; k < n && id[k] != e[i].value; k++)
            ;
        if (k < n)
            continue;
        if (n == KX_MAX_IN)
            return -1;
        id[n++] = e[i].value;
    }
    return n;
}

static kldve_status concatenate(kx_graph *g, const int32_t *id, int32_t n, const char *name,
                                kx_value **out)
{
    kx_surgery s = {.g = g, .name = name, .at = g->nnode};
    kx_value *flat[KX_MAX_IN] = {NULL};
    kldve_status st;

    for (int32_t k = 0; k < n; k++) {
        kx_value *v = g->value[id[k]];
        const kx_shape row = {2, {1, (int64_t)v->count}};

        if ((st = kx_put_reshape(&s, &row, v, &flat[k])) < 0)
            return st;
    }
    return kx_put_concat(&s, 1, n, flat, out);
}

kldve_status kx_put_together(kx_graph *g, kx_element *e, size_t count, const char *name,
                             kx_value **out)
{
    int32_t id[KX_MAX_IN], n = distinct(e, count, id);
    size_t begin = 0, sum = 0;
    kldve_status st;

    if (n < 0)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "the scores come from more than %d tensors", KX_MAX_IN);
    if (n == 1) {
        *out = g->value[id[0]];
        return KLDVE_OK;
    }
    for (int32_t k = 0; k < n; k++)
        sum += g->value[id[k]]->count; /* of at most KX_MAX_IN tensors that fit memory */
    if (sum > INT32_MAX)
        return kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                              "the scores come from too large tensors");
    if ((st = concatenate(g, id, n, name, out)) < 0)
        return st;
    for (int32_t k = 0; k < n; k++) {
        for (size_t i = 0; i < count; i++)
            if (e[i].value == id[k])
                e[i] = (kx_element){(*out)->id, e[i].at + (int32_t)begin};
        begin += g->value[id[k]]->count;
    }
    return KLDVE_OK;
}
