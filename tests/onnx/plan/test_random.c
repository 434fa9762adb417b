/* test_random.c - random small networks: the fast engine against the plain kernels.
 *
 *     test_random                      fixed seeds, and cases that other seeds found
 *     test_random FIRST COUNT [STEPS [LAYER]]
 *                                      COUNT seeds; a failure lists its network.  STEPS: at most so
 *                                      many pieces; LAYER: a tensor's name, random by default
 *
 * Fusion, layouts, shared memory and overwriting depend on the whole network and on the layer.
 * KLDVE_ONNX_FLAG_PLAIN does none of that, and is itself compared with finite differences.
 * Leftovers of one pass must not affect the next: the same calls give the same bits again.  Memory
 * starts as not-a-number, not as zero.
 *
 * A unit so near a kink that rounding decides has two valid derivatives, and so has the maximum of
 * two equal values.  If gradients differ, the plain network is followed along their difference:
 * unless its slopes ahead and behind differ as the two gradients claim, one of them is wrong. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/backend.h>
#include <kldve/onnx.h>

#include "onnx/networks/text.h"
#include "random_network.h"

/* ---- one network in several engines ---------------------------------------------------------- */

static const struct {
    const char *name;
    uint64_t flags;
    int32_t threads;
} engines[] = {
    {"plain", KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_VJP_INPUT,
     1}, /* the others are compared with it */
    {"plain, to the layer", KLDVE_ONNX_FLAG_PLAIN, 1},
    {"to the layer", 0, 1},
    {"to the layer, two threads", 0, 2},
    {"to the input", KLDVE_ONNX_FLAG_VJP_INPUT, 1},
    {"to the input, direct, two threads", KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_DIRECT, 2},
    {"forward only", KLDVE_ONNX_FLAG_NO_VJP, 1},
};
enum { TO_THE_LAYER = 2 }; /* of one thread: its batches have the same plan */
enum { ENGINES = sizeof engines / sizeof *engines, INPUTS = 2, COTANGENTS = 2 };

/* What one engine says. */
typedef struct results {
    float *logits[INPUTS], *features[INPUTS], *again[INPUTS]; /* again: from changed features */
    float *gradient[INPUTS][COTANGENTS], *pixels[INPUTS][COTANGENTS];
} results;

typedef struct trial {
    random_network network;
    const char *text; /* instead of it, or NULL */
    unsigned char *model;
    size_t nbytes;
    const char *chosen; /* layer, or NULL: drawn */
    const char *select; /* the scores where the output is no vector of them, or NULL */
    char layer[64];
    bool channels_last; /* of the layer */
    kldve_ctx *ctx;
    kldve_onnx *net[ENGINES];
    void *state[ENGINES];
    kldve_shape shape;
    size_t pixels, classes, features;
    float *input[INPUTS], *cotangent[COTANGENTS], *changed[INPUTS];
    float *logits, *maps; /* scratch */
    results r[ENGINES];
    uint64_t seed;
    char why[400]; /* empty: nothing was wrong */
} trial;

/* What became of many. */
typedef struct tally {
    long networks, wrong, compared, excused, differences, decided, identities, relevance;
    /* relative: logits, features, gradients, logits from features, relevance */
    double largest[5];
} tally;

static void wrong(trial *t, const char *format, ...) KLDVE_PRINTF(2, 3);
static void wrong(trial *t, const char *format, ...)
{
    va_list args;

    if (t->why[0])
        return; /* the first is enough */
    va_start(args, format);
    vsnprintf(t->why, sizeof t->why, format, args);
    va_end(args);
}

static void *dirty(void *opaque, size_t nbytes)
{
    void *memory = malloc(nbytes);

    (void)opaque;
    if (memory)
        memset(memory, 0xff, nbytes); /* not a number */
    return memory;
}

