/* dataset_truth.c - where the answer lies in a picture that is loaded: boxes, or a mask.
 *
 * A pixel lies in a box if its centre does.  Boxes alone stay boxes; with any mask or outline among
 * them, all become one mask. */
#include "dataset_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The mask files of one question, mostly one: decoded once. */
typedef struct mask_file {
    const char *path;
    kldve_image *image;
} mask_file;

static bool fail(char why[LABEL_SIZE], const char *text)
{
    snprintf(why, LABEL_SIZE, "%s", text);
    return false;
}

/* ---- which pixels the truth counts in ----------------------------------------------------------
 */

/* The size that boxes and masks are about: the annotations', else that of the first mask. */
static bool size_of_truth(const dataset *d, const question *q, kldve_ctx *ctx, mask_file *file,
                          int32_t size[2], char why[LABEL_SIZE])
{
    const dataset_photo *photo = &d->photo[q->photo[0]];
    char text[LABEL_SIZE];

    size[0] = photo->width;
    size[1] = photo->height;
    for (int32_t i = 0; i < q->pieces && size[0] == 0; i++) {
        const dataset_piece *p = &d->piece[q->first + i];

        if (p->kind != DATASET_MASK)
            continue;
        if (!dataset_load_image(p->at.mask, ctx, &file->image, text)) {
            snprintf(why, LABEL_SIZE, "its mask: %.200s", text);
            return false;
        }
        file->path = p->at.mask;
        size[0] = kldve_image_width(file->image);
        size[1] = kldve_image_height(file->image);
    }
    return true;
}

static bool wrong_size(const int32_t size[2], const kldve_image *image, char why[LABEL_SIZE])
{
    snprintf(why, LABEL_SIZE, "its annotations or mask are of a picture of %dx%d, but it has %dx%d",
             (int)size[0], (int)size[1], (int)kldve_image_width(image),
             (int)kldve_image_height(image));
    return false;
}

/* The frame that the truth counts in: the pixels as shown (orientation 1), or as stored. */
static bool find_frame(const dataset *d, const int32_t size[2], const kldve_image *image,
                       dataset_frame *out, char why[LABEL_SIZE])
{
    int32_t o = kldve_image_orientation(image);
    dataset_frame shown = {1, kldve_image_width(image), kldve_image_height(image)};
    dataset_frame stored = {o, o >= 5 ? shown.height : shown.width,
                            o >= 5 ? shown.width : shown.height};
    bool fits_shown = size[0] == 0 || (size[0] == shown.width && size[1] == shown.height);
    bool fits_stored = size[0] == 0 || (size[0] == stored.width && size[1] == stored.height);
    int32_t turned = o == 1 ? DATASET_TURNED_SHOWN : d->args.turned;

    if (turned == DATASET_TURNED_ASK && fits_shown && fits_stored) {
        snprintf(why, LABEL_SIZE,
                 "its file is to be shown turned (EXIF orientation %d), and nothing says whether "
                 "its truth counts in pixels as shown or as stored: --turned",
                 (int)o);
        return false;
    }
    if (turned == DATASET_TURNED_ASK)
        turned = fits_stored ? DATASET_TURNED_STORED : DATASET_TURNED_SHOWN;
    *out = turned == DATASET_TURNED_STORED ? stored : shown;
    if (turned == DATASET_TURNED_STORED ? fits_stored : fits_shown)
        return true;
    return wrong_size(size, image, why);
}

/* ---- boxes -------------------------------------------------------------------------------------
 */

/* Cut to the picture; false: nothing is left. */
static bool cut(double edge[4], double width, double height)
{
    edge[0] = fmax(edge[0], 0);
    edge[1] = fmax(edge[1], 0);
    edge[2] = fmin(edge[2], width);
    edge[3] = fmin(edge[3], height);
    return edge[0] < edge[2] && edge[1] < edge[3];
}

static bool load_boxes(const dataset *d, const question *q, const dataset_frame *frame,
                       dataset_picture *p, char why[LABEL_SIZE])
{
    double width = kldve_image_width(p->image), height = kldve_image_height(p->image);

    p->box = calloc((size_t)q->pieces, sizeof *p->box);
    if (!p->box)
        return fail(why, "out of memory");
    for (int32_t i = 0; i < q->pieces; i++) {
        double *edge = p->box[p->boxes];

        memcpy(edge, d->piece[q->first + i].at.edge, sizeof *p->box);
        dataset_turn_box(frame, edge);
        p->boxes += cut(edge, width, height);
    }
    return p->boxes > 0 || fail(why, "its boxes lie outside of it");
}

