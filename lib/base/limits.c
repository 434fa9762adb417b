/* limits.c - how much a context takes in and spends: names, defaults, and what a message says. */
#include "limits.h"

#include <inttypes.h>
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
    [KLDVE_LIMIT_WORK] = {"work", INT64_C(1) << 36, false},
};

bool kldve_is_limit(int32_t limit)
{
    return limit >= 0 && limit < KLDVE_LIMITS;
}

const char *kldve_limit_name(int32_t limit)
{
    return kldve_is_limit(limit) ? limits[limit].name : NULL;
}

int64_t kldve_limit_of(const kldve_ctx *ctx, int32_t limit)
{
    return ctx->limit[limit] ? ctx->limit[limit] : limits[limit].standard;
}

kldve_status kldve_ctx_limit(const kldve_ctx *ctx, int32_t limit, int64_t *value)
{
    if (!ctx || !value || !kldve_is_limit(limit))
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
