/* input_dims.c - numbers for the dimensions that a model leaves open.  See input_parts.h. */
#include "input_parts.h"

#include <stdio.h>
#include <string.h>

static bool is_open(const kx_proto_value *v, int32_t axis)
{
    return v->dim[axis] <= 0;
}

/* What the user calls it, by its symbol or as INPUT.AXIS; 0: not given. */
static int64_t by_name(const kx_settler *s, const kx_proto_value *v, int32_t axis)
{
    const kldve_onnx_options *u = s->o->user;
    char name[KX_INPUT_TEXT];
    int64_t size = 0;

    snprintf(name, sizeof name, "%s.%d", v->name, (int)axis);
    for (int32_t i = 0; i < u->dim_count; i++)
        if (strcmp(u->dims[i].name, name) == 0 ||
            (v->symbol[axis] && strcmp(u->dims[i].name, v->symbol[axis]) == 0)) {
            s->dim_used[i] = true;
            size = u->dims[i].size;
        }
    return size;
}

/* That of the array that will be explained, which may lack the first dimension. */
static int64_t by_array(const kx_settler *s, const kx_proto_value *v, int32_t axis)
{
    const kldve_onnx_options *u = s->o->user;

    if (u->shape_rank == v->rank && (axis > 0 || !u->pictures))
        return u->shape[axis];
    if (u->shape_rank == v->rank - 1)
        return axis == 0 ? 1 : u->shape[axis - 1];
    return 0;
}

/* ---- the picture -------------------------------------------------------------------------- */

typedef enum role { BATCH, CHANNELS, FRAMES, HEIGHT, WIDTH, LENGTH } role;

/* What an axis of the picture stands for, as far as its dimensions tell. */
static role role_of(const kx_settler *s, const kx_proto_value *v, int32_t axis)
{
    static const role first[] = {BATCH, CHANNELS, HEIGHT, WIDTH};
    static const role last[] = {BATCH, HEIGHT, WIDTH, CHANNELS};
    static const char letters[] = "NCTHW"; /* in the order of role */
    static const role row[] = {BATCH, CHANNELS, LENGTH};

    if (*s->layout)
        return (role)(strchr(letters, s->layout[axis]) - letters);
    if (v->rank == 4)
        return is_open(v, 1) && (v->dim[3] == 1 || v->dim[3] == 3 || v->dim[3] == 4) ? last[axis]
                                                                                     : first[axis];
    if (v->rank == 3 && s->weights != 3)
        return v->dim[2] == 1 || v->dim[2] == 3 || v->dim[2] == 4 ? last[axis + 1]
                                                                  : first[axis + 1];
    if (v->rank == 3)
        return row[axis];
    return axis < v->rank - 1 ? BATCH : LENGTH;
}

static int64_t by_default(const kx_settler *s, role what)
{
    const kldve_onnx_options *u = s->o->user;

    switch (what) {
    case CHANNELS: /* as many as the first weights take, where a picture can have them */
        return s->weights >= 4 && s->fed >= 1 && s->fed <= KLDVE_PICTURE_CHANNELS ? s->fed : 3;
    case FRAMES:
        return u->in_frames > 0 ? u->in_frames : KX_DEFAULT_FRAMES;
    case HEIGHT:
        return u->in_height > 0 ? u->in_height : KX_DEFAULT_SIDE;
    case WIDTH:
        return u->in_width > 0 ? u->in_width : KX_DEFAULT_SIDE;
    case LENGTH:
        return KX_DEFAULT_LENGTH;
    case BATCH:
        break;
    }
    return 1;
}

/* The options have a size for it. */
static bool is_said(const kx_settler *s, role what)
{
    const kldve_onnx_options *u = s->o->user;

    return what == FRAMES ? u->in_frames > 0
                          : (what == HEIGHT || what == WIDTH) && u->in_height > 0;
}

static const char *role_name(role what)
{
    static const char *const name[] = {
        "batch", "number of channels", "number of frames", "height", "width", "length"};

    return name[what];
}

static kldve_status fixed_size(const kx_settler *s, const kx_proto_value *v, int64_t rows,
                               int64_t columns)
{
    return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                           "the network fixes the size of its input, '%.60s', at %lld x %lld: %lld "
                           "x %lld was asked for",
                           v->name, (long long)rows, (long long)columns,
                           (long long)s->o->user->in_height, (long long)s->o->user->in_width);
}

/* A size that the file fixes is not to be changed.  Which axes are height and width may not be
 * known yet: either place will do. */