static void clean(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

static float *array(size_t n)
{
    float *a = malloc((n ? n : 1) * sizeof *a);

    assert_non_null(a);
    for (size_t i = 0; i < n; i++)
        a[i] = NAN;
    return a;
}

static float *noise(size_t n, uint64_t *seed)
{
    float *a = array(n);

    for (size_t i = 0; i < n; i++)
        a[i] = (float)test_normal(seed);
    return a;
}

static size_t volume(int32_t a, int32_t b, int32_t c)
{
    return (size_t)a * (size_t)b * (size_t)c;
}

static kldve_status load(trial *t, const char *layer, int e, kldve_onnx **net)
{
    const kldve_onnx_options o = {.struct_size = sizeof o,
                                  .layer = layer,
                                  .select = t->select,
                                  .threads = engines[e].threads,
                                  .batch = INPUTS,
                                  .flags = engines[e].flags};

    return kldve_onnx_load_memory(t->ctx, t->model, t->nbytes, &o, net);
}

/* Any tensor that can be the layer. */
static bool draw_layer(trial *t)
{
    kldve_onnx *net = NULL;
    kldve_onnx_tensor x = {.struct_size = sizeof x};
    int n = 0;

    if (load(t, t->chosen, 0, &net) < 0) {
        wrong(t, "%s", kldve_ctx_message(t->ctx));
        return false;
    }
    for (int32_t i = 0; kldve_onnx_tensor_at(net, i, &x) == KLDVE_OK; i++)
        if (t->chosen ? strcmp(x.name, t->chosen) == 0
                      : x.explainable && test_random(&t->seed) * ++n < 1) {
            snprintf(t->layer, sizeof t->layer, "%s", x.name);
            t->channels_last = x.channel_axis == 3;
        }
    kldve_onnx_free(net);
    return true;
}

static bool trial_open(trial *t)
{
    const kldve_allocator allocator = {sizeof allocator, dirty, clean, NULL};

    t->seed = t->network.seed ^ 0x5555555555555555u;
    t->model = t->text ? writer_memory(write_text, t->text, &t->nbytes)
                       : writer_memory(random_network_write, &t->network, &t->nbytes);
    assert_non_null(t->model);
    assert_int_equal(kldve_ctx_new(&allocator, &t->ctx), KLDVE_OK);
    if (!draw_layer(t))
        return false;
    for (int e = 0; e < ENGINES; e++)
        if (load(t, t->layer, e, &t->net[e]) < 0 ||
            kldve_onnx_backend()->open(t->ctx, t->net[e], &t->state[e]) < 0) {
            wrong(t, "%s: %s", engines[e].name, kldve_ctx_message(t->ctx));
            return false;
        }
    t->shape.struct_size = sizeof t->shape;
    kldve_onnx_backend()->shape(t->state[0], &t->shape);
    t->pixels = volume(t->shape.in_channels, t->shape.in_height, t->shape.in_width);
    t->features = volume(t->shape.maps, t->shape.height, t->shape.width);
    t->classes = (size_t)t->shape.classes;
    for (int i = 0; i < INPUTS; i++) {
        t->input[i] = noise(t->pixels, &t->seed);
        t->changed[i] = noise(t->features, &t->seed);
    }
    for (int c = 0; c < COTANGENTS; c++)
        t->cotangent[c] = noise(t->classes, &t->seed);
    t->logits = array(t->classes);
    t->maps = array(t->features);
    return true;
}

static void results_free(results *r)
{
    for (int i = 0; i < INPUTS; i++) {
        free(r->logits[i]);
        free(r->features[i]);
        free(r->again[i]);
        for (int c = 0; c < COTANGENTS; c++) {
            free(r->gradient[i][c]);
            free(r->pixels[i][c]);
        }
    }
}

static void trial_close(trial *t)
{
    for (int e = 0; e < ENGINES; e++) {
        kldve_onnx_backend()->close(t->state[e]);
        kldve_onnx_free(t->net[e]);
        results_free(&t->r[e]);
    }
    for (int i = 0; i < INPUTS; i++) {
        free(t->input[i]);
        free(t->changed[i]);
    }
    for (int c = 0; c < COTANGENTS; c++)
        free(t->cotangent[c]);
    free(t->logits);
    free(t->maps);
    kldve_ctx_free(t->ctx);
    free(t->model);
}

/* ---- running --------------------------------------------------------------------------------- */

static void check_status(trial *t, int e, const char *what, kldve_status st)
{
    if (st < 0)
        wrong(t, "%s, %s: %s", engines[e].name, what, kldve_ctx_message(t->ctx));
}

static bool has_vjp(int e)
{
    return !(engines[e].flags & KLDVE_ONNX_FLAG_NO_VJP);
}

static bool has_pixels(int e)
{
    return (engines[e].flags & KLDVE_ONNX_FLAG_VJP_INPUT) != 0;
}

static void forward(trial *t, int e, const float *input, float *logits, float *features)
{
    check_status(t, e, "forward",
                 kldve_onnx_backend()->forward(t->state[e], input, logits, features));
}

static void from_features(trial *t, int e, const float *features, float *logits)
{
    check_status(t, e, "from features",
                 kldve_onnx_backend()->forward_features(t->state[e], features, logits));
}

static void vjp(trial *t, int e, const float *cotangent, float *gradient)
{
    check_status(t, e, "vjp", kldve_onnx_backend()->vjp(t->state[e], cotangent, gradient));
}

static void vjp_input(trial *t, int e, const float *cotangent, float *pixels)
{
    check_status(
        t, e, "vjp to the input",
        kldve_onnx_backend()->vjp_input(t->state[e], cotangent, KLDVE_RULE_GRADIENT, pixels));
}

/* Everything for one input. */
static void run_input(trial *t, int e, int i, results *r)
{
    r->logits[i] = array(t->classes);
    r->features[i] = array(t->features);
    r->again[i] = array(t->classes);
    forward(t, e, t->input[i], r->logits[i], r->features[i]);
    for (int c = 0; c < COTANGENTS; c++) {
        r->gradient[i][c] = array(has_vjp(e) ? t->features : 0);
        r->pixels[i][c] = array(has_pixels(e) ? t->pixels : 0);
        if (has_vjp(e))
            vjp(t, e, t->cotangent[c], r->gradient[i][c]);
        if (has_pixels(e))
            vjp_input(t, e, t->cotangent[c], r->pixels[i][c]);
    }
    from_features(t, e, t->changed[i], r->again[i]);
}

static void check_bits(trial *t, int e, const char *what, const float *a, const float *b, size_t n)
{
    if (memcmp(a, b, n * sizeof *a) != 0)
        wrong(t, "%s: %s are not what they were before", engines[e].name, what);
}

/* The first input once more, in another order of calls. */
static void run_again(trial *t, int e)
{
    results r = {{NULL}, {NULL}, {NULL}, {{NULL}}, {{NULL}}}, *before = &t->r[e];

    run_input(t, e, 0, &r);
    check_bits(t, e, "logits", r.logits[0], before->logits[0], t->classes);
    check_bits(t, e, "features", r.features[0], before->features[0], t->features);
    check_bits(t, e, "logits from features", r.again[0], before->again[0], t->classes);
    from_features(t, e, t->changed[1], t->logits);
    from_features(t, e, t->changed[0], r.again[0]);
    check_bits(t, e, "logits from features again", r.again[0], before->again[0], t->classes);
    forward(t, e, t->input[0], r.logits[0], r.features[0]);
    from_features(t, e, t->changed[0], r.again[0]);
    check_bits(t, e, "logits from features at once", r.again[0], before->again[0], t->classes);
    forward(t, e, t->input[0], r.logits[0], r.features[0]);
    for (int c = COTANGENTS - 1; c >= 0; c--) {
        if (has_pixels(e)) {
            check_bits(t, e, "pixels", r.pixels[0][c], before->pixels[0][c], t->pixels);
            vjp_input(t, e, t->cotangent[c], r.pixels[0][c]);
            check_bits(t, e, "pixels again", r.pixels[0][c], before->pixels[0][c], t->pixels);
        }
        if (has_vjp(e)) {
            check_bits(t, e, "gradients", r.gradient[0][c], before->gradient[0][c], t->features);
            vjp(t, e, t->cotangent[c], r.gradient[0][c]);
            check_bits(t, e, "gradients again", r.gradient[0][c], before->gradient[0][c],
                       t->features);
        }
    }
    results_free(&r);
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* All inputs at once, each on a thread: the same bits as alone. */
static void run_batch(trial *t, int e)
{
    const kldve_backend *b = kldve_onnx_backend();
    const results *alone = &t->r[e];
    float *inputs = array(INPUTS * t->pixels), *cotangents = array(INPUTS * t->classes);
    float *logits = array(INPUTS * t->classes), *maps = array(INPUTS * t->features);

    for (size_t i = 0; i < INPUTS; i++) {
        memcpy(inputs + i * t->pixels, t->input[i], t->pixels * sizeof *inputs);
        memcpy(cotangents + i * t->classes, t->cotangent[i], t->classes * sizeof *cotangents);
    }
    check_status(t, e, "batch", b->forward_many(t->state[e], inputs, logits, maps));
    for (size_t i = 0; i < INPUTS; i++) {
        check_bits(t, e, "logits in a batch", logits + i * t->classes, alone->logits[i],
                   t->classes);
        check_bits(t, e, "features in a batch", maps + i * t->features, alone->features[i],
                   t->features);
    }
    check_status(t, e, "vjp of a batch", b->vjp_many(t->state[e], cotangents, maps));
    for (size_t i = 0; i < INPUTS; i++)
        check_bits(t, e, "gradients in a batch", maps + i * t->features, alone->gradient[i][i],
                   t->features);
    free(inputs);
    free(cotangents);
    free(logits);
    free(maps);
}

static double largest(size_t n, const float *a)
{
    double m = 0;

    for (size_t i = 0; i < n; i++)
        m = fmax(m, fabs((double)a[i]));
    return m;
}

/* The largest difference; infinite where one is not a number. */
static double distance(size_t n, const float *a, const float *b)
{
    double m = 0;

    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);

        m = d <= m ? m : d < INFINITY ? d : INFINITY;
    }
    return m;
}

