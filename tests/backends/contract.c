/* contract.c - the test of what every backend must do.
 *
 * Shapes: at least 1, the same at every call.
 *
 * Repeatable: the same input gives the same bits, from the same state and from a second one, even
 * with VJPs and other inputs in between.
 *
 * VJP: linear in the cotangent; against central differences.  With u a random direction at the
 * input, x the features, k the logits, G the VJP of t,
 *
 *     <t, k(in + s u) - k(in - s u)> = <G, x(in + s u) - x(in - s u)> + O(s^3)
 *
 * which holds if everything between input and logits passes through the layer; and where it has
 * vjp_input, g its result: <t, dk> = <g, 2 s u> + O(s^3).
 *
 * Features: forward_features(x) gives the logits of forward, even after other features in between
 * and, if nothing bypasses the layer, from a new state.
 *
 * Biases: vjp_biases gives vjp_input's gradient; a visitor's failure ends it; in a piecewise linear
 * network, biases and input times their gradients sum to the score.
 *
 * Attentions: a query's shares add up to 1, with or without a cotangent there are as many; a
 * visitor's failure ends the pass.
 *
 * Batches: forward_many and vjp_many give every input what forward and vjp give it alone, even with
 * NaN in all others, and the same bits at every call, even with other calls in between.
 *
 * Failures: every allocation failed once gives a status and a message, nothing leaked, *out
 * untouched. */
#include "contract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { DIRECTIONS = 9 };

struct bench {
    const contract *c;
    const kldve_backend *backend;
    test_heap heap;
    kldve_ctx *ctx;
    void *state;
    kldve_shape shape;
    size_t inputs, features, classes;
    float *input;
    uint64_t seed;
};

static float *floats(size_t count)
{
    float *f = calloc(count + 1, sizeof *f);

    assert_non_null(f);
    return f;
}

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double largest(const float *a, size_t count)
{
    double max = 0;

    for (size_t i = 0; i < count; i++)
        max = fmax(max, fabs((double)a[i]));
    return max;
}

static void noise(struct bench *b, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)test_normal(&b->seed);
}

#define HAS(b, slot) (KLDVE_HAS(b, slot) && (b)->slot)

static void must(struct bench *b, kldve_status st, const char *what)
{
    if (st != KLDVE_OK)
        fail_msg("%s: %s: %s (%s)", b->backend->name, what, kldve_status_name(st),
                 kldve_ctx_message(b->ctx));
}

static void bench_open(struct bench *b, const contract *c)
{
    memset(b, 0, sizeof *b);
    b->c = c;
    b->backend = c->backend;
    b->seed = 20171106;
    b->ctx = test_ctx(&b->heap);
    must(b, b->backend->open(b->ctx, c->config, &b->state), "open");
    b->shape.struct_size = sizeof b->shape;
    b->backend->shape(b->state, &b->shape);
    b->inputs =
        (size_t)b->shape.in_channels * (size_t)b->shape.in_height * (size_t)b->shape.in_width;
    b->features = (size_t)b->shape.maps * (size_t)b->shape.height * (size_t)b->shape.width;
    b->classes = (size_t)b->shape.classes;
    b->input = floats(b->inputs);
    if (c->input)
        memcpy(b->input, c->input, b->inputs * sizeof *b->input);
    else
        noise(b, b->input, b->inputs);
}

static void bench_close(struct bench *b)
{
    b->backend->close(b->state);
    b->backend->close(NULL);
    kldve_ctx_free(b->ctx);
    if (b->heap.live != 0)
        fail_msg("%s: %ld blocks leaked after close", b->backend->name, b->heap.live);
    free(b->input);
}

/* -- shapes and repeatability ----------------------------------------------------------------- */

