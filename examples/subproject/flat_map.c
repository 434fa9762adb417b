/* flat_map.c - whether a map has anything to see, from the arrays of an inference. */
#include <kldve/kldve.h>
#include <stdio.h>

int main(void)
{
    const float logits[3] = {2, 1, 0};
    const float features[8] = {0, 1, 0, 0, 1, 0, 0, 0}; /* [maps][height][width] */
    const float gradient[8] = {1, 1, 1, 1, -1, -1, -1, -1};
    kldve_arrays arrays = {.struct_size = sizeof arrays, .logits = logits, .classes = 3};
    kldve_record record = {.struct_size = sizeof record};
    kldve_ctx *ctx = NULL;
    kldve_heatmap *map = NULL;
    int failed;

    arrays.features = features;
    arrays.gradient = gradient;
    arrays.maps = arrays.height = arrays.width = 2;
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return 2;
    failed = kldve_explain_arrays(ctx, &arrays, NULL, &map) || kldve_heatmap_record(map, &record);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    else
        printf("class %d, %s\n", (int)record.target,
               record.flags & KLDVE_RESULT_FLAT ? "nothing to see" : "a map");
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    return failed;
}
