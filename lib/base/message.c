/* message.c - the message of a context's last failure. */
#include <kldve/backend.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctx.h"
#include "ctx_struct.h"
#include "limits.h"

const char *kldve_ctx_message(const kldve_ctx *ctx)
{
    return ctx ? ctx->message : "";
}

void kldve_ctx_clear(kldve_ctx *ctx)
{
    if (ctx)
        ctx->message[0] = '\0';
}

/* Out of memory because of a limit: the message says so, once. */
static void say_limit(kldve_ctx *ctx)
{
    char advice[KLDVE_ADVICE_SIZE];
    size_t length = strlen(ctx->message);
    int refused = atomic_exchange(&ctx->held->refused, 0);

    if (!refused)
        return;
    kldve_limit_advice(ctx, refused - 1, advice, sizeof advice);
    snprintf(ctx->message + length, sizeof ctx->message - length, ": %s", advice);
}

/* What a caller who gives no reason says. */
static const char *or_status(const char *format, kldve_status status)
{
    if (format)
        return format;
    return status < 0 ? kldve_status_name(status) : "";
}

kldve_status kldve_ctx_failf(kldve_ctx *ctx, kldve_status status, const char *format, ...)
{
    char text[KLDVE_MESSAGE_SIZE];
    va_list args;

    if (!ctx)
        return status;
    va_start(args, format);
    vsnprintf(text, sizeof text, or_status(format, status), args);
    va_end(args);
    kldve_printable(text, ctx->message, sizeof ctx->message); /* names come from hostile files */
    if (status == KLDVE_E_NOMEM)
        say_limit(ctx);
    return status;
}

kldve_status kldve_ctx_over_budget(kldve_ctx *ctx, kldve_status status)
{
    bool over = atomic_exchange(&ctx->held->over, false);

    return over && status == KLDVE_E_NOMEM ? KLDVE_E_LIMIT : status;
}

kldve_status kldve_ctx_fail(kldve_ctx *ctx, kldve_status status, const char *message)
{
    return kldve_ctx_failf(ctx, status, "%s", or_status(message, status));
}

kldve_status kldve_ctx_fail_limit(kldve_ctx *ctx, int32_t limit, const char *format, ...)
{
    char what[KLDVE_MESSAGE_SIZE], advice[KLDVE_ADVICE_SIZE];
    va_list args;

    if (!ctx || !kldve_is_limit(limit))
        return KLDVE_E_LIMIT;
    va_start(args, format);
    vsnprintf(what, sizeof what, or_status(format, KLDVE_E_LIMIT), args);
    va_end(args);
    kldve_limit_advice(ctx, limit, advice, sizeof advice);
    /* A long name must not push the advice out of the message. */
    return kldve_ctx_failf(ctx, KLDVE_E_LIMIT, "%.*s: %s",
                           KLDVE_MESSAGE_SIZE - KLDVE_ADVICE_SIZE - 3, what, advice);
}
