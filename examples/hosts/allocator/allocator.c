/* allocator.c - a program that gives the library its memory from a pool of a fixed size, and says
 * how much of it the library took.  Where the pool is too small, the call fails and everything is
 * freed.
 *
 *     allocator NETWORK.onnx PICTURE [KIB]        KIB: size of the pool, 1..65536 */
#include <kldve/onnx.h>

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "pool.h"

enum { MOST_KIB = 64 << 10 };

static alignas(max_align_t) unsigned char memory[(size_t)MOST_KIB << 10];

/* Explain one picture; 0, or 1 after a failure, which has been said. */
static int explain(kldve_ctx *ctx, const char *network, const char *picture)
{
    kldve_record r = {.struct_size = sizeof r};
    kldve_explainer *net = NULL;
    kldve_image *photo = NULL;
    kldve_heatmap *map = NULL;
    int failed;

    failed = kldve_onnx_explainer(ctx, network, NULL, &net) ||
             kldve_image_load(ctx, picture, &photo) || kldve_explain(net, photo, NULL, &map) ||
             kldve_heatmap_record(map, &r);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    else
        printf("class %d, logit %.4f\n", (int)r.target, (double)r.logit);
    kldve_heatmap_free(map);
    kldve_image_free(photo);
    kldve_explainer_free(net);
    return failed;
}

int main(int argc, char **argv)
{
    const long kib = argc == 4 ? strtol(argv[3], NULL, 10) : MOST_KIB;
    struct pool pool;
    const kldve_allocator from_pool = {
        .struct_size = sizeof from_pool, .alloc = pool_alloc, .free = pool_free, .opaque = &pool};
    kldve_ctx *ctx = NULL;
    kldve_status status;
    int failed = 1;

    if (argc < 3 || argc > 4 || kib < 1 || kib > MOST_KIB) {
        fprintf(stderr, "usage: allocator NETWORK.onnx PICTURE [KIB]\n");
        return 2;
    }
    pool_init(&pool, memory, (size_t)kib << 10);
    status = kldve_ctx_new(&from_pool, &ctx);
    if (status)
        fprintf(stderr, "%s\n", kldve_status_name(status)); /* no context, no message */
    else
        failed = explain(ctx, argv[1], argv[2]);
    kldve_ctx_free(ctx);
    printf("pool of %zu bytes: at most %zu used, %zu calls, %zu refused, %zu blocks left\n",
           pool.size, pool.most_used, pool.calls, pool.refused, pool.blocks);
    pool_destroy(&pool);
    return failed;
}
