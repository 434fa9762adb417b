/* options.c - the options of one explanation, checked and with every default filled in. */
#include "options.h"

#include <math.h>
#include <string.h>

#include <kldve/backend.h>

#include "base/finite.h"
#include "faithful.h"
#include "methods/methods.h"

static const uint64_t known_flags = KLDVE_FLAG_CHECK;

static const char *const reading_names[] = {
    [KLDVE_READING_PAPER] = "paper",           [KLDVE_READING_CHANNEL] = "channel",
    [KLDVE_READING_CONTRAST] = "contrast",     [KLDVE_READING_RIVALS] = "rivals",
    [KLDVE_READING_NEIGHBOURS] = "neighbours",
};

enum { READINGS_END = sizeof reading_names / sizeof *reading_names };

kldve_status kldve_reading_from_name(const char *name, int32_t *reading)
{
    if (!name || !reading)
        return KLDVE_E_ARG;
    for (int32_t i = 1; i < READINGS_END; i++)
        if (strcmp(name, reading_names[i]) == 0) {
            *reading = i;
            return KLDVE_OK;
        }
    return KLDVE_E_NOT_FOUND;
}

const char *kldve_reading_name(int32_t reading)
{
    return reading > 0 && reading < READINGS_END ? reading_names[reading] : NULL;
}

static kldve_status check_target(kldve_ctx *ctx, const kldve_options *o)
{
    if (o->target_kind < KLDVE_TARGET_RANK || o->target_kind > KLDVE_TARGET_VERSUS)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: unknown target kind %d",
                               (int)o->target_kind);
    if (o->target_kind == KLDVE_TARGET_SET && (!o->targets || o->target_count < 1))
        return kldve_ctx_fail(
            ctx, KLDVE_E_ARG,
            "options: a set of targets needs `targets` and a `target_count` above 0");
    if (o->target_kind == KLDVE_TARGET_VERSUS && o->target == o->rival)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: class %d is its own rival",
                               (int)o->target);
    if (o->truth && (o->reading == KLDVE_READING_RIVALS || o->reading == KLDVE_READING_NEIGHBOURS))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "options: the reading %s explains a class, not a truth: choose "
                               "channel or contrast",
                               kldve_reading_name(o->reading));
    return KLDVE_OK;
}

static kldve_status check_repeats(kldve_ctx *ctx, const kldve_options *o)
{
    if (o->samples < 0 || o->window < 0 || o->stride < 0)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "options: samples, window and stride must not be negative");
    if (!(o->noise >= 0 && o->noise <= 1))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: noise is %g, it must be 0 to 1",
                               o->noise);
    if (o->smooth < 0 || o->smooth > 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: smooth is %d, it must be 0 or 1",
                               (int)o->smooth);
    if (o->check_passes != 0 && !(o->flags & KLDVE_FLAG_CHECK))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "options: check_passes is set, but KLDVE_FLAG_CHECK is not");
    if (o->check_passes > 0 && o->check_passes < KLDVE_CHECK_PASSES_LEAST)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "options: check_passes is %d, it must be at least %d, or negative "
                               "for none",
                               (int)o->check_passes, (int)KLDVE_CHECK_PASSES_LEAST);
    return KLDVE_OK;
}

static kldve_status check_pick(kldve_ctx *ctx, const kldve_options *o)
{
    if (o->pick < KLDVE_PICK_NONE || o->pick > KLDVE_PICK_BOX_AT)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: unknown pick %d", (int)o->pick);
    if (o->pick == KLDVE_PICK_OVER && (!o->region || o->region_width < 1 || o->region_height < 1))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "options: KLDVE_PICK_OVER needs `region` and its size");
    if (o->pick == KLDVE_PICK_ROW && o->pick_row < 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: pick_row is %d, it must be 0 or more",
                               (int)o->pick_row);
    if (o->pick && o->smooth)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "options: smooth mirrors the picture, and what is picked would be "
                              "elsewhere: leave one of the two out");
    return KLDVE_OK;
}

static kldve_status check_perplexity(kldve_ctx *ctx, const char *name, double value)
{
    if (value != 0 && !(value > 1 && value < INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: %s is %g, it must be above 1", name,
                               value);
    return KLDVE_OK;
}

static kldve_status check(kldve_ctx *ctx, const kldve_options *o)
{
    kldve_status st;

    if (o->reading < 0 || o->reading >= READINGS_END)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: unknown reading %d", (int)o->reading);
    if (o->sign < 0 || o->sign > KLDVE_SIGN_ABSOLUTE)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: unknown sign %d", (int)o->sign);
    if ((st = check_target(ctx, o)) < 0 || (st = check_repeats(ctx, o)) < 0 ||
        (st = check_pick(ctx, o)) < 0)
        return st;
    if (!(o->temperature >= 0 && o->temperature < INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: temperature is %g, it must be above 0",
                               (double)o->temperature);
    if ((st = check_perplexity(ctx, "perplexity", o->perplexity)) < 0 ||
        (st = check_perplexity(ctx, "neighbour_perplexity", o->neighbour_perplexity)) < 0)
        return st;
    if (!(o->deadline_ms >= 0))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "options: deadline_ms is %g, it must be 0 or more",
                               o->deadline_ms);
    if (o->flags & ~known_flags)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED, "options: unknown flags 0x%jx",
                               (uintmax_t)(o->flags & ~known_flags));
    return KLDVE_OK;
}

kldve_status kldve_options_load(kldve_ctx *ctx, const kldve_options *src, kldve_options *dst)
{
    kldve_status st = kldve_struct_load(ctx, "kldve_options", src, dst, sizeof *dst);

    if (st < 0 || (st = check(ctx, dst)) < 0)
        return st;
    if (!dst->method)
        dst->method = kldve_method_number(NULL, 0)->name;
    if (dst->temperature == 0)
        dst->temperature = 1;
    if (dst->perplexity == 0)
        dst->perplexity = 30;
    return KLDVE_OK;
}

double kldve_options_deadline(const kldve_options *src)
{
    kldve_options o;

    return kldve_struct_load(NULL, "kldve_options", src, &o, sizeof o) == KLDVE_OK &&
                   kldve_at_least_zero(o.deadline_ms)
               ? o.deadline_ms
               : 0;
}