static kldve_status check_size(const kx_settler *s, const kx_proto_value *v)
{
    int64_t h = s->o->user->in_height, w = s->o->user->in_width;
    const int64_t *d = v->dim + v->rank - 3;

    if (*s->layout && strchr(s->layout, 'H') && strchr(s->layout, 'W')) {
        int64_t rows = v->dim[strchr(s->layout, 'H') - s->layout];
        int64_t columns = v->dim[strchr(s->layout, 'W') - s->layout];

        return (h == 0 || h == rows) && (w == 0 || w == columns) ? KLDVE_OK
                                                                 : fixed_size(s, v, rows, columns);
    }
    if (v->rank < 3 || s->weights == 3)
        return KLDVE_OK;
    if (((h == 0 || h == d[1]) && (w == 0 || w == d[2])) ||
        ((h == 0 || h == d[0]) && (w == 0 || w == d[1])))
        return KLDVE_OK;
    return fixed_size(s, v, d[1], d[2]);
}

/* What the file calls the axis, or what is usual for it. */
static kldve_status settle_axis(kx_settler *s, const kx_proto_value *as_given, int32_t i,
                                kx_proto_value *v)
{
    role what = role_of(s, as_given, i);
    int64_t size = is_open(v, i) ? by_name(s, v, i) : v->dim[i];

    if (size == 0)
        size = by_array(s, v, i);
    if (size == 0 && v->symbol[i] && what != BATCH && !is_said(s, what))
        size = kx_settle_expression(s, v->symbol[i]);
    v->dim[i] = size > 0 ? size : by_default(s, what);
    if (size > 0)
        return KLDVE_OK;
    s->out->size_open = s->out->size_open || what == HEIGHT || what == WIDTH;
    if (what == BATCH || is_said(s, what))
        return KLDVE_OK;
    return kx_settle_say(s,
                         "the %s of input '%.60s' is open: %lld is assumed; give another with "
                         "--dim %.60s=N",
                         role_name(what), v->name, (long long)v->dim[i],
                         v->symbol[i] ? v->symbol[i] : "INPUT.AXIS");
}

kldve_status kx_settle_picture_dims(kx_settler *s, kx_proto_value *v)
{
    const kx_proto_value as_given = *v;
    kldve_status st = KLDVE_OK;

    if (v->rank < 0)
        return kldve_ctx_failf(
            s->ctx, KLDVE_E_UNSUPPORTED,
            "input '%.60s' has no shape: export the network with one, or write it into the "
            "file (onnxsim --overwrite-input-shape '%.60s:1,3,224,224')",
            v->name, v->name);
    for (int pass = 0; pass < 2; pass++) /* expressions last */
        for (int32_t i = 0; st == KLDVE_OK && i < v->rank; i++)
            if (kx_settle_is_expression(as_given.symbol[i]) == (pass == 1))
                st = settle_axis(s, &as_given, i, v);
    return st < 0 ? st : check_size(s, v);
}

/* ---- the others --------------------------------------------------------------------------- */

/* That of a value that the user gives. */
static int64_t by_value(const kx_settler *s, const kx_proto_value *v, int32_t axis)
{
    const kldve_onnx_input *given = kx_settle_given(s, v->name);

    return given && given->rank == v->rank ? given->dims[axis] : 0;
}

kldve_status kx_settle_other_dims(kx_settler *s, kx_proto_value *v)
{
    for (int32_t i = 0; i < v->rank; i++) {
        if (!is_open(v, i))
            continue;
        v->dim[i] = by_name(s, v, i);
        if (v->dim[i] == 0 && v->symbol[i])
            v->dim[i] = kx_settle_expression(s, v->symbol[i]);
        if (v->dim[i] == 0)
            v->dim[i] = by_value(s, v, i);
        if (v->dim[i] == 0 && i == 0)
            v->dim[i] = 1;
        if (v->dim[i] == 0)
            return kldve_ctx_failf(
                s->ctx, KLDVE_E_UNSUPPORTED,
                "input '%.60s': dimension %d is open: give it with --dim %.60s%s=N", v->name,
                (int)i, v->symbol[i] ? v->symbol[i] : v->name, v->symbol[i] ? "" : ".AXIS");
    }
    return KLDVE_OK;
}

kldve_status kx_settle_check_dims(const kx_settler *s)
{
    const kldve_onnx_options *u = s->o->user;
    char text[KX_INPUT_TEXT];

    for (int32_t i = 0; i < u->dim_count; i++) {
        if (s->dim_used[i])
            continue;
        kx_settle_list_all(s, text);
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                               "no open dimension is called '%.60s'; the inputs are %s",
                               u->dims[i].name, text);
    }
    return KLDVE_OK;
}
