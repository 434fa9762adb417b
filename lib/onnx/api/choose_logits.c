/* choose_logits.c - which tensor of a graph has the class scores, and what kind of scores they are.
 */
#include "choose_parts.h"

#include <math.h>
#include <stdio.h>

#include "build/tail_parts.h"

enum { TEXT_SIZE = 300 };

/* A vector of scores: at most one axis is longer than 1. */
static bool is_vector(const kx_value *v)
{
    int32_t longer = 0;

    for (int32_t i = 0; i < v->shape.rank; i++)
        longer += v->shape.dim[i] != 1;
    return longer <= 1;
}

static bool are_scores(const kx_value *v)
{
    return v->dtype == KX_F32 && !v->raw && v->count > 0 && v->count <= INT32_MAX;
}

/* "[1][21][56][56]", cut at `size`. */
static void shape_text(const kx_shape *s, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int32_t i = 0; i < s->rank && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "[%lld]", (long long)s->dim[i]);
}

/* "'a' [1][10], 'b' [1][4]", cut at TEXT_SIZE. */
static void outputs_text(const kx_graph *g, char out[TEXT_SIZE])
{
    char shape[TEXT_SIZE / 4];
    size_t used = 0;

    out[0] = '\0';
    for (int32_t i = 0; i < g->noutput && used < TEXT_SIZE; i++) {
        shape_text(&g->output[i]->shape, shape, sizeof shape);
        used += (size_t)snprintf(out + used, TEXT_SIZE - used, "%s'%.60s' %s", i ? ", " : "",
                                 g->output[i]->name, shape);
    }
}

/* How scores are picked out of a tensor of this shape, after "for example". */
static void way_out(const kx_value *v, char out[TEXT_SIZE])
{
    const kx_shape *s = &v->shape;

    if (s->rank == 4)
        snprintf(
            out, TEXT_SIZE,
            "the classes at row %lld and column %lld: --select '%.60s[0, :, %lld, %lld]', or at "
            "places of the picture: --at X,Y or --over MASK.png",
            (long long)s->dim[2] / 2, (long long)s->dim[3] / 2, v->name, (long long)s->dim[2] / 2,
            (long long)s->dim[3] / 2);
    else if (s->rank == 3)
        snprintf(
            out, TEXT_SIZE,
            "those of one row: --select '%.60s[0, 0, :]', of one column: --select '%.60s[0, :, "
            "0]', or of a detector's best: --box best",
            v->name, v->name);
    else
        snprintf(out, TEXT_SIZE, "--select '%.60s[0, :]'", v->name);
}

/* Refuse it or, where the tensors are only listed, say so. */
static kldve_status refuse_shape(const kx_graph *g, kx_choice *c)
{
    static const char form[] = "'%.60s' is %s, not a vector of class scores: pick the scores, for "
                               "example %s; outputs: %s";
    const kx_value *v = c->logits;
    char shape[TEXT_SIZE / 4], example[TEXT_SIZE], outputs[TEXT_SIZE];

    shape_text(&v->shape, shape, sizeof shape);
    way_out(v, example);
    outputs_text(g, outputs);
    if (!c->listing)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED, form, v->name, shape, example, outputs);
    return kx_say(&c->notes, form, v->name, shape, example, outputs) < 0 ? kx_nomem(g) : KLDVE_OK;
}

/* The first output with a vector of scores behind it; one that says which class is best only where
 * there is no other.  NULL: none. */
static kx_value *find_output(const kx_graph *g)
{
    kx_value *best = NULL;

    for (int32_t i = 0; i < g->noutput; i++) {
        kx_tail tail;

        kx_find_tail(g, g->output[i], &tail);
        if (!are_scores(tail.scores) || !is_vector(tail.scores))
            continue;
        if (!tail.best)
            return g->output[i];
        best = best ? best : g->output[i];
    }
    return best;
}

static kldve_status say_output(const kx_graph *g, kx_choice *c, const kx_value *output)
{
    char outputs[TEXT_SIZE];

    if (g->noutput < 2)
        return KLDVE_OK;
    outputs_text(g, outputs);
    return kx_say(
        &c->notes,
        "the network has %d outputs (%s): the scores are those of '%.60s'; --logits takes "
        "another",
        g->noutput, outputs, output->name);
}

