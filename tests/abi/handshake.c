/* handshake.c - the engine refuses a core of another release, and takes its own.  handshake_core.c,
 * preloaded, stands in for the other one. */
#include <stdio.h>
#include <string.h>

#include <kldve/onnx.h>

int main(void)
{
    kldve_ctx *ctx = NULL;
    kldve_onnx *net = NULL;
    kldve_status st;
    int foreign = kldve_version_number() != kldve_onnx_version_number(), good;

    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return 2;
    st = kldve_onnx_load_memory(ctx, "", 0, NULL, &net);
    puts(kldve_ctx_message(ctx));
    good = strstr(kldve_ctx_message(ctx), "install both of one release") != NULL;
    kldve_ctx_free(ctx);
    return foreign ? !(good && st == KLDVE_E_UNSUPPORTED) : good || st == KLDVE_OK;
}
