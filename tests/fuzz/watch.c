/* watch.c - see watch.h. */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static clock_t begun; /* harnesses are programs: one input at a time */

void watch_that(bool holds, const char *why)
{
    if (holds)
        return;
    fprintf(stderr, "broken promise: %s\n", why);
    abort();
}

/* ---- text --------------------------------------------------------------------------------- */

/* The code point at *at, which moves behind it; -1: no UTF-8. */
static long take_code(const unsigned char **at)
{
    const unsigned char *c = *at;
    int more = *c < 0x80 ? 0 : *c >= 0xc2 && *c < 0xe0 ? 1 : (*c & 0xf0) == 0xe0 ? 2 : 3;
    long code = more == 0 ? *c : *c & (0x3f >> more);
    static const long least[] = {0, 0x80, 0x800, 0x10000};

    if ((*c >= 0x80 && *c < 0xc2) || *c > 0xf4)
        return -1;
    for (int i = 1; i <= more; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return -1;
        code = code << 6 | (c[i] & 0x3f);
    }
    *at += more + 1;
    return code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? -1 : code;
}

void watch_text(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        long code = take_code(&at);

        watch_that(code >= 0, "text is no UTF-8");
        watch_that(code >= 0x20 && (code < 0x7f || code > 0x9f), "text has control characters");
        watch_that((code < 0x202a || code > 0x202e) && (code < 0x2066 || code > 0x2069),
                   "text turns its direction");
    }
}

/* ---- calls -------------------------------------------------------------------------------- */

kldve_ctx *watch_open(void)
{
    static const struct {
        kldve_limit limit;
        int64_t value;
    } limits[] = {
        {KLDVE_LIMIT_MEMORY, WATCH_MEMORY},
        {KLDVE_LIMIT_WORKING_MEMORY, WATCH_MEMORY / 4},
        {KLDVE_LIMIT_PICTURE_PIXELS, 1000000},
    };
    kldve_ctx *ctx;

    begun = clock();
    watch_that(kldve_ctx_new(NULL, &ctx) == KLDVE_OK, "no memory for a context");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        watch_that(kldve_ctx_set_limit(ctx, (int32_t)limits[i].limit, limits[i].value) == KLDVE_OK,
                   "a limit cannot be set");
    return ctx;
}

void watch_call(const kldve_ctx *ctx, kldve_status status, bool made)
{
    const char *message = kldve_ctx_message(ctx);

    if (getenv("KLDVE_FUZZ_SHOW"))
        fprintf(stderr, "%s, output %s: %s\n", kldve_status_name(status),
                made ? "written" : "not written", message);
    watch_that(status <= 0 && strcmp(kldve_status_name(status), "unknown status") != 0,
               "a status that is none");
    watch_that((status == KLDVE_OK) == made,
               "an output is written on success only, and always then");
    watch_that((status == KLDVE_OK) == !*message, "a failure has a message, a success none");
    watch_text(message);
}

void watch_memory(const kldve_ctx *ctx, size_t before)
{
    size_t now, most;

    watch_that(kldve_ctx_memory(ctx, &now, &most) == KLDVE_OK, "memory cannot be asked for");
    watch_that(now == before, "memory is left");
    watch_that(most <= WATCH_MEMORY, "more memory than the limit");
}

void watch_time(void)
{
    watch_that(clock() - begun <= WATCH_SECONDS * (clock_t)CLOCKS_PER_SEC, "it took too long");
}

void watch_close(kldve_ctx *ctx)
{
    watch_memory(ctx, 0);
    kldve_ctx_free(ctx);
    watch_time();
}
