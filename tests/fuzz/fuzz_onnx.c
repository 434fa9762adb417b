/* fuzz_onnx.c - any bytes as an .onnx file: read, tapped, built into a graph, and, if it is a small
 * network, run forward and backward, as a whole and as its head.  The target `onnx` changes bytes,
 * `graph` what they mean (mutate_graph.h).  The files of their folders were made with
 * make-network: `BUILD/tests/onnx/networks/make-network corpus FOLDER` makes more. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "build/build.h"
#include "read/proto.h"
#include "read/tap.h"
#include "run_onnx.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Every byte that the model says is there must be there. */
static void touch(const kx_model *m)
{
    volatile unsigned sum = 0;

    for (int32_t i = 0; i < m->ninitializer; i++) {
        const kx_proto_tensor *t = &m->initializer[i];
        static const unsigned char size[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 0, 0, 2};
        size_t last = t->dtype <= KX_ONNX_BFLOAT16 ? t->count * size[t->dtype] : 0;

        if (t->data && last > 0)
            sum += *(const unsigned char *)t->data + ((const unsigned char *)t->data)[last - 1];
    }
    for (int32_t i = 0; i < m->nnode; i++) {
        const kx_proto_node *node = &m->node[i];

        for (int32_t k = 0; k < node->nin; k++)
            sum += (unsigned)strlen(node->in[k]);
        for (int32_t k = 0; k < node->nout; k++)
            sum += (unsigned)strlen(node->out[k]);
    }
    (void)sum;
}

/* What its nodes make can be tapped, and then it is the same model with more outputs. */
static void tap(kldve_ctx *ctx, const kx_model *m, const uint8_t *bytes, size_t n)
{
    kx_model *tapped;
    void *more;
    size_t nmore;
    uint8_t *all;

    if (m->nmade == 0 ||
        kx_tap(ctx, "", bytes, n, m->made, m->nmade < 4 ? (int32_t)m->nmade : 4, &more, &nmore) < 0)
        return;
    all = malloc(n + nmore);
    memcpy(all, bytes, n);
    memcpy(all + n, more, nmore);
    if (kx_model_read(ctx, all, n + nmore, &tapped) ==
        KLDVE_OK) { /* else what describes it is odd */
        if (tapped->noutput < m->noutput || tapped->nnode != m->nnode)
            abort();
        kx_model_free(tapped);
    }
    kldve_ctx_release(ctx, more);
    free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const kx_graph_options options = {.batch = 1, .height = 8, .width = 8};
    kldve_ctx *ctx = watch_open();
    kx_model *m = NULL;
    kx_graph *g = NULL;
    kldve_status status = kx_model_read(ctx, bytes, n, &m);
    double before;

    watch_call(ctx, status, m != NULL);
    if (m) {
        touch(m);
        tap(ctx, m, bytes, n);
        before = kldve_ctx_enter(ctx, "building", 0); /* the message of tapping goes */
        status = kldve_ctx_leave(ctx, before, kx_graph_new(ctx, m, &options, &g));
        watch_call(ctx, status, g != NULL);
        kx_graph_free(g);
        if (g)
            run_onnx(ctx, bytes, n, n % 8 == 0);
        kx_model_free(m);
    }
    watch_close(ctx);
    return 0;
}
