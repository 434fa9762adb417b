/* pictures.c - see pictures.h.
 *
 *     [1][places x maps][rows][columns] -+-> turned, zeros around it -+-> [1][places x
 * maps][height][width]
 *                                        +-> ...                     -+
 *
 * A picture that shows the part [b, b + p) of the whole has rows of 1/rows of that part: the grid
 * of the whole has rows / p of them, and the picture begins at row b rows / p. */
#include "pictures.h"

#include <assert.h>
#include <math.h>

enum { MOST_TIMES = 8 }; /* the grid of the whole is as large as that of a picture */

/* The grid along one side, if all pictures show parts of the same size. */
static bool fit_side(const kx_items *items, const kx_view *v, int k)
{
    int64_t cells = k == 0 ? v->rows : v->columns, all;
    float part = 1 - items->item[0].before[k] - items->item[0].after[k];

    for (int32_t i = 1; i < items->count; i++)
        if (fabsf(1 - items->item[i].before[k] - items->item[i].after[k] - part) > 1e-3f)
            return false;
    all = part > 0 ? llroundf((float)cells / part) : 0;
    return all >= cells && all <= MOST_TIMES * cells;
}

static void place(const kx_items *items, kx_view *v, int k)
{
    int64_t cells = k == 0 ? v->rows : v->columns;
    float part = 1 - items->item[0].before[k] - items->item[0].after[k];
    int64_t all = llroundf((float)cells / part);

    for (int32_t i = 0; i < items->count; i++) {
        /* halves down: windows with a step see a picture half a step to the left of their cell */
        int64_t at = (int64_t)ceilf(items->item[i].before[k] * (float)all - 0.5f);

        if (all < cells) /* the whole lies within the picture */
            v->place[i][k] = at > 0 ? 0 : at < all - cells ? all - cells : at;
        else
            v->place[i][k] = at < 0 ? 0 : at < all - cells ? at : all - cells;
    }
    *(k == 0 ? &v->height : &v->width) = all;
}

/* One picture, which the network may have cut out of the whole or put on a larger ground. */
static void fit_alone(const kx_item *own, kx_view *v)
{
    const kx_items one = {.count = 1, .item = {*own}};

    for (int k = 0; k < 2; k++) {
        int64_t cells = k == 0 ? v->rows : v->columns;
        float part = 1 - own->before[k] - own->after[k];
        bool fits = part > 0 && llroundf((float)cells / part) >= 1 && part >= 1.0f / MOST_TIMES;

        v->turned[0][k] = v->sense[k] == KX_MIRRORED;
        if (fits && v->sense[k] != KX_MIXED && v->batch == 1 && (k == 1 || v->frames == 1))
            place(&one, v, k);
    }
}

/* Of frames below each other, rows can be neither turned nor moved. */
static bool rows_are_whole(const kx_items *items, const kx_view *v)
{
    for (int32_t i = 0; i < items->count; i++)
        if (v->turned[i][0] || items->item[i].before[0] + items->item[i].after[0] > 0 ||
            items->item[i].before[1] + items->item[i].after[1] > 0)
            return false;
    return true;
}

bool kx_pictures_fit(const kx_items *items, const kx_item *own, kx_view *v)
{
    v->places = 1;
    v->height = v->rows;
    v->width = v->columns;
    if (items->count == 0) {
        fit_alone(own, v);
        return v->frames == 1 || !v->turned[0][0];
    }
    if (items->count != v->batch)
        return false;
    v->places = items->count;
    for (int32_t i = 0; i < items->count; i++)
        for (int k = 0; k < 2; k++) {
            bool turned = items->item[i].sense[k] == KX_MIRRORED;

            v->turned[i][k] = v->sense[k] == KX_MIXED ? 0 : turned != (v->sense[k] == KX_MIRRORED);
        }
    if (v->frames > 1)
        return rows_are_whole(items, v);
    v->scattered = !fit_side(items, v, 0) || !fit_side(items, v, 1);
    for (int k = 0; k < 2 && !v->scattered; k++)
        place(items, v, k);
    return true;
}

static kldve_status turn(kx_surgery *s, const uint8_t turned[2], kx_value *in, kx_value **out)
{
    kldve_status st = KLDVE_OK;

    *out = in;
    for (int k = 0; k < 2 && st == KLDVE_OK; k++)
        if (turned[k])
            st = kx_put_flip(s, 2 + k, *out, out);
    return st;
}

/* The last rows and columns, as many as `last` says, in front of the others. */
static kldve_status roll(kx_surgery *s, const int64_t last[2], kx_value *in, kx_value **out)
{
    kldve_status st = KLDVE_OK;

    *out = in;
    for (int32_t k = 0; k < 2 && st == KLDVE_OK; k++) {
        int64_t rest = (*out)->shape.dim[2 + k] - last[k];
        kx_value *part[2];

        if (last[k] == 0)
            continue;
        if ((st = kx_put_slice(s, 2 + k, rest, last[k], *out, &part[0])) < 0 ||
            (st = kx_put_slice(s, 2 + k, 0, rest, *out, &part[1])) < 0)
            return st;
        st = kx_put_concat(s, 2 + k, 2, part, out);
    }
    return st;
}