static void check_shape(struct bench *b)
{
    kldve_shape again = {.struct_size = sizeof again};
    const kldve_shape *s = &b->shape;

    if (s->in_channels < 1 || s->in_height < 1 || s->in_width < 1 || s->maps < 1 || s->height < 1 ||
        s->width < 1 || s->classes < 1 || s->batch < 0)
        fail_msg("%s: shape: input %d x %d x %d, maps %d x %d x %d, %d classes, batch %d",
                 b->backend->name, s->in_channels, s->in_height, s->in_width, s->maps, s->height,
                 s->width, s->classes, s->batch);
    b->backend->shape(b->state, &again);
    if (memcmp(s, &again, sizeof again) != 0)
        fail_msg("%s: shape differs at the second call", b->backend->name);
}

/* Everything that one input and one cotangent give. */
struct answer {
    float *logits, *features, *gradient;
};

static struct answer ask(struct bench *b, void *state, const float *input, const float *t)
{
    struct answer a = {floats(b->classes), floats(b->features), floats(b->features)};

    must(b, b->backend->forward(state, input, a.logits, a.features), "forward");
    if (HAS(b->backend, vjp))
        must(b, b->backend->vjp(state, t, a.gradient), "vjp");
    return a;
}

static void answer_free(struct answer *a)
{
    free(a->logits);
    free(a->features);
    free(a->gradient);
}

static void same(struct bench *b, const struct answer *a, const struct answer *c, const char *when)
{
    if (memcmp(a->logits, c->logits, b->classes * sizeof *a->logits) != 0)
        fail_msg("%s: other logits %s", b->backend->name, when);
    if (memcmp(a->features, c->features, b->features * sizeof *a->features) != 0)
        fail_msg("%s: other features %s", b->backend->name, when);
    if (memcmp(a->gradient, c->gradient, b->features * sizeof *a->gradient) != 0)
        fail_msg("%s: another gradient %s", b->backend->name, when);
}

static void check_repeatable(struct bench *b)
{
    float *t = floats(b->classes), *elsewhere = floats(b->inputs);
    struct answer first, other, again;
    void *second = NULL;

    noise(b, t, b->classes);
    noise(b, elsewhere, b->inputs);
    first = ask(b, b->state, b->input, t);
    other = ask(b, b->state, elsewhere, t);
    again = ask(b, b->state, b->input, t);
    same(b, &first, &again, "at the second call");
    answer_free(&other);
    answer_free(&again);
    must(b, b->backend->open(b->ctx, b->c->config, &second), "open a second state");
    again = ask(b, second, b->input, t);
    same(b, &first, &again, "from a second state");
    b->backend->close(second);
    for (size_t i = 0; i < b->classes; i++)
        if (!isfinite(first.logits[i]))
            fail_msg("%s: logit %zu is not finite", b->backend->name, i);
    answer_free(&first);
    answer_free(&again);
    free(t);
    free(elsewhere);
}

/* -- the VJP ---------------------------------------------------------------------------------- */

static void close_to(struct bench *b, const char *what, double got, double want, double scale,
                     double tolerance)
{
    if (!(fabs(got - want) <= tolerance * scale))
        fail_msg("%s: %s: %.8g against %.8g (scale %.3g)", b->backend->name, what, got, want,
                 scale);
}

