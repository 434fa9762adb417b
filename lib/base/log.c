/* log.c - lines for the host's log. */
#include <kldve/backend.h>

#include <stdarg.h>
#include <stdio.h>

#include "ctx.h"
#include "ctx_struct.h"
#include "float_env.h"

enum { LINE_SIZE = 1024 };

void kldve_ctx_set_log(kldve_ctx *ctx, int32_t max_level, kldve_log_fn log, void *opaque)
{
    if (!ctx)
        return;
    ctx->log = log;
    ctx->log_opaque = opaque;
    ctx->log_level = max_level;
}

void kldve_ctx_logf(kldve_ctx *ctx, int32_t level, const char *format, ...)
{
    char line[LINE_SIZE], clean[LINE_SIZE];
    kldve_own own;
    va_list args;

    if (!ctx || !format || !ctx->log || level > ctx->log_level)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    kldve_printable(line, clean, sizeof clean);
    own = kldve_ctx_to_host(ctx);
    ctx->log(ctx->log_opaque, level, clean);
    kldve_ctx_from_host(ctx, &own);
}