/* Relative to the largest number. */
static const double tolerance = 1e-4;

static void check_close(trial *t, int e, const char *what, size_t n, const float *a, const float *b,
                        double *worst)
{
    double scale = fmax(largest(n, b), 1e-2), d = distance(n, a, b) / scale;

    *worst = fmax(*worst, d);
    if (!(d <= tolerance))
        wrong(t, "%s: %s differ by %.2g of %.2g", engines[e].name, what, d * scale, scale);
}

static double dot(size_t n, const float *a, const float *b)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Slopes of f = <cotangent, logits> along v, from pixels or features: ahead (f(x + h v) - f(x)) / h
 * and behind (f(x) - f(x - h v)) / h. */
static void slopes(trial *t, bool pixels, const float *x, const float *v, const float *cotangent,
                   double h, double slope[2])
{
    size_t n = pixels ? t->pixels : t->features;
    float *at = array(n);
    double f[3];

    for (int s = 0; s < 3; s++) {
        for (size_t i = 0; i < n; i++)
            at[i] = x[i] + (float)((s - 1) * h * (double)v[i]);
        if (pixels)
            forward(t, 0, at, t->logits, t->maps);
        else
            from_features(t, 0, at, t->logits);
        f[s] = dot(t->classes, cotangent, t->logits);
    }
    slope[0] = (f[2] - f[1]) / h;
    slope[1] = (f[1] - f[0]) / h;
    free(at);
}

