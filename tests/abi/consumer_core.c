/* consumer_core.c [OUT.png] - a user's program, built against an installation only: explains
 * arrays, and draws the map where it is told to. */
#include <stdio.h>
#include <string.h>

#include <kldve/kldve.h>

int main(int argc, char **argv)
{
    const float logits[3] = {2, 1, 0};
    const float features[8] = {0, 1, 0, 0, 1, 0, 0, 0}; /* [2][2][2] */
    const float gradient[8] = {1, 1, 1, 1, -1, -1, -1, -1};
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = logits,
                                 .features = features,
                                 .gradient = gradient,
                                 .classes = 3,
                                 .maps = 2,
                                 .height = 2,
                                 .width = 2};
    kldve_heatmap *map = NULL;
    kldve_image *drawn = NULL;
    kldve_ctx *ctx = NULL;
    const float *value;
    int good;

    if (kldve_ctx_new(NULL, &ctx) < 0 || kldve_explain_arrays(ctx, &arrays, NULL, &map) < 0) {
        fprintf(stderr, "consumer: %s\n", kldve_ctx_message(ctx));
        return 1;
    }
    /* The first map has the positive weight and is active in the second cell. */
    good = kldve_heatmap_values(map, &value, NULL) == KLDVE_OK && value[1] == 1 &&
           strcmp(kldve_version(), VERSION) == 0;
    if (argc > 1)
        good = good && kldve_heatmap_render(ctx, map, NULL, NULL, &drawn) == KLDVE_OK &&
               kldve_image_save(ctx, drawn, argv[1], 0) == KLDVE_OK;
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    return !good;
}
