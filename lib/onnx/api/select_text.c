/* select_text.c - what selects class scores, in numpy's notation.
 *
 *     NAME[item, item, ...]      the name may be left out; what follows the last item is `:`
 *
 *     3, -1                      one element of an axis, from its end where it is negative
 *     4:84, :, ::2, 10:0:-1      a slice, as in numpy; an end beyond the axis stands for its end
 *     ...                        as many `:` as there are axes left, at most once
 *     y, x                       row and column of a map, which each explanation chooses
 *     n                          row of a detector's output, which each explanation chooses */
#include "select_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Where in the text, and what messages need. */
typedef struct reader {
    kldve_ctx *ctx;
    const char *text, *at;
} reader;

static void skip_blanks(reader *r)
{
    while (*r->at == ' ' || *r->at == '\t')
        r->at++;
}

static bool take(reader *r, const char *word)
{
    size_t n = strlen(word);

    skip_blanks(r);
    if (strncmp(r->at, word, n) != 0)
        return false;
    r->at += n;
    skip_blanks(r);
    return true;
}

static kldve_status malformed(const reader *r)
{
    return kldve_ctx_failf(r->ctx, KLDVE_E_ARG,
                           "select '%.80s': cannot be read at '%.20s'; write it as numpy does, for "
                           "example 'NAME[0, 4:84, 1234]'",
                           r->text, r->at);
}

kldve_status kx_select_name(kldve_ctx *ctx, const char *text, char name[KX_SELECT_NAME],
                            const char **items)
{
    reader r = {ctx, text, text};
    const char *bracket = strrchr(text, '[');
    size_t n;

    if (!bracket)
        return malformed(&r);
    skip_blanks(&r);
    n = (size_t)(bracket - r.at);
    while (n > 0 && (r.at[n - 1] == ' ' || r.at[n - 1] == '\t'))
        n--;
    if (n >= KX_SELECT_NAME)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "select '%.80s': the name of the tensor has more than %d bytes",
                               text, KX_SELECT_NAME - 1);
    memcpy(name, r.at, n);
    name[n] = '\0';
    *items = bracket;
    return KLDVE_OK;
}

/* Far beyond any axis, and small enough to add to. */
#define LARGEST (INT64_MAX / 2)

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* An integer, if there is one. */
static bool take_integer(reader *r, int64_t *out)
{
    const char *digits = r->at + (*r->at == '-' || *r->at == '+');
    char *end;

    if (*digits < '0' || *digits > '9')
        return false;
    *out = strtoll(r->at, &end, 10);
    *out = clamp(*out, -LARGEST, LARGEST); /* also what strtoll() clamps */
    r->at = end;
    skip_blanks(r);
    return true;
}

/* The number of elements start, start + step, ... before end, all within an axis of length n. */
static int64_t slice_count(int64_t start, int64_t end, int64_t step)
{
    int64_t span = step > 0 ? end - start : start - end, by = step > 0 ? step : -step;

    return span <= 0 ? 0 : (span - 1) / by + 1;
}

/* What follows the start of a slice, from its first colon on. */
static kldve_status read_slice(reader *r, bool has_start, int64_t start, int64_t n,
                               kx_axis_pick *pick)
{
    int64_t end = 0, step = 1;
    bool has_end = take_integer(r, &end);

    if (take(r, ":"))
        take_integer(r, &step);
    if (step == 0)
        return kldve_ctx_failf(r->ctx, KLDVE_E_ARG, "select '%.80s': a step of 0 selects nothing",
                               r->text);
    step = clamp(step, -INT32_MAX, INT32_MAX);
    start = !has_start ? (step > 0 ? 0 : n - 1) : start < 0 ? start + n : start;
    end = !has_end ? (step > 0 ? n : -1) : end < 0 ? end + n : end;
    start = step > 0 ? clamp(start, 0, n) : clamp(start, -1, n - 1);
    end = has_end && step < 0 ? clamp(end, -1, n - 1) : step > 0 ? clamp(end, 0, n) : end;
    *pick = (kx_axis_pick){KX_AXIS_SLICE, start, step, slice_count(start, end, step)};
    return KLDVE_OK;
}

