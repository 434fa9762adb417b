/* diff_arrays.c - arrays of any rank as maps.
 *
 * Axes of length 1 are left out, as numpy's squeeze() does it.  Of those that are left, the last
 * two are rows and columns, and all others count maps.  One axis alone is a map of one row. */
#include "diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *what_is_wrong(float value)
{
    return isnan(value) ? "not a number" : "infinite, or too large for float32";
}

static bool check_values(const diff_maps *m, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(m->value[i])) {
            complain("%s: value %zu of %zu is %s", m->path, i, count, what_is_wrong(m->value[i]));
            return false;
        }
    return true;
}

/* The array's axes -> maps, height, width. */
static void find_sizes(diff_maps *m, const npy_array *array)
{
    int64_t size[3] = {1, 1, 1}; /* maps, rows, columns */

    for (int32_t i = 0; i < array->rank; i++)
        if (array->dim[i] != 1) {
            size[0] *= size[1];
            size[1] = size[2];
            size[2] = array->dim[i];
        }
    m->maps = (int32_t)size[0];
    m->height = (int32_t)size[1];
    m->width = (int32_t)size[2];
}

bool diff_load(diff_maps *m, const char *path)
{
    npy_array array;
    bool ok = false;

    m->path = path;
    if (!npy_read(path, &array))
        return false;
    if (array.count == 0) {
        complain("%s: the array holds no numbers", path);
    } else {
        find_sizes(m, &array);
        m->value = npy_floats(&array);
        ok = m->value && check_values(m, array.count);
    }
    npy_free(&array);
    return ok;
}

static size_t values_of(int32_t height, int32_t width)
{
    return (size_t)height * (size_t)width;
}

static bool scale_up(kldve_ctx *ctx, diff_maps *m, int32_t height, int32_t width)
{
    size_t from = values_of(m->height, m->width), to = values_of(height, width);
    float *out;
    bool ok = true;

    if (m->height == height && m->width == width)
        return true;
    out = malloc((size_t)m->maps * to * sizeof *out);
    if (!out) {
        complain("out of memory");
        return false;
    }
    for (int32_t i = 0; ok && i < m->maps; i++)
        ok = kldve_map_upsample(ctx, m->value + (size_t)i * from, m->height, m->width,
                                out + (size_t)i * to, height, width) == KLDVE_OK;
    if (!ok)
        complain_ctx(ctx, m->path, KLDVE_E_ARG);
    free(m->value);
    m->value = out;
    m->height = height;
    m->width = width;
    return ok;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

bool diff_match(kldve_ctx *ctx, diff_maps *a, diff_maps *b, bool resize)
{
    int32_t height = larger(a->height, b->height), width = larger(a->width, b->width);

    if (a->maps != b->maps) {
        complain("%s has %d map%s and %s has %d: give files with equally many", a->path,
                 (int)a->maps, a->maps > 1 ? "s" : "", b->path, (int)b->maps);
        return false;
    }
    if (!resize && (a->height != b->height || a->width != b->width)) {
        complain("%s has maps of %d x %d (rows x columns) and %s of %d x %d: --resize scales the "
                 "smaller ones up",
                 a->path, (int)a->height, (int)a->width, b->path, (int)b->height, (int)b->width);
        return false;
    }
    return scale_up(ctx, a, height, width) && scale_up(ctx, b, height, width);
}

void diff_free(diff_maps *m)
{
    free(m->value);
    memset(m, 0, sizeof *m);
}
