/* tiny.c - see tiny.h. */
#include "tiny.h"
#include "got.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>

#include "support.h"

struct tiny {
    kldve_ctx *ctx;
    tiny_config config;
    float *w1, *b1, *w2, *b2, *p; /* one block, from w1 */
    float *x;     /* [maps][cells] of the last forward, before the ReLU; one block with */
    float *input; /* the input of the last forward */
};

static size_t cells_of(const tiny_config *c)
{
    return (size_t)c->height * (size_t)c->width;
}

static void tiny_close(void *state)
{
    struct tiny *t = state;

    if (!t)
        return;
    kldve_ctx_release(t->ctx, t->w1);
    kldve_ctx_release(t->ctx, t->x);
    kldve_ctx_release(t->ctx, t);
}

static void draw(struct tiny *t, size_t count, size_t cells)
{
    uint64_t seed = t->config.seed;

    for (size_t i = 0; i < count; i++)
        t->w1[i] = (float)test_normal(&seed);
    for (size_t i = 0; i < cells; i++)
        t->p[i] = 0.5f + (float)test_random(&seed);
}

static kldve_status tiny_open(kldve_ctx *ctx, const void *config, void **state)
{
    const tiny_config *c = config;
    size_t maps = (size_t)c->maps, n = (size_t)c->classes, cells = cells_of(c);
    size_t count = maps * (size_t)c->channels + maps + n * maps + n;
    size_t inputs = (size_t)c->channels * cells * TINY_PATCH * TINY_PATCH;
    struct tiny *t = kldve_ctx_alloc(ctx, 1, sizeof *t);

    if (!t)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "no memory for the state");
    memset(t, 0, sizeof *t);
    t->ctx = ctx;
    t->config = *c;
    t->w1 = kldve_ctx_alloc(ctx, count + cells, sizeof *t->w1);
    t->x = kldve_ctx_alloc(ctx, maps * cells + inputs, sizeof *t->x);
    if (!t->w1 || !t->x) {
        tiny_close(t);
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "no memory for the weights");
    }
    t->input = t->x + maps * cells;
    t->b1 = t->w1 + maps * (size_t)c->channels;
    t->w2 = t->b1 + maps;
    t->b2 = t->w2 + n * maps;
    t->p = t->b2 + n;
    draw(t, count, cells);
    *state = t;
    return KLDVE_OK;
}

static void tiny_shape(const void *state, kldve_shape *out)
{
    const tiny_config *c = &((const struct tiny *)state)->config;

    out->in_channels = c->channels;
    out->in_height = c->height * TINY_PATCH;
    out->in_width = c->width * TINY_PATCH;
    out->classes = c->classes;
    out->maps = c->maps;
    out->height = c->height;
    out->width = c->width;
}

/* The index in the input of pixel `i` of the patch under a cell. */
static size_t pixel(const tiny_config *c, size_t channel, size_t cell, size_t i)
{
    size_t width = (size_t)c->width, row = cell / width * TINY_PATCH + i / TINY_PATCH;

    return (channel * (size_t)c->height * TINY_PATCH + row) * width * TINY_PATCH +
           cell % width * TINY_PATCH + i % TINY_PATCH;
}

static double patch_mean(const tiny_config *c, const float *input, size_t channel, size_t cell)
{
    double sum = 0;

    for (size_t i = 0; i < TINY_PATCH * TINY_PATCH; i++)
        sum += (double)input[pixel(c, channel, cell, i)];
    return sum / (TINY_PATCH * TINY_PATCH);
}

static kldve_status head(const struct tiny *t, const float *features, float *logits)
{
    const tiny_config *c = &t->config;
    size_t cells = cells_of(c);

    for (int32_t j = 0; j < c->classes; j++) {
        double k = (double)t->b2[j];

        for (int32_t m = 0; m < c->maps; m++) {
            const float *x = features + (size_t)m * cells;
            double sum = 0;

            for (size_t i = 0; i < cells; i++)
                sum += c->curved ? (double)t->p[i] * tanh((double)x[i]) : (double)x[i];
            k += (double)t->w2[j * c->maps + m] * sum / (double)cells;
        }
        logits[j] = (float)k;
    }
    return KLDVE_OK;
}

