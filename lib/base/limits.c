/* limits.c - how much a context takes in and spends: names, defaults, and the one way to refuse
 * what is more. */
#include "limits.h"

#include <kldve/backend.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "ctx_struct.h"

static const struct limit {
    const char *name;
    int64_t standard;
    bool bytes;
} limits[KLDVE_LIMITS] = {
    [KLDVE_LIMIT_MEMORY] = {"memory", INT64_MAX, true},
    [KLDVE_LIMIT_WORKING_MEMORY] = {"working-memory", INT64_C(1) << 30, true},
    [KLDVE_LIMIT_WEIGHTS] = {"weights", INT64_MAX, true},
    [KLDVE_LIMIT_GRAPH] = {"graph", INT64_C(1) << 30, true},
    [KLDVE_LIMIT_MODEL] = {"model", INT64_C(2) << 30, true},
    [KLDVE_LIMIT_EXTERNAL] = {"external", INT64_C(4) << 30, true},
    [KLDVE_LIMIT_UNPACKED] = {"unpacked", INT64_C(768) << 20, true},
    [KLDVE_LIMIT_NODES] = {"nodes", 1000000, false},
    [KLDVE_LIMIT_CARD] = {"card", INT64_C(1) << 20, true},
    [KLDVE_LIMIT_LABELS] = {"labels", INT64_C(16) << 20, true},
    [KLDVE_LIMIT_PICTURE_FILE] = {"picture-file", INT64_C(256) << 20, true},
    [KLDVE_LIMIT_PICTURE_PIXELS] = {"picture-pixels", 100000000, false},
};

static bool is_limit(int32_t limit)
{
    return limit >= 0 && limit < KLDVE_LIMITS;
}

const char *kldve_limit_name(int32_t limit)
{
    return is_limit(limit) ? limits[limit].name : NULL;
}

kldve_status kldve_ctx_set_limit(kldve_ctx *ctx, int32_t limit, int64_t value)
{
    if (!ctx)
        return KLDVE_E_ARG;
    if (!is_limit(limit))
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED, "libkldve %s has no limit number %d",
                               kldve_version(), (int)limit);
    if (value < 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "the limit '%s' cannot be negative; 0 stands for the default",
                               limits[limit].name);
    ctx->limit[limit] = value;
    return KLDVE_OK;
}

int64_t kldve_limit_of(const kldve_ctx *ctx, int32_t limit)
{
    return ctx->limit[limit] ? ctx->limit[limit] : limits[limit].standard;
}

kldve_status kldve_ctx_limit(const kldve_ctx *ctx, int32_t limit, int64_t *value)
{
    if (!ctx || !value || !is_limit(limit))
        return KLDVE_E_ARG;
    *value = kldve_limit_of(ctx, limit);
    return KLDVE_OK;
}

/* "64 MiB", "1000000 pixels"; bytes that are no whole unit as bytes. */
static void say(const struct limit *l, int64_t value, char *text, size_t size)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    int unit = 0;

    while (l->bytes && unit < 3 && value >= 1024 && value % 1024 == 0) {
        value /= 1024;
        unit++;
    }
    snprintf(text, size, "%" PRId64 "%s%s", value, l->bytes ? " " : "",
             l->bytes ? units[unit] : "");
}

void kldve_limit_advice(const kldve_ctx *ctx, int32_t limit, char *text, size_t size)
{
    char value[48];

    say(&limits[limit], kldve_limit_of(ctx, limit), value, sizeof value);
    snprintf(text, size,
             "the limit '%s' is %s; raise it with kldve_ctx_set_limit(), for the command with "
             "--limit %s=N",
             limits[limit].name, value, limits[limit].name);
}

kldve_status kldve_ctx_fail_limit(kldve_ctx *ctx, int32_t limit, const char *format, ...)
{
    char what[KLDVE_MESSAGE_SIZE], advice[KLDVE_ADVICE_SIZE];
    va_list args;

    if (!ctx || !is_limit(limit))
        return KLDVE_E_LIMIT;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    kldve_limit_advice(ctx, limit, advice, sizeof advice);
    /* A long name must not push the advice out of the message. */
    return kldve_ctx_failf(ctx, KLDVE_E_LIMIT, "%.*s: %s",
                           KLDVE_MESSAGE_SIZE - KLDVE_ADVICE_SIZE - 3, what, advice);
}
