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

/* The grid along one side, if all pictures show parts of the same size. */
static bool fit_side(const kx_items *items, const kx_view *v, int k)
{
    int64_t cells = k == 0 ? v->rows : v->columns, all;
    float part = 1 - items->item[0].before[k] - items->item[0].after[k];

    for (int32_t i = 1; i < items->count; i++)
        if (fabsf(1 - items->item[i].before[k] - items->item[i].after[k] - part) > 1e-3f)
            return false;
    all = part > 0 ? llroundf((float)cells / part) : 0;
    return all >= cells && all <= 8 * cells;
}

static void place(const kx_items *items, kx_view *v, int k)
{
    int64_t cells = k == 0 ? v->rows : v->columns;
    float part = 1 - items->item[0].before[k] - items->item[0].after[k];
    int64_t all = llroundf((float)cells / part);

    for (int32_t i = 0; i < items->count; i++) {
        int64_t at = llroundf(items->item[i].before[k] * (float)all);

        v->place[i][k] = at < all - cells ? at : all - cells;
    }
    *(k == 0 ? &v->height : &v->width) = all;
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

bool kx_pictures_fit(const kx_items *items, kx_view *v)
{
    v->places = 1;
    v->height = v->rows;
    v->width = v->columns;
    for (int k = 0; k < 2; k++)
        v->turned[0][k] = v->sense[k] == KX_MIRRORED;
    if (items->count == 0)
        return v->frames == 1 || !v->turned[0][0];
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

static kldve_status one_there(kx_surgery *s, const kx_view *v, int32_t i, kx_value *in,
                              kx_value **out)
{
    const int64_t *at = v->place[i];
    const int64_t before[4] = {0, 0, at[0], at[1]};
    const int64_t after[4] = {0, 0, v->height - v->rows - at[0], v->width - v->columns - at[1]};
    kldve_status st = turn(s, v->turned[i], in, out);

    return st < 0 ? st : kx_put_pad(s, before, after, *out, out);
}

static kldve_status one_back(kx_surgery *s, const kx_view *v, int32_t i, kx_value *in,
                             kx_value **out)
{
    const int64_t *at = v->place[i];
    kx_value *cut;
    kldve_status st = kx_put_slice(s, 2, at[0], v->rows, in, &cut);

    if (st < 0 || (st = kx_put_slice(s, 3, at[1], v->columns, cut, &cut)) < 0)
        return st;
    return turn(s, v->turned[i], cut, out);
}

/* Each picture by itself, there or back. */
static kldve_status each(kx_surgery *s, const kx_view *v,
                         kldve_status (*one)(kx_surgery *, const kx_view *, int32_t, kx_value *,
                                             kx_value **),
                         kx_value *in, kx_value **out)
{
    kx_value *part[KX_ITEMS];
    int64_t maps[KX_ITEMS];
    kldve_status st;

    assert(v->places >= 1 && v->places <= KX_ITEMS && v->picked < 0);
    if (v->places == 1)
        return one(s, v, 0, in, out);
    for (int32_t i = 0; i < v->places; i++)
        maps[i] = v->each;
    if ((st = kx_put_split(s, 1, v->places, maps, in, part)) < 0)
        return st;
    for (int32_t i = 0; i < v->places; i++)
        if ((st = one(s, v, i, part[i], &part[i])) < 0)
            return st;
    return kx_put_concat(s, 1, v->places, part, out);
}

kldve_status kx_pictures_there(kx_surgery *s, const kx_view *view, kx_value *in, kx_value **out)
{
    return view->picked < 0 ? each(s, view, one_there, in, out)
                            : one_there(s, view, view->places > 1 ? view->picked : 0, in, out);
}

kldve_status kx_pictures_back(kx_surgery *s, const kx_view *view, kx_value *in, kx_value **out)
{
    return view->picked < 0 ? each(s, view, one_back, in, out)
                            : one_back(s, view, view->places > 1 ? view->picked : 0, in, out);
}
