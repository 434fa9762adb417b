/* attention_run.c - the attentions of a network and the maps made of them, with raw float32 files
 * in and out.
 *
 *   attention_run MODEL FOLDER    FOLDER/input, FOLDER/cotangent -> FOLDER/weights and
 *                                 FOLDER/gradients, all attentions in the order in which they are
 *                                 visited; FOLDER/read; one line for each, "NAME HEADS TOKENS LEAD
 *                                 HEIGHT WIDTH"; FOLDER/rollout and FOLDER/grad-rollout, the maps
 *                                 for the class of the largest cotangent
 *
 * Exits with 0; 1 and one line if something is refused; 2 if a pass without a cotangent shows
 * other attentions, or a gradient. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <kldve/method.h>
#include <kldve/onnx.h>

#include "onnx/networks/raw_files.h"

typedef struct sinks {
    FILE *weights, *gradients, *read;
    double sum; /* of weights, read and their places: to tell two passes apart */
    bool quiet; /* a pass without a cotangent: no gradients */
} sinks;

static void add_up(sinks *s, const float *values, size_t count)
{
    for (size_t i = 0; values && i < count; i++)
        s->sum += (double)values[i] * (double)(1 + i % 1000);
}

static kldve_status show(void *opaque, const kldve_attention *a)
{
    sinks *s = opaque;
    size_t count = (size_t)a->heads * (size_t)a->queries * (size_t)a->keys;

    add_up(s, a->weights, count);
    add_up(s, a->read, (size_t)a->queries);
    if (s->quiet) {
        if (!a->gradient)
            return KLDVE_OK;
        printf("%s: a gradient, although there is no cotangent\n", a->name);
        exit(2);
    }
    printf("%s %d %d %d %d %d\n", a->name, (int)a->heads, (int)a->queries, (int)a->lead,
           (int)a->height, (int)a->width);
    raw_append(s->weights, a->weights, count);
    raw_append(s->gradients, a->gradient, count);
    if (a->read)
        raw_append(s->read, a->read, (size_t)a->queries);
    return KLDVE_OK;
}

static kldve_status visit(const kldve_backend *b, void *state, const float *cotangent,
                          const char *folder)
{
    sinks s = {.weights = raw_open(folder, "weights", "wb"),
               .gradients = raw_open(folder, "gradients", "wb"),
               .read = raw_open(folder, "read", "wb")};
    sinks again = {.quiet = true};
    kldve_status st = b->attentions(state, cotangent, show, &s);

    if (st == KLDVE_OK && (st = b->attentions(state, NULL, show, &again)) == KLDVE_OK &&
        again.sum != s.sum) {
        printf("without a cotangent the attentions are others\n");
        exit(2);
    }
    fclose(s.weights);
    fclose(s.gradients);
    fclose(s.read);
    return st;
}

static kldve_status run(kldve_ctx *ctx, const kldve_onnx *net, const char *folder)
{
    const kldve_backend *b = kldve_onnx_backend();
    kldve_shape s = {.struct_size = sizeof s};
    float *input, *cotangent, *logits, *features;
    void *state = NULL;
    kldve_status st = b->open(ctx, net, &state);

    if (st < 0)
        return st;
    b->shape(state, &s);
    input =
        raw_read(folder, "input", (size_t)s.in_channels * (size_t)s.in_height * (size_t)s.in_width);
    cotangent = raw_read(folder, "cotangent", (size_t)s.classes);
    logits = raw_room((size_t)s.classes);
    features = raw_room((size_t)s.maps * (size_t)s.height * (size_t)s.width);
    st = b->forward(state, input, logits, features);
    if (st == KLDVE_OK && (st = visit(b, state, cotangent, folder)) == KLDVE_OK &&
        (st = raw_explain(ctx, net, input, "rollout", cotangent, s.classes, folder)) == KLDVE_OK)
        st = raw_explain(ctx, net, input, "grad-rollout", cotangent, s.classes, folder);
    b->close(state);
    free(input);
    free(cotangent);
    free(logits);
    free(features);
    return st;
}

int main(int argc, char **argv)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .flags = KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_NO_VJP};
    kldve_ctx *ctx = NULL;
    kldve_onnx *net = NULL;
    kldve_status st;

    if (argc != 3) {
        printf("usage: attention_run MODEL FOLDER\n");
        return 2;
    }
    if ((st = kldve_ctx_new(NULL, &ctx)) == KLDVE_OK &&
        (st = kldve_onnx_load(ctx, argv[1], &options, &net)) == KLDVE_OK)
        st = run(ctx, net, argv[2]);
    if (st != KLDVE_OK)
        printf("%s: %s\n", kldve_status_name(st), ctx ? kldve_ctx_message(ctx) : "");
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    return st == KLDVE_OK ? 0 : 1;
}
