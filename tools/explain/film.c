/* film.c - the frames of a film with their maps: a sheet of pictures beside each other, and an
 * array.
 *
 * All frames have one scale.  A sheet has rows of frames in the order of time. */
#include "explain.h"
#include "cli/getters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 4 /* pixels between frames */ };

/* ---- one frame ---------------------------------------------------------------------------- */

/* The picture below the heat; *made is the caller's to free, or NULL. */
static kldve_status picture_of(const explanation *e, int32_t frame, const kldve_image **out,
                               kldve_image **made)
{
    int32_t width, height;
    kldve_status status;

    *made = NULL;
    if (e->frames > 0) {
        *out = e->frame[frame];
        return KLDVE_OK;
    }
    width = kldve_image_width(e->picture);
    height = kldve_image_height(e->picture) / e->net.shape.in_frames;
    status = kldve_image_crop(e->net.ctx, e->picture, 0, frame * height, width, height, made);
    *out = *made;
    return status;
}

static kldve_status draw_frame(const explanation *e, const kldve_render_options *options, bool over,
                               int32_t frame, kldve_image **out)
{
    kldve_render_options o = *options;
    const kldve_image *picture = NULL;
    kldve_image *made = NULL;
    kldve_status status = over ? picture_of(e, frame, &picture, &made) : KLDVE_OK;

    o.frame = 1 + frame;
    if (status == KLDVE_OK)
        status = kldve_heatmap_render(e->net.ctx, e->map, picture, &o, out);
    kldve_image_free(made);
    return status;
}

/* ---- the sheet ---------------------------------------------------------------------------- */

/* So many frames beside each other that the sheet is about square. */
static int32_t columns_of(int32_t frames, int32_t width, int32_t height)
{
    double columns = sqrt((double)frames * height / width);
    int32_t whole = (int32_t)(columns + 0.5);

    return whole < 1 ? 1 : whole > frames ? frames : whole;
}

static kldve_status new_sheet(const explanation *e, const kldve_image *first, int32_t columns,
                              kldve_image **out)
{
    int64_t rows = (e->net.shape.in_frames + columns - 1) / columns;
    int64_t width = columns * ((int64_t)kldve_image_width(first) + GAP) - GAP;
    int64_t height = rows * ((int64_t)kldve_image_height(first) + GAP) - GAP;

    if (width > 65535 || height > 65535)
        return kldve_ctx_failf(e->net.ctx, KLDVE_E_UNSUPPORTED,
                               "%d frames of %d x %d pixels are too large for one sheet: give "
                               "smaller pictures",
                               (int)e->net.shape.in_frames, (int)kldve_image_width(first),
                               (int)kldve_image_height(first));
    return kldve_image_new(e->net.ctx, (int32_t)width, (int32_t)height, out);
}

static void paste(const kldve_image *frame, int32_t index, int32_t columns, kldve_image *sheet)
{
    size_t width = (size_t)kldve_image_width(frame), height = (size_t)kldve_image_height(frame);
    size_t left = (size_t)(index % columns) * (width + GAP);
    size_t top = (size_t)(index / columns) * (height + GAP);
    uint8_t *to = kldve_image_edit(sheet);

    for (size_t y = 0; y < height; y++)
        memcpy(to + 3 * ((top + y) * (size_t)kldve_image_width(sheet) + left),
               kldve_image_pixels(frame) + 3 * y * width, 3 * width);
}

kldve_status film_draw(const explanation *e, const kldve_render_options *o, bool over,
                       kldve_image **out)
{
    int32_t frames = e->net.shape.in_frames, columns = 1;
    kldve_image *sheet = NULL, *drawn = NULL;
    kldve_status status = KLDVE_OK;

    for (int32_t i = 0; i < frames && status == KLDVE_OK; i++) {
        status = draw_frame(e, o, over, i, &drawn);
        if (status == KLDVE_OK && i == 0) {
            columns = columns_of(frames, kldve_image_width(drawn), kldve_image_height(drawn));
            status = new_sheet(e, drawn, columns, &sheet);
        }
        if (status == KLDVE_OK)
            paste(drawn, i, columns, sheet);
        kldve_image_free(drawn);
        drawn = NULL;
    }
    if (status == KLDVE_OK)
        *out = sheet;
    else
        kldve_image_free(sheet);
    return status;
}

/* ---- the array ---------------------------------------------------------------------------- */

bool film_write(const explanation *e, const char *path)
{
    const size_t frames = (size_t)e->net.shape.in_frames;
    size_t dim[3] = {frames, (size_t)(e->record.height / e->record.frames),
                     (size_t)e->record.width};
    size_t cells = dim[1] * dim[2];
    float *all = malloc(frames * cells * sizeof *all);
    kldve_status status = KLDVE_OK;
    bool ok = false;

    if (!all) {
        complain("out of memory");
        return false;
    }
    for (size_t i = 0; i < frames && status == KLDVE_OK; i++) {
        kldve_heatmap *one = NULL;

        status = kldve_heatmap_frame(e->net.ctx, e->map, (int32_t)i, &one);
        if (status == KLDVE_OK)
            memcpy(all + i * cells, map_values(one), cells * sizeof *all);
        kldve_heatmap_free(one);
    }
    if (status == KLDVE_OK)
        ok = npy_write(path, NPY_FLOAT32, 3, dim, all);
    else
        complain_ctx(e->net.ctx, path, status);
    free(all);
    return ok;
}
