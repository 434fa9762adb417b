/* mean.c - one map from several.
 *
 *     E = normalise(1/n sum over i of upsample(E_i))
 *
 * Signed maps keep their zero at 0.5: each is scaled to -1..1, and their mean is normalised by its
 * largest magnitude. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "heatmap.h"
#include "base/ctx.h"
#include "base/float_env.h"
#include "image/upsample.h"
#include "stages/normalise.h"

static kldve_status check(kldve_ctx *ctx, const kldve_heatmap *const *maps, int32_t count)
{
    for (int32_t i = 1; i < count; i++) {
        if (!maps[i])
            return kldve_ctx_failf(ctx, KLDVE_E_ARG, "fuse: map %d is NULL", (int)i);
        if ((maps[i]->record.sign == KLDVE_SIGN_SIGNED) !=
            (maps[0]->record.sign == KLDVE_SIGN_SIGNED))
            return kldve_ctx_fail(
                ctx, KLDVE_E_ARG,
                "fuse: some maps are signed and some are not: give only one kind");
    }
    return KLDVE_OK;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* sum += upsampled map; a signed one centred at 0. */
static void add(const kldve_heatmap *map, int32_t frames, int32_t height, int32_t width,
                float *large, float *sum)
{
    const kldve_film film = kldve_heatmap_film(map);
    float zero = map->record.sign == KLDVE_SIGN_SIGNED ? 0.5f : 0;
    size_t count = (size_t)frames * (size_t)height * (size_t)width;

    assert(film.frames <= frames && film.height <= height && film.width <= width);
    kldve_upsample_film(&film, frames, (const int32_t[2]){height, width}, width, large);
    for (size_t i = 0; i < count; i++)
        sum[i] += large[i] - zero;
}

/* Those that any map has; but a mean depends on the class if one of the maps does. */
static uint64_t flags_of(const kldve_heatmap *const *maps, int32_t count)
{
    uint64_t any = 0, all = ~(uint64_t)0;

    for (int32_t i = 0; i < count; i++) {
        any |= maps[i]->record.flags;
        all &= maps[i]->record.flags;
    }
    return all & KLDVE_RESULT_CLASS_INDIFFERENT ? any
                                                : any & ~(uint64_t)KLDVE_RESULT_CLASS_INDIFFERENT;
}

kldve_status kldve_heatmap_fuse(kldve_ctx *ctx, const kldve_heatmap *const *maps, int32_t count,
                                kldve_heatmap **out)
{
    int32_t frames = 1, height = 0, width = 0;
    kldve_heatmap *fused = NULL;
    size_t cells;
    double range[2];
    float *large;
    fenv_t host;
    kldve_status st;

    kldve_ctx_clear(ctx);
    if (!ctx || !maps || count < 1 || !maps[0] || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "fuse: no maps, or a map or the result is NULL");
    if ((st = check(ctx, maps, count)) < 0)
        return st;
    for (int32_t i = 0; i < count; i++) {
        const kldve_record *r = &maps[i]->record;

        frames = larger(frames, r->frames);
        height = larger(height, r->height / r->frames);
        width = larger(width, r->width);
    }
    if (height > INT32_MAX / frames)
        return kldve_ctx_fail(ctx, KLDVE_E_UNSUPPORTED, "fuse: the maps are too large");
    st = kldve_heatmap_new(ctx, maps[0]->record.classes, maps[0]->record.maps, frames * height,
                           width, &fused);
    if (st < 0)
        return st;
    cells = (size_t)frames * (size_t)height * (size_t)width;
    large = kldve_ctx_alloc(ctx, cells, sizeof *large);
    if (!large) {
        kldve_heatmap_free(fused);
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for a map of %d x %d",
                               (int)height, (int)width);
    }
    kldve_float_env_enter(&host);
    kldve_heatmap_copy_rest(maps[0], fused);
    fused->record.frames = frames;
    memset(fused->values, 0, cells * sizeof *fused->values);
    for (int32_t i = 0; i < count; i++)
        add(maps[i], frames, height, width, large, fused->values);
    fused->record.flags = flags_of(maps, count);
    kldve_heatmap_set_flat(fused, kldve_normalise(fused->record.sign, fused->values, cells, range));
    fused->record.low = fused->record.high = (double)NAN;
    if (maps[0]->record.flags & ~fused->record.flags & KLDVE_RESULT_FLAT)
        fused->remark[0] = '\0'; /* why the first is flat */
    kldve_ctx_release(ctx, large);
    *out = fused;
    return kldve_float_env_leave(&host, KLDVE_OK);
}
