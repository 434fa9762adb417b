/* weight_files.c - the files beside a network's own in which it keeps weights. */
#include <kldve/onnx.h>

#include "handshake.h"
#include "read/proto.h"

kldve_status kldve_onnx_weight_files(kldve_ctx *ctx, const char *path, kldve_onnx_file_fn visit,
                                     void *opaque)
{
    kx_model *model = NULL;
    const char *file;
    kldve_status st;
    double before;

    if (!ctx || !path || !visit)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_weight_files: NULL argument");
    if ((st = kx_handshake(ctx)) < 0)
        return st;
    before = kldve_ctx_enter(ctx, "reading", 0);
    st = kx_model_open(ctx, path, false, &model);
    for (int32_t i = 0; st == KLDVE_OK && (file = kx_model_external(model, i)); i++)
        st = visit(opaque, file);
    kx_model_free(model);
    return kldve_ctx_leave(ctx, before, st);
}