static kldve_status tiny_forward(void *state, const float *input, float *logits, float *features)
{
    struct tiny *t = state;
    const tiny_config *c = &t->config;
    size_t cells = cells_of(c);

    memcpy(t->input, input, (size_t)c->channels * cells * TINY_PATCH * TINY_PATCH * sizeof *input);
    for (size_t m = 0; m < (size_t)c->maps; m++)
        for (size_t i = 0; i < cells; i++) {
            double x = (double)t->b1[m];

            for (size_t in = 0; in < (size_t)c->channels; in++)
                x += (double)t->w1[m * (size_t)c->channels + in] * patch_mean(c, input, in, i);
            t->x[m * cells + i] = (float)x;
            features[m * cells + i] = x > 0 ? (float)x : 0;
        }
    return head(t, features, logits);
}

static kldve_status tiny_vjp(void *state, const float *cotangent, float *gradient)
{
    const struct tiny *t = state;
    const tiny_config *c = &t->config;
    size_t cells = cells_of(c);

    for (size_t m = 0; m < (size_t)c->maps; m++) {
        double at_map = 0;

        for (int32_t j = 0; j < c->classes; j++)
            at_map += (double)cotangent[j] * (double)t->w2[(size_t)j * (size_t)c->maps + m];
        for (size_t i = 0; i < cells; i++) {
            double y = tanh(fmax((double)t->x[m * cells + i], 0));
            double slope = c->curved ? (double)t->p[i] * (1 - y * y) : 1;

            gradient[m * cells + i] = (float)(at_map * slope / (double)cells);
        }
    }
    return KLDVE_OK;
}

/* What a ReLU lets pass, down from `dy` where its input was `x`. */
static double through_relu(int32_t rule, double x, double dy)
{
    if (rule != KLDVE_RULE_DECONVOLUTION && x <= 0)
        return 0;
    if (rule != KLDVE_RULE_GRADIENT && dy <= 0)
        return 0;
    return dy;
}

/* -- relevance rules, by contributions q_i = x_i w_i to one output (Bach et al. 2015) --------- */

static double quotient(double r, double z)
{
    return r / (z < 0 ? z - 1e-6 : z + 1e-6);
}

/* Relevance r of an output with bias b -> out[i] += its share, i < n. */
static void share(int32_t rule, const double *q, size_t n, double b, double r, double *out)
{
    double z = b, up = fmax(b, 0), down = fmin(b, 0);

    for (size_t i = 0; i < n; i++) {
        z += q[i];
        up += fmax(q[i], 0);
        down += fmin(q[i], 0);
    }
    for (size_t i = 0; i < n; i++)
        switch (rule) {
        case KLDVE_RULE_LRP_EPSILON:
            out[i] += q[i] * quotient(r, z);
            break;
        case KLDVE_RULE_LRP_ZPLUS:
            out[i] += fmax(q[i], 0) * quotient(r, up);
            break;
        case KLDVE_RULE_LRP_ALPHABETA:
            out[i] += 2 * fmax(q[i], 0) * quotient(r, up) - fmin(q[i], 0) * quotient(r, down);
            break;
        default: /* flat */
            out[i] += r / (double)n;
        }
}

/* Logits -> feature maps.  at_maps, q: [maps]. */
static void relevance_of_features(const struct tiny *t, int32_t rule, const float *given, double *q,
                                  double *at_maps, double *at_features)
{
    const tiny_config *c = &t->config;
    size_t cells = cells_of(c), maps = (size_t)c->maps;

    for (size_t m = 0; m < maps; m++) {
        at_maps[m] = 0;
        for (size_t i = 0; i < cells; i++) {
            double x = fmax((double)t->x[m * cells + i], 0);

            at_features[m * cells + i] = c->curved ? (double)t->p[i] * tanh(x) : x;
        }
    }
    for (size_t j = 0; j < (size_t)c->classes; j++) {
        for (size_t m = 0; m < maps; m++) {
            double sum = 0;

            for (size_t i = 0; i < cells; i++)
                sum += at_features[m * cells + i];
            q[m] = sum / (double)cells * (double)t->w2[j * maps + m];
        }
        share(rule == KLDVE_RULE_LRP_COMPOSITE ? KLDVE_RULE_LRP_EPSILON : rule, q, maps,
              (double)t->b2[j], (double)given[j], at_maps);
    }
    for (size_t m = 0; m < maps; m++) {
        double sum = 0;

        for (size_t i = 0; i < cells; i++)
            sum += at_features[m * cells + i];
        for (size_t i = 0; i < cells; i++)
            at_features[m * cells + i] *= quotient(at_maps[m], sum / (double)cells) / (double)cells;
    }
}

