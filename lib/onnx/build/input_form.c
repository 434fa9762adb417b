/* input_form.c - the picture as [1][channels][height][width], or [1][height][width][channels].  See
 * input_parts.h.
 *
 *     the file's               seen as                     where
 *     [n][a][b][c]             [1][a][b][c]
 *     [a][b][c]                [1][a][b][c]                one picture without a batch
 *     [n][channels][length]    [1][channels][1][length]    the first weights have three axes
 *     [a][b]                   [1][1][a][b]                the first weights have four axes
 *     [n][numbers], [numbers]  [1][1][1][numbers]          else, or a flattened picture
 *     [n][c][t][h][w]          [1][c][t h][w]              frames below each other, whatever the
 *                                                          order of the axes
 */
#include "input_parts.h"

#include <assert.h>
#include <string.h>

/* A row of numbers that is a picture, if the user says which. */
static kldve_status flattened(const kx_settler *s, int64_t numbers, int64_t view[4])
{
    int64_t h = s->o->user->in_height, w = s->o->user->in_width, channels;

    s->out->size_open = true;

    view[1] = view[2] = 1;
    view[3] = numbers;
    if (h == 0 && w == 0)
        return KLDVE_OK;
    channels = h > 0 && w > 0 && h <= numbers / w ? numbers / (h * w) : 0;
    if (channels < 1 || channels * h * w != numbers)
        return kldve_ctx_failf(
            s->ctx, KLDVE_E_ARG,
            "the input '%.60s' is %lld numbers: that is no picture of %lld x %lld "
            "with any number of channels",
            s->picture.name, (long long)numbers, (long long)h, (long long)w);
    view[1] = channels;
    view[2] = h;
    view[3] = w;
    return KLDVE_OK;
}

/* The same where the layout is known. */
static kldve_status by_layout(const kx_settler *s, int64_t view[4], bool *batched)
{
    const int64_t *d = s->picture.dim;

    *batched = false;
    view[1] = view[2] = view[3] = 1;
    for (int32_t i = 0; s->layout[i]; i++)
        switch (s->layout[i]) {
        case 'N':
            *batched = true;
            if (i > 0 && d[i] > 1)
                return kldve_ctx_failf(
                    s->ctx, KLDVE_E_UNSUPPORTED,
                    "layout '%s': pictures beside each other, N, must come first", s->layout);
            break;
        case 'C':
            view[1] = d[i];
            break;
        case 'T':
            s->out->frames = d[i];
            break;
        case 'H':
            view[2] = d[i];
            break;
        default:
            view[3] = d[i];
        }
    if (s->out->frames > INT32_MAX || view[2] > INT32_MAX / s->out->frames)
        return kldve_ctx_failf(s->ctx, KLDVE_E_UNSUPPORTED,
                               "input '%.60s': too many rows in all frames", s->picture.name);
    view[2] *= s->out->frames;
    return KLDVE_OK;
}

/* Fills in view[1..3] and *batched: whether the file's first dimension counts pictures. */
static kldve_status form_of(const kx_settler *s, int64_t view[4], bool *batched)
{
    const int64_t *d = s->picture.dim;

    if (*s->layout)
        return by_layout(s, view, batched);
    *batched = true;
    switch (s->picture.rank) {
    case 4:
        memcpy(view + 1, d + 1, 3 * sizeof *d);
        return KLDVE_OK;
    case 3:
        *batched = s->weights == 3;
        view[1] = *batched ? d[1] : d[0];
        view[2] = *batched ? 1 : d[1];
        view[3] = d[2];
        return KLDVE_OK;
    case 2:
        if (s->weights != 4)
            return flattened(s, d[1], view);
        *batched = false;
        view[1] = 1;
        memcpy(view + 2, d, 2 * sizeof *d);
        return KLDVE_OK;
    case 1:
        *batched = false;
        return flattened(s, d[0], view);
    default:
        return kldve_ctx_failf(s->ctx, KLDVE_E_UNSUPPORTED,
                               "the input '%.60s' has %d axes, a picture has 1 to 5",
                               s->picture.name, (int)s->picture.rank);
    }
}

/* Whole numbers are float32 to the graph, so that gradients reach them. */
static void note_range(kx_settler *s)
{
    static const int64_t least[] = {0, 0, 0, -128, 0, -32768, INT32_MIN},
                         most[] = {0, 0, 255, 127, 65535, 32767, INT32_MAX};
    int32_t type = s->picture.dtype;

    if (type < KX_ONNX_UINT8 || type > KX_ONNX_INT32)
        return;
    s->out->whole = true;
    s->out->type = type;
    s->out->least = least[type];
    s->out->most = most[type];
}

kldve_status kx_settle_form(kx_settler *s)
{
    kx_proto_value *input = kx_arena_alloc(s->arena, 1, sizeof *input);
    int64_t view[4] = {1, 0, 0, 0};
    bool batched, plain;
    kldve_status st;

    if (!input)
        return kx_settle_nomem(s);
    if ((st = form_of(s, view, &batched)) < 0)
        return st;
    s->out->batch = batched ? s->picture.dim[0] : 1;
    if (batched && !s->o->keep_batch)
        s->picture.dim[0] = 1;
    plain = s->picture.rank == 4 && s->picture.dim[0] == 1 &&
            (!*s->layout || strcmp(s->layout, "NCHW") == 0);
    if (!plain && (st = kx_settle_lead(s, view, batched ? s->picture.dim[0] : 1)) < 0)
        return st;
    if (s->out->frames > 1 && !s->o->user->layout &&
        (st = kx_settle_say(s,
                            "the input '%.60s' is a film of %lld frames, its axes %s: give another "
                            "order with --layout",
                            s->picture.name, (long long)s->out->frames, s->layout)) < 0)
        return st;
    strcpy(s->out->layout, s->layout);
    note_range(s);
    s->out->rank = s->picture.rank;
    memcpy(s->out->dim, s->picture.dim, sizeof s->out->dim);
    if (batched)
        s->out->dim[0] = 1;
    *input = (kx_proto_value){
        .name = plain ? s->picture.name : kx_picture_name, .dtype = KX_ONNX_FLOAT, .rank = 4};
    memcpy(input->dim, view, sizeof view);
    s->out->model.input = input;
    s->out->model.ninput = 1;
    return KLDVE_OK;
}
