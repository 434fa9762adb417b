/* small_host.c [engine] - what a program holds in memory: once it runs, after kldve_ctx_new(), and
 * after one explanation, of arrays or (built with -DENGINE) of a picture by the built-in network.
 * Prints kB of resident memory; bench/sizes.sh runs it. */
#include <stdio.h>
#include <unistd.h>

#ifdef ENGINE
#include <kldve/onnx.h>
#else
#include <kldve/kldve.h>
#endif

/* Resident memory, kB; the second number of this file counts pages. */
static long resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = -1;

    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        pages = -1;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static kldve_status explain(kldve_ctx *ctx, kldve_heatmap **map)
{
#ifdef ENGINE
    kldve_explainer *net = NULL;
    kldve_image *grey = NULL;
    kldve_status st = kldve_onnx_explainer(ctx, NULL, NULL, &net);

    st = st ? st : kldve_image_new(ctx, 128, 128, &grey);
    return st ? st : kldve_explain(net, grey, NULL, map);
#else
    static float logits[1000], features[512 * 49], gradient[512 * 49];
    kldve_arrays arrays = {
        .struct_size = sizeof arrays, .classes = 1000, .maps = 512, .height = 7, .width = 7};

    logits[3] = 1;
    features[9] = gradient[9] = 1;
    arrays.logits = logits;
    arrays.features = features;
    arrays.gradient = gradient;
    return kldve_explain_arrays(ctx, &arrays, NULL, map);
#endif
}

int main(void)
{
    long bare = resident(), made;
    kldve_ctx *ctx = NULL;
    kldve_heatmap *map = NULL;

    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return 1;
    made = resident();
    if (explain(ctx, &map) != KLDVE_OK) {
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
        return 1;
    }
    printf("%ld %ld %ld\n", bare, made, resident());
    return 0; /* the system takes the memory back */
}
