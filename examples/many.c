/* many.c - several pictures at once: the class of each, and where the network looked.
 *
 *     many NETWORK.onnx PICTURE...        NETWORK "-": the demonstration network */
#include <kldve/onnx.h>

#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 4, MOST = 64 };

/* The class, and the centre of the most important cell in pixels of the picture. */
static void print(const char *path, const kldve_image *photo, const kldve_heatmap *map)
{
    kldve_record r = {.struct_size = sizeof r};
    const float *value;
    int32_t best = 0;

    if (kldve_heatmap_record(map, &r) || kldve_heatmap_values(map, &value, NULL))
        return;
    for (int32_t i = 0; i < r.height * r.width; i++)
        if (value[i] > value[best])
            best = i;
    printf("%s: class %d, %.0f %%, because of what is at %.0f, %.0f\n", path, (int)r.target,
           100 * (double)r.probability,
           kldve_image_width(photo) *
               (r.seen_x + r.seen_width * ((best % r.width) + 0.5) / r.width),
           kldve_image_height(photo) *
               (r.seen_y + r.seen_height * ((best / r.width) + 0.5) / r.height));
}

int main(int argc, char **argv)
{
    const kldve_onnx_options options = {.struct_size = sizeof options, .batch = AT_ONCE};
    kldve_ctx *ctx = NULL;
    kldve_explainer *net = NULL;
    kldve_image *photo[MOST] = {NULL};
    kldve_heatmap *map[MOST] = {NULL};
    int count = argc - 2, failed;

    if (count < 1 || count > MOST || kldve_ctx_new(NULL, &ctx))
        return 2;
    failed = kldve_onnx_explainer(ctx, strcmp(argv[1], "-") ? argv[1] : NULL, &options, &net);
    for (int i = 0; i < count && !failed; i++)
        failed = kldve_image_load(ctx, argv[2 + i], &photo[i]);
    if (!failed)
        failed = kldve_explain_many(net, (const kldve_image *const *)photo, count, NULL, map);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    for (int i = 0; i < count; i++) {
        if (!failed)
            print(argv[2 + i], photo[i], map[i]);
        kldve_heatmap_free(map[i]);
        kldve_image_free(photo[i]);
    }
    kldve_explainer_free(net);
    kldve_ctx_free(ctx);
    return failed != 0;
}
