/* film.c - one frame of a film's map.
 *
 *     E_t = (1 - f) E'_s + f E'_{s+1},   s + f = (t + 1/2) T'/T - 1/2  clamped to 0 .. T' - 1
 *
 * for a layer of T' frames of a film of T: between the centres of its frames, as upsample.c does it
 * over space. */
#include <kldve/kldve.h>

#include "heatmap.h"
#include "base/ctx.h"
#include "base/float_env.h"
#include "image/upsample.h"

static kldve_status make(kldve_ctx *ctx, const kldve_heatmap *map, int32_t frame,
                         kldve_heatmap **out)
{
    const kldve_record *r = &map->record;
    kldve_film film = kldve_heatmap_film(map);
    kldve_heatmap *one = NULL;
    kldve_status st = kldve_heatmap_new(ctx, r->classes, r->maps, film.height, film.width, &one);

    if (st < 0)
        return st;
    kldve_heatmap_copy_rest(map, one);
    kldve_upsample_frame(&film, map->view_frames, frame, one->values);
    one->record.frames = one->view_frames = 1;
    one->view_height = map->view_height / map->view_frames;
    *out = one;
    return KLDVE_OK;
}

kldve_status kldve_heatmap_frame(kldve_ctx *ctx, const kldve_heatmap *map, int32_t frame,
                                 kldve_heatmap **out)
{
    fenv_t host;

    kldve_ctx_clear(ctx);
    if (!ctx || !map)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "frame: the map is NULL");
    if (!out || frame < 0 || frame >= map->view_frames)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "frame %d: the result is NULL, or there is none: the film has %d",
                               (int)frame, (int)map->view_frames);
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(&host, make(ctx, map, frame, out));
}