static kldve_status roll_back(kx_surgery *s, const kx_view *v, kx_value *in, kx_value **out)
{
    const int64_t size[2] = {v->rows, v->columns};
    int64_t last[2];

    for (int k = 0; k < 2; k++)
        last[k] = v->rolled[k] > 0 ? size[k] - v->rolled[k] : 0;
    return roll(s, last, in, out);
}

static int64_t above(int64_t x)
{
    return x > 0 ? x : 0;
}

/* What of picture i lies within the whole, and its margin: rows above and below, then columns. */
static kldve_status put_inner(kx_surgery *s, const kx_view *v, int32_t i, kx_value *in,
                              kx_value *margin[4], kx_value **out)
{
    const int64_t size[2] = {v->rows, v->columns}, all[2] = {v->height, v->width};
    kldve_status st = KLDVE_OK;

    *out = in;
    for (int32_t k = 0; k < 2 && st == KLDVE_OK; k++) {
        int64_t begin = above(-v->place[i][k]), inner = size[k] < all[k] ? size[k] : all[k];
        kx_value *whole = *out;

        if ((st = kx_put_slice(s, 2 + k, 0, begin, whole, &margin[2 * k])) < 0 ||
            (st = kx_put_slice(s, 2 + k, begin + inner, size[k] - begin - inner, whole,
                               &margin[2 * k + 1])) < 0)
            return st;
        st = kx_put_slice(s, 2 + k, begin, inner, whole, out);
    }
    return st;
}

static kldve_status one_there(kx_surgery *s, const kx_view *v, int32_t i, kx_value *in,
                              kx_view_aside *aside, kx_value **out)
{
    const int64_t *at = v->place[i];
    const int64_t before[4] = {0, 0, above(at[0]), above(at[1])};
    const int64_t after[4] = {0, 0, above(v->height - v->rows - at[0]),
                              above(v->width - v->columns - at[1])};
    kx_value *unused[4], *inner;
    kldve_status st = roll(s, v->rolled, in, out);

    if (st < 0 || (st = turn(s, v->turned[i], *out, out)) < 0 ||
        (st = put_inner(s, v, i, *out, v->places == 1 ? aside->margin : unused, &inner)) < 0)
        return st;
    return kx_put_pad(s, before, after, inner, out);
}

/* The margins around it again. */
static kldve_status put_margin(kx_surgery *s, kx_value *const margin[4], kx_value *in,
                               kx_value **out)
{
    kldve_status st = KLDVE_OK;

    *out = in;
    for (int32_t k = 1; k >= 0 && st == KLDVE_OK; k--) {
        kx_value *all[3];
        int32_t count = 0;

        if (margin[2 * k])
            all[count++] = margin[2 * k];
        all[count++] = *out;
        if (margin[2 * k + 1])
            all[count++] = margin[2 * k + 1];
        st = kx_put_concat(s, 2 + k, count, all, out);
    }
    return st;
}

static kldve_status one_back(kx_surgery *s, const kx_view *v, int32_t i, kx_value *in,
                             kx_view_aside *aside, kx_value **out)
{
    static kx_value *const none[4] = {NULL};
    const int64_t *at = v->place[i];
    int64_t rows = v->rows < v->height ? v->rows : v->height;
    int64_t columns = v->columns < v->width ? v->columns : v->width;
    kx_value *cut;
    kldve_status st = kx_put_slice(s, 2, above(at[0]), rows, in, &cut);

    if (st < 0 || (st = kx_put_slice(s, 3, above(at[1]), columns, cut, &cut)) < 0 ||
        (st = put_margin(s, v->places == 1 ? aside->margin : none, cut, &cut)) < 0)
        return st;
    return (st = turn(s, v->turned[i], cut, out)) < 0 ? st : roll_back(s, v, *out, out);
}

/* Each picture by itself, there or back. */
static kldve_status each(kx_surgery *s, const kx_view *v,
                         kldve_status (*one)(kx_surgery *, const kx_view *, int32_t, kx_value *,
                                             kx_view_aside *, kx_value **),
                         kx_value *in, kx_view_aside *aside, kx_value **out)
{
    kx_value *part[KX_ITEMS];
    int64_t maps[KX_ITEMS];
    kldve_status st;

    assert(v->places >= 1 && v->places <= KX_ITEMS && v->picked < 0);
    if (v->places == 1)
        return one(s, v, 0, in, aside, out);
    for (int32_t i = 0; i < v->places; i++)
        maps[i] = v->each;
    if ((st = kx_put_split(s, 1, v->places, maps, in, part)) < 0)
        return st;
    for (int32_t i = 0; i < v->places; i++)
        if ((st = one(s, v, i, part[i], aside, &part[i])) < 0)
            return st;
    return kx_put_concat(s, 1, v->places, part, out);
}

kldve_status kx_pictures_there(kx_surgery *s, const kx_view *view, kx_value *in,
                               kx_view_aside *aside, kx_value **out)
{
    return view->picked < 0
               ? each(s, view, one_there, in, aside, out)
               : one_there(s, view, view->places > 1 ? view->picked : 0, in, aside, out);
}

kldve_status kx_pictures_back(kx_surgery *s, const kx_view *view, kx_value *in,
                              kx_view_aside *aside, kx_value **out)
{
    return view->picked < 0
               ? each(s, view, one_back, in, aside, out)
               : one_back(s, view, view->places > 1 ? view->picked : 0, in, aside, out);
}
