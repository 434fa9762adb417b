/* run_onnx.c - see run_onnx.h. */
#include "run_onnx.h"

#include <stdlib.h>

#include <kldve/onnx.h>

#include "watch.h"

bool network_is_small(const kldve_onnx *net)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    double sum = 0;

    for (int32_t i = 0; kldve_onnx_tensor_at(net, i, &t) == KLDVE_OK; i++) {
        double count = 1;

        for (int32_t k = 0; k < t.rank; k++)
            count *= (double)t.dim[k];
        sum += count;
    }
    return sum < 20000;
}

/* Every number that a unit hands out is read. */
static kldve_status read_bias(void *opaque, const kldve_bias_gradient *unit)
{
    size_t cells = (size_t)unit->height * (size_t)unit->width;
    float *sum = opaque;

    for (size_t c = 0; c < (size_t)unit->maps; c++)
        for (size_t i = 0; i < cells; i++)
            *sum += unit->bias[c] * unit->gradient[c * cells + i];
    return KLDVE_OK;
}

static kldve_status read_attention(void *opaque, const kldve_attention *a)
{
    size_t queries = (size_t)a->queries, count = (size_t)a->heads * queries * (size_t)a->keys;
    float *sum = opaque;

    for (size_t i = 0; i < count; i++)
        *sum += a->weights[i] * (a->gradient ? a->gradient[i] : 1);
    for (size_t i = 0; a->read && i < queries; i++)
        *sum += a->read[i];
    return KLDVE_OK;
}

enum { BATCH = 2 };

static void run(kldve_ctx *ctx, const kldve_onnx *net)
{
    const kldve_backend *backend = kldve_onnx_backend();
    kldve_shape s = {.struct_size = sizeof s};
    float *input, *logits, *features, *gradient, sum = 0;
    size_t in, maps;
    void *state;

    if (backend->open(ctx, net, &state) < 0)
        return;
    backend->shape(state, &s);
    in = s.head ? (size_t)s.head : (size_t)s.in_channels * (size_t)s.in_height * (size_t)s.in_width;
    maps = (size_t)s.maps * (size_t)s.height * (size_t)s.width;
    input = malloc(BATCH * in * sizeof *input);
    logits = malloc(BATCH * (size_t)s.classes * sizeof *logits);
    features = malloc(BATCH * maps * sizeof *features);
    gradient = malloc(BATCH * maps * sizeof *gradient);
    for (size_t i = 0; i < BATCH * in; i++)
        input[i] = (float)(i % 17) / 8 - 1;
    if (backend->forward(state, input, logits, features) == KLDVE_OK &&
        backend->vjp(state, logits, gradient) == KLDVE_OK) {
        for (int32_t rule = KLDVE_RULE_GRADIENT; rule <= KLDVE_RULE_SALIENT_DECONVOLUTION; rule++)
            (void)backend->vjp_input(state, logits, rule, input);
        (void)backend->vjp_biases(state, logits, input, read_bias, &sum);
        (void)backend->attentions(state, NULL, read_attention, &sum);
        (void)backend->attentions(state, logits, read_attention, &sum);
        (void)backend->forward_features(state, features, logits);
    }
    if (backend->forward_many(state, input, logits, features) == KLDVE_OK)
        (void)backend->vjp_many(state, logits, gradient);
    free(gradient);
    backend->close(state);
    free(input);
    free(logits);
    free(features);
}

void run_onnx(kldve_ctx *ctx, const void *bytes, size_t n, bool accel)
{
    kldve_onnx_options options = {.struct_size = sizeof options,
                                  .threads = 1,
                                  .in_height = 8,
                                  .in_width = 8,
                                  .batch = BATCH,
                                  .flags = KLDVE_ONNX_FLAG_VJP_INPUT |
                                           (accel ? 0 : KLDVE_ONNX_FLAG_PLAIN)};
    kldve_onnx *net = NULL;
    kldve_status status;

    status = kldve_onnx_load_memory(ctx, bytes, n, &options, &net);
    watch_call(ctx, status, net != NULL);
    if (!net)
        return;
    if (!network_is_small(net)) {
        kldve_onnx_free(net);
        return;
    }
    run(ctx, net);
    kldve_onnx_free(net);
    options.batch = 1;
    options.flags = KLDVE_ONNX_FLAG_HEAD | (accel ? 0 : KLDVE_ONNX_FLAG_PLAIN);
    net = NULL;
    status = kldve_onnx_load_memory(ctx, bytes, n, &options, &net);
    watch_call(ctx, status, net != NULL);
    if (net)
        run(ctx, net);
    kldve_onnx_free(net);
}
