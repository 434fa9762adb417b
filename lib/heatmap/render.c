/* render.c - the heat map as a picture, alone or over the explained picture: row by row, so that
 * nothing of the size of the picture is needed beside the picture and the result. */
#include "render.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/float_env.h"
#include "image/codec.h"
#include "image/isolines.h"
#include "image/outline.h"
#include "image/overlay.h"
#include "image/pixel_format.h"

enum { WINDOW = 3, CONTOURS = 4, LINES_MOST = 2 * CONTOURS };

/* ---- where the map lies --------------------------------------------------------------------- */

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
static void keep_inside(int32_t *first, int32_t *count, int32_t pixels)
{
    int32_t end = *first + *count < pixels ? *first + *count : pixels;

    *first = *first < 0 ? 0 : *first;
    *count = end > *first ? end - *first : 1;
    assert(*first + *count <= pixels);
}

/* ---- one drawing ---------------------------------------------------------------------------- */

/* What all rows of a drawing have in common. */
typedef struct drawing {
    const kldve_heatmap *map;
    const kldve_image *picture; /* NULL: the map alone */
    const kldve_pixels *dest;
    kldve_render_options o;
    int32_t enlarged; /* pixels of the result for one of the picture */
    int32_t height;   /* of one frame */
    kldve_rect whole; /* where the map lies; with padding it reaches beyond the frame */
    kldve_rect seen;  /* of it what lies within the frame */
    int32_t frame;    /* thickness of the line around it; 0: none */
    kldve_line outline;
    kldve_heat heat;
    kldve_paint paints[KLDVE_HEAT_LEVELS];
    kldve_isoline line[LINES_MOST];
    int32_t lines;
    float *row[WINDOW];   /* [seen.width] each: row number n in row[n % WINDOW] */
    int32_t have[WINDOW]; /* which number lies there; -1: none */
    uint8_t *rgb, *alpha; /* one row, [width][3] each */
    uint8_t *small;       /* the same of the picture where it is enlarged */
} drawing;

/* Dark lines have light sides, so that they are seen on any ground. */
static void set_line(drawing *d, float level, bool coloured)
{
    enum { RED = 2, GREEN = 5, BLUE = 1, MIDDLE = 110 }; /* eighths of luma */
    kldve_isoline *line = &d->line[d->lines++];
    uint8_t *rgb = line->colour, side;

    assert(d->lines <= LINES_MOST);
    *line = (kldve_isoline){.level = level, .colour = {255, 255, 255}};
    if (coloured)
        kldve_colormap_rgb(d->o.colormap, level, rgb);
    side = (RED * rgb[0] + GREEN * rgb[1] + BLUE * rgb[2]) / 8 < MIDDLE ? 255 : 0;
    memset(line->edge, side, sizeof line->edge);
}

/* Lines of a signed map lie on both sides of its zero, in the two end colours. */
static void choose_lines(drawing *d)
{
    const bool is_signed = d->map->record.sign == KLDVE_SIGN_SIGNED;

    if (d->o.view == KLDVE_VIEW_OUTLINE)
        set_line(d, 0.5f, false);
    for (int32_t i = 1; d->o.view == KLDVE_VIEW_CONTOURS && i <= CONTOURS; i++) {
        float at = (float)i / (CONTOURS + 1);

        set_line(d, is_signed ? 0.5f + at / 2 : at, true);
        if (is_signed)
            set_line(d, 0.5f - at / 2, true);
    }
}

static kldve_heat_style style_of(const drawing *d)
{
    const bool is_signed = d->map->record.sign == KLDVE_SIGN_SIGNED;
    kldve_heat_style style = {KLDVE_PAINT_ALONE, d->o.colormap, fmaxf(d->o.opacity, 0)};

    if (d->picture && d->o.view == KLDVE_VIEW_MASKED)
        style.kind = KLDVE_PAINT_MASK;
    else if (d->picture)
        style.kind = is_signed ? KLDVE_PAINT_SIGNED : KLDVE_PAINT_HEAT;
    return style;
}

