/* consumer_onnx.c - a user's program that uses the engine, built through pkg-config only. */
#include <stdio.h>

#include <kldve/onnx.h>

int main(int argc, char **argv)
{
    kldve_onnx *net = NULL;
    kldve_ctx *ctx = NULL;
    kldve_status st;

    if (argc != 2 || kldve_ctx_new(NULL, &ctx) < 0)
        return 2;
    st = kldve_onnx_load(ctx, argv[1], NULL, &net);
    printf("%s: %s\n", kldve_status_name(st), kldve_ctx_message(ctx));
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    return st == KLDVE_E_IO ? 0 : 1; /* there is no such file */
}
