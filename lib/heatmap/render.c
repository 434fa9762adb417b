/* render.c - the heat map as a picture, alone or over the explained picture: row by row, so that
 * nothing of the size of the picture is needed beside the picture and the result. */
#include <kldve/kldve.h>

#include <assert.h>
#include <math.h>
#include <string.h>

#include "heatmap.h"
#include "image/codec.h"
#include "image/outline.h"
#include "image/overlay.h"
#include "image/pixel_format.h"

/* low and high, both 0: the map's own. */
static kldve_status load_scale(kldve_ctx *ctx, const kldve_heatmap *map, kldve_render_options *o)
{
    const kldve_record *r = &map->record;
    bool is_signed = r->sign == KLDVE_SIGN_SIGNED;

    if (o->low == 0 && o->high == 0)
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
    if (isnan(r->low))
        return kldve_ctx_fail(
            ctx, KLDVE_E_ARG,
            "render: a fixed scale for a mean of maps, of which each has its own: "
            "leave low and high at 0");
    return KLDVE_OK;
}

static kldve_status load_options(kldve_ctx *ctx, const kldve_heatmap *map,
                                 const kldve_render_options *src, kldve_render_options *o)
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
    return load_scale(ctx, map, o);
}

/* Parts are float32: rounding must not move an edge that falls on a pixel's centre. */
static const double slack = 0.01;

/* Pixels that a map may reach; the longest side of a picture, padded, stays below. */
enum { MOST_PADDED = 1 << 20 };

/* Where the part [start, start + part) of a side of `pixels` pixels begins and ends: the pixels
 * whose centre lies in it, at least one.  With padding it reaches beyond the side. */
static void pixels_of(float start, float part, int32_t pixels, int32_t *first, int32_t *count)
{
    double low = (double)start * pixels, high = ((double)start + (double)part) * pixels;

    *first = (int32_t)fmin(ceil(low - 0.5 - slack), pixels - 1);
    *count = (int32_t)fmax(ceil(high - 0.5 - slack) - *first, 1);
}

/* Where the whole map lies. */
static kldve_rect placed(const kldve_heatmap *map, int32_t width, int32_t height)
{
    const kldve_record *r = &map->record;
    kldve_rect at;

    pixels_of(r->seen_x, r->seen_width, width, &at.x, &at.width);
    pixels_of(r->seen_y, r->seen_height, height, &at.y, &at.height);
    return at;
}

/* Keep what lies in [0, pixels), at least one. */
static void clip(int32_t *first, int32_t *count, int32_t pixels)
{
    int32_t end = *first + *count < pixels ? *first + *count : pixels;

    *first = *first < 0 ? 0 : *first;
    *count = end > *first ? end - *first : 1;
    assert(*first + *count <= pixels);
}

/* What all rows of a drawing have in common. */
typedef struct drawing {
    const kldve_heatmap *map;
    const kldve_image *picture; /* NULL: the map alone */
    const kldve_pixels *dest;
    int32_t height;       /* of one frame */
    kldve_rect whole;     /* where the map lies; with padding it reaches beyond the frame */
    kldve_rect seen;      /* of it what lies within the frame */
    double shift, factor; /* place on the colour scale = shift + factor * value of the map */
    kldve_line outline;
    kldve_paint paints[KLDVE_HEAT_LEVELS];
    float *heat;          /* [whole.width] */
    uint8_t *rgb, *alpha; /* one row, [width][3] each */
} drawing;

/* value v of the map stands for low + v (high - low), see kldve_record. */
static void choose_scale(drawing *d, const kldve_render_options *o)
{
    const kldve_record *r = &d->map->record;
    double range = (double)o->high - (double)o->low;

    d->shift = range > 0 ? (r->low - (double)o->low) / range : 0;
    d->factor = range > 0 ? (r->high - r->low) / range : 1;
}

static void begin(drawing *d, const kldve_render_options *o)
{
    bool over = d->picture != NULL;
    int32_t width = d->dest->width;

    d->seen = d->whole;
    clip(&d->seen.x, &d->seen.width, width);
    clip(&d->seen.y, &d->seen.height, d->height);
    if (over)
        d->outline = kldve_outline_of(d->map->box, width, d->height);
    kldve_heat_paint((kldve_heat_style){o->colormap, over ? o->opacity : 1,
                                        over && d->map->record.sign == KLDVE_SIGN_SIGNED},
                     d->paints);
    choose_scale(d, o);
}

static void heat_row(const drawing *d, int32_t frame, int32_t y)
{
    const kldve_film film = kldve_heatmap_film(d->map);

    kldve_upsample_row(&film, d->map->view_frames,
                       (const int32_t[2]){d->whole.height, d->whole.width},
                       frame * d->whole.height + y - d->whole.y, d->heat);
    if (d->shift == 0 && d->factor == 1)
        return;
    for (int32_t x = 0; x < d->whole.width; x++)
        d->heat[x] = (float)(d->shift + d->factor * (double)d->heat[x]);
}

