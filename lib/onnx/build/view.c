/* view.c - see view.h.
 *
 *     the file's tensor -> cells -> [1]..[maps][cells].. -> [1][maps][height][width]   the layer
 *              |                                                     |
 *         other tokens                                        and the way back
 *              |                                                     v
 *              +-------------------> joined again <------------------+---> its readers
 *
 * Steps that change nothing are left out; a layer with its channels last takes one Transpose each
 * way, as in networks written for TensorFlow. */
#include "view.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "pictures.h"

enum { MOST_LEADING = 64 }; /* class and register tokens in front of a grid that is given */

static bool is_cells(kx_label label)
{
    return label == KX_FRAMES || label == KX_ROWS || label == KX_COLUMNS || label == KX_TOKENS;
}

/* Whether all parts of an axis are of cells. */
static bool holds_cells(const kx_meaning *m, int32_t axis)
{
    int32_t count;
    const kx_part *part = kx_meaning_axis(m, axis, &count);

    for (int32_t i = 0; i < count; i++)
        if (!is_cells((kx_label)part[i].label))
            return false;
    return count > 0;
}

/* How the cells of rows or columns follow each other. */
static void read_order(const kx_part *p, bool alone, kx_view *view)
{
    int k = p->label - KX_ROWS;
    float all = 1 - p->before - p->after;

    view->sense[k] = p->sense;
    if (p->piece || (p->rolled != 0 && !alone))
        view->sense[k] = KX_MIXED;
    else if (p->rolled != 0)
        view->rolled[k] = llroundf(p->rolled / all * (float)p->size) % p->size;
}

/* The cells must be frames, rows, columns, each in one piece, in this order or each on an axis of
 * its own, or tokens of a grid. */
static bool read_cells(const kx_meaning *m, kx_view *view)
{
    int64_t size[KX_LABELS] = {0};
    int32_t last = KX_OTHER;

    view->rows = view->columns = view->frames = 1;
    for (int32_t i = 0; i < m->parts; i++) {
        const kx_part *p = &m->part[i];

        if (!is_cells((kx_label)p->label))
            continue;
        if ((p->label != KX_TOKENS && p->stride != 1) ||
            (p->label == KX_FRAMES && p->sense == KX_MIRRORED))
            return false;
        if (size[p->label] > 0 || ((int32_t)p->label < last && p->axis == m->part[i - 1].axis))
            return false;
        if ((p->label == KX_TOKENS && last != KX_OTHER) || last == KX_TOKENS)
            return false;
        last = (int32_t)p->label;
        size[p->label] = p->size;
        if (p->label == KX_ROWS || p->label == KX_COLUMNS)
            read_order(p, view->batch == 1 && size[KX_FRAMES] == 0, view);
    }
    if (size[KX_TOKENS] > 0) {
        view->leading = m->tokens.leading;
        view->trailing = m->tokens.trailing;
        view->rows = m->tokens.height;
        view->columns = m->tokens.width;
        memcpy(view->sense, m->tokens.sense, sizeof view->sense);
        return true;
    }
    view->frames = size[KX_FRAMES] ? size[KX_FRAMES] : 1;
    view->rows = view->frames * (size[KX_ROWS] ? size[KX_ROWS] : 1);
    view->columns = size[KX_COLUMNS] ? size[KX_COLUMNS] : 1;
    return true;
}

/* The axis of one map: where channels use to be. */
static int32_t lone_channel(const kx_shape *s)
{
    if (s->rank >= 2 && s->dim[1] == 1)
        return 1;
    return s->rank >= 2 && s->dim[s->rank - 1] == 1 ? s->rank - 1 : -1;
}