/* Two gradients, at the pixels or the layer, of <cotangent c, logits> for input i. */
typedef struct gap {
    int i, c;
    bool pixels;
    const float *one, *other;
} gap;

/* They differ in numbers [from, to).  Are both right there, because at a kink the slope along their
 * difference is one ahead and another behind? */
static bool at_kink(trial *t, const gap *g, size_t from, size_t to)
{
    static const double step[] = {1e-3, 3e-3, 1e-2};
    size_t n = g->pixels ? t->pixels : t->features;
    const float *x = g->pixels ? t->input[g->i] : t->r[0].features[g->i];
    const float *one = g->one, *other = g->other;
    float *v = array(n);
    double length = 0, lo = INFINITY, hi = -INFINITY, a, b;

    for (size_t k = from; k < to; k++)
        length += pow((double)one[k] - (double)other[k], 2);
    length = sqrt(length);
    for (size_t k = 0; k < n; k++)
        v[k] = k < from || k >= to ? 0 : (float)(((double)one[k] - (double)other[k]) / length);
    forward(t, 0, t->input[g->i], t->logits, t->maps); /* around the layer nothing changes */
    for (size_t s = 0; s < sizeof step / sizeof *step; s++) {
        double slope[2];

        slopes(t, g->pixels, x, v, t->cotangent[g->c], step[s], slope);
        lo = fmin(lo, fmin(slope[0], slope[1]));
        hi = fmax(hi, fmax(slope[0], slope[1]));
    }
    a = dot(n, one, v);
    b = dot(n, other, v);
    free(v);
    return fmin(a, b) >= lo - 0.3 * length && fmax(a, b) <= hi + 0.3 * length;
}