static kldve_status tiny_relevance(const struct tiny *t, const float *given, int32_t rule,
                                   float *relevance)
{
    const tiny_config *c = &t->config;
    enum { PATCH = TINY_PATCH * TINY_PATCH };
    size_t cells = cells_of(c), maps = (size_t)c->maps, seen = (size_t)c->channels * PATCH;
    double *memory = kldve_ctx_alloc(t->ctx, 2 * maps + maps * cells + 2 * seen, sizeof *memory);
    double *at_features, *q, *out;

    if (!memory)
        return kldve_ctx_fail(t->ctx, KLDVE_E_NOMEM, "no memory for relevance");
    at_features = memory + 2 * maps;
    q = at_features + maps * cells;
    out = q + seen;
    relevance_of_features(t, rule, given, memory, memory + maps, at_features);
    for (size_t cell = 0; cell < cells; cell++) {
        for (size_t i = 0; i < seen; i++)
            out[i] = 0;
        for (size_t m = 0; m < maps; m++) {
            for (size_t i = 0; i < seen; i++)
                q[i] = (double)t->input[pixel(c, i / PATCH, cell, i % PATCH)] *
                       (double)t->w1[m * (size_t)c->channels + i / PATCH] / PATCH;
            share(rule, q, seen, (double)t->b1[m], at_features[m * cells + cell], out);
        }
        for (size_t i = 0; i < seen; i++)
            relevance[pixel(c, i / PATCH, cell, i % PATCH)] = (float)out[i];
    }
    kldve_ctx_release(t->ctx, memory);
    return KLDVE_OK;
}

static kldve_status tiny_vjp_input(void *state, const float *cotangent, int32_t rule,
                                   float *gradient)
{
    struct tiny *t = state;
    const tiny_config *c = &t->config;
    size_t cells = cells_of(c), maps = (size_t)c->maps, channels = (size_t)c->channels;
    float *at_layer;

    if (rule >= KLDVE_RULE_LRP_EPSILON && rule <= KLDVE_RULE_LRP_COMPOSITE)
        return tiny_relevance(t, cotangent, rule, gradient);
    if (rule > KLDVE_RULE_SALIENT_DECONVOLUTION)
        return kldve_ctx_failf(t->ctx, KLDVE_E_UNSUPPORTED, "no rule %d", (int)rule);
    at_layer = kldve_ctx_alloc(t->ctx, maps * cells, sizeof *at_layer);
    if (!at_layer)
        return kldve_ctx_fail(t->ctx, KLDVE_E_NOMEM, "no memory for a gradient");
    tiny_vjp(state, cotangent, at_layer);
    for (size_t in = 0; in < channels; in++)
        for (size_t cell = 0; cell < cells; cell++) {
            double sum = 0;

            for (size_t m = 0; m < maps; m++)
                sum += through_relu(rule, (double)t->x[m * cells + cell],
                                    (double)at_layer[m * cells + cell]) *
                       (double)t->w1[m * channels + in];
            for (size_t i = 0; i < TINY_PATCH * TINY_PATCH; i++)
                gradient[pixel(c, in, cell, i)] = (float)(sum / (TINY_PATCH * TINY_PATCH));
        }
    kldve_ctx_release(t->ctx, at_layer);
    return KLDVE_OK;
}

static kldve_status tiny_vjp_biases(void *state, const float *cotangent, float *gradient,
                                    kldve_bias_fn visit, void *opaque)
{
    struct tiny *t = state;
    const tiny_config *c = &t->config;
    size_t cells = cells_of(c), maps = (size_t)c->maps;
    kldve_bias_gradient last = {sizeof last, "last", t->b2, cotangent, c->classes, 1, 1, 1, 1, 0};
    kldve_bias_gradient first = {sizeof first, "first",  t->b1, NULL, c->maps,
                                 c->height,    c->width, 0,     1,    0};
    float *at_bias = kldve_ctx_alloc(t->ctx, maps * cells, sizeof *at_bias);
    kldve_status st;

    if (!at_bias)
        return kldve_ctx_fail(t->ctx, KLDVE_E_NOMEM, "no memory for a gradient");
    tiny_vjp(state, cotangent, at_bias);
    for (size_t i = 0; i < maps * cells; i++)
        at_bias[i] = (float)through_relu(KLDVE_RULE_GRADIENT, (double)t->x[i], (double)at_bias[i]);
    first.gradient = at_bias;
    if ((st = visit(opaque, &last)) == KLDVE_OK && (st = visit(opaque, &first)) == KLDVE_OK)
        st = tiny_vjp_input(state, cotangent, KLDVE_RULE_GRADIENT, gradient);
    kldve_ctx_release(t->ctx, at_bias);
    return st;
}

