/* shortest.c - the shortest complete program: a network, a picture, a heat map over the picture.
 *
 *     shortest NETWORK.onnx PICTURE OUT.png        NETWORK "-": the demonstration network */
#include <kldve/onnx.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    kldve_ctx *ctx = NULL;
    kldve_explainer *net = NULL;
    kldve_image *photo = NULL, *why = NULL;
    kldve_heatmap *map = NULL;
    int failed;

    if (argc != 4 || kldve_ctx_new(NULL, &ctx))
        return 2;
    failed = kldve_onnx_explainer(ctx, strcmp(argv[1], "-") ? argv[1] : NULL, NULL, &net) ||
             kldve_image_load(ctx, argv[2], &photo) || kldve_explain(net, photo, NULL, &map) ||
             kldve_heatmap_render(ctx, map, photo, NULL, &why) ||
             kldve_image_save(ctx, why, argv[3], 0);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    kldve_image_free(why);
    kldve_heatmap_free(map);
    kldve_image_free(photo);
    kldve_explainer_free(net);
    kldve_ctx_free(ctx);
    return failed != 0;
}
