/* pixels.c - heat over a frame in the program's own memory, as cameras and OpenCV hand them over:
 * B, G, R of 8 bits.  Nothing is converted or copied; the frame is drawn upon in place.
 *
 *     pixels NETWORK.onnx WIDTH HEIGHT < FRAME > DRAWN      NETWORK "-": the demonstration network
 */
#include <kldve/onnx.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The frame as a picture, explained, and the heat drawn where it lies. */
static int draw(kldve_ctx *ctx, kldve_explainer *net, const kldve_pixels *frame)
{
    kldve_image *photo = NULL;
    kldve_heatmap *map = NULL;
    int failed = kldve_image_borrow(ctx, frame, NULL, NULL, &photo) ||
                 kldve_explain(net, photo, NULL, &map) ||
                 kldve_heatmap_render_into(ctx, map, photo, NULL, frame);

    kldve_heatmap_free(map);
    kldve_image_free(photo);
    return failed;
}

int main(int argc, char **argv)
{
    int32_t width = argc == 4 ? atoi(argv[2]) : 0, height = argc == 4 ? atoi(argv[3]) : 0;
    size_t nbytes = width > 0 && height > 0 ? 3 * (size_t)width * (size_t)height : 0;
    unsigned char *bgr = malloc(nbytes + 1);
    kldve_pixels frame = kldve_pixels_of(KLDVE_PIXEL_BGR, width, height, bgr, 0);
    kldve_ctx *ctx = NULL;
    kldve_explainer *net = NULL;
    int failed = 2;

    if (bgr && nbytes > 0 && fread(bgr, 1, nbytes, stdin) == nbytes && !kldve_ctx_new(NULL, &ctx)) {
        failed = kldve_onnx_explainer(ctx, strcmp(argv[1], "-") ? argv[1] : NULL, NULL, &net) ||
                 draw(ctx, net, &frame);
        if (failed)
            fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
        else
            failed = fwrite(bgr, 1, nbytes, stdout) != nbytes;
    }
    kldve_explainer_free(net);
    kldve_ctx_free(ctx);
    free(bgr);
    return failed;
}
