/* given_limits.c - --limit NAME=N: the limits of the library, by their names. */
#include "nearest.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

/* "3", "64K", "512M", "2G": a whole number, of KiB, MiB or GiB with a letter.  False: none from 1
 * on. */
static bool read_amount(const char *text, int64_t *out)
{
    static const char letters[] = "KMG";
    const char *letter;
    char *end;
    long long value;

    if (*text < '0' || *text > '9')
        return false;
    value = strtoll(text, &end, 10);
    if (*end && (letter = strchr(letters, *end)) && !end[1]) {
        int bits = 10 * (int)(letter - letters + 1);

        if (value > INT64_MAX >> bits)
            return false;
        value <<= bits;
        end++;
    }
    *out = value;
    return value >= 1 && !*end;
}

/* "NAME=N".  False: no such name (*limit is -1), or no such amount. */
static bool read_limit(const char *text, int32_t *limit, int64_t *value)
{
    size_t n = strcspn(text, "=");
    const char *name;

    for (*limit = 0; (name = kldve_limit_name(*limit)); ++*limit)
        if (strlen(name) == n && memcmp(name, text, n) == 0)
            return text[n] && read_amount(text + n + 1, value);
    *limit = -1;
    return false;
}

static int refuse_limit(const char *command, const char *text)
{
    int n = (int)strcspn(text, "=");
    char names[MESSAGE_SIZE / 2] = "", hint[NEAREST_HINT];
    nearest near;

    nearest_begin(&near, text, (size_t)n);
    for (int32_t i = 0; kldve_limit_name(i); i++) {
        list_name(names, sizeof names, kldve_limit_name(i));
        nearest_offer(&near, kldve_limit_name(i));
    }
    if (nearest_best(&near))
        return args_usage(command, "--limit: there is no limit '%.*s'%s", n, text,
                          nearest_hint(&near, "", hint));
    return args_usage(command, "--limit: there is no limit '%.*s'; the limits are %s", n, text,
                      names);
}

int limits_check(const char *command, const arg_list *given)
{
    int32_t limit;
    int64_t value;

    for (int32_t i = 0; i < given->count; i++) {
        if (read_limit(given->text[i], &limit, &value))
            continue;
        if (limit >= 0)
            return args_usage(command,
                              "--limit: '%s': give %s=N, a whole number from 1 on; K, M or G "
                              "behind it count KiB, MiB or GiB",
                              given->text[i], kldve_limit_name(limit));
        return refuse_limit(command, given->text[i]);
    }
    return EXIT_DONE;
}

bool limits_set(kldve_ctx *ctx, const arg_list *given)
{
    int32_t limit;
    int64_t value;

    for (int32_t i = 0; i < given->count; i++)
        if (read_limit(given->text[i], &limit, &value) &&
            kldve_ctx_set_limit(ctx, limit, value) < 0) {
            complain("--limit: %s", kldve_ctx_message(ctx));
            return false;
        }
    return true;
}
