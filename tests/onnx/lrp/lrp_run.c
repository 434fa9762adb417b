/* lrp_run.c - backward passes of the engine under given rules, with raw float32 files in and out.
 *
 *   lrp_run MODEL FOLDER WHAT...    FOLDER/input, FOLDER/cotangent -> FOLDER/logits and, for each
 *                                   WHAT, FOLDER/WHAT: relevance at the input under
 *                                   epsilon|zplus|alphabeta|composite; the gradient there under
 *                                   gradient|guided|deconv|salient; for `biases` the same,
 *                                   and one line for each unit: the node's name, maps,
 *                                   height, width, dense, sum of bias times gradient; else
 *                                   the map of the method WHAT, for the class of the largest
 *                                   cotangent
 *
 * Exits with 0; 1 and one line "WHAT: STATUS: message" if something is refused. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/backend.h>
#include <kldve/onnx.h>

#include "onnx/networks/raw_files.h"

static kldve_status show(void *opaque, const kldve_bias_gradient *unit)
{
    size_t cells = (size_t)unit->height * (size_t)unit->width;
    double sum = 0;

    (void)opaque;
    for (size_t c = 0; c < (size_t)unit->maps; c++)
        for (size_t i = 0; i < cells; i++)
            sum += (double)unit->bias[c] * (double)unit->gradient[c * cells + i];
    printf("%s %d %d %d %d %.17g\n", unit->name, (int)unit->maps, (int)unit->height,
           (int)unit->width, (int)unit->dense, sum);
    return KLDVE_OK;
}

typedef struct opened {
    kldve_ctx *ctx;
    const kldve_onnx *net;
    const char *folder;
    void *state;
    kldve_shape shape;
    size_t pixels;
    float *input, *cotangent, *logits, *features, *gradient;
} opened;

static kldve_status propagate(opened *o, const char *what)
{
    static const struct {
        const char *name;
        int32_t rule;
    } rules[] = {
        {"gradient", KLDVE_RULE_GRADIENT},       {"guided", KLDVE_RULE_GUIDED},
        {"deconv", KLDVE_RULE_DECONVOLUTION},    {"epsilon", KLDVE_RULE_LRP_EPSILON},
        {"zplus", KLDVE_RULE_LRP_ZPLUS},         {"alphabeta", KLDVE_RULE_LRP_ALPHABETA},
        {"composite", KLDVE_RULE_LRP_COMPOSITE}, {"salient", KLDVE_RULE_SALIENT_DECONVOLUTION},
    };
    enum { RULES = sizeof rules / sizeof *rules };
    const kldve_backend *b = kldve_onnx_backend();
    kldve_status st;
    int rule = 0;

    while (rule < RULES && strcmp(what, rules[rule].name) != 0)
        rule++;
    if (rule < RULES)
        st = b->vjp_input(o->state, o->cotangent, rules[rule].rule, o->gradient);
    else if (strcmp(what, "biases") == 0)
        st = b->vjp_biases(o->state, o->cotangent, o->gradient, show, NULL);
    else
        return raw_explain(o->ctx, o->net, o->input, what, o->cotangent, o->shape.classes,
                           o->folder);
    if (st == KLDVE_OK)
        raw_write(o->folder, what, o->gradient, o->pixels);
    return st;
}

/* Open, and read what the folder has. */
static int start(opened *o)
{
    const kldve_backend *b = kldve_onnx_backend();
    kldve_shape *s = &o->shape;

    if (b->open(o->ctx, o->net, &o->state) != KLDVE_OK) {
        printf("open: %s\n", kldve_ctx_message(o->ctx));
        return 2;
    }
    b->shape(o->state, s);
    o->pixels = (size_t)s->in_channels * (size_t)s->in_height * (size_t)s->in_width;
    o->input = raw_read(o->folder, "input", o->pixels);
    o->cotangent = raw_read(o->folder, "cotangent", (size_t)s->classes);
    o->logits = raw_room((size_t)s->classes);
    o->features = raw_room((size_t)s->maps * (size_t)s->height * (size_t)s->width);
    o->gradient = raw_room(o->pixels);
    if (b->forward(o->state, o->input, o->logits, o->features) != KLDVE_OK) {
        printf("forward: %s\n", kldve_ctx_message(o->ctx));
        return 2;
    }
    raw_write(o->folder, "logits", o->logits, (size_t)s->classes);
    return 0;
}

static int run(kldve_ctx *ctx, const kldve_onnx *net, const char *folder, char **what)
{
    opened o = {.ctx = ctx, .net = net, .folder = folder, .shape = {.struct_size = sizeof o.shape}};
    int bad = start(&o);

    for (; bad < 2 && *what; what++) {
        kldve_status st = propagate(&o, *what);

        if (st != KLDVE_OK) {
            printf("%s: %s: %s\n", *what, kldve_status_name(st), kldve_ctx_message(ctx));
            bad = 1;
        }
    }
    if (o.state)
        kldve_onnx_backend()->close(o.state);
    free(o.input);
    free(o.cotangent);
    free(o.logits);
    free(o.features);
    free(o.gradient);
    return bad;
}

int main(int argc, char **argv)
{
    kldve_onnx_options options = {.struct_size = sizeof options,
                                  .flags = KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_NO_VJP};
    kldve_ctx *ctx = NULL;
    kldve_onnx *net = NULL;
    int bad;

    if (argc < 4) {
        printf("usage: lrp_run MODEL FOLDER RULE|biases|METHOD...\n");
        return 2;
    }
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK ||
        kldve_onnx_load(ctx, argv[1], &options, &net) != KLDVE_OK) {
        printf("load: %s\n", ctx ? kldve_ctx_message(ctx) : "no context");
        return 2;
    }
    bad = run(ctx, net, argv[2], argv + 3);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    return bad;
}
