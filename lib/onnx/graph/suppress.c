/* suppress.c - see suppress.h.  The rules are those of ONNX's NonMaxSuppression. */
#include "suppress.h"

#include <math.h>

/* Low and high ends along both axes. */
static void ends_of(const kx_suppression *s, int32_t row, float low[2], float high[2])
{
    const float *b = s->box + 4 * (int64_t)row;

    for (int i = 0; i < 2; i++) {
        float from = s->centre ? b[i] - b[i + 2] / 2 : b[i];
        float to = s->centre ? b[i] + b[i + 2] / 2 : b[i + 2];

        low[i] = fminf(from, to);
        high[i] = fmaxf(from, to);
    }
}

/* Intersection over union; 0 for boxes without an area. */
static float overlap(const kx_suppression *s, int32_t a, int32_t b)
{
    float low[2][2], high[2][2], both = 1, area[2] = {1, 1}, all;

    ends_of(s, a, low[0], high[0]);
    ends_of(s, b, low[1], high[1]);
    for (int i = 0; i < 2; i++) {
        both *= fmaxf(fminf(high[0][i], high[1][i]) - fmaxf(low[0][i], low[1][i]), 0);
        area[0] *= high[0][i] - low[0][i];
        area[1] *= high[1][i] - low[1][i];
    }
    all = area[0] + area[1] - both;
    return area[0] > 0 && area[1] > 0 && all > 0 ? both / all : 0;
}

static bool comes_before(const float *score, int64_t step, int32_t a, int32_t b)
{
    float x = score[a * step], y = score[b * step];

    return x > y || (x == y && a < b);
}

/* Restore the heap below `at`: the row that comes last stands on top. */
static void sink(int32_t *order, int32_t count, int32_t at, const float *score, int64_t step)
{
    for (;;) {
        int32_t last = at;

        for (int32_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (comes_before(score, step, order[last], order[child]))
                last = child;
        if (last == at)
            return;
        int32_t row = order[at];
        order[at] = order[last];
        order[last] = row;
        at = last;
    }
}

static void sort(int32_t *order, int32_t count, const float *score, int64_t step)
{
    for (int32_t i = count / 2 - 1; i >= 0; i--)
        sink(order, count, i, score, step);
    for (int32_t end = count - 1; end > 0; end--) {
        int32_t row = order[0];

        order[0] = order[end];
        order[end] = row;
        sink(order, end, 0, score, step);
    }
}

int32_t kx_suppress(const kx_suppression *s, const float *score, int64_t step, int32_t *order,
                    int32_t *kept)
{
    int32_t count = 0, found = 0;

    for (int32_t r = 0; r < s->rows; r++)
        if (score[r * step] > s->least)
            order[count++] = r;
    sort(order, count, score, step);
    for (int32_t i = 0; i < count && found < s->most; i++) {
        bool free = true;

        for (int32_t k = 0; k < found && free; k++)
            free = overlap(s, order[i], kept[k]) <= s->overlap;
        if (free)
            kept[found++] = order[i];
    }
    return found;
}
