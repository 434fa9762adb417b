/* render.c - the heat map as a picture, alone or over the explained picture. */
#include <kldve/kldve.h>

#include <assert.h>
#include <math.h>
#include <string.h>

#include "heatmap.h"
#include "image/outline.h"
#include "image/overlay.h"

/* `height` is that of all frames. */
static void upsample(const kldve_heatmap *map, int32_t height, int32_t width, float *out)
{
    const kldve_film film = kldve_heatmap_film(map);

    kldve_upsample_film(&film, map->view_frames,
                        (const int32_t[2]){height / map->view_frames, width}, out);
}

static kldve_status load_options(kldve_ctx *ctx, const kldve_render_options *src,
                                 kldve_render_options *o)
{
    kldve_status st = kldve_struct_load(ctx, "kldve_render_options", src, o, sizeof *o);

    if (st < 0)
        return st;
    if (o->colormap < 0 || o->colormap > KLDVE_COLORMAP_DIVERGING)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: unknown colour map %d", (int)o->colormap);
    if (!(o->opacity <= 1))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: opacity is %g, it must be at most 1",
                               (double)o->opacity);
    o->opacity = o->opacity == 0 ? 0.5f : fmaxf(o->opacity, 0);
    return KLDVE_OK;
}

/* Parts are float32: rounding must not move an edge that falls on a pixel's centre. */
static const double slack = 0.01;

/* Where the part [start, start + part) of a side of `pixels` pixels begins and ends: the pixels
 * whose centre lies in it, at least one. */
static void pixels_of(float start, float part, int32_t pixels, int32_t *first, int32_t *count)
{
    double low = (double)start * pixels, high = ((double)start + (double)part) * pixels;
    int32_t begin = (int32_t)fmin(fmax(ceil(low - 0.5 - slack), 0), pixels - 1);
    int32_t end = (int32_t)fmin(fmax(ceil(high - 0.5 - slack), begin + 1), pixels);

    assert(begin >= 0 && begin < end && end <= pixels);
    *first = begin;
    *count = end - begin;
}

static kldve_rect seen_of(const kldve_heatmap *map, int32_t width, int32_t height)
{
    const kldve_record *r = &map->record;
    kldve_rect seen;

    pixels_of(r->seen_x, r->seen_width, width, &seen.x, &seen.width);
    pixels_of(r->seen_y, r->seen_height, height, &seen.y, &seen.height);
    return seen;
}

/* One frame over its part of the picture, and back into it. */
static kldve_status render_frame(kldve_ctx *ctx, const kldve_heatmap *map, int32_t frame,
                                 const kldve_render_options *options, kldve_image *all)
{
    int32_t width = kldve_image_width(all), height = kldve_image_height(all) / map->view_frames;
    size_t nbytes = 3 * (size_t)width * (size_t)height;
    kldve_heatmap *one = NULL;
    kldve_image *part = NULL, *drawn = NULL;
    kldve_status st = kldve_heatmap_frame(ctx, map, frame, &one);

    if (st == KLDVE_OK)
        st = kldve_image_crop(ctx, all, 0, frame * height, width, height, &part);
    if (st == KLDVE_OK)
        st = kldve_heatmap_render(ctx, one, part, options, &drawn);
    if (st == KLDVE_OK)
        memcpy(kldve_image_edit(all) + (size_t)frame * nbytes, kldve_image_pixels(drawn), nbytes);
    kldve_image_free(drawn);
    kldve_image_free(part);
    kldve_heatmap_free(one);
    return st;
}

/* Over all frames of a film, below each other. */
static kldve_status render_film(kldve_ctx *ctx, const kldve_heatmap *map,
                                const kldve_image *picture, const kldve_render_options *options,
                                kldve_image **out)
{
    int32_t width = kldve_image_width(picture), height = kldve_image_height(picture);
    kldve_image *image = NULL;
    kldve_status st;

    if (height % map->view_frames != 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "render: a picture of %d rows is not %d frames below each other: "
                               "draw them one by one, see kldve_heatmap_frame()",
                               (int)height, (int)map->view_frames);
    st = kldve_image_from_rgb(ctx, kldve_image_pixels(picture), width, height, 3 * (size_t)width,
                              &image);
    for (int32_t i = 0; st == KLDVE_OK && i < map->view_frames; i++)
        st = render_frame(ctx, map, i, options, image);
    if (st == KLDVE_OK)
        *out = image;
    else
        kldve_image_free(image);
    return st;
}

kldve_status kldve_heatmap_render(kldve_ctx *ctx, const kldve_heatmap *map,
                                  const kldve_image *picture, const kldve_render_options *options,
                                  kldve_image **out)
{
    kldve_render_options o;
    kldve_heat_style style;
    kldve_image *image = NULL;
    kldve_status st;
    kldve_rect seen;
    float *heat = NULL;

    if (!ctx || !map || !out)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: the %s is NULL", map ? "result" : "map");
    if ((st = load_options(ctx, options, &o)) < 0)
        return st;
    if (picture && map->view_frames > 1)
        return render_film(ctx, map, picture, options, out);
    style = (kldve_heat_style){o.colormap, 1, false}; /* the map alone */
    if (picture) {
        int32_t width = kldve_image_width(picture), height = kldve_image_height(picture);

        st = kldve_image_from_rgb(ctx, kldve_image_pixels(picture), width, height,
                                  3 * (size_t)width, &image);
        seen = seen_of(map, width, height);
        style.opacity = o.opacity;
        style.is_signed = map->record.sign == KLDVE_SIGN_SIGNED;
    } else {
        st = kldve_image_new(ctx, map->view_width, map->view_height, &image);
        seen = (kldve_rect){0, 0, map->view_width, map->view_height};
    }
    if (st < 0)
        return st;
    heat = kldve_ctx_alloc(ctx, (size_t)seen.width * (size_t)seen.height, sizeof *heat);
    if (!heat) {
        kldve_image_free(image);
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for %d x %d pixels of heat",
                               (int)seen.width, (int)seen.height);
    }
    upsample(map, seen.height, seen.width, heat);
    kldve_overlay(kldve_image_edit(image), kldve_image_width(image), kldve_image_height(image),
                  heat, seen, style);
    kldve_ctx_release(ctx, heat);
    if (picture)
        kldve_outline(kldve_image_edit(image), kldve_image_width(image), kldve_image_height(image),
                      map->box);
    *out = image;
    return KLDVE_OK;
}