/* The picture's own size and the thickness of lines are known. */
static void begin(drawing *d)
{
    const int32_t width = d->dest->width;
    int32_t thick = d->o.line > 0 ? d->o.line : kldve_line_thickness(width, d->height);

    d->whole = d->seen = (kldve_rect){0, 0, width, d->height};
    kldve_heat_paint(style_of(d), d->paints);
    for (int32_t i = 0; i < WINDOW; i++)
        d->have[i] = -1;
    if (!d->picture)
        return;
    d->whole = d->seen = placed(d->map, width, d->height);
    keep_inside(&d->seen.x, &d->seen.width, width);
    keep_inside(&d->seen.y, &d->seen.height, d->height);
    d->outline = kldve_outline_of(d->map->box, thick, width, d->height);
    if (d->o.line > 0 && (d->seen.width < width || d->seen.height < d->height))
        d->frame = thick;
    d->o.line = thick;
    choose_lines(d);
}

/* Row y of what was seen of a frame, of which the rows of a window are kept. */
static const float *heat_row(drawing *d, int32_t frame, int32_t y)
{
    const int32_t last = d->seen.height - 1;
    int32_t at = y < 0 ? 0 : y > last ? last : y, number = frame * d->seen.height + at;
    int32_t slot = number % WINDOW;

    if (d->have[slot] != number) {
        kldve_heat_row(&d->heat, d->o.frame > 0 ? d->o.frame - 1 : frame,
                       at + d->seen.y - d->whole.y, d->seen.x - d->whole.x, d->seen.width,
                       d->row[slot]);
        d->have[slot] = number;
    }
    return d->row[slot];
}

/* One row of what the network saw. */
static void draw_seen(drawing *d, int32_t frame, int32_t y)
{
    uint8_t *rgb = d->rgb + 3 * (size_t)d->seen.x;

    if (d->lines > 0) {
        const float *const rows[WINDOW] = {heat_row(d, frame, y - 1), heat_row(d, frame, y),
                                           heat_row(d, frame, y + 1)};

        kldve_isolines_row(d->line, d->lines, 2 * (float)d->o.line, rows, d->seen.width, rgb);
        return;
    }
    kldve_overlay_row(d->paints, heat_row(d, frame, y), d->seen.width, rgb);
}

/* What lies beside it: heat of 0. */
static void draw_rest(const drawing *d, int32_t begin, int32_t end)
{
    if (d->o.view == KLDVE_VIEW_MASKED)
        kldve_overlay_row(d->paints, NULL, end - begin, d->rgb + 3 * (size_t)begin);
}

/* ---- the picture below ---------------------------------------------------------------------- */

static void spread(const uint8_t *small, int32_t width, int32_t factor, uint8_t *out)
{
    for (int32_t x = 0; x < width; x++, small += 3)
        for (int32_t i = 0; i < factor; i++, out += 3)
            memcpy(out, small, 3);
}

/* Fill d->rgb, and d->alpha, [width], if there is one. */
static bool read_row(const drawing *d, int32_t row)
{
    const int32_t width = d->dest->width;
    const uint8_t *from;
    bool has_alpha;

    if (!d->picture) {
        memset(d->rgb, 0, 3 * (size_t)width);
        return false;
    }
    row /= d->enlarged;
    if (d->enlarged > 1) {
        spread(kldve_image_row(d->picture, row, d->small), d->picture->width, d->enlarged, d->rgb);
        has_alpha = kldve_image_alpha_row(d->picture, row, d->small);
        if (has_alpha)
            spread(d->small, d->picture->width, d->enlarged, d->alpha);
    } else {
        from = kldve_image_row(d->picture, row, d->rgb);
        if (from != d->rgb)
            memcpy(d->rgb, from, 3 * (size_t)width);
        has_alpha = kldve_image_alpha_row(d->picture, row, d->alpha);
    }
    for (int32_t x = 0; has_alpha && x < width; x++)
        d->alpha[x] = d->alpha[3 * x];
    return has_alpha;
}

