/* render_options.c - what the options of a drawing are, and what their defaults stand for. */
#include "render.h"

#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/float_env.h"
#include "image/outline.h"
#include "image/pixel_format.h"

static const float default_opacity = 0.75f, default_clip = 2, default_part = 0.5f;
enum { DEFAULT_SIDE = 256, SIDE_MOST = 16384, LINE_MOST = 1000, BLUR_MOST = 1000, BLURS = 40 };

/* ---- names ---------------------------------------------------------------------------------- */

/* The number of a name, from 1. */
static kldve_status number_of(const char *const *names, const char *name, int32_t *number)
{
    if (!name || !number)
        return KLDVE_E_ARG;
    for (int32_t i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) {
            *number = i + 1;
            return KLDVE_OK;
        }
    return KLDVE_E_NOT_FOUND;
}

kldve_status kldve_map_view_from_name(const char *name, int32_t *view)
{
    static const char *const names[] = {"overlay", "masked", "contours", "outline", NULL};

    return number_of(names, name, view);
}

kldve_status kldve_upsampling_from_name(const char *name, int32_t *upsampling)
{
    static const char *const names[] = {"bilinear", "bicubic", "lanczos", NULL};

    return number_of(names, name, upsampling);
}

/* ---- what is allowed -------------------------------------------------------------------------
 */

static bool is_fixed(const kldve_render_options *o)
{
    return o->low != 0 || o->high != 0;
}

/* low and high, both 0: the map's own. */
static kldve_status load_scale(kldve_ctx *ctx, const kldve_heatmap *map, kldve_render_options *o)
{
    const kldve_record *r = &map->record;
    bool is_signed = r->sign == KLDVE_SIGN_SIGNED;

    if (!is_fixed(o))
        return KLDVE_OK;
    if (is_signed && o->low == 0)
        o->low = -o->high;
    if (!isfinite(o->low) || !isfinite(o->high) || !(o->low < o->high))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "render: the scale goes from %g to %g: low must be below high",
                               (double)o->low, (double)o->high);
    if (is_signed && o->low != -o->high)
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG,
            "render: the scale of a signed map goes from %g to %g: give high, and "
            "0 or -high as low, so that zero stays in the middle",
            (double)o->low, (double)o->high);
    if (o->clip > 0)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "render: a fixed scale and clip both say where the scale ends: give "
                              "one of them");
    if (isnan(r->low))
        return kldve_ctx_fail(
            ctx, KLDVE_E_ARG,
            "render: a fixed scale for a mean of maps, of which each has its own: "
            "leave low and high at 0");
    return KLDVE_OK;
}

static kldve_status check_choices(kldve_ctx *ctx, const kldve_heatmap *map,
                                  const kldve_render_options *o)
{
    if (o->colormap < 0 || o->colormap > KLDVE_COLORMAP_PLASMA)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: unknown colour map %d", (int)o->colormap);
    if (o->view < 0 || o->view > KLDVE_VIEW_OUTLINE)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: unknown view %d", (int)o->view);
    if (o->upsampling < 0 || o->upsampling > KLDVE_UPSAMPLING_LANCZOS)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: unknown upsampling %d",
                               (int)o->upsampling);
    if (o->frame < 0 || o->frame > map->view_frames)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: frame %d of a film of %d", (int)o->frame,
                               (int)map->view_frames);
    return KLDVE_OK;
}

static kldve_status check_numbers(kldve_ctx *ctx, const kldve_render_options *o)
{
    if (!(o->opacity <= 1))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: opacity is %g, it must be at most 1",
                               (double)o->opacity);
    if (!(o->clip < 100))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: clip is %g percent, it must be below 100",
                               (double)o->clip);
    if (!(o->blur <= BLUR_MOST))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: blur is %g, it must be at most %d",
                               (double)o->blur, BLUR_MOST);
    if (!(o->part >= 0 && o->part < 1))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: part is %g, it must be from 0 to below 1",
                               (double)o->part);
    if (o->line > LINE_MOST)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: line is %d, it must be at most %d",
                               (int)o->line, LINE_MOST);
    if (o->side > SIDE_MOST)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: side is %d, it must be at most %d",
                               (int)o->side, SIDE_MOST);
    return KLDVE_OK;
}