/* "100 times the probability", "the probability times -1, plus 1": of what the output prints. */
static void printed_text(const kx_tail *tail, char out[TEXT_SIZE])
{
    const char *what = tail->logarithm ? "the logarithm of the probability" : "the probability";
    size_t used = (size_t)snprintf(out, TEXT_SIZE, "%.4g times %s", tail->factor, what);

    if (tail->factor == 1)
        used = (size_t)snprintf(out, TEXT_SIZE, "%s", what);
    if (tail->offset != 0)
        snprintf(out + used, TEXT_SIZE - used, ", %s %.4g", tail->offset < 0 ? "less" : "plus",
                 fabs(tail->offset));
}

/* What the output prints, where that is not the probability (or, as is common, its logarithm). */
static kldve_status say_printed(kx_choice *c, const kx_value *output, const kx_tail *tail)
{
    char text[TEXT_SIZE];

    if (tail->kind == KLDVE_SCORES_RAW || tail->best || (tail->factor == 1 && tail->offset == 0))
        return KLDVE_OK;
    printed_text(tail, text);
    return kx_say(&c->notes, "the output '%.60s' is %s: the probability is given here%s",
                  output->name, text,
                  tail->factor < 0 ? ", and the smaller the output, the larger it is" : "");
}

/* Scores that the file does not have. */
static kldve_status say_made(kx_choice *c, const kx_value *output, const kx_tail *tail)
{
    switch (tail->form) {
    case KX_TAIL_MIXED:
        return kx_say(&c->notes,
                      "no scores stand behind the probabilities '%.60s', which are computed from "
                      "several: %s is explained",
                      tail->scores->name,
                      tail->kind == KLDVE_SCORES_SOFTMAX ? "their logarithm"
                                                         : "log p - log(1 - p) of each");
    case KX_TAIL_PAIR:
        return kx_say(&c->notes,
                      "the two probabilities '%.60s' come from one score x: it is explained as two "
                      "classes with the scores %s",
                      output->name, tail->opposite[0] ? "-x/2 and x/2" : "x/2 and -x/2");
    case KX_TAIL_PLAIN:
    case KX_TAIL_OPPOSITE:
    case KX_TAIL_JOINED:
        break;
    }
    return KLDVE_OK;
}

static kldve_status say_tail(kx_choice *c, const kx_value *output, const kx_tail *tail)
{
    kldve_status st = say_made(c, output, tail);

    if (st == KLDVE_OK)
        st = say_printed(c, output, tail);
    if (st < 0)
        return st;

    if (tail->best)
        st = kx_say(&c->notes,
                    "the output '%.60s' says which class is best: the scores that it looks at, "
                    "'%.60s', are explained",
                    output->name, tail->scores->name);
    if (st == KLDVE_OK && tail->squashes)
        st = kx_say(&c->notes,
                    "the scores come out of node '%.60s' (%.40s), which puts them into 0..1 and is "
                    "not undone: where it is flat there is no gradient",
                    tail->squashes->name, tail->squashes->type);
    return st;
}

/* A softmax that does not run over the classes prints no probabilities of theirs: along an axis of
 * length 1 it is 1 everywhere. */
static kldve_status check_line(kx_choice *c, kx_value *output, kx_tail *tail)
{
    int64_t along = tail->line.n;

    if (tail->kind != KLDVE_SCORES_SOFTMAX || tail->form == KX_TAIL_MIXED ||
        along == (int64_t)tail->scores->count || !is_vector(tail->scores))
        return KLDVE_OK;
    *tail = (kx_tail){.scores = output, .kind = KLDVE_SCORES_RAW, .factor = 1};
    return kx_say(&c->notes,
                  "the softmax in front of '%.60s' runs over %lld scores, not over all classes: "
                  "what the file prints is explained as it is",
                  output->name, (long long)along);
}

/* The scores behind an output. */
static kldve_status find_scores(kx_graph *g, kx_choice *c, kx_value *output, kx_tail *tail)
{
    kldve_status st;

    kx_find_tail(g, output, tail);
    if ((tail->kind == KLDVE_SCORES_RAW &&
         (st = kx_find_mixture(g, c->notes.arena, output, tail)) < 0) ||
        (st = check_line(c, output, tail)) < 0)
        return st;
    return kx_tail_scores(g, tail, &c->logits);
}