/* Without biases a network may be off altogether; then rounding decides at every unit. */
static bool is_off(const trial *t, int i)
{
    return t->network.bare && largest(t->classes, t->r[0].logits[i]) < 1e-6;
}

/* Kinks of several maps may hide each other: then those of the map that differs most. */
static bool explained(trial *t, const gap *g)
{
    size_t n = g->pixels ? t->pixels : t->features;
    size_t cells = n / (size_t)(g->pixels ? t->shape.in_channels : t->shape.maps), most = 0;

    for (size_t k = cells; k < n; k += cells)
        if (distance(cells, g->one + k, g->other + k) >
            distance(cells, g->one + most, g->other + most))
            most = k;
    return is_off(t, g->i) || at_kink(t, g, 0, n) || at_kink(t, g, most, most + cells);
}

static void check_gradient(trial *t, tally *sum, int e, int i, int c, bool pixels)
{
    size_t n = pixels ? t->pixels : t->features;
    const float *a = pixels ? t->r[e].pixels[i][c] : t->r[e].gradient[i][c];
    const float *b = pixels ? t->r[0].pixels[i][c] : t->r[0].gradient[i][c];
    double scale = fmax(largest(n, b), 1e-3), d = distance(n, a, b) / scale;

    sum->compared++;
    if (d <= tolerance)
        sum->largest[2] = fmax(sum->largest[2], d);
    else if (explained(t, &(gap){i, c, pixels, a, b}))
        sum->excused++;
    else
        wrong(t, "%s: gradients at the %s differ by %.2g of %.2g", engines[e].name,
              pixels ? "input" : "layer", d * scale, scale);
}

static void compare(trial *t, tally *sum, int e)
{
    const results *a = &t->r[e], *b = &t->r[0];

    for (int i = 0; i < INPUTS; i++) {
        check_close(t, e, "logits", t->classes, a->logits[i], b->logits[i], &sum->largest[0]);
        check_close(t, e, "features", t->features, a->features[i], b->features[i],
                    &sum->largest[1]);
        check_close(t, e, "logits from features", t->classes, a->again[i], b->again[i],
                    &sum->largest[3]);
        for (int c = 0; c < COTANGENTS; c++) {
            if (has_vjp(e))
                check_gradient(t, sum, e, i, c, false);
            if (has_pixels(e))
                check_gradient(t, sum, e, i, c, true);
        }
    }
}

/* ---- the plain kernels against finite differences -------------------------------------------- */

/* What the gradient says of a random direction; false where that is wrong. */
static bool slope_fits(trial *t, tally *sum, bool pixels)
{
    size_t n = pixels ? t->pixels : t->features;
    const float *x = pixels ? t->input[0] : t->r[0].features[0];
    const float *g = pixels ? t->r[0].pixels[0][0] : t->r[0].gradient[0][0];
    float *v = noise(n, &t->seed);
    double scale = sqrt(dot(n, g, g)), expected = dot(n, g, v), s[4], lo, hi;

    forward(t, 0, t->input[0], t->logits, t->maps); /* around the layer nothing changes */
    slopes(t, pixels, x, v, t->cotangent[0], 5e-4, s);
    slopes(t, pixels, x, v, t->cotangent[0], 1e-3, s + 2);
    free(v);
    lo = fmin(fmin(s[0], s[1]), fmin(s[2], s[3]));
    hi = fmax(fmax(s[0], s[1]), fmax(s[2], s[3]));
    sum->differences++;
    /* Not between kinks, as far as one can see, or at the limits of float32? */
    if (hi - lo > 0.02 * scale || scale < 1e-2)
        return true;
    sum->decided++;
    return expected > lo - 0.15 * scale && expected < hi + 0.15 * scale;
}