/* ---- defaults -------------------------------------------------------------------------------- */

int32_t kldve_render_frames(const kldve_heatmap *map, const kldve_render_options *o)
{
    return o->frame > 0 ? 1 : map->view_frames;
}

int32_t kldve_render_factor(const kldve_heatmap *map, const int32_t size[2],
                            const kldve_render_options *o)
{
    int32_t height = size[1] / kldve_render_frames(map, o);
    int32_t longer = size[0] > height ? size[0] : height, factor;

    if (longer < 1 || o->side < 0 || longer >= o->side / 2)
        return 1;
    factor = (o->side + longer - 1) / longer;
    return factor * (int64_t)size[1] <= KLDVE_IMAGE_SIDE_MAX ? factor : 1;
}

/* A cell for each pixel of the network's input, or more. */
static bool has_pixels(const kldve_heatmap *map)
{
    const kldve_film film = kldve_heatmap_film(map);

    return film.width >= map->view_width &&
           (int64_t)film.height * map->view_frames >= map->view_height;
}

static float default_blur(const kldve_heatmap *map, const kldve_render_options *o)
{
    int32_t height = map->view_height / map->view_frames, width = map->view_width;

    if (o->view == KLDVE_VIEW_OVERLAY || !has_pixels(map))
        return -1;
    return (float)(height < width ? height : width) / BLURS;
}

static void choose_defaults(const kldve_heatmap *map, const int32_t size[2],
                            kldve_render_options *o)
{
    const bool is_signed = map->record.sign == KLDVE_SIGN_SIGNED;
    int32_t factor;

    if (o->colormap == 0)
        o->colormap = is_signed ? KLDVE_COLORMAP_DIVERGING : KLDVE_COLORMAP_PLASMA;
    if (o->view == 0 || size[0] == 0)
        o->view = KLDVE_VIEW_OVERLAY;
    if (o->upsampling == 0)
        o->upsampling = KLDVE_UPSAMPLING_BICUBIC;
    if (o->opacity == 0)
        o->opacity = default_opacity;
    if (o->clip == 0)
        o->clip = has_pixels(map) && !is_fixed(o) ? default_clip : -1;
    if (o->blur == 0)
        o->blur = default_blur(map, o);
    if (o->part == 0)
        o->part = default_part;
    if (o->side == 0)
        o->side = DEFAULT_SIDE;
    factor = kldve_render_factor(map, size, o);
    if (o->line == 0)
        o->line =
            kldve_line_thickness(size[0] * factor, size[1] / kldve_render_frames(map, o) * factor);
}

kldve_status kldve_render_load(kldve_ctx *ctx, const kldve_heatmap *map, const int32_t size[2],
                               const kldve_render_options *src, kldve_render_options *o)
{
    kldve_status st = kldve_struct_load(ctx, "kldve_render_options", src, o, sizeof *o);

    if (st < 0 || (st = check_choices(ctx, map, o)) < 0 || (st = check_numbers(ctx, o)) < 0 ||
        (st = load_scale(ctx, map, o)) < 0)
        return st;
    choose_defaults(map, size, o);
    return KLDVE_OK;
}

kldve_status kldve_heatmap_render_defaults(kldve_ctx *ctx, const kldve_heatmap *map, int32_t width,
                                           int32_t height, const kldve_render_options *options,
                                           kldve_render_options *out)
{
    const int32_t size[2] = {width, height};
    kldve_render_options o;
    fenv_t host;
    kldve_status st;

    kldve_ctx_clear(ctx);
    if (!ctx || !map || !out || width < 0 || height < 0)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "render: the map or the result is NULL, or a side is negative");
    kldve_float_env_enter(&host);
    st = kldve_float_env_leave(&host, kldve_render_load(ctx, map, size, options, &o));
    return st < 0 ? st : kldve_struct_store(ctx, "kldve_render_options", &o, sizeof o, out);
}