static void check_linear(struct bench *b)
{
    float *t = floats(b->classes), *u = floats(b->classes);
    struct answer of_t, of_u, of_sum;
    double scale;

    noise(b, t, b->classes);
    noise(b, u, b->classes);
    of_t = ask(b, b->state, b->input, t);
    of_u = ask(b, b->state, b->input, u);
    for (size_t i = 0; i < b->classes; i++)
        t[i] = t[i] - 2 * u[i];
    of_sum = ask(b, b->state, b->input, t);
    scale = largest(of_t.gradient, b->features) + 2 * largest(of_u.gradient, b->features);
    for (size_t i = 0; i < b->features; i++)
        close_to(b, "the VJP is not linear in the cotangent", (double)of_sum.gradient[i],
                 (double)of_t.gradient[i] - 2 * (double)of_u.gradient[i], scale, 1e-4);
    answer_free(&of_t);
    answer_free(&of_u);
    answer_free(&of_sum);
    free(t);
    free(u);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double spread(const float *a, size_t count)
{
    double sum = 0, squares = 0, n = (double)count;

    for (size_t i = 0; i < count; i++)
        sum += (double)a[i];
    for (size_t i = 0; i < count; i++)
        squares += ((double)a[i] - sum / n) * ((double)a[i] - sum / n);
    return sqrt(squares / n) + 1e-6;
}

/* Both sides of the identity of the VJP at the layer (and at the input, in `pixels`) along one
 * random direction; errors relative to the larger side. */
static void along(struct bench *b, double s, double *layer, double *pixels)
{
    float *t = floats(b->classes), *u = floats(b->inputs), *in = floats(b->inputs);
    float *g = floats(b->inputs);
    struct answer here, up, down;
    double dk, dx, du;

    noise(b, t, b->classes);
    noise(b, u, b->inputs);
    for (size_t i = 0; i < b->inputs; i++)
        in[i] = b->input[i] + (float)s * u[i];
    up = ask(b, b->state, in, t);
    for (size_t i = 0; i < b->inputs; i++)
        in[i] = b->input[i] - (float)s * u[i];
    down = ask(b, b->state, in, t);
    here = ask(b, b->state, b->input, t);
    for (size_t i = 0; i < b->classes; i++)
        up.logits[i] -= down.logits[i];
    for (size_t i = 0; i < b->features; i++)
        up.features[i] -= down.features[i];
    dk = dot(t, up.logits, b->classes);
    dx = dot(here.gradient, up.features, b->features);
    *layer = fabs(dk - dx) / (fabs(dk) + fabs(dx) + 1e-30);
    if (HAS(b->backend, vjp_input)) {
        must(b, b->backend->vjp_input(b->state, t, KLDVE_RULE_GRADIENT, g), "vjp_input");
        du = 2 * s * dot(g, u, b->inputs);
        *pixels = fabs(dk - du) / (fabs(dk) + fabs(du) + 1e-30);
    }
    answer_free(&here);
    answer_free(&up);
    answer_free(&down);
    free(t);
    free(u);
    free(in);
    free(g);
}

/* The median over some directions: single ones may be nearly orthogonal or step over kinks. */
static void check_differences(struct bench *b)
{
    double layer[DIRECTIONS] = {0}, pixels[DIRECTIONS] = {0};
    double s = (b->c->step != 0 ? b->c->step : 1e-2) * spread(b->input, b->inputs);
    double tolerance = b->c->tolerance != 0 ? b->c->tolerance : 1e-2;

    for (int i = 0; i < DIRECTIONS; i++)
        along(b, s, layer + i, pixels + i);
    qsort(layer, DIRECTIONS, sizeof *layer, ascending);
    qsort(pixels, DIRECTIONS, sizeof *pixels, ascending);
    close_to(b, "VJP at the layer against central differences, relative error",
             layer[DIRECTIONS / 2], 0, 1, tolerance);
    close_to(b, "VJP at the input against central differences, relative error",
             pixels[DIRECTIONS / 2], 0, 1, tolerance);
}

/* `logits` are those of forward_features(x): again after other features, and from a new state. */
static void check_other_features(struct bench *b, const float *x, const float *logits)
{
    float *other = floats(b->features), *again = floats(b->classes);
    void *second = NULL;
    kldve_status st;

    noise(b, other, b->features);
    for (size_t i = 0; i < b->features; i++)
        other[i] += x[i];
    must(b, b->backend->forward_features(b->state, other, again), "forward_features");
    if (memcmp(again, logits, b->classes * sizeof *again) == 0)
        fail_msg("%s: forward_features: the logits do not follow the features", b->backend->name);
    must(b, b->backend->forward_features(b->state, x, again), "forward_features");
    if (memcmp(again, logits, b->classes * sizeof *again) != 0)
        fail_msg("%s: forward_features: other logits at the third call", b->backend->name);
    must(b, b->backend->open(b->ctx, b->c->config, &second), "open a second state");
    st = b->backend->forward_features(second, x, again);
    if (st != KLDVE_OK && st != KLDVE_E_ARG)
        must(b, st, "forward_features of a new state");
    if (st == KLDVE_OK && memcmp(again, logits, b->classes * sizeof *again) != 0)
        fail_msg("%s: forward_features: other logits from a new state", b->backend->name);
    b->backend->close(second);
    free(other);
    free(again);
}

static void check_features(struct bench *b)
{
    float *t = floats(b->classes), *logits = floats(b->classes);
    struct answer a = ask(b, b->state, b->input, t);

    must(b, b->backend->forward_features(b->state, a.features, logits), "forward_features");
    for (size_t i = 0; i < b->classes; i++)
        close_to(b, "logits of forward_features", (double)logits[i], (double)a.logits[i],
                 largest(a.logits, b->classes), 1e-5);
    check_other_features(b, a.features, logits);
    answer_free(&a);
    free(t);
    free(logits);
}

/* The same as check_differences() but from the features on, where nothing but the head counts. */
static void check_head(struct bench *b)
{
    float *t = floats(b->classes), *x = floats(b->features), *u = floats(b->features);
    float *up = floats(b->classes), *down = floats(b->classes);
    double tolerance = b->c->tolerance != 0 ? b->c->tolerance : 1e-2, worst[DIRECTIONS];
    struct answer a;
    double s;

    for (int d = 0; d < DIRECTIONS; d++) {
        double dk, dx;

        noise(b, t, b->classes);
        noise(b, u, b->features);
        a = ask(b, b->state, b->input, t);
        s = 1e-2 * spread(a.features, b->features);
        for (size_t i = 0; i < b->features; i++)
            x[i] = a.features[i] + (float)s * u[i];
        must(b, b->backend->forward_features(b->state, x, up), "forward_features");
        for (size_t i = 0; i < b->features; i++)
            x[i] = a.features[i] - (float)s * u[i];
        must(b, b->backend->forward_features(b->state, x, down), "forward_features");
        dk = dot(t, up, b->classes) - dot(t, down, b->classes);
        dx = 2 * s * dot(a.gradient, u, b->features);
        worst[d] = fabs(dk - dx) / (fabs(dk) + fabs(dx) + 1e-30);
        answer_free(&a);
    }
    qsort(worst, DIRECTIONS, sizeof *worst, ascending);
    close_to(b, "VJP against differences of forward_features, relative error",
             worst[DIRECTIONS / 2], 0, 1, tolerance);
    free(t);
    free(x);
    free(u);
    free(up);
    free(down);
}

/* -- biases ----------------------------------------------------------------------------------- */

static kldve_status add_bias(void *opaque, const kldve_bias_gradient *unit)
{
    size_t cells = (size_t)unit->height * (size_t)unit->width;
    double *sum = opaque;

    if (unit->struct_size < sizeof *unit || unit->maps < 1 || cells < 1 || !unit->name)
        fail_msg("a unit of %d maps, %d x %d", unit->maps, unit->height, unit->width);
    for (size_t c = 0; c < (size_t)unit->maps; c++)
        for (size_t i = 0; i < cells; i++)
            *sum += (double)unit->bias[c] * (double)unit->gradient[c * cells + i];
    return KLDVE_OK;
}

static kldve_status stop(void *opaque, const kldve_bias_gradient *unit)
{
    (void)unit;
    ++*(int *)opaque;
    return KLDVE_E_CANCELLED;
}

/* The gradient at the input is vjp_input's; a visitor's failure ends the pass; all together make
 * the score where the network is piecewise linear. */
static void check_biases(struct bench *b)
{
    float *t = floats(b->classes), *g = floats(b->inputs), *want = floats(b->inputs);
    struct answer a;
    double score, sum = 0;
    int visits = 0;
    kldve_status st;

    noise(b, t, b->classes);
    a = ask(b, b->state, b->input, t);
    score = dot(t, a.logits, b->classes);
    st = b->backend->vjp_biases(b->state, t, g, add_bias, &sum);
    if (st != KLDVE_E_UNSUPPORTED) {
        must(b, st, "vjp_biases");
        must(b, b->backend->vjp_input(b->state, t, KLDVE_RULE_GRADIENT, want), "vjp_input");
        for (size_t i = 0; i < b->inputs; i++)
            close_to(b, "the gradient at the input beside those at biases", (double)g[i],
                     (double)want[i], largest(want, b->inputs), 1e-4);
        if (b->c->piecewise)
            close_to(b, "biases and input times their gradients against the score",
                     sum + dot(g, b->input, b->inputs), score,
                     largest(a.logits, b->classes) * largest(t, b->classes), 1e-4);
        assert_int_equal(b->backend->vjp_biases(b->state, t, g, stop, &visits), KLDVE_E_CANCELLED);
        assert_int_equal(visits, 1);
    }
    answer_free(&a);
    free(t);
    free(g);
    free(want);
}

/* -- attentions ------------------------------------------------------------------------------- */

struct seen {
    struct bench *b;
    bool gradients;
    int visits;
};

static kldve_status see(void *opaque, const kldve_attention *a)
{
    struct seen *s = opaque;
    size_t rows = (size_t)a->heads * (size_t)a->queries, keys = (size_t)a->keys;
    double read = 0;

    assert_true(a->struct_size >= sizeof *a && a->name && a->weights);
    assert_int_equal(a->gradient != NULL, s->gradients);
    assert_int_equal(a->read != NULL, s->visits == 0);
    assert_int_equal(a->lead + a->height * a->width, a->keys);
    assert_int_equal(a->queries, a->keys);
    for (size_t q = 0; s->visits == 0 && q < keys; q++)
        read += (double)a->read[q];
    if (s->visits++ == 0)
        close_to(s->b, "shares in which the scores read tokens", read, 1, 1, 1e-5);
    for (size_t i = 0; i < rows; i++) {
        double sum = 0;

        for (size_t k = 0; k < keys; k++)
            sum += (double)a->weights[i * keys + k];
        close_to(s->b, "shares of a query", sum, 1, 1, 1e-4);
    }
    return KLDVE_OK;
}

static kldve_status stop_attentions(void *opaque, const kldve_attention *a)
{
    (void)a;
    ++*(int *)opaque;
    return KLDVE_E_CANCELLED;
}

/* With and without gradients as many, and as backend.h says; a visitor's failure ends the pass. */
static void check_attentions(struct bench *b)
{
    float *t = floats(b->classes);
    struct seen with = {.b = b, .gradients = true}, without = {.b = b};
    int visits = 0;
    struct answer a;
    kldve_status st;

    noise(b, t, b->classes);
    a = ask(b, b->state, b->input, t);
    st = b->backend->attentions(b->state, t, see, &with);
    if (st != KLDVE_E_UNSUPPORTED) {
        must(b, st, "attentions");
        must(b, b->backend->attentions(b->state, NULL, see, &without), "attentions");
        assert_int_equal(with.visits, without.visits);
        assert_int_equal(b->backend->attentions(b->state, t, stop_attentions, &visits),
                         KLDVE_E_CANCELLED);
        assert_int_equal(visits, 1);
    }
    answer_free(&a);
    free(t);
}

/* -- batches ---------------------------------------------------------------------------------- */

/* What batches are asked and what they answer, each array [batch][...]. */
struct batch {
    size_t count;
    float *inputs, *cotangents;
    struct answer answer; /* without a gradient if there is no vjp_many */
};

static void ask_many(struct bench *b, struct batch *batch)
{
    struct answer *a = &batch->answer;

    must(b, b->backend->forward_many(b->state, batch->inputs, a->logits, a->features),
         "forward_many");
    if (HAS(b->backend, vjp_many))
        must(b, b->backend->vjp_many(b->state, batch->cotangents, a->gradient), "vjp_many");
}

/* Root of the mean square of the difference, relative to that of `want`. */
static void near(struct bench *b, const char *what, size_t input, const float *got,
                 const float *want, size_t count, double tolerance)
{
    double squares = 0, all = 0;

    for (size_t i = 0; i < count; i++) {
        squares += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        all += (double)want[i] * (double)want[i];
    }
    if (!(sqrt(squares) <= tolerance * sqrt(all)))
        fail_msg("%s: %s of input %zu of a batch: relative difference %.3g", b->backend->name, what,
                 input, sqrt(squares / all));
}

/* Input i of the batch as the answer to it alone. */
static void as_alone(struct bench *b, const struct batch *batch, size_t i, const struct answer *a)
{
    near(b, "logits", i, batch->answer.logits + i * b->classes, a->logits, b->classes, 1e-4);
    near(b, "features", i, batch->answer.features + i * b->features, a->features, b->features,
         1e-4);
    /* Rounding takes a few values over the kinks of activations. */
    if (HAS(b->backend, vjp_many))
        near(b, "gradient", i, batch->answer.gradient + i * b->features, a->gradient, b->features,
             1e-2);
}

static void check_neighbours(struct bench *b, struct batch *batch, size_t i,
                             const struct answer *alone)
{
    float *kept = floats(batch->count * b->inputs);

    memcpy(kept, batch->inputs, batch->count * b->inputs * sizeof *kept);
    for (size_t j = 0; j < batch->count * b->inputs; j++)
        if (j / b->inputs != i)
            batch->inputs[j] = NAN;
    ask_many(b, batch);
    as_alone(b, batch, i, alone);
    memcpy(batch->inputs, kept, batch->count * b->inputs * sizeof *kept);
    free(kept);
}

static void check_again(struct bench *b, struct batch *batch)
{
    size_t logits = batch->count * b->classes, features = batch->count * b->features;
    struct answer first = batch->answer,
                  again = {floats(logits), floats(features), floats(features)};
    struct answer other = ask(b, b->state, b->input, batch->cotangents);

    batch->answer = again;
    ask_many(b, batch);
    if (memcmp(first.logits, again.logits, logits * sizeof *first.logits) != 0 ||
        memcmp(first.features, again.features, features * sizeof *first.features) != 0 ||
        memcmp(first.gradient, again.gradient, features * sizeof *first.gradient) != 0)
        fail_msg("%s: other numbers at the second call of a batch", b->backend->name);
    must(b, b->backend->forward_many(b->state, batch->inputs, again.logits, NULL),
         "forward_many without features");
    if (memcmp(first.logits, again.logits, logits * sizeof *first.logits) != 0)
        fail_msg("%s: other logits of a batch without features", b->backend->name);
    batch->answer = first;
    answer_free(&other);
    answer_free(&again);
}

static void check_batch(struct bench *b)
{
    size_t count = (size_t)b->shape.batch;
    struct batch batch = {
        count,
        floats(count * b->inputs),
        floats(count * b->classes),
        {floats(count * b->classes), floats(count * b->features), floats(count * b->features)}};
    struct answer alone;

    noise(b, batch.cotangents, count * b->classes);
    noise(b, batch.inputs, count * b->inputs);
    for (size_t i = 0; i < count * b->inputs; i++) /* around the plausible input */
        batch.inputs[i] = b->input[i % b->inputs] + 0.3f * batch.inputs[i];
    ask_many(b, &batch);
    check_again(b, &batch);
    for (size_t i = 0; i < count; i++) {
        alone = ask(b, b->state, batch.inputs + i * b->inputs, batch.cotangents + i * b->classes);
        as_alone(b, &batch, i, &alone);
        answer_free(&alone);
    }
    alone = ask(b, b->state, batch.inputs + (count - 1) * b->inputs,
                batch.cotangents + (count - 1) * b->classes);
    check_neighbours(b, &batch, count - 1, &alone);
    answer_free(&alone);
    answer_free(&batch.answer);
    free(batch.inputs);
    free(batch.cotangents);
}

/* -- random parameters ------------------------------------------------------------------------ */

/* The logits with other parameters, [classes]; to be freed. */
static float *random_logits(struct bench *b, int32_t kind, int32_t layer, uint64_t seed)
{
    float *logits = floats(b->classes), *features = floats(b->features);

    must(b, b->backend->randomise(b->state, kind, layer, seed), "random parameters");
    must(b, b->backend->forward(b->state, b->input, logits, features), "forward");
    free(features);
    return logits;
}

static void check_logits(struct bench *b, float *got, const float *want, bool same,
                         const char *when)
{
    if ((memcmp(got, want, b->classes * sizeof *got) == 0) != same)
        fail_msg("%s: %s the logits %s", b->backend->name, when, same ? "differ" : "are the same");
    free(got);
}

static void check_random(struct bench *b)
{
    float *own = random_logits(b, KLDVE_RANDOMISE_NONE, 0, 0), *last;
    const char *name = NULL;
    int32_t layers = 0;

    while (b->backend->parameters(b->state, layers, &name) == KLDVE_OK && *name)
        layers++;
    if (layers < 1)
        fail_msg("%s: no layer has parameters", b->backend->name);
    last = random_logits(b, KLDVE_RANDOMISE_INDEPENDENT, 0, 1);
    check_logits(b, random_logits(b, KLDVE_RANDOMISE_CASCADE, 0, 1), last, true,
                 "with one random layer, alone or not,");
    check_logits(b, random_logits(b, KLDVE_RANDOMISE_CASCADE, 0, 2), last, false,
                 "with another seed");
    check_logits(b, random_logits(b, KLDVE_RANDOMISE_CASCADE, layers - 1, 1), own, false,
                 "with all layers random");
    assert_true(b->backend->randomise(b->state, KLDVE_RANDOMISE_CASCADE, layers, 1) < 0);
    check_logits(b, random_logits(b, KLDVE_RANDOMISE_INDEPENDENT, 0, 1), last, true, "again");
    check_logits(b, random_logits(b, KLDVE_RANDOMISE_NONE, 0, 0), own, true,
                 "with its own parameters again");
    free(own);
    free(last);
}

/* -- failures --------------------------------------------------------------------------------- */

/* Open and explain with `budget` allocations that succeed. */
static kldve_status explain_once(const contract *c, const float *input, long budget, long *calls)
{
    kldve_options options = {.struct_size = sizeof options};
    kldve_heatmap *const untouched = (kldve_heatmap *)(void *)&options;
    kldve_heatmap *map = untouched;
    kldve_explainer *ex = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st;

    options.reading = HAS(c->backend, vjp) ? KLDVE_READING_CONTRAST : KLDVE_READING_PAPER;
    heap.budget = budget;
    heap.calls = 0;
    st = kldve_explainer_new(ctx, c->backend, c->config, &ex);
    if (st == KLDVE_OK)
        st = kldve_explain_input(ex, input, &options, &map);
    if (st == KLDVE_OK) {
        kldve_heatmap_free(map);
    } else {
        assert_ptr_equal(map, untouched);
        assert_string_not_equal(kldve_ctx_message(ctx), "");
    }
    *calls = heap.calls;
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    if (heap.live != 0)
        fail_msg("%s: %ld blocks leaked with %ld allocations allowed", c->backend->name, heap.live,
                 budget);
    return st;
}

static void check_allocations(struct bench *b)
{
    long total, calls, stride;

    assert_int_equal(explain_once(b->c, b->input, -1, &total), KLDVE_OK);
    stride = b->c->allocations > 0 ? total / b->c->allocations + 1 : 1;
    for (long budget = 0; budget < total; budget += stride) {
        kldve_status st = explain_once(b->c, b->input, budget, &calls);

        if (st != KLDVE_E_NOMEM)
            fail_msg("%s: %s with %ld of %ld allocations", b->backend->name, kldve_status_name(st),
                     budget, total);
    }
}

void contract_check(const contract *c)
{
    struct bench b;

    bench_open(&b, c);
    check_shape(&b);
    check_repeatable(&b);
    if (HAS(c->backend, vjp)) {
        check_linear(&b);
        check_differences(&b);
    }
    if (HAS(c->backend, forward_features)) {
        check_features(&b);
        if (HAS(c->backend, vjp) && c->smooth)
            check_head(&b);
    }
    if (HAS(c->backend, vjp_biases))
        check_biases(&b);
    if (HAS(c->backend, attentions))
        check_attentions(&b);
    if (HAS(c->backend, forward_many) && b.shape.batch > 1)
        check_batch(&b);
    if (HAS(c->backend, parameters) && HAS(c->backend, randomise))
        check_random(&b);
    check_allocations(&b);
    bench_close(&b);
}