/* Frames before rows before columns: a network may have transposed the picture. */
static void sort_cells(const kx_meaning *m, int32_t *axis, int32_t count)
{
    for (int32_t i = 1; i < count; i++)
        for (int32_t k = i; k > 0; k--) {
            int32_t swapped = axis[k - 1], none;

            if (kx_meaning_axis(m, axis[k - 1], &none)->label <=
                kx_meaning_axis(m, axis[k], &none)->label)
                break;
            axis[k - 1] = axis[k];
            axis[k] = swapped;
        }
}

/* Axes of length 1, the batch, the channels, the cells. */
static void set_order(const kx_meaning *m, const kx_shape *s, kx_view *view)
{
    int32_t at = 0, cells = 0;

    for (int32_t axis = 0; axis < s->rank; axis++)
        if (axis != view->channels && axis != view->pictures && !holds_cells(m, axis))
            view->order[at++] = axis;
    if (view->pictures >= 0)
        view->order[at++] = view->pictures;
    view->order[at++] = view->channels;
    view->cells = -1;
    for (int32_t axis = 0; axis < s->rank; axis++)
        if (axis != view->channels && holds_cells(m, axis)) {
            view->cells = cells++ == 0 ? axis : view->cells;
            view->order[at++] = axis;
        }
    assert(at == s->rank);
    sort_cells(m, view->order + at - cells, cells);
}

static bool is_plain(const kx_shape *s, const kx_view *view)
{
    return s->rank == 4 && s->dim[0] == 1 && view->channels == 1 && view->order[3] == 3 &&
           s->dim[2] == view->height && s->dim[3] == view->width && view->leading == 0 &&
           view->trailing == 0 && view->sense[0] != KX_MIRRORED && view->sense[1] != KX_MIRRORED &&
           view->rolled[0] == 0 && view->rolled[1] == 0;
}

bool kx_view_of(const kx_meaning *m, const kx_shape *shape, kx_view *out)
{
    kx_view view = {.channels = -1, .pictures = -1, .picked = -1, .batch = 1};
    kx_item own;

    for (int32_t axis = 0; axis < shape->rank; axis++) {
        kx_label label = kx_meaning_label(m, axis);

        if (shape->dim[axis] == 0)
            return false;
        if (label == KX_CHANNELS && view.channels < 0)
            view.channels = axis;
        else if (label == KX_BATCH && view.pictures < 0)
            view.pictures = axis;
        else if (label != KX_LABELS && !holds_cells(m, axis))
            return false;
    }
    if (view.channels < 0)
        view.channels = lone_channel(shape);
    if (view.pictures >= 0)
        view.batch = shape->dim[view.pictures];
    if (view.channels < 0 || !read_cells(m, &view))
        return false;
    view.each = shape->dim[view.channels];
    view.maps = view.batch * view.each;
    own = kx_item_of(m);
    if (!kx_pictures_fit(&m->items, &own, &view))
        return false;
    set_order(m, shape, &view);
    view.plain = is_plain(shape, &view);
    *out = view;
    return shape->rank >= 3 || view.height * view.width > 1;
}

void kx_view_pick(kx_view *view, int32_t picture)
{
    assert(view->pictures >= 0 && picture >= 0 && picture < view->batch);
    view->picked = picture;
    view->maps = view->each;
}

bool kx_view_on_grid(const kx_meaning *m, const kx_shape *shape, int64_t height, int64_t width,
                     kx_view *out)
{
    int32_t best = -1;
    int64_t others = MOST_LEADING + 1;
    kx_meaning given;

    for (int32_t axis = 0; axis < shape->rank; axis++) {
        int64_t more = shape->dim[axis] - height * width;

        if (more >= 0 && more < others && kx_meaning_label(m, axis) != KX_CHANNELS) {
            best = axis;
            others = more;
        }
    }
    if (best < 0)
        return false;
    memset(&given, 0, sizeof given);
    given.tokens = (kx_tokens){.leading = others, .height = height, .width = width};
    for (int32_t axis = 0; axis < shape->rank; axis++)
        kx_meaning_add(
            &given, axis,
            (kx_part){.label = axis == best ? KX_TOKENS : KX_CHANNELS, .size = shape->dim[axis]});
    return kx_view_of(&given, shape, out);
}