/* The row is read before it is written, so the picture and the result may be the same memory. */
static void draw_row(drawing *d, int32_t row)
{
    const int32_t frame = row / d->height, y = row % d->height, width = d->dest->width;
    const int32_t right = d->seen.x + d->seen.width;
    bool has_alpha = read_row(d, row);

    if (y >= d->seen.y && y < d->seen.y + d->seen.height) {
        draw_rest(d, 0, d->seen.x);
        draw_seen(d, frame, y - d->seen.y);
        draw_rest(d, right, width);
    } else {
        draw_rest(d, 0, width);
    }
    if (d->frame > 0)
        kldve_frame_row(&d->seen, d->frame, y, width, d->rgb);
    kldve_outline_row(&d->outline, y, width, d->rgb);
    kldve_pixels_write(d->dest, row, d->rgb, has_alpha ? d->alpha : NULL);
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* Also finds d->enlarged and d->height. */
static kldve_status check_sizes(kldve_ctx *ctx, drawing *d)
{
    const kldve_pixels *dest = d->dest;
    const int32_t frames = kldve_render_frames(d->map, &d->o);

    if (kldve_arrangement_of(dest->format)->yuv)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED, "render: cannot write %s, give RGB",
                               kldve_arrangement_of(dest->format)->name);
    d->enlarged = d->picture ? dest->width / d->picture->width : 1;
    if (d->picture && (d->enlarged < 1 || dest->width != d->enlarged * d->picture->width ||
                       dest->height != d->enlarged * (int64_t)d->picture->height))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "render: %d x %d pixels for a picture of %d x %d: give its size, or "
                               "a whole multiple of it",
                               (int)dest->width, (int)dest->height, (int)d->picture->width,
                               (int)d->picture->height);
    if (dest->height % frames != 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "render: a picture of %d rows is not %d frames below each other: "
                               "draw them one by one, see kldve_render_options.frame",
                               (int)dest->height, (int)frames);
    d->height = dest->height / frames;
    if (d->picture && (d->map->record.seen_width * (float)dest->width > MOST_PADDED ||
                       d->map->record.seen_height * (float)dest->height > MOST_PADDED))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "render: the map with its padding reaches more than %d pixels: draw "
                               "it over a smaller picture",
                               MOST_PADDED);
    return KLDVE_OK;
}

/* Room for the rows. */
static kldve_status allocate(kldve_ctx *ctx, drawing *d)
{
    const size_t width = (size_t)d->dest->width;

    d->row[0] = kldve_ctx_alloc(ctx, width, WINDOW * sizeof(float) + 9);
    if (!d->row[0])
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for a row of heat");
    for (int32_t i = 1; i < WINDOW; i++)
        d->row[i] = d->row[i - 1] + width;
    d->rgb = (uint8_t *)(d->row[WINDOW - 1] + width);
    d->alpha = d->rgb + 3 * width;
    d->small = d->alpha + 3 * width;
    return KLDVE_OK;
}

/* d->map, picture, dest and options are set, and the options are checked.  Then draw_row() can be
 * called; end it in either case. */
static kldve_status draw_begin(kldve_ctx *ctx, drawing *d)
{
    kldve_status st = check_sizes(ctx, d);

    if (st < 0)
        return st;
    begin(d);
    if ((st = allocate(ctx, d)) < 0)
        return st;
    return kldve_heat_begin(ctx, d->map, &d->o, d->picture != NULL,
                            (const int32_t[2]){d->whole.height, d->whole.width}, &d->heat);
}

static void draw_end(kldve_ctx *ctx, drawing *d)
{
    if (d->heat.ctx)
        kldve_heat_end(&d->heat);
    kldve_ctx_release(ctx, d->row[0]);
}

static kldve_status draw(kldve_ctx *ctx, drawing *d)
{
    kldve_status st = draw_begin(ctx, d);

    for (int32_t row = 0; st == KLDVE_OK && row < d->dest->height; row++)
        draw_row(d, row);
    draw_end(ctx, d);
    return st;
}

