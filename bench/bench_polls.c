/* bench_polls.c - how soon a call can be stopped: the longest time between two polls.
 *
 *     bench-polls MODEL.onnx [THREADS [METHOD...]]
 *
 * Loads the network, then explains one input with every method that works (or those that are named)
 * twice: the first time plans what the method needs.  The figures are those that the library logs
 * at the end of each call, KLDVE_LOG_DEBUG. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/method.h>
#include <kldve/onnx.h>

/* The line ends in "after T ms, N polls at most M ms apart". */
static void print_line(void *opaque, int32_t level, const char *line)
{
    const char *label = opaque, *after = strstr(line, " after ");
    double took = 0, longest = 0;
    long long polls = 0;

    if (level == KLDVE_LOG_DEBUG && after && *label &&
        sscanf(after, " after %lf ms, %lld polls at most %lf", &took, &polls, &longest) == 3)
        printf("| %s | %.0f | %lld | %.1f |\n", label, took, polls, longest);
}

static float *some_input(const kldve_shape *s)
{
    size_t count = (size_t)s->in_channels * (size_t)s->in_height * (size_t)s->in_width;
    float *input = malloc(count * sizeof *input);

    for (size_t i = 0; input && i < count; i++)
        input[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    return input;
}

static void explain(kldve_ctx *ctx, kldve_explainer *ex, const float *input,
                    const kldve_method *method)
{
    const kldve_options o = {.struct_size = sizeof o,
                             .method = method->name,
                             .samples = method->options & KLDVE_OPTION_SAMPLES ? 16 : 0,
                             .stride = method->options & KLDVE_OPTION_STRIDE ? 64 : 0};
    kldve_heatmap *map = NULL;
    char label[100] = "";

    kldve_ctx_set_log(ctx, KLDVE_LOG_DEBUG, print_line, label);
    if (kldve_explainer_check(ex, &o) != KLDVE_OK)
        return;
    snprintf(label, sizeof label, "%s", method->name);
    if (kldve_explain_input(ex, input, &o, &map) != KLDVE_OK)
        fprintf(stderr, "%s: %s\n", method->name, kldve_ctx_message(ctx));
    kldve_heatmap_free(map);
}

static int is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 3; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return 1;
    return argc <= 3;
}

int main(int argc, char **argv)
{
    kldve_onnx_options o = {.struct_size = sizeof o, .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
    kldve_shape shape = {.struct_size = sizeof shape};
    const kldve_method *method;
    kldve_explainer *ex = NULL;
    kldve_ctx *ctx = NULL;
    char loading[] = "loading";
    float *input = NULL;
    int failed = 1;

    if (argc < 2 || kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return 2;
    o.threads = argc > 2 ? atoi(argv[2]) : 0;
    printf("| call | ms | polls | longest ms between two |\n|---|---|---|---|\n");
    kldve_ctx_set_log(ctx, KLDVE_LOG_DEBUG, print_line, loading);
    if (kldve_onnx_explainer(ctx, argv[1], &o, &ex) != KLDVE_OK ||
        kldve_explainer_shape(ex, &shape) != KLDVE_OK || !(input = some_input(&shape)))
        goto done;
    failed = 0;
    for (int32_t i = 0; kldve_method_at(ctx, i, &method) == KLDVE_OK; i++)
        if (is_wanted(method->name, argc, argv))
            explain(ctx, ex, input, method);
done:
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    free(input);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    return failed;
}
