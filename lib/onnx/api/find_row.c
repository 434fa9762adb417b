/* find_row.c - which row of a detector is the best, and where its box is.
 *
 * Files do not say how their boxes are meant.  Where the caller does not either, the numbers of all
 * rows tell: boxes of which nearly all have their third and fourth number above the first and
 * second are corners, others are centre and size; boxes that all lie within -1 and 2 are in parts
 * of the input, others in pixels of it. */
#include "detector.h"

#include <assert.h>
#include <math.h>

static float number(const kx_row_part *p, const float *found, int32_t row, int32_t i)
{
    return found[p->begin + p->at[i] + row * p->step];
}

static int32_t format_of(const kx_detector *d, const float *found)
{
    int32_t corners = 0;

    if (d->format != KLDVE_ONNX_BOXES_AUTO)
        return d->format;
    for (int32_t r = 0; r < d->rows; r++)
        corners += number(&d->box, found, r, 2) >= number(&d->box, found, r, 0) &&
                   number(&d->box, found, r, 3) >= number(&d->box, found, r, 1);
    return corners >= d->rows - d->rows / 20 ? KLDVE_ONNX_BOXES_CORNERS : KLDVE_ONNX_BOXES_CENTRE;
}

static bool in_parts(const kx_detector *d, const float *found)
{
    if (d->units != KLDVE_ONNX_BOX_UNITS_AUTO)
        return d->units == KLDVE_ONNX_BOX_UNITS_PARTS;
    for (int32_t r = 0; r < d->rows; r++)
        for (int32_t i = 0; i < 4; i++)
            if (!(fabsf(number(&d->box, found, r, i) - 0.5f) <= 1.5f))
                return false;
    return true;
}

static void decode(const float b[4], int32_t format, float out[4])
{
    if (format == KLDVE_ONNX_BOXES_ROWS_FIRST) {
        for (int i = 0; i < 4; i++)
            out[i] = b[i ^ 1];
        return;
    }
    for (int i = 0; i < 2; i++) {
        out[i] = format == KLDVE_ONNX_BOXES_CENTRE ? b[i] - b[i + 2] / 2 : b[i];
        out[i + 2] = format == KLDVE_ONNX_BOXES_CORNERS ? b[i + 2] : out[i] + b[i + 2];
    }
}

/* How the boxes of this output are meant. */
typedef struct reading {
    int32_t format;
    float scale[2]; /* x, y: to parts of the input */
} reading;

static reading read_boxes(const kx_detector *d, const float *found, const int64_t input[2])
{
    reading r = {format_of(d, found), {1, 1}};

    if (!in_parts(d, found)) {
        r.scale[0] = 1 / (float)input[1];
        r.scale[1] = 1 / (float)input[0];
    }
    return r;
}

static void box_of(const kx_detector *d, const float *found, const reading *how, int32_t row,
                   float out[4])
{
    float b[4];

    for (int32_t i = 0; i < 4; i++)
        b[i] = number(&d->box, found, row, i);
    decode(b, how->format, out);
    for (int i = 0; i < 4; i++)
        out[i] *= how->scale[i % 2];
}

static float score_of(const kx_detector *d, const float *found, int32_t row)
{
    float best = -INFINITY;

    for (int32_t c = 0; c < d->score.count; c++)
        if (c != d->background && number(&d->score, found, row, c) > best)
            best = number(&d->score, found, row, c);
    return d->object.tensor ? best * number(&d->object, found, row, 0) : best;
}

kx_row kx_row_at(const kx_detector *d, const float *found, int32_t row, const int64_t input[2])
{
    reading how = read_boxes(d, found, input);
    kx_row out = {.row = row, .score = score_of(d, found, row)};

    assert(row >= 0 && row < d->rows);
    box_of(d, found, &how, row, out.box);
    return out;
}

/* Whether a place lies in the box; a negative one lies in all. */
static bool contains(const float box[4], float x, float y)
{
    return x < 0 || (box[0] <= x && x <= box[2] && box[1] <= y && y <= box[3]);
}

bool kx_best_row(const kx_detector *d, const float *found, const int64_t input[2], float x, float y,
                 kx_row *out)
{
    reading how = read_boxes(d, found, input);
    float best = -INFINITY;
    int32_t row = -1;

    for (int32_t r = 0; r < d->rows; r++) {
        float score = score_of(d, found, r), box[4];

        if (!(score > best))
            continue;
        box_of(d, found, &how, r, box);
        if (!contains(box, x, y))
            continue;
        best = score;
        row = r;
    }
    if (row < 0)
        return false;
    *out = kx_row_at(d, found, row, input);
    return true;
}

bool kx_best_kept(const kx_detector *d, const float *found, const kx_kept *kept,
                  const int64_t input[2], float x, float y, kx_row *out)
{
    reading how = read_boxes(d, found, input);
    const kx_kept_row *best = NULL;

    for (int32_t k = 0; k < kept->count; k++) {
        float box[4];

        box_of(d, found, &how, kept->row[k].row, box);
        if (contains(box, x, y) && (!best || kept->row[k].score > best->score))
            best = &kept->row[k];
    }
    if (!best)
        return false;
    *out = kx_row_at(d, found, best->row, input);
    out->score = best->score;
    return true;
}
