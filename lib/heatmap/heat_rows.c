/* heat_rows.c - a map at the size of a drawing: blurred, upsampled, on the scale of the colours.
 *
 *     e = upsample(blur(map)),  within the range of blur(map)
 *     result = shift + factor e
 *
 * With a fixed scale from `low` to `high` of raw values, 0 and 1 of the result stand for these.
 * Otherwise the scale ends at t, the magnitude above which `clip` percent of those that are not
 * zero lie (level.c), or that of the largest:
 *
 *     result = e / t,   of a signed map 1/2 + (e - 1/2) / t
 *
 * For the views that show or surround a part of the map's sum, t is the level that this part
 * reaches, and result = magnitude(e) / (2 t), so that the level is 1/2. */
#include "render.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/size.h"
#include "stages/blur.h"
#include "stages/level.h"

static const kldve_kernel *kernel_of(int32_t upsampling)
{
    switch (upsampling) {
    case KLDVE_UPSAMPLING_BILINEAR:
        return kldve_kernel_of(KLDVE_INTERPOLATION_BILINEAR);
    case KLDVE_UPSAMPLING_LANCZOS:
        return kldve_kernel_of(KLDVE_INTERPOLATION_LANCZOS);
    default:
        return kldve_kernel_of(KLDVE_INTERPOLATION_BICUBIC);
    }
}

static kldve_status blur(const kldve_heatmap *map, float sigma, kldve_heat *h)
{
    const double frame_height = (double)map->view_height / map->view_frames;
    const double cells[2] = {(double)sigma * h->film.height / frame_height,
                             (double)sigma * h->film.width / map->view_width};
    size_t frame = (size_t)h->film.height * (size_t)h->film.width;
    size_t count = frame * (size_t)h->film.frames;
    size_t longer = (size_t)(h->film.height > h->film.width ? h->film.height : h->film.width);

    h->copy = kldve_ctx_alloc(h->ctx, count + 2 * longer, sizeof *h->copy);
    if (!h->copy)
        return kldve_ctx_fail(h->ctx, KLDVE_E_NOMEM, "out of memory for blurring");
    memcpy(h->copy, h->film.values, count * sizeof *h->copy);
    for (int32_t i = 0; i < h->film.frames; i++)
        kldve_blur(h->copy + (size_t)i * frame, h->film.height, h->film.width, cells,
                   h->copy + count);
    h->film.values = h->copy;
    return KLDVE_OK;
}

/* ---- the scale ------------------------------------------------------------------------------ */

static void find_range(kldve_heat *h, size_t count)
{
    h->least = h->most = h->film.values[0];
    for (size_t i = 1; i < count; i++) {
        h->least = fminf(h->least, h->film.values[i]);
        h->most = fmaxf(h->most, h->film.values[i]);
    }
}

/* Value v of the map stands for low + v (high - low), see kldve_record. */
static void fix_scale(const kldve_record *r, const kldve_render_options *o, kldve_heat *h)
{
    double range = (double)o->high - (double)o->low;

    h->shift = (r->low - (double)o->low) / range;
    h->factor = (r->high - r->low) / range;
}

static void choose_scale(const kldve_heatmap *map, const kldve_render_options *o, bool over,
                         kldve_heat *h)
{
    const bool is_signed = map->record.sign == KLDVE_SIGN_SIGNED;
    const kldve_values values = {h->film.values,
                                 (size_t)map->record.height * (size_t)map->record.width, is_signed};
    const bool part = over && (o->view == KLDVE_VIEW_MASKED || o->view == KLDVE_VIEW_OUTLINE);
    double end;

    find_range(h, values.count);
    h->factor = 1;
    if (part) {
        h->magnitude = is_signed;
        end = 2 * (double)kldve_level_of_sum(&values, (double)o->part);
        h->factor = end > 0 ? 1 / end : 0;
    } else if (o->low < o->high) {
        fix_scale(&map->record, o, h);
    } else if (o->clip > 0 || o->blur > 0) {
        end = (double)kldve_level_of_count(&values, o->clip > 0 ? (double)o->clip / 100 : 0);
        h->factor = end > 0 ? 1 / end : 1;
        h->shift = is_signed ? 0.5 - 0.5 * h->factor : 0;
    }
}

/* ---- rows ----------------------------------------------------------------------------------- */

kldve_status kldve_heat_begin(kldve_ctx *ctx, const kldve_heatmap *map,
                              const kldve_render_options *o, bool over, const int32_t size[2],
                              kldve_heat *heat)
{
    const kldve_kernel *kernel = kernel_of(o->upsampling);
    kldve_status st;

    *heat = (kldve_heat){.ctx = ctx, .film = kldve_heatmap_film(map)};
    heat->row = kldve_ctx_alloc(ctx, (size_t)heat->film.width, sizeof *heat->row);
    if (!heat->row)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for a row of heat");
    if (o->blur > 0 && (st = blur(map, o->blur, heat)) < 0)
        return st;
    choose_scale(map, o, over, heat);
    if ((st = kldve_taps_new(ctx, kernel, heat->film.width, size[1], &heat->along)) < 0 ||
        (st = kldve_taps_new(ctx, kernel, heat->film.height, size[0], &heat->down)) < 0)
        return st;
    return kldve_taps_new(ctx, kldve_kernel_of(KLDVE_INTERPOLATION_BILINEAR), heat->film.frames,
                          map->view_frames, &heat->later);
}

void kldve_heat_row(const kldve_heat *h, int32_t frame, int32_t y, int32_t begin, int32_t count,
                    float *out)
{
    const size_t cells = (size_t)h->film.height * (size_t)h->film.width;
    const float *share = h->later.weight + (size_t)frame * h->later.most;

    memset(h->row, 0, (size_t)h->film.width * sizeof *h->row);
    for (int32_t t = 0; t < h->later.count[frame]; t++)
        kldve_taps_across(&h->down, y, h->film.values + (size_t)(h->later.first[frame] + t) * cells,
                          h->film.width, share[t], h->row);
    kldve_taps_along(&h->along, h->row, begin, count, out);
    for (int32_t x = 0; x < count; x++)
        out[x] = out[x] < h->least ? h->least : out[x] > h->most ? h->most : out[x];
    for (int32_t x = 0; h->magnitude && x < count; x++)
        out[x] = kldve_magnitude(out[x], true);
    if (h->shift == 0 && h->factor == 1)
        return;
    for (int32_t x = 0; x < count; x++)
        out[x] = (float)(h->shift + h->factor * (double)out[x]);
}

void kldve_heat_end(kldve_heat *h)
{
    kldve_taps_free(h->ctx, &h->along);
    kldve_taps_free(h->ctx, &h->down);
    kldve_taps_free(h->ctx, &h->later);
    kldve_ctx_release(h->ctx, h->copy);
    kldve_ctx_release(h->ctx, h->row);
}