/* Many kinks at once, such as after zeros, can look like none from one side. */
static void check_slope(trial *t, tally *sum, bool pixels)
{
    for (int i = 0; i < 4; i++)
        if (slope_fits(t, sum, pixels))
            return;
    wrong(t, "plain: there is no gradient at the %s", pixels ? "input" : "layer");
}

/* ---- biases ---------------------------------------------------------------------------------- */

static kldve_status add_bias(void *opaque, const kldve_bias_gradient *unit)
{
    size_t cells = volume(1, unit->height, unit->width);
    double *sum = opaque;

    for (int32_t m = 0; m < unit->maps; m++)
        for (size_t i = 0; i < cells; i++)
            *sum += (double)unit->bias[m] * (double)unit->gradient[(size_t)m * cells + i];
    return KLDVE_OK;
}

/* <cotangent, logits> = <gradient, input> + sum of <bias, gradient there>. */
static void check_biases(trial *t, tally *sum, int e)
{
    float *pixels = array(t->pixels);
    double biases = 0, left, right;
    kldve_status st;

    forward(t, e, t->input[1], t->logits, t->maps);
    st = kldve_onnx_backend()->vjp_biases(t->state[e], t->cotangent[1], pixels, add_bias, &biases);
    if (st == KLDVE_E_UNSUPPORTED && !t->network.linear)
        goto done; /* a Gemm that is not a dense layer; it says so */
    check_status(t, e, "vjp to the biases", st);
    left = dot(t->classes, t->cotangent[1], t->logits);
    right = dot(t->pixels, pixels, t->input[1]) + biases;
    if (t->network.linear && !t->channels_last) {
        sum->identities++;
        if (!(fabs(left - right) <= 1e-3 * (1 + fabs(left) + fabs(biases))))
            wrong(t, "%s: <c, k> is %.5g, <g, x> + biases %.5g", engines[e].name, left, right);
    }
    if (distance(t->pixels, pixels, t->r[e].pixels[1][1]) > tolerance * largest(t->pixels, pixels))
        wrong(t, "%s: the gradient at the input is another one beside those at biases",
              engines[e].name);
done:
    free(pixels);
}

/* ---- relevance ------------------------------------------------------------------------------- */

/* Without biases the epsilon rule is gradient times input, but for its epsilon (M. Ancona et al.,
 * arXiv:1711.06104, for ReLU; any f with f(a x) = a f(x) for a > 0 will do). */
static void check_relevance(trial *t, tally *sum, int e)
{
    float *relevance = array(t->pixels), *expected = array(t->pixels);
    const float *g = t->r[0].pixels[1][1];
    double scale;
    kldve_status st;

    for (size_t i = 0; i < t->classes; i++)
        t->logits[i] = t->cotangent[1][i] * t->r[0].logits[1][i];
    for (size_t i = 0; i < t->pixels; i++)
        expected[i] = g[i] * t->input[1][i];
    scale = largest(t->pixels, expected);
    st = kldve_onnx_backend()->vjp_input(t->state[e], t->logits, KLDVE_RULE_LRP_EPSILON, relevance);
    if (st != KLDVE_E_UNSUPPORTED) /* Abs, Neg, Min have no rule */
        check_status(t, e, "relevance", st);
    if (st == KLDVE_OK && scale > 1e-2) {
        double d = distance(t->pixels, relevance, expected) / scale;

        sum->relevance++;
        sum->largest[4] = fmax(sum->largest[4], d);
        if (!(d <= 0.2)) /* where sums are near 0, epsilon and rounding are not small */
            wrong(t, "%s: relevance differs by %.2g of %.2g", engines[e].name, d * scale, scale);
    }
    free(relevance);
    free(expected);
}

/* ---- trials ---------------------------------------------------------------------------------- */

static void run_trial(trial *t, tally *sum)
{
    sum->networks++;
    if (!trial_open(t))
        return;
    for (int e = 0; e < ENGINES; e++)
        for (int i = 0; i < INPUTS; i++) {
            if (e == 0) { /* the same changes for all: some cells up, some down, some gone */
                run_input(t, e, i, &t->r[e]);
                for (size_t k = 0; k < t->features; k++)
                    t->changed[i][k] =
                        t->r[e].features[i][k] * (float)(k % 3) + 0.1f * t->changed[i][k];
                from_features(t, e, t->changed[i], t->r[e].again[i]);
            } else {
                run_input(t, e, i, &t->r[e]);
            }
        }
    for (int e = 0; e < ENGINES; e++) {
        run_again(t, e);
        if (e == TO_THE_LAYER)
            run_batch(t, e);
        if (e > 0)
            compare(t, sum, e);
    }
    check_slope(t, sum, true);
    check_slope(t, sum, false);
    for (int e = 1; e < ENGINES; e++)
        if (has_pixels(e)) {
            check_biases(t, sum, e);
            if (t->network.bare)
                check_relevance(t, sum, e);
        }
}

