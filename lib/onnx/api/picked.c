/* picked.c - the scores of a selection.
 *
 *     forward    score[i] = sum over m of w[m] T[index(i, m)]
 *     backward   dT[index(i, m)] += w[m] dscore[i]
 *     relevance  R[index(i, m)] += w[m] T[index(i, m)] / score[i] R[i] */
#include "picked.h"

#include <assert.h>
#include <string.h>

struct kx_picked {
    kldve_ctx *ctx;
    const kx_selection *s;
    int32_t places, batch;
    int32_t *place; /* [places] that are picked */
    float *weight;  /* [places], their sum is 1 */
    size_t elements;
    float *whole[2]; /* of one input, of a batch; NULL: not yet */
    float *back[2];  /* the same, all zeros between calls but for what the last one set */
};

static const float share_epsilon = 1e-6f; /* as KLDVE_RULE_LRP_EPSILON */

kldve_status kx_picked_new(kldve_ctx *ctx, const kx_selection *s, int32_t batch, kx_picked **out)
{
    size_t room = s->open == KX_OPEN_MAP ? (size_t)s->height * (size_t)s->width : 1;
    kx_picked *p = kldve_ctx_alloc(ctx, 1, sizeof *p);

    if (!p)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for the selected scores");
    *p = (kx_picked){.ctx = ctx, .s = s, .places = 1, .batch = batch, .elements = s->whole->count};
    p->place = kldve_ctx_alloc(ctx, room, sizeof *p->place);
    p->weight = kldve_ctx_alloc(ctx, room, sizeof *p->weight);
    if (!p->place || !p->weight) {
        kx_picked_free(p);
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for the selected scores");
    }
    p->place[0] = 0;
    p->weight[0] = 1;
    *out = p;
    return KLDVE_OK;
}

void kx_picked_free(kx_picked *p)
{
    if (!p)
        return;
    for (int i = 0; i < 2; i++) {
        kldve_ctx_release(p->ctx, p->whole[i]);
        kldve_ctx_release(p->ctx, p->back[i]);
    }
    kldve_ctx_release(p->ctx, p->place);
    kldve_ctx_release(p->ctx, p->weight);
    kldve_ctx_release(p->ctx, p);
}

/* Zeros at first. */
static float *room(const kx_picked *p, float *array[2], int32_t count)
{
    float **at = &array[count > 1];

    assert(count == 1 || count == p->batch);
    if (*at)
        return *at;
    *at = kldve_ctx_alloc(p->ctx, p->elements, (size_t)count * sizeof **at);
    if (*at)
        memset(*at, 0, p->elements * (size_t)count * sizeof **at);
    else
        kldve_ctx_fail(p->ctx, KLDVE_E_NOMEM, "out of memory for the selected scores");
    return *at;
}

float *kx_picked_room(kx_picked *p, int32_t count)
{
    return room(p, p->whole, count);
}

static int32_t cell(double part, int32_t cells)
{
    int32_t i = (int32_t)(part * cells);

    return i < 0 ? 0 : i < cells ? i : cells - 1;
}

static void pick_one(kx_picked *p, int32_t place)
{
    p->places = 1;
    p->place[0] = place;
    p->weight[0] = 1;
}

void kx_picked_at(kx_picked *p, float x, float y)
{
    assert(p->s->open == KX_OPEN_MAP);
    pick_one(p, cell((double)y, p->s->height) * p->s->width + cell((double)x, p->s->width));
}

void kx_picked_row(kx_picked *p, int32_t row)
{
    assert(p->s->open == KX_OPEN_ROWS && row >= 0 && row < p->s->height);
    pick_one(p, row);
}

void kx_picked_over(kx_picked *p, const float *weight, int32_t height, int32_t width)
{
    int32_t all = p->s->height * p->s->width;

    assert(p->s->open == KX_OPEN_MAP);
    memset(p->weight, 0, (size_t)all * sizeof *p->weight);
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++)
            p->weight[cell((y + 0.5) / height, p->s->height) * p->s->width +
                      cell((x + 0.5) / width, p->s->width)] += *weight++;
    p->places = 0;
    for (int32_t i = 0; i < all; i++) /* those that count move to the front */
        if (p->weight[i] > 0) {
            p->place[p->places] = i;
            p->weight[p->places++] = p->weight[i];
        }
}

void kx_picked_read(const kx_picked *p, int32_t count, float *scores)
{
    const float *whole = p->whole[count > 1];
    int32_t n = p->s->count;

    for (int32_t b = 0; b < count; b++, whole += p->elements, scores += n)
        for (int32_t i = 0; i < n; i++) {
            double sum = 0;

            for (int32_t m = 0; m < p->places; m++)
                sum += (double)p->weight[m] * (double)whole[kx_selected(p->s, p->place[m], i)];
            scores[i] = (float)sum;
        }
}

/* The array for what goes back, all zeros. */
static float *cleared(kx_picked *p, int32_t count)
{
    float *back = room(p, p->back, count);

    for (int32_t b = 0; back && b < count; b++)
        memset(back + (size_t)b * p->elements, 0, p->elements * sizeof *back);
    return back;
}

const float *kx_picked_spread(kx_picked *p, int32_t count, const float *cotangents)
{
    float *back = cleared(p, count), *to = back;
    int32_t n = p->s->count;

    if (!back)
        return NULL;
    for (int32_t b = 0; b < count; b++, to += p->elements, cotangents += n)
        for (int32_t m = 0; m < p->places; m++)
            for (int32_t i = 0; i < n; i++)
                to[kx_selected(p->s, p->place[m], i)] += p->weight[m] * cotangents[i];
    return back;
}

const float *kx_picked_share(kx_picked *p, const float *relevance)
{
    float *back = cleared(p, 1);
    const float *whole = p->whole[0];

    if (!back)
        return NULL;
    assert(whole); /* there was a forward pass */
    for (int32_t i = 0; i < p->s->count; i++) {
        float sum = 0;

        for (int32_t m = 0; m < p->places; m++)
            sum += p->weight[m] * whole[kx_selected(p->s, p->place[m], i)];
        sum += sum < 0 ? -share_epsilon : share_epsilon;
        for (int32_t m = 0; m < p->places; m++) {
            int32_t at = kx_selected(p->s, p->place[m], i);

            back[at] +=
                p->places == 1 ? relevance[i] : p->weight[m] * whole[at] / sum * relevance[i];
        }
    }
    return back;
}