/* The row is read before it is written, so the picture and the result may be the same memory. */
static void draw_row(const drawing *d, int32_t row)
{
    int32_t frame = row / d->height, y = row % d->height, width = d->dest->width;
    bool has_alpha = d->picture && kldve_image_alpha_row(d->picture, row, d->alpha);

    for (int32_t x = 0; has_alpha && x < width; x++)
        d->alpha[x] = d->alpha[3 * x];
    if (d->picture) {
        const uint8_t *from = kldve_image_row(d->picture, row, d->rgb);

        if (from != d->rgb)
            memcpy(d->rgb, from, 3 * (size_t)width);
    } else {
        memset(d->rgb, 0, 3 * (size_t)width);
    }
    if (y >= d->seen.y && y < d->seen.y + d->seen.height) {
        heat_row(d, frame, y);
        kldve_overlay_row(d->paints, d->seen.x, d->seen.width, d->heat + (d->seen.x - d->whole.x),
                          width, d->rgb);
    } else {
        kldve_overlay_row(d->paints, width, 0, NULL, width, d->rgb);
    }
    kldve_outline_row(&d->outline, y, width, d->rgb);
    kldve_pixels_write(d->dest, row, d->rgb, has_alpha ? d->alpha : NULL);
}

static kldve_status check_sizes(kldve_ctx *ctx, const kldve_heatmap *map,
                                const kldve_image *picture, const kldve_pixels *dest)
{
    if (kldve_arrangement_of(dest->format)->yuv)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED, "render: cannot write %s, give RGB",
                               kldve_arrangement_of(dest->format)->name);
    if (picture && (dest->width != picture->width || dest->height != picture->height))
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG, "render: %d x %d pixels for a picture of %d x %d: give its size",
            (int)dest->width, (int)dest->height, (int)picture->width, (int)picture->height);
    if (picture && (map->record.seen_width * (float)dest->width > MOST_PADDED ||
                    map->record.seen_height * (float)dest->height > MOST_PADDED))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "render: the map with its padding reaches more than %d pixels: draw "
                               "it over a smaller picture",
                               MOST_PADDED);
    if (dest->height % map->view_frames != 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "render: a picture of %d rows is not %d frames below each other: "
                               "draw them one by one, see kldve_heatmap_frame()",
                               (int)dest->height, (int)map->view_frames);
    return KLDVE_OK;
}

/* `dest` and `o` are checked. */
static kldve_status draw(kldve_ctx *ctx, const kldve_heatmap *map, const kldve_image *picture,
                         const kldve_render_options *o, const kldve_pixels *dest)
{
    size_t width = (size_t)dest->width;
    int32_t height = dest->height / map->view_frames;
    drawing d = {.map = map,
                 .picture = picture,
                 .dest = dest,
                 .height = height,
                 .whole = picture ? placed(map, dest->width, height)
                                  : (kldve_rect){0, 0, dest->width, height}};

    d.heat = kldve_ctx_alloc(
        ctx, 1, (size_t)d.whole.width * sizeof *d.heat + 6 * width); /* both below 2^32 */
    if (!d.heat)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for a row of heat");
    d.rgb = (uint8_t *)(d.heat + d.whole.width);
    d.alpha = d.rgb + 3 * width;
    begin(&d, o);
    for (int32_t row = 0; row < dest->height; row++)
        draw_row(&d, row);
    kldve_ctx_release(ctx, d.heat);
    return KLDVE_OK;
}

kldve_status kldve_heatmap_render_into(kldve_ctx *ctx, const kldve_heatmap *map,
                                       const kldve_image *picture,
                                       const kldve_render_options *options,
                                       const kldve_pixels *dest)
{
    kldve_render_options o;
    kldve_pixels to;
    kldve_status st;

    if (!ctx || !map)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "render: the map is NULL");
    if ((st = load_options(ctx, map, options, &o)) < 0 ||
        (st = kldve_pixels_load(ctx, "render", dest, &to)) < 0 ||
        (st = check_sizes(ctx, map, picture, &to)) < 0)
        return st;
    return draw(ctx, map, picture, &o, &to);
}

kldve_status kldve_heatmap_render(kldve_ctx *ctx, const kldve_heatmap *map,
                                  const kldve_image *picture, const kldve_render_options *options,
                                  kldve_image **out)
{
    kldve_render_options o;
    kldve_image *image = NULL;
    kldve_status st;

    if (!ctx || !map || !out)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: the %s is NULL", map ? "result" : "map");
    if ((st = load_options(ctx, map, options, &o)) < 0 ||
        (st = kldve_image_alloc(ctx, picture ? picture->width : map->view_width,
                                picture ? picture->height : map->view_height, &image)) < 0)
        return st;
    if ((st = check_sizes(ctx, map, picture, &image->layout)) == KLDVE_OK)
        st = draw(ctx, map, picture, &o, &image->layout);
    return kldve_image_finish(st, image, out);
}
