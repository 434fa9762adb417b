/* scale_up.c - the values of a map at another size, into the caller's memory. */
#include <assert.h>

#include <kldve/metrics.h>

#include "heatmap.h"
#include "base/ctx.h"
#include "base/float_env.h"

static kldve_status check(kldve_ctx *ctx, const kldve_heatmap *map, int32_t width, int32_t height,
                          ptrdiff_t stride)
{
    const ptrdiff_t unit = sizeof(float);

    if (width < 1 || height < 1 || width > INT32_MAX / unit)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "upsample: cannot make %d x %d pixels", (int)width,
                               (int)height);
    if (height % map->view_frames != 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "upsample: %d rows of pixels are not %d frames below each other",
                               (int)height, (int)map->view_frames);
    if (stride % unit != 0 || (stride > -width * unit && stride < width * unit))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "upsample: the stride is %td bytes: a row of %d pixels needs a "
                               "multiple of %d, %td or more",
                               stride, (int)width, (int)unit, width * unit);
    return KLDVE_OK;
}

kldve_status kldve_heatmap_upsample(kldve_ctx *ctx, const kldve_heatmap *map, int32_t width,
                                    int32_t height, ptrdiff_t stride, float *out)
{
    kldve_film film;
    kldve_status st;
    fenv_t host;

    kldve_ctx_clear(ctx);
    if (!ctx || !map || !out)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "upsample: the %s is NULL",
                               map ? "result" : "map");
    if (stride == 0 && width > 0)
        stride = width * (ptrdiff_t)sizeof *out;
    if ((st = check(ctx, map, width, height, stride)) < 0)
        return st;
    kldve_float_env_enter(&host);
    film = kldve_heatmap_film(map);
    kldve_upsample_film(&film, map->view_frames,
                        (const int32_t[2]){height / map->view_frames, width},
                        stride / (ptrdiff_t)sizeof *out, out);
    return kldve_float_env_leave(&host, KLDVE_OK);
}

kldve_status kldve_map_upsample(kldve_ctx *ctx, const float *map, int32_t height, int32_t width,
                                float *out, int32_t out_height, int32_t out_width)
{
    fenv_t host;

    kldve_ctx_clear(ctx);
    if (!ctx || !map || !out)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "upsample: the %s is NULL",
                               map ? "result" : "map");
    if (height < 1 || width < 1 || out_height < 1 || out_width < 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "upsample: cannot make %d x %d of %d x %d: each side must be at "
                               "least 1",
                               (int)out_height, (int)out_width, (int)height, (int)width);
    kldve_float_env_enter(&host);
    kldve_upsample(map, height, width, out, out_height, out_width);
    return kldve_float_env_leave(&host, KLDVE_OK);
}