/* Bare scores beside an output that has their probabilities: that says what kind they are. */
static kldve_status read_beside(const kx_graph *g, kx_choice *c, const kx_value *output,
                                kx_tail *tail)
{
    for (int32_t i = 0; i < g->noutput && tail->kind == KLDVE_SCORES_RAW; i++) {
        kx_tail other;

        kx_find_tail(g, g->output[i], &other);
        if (other.form != KX_TAIL_PLAIN || other.kind == KLDVE_SCORES_RAW || other.best ||
            kx_bare(g, other.scores) != kx_bare(g, tail->scores) ||
            (other.kind == KLDVE_SCORES_SOFTMAX && other.line.n != (int64_t)tail->scores->count))
            continue;
        tail->kind = other.kind;
        return kx_say(&c->notes, "the output '%.60s' has the probabilities of the scores '%.60s'",
                      g->output[i]->name, output->name);
    }
    return KLDVE_OK;
}

static kldve_status choose_default(kx_graph *g, kx_choice *c)
{
    kx_value *output;
    kx_tail tail;
    kldve_status st;

    if (g->noutput < 1)
        return kldve_ctx_fail(g->ctx, KLDVE_E_FORMAT, "the network has no output");
    output = find_output(g);
    for (int32_t i = 0; !output && i < g->noutput; i++)
        if (are_scores(g->output[i]))
            output = g->output[i];
    if (!output)
        output = g->output[0];
    if ((st = find_scores(g, c, output, &tail)) < 0 || (st = read_beside(g, c, output, &tail)) < 0)
        return kx_nomem(g);
    c->scores = tail.kind;
    st = say_output(g, c, output);
    return st < 0 || (st = say_tail(c, output, &tail)) < 0 ? kx_nomem(g) : KLDVE_OK;
}

/* What was asked for is taken as it is: but probabilities are not scores. */
static kldve_status choose_named(const kx_graph *g, const char *name, kx_choice *c)
{
    kx_tail tail;
    kldve_status st = kx_choose_named(g, "logits", name, &c->logits);

    if (st < 0)
        return st;
    kx_find_tail(g, c->logits, &tail);
    if (tail.kind == KLDVE_SCORES_RAW &&
        (st = kx_find_mixture(g, c->notes.arena, c->logits, &tail)) < 0)
        return kx_nomem(g);
    if (tail.form == KX_TAIL_MIXED)
        st = kx_say(&c->notes,
                    "the logits '%.60s' are probabilities already, computed from several, and a "
                    "softmax of them is not what the network says: no scores stand before them",
                    c->logits->name);
    else if (tail.kind != KLDVE_SCORES_RAW)
        st = kx_say(
            &c->notes,
            "the logits '%.60s' are probabilities already, and a softmax of them is not what the "
            "network says: '%.60s' has the scores before",
            c->logits->name, tail.scores->name);
    return st < 0 ? kx_nomem(g) : KLDVE_OK;
}

kldve_status kx_choose_logits(kx_graph *g, const char *name, const kx_selection *selection,
                              kx_choice *c)
{
    kldve_status st;

    if (selection) {
        c->logits = selection->whole;
        c->scores = selection->scores;
        return KLDVE_OK;
    }
    c->scores = KLDVE_SCORES_RAW;
    if ((st = name ? choose_named(g, name, c) : choose_default(g, c)) < 0)
        return st;
    if (!are_scores(c->logits))
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               c->logits->dtype != KX_F32
                                   ? "the logits '%.80s' are whole numbers or truth values, which "
                                     "no score is: --logits NAME takes the scores that they come "
                                     "from (kldve layers lists the tensors)"
                                   : "the logits '%.80s' are not scores computed from the picture",
                               c->logits->name);
    if (!is_vector(c->logits))
        return refuse_shape(g, c);
    if (c->logits->count == 1 && c->scores == KLDVE_SCORES_RAW)
        c->scores = KLDVE_SCORES_NUMBER;
    return KLDVE_OK;
}