/* The mean over the cells is an attention of one head in which every cell attends to all cells in
 * equal shares, read by all scores alike: with k_j = mean over q of sum_c A[q][c] v_j[c], the
 * derivative by A[q][c] is v_j[c] / cells. */
static kldve_status tiny_attentions(void *state, const float *cotangent, kldve_attention_fn visit,
                                    void *opaque)
{
    const struct tiny *t = state;
    const tiny_config *c = &t->config;
    size_t cells = cells_of(c), maps = (size_t)c->maps;
    kldve_attention a = {sizeof a, "mean", NULL, NULL, NULL, 1, 0, 0, 0, c->height, c->width};
    float *memory = kldve_ctx_alloc(t->ctx, (2 * cells + 1) * cells, sizeof *memory);
    kldve_status st;

    if (!memory)
        return kldve_ctx_fail(t->ctx, KLDVE_E_NOMEM, "no memory for an attention");
    for (size_t cell = 0; cell < cells; cell++) {
        double v = 0;

        for (size_t i = 0; cotangent && i < (size_t)c->classes * maps; i++) {
            double x = fmax((double)t->x[i % maps * cells + cell], 0);

            v += (double)cotangent[i / maps] * (double)t->w2[i] *
                 (c->curved ? (double)t->p[cell] * tanh(x) : x);
        }
        for (size_t q = 0; q < cells; q++) {
            memory[q * cells + cell] = 1 / (float)cells;
            memory[(cells + q) * cells + cell] = (float)(v / (double)cells);
        }
        memory[2 * cells * cells + cell] = 1 / (float)cells;
    }
    a.weights = memory;
    a.gradient = cotangent ? memory + cells * cells : NULL;
    a.read = memory + 2 * cells * cells;
    a.queries = a.keys = (int32_t)cells;
    st = visit(opaque, &a);
    kldve_ctx_release(t->ctx, memory);
    return st;
}

static kldve_status tiny_forward_features(void *state, const float *features, float *logits)
{
    return head(state, features, logits);
}

/* The layers, from the logits: W2 and b2, W1 and b1. */
static kldve_status tiny_parameters(void *state, int32_t index, const char **name)
{
    static const char *const names[] = {"last", "first"};

    (void)state;
    if (index >= 2)
        return KLDVE_E_NOT_FOUND;
    *name = names[index];
    return KLDVE_OK;
}

static kldve_status tiny_randomise(void *state, int32_t kind, int32_t layer, uint64_t seed)
{
    struct tiny *t = state;
    size_t first = (size_t)t->config.maps * (size_t)(t->config.channels + 1);
    size_t count = first + (size_t)t->config.classes * (size_t)(t->config.maps + 1);

    if (layer >= 2)
        return kldve_ctx_failf(t->ctx, KLDVE_E_ARG, "layer %d: there are two", (int)layer);
    draw(t, count, cells_of(&t->config));
    for (size_t i = 0; kind != KLDVE_RANDOMISE_NONE && i < count; i++) {
        uint64_t own = seed + 1 + i;
        bool in_layer = i >= first ? layer == 0 : layer == 1;

        if (in_layer || (kind == KLDVE_RANDOMISE_CASCADE && i >= first))
            t->w1[i] = (float)test_normal(&own);
    }
    return KLDVE_OK;
}

const kldve_backend tiny_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "tiny",
    .open = tiny_open,
    .shape = tiny_shape,
    .forward = tiny_forward,
    .close = tiny_close,
    .vjp = tiny_vjp,
    .vjp_input = tiny_vjp_input,
    .forward_features = tiny_forward_features,
    .vjp_biases = tiny_vjp_biases,
    .attentions = tiny_attentions,
    .parameters = tiny_parameters,
    .randomise = tiny_randomise,
};

const kldve_backend tiny_backend_plain = {
    .struct_size = offsetof(kldve_backend, vjp), /* as compiled before there were optional slots */
    .name = "plain",
    .open = tiny_open,
    .shape = tiny_shape,
    .forward = tiny_forward,
    .close = tiny_close,
};

bool tiny_from_arrays(int32_t index)
{
    const kldve_method *method = got_method(NULL, index);

    return method->resolution == KLDVE_RESOLUTION_CELLS &&
           !(method->needs & ~(uint64_t)(KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT));
}