/* ---- masks -------------------------------------------------------------------------------------
 */

static void fill_box(const double edge[4], const dataset_frame *frame, uint8_t *mask)
{
    double e[4];
    int32_t x0, x1, y0, y1;

    memcpy(e, edge, sizeof e);
    if (!cut(e, frame->width, frame->height))
        return;
    x0 = (int32_t)ceil(e[0] - 0.5);
    y0 = (int32_t)ceil(e[1] - 0.5);
    x1 = (int32_t)ceil(e[2] - 0.5);
    y1 = (int32_t)ceil(e[3] - 0.5);
    for (int32_t y = y0; y < y1; y++)
        for (int32_t x = x0; x < x1; x++)
            mask[(size_t)y * (size_t)frame->width + (size_t)x] = 1;
}

static bool fill_mask(const dataset_piece *piece, kldve_ctx *ctx, mask_file *file,
                      const dataset_frame *frame, uint8_t *mask, char why[LABEL_SIZE])
{
    char text[LABEL_SIZE];
    const uint8_t *rgb;

    if (!file->path || strcmp(file->path, piece->at.mask) != 0) {
        kldve_image_free(file->image);
        *file = (mask_file){.path = NULL};
        if (!dataset_load_image(piece->at.mask, ctx, &file->image, text)) {
            snprintf(why, LABEL_SIZE, "its mask: %.200s", text);
            return false;
        }
        file->path = piece->at.mask;
    }
    if (kldve_image_width(file->image) != frame->width ||
        kldve_image_height(file->image) != frame->height) {
        snprintf(why, LABEL_SIZE, "its mask has %dx%d pixels, the picture %dx%d",
                 (int)kldve_image_width(file->image), (int)kldve_image_height(file->image),
                 (int)frame->width, (int)frame->height);
        return false;
    }
    rgb = kldve_image_pixels(file->image);
    for (size_t i = 0; i < (size_t)frame->width * (size_t)frame->height; i++, rgb += 3) {
        int32_t colour = rgb[0] + 256 * rgb[1] + 65536 * rgb[2];

        if (piece->colour < 0 ? colour != 0 : colour == piece->colour)
            mask[i] = 1;
    }
    return true;
}

static bool fill(const dataset *d, const question *q, kldve_ctx *ctx, mask_file *file,
                 const dataset_frame *frame, uint8_t *mask, char why[LABEL_SIZE])
{
    for (int32_t i = 0; i < q->pieces; i++) {
        const dataset_piece *piece = &d->piece[q->first + i];

        if (piece->kind == DATASET_BOX)
            fill_box(piece->at.edge, frame, mask);
        else if (piece->kind == DATASET_MASK && !fill_mask(piece, ctx, file, frame, mask, why))
            return false;
        else if (piece->kind == DATASET_SHAPE && !dataset_fill_shape(d, piece, frame, mask, why))
            return false;
    }
    return memchr(mask, 1, (size_t)frame->width * (size_t)frame->height) ||
           fail(why, "its mask does not show what is asked for anywhere");
}

static bool load_mask(const dataset *d, const question *q, kldve_ctx *ctx, mask_file *file,
                      const dataset_frame *frame, dataset_picture *p, char why[LABEL_SIZE])
{
    size_t size = (size_t)frame->width * (size_t)frame->height;
    uint8_t *mask = calloc(size, 1);
    bool ok;

    p->mask = malloc(size);
    if (!mask || !p->mask) {
        free(mask);
        return fail(why, "out of memory");
    }
    ok = fill(d, q, ctx, file, frame, mask, why);
    if (ok)
        dataset_turn_mask(frame, mask, p->mask);
    free(mask);
    return ok;
}

bool dataset_load_truth(const dataset *d, const question *q, kldve_ctx *ctx, dataset_picture *p,
                        char why[LABEL_SIZE])
{
    mask_file file = {.path = NULL};
    dataset_frame frame = {1, 0, 0};
    int32_t size[2];
    bool boxes = true, ok;

    for (int32_t i = 0; i < q->pieces; i++)
        boxes = boxes && d->piece[q->first + i].kind == DATASET_BOX;
    ok = size_of_truth(d, q, ctx, &file, size, why) && find_frame(d, size, p->image, &frame, why);
    if (ok && boxes)
        ok = load_boxes(d, q, &frame, p, why);
    else if (ok)
        ok = load_mask(d, q, ctx, &file, &frame, p, why);
    kldve_image_free(file.image);
    return ok;
}