kldve_status kldve_heatmap_render_into(kldve_ctx *ctx, const kldve_heatmap *map,
                                       const kldve_image *picture,
                                       const kldve_render_options *options,
                                       const kldve_pixels *dest)
{
    drawing d = {.map = map, .picture = picture};
    kldve_pixels to;
    fenv_t host;
    kldve_status st;

    if (!ctx || !map)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "render: the map is NULL");
    kldve_float_env_enter(&host);
    if ((st = kldve_pixels_load(ctx, "render", dest, &to)) == KLDVE_OK &&
        (st = kldve_render_load(ctx, map,
                                (const int32_t[2]){picture ? to.width : 0, picture ? to.height : 0},
                                options, &d.o)) == KLDVE_OK) {
        d.dest = &to;
        st = draw(ctx, &d);
    }
    return kldve_float_env_leave(&host, st);
}

/* Check the arguments; the width and height of the whole drawing -> size. */
static kldve_status prepare(kldve_ctx *ctx, drawing *d, const kldve_render_options *options,
                            int32_t size[2])
{
    int32_t factor;
    kldve_status st;

    size[0] = d->picture ? d->picture->width : 0;
    size[1] = d->picture ? d->picture->height : 0;
    if ((st = kldve_render_load(ctx, d->map, size, options, &d->o)) < 0)
        return st;
    if (!d->picture) {
        size[0] = d->map->view_width;
        size[1] = d->o.frame > 0 ? d->map->view_height / d->map->view_frames : d->map->view_height;
    }
    factor = kldve_render_factor(d->map, size, &d->o);
    size[0] *= factor;
    size[1] *= factor;
    return KLDVE_OK;
}

static kldve_status render(kldve_ctx *ctx, const kldve_heatmap *map, const kldve_image *picture,
                           const kldve_render_options *options, kldve_image **out)
{
    drawing d = {.map = map, .picture = picture};
    kldve_image *image = NULL;
    int32_t size[2];
    kldve_status st;

    if ((st = prepare(ctx, &d, options, size)) < 0 ||
        (st = kldve_image_alloc(ctx, size[0], size[1], &image)) < 0)
        return st;
    d.dest = &image->layout;
    st = draw(ctx, &d);
    return kldve_image_finish(st, image, out);
}

kldve_status kldve_heatmap_render(kldve_ctx *ctx, const kldve_heatmap *map,
                                  const kldve_image *picture, const kldve_render_options *options,
                                  kldve_image **out)
{
    fenv_t host;

    if (!ctx || !map || !out)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "render: the %s is NULL", map ? "result" : "map");
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(&host, render(ctx, map, picture, options, out));
}

/* ---- straight into a file -------------------------------------------------------------------- */

/* A row for the writer of the file, which asks for one after the other. */
static void row_for_file(void *opaque, int32_t y, uint8_t *rgb)
{
    drawing *d = opaque;

    draw_row(d, y);
    memcpy(rgb, d->dest->plane[0], 3 * (size_t)d->dest->width);
}

static kldve_status save(kldve_ctx *ctx, drawing *d, const kldve_render_options *options,
                         const char *path, int32_t quality)
{
    kldve_image drawn = {.ctx = ctx, .row = row_for_file, .opaque = d};
    int32_t size[2];
    uint8_t *row;
    kldve_status st;

    if ((st = prepare(ctx, d, options, size)) < 0 ||
        (st = kldve_image_check_size(ctx, size[0], size[1])) < 0)
        return st;
    if (!(row = kldve_ctx_alloc(ctx, (size_t)size[0], 3)))
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for a row of pixels");
    drawn.width = size[0];
    drawn.height = size[1];
    drawn.layout = kldve_pixels_of(KLDVE_PIXEL_RGB, size[0], size[1], row, 0); /* one for all */
    d->dest = &drawn.layout;
    if ((st = draw_begin(ctx, d)) == KLDVE_OK)
        st = kldve_image_save(ctx, &drawn, path, quality);
    draw_end(ctx, d);
    kldve_ctx_release(ctx, row);
    return st;
}

kldve_status kldve_heatmap_save(kldve_ctx *ctx, const kldve_heatmap *map,
                                const kldve_image *picture, const kldve_render_options *options,
                                const char *path, int32_t quality)
{
    drawing d = {.map = map, .picture = picture};
    double before;

    if (!ctx || !map || !path)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "save: the %s is NULL", map ? "path" : "map");
    before = kldve_ctx_enter(ctx, "save", 0);
    return kldve_ctx_leave(ctx, before, save(ctx, &d, options, path, quality));
}
