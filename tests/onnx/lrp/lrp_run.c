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
#include <kldve/backend.h>
#include <kldve/onnx.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_in(const char *folder, const char *name, const char *mode)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, mode);
    if (!file) {
        printf("cannot open %s\n", path);
        exit(2);
    }
    return file;
}

static float *read_values(const char *folder, const char *name, size_t count)
{
    FILE *file = open_in(folder, name, "rb");
    float *values = malloc(count * sizeof *values);

    if (!values || fread(values, sizeof *values, count, file) != count) {
        printf("%s/%s: not %zu values\n", folder, name, count);
        exit(2);
    }
    fclose(file);
    return values;
}

static void write_values(const char *folder, const char *name, const float *values, size_t count)
{
    FILE *file = open_in(folder, name, "wb");

    if (fwrite(values, sizeof *values, count, file) != count || fclose(file) != 0)
        exit(2);
}

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

static int32_t largest(const float *values, int32_t count)
{
    int32_t best = 0;

    for (int32_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

/* As a program with an explainer does it. */
static kldve_status explain(kldve_ctx *ctx, const kldve_onnx *net, const float *input,
                            const char *method, int32_t target, const char *folder)
{
    kldve_options o = {.struct_size = sizeof o,
                       .method = method,
                       .target_kind = KLDVE_TARGET_INDEX,
                       .target = target};
    kldve_record r = {.struct_size = sizeof r};
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    kldve_status st = kldve_explainer_new(ctx, kldve_onnx_backend(), net, &ex);

    if (st == KLDVE_OK && (st = kldve_explain_input(ex, input, &o, &map)) == KLDVE_OK &&
        (st = kldve_heatmap_record(map, &r)) == KLDVE_OK)
        write_values(folder, method, kldve_heatmap_values(map), (size_t)r.height * (size_t)r.width);
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    return st;
}

static int run(kldve_ctx *ctx, const kldve_onnx *net, const char *folder, char **what)
{
    static const struct {
        const char *name;
        int32_t rule;
    } rules[] = {
        {"gradient", KLDVE_RULE_GRADIENT},
        {"guided", KLDVE_RULE_GUIDED},
        {"deconv", KLDVE_RULE_DECONVOLUTION},
        {"epsilon", KLDVE_RULE_LRP_EPSILON},
        {"zplus", KLDVE_RULE_LRP_ZPLUS},
        {"alphabeta", KLDVE_RULE_LRP_ALPHABETA},
        {"composite", KLDVE_RULE_LRP_COMPOSITE},
        {"salient", KLDVE_RULE_SALIENT_DECONVOLUTION},
    };
    enum { RULES = sizeof rules / sizeof *rules };
    const kldve_backend *b = kldve_onnx_backend();
    kldve_shape s = {.struct_size = sizeof s};
    float *input, *cotangent, *logits, *features, *gradient;
    size_t pixels, classes;
    void *state = NULL;
    int bad = 0;

    if (b->open(ctx, net, &state) != KLDVE_OK) {
        printf("open: %s\n", kldve_ctx_message(ctx));
        return 2;
    }
    b->shape(state, &s);
    pixels = (size_t)s.in_channels * (size_t)s.in_height * (size_t)s.in_width;
    classes = (size_t)s.classes;
    input = read_values(folder, "input", pixels);
    cotangent = read_values(folder, "cotangent", classes);
    logits = malloc(classes * sizeof *logits);
    features = malloc((size_t)s.maps * (size_t)s.height * (size_t)s.width * sizeof *features);
    gradient = malloc(pixels * sizeof *gradient);
    if (!logits || !features || !gradient ||
        b->forward(state, input, logits, features) != KLDVE_OK) {
        printf("forward: %s\n", kldve_ctx_message(ctx));
        return 2;
    }
    write_values(folder, "logits", logits, classes);
    for (; *what; what++) {
        bool biases = strcmp(*what, "biases") == 0;
        int rule = 0;
        kldve_status st;

        while (rule < RULES && strcmp(*what, rules[rule].name) != 0)
            rule++;
        if (rule < RULES)
            st = b->vjp_input(state, cotangent, rules[rule].rule, gradient);
        else if (biases)
            st = b->vjp_biases(state, cotangent, gradient, show, NULL);
        else
            st = explain(ctx, net, input, *what, largest(cotangent, s.classes), folder);
        if (st == KLDVE_OK && (rule < RULES || biases))
            write_values(folder, *what, gradient, pixels);
        if (st != KLDVE_OK) {
            printf("%s: %s: %s\n", *what, kldve_status_name(st), kldve_ctx_message(ctx));
            bad = 1;
        }
    }
    b->close(state);
    free(input);
    free(cotangent);
    free(logits);
    free(features);
    free(gradient);
    return bad;
}

int main(int argc, char **argv)
{
    kldve_onnx_options options = {.struct_size = sizeof options,
                                  .flags = KLDVE_ONNX_VJP_INPUT | KLDVE_ONNX_NO_VJP};
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