static void trials(uint64_t first, long count, int steps, const char *layer, tally *sum)
{
    for (long i = 0; i < count; i++) {
        uint64_t seed = first + (uint64_t)i;
        trial t = {.network = {.seed = seed,
                               .steps = steps,
                               .linear = seed % 3 == 0,
                               .bare = seed % 6 == 0},
                   .chosen = layer};

        run_trial(&t, sum);
        if (t.why[0]) {
            sum->wrong++;
            fprintf(stderr, "seed %lu, layer %s: %s\n", (unsigned long)seed, t.layer, t.why);
            t.network.listing = stderr;
            free(writer_memory(random_network_write, &t.network, &t.nbytes));
        }
        trial_close(&t);
    }
}

static void report(const tally *sum)
{
    print_message("%ld networks, %ld wrong; %ld gradients, %ld excused for a kink; %ld of %ld "
                  "differences decided; %ld identities; %ld of relevance\n"
                  "largest: logits %.1e, features %.1e, gradients %.1e, from features %.1e, "
                  "relevance %.1e\n",
                  sum->networks, sum->wrong, sum->compared, sum->excused, sum->decided,
                  sum->differences, sum->identities, sum->relevance, sum->largest[0],
                  sum->largest[1], sum->largest[2], sum->largest[3], sum->largest[4]);
}

