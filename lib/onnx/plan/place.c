/* place.c - greedy placing by falling size, first fit. */
#include "plan/place.h"

#include <assert.h>

#include "../../base/size.h"

/* What a buffer takes.  sum_of_room() has seen that all of it together fits in a size_t, so that no
 * offset can overflow. */
static size_t room(const kx_lifetime *b)
{
    return b->bytes ? (b->bytes + KX_PLACE_ALIGN - 1) / KX_PLACE_ALIGN * KX_PLACE_ALIGN
                    : KX_PLACE_ALIGN;
}

static bool sum_of_room(const kx_lifetime *life, int32_t n, size_t *sum)
{
    *sum = 0;
    for (int32_t i = 0; i < n; i++)
        if (life[i].bytes > SIZE_MAX - KX_PLACE_ALIGN || !kldve_size_add(*sum, room(&life[i]), sum))
            return false;
    return true;
}

static void one_behind_the_other(const kx_lifetime *life, int32_t n, size_t *offset)
{
    size_t end = 0;

    for (int32_t i = 0; i < n; i++) {
        offset[i] = end;
        end += room(&life[i]);
    }
}

static void sort_by_room(const kx_lifetime *life, int32_t n, int32_t *order)
{
    for (int32_t i = 0; i < n; i++) {
        int32_t at = i;

        for (; at > 0 && room(&life[order[at - 1]]) < room(&life[i]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* The lowest offset at which b meets none of placed[0..n), which are sorted by offset. */
static size_t first_fit(const kx_lifetime *life, const size_t *offset, const int32_t *placed,
                        int32_t n, const kx_lifetime *b)
{
    size_t gap = 0;

    for (int32_t i = 0; i < n; i++) {
        const kx_lifetime *other = &life[placed[i]];
        size_t start = offset[placed[i]], end = start + room(other);

        if (other->last < b->first || other->first > b->last || end <= gap)
            continue;
        if (start >= gap + room(b))
            break;
        gap = end;
    }
    return gap;
}

bool kx_place_buffers(const kx_lifetime *life, int32_t n, int32_t *scratch, size_t *offset,
                      size_t *total)
{
    int32_t *by_room = scratch, *placed = scratch + n;
    size_t end = 0, sum;

    if (!sum_of_room(life, n, &sum))
        return false;
    if (n > KX_MAX_SHARED) {
        one_behind_the_other(life, n, offset);
        *total = sum;
        return true;
    }
    sort_by_room(life, n, by_room);
    for (int32_t k = 0; k < n; k++) {
        int32_t i = by_room[k], at = k;

        assert(life[i].first <= life[i].last);
        offset[i] = first_fit(life, offset, placed, k, &life[i]);
        if (offset[i] + room(&life[i]) > end)
            end = offset[i] + room(&life[i]);
        for (; at > 0 && offset[placed[at - 1]] > offset[i]; at--)
            placed[at] = placed[at - 1];
        placed[at] = i;
    }
    *total = end;
    return true;
}
