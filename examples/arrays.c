/* arrays.c - a program with its own inference engine, which has run: makes a heat map from the
 * arrays in memory.  It links only libkldve.
 *
 *     arrays PICTURE COLOUR OUT.png        draws the heat over the picture, prints the map */
#include <kldve/kldve.h>

#include <stdio.h>

#include "colours.h"

static void print(const kldve_heatmap *map)
{
    const float *value;
    int32_t cells = 0;

    kldve_heatmap_values(map, &value, &cells);
    for (int32_t i = 0; i < cells; i++)
        printf("%.6f%c", (double)value[i], (i + 1) % COLOURS_GRID ? ' ' : '\n');
}

int main(int argc, char **argv)
{
    static float input[COLOURS_INPUTS], features[COLOURS_FEATURES], gradient[COLOURS_FEATURES];
    float logits[COLOURS], cotangent[COLOURS];
    kldve_arrays arrays = {.struct_size = sizeof arrays,
                           .logits = logits,
                           .features = features,
                           .gradient = gradient,
                           .classes = COLOURS,
                           .maps = COLOURS_MAPS,
                           .height = COLOURS_GRID,
                           .width = COLOURS_GRID};
    kldve_options why = {.struct_size = sizeof why, .target_kind = KLDVE_TARGET_INDEX};
    kldve_ctx *ctx = NULL;
    kldve_image *photo = NULL, *small = NULL, *drawn = NULL;
    kldve_heatmap *map = NULL;
    int failed;

    if (argc != 4 || (why.target = colours_class(argv[2])) < 0 || kldve_ctx_new(NULL, &ctx))
        return 2;
    failed = kldve_image_load(ctx, argv[1], &photo) ||
             kldve_image_resize(ctx, photo, COLOURS_SIDE, COLOURS_SIDE, &small);
    if (!failed) {
        colours_prepare(kldve_image_pixels(small), input);
        colours_forward(input, features, logits);
        failed = kldve_arrays_cotangent(ctx, logits, COLOURS, &why, cotangent);
    }
    if (!failed) {
        colours_backward(cotangent, gradient);
        failed = kldve_explain_arrays(ctx, &arrays, &why, &map) ||
                 kldve_heatmap_render(ctx, map, photo, NULL, &drawn) ||
                 kldve_image_save(ctx, drawn, argv[3], 0);
    }
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    else
        print(map);
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_image_free(small);
    kldve_image_free(photo);
    kldve_ctx_free(ctx);
    return failed != 0;
}