/* What such networks have brought to light, as small as possible. */
static const struct known {
    const char *name, *text, *layer, *select;
} known[] = {
    {"a residual that is its convolution's input",
     "in x 1,3,9,9; w a 16,3,3,3; n Conv x,a r; w b 16,16,3,3; n Conv r,b c pads=[1,1,1,1];"
     "n Add c,r s; n Sigmoid s t; n GlobalAveragePool t g; n Flatten g y; out y",
     "t", NULL},
    {"a residual that is part of a concatenation",
     "in x 1,3,9,9; w a 16,3,3,3; w d 16,3,3,3; n Conv x,a r; n Relu x z; n Conv z,d q;"
     "n Concat r,q k axis=1; w b 16,32,3,3; n Conv k,b c pads=[1,1,1,1]; n Add c,r s;"
     "n GlobalAveragePool s l; n GlobalAveragePool k m; n Concat l,m g axis=1; n Flatten g y; out "
     "y",
     "s", NULL},
    {"a residual that is a factor",
     "in x 1,3,9,9; w a 16,3,3,3; w d 16,3,3,3; n Conv x,a r; n Relu x z; n Conv z,d q;"
     "n Tanh q l; n Mul l,r m; w b 16,16,3,3; n Tanh r h; n Conv h,b c pads=[1,1,1,1]; n Add c,r s;"
     "n GlobalAveragePool m i; n GlobalAveragePool s j; n Concat i,j g axis=1; n Flatten g y; out "
     "y",
     "l", NULL},
    {"a way around the layer that is computed late",
     "in x 1,3,9,9; w a 16,3,3,3; n Conv x,a r; n GlobalMaxPool r l; n Sigmoid l f; n Tanh f h;"
     "n Sigmoid h i; n Tanh i j; n GlobalAveragePool r m; n Add j,m g; n Flatten g y; out y",
     "l", NULL},
    {"a concatenation and its parts",
     "in x 1,3,9,9; w a 16,3,3,3; w d 16,3,3,3; n Conv x,a r; n Relu x z; n Conv z,d q;"
     "n Concat r,q k axis=1; n Concat k,r,q m axis=1; n Concat r,q,k o axis=1;"
     "n GlobalAveragePool m i; n GlobalMaxPool o j; n Concat i,j g axis=1; n Flatten g y; out y",
     "r", NULL},
    {"a concatenation that is the layer, and its parts",
     "in x 1,3,9,9; w a 16,3,3,3; w d 16,3,3,3; n Conv x,a r; n Relu x z; n Conv z,d q;"
     "n Concat r,q k axis=1; w e 16,32,1,1; n Conv k,e c; n Mul c,r m; n GlobalAveragePool m g;"
     "n Flatten g y; out y",
     "k", NULL},
    {"logits that are the layer", "in x 1,3,9,9; w a 16,3,3,3; n Conv x,a y; out y", "y",
     "y[0, :, 3, 3]"},
    {"a concatenation whose batch stands between channels",
     "in x 1,16,11,11; w a 16,16,3,3; n Conv x,a c pads=[1,1,1,1]; n Relu c r;"
     "n Concat x,r k axis=1; w s 32; w t 32; w m 32; w v 32; n BatchNormalization k,s,t,m,v b;"
     "n GlobalAveragePool b g; n Flatten g y; out y",
     "b", NULL},
    {"a sum and its activation in blocks of 4",
     "in x 1,16,5,5; w a 8,8,3,3; n Conv x,a p group=2; w b 8,8,3,3; n Conv x,b q group=2;"
     "n Sigmoid p r; n Sigmoid q s; n Add r,s t; n Sigmoid t u; n GlobalAveragePool u g;"
     "n Flatten g y; out y",
     "r", NULL},
    {"response normalisation of size 1",
     "in x 1,3,9,9; n LRN x l size=1; n GlobalAveragePool l g; n Flatten g y; out y", "l", NULL},
    {"response normalisation of size 7",
     "in x 1,3,9,9; w a 17,3,3,3; n Conv x,a c; n Sigmoid c r; n LRN r l size=7 alpha=0.2;"
     "n GlobalAveragePool l g; n Flatten g y; out y",
     "r", NULL},
    {"a convolution with long steps over one cell",
     "in x 1,1,9,9; w a 24,1,3,3; n Conv x,a c pads=[1,1,1,1]; n Sigmoid c r; w b 1,24,1,1;"
     "n Conv r,b d; n ReduceMean d e axes=[2,3]; w f 8,1,2,2;"
     "n Conv e,f g pads=[1,1,1,1] strides=[1,2]; n Flatten g y; out y",
     "r", NULL},
    {"a concatenation of parts that fill no block",
     "in x 1,3,9,9; w a 16,3,3,3; w d 8,3,3,3; n Conv x,a r; n Relu x z; n Conv z,d q;"
     "n Sigmoid q p; n Concat r,q,p,r k axis=1; n Sigmoid k b; w e 16,48,1,1; n Conv b,e c;"
     "n GlobalAveragePool c g; n Flatten g y; out y",
     "b", NULL},
    {"a concatenation that is the last step",
     "in x 1,3,9,9; w a 16,3,3,3; w d 16,3,3,3; n Conv x,a r; n Relu x z; n Conv z,d q;"
     "n Relu r s; n Relu q t; n Concat s,t y axis=1; out y",
     "r", "y[0, :, 3, 3]"},
};

static void test_known(void **state)
{
    const struct known *k = *state;
    trial t = {.network = {.seed = 1}, .text = k->text, .chosen = k->layer, .select = k->select};
    tally sum = {0};

    run_trial(&t, &sum);
    trial_close(&t);
    assert_string_equal(t.why, "");
    assert_true(sum.compared > 0);
}

static void test_fixed(void **state)
{
    tally sum = {0};

    (void)state;
    trials(1, 40, 0, NULL, &sum);
    report(&sum);
    assert_int_equal(sum.wrong, 0);
    assert_true(sum.excused * 10 < sum.compared);
    assert_true(sum.decided * 3 > sum.differences);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fixed)};
    tally sum = {0};

    if (argc < 3)
        return cmocka_run_group_tests_name("random networks", tests, NULL, NULL) +
               TEST_RUN_CASES("known networks", known, test_known);
    trials(strtoull(argv[1], NULL, 10), strtol(argv[2], NULL, 10), argc > 3 ? atoi(argv[3]) : 0,
           argc > 4 ? argv[4] : NULL, &sum);
    report(&sum);
    return sum.wrong != 0;
}
