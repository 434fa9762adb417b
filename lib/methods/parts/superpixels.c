/* superpixels.c - SLIC: R. Achanta et al., "SLIC Superpixels Compared to State-of-the-Art
 * Superpixel Methods", IEEE TPAMI 34(11), 2012, Algorithm 1.
 *
 *     D^2 = |c - c_k|^2 + (m / S)^2 |p - p_k|^2
 *
 * k-means of the pixels at positions p with colours c, where each centre considers the 2 S x
 * 2 S pixels around it; S is the side of a cell of the grid that the centres start on, m = 10.  A
 * centre first moves to the pixel with the smallest gradient of the 3 x 3 around it; ten rounds
 * follow, as in the paper. Finally, pieces that are cut off from the rest of their region and
 * smaller than a quarter of a cell join a neighbour.
 *
 * The paper measures colour in CIELAB, where black is 100 from white.  Here the colours
 * are the channels of the network's input, whatever they are, scaled so that the smallest and the
 * largest value over all channels are 100 apart.
 *
 * Cost: 4 distances per pixel and round. */
#include "superpixels.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/block.h"

enum { ROUNDS = 10 };

static const double compactness = 10, colour_range = 100;

struct slic {
    const float *input;
    size_t channels, height, width, pixels;
    size_t centres, dims; /* dims: channels, then y and x */
    double side;          /* S */
    double scale;         /* of the colours */
    double *centre;       /* [centres][dims] */
    double *sum;          /* the same */
    double *distance;     /* [pixels], squared */
    size_t *members;      /* [centres] */
    int32_t *raw;         /* [pixels], the nearest centre */
    size_t *queue;        /* [pixels] */
    int32_t *label;       /* [pixels], the result */
};

static void cut(struct slic *s, kldve_block *block)
{
    size_t count;

    if (!kldve_size_mul(s->centres, s->dims, &count)) {
        block->overflow = true;
        return;
    }
    s->centre = kldve_block_cut(block, count, sizeof *s->centre);
    s->sum = kldve_block_cut(block, count, sizeof *s->sum);
    s->distance = kldve_block_cut(block, s->pixels, sizeof *s->distance);
    s->members = kldve_block_cut(block, s->centres, sizeof *s->members);
    s->raw = kldve_block_cut(block, s->pixels, sizeof *s->raw);
    s->queue = kldve_block_cut(block, s->pixels, sizeof *s->queue);
}

static double colour(const struct slic *s, size_t c, size_t pixel)
{
    return s->scale * (double)s->input[c * s->pixels + pixel];
}

static void set_scale(struct slic *s)
{
    double low = (double)s->input[0], high = low;

    for (size_t i = 1; i < s->channels * s->pixels; i++) {
        low = fmin(low, (double)s->input[i]);
        high = fmax(high, (double)s->input[i]);
    }
    s->scale = high > low ? colour_range / ((high - low) * sqrt((double)s->channels)) : 0;
}

/* Squared length of the gradient by central differences, one-sided at the border. */
static double gradient(const struct slic *s, size_t y, size_t x)
{
    size_t up = y > 0 ? y - 1 : y, down = y + 1 < s->height ? y + 1 : y;
    size_t left = x > 0 ? x - 1 : x, right = x + 1 < s->width ? x + 1 : x;
    double sum = 0;

    for (size_t c = 0; c < s->channels; c++) {
        double dy = colour(s, c, down * s->width + x) - colour(s, c, up * s->width + x);
        double dx = colour(s, c, y * s->width + right) - colour(s, c, y * s->width + left);

        sum += dy * dy + dx * dx;
    }
    return sum;
}

static void start_centre(const struct slic *s, double *centre, size_t y, size_t x)
{
    size_t best_y = y, best_x = x;
    double least = gradient(s, y, x);

    for (size_t v = y > 0 ? y - 1 : y; v <= y + 1 && v < s->height; v++)
        for (size_t u = x > 0 ? x - 1 : x; u <= x + 1 && u < s->width; u++) {
            double g = gradient(s, v, u);

            if (g < least) {
                least = g;
                best_y = v;
                best_x = u;
            }
        }
    for (size_t c = 0; c < s->channels; c++)
        centre[c] = colour(s, c, best_y * s->width + best_x);
    centre[s->channels] = (double)best_y;
    centre[s->channels + 1] = (double)best_x;
}

static void start(struct slic *s, size_t rows, size_t columns)
{
    assert(rows >= 1 && rows <= s->height && columns >= 1 && columns <= s->width);
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++)
            start_centre(s, s->centre + (row * columns + column) * s->dims,
                         ((2 * row + 1) * s->height - rows) / (2 * rows),
                         ((2 * column + 1) * s->width - columns) / (2 * columns));
    for (size_t i = 0; i < s->pixels; i++)
        s->raw[i] = (int32_t)(i / s->width * rows / s->height * columns +
                              i % s->width * columns / s->width);
}

static double distance(const struct slic *s, const double *centre, size_t y, size_t x)
{
    double spread = compactness / s->side, dy = spread * ((double)y - centre[s->channels]),
           dx = spread * ((double)x - centre[s->channels + 1]), sum = dy * dy + dx * dx;

    for (size_t c = 0; c < s->channels; c++) {
        double d = colour(s, c, y * s->width + x) - centre[c];

        sum += d * d;
    }
    return sum;
}

