/* message.c - the message of a context's last failure. */
#include <kldve/backend.h>

#include <stdarg.h>
#include <stdio.h>

#include "ctx.h"
#include "ctx_struct.h"

/* Names from hostile files end up here. */
void kldve_one_line(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

const char *kldve_ctx_message(const kldve_ctx *ctx)
{
    return ctx ? ctx->message : "";
}

kldve_status kldve_ctx_failf(kldve_ctx *ctx, kldve_status status, const char *format, ...)
{
    va_list args;

    if (!ctx)
        return status;
    va_start(args, format);
    vsnprintf(ctx->message, sizeof ctx->message, format, args);
    va_end(args);
    kldve_one_line(ctx->message);
    return status;
}

kldve_status kldve_ctx_fail(kldve_ctx *ctx, kldve_status status, const char *message)
{
    return kldve_ctx_failf(ctx, status, "%s", message);
}