/* ---- the graph ---- */

/* The picture that is the layer, and those before and behind it. */
static kldve_status put_pick(kx_surgery *s, const kx_view *view, kx_value *in, kx_value **out,
                             kx_view_aside *aside)
{
    int64_t at = view->picked;
    kldve_status st;

    *out = in;
    if (at < 0)
        return KLDVE_OK;
    if ((st = kx_put_slice(s, view->pictures, 0, at, in, &aside->earlier)) < 0 ||
        (st = kx_put_slice(s, view->pictures, at + 1, view->batch - at - 1, in, &aside->later)) < 0)
        return st;
    return kx_put_slice(s, view->pictures, at, 1, in, out);
}

/* Put what was set aside before and behind `v`, along an axis. */
static kldve_status put_between(kx_surgery *s, int32_t axis, kx_value *before, kx_value *v,
                                kx_value *after, kx_value **out)
{
    kx_value *all[3];
    int32_t count = 0;

    if (before)
        all[count++] = before;
    all[count++] = v;
    if (after)
        all[count++] = after;
    return kx_put_concat(s, axis, count, all, out);
}

kldve_status kx_view_there(kx_surgery *s, const kx_view *view, kx_value *in, kx_value **out,
                           kx_view_aside *aside)
{
    const kx_shape maps = {4, {1, view->maps, view->rows, view->columns}};
    int64_t cells = view->rows * view->columns, end = view->leading + cells;
    kx_value *v, *picked;
    kldve_status st;

    *aside = (kx_view_aside){.before = NULL};
    if ((st = put_pick(s, view, in, &picked, aside)) < 0)
        return st;
    v = picked;
    if (view->leading + view->trailing > 0 &&
        ((st = kx_put_slice(s, view->cells, 0, view->leading, picked, &aside->before)) < 0 ||
         (st = kx_put_slice(s, view->cells, end, view->trailing, picked, &aside->after)) < 0 ||
         (st = kx_put_slice(s, view->cells, view->leading, cells, picked, &v)) < 0))
        return st;
    if ((st = kx_put_transpose(s, view->order, v, &v)) < 0)
        return st;
    aside->reached = v->shape;
    st = kx_put_reshape(s, &maps, v, &v);
    return st < 0 ? st : kx_pictures_there(s, view, v, aside, out);
}

kldve_status kx_view_back(kx_surgery *s, const kx_view *view, kx_view_aside *aside, kx_value *in,
                          kx_value **out)
{
    int32_t inverse[KX_MAX_RANK];
    kx_value *v;
    kldve_status st;

    for (int32_t i = 0; i < aside->reached.rank; i++)
        inverse[view->order[i]] = i;
    if ((st = kx_pictures_back(s, view, in, aside, &v)) < 0 ||
        (st = kx_put_reshape(s, &aside->reached, v, &v)) < 0 ||
        (st = kx_put_transpose(s, inverse, v, &v)) < 0 ||
        (st = put_between(s, view->cells, aside->before, v, aside->after, &v)) < 0)
        return st;
    return put_between(s, view->pictures, aside->earlier, v, aside->later, out);
}

kldve_status kx_view_insert(kx_graph *g, const kx_view *view, kx_value **value)
{
    kx_value *v = *value, *layer, *back;
    kx_surgery s = {.g = g, .name = v->name, .at = v->producer + 1};
    kx_view_aside aside;
    kldve_status st;

    if (view->plain)
        return KLDVE_OK;
    if ((st = kx_view_there(&s, view, v, &layer, &aside)) < 0 ||
        (st = kx_view_back(&s, view, &aside, layer, &back)) < 0)
        return st;
    kx_rewire(g, s.at, v, back);
    *value = layer;
    return KLDVE_OK;
}
