/* zoo_run.c - run one network through the engine's backend, with raw float32 files in and out.
 *
 *   zoo_run --list MODEL            the tensors, one per line: op, explainable, is_layer,
 *                                   channel axis, dims, name
 *   zoo_run --chosen MODEL          what is explained by default, on one line with tabs between:
 *                                   layer ("-": none), how it was chosen, all_paths, kind of the
 *                                   scores, number of scores
 *
 *   zoo_run MODEL LAYER FOLDER [SELECT]
 *                                   FOLDER/input, FOLDER/cotangent -> FOLDER/logits,
 *                                   FOLDER/features, FOLDER/gradient; LAYER "-" is the default.
 *                                   With SELECT, a part of an output that has the scores
 *                                   ("-": all), also FOLDER/pixels, the gradient at the input
 *
 * Prints "shape maps height width classes" and exits with 0, or one line that says why not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/backend.h>
#include <kldve/onnx.h>

#include "onnx/networks/raw_files.h"

/** Everything that one run holds; released in one place. */
struct run {
    kldve_ctx *ctx;
    kldve_onnx *net;
    void *state;
    kldve_shape shape;
    float *input, *cotangent, *logits, *features, *gradient, *pixels;
};

static void run_close(struct run *run)
{
    if (run->state)
        kldve_onnx_backend()->close(run->state);
    kldve_onnx_free(run->net);
    kldve_ctx_free(run->ctx);
    free(run->input);
    free(run->cotangent);
    free(run->logits);
    free(run->features);
    free(run->gradient);
    free(run->pixels);
}

/** Say what the library says, and fail. */
static int refused(const struct run *run, const char *what)
{
    printf("%s: %s\n", what, run->ctx ? kldve_ctx_message(run->ctx) : "no context");
    return 1;
}

static int list(const struct run *run)
{
    kldve_onnx_tensor tensor = {.struct_size = sizeof(tensor)};

    for (int32_t i = 0; kldve_onnx_tensor_at(run->net, i, &tensor) == KLDVE_OK; i++) {
        printf("%s %d %d %d ", tensor.op[0] ? tensor.op : "-", (int)tensor.explainable,
               (int)tensor.is_layer, (int)tensor.channel_axis);
        for (int32_t d = 0; d < tensor.rank; d++)
            printf("%s%lld", d ? "x" : "", (long long)tensor.dim[d]);
        printf("%s %s\n", tensor.rank ? "" : "scalar", tensor.name);
    }
    return 0;
}

/** Elements of the tensor of the scores; 0 if no tensor is. */
static long long count_scores(const struct run *run)
{
    kldve_onnx_tensor tensor = {.struct_size = sizeof(tensor)};
    long long count = 1;
    int32_t i = 0;

    while (kldve_onnx_tensor_at(run->net, i, &tensor) == KLDVE_OK && !tensor.is_logits)
        i++;
    for (int32_t d = 0; d < tensor.rank; d++)
        count *= (long long)tensor.dim[d];
    return tensor.is_logits ? count : 0;
}

static int chosen(const struct run *run)
{
    static const char *const how[] = {"given", "last", "joined", "best"};
    static const char *const kinds[] = {"softmax", "sigmoid", "raw", "number"};
    kldve_onnx_choice choice = {.struct_size = sizeof(choice)};

    if (kldve_onnx_chosen(run->net, &choice) != KLDVE_OK)
        return refused(run, "chosen");
    printf("%s\t%s\t%d\t%s\t%lld\n", choice.layer ? choice.layer : "-", how[choice.how],
           (int)choice.all_paths, kinds[choice.scores], count_scores(run));
    return 0;
}

static int explain_pixels(struct run *run, const char *folder, size_t pixels)
{
    run->pixels = raw_room(pixels);
    if (kldve_onnx_backend()->vjp_input(run->state, run->cotangent, KLDVE_RULE_GRADIENT,
                                        run->pixels) != KLDVE_OK)
        return refused(run, "vjp to the pixels");
    raw_write(folder, "pixels", run->pixels, pixels);
    return 0;
}

static int explain(struct run *run, const char *folder, int to_pixels)
{
    const kldve_backend *backend = kldve_onnx_backend();
    const kldve_shape *shape = &run->shape;
    size_t pixels, cells, classes;

    if (backend->open(run->ctx, run->net, &run->state) != KLDVE_OK)
        return refused(run, "open");
    backend->shape(run->state, &run->shape);
    pixels = (size_t)shape->in_channels * (size_t)shape->in_height * (size_t)shape->in_width;
    cells = (size_t)shape->maps * (size_t)shape->height * (size_t)shape->width;
    classes = (size_t)shape->classes;
    run->input = raw_read(folder, "input", pixels);
    run->cotangent = raw_read(folder, "cotangent", classes);
    run->logits = raw_room(classes);
    run->features = raw_room(cells);
    run->gradient = raw_room(cells);
    if (backend->forward(run->state, run->input, run->logits, run->features) != KLDVE_OK)
        return refused(run, "forward");
    if (cells > 0 && backend->vjp(run->state, run->cotangent, run->gradient) != KLDVE_OK)
        return refused(run, "vjp");
    raw_write(folder, "logits", run->logits, classes);
    raw_write(folder, "features", run->features, cells);
    raw_write(folder, "gradient", run->gradient, cells);
    if (to_pixels && explain_pixels(run, folder, pixels))
        return 1;
    printf("shape %d %d %d %d\n", (int)shape->maps, (int)shape->height, (int)shape->width,
           (int)shape->classes);
    return 0;
}

int main(int argc, char **argv)
{
    int listing = argc == 3 && strcmp(argv[1], "--list") == 0;
    int choosing = argc == 3 && strcmp(argv[1], "--chosen") == 0;
    const char *path = listing || choosing ? argv[2] : argv[1];
    struct run run = {.shape = {.struct_size = sizeof(kldve_shape)}};
    kldve_onnx_options options = {.struct_size = sizeof(options)};
    int bad;

    if (!listing && !choosing && argc != 4 && argc != 5) {
        printf("usage: zoo_run --list|--chosen MODEL | zoo_run MODEL LAYER FOLDER [SELECT]\n");
        return 2;
    }
    if (!listing && !choosing && strcmp(argv[2], "-") != 0)
        options.layer = argv[2];
    if (argc == 5)
        options.select = strcmp(argv[4], "-") != 0 ? argv[4] : NULL;
    if (argc == 5 || choosing)
        options.flags = KLDVE_ONNX_FLAG_VJP_INPUT;
    if (kldve_ctx_new(NULL, &run.ctx) != KLDVE_OK ||
        kldve_onnx_load(run.ctx, path, &options, &run.net) != KLDVE_OK)
        bad = refused(&run, "load");
    else if (choosing)
        bad = chosen(&run);
    else
        bad = listing ? list(&run) : explain(&run, argv[3], argc == 5);
    run_close(&run);
    return bad;
}
