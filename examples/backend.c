/* backend.c - a program that passes its own network to the library as a table of calls.  It links
 * only libkldve.
 *
 *     backend PICTURE COLOUR OUT.png        draws the heat over the picture, prints the map */
#include <kldve/kldve.h>

#include <stdio.h>

#include "colours.h"

static kldve_status colours_open(kldve_ctx *ctx, const void *config, void **state)
{
    (void)ctx;
    (void)config;
    *state = NULL; /* a network that has its own memory keeps it here */
    return KLDVE_OK;
}

static void colours_shape(const void *state, kldve_shape *out)
{
    (void)state;
    out->in_channels = 3;
    out->in_height = out->in_width = COLOURS_SIDE;
    out->classes = COLOURS;
    out->maps = COLOURS_MAPS;
    out->height = out->width = COLOURS_GRID;
}

static kldve_status colours_run(void *state, const float *input, float *logits, float *features)
{
    (void)state;
    colours_forward(input, features, logits);
    return KLDVE_OK;
}

static kldve_status colours_vjp(void *state, const float *cotangent, float *gradient)
{
    (void)state;
    colours_backward(cotangent, gradient);
    return KLDVE_OK;
}

static void colours_close(void *state)
{
    (void)state;
}

static const kldve_backend colours = {
    .struct_size = sizeof colours,
    .name = "colours",
    .open = colours_open,
    .shape = colours_shape,
    .forward = colours_run,
    .close = colours_close,
    .vjp = colours_vjp,
};

int main(int argc, char **argv)
{
    const kldve_input_spec spec = {.struct_size = sizeof spec, .scale = 1 / 255.0f};
    kldve_options why = {.struct_size = sizeof why, .target_kind = KLDVE_TARGET_INDEX};
    kldve_ctx *ctx = NULL;
    kldve_explainer *net = NULL;
    kldve_image *photo = NULL, *drawn = NULL;
    kldve_heatmap *map = NULL;
    const float *value;
    int32_t cells = 0; /* none after a failure */
    int failed;

    if (argc != 4 || (why.target = colours_class(argv[2])) < 0 || kldve_ctx_new(NULL, &ctx))
        return 2;
    failed = kldve_explainer_new(ctx, &colours, NULL, &net) ||
             kldve_explainer_set_input(net, &spec) || kldve_image_load(ctx, argv[1], &photo) ||
             kldve_explain(net, photo, &why, &map) ||
             kldve_heatmap_render(ctx, map, photo, NULL, &drawn) ||
             kldve_image_save(ctx, drawn, argv[3], 0);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    kldve_heatmap_values(map, &value, &cells);
    for (int32_t i = 0; i < cells; i++)
        printf("%.6f%c", (double)value[i], (i + 1) % COLOURS_GRID ? ' ' : '\n');
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_image_free(photo);
    kldve_explainer_free(net);
    kldve_ctx_free(ctx);
    return failed != 0;
}