static kldve_status read_item(reader *r, int32_t axis, int64_t n, kx_axis_pick *pick)
{
    static const char *const letter[] = {"y", "x", "n"};
    int64_t start = 0;
    bool has_start;

    for (int k = 0; k < 3; k++)
        if (take(r, letter[k])) {
            *pick = (kx_axis_pick){(kx_axis_kind)(KX_AXIS_ROW + k), 0, 1, n};
            return KLDVE_OK;
        }
    has_start = take_integer(r, &start);
    if (take(r, ":"))
        return read_slice(r, has_start, start, n, pick);
    if (!has_start)
        return malformed(r);
    if (start < -n || start >= n)
        return kldve_ctx_failf(r->ctx, KLDVE_E_ARG,
                               "select '%.80s': %jd is outside of axis %d, which has %jd elements",
                               r->text, (intmax_t)start, axis, (intmax_t)n);
    *pick = (kx_axis_pick){KX_AXIS_INDEX, start < 0 ? start + n : start, 1, 1};
    return KLDVE_OK;
}

/* How many items there are, `...` apart. */
static int32_t count_items(const char *at)
{
    int32_t n = 0;
    bool word = false;

    for (; *at && *at != ']'; at++) {
        word = word || (*at != ' ' && *at != '\t' && *at != ',' && *at != '.');
        n += *at == ',' && word;
        word = word && *at != ',';
    }
    return n + word;
}

static kldve_status check_picks(const reader *r, const kx_shape *shape, const kx_axis_pick *pick)
{
    int32_t seen[3] = {0, 0, 0};

    for (int32_t i = 0; i < shape->rank; i++) {
        if (pick[i].kind >= KX_AXIS_ROW)
            seen[pick[i].kind - KX_AXIS_ROW]++;
        if (pick[i].count < 1)
            return kldve_ctx_failf(r->ctx, KLDVE_E_ARG,
                                   "select '%.80s': selects nothing of axis %d, which has %jd "
                                   "elements",
                                   r->text, i, (intmax_t)shape->dim[i]);
    }
    if (seen[0] > 1 || seen[1] > 1 || seen[2] > 1 || seen[0] != seen[1] || (seen[0] && seen[2]))
        return kldve_ctx_failf(r->ctx, KLDVE_E_ARG,
                               "select '%.80s': y and x go together, once each, and n stands alone",
                               r->text);
    return KLDVE_OK;
}

kldve_status kx_select_axes(kldve_ctx *ctx, const char *text, const char *items,
                            const kx_shape *shape, kx_axis_pick pick[KX_MAX_RANK])
{
    reader r = {ctx, text, items};
    int32_t given = count_items(items + 1), axis = 0;
    bool ellipsis = false;
    kldve_status st;

    assert(*items == '[');
    if (given == 0 && !strstr(items, "..."))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "select '%.80s': nothing stands between [ and ]; ... stands for all "
                               "axes",
                               text);
    if (given > shape->rank)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "select '%.80s': %d axes are given, the tensor has %d", text, given,
                               shape->rank);
    for (int32_t i = 0; i < shape->rank; i++)
        pick[i] = (kx_axis_pick){KX_AXIS_SLICE, 0, 1, shape->dim[i]};
    take(&r, "[");
    while (*r.at && *r.at != ']') {
        if (take(&r, "...")) {
            if (ellipsis)
                return kldve_ctx_failf(ctx, KLDVE_E_ARG, "select '%.80s': '...' stands there twice",
                                       text);
            ellipsis = true;
            axis += shape->rank - given;
        } else if (axis >= shape->rank) {
            return malformed(&r);
        } else if ((st = read_item(&r, axis, shape->dim[axis], &pick[axis])) < 0) {
            return st;
        } else {
            axis++;
        }
        if (*r.at != ']' && !take(&r, ","))
            return malformed(&r);
    }
    if (!take(&r, "]") || *r.at)
        return malformed(&r);
    return check_picks(&r, shape, pick);
}