/* The pixels [*from, *to) of n within S of a coordinate. */
static void around(double at, double side, size_t n, size_t *from, size_t *to)
{
    *from = at > side ? (size_t)(at - side) : 0;
    *to = (size_t)(at + side) + 1;
    if (*to > n)
        *to = n;
}

static void assign(struct slic *s)
{
    for (size_t i = 0; i < s->pixels; i++)
        s->distance[i] = INFINITY;
    for (size_t k = 0; k < s->centres; k++) {
        const double *centre = s->centre + k * s->dims;
        size_t top, bottom, left, right;

        around(centre[s->channels], s->side, s->height, &top, &bottom);
        around(centre[s->channels + 1], s->side, s->width, &left, &right);
        for (size_t y = top; y < bottom; y++)
            for (size_t x = left; x < right; x++) {
                double d = distance(s, centre, y, x);

                if (d < s->distance[y * s->width + x]) {
                    s->distance[y * s->width + x] = d;
                    s->raw[y * s->width + x] = (int32_t)k;
                }
            }
    }
}

/* Move each centre to the mean of its pixels; one without pixels stays. */
static void move(struct slic *s)
{
    memset(s->sum, 0, s->centres * s->dims * sizeof *s->sum);
    memset(s->members, 0, s->centres * sizeof *s->members);
    for (size_t i = 0; i < s->pixels; i++) {
        double *sum = s->sum + (size_t)s->raw[i] * s->dims;

        assert(s->raw[i] >= 0 && (size_t)s->raw[i] < s->centres);
        for (size_t c = 0; c < s->channels; c++)
            sum[c] += colour(s, c, i);
        sum[s->channels] += (double)(i / s->width);
        sum[s->channels + 1] += (double)(i % s->width);
        s->members[s->raw[i]]++;
    }
    for (size_t k = 0; k < s->centres; k++)
        for (size_t d = 0; s->members[k] > 0 && d < s->dims; d++)
            s->centre[k * s->dims + d] = s->sum[k * s->dims + d] / (double)s->members[k];
}

static void visit(struct slic *s, size_t pixel, size_t seed, int32_t label, size_t *length)
{
    if (s->label[pixel] >= 0 || s->raw[pixel] != s->raw[seed])
        return;
    assert(pixel < s->pixels && *length < s->pixels);
    s->label[pixel] = label;
    s->queue[(*length)++] = pixel;
}

/* Label everything connected to `seed`; returns the number of pixels. */
static size_t fill(struct slic *s, size_t seed, int32_t label)
{
    size_t length = 0;

    visit(s, seed, seed, label, &length);
    for (size_t i = 0; i < length; i++) {
        size_t at = s->queue[i], x = at % s->width;

        if (at >= s->width)
            visit(s, at - s->width, seed, label, &length);
        if (x > 0)
            visit(s, at - 1, seed, label, &length);
        if (x + 1 < s->width)
            visit(s, at + 1, seed, label, &length);
        if (at + s->width < s->pixels)
            visit(s, at + s->width, seed, label, &length);
    }
    return length;
}

/* Pieces in reading order; a small one joins the region above or left of its first pixel. */
static int32_t connect(struct slic *s)
{
    double least = s->side * s->side / 4;
    int32_t count = 0;

    for (size_t i = 0; i < s->pixels; i++)
        s->label[i] = -1;
    for (size_t i = 0; i < s->pixels; i++) {
        size_t length;

        if (s->label[i] >= 0)
            continue;
        length = fill(s, i, count);
        if (i > 0 && (double)length < least) {
            int32_t neighbour = s->label[i % s->width > 0 ? i - 1 : i - s->width];

            assert(neighbour >= 0);
            for (size_t j = 0; j < length; j++)
                s->label[s->queue[j]] = neighbour;
        } else {
            count++;
        }
    }
    return count;
}

kldve_status kldve_superpixels(kldve_ctx *ctx, const kldve_superpixel_grid *grid, int32_t *label,
                               int32_t *count)
{
    struct slic s = {.input = grid->input,
                     .channels = (size_t)grid->channels,
                     .height = (size_t)grid->height,
                     .width = (size_t)grid->width,
                     .pixels = (size_t)grid->height * (size_t)grid->width,
                     .centres = (size_t)grid->rows * (size_t)grid->columns,
                     .dims = (size_t)grid->channels + 2,
                     .label = label};
    kldve_block block = {NULL, 0, false};
    void *memory = NULL;

    s.side = sqrt((double)s.pixels / (double)s.centres);
    cut(&s, &block);
    if (!block.overflow)
        memory = kldve_ctx_alloc(ctx, 1, block.size);
    if (!memory)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for superpixels of %d x %d",
                               (int)grid->width, (int)grid->height);
    block = (kldve_block){memory, 0, false};
    cut(&s, &block);
    set_scale(&s);
    start(&s, (size_t)grid->rows, (size_t)grid->columns);
    for (int round = 0; round < ROUNDS; round++) {
        assign(&s);
        move(&s);
    }
    *count = connect(&s);
    kldve_ctx_release(ctx, memory);
    return KLDVE_OK;
}
