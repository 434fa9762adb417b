/* spectrum.c - DFT and STFT as what they are: linear maps, whose matrix is a constant.
 *
 *     X[k] = sum over n of x[n] e^(s 2 pi i k n / N)      s = -1, inverse s = +1 and X / N
 *
 * A number is a pair (real, imaginary) in the last axis; of a real signal only the first is there.
 * With `onesided` only X[0] .. X[N / 2] are computed, and the inverse makes a real signal of them.
 * STFT is a convolution with that matrix, times the window. */
#include <math.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

enum { MAX_MATRIX = 1 << 24 /* elements: 64 MiB */, MAX_LENGTH = 1 << 20 };

static const double turn = 6.283185307179586476925;

typedef struct transform {
    int64_t length;         /* N */
    int64_t in, parts;      /* numbers of the signal that count, and 1 or 2 floats each */
    int64_t out, out_parts; /* the same of the result */
    bool inverse, onesided;
} transform;

static kldve_status check_size(kx_expander *e, const transform *t)
{
    bool fits = t->length >= 1 && t->length <= MAX_LENGTH && t->in >= 1;

    if (!fits || t->out * t->out_parts > MAX_MATRIX / (t->in * t->parts))
        return kx_refuse(e->g, e->n,
                         "a transform of length %lld for %lld numbers: its matrix may have at most "
                         "%d elements",
                         (long long)t->length, (long long)t->in, MAX_MATRIX);
    return KLDVE_OK;
}

/* Part q of result k that one part p of number n makes. */
static double factor(const transform *t, const double *cosine, int64_t n, int64_t k,
                     const int64_t part[2])
{
    int64_t at = (n * k) % t->length, quarter = (at * 4 + 3 * t->length) % (4 * t->length);
    double c = cosine[4 * at], s = cosine[quarter], sign = t->inverse ? 1 : -1, f;

    f = part[0] == part[1] ? c : part[0] == 0 ? sign * s : -sign * s;
    if (!t->inverse)
        return f;
    /* The half that is not there is the mirror image of the other. */
    if (t->onesided && n > 0 && 2 * n != t->length)
        f *= 2;
    return f / (double)t->length;
}

/* [4 N]: cos(2 pi i / (4 N)), in which sines are a quarter further. */
static double *cosines(kx_expander *e, int64_t length)
{
    double *c = kx_new(e->g, (size_t)(4 * length), sizeof *c);

    for (int64_t i = 0; c && i < 4 * length; i++)
        c[i] = cos(turn * (double)i / (double)(4 * length));
    return c;
}

/* Element (n, p; k, q) goes to row (n, p), column (k, q), or the other way round. */
static float *matrix(kx_expander *e, const transform *t, const float *window, bool turned)
{
    int64_t rows = t->in * t->parts, columns = t->out * t->out_parts;
    float *m = kx_new(e->g, (size_t)(rows * columns), sizeof *m);
    double *cosine = cosines(e, t->length);

    if (!m || !cosine) {
        e->status = kx_nomem(e->g);
        return NULL;
    }
    for (int64_t n = 0; n < t->in; n++)
        for (int64_t p = 0; p < t->parts; p++)
            for (int64_t k = 0; k < t->out; k++)
                for (int64_t q = 0; q < t->out_parts; q++) {
                    int64_t column = k * t->out_parts + q;
                    int64_t at = turned ? (column * t->parts + p) * t->in + n
                                        : (n * t->parts + p) * columns + column;
                    double f = factor(t, cosine, n, k, (const int64_t[]){p, q});

                    m[at] = (float)(window ? f * (double)window[n] : f);
                }
    return m;
}

/* ---- DFT ------------------------------------------------------------------------------------- */

static kldve_status read_axis(kx_expander *e, int32_t *axis)
{
    int32_t rank = e->n->in[0]->shape.rank;
    int64_t at = e->g->opset < 20 ? kx_attr_int(e->n, "axis", 1) : -2;
    kldve_status st = KLDVE_OK;

    if (e->g->opset >= 20 && kx_has(e->n, 2))
        st = kx_known_int(e, 2, "axis", &at);
    if (st < 0)
        return st;
    if (rank < 2 || !kx_axis(at, rank, axis) || *axis == rank - 1)
        return kx_invalid(e->g, e->n, "axis %lld is out of range for rank %d", (long long)at, rank);
    return KLDVE_OK;
}

static kldve_status read_dft(kx_expander *e, int32_t axis, transform *t)
{
    const kx_shape *s = &e->n->in[0]->shape;
    kldve_status st = KLDVE_OK;
    int64_t have = s->dim[axis], half;

    t->inverse = kx_attr_int(e->n, "inverse", 0) != 0;
    t->onesided = kx_attr_int(e->n, "onesided", 0) != 0;
    t->parts = s->dim[s->rank - 1];
    if (t->parts != 1 && t->parts != 2)
        return kx_invalid(e->g, e->n, "the last axis has length %lld, expected 1 or 2",
                          (long long)t->parts);
    t->length = t->inverse && t->onesided ? 2 * (have - 1) : have;
    if (kx_has(e->n, 1))
        st = kx_known_int(e, 1, "dft_length", &t->length);
    if (st < 0)
        return st;
    half = t->length / 2 + 1;
    t->in = t->inverse && t->onesided ? half : t->length;
    t->in = have < t->in ? have : t->in; /* what is missing counts as 0 */
    t->out = t->onesided && !t->inverse ? half : t->length;
    t->out_parts = t->onesided && t->inverse ? 1 : 2;
    return check_size(e, t);
}

static kldve_status expand_dft(kx_expander *e)
{
    transform t;
    int64_t perm[KX_MAX_RANK], back[KX_MAX_RANK], flat[2], dim[KX_MAX_RANK];
    int32_t axis = 0, rank;
    kx_value *x, *m;
    kldve_status st = kx_expect(e->g, e->n, 1, 3, 1);

    if (st < 0 || (st = read_axis(e, &axis)) < 0 || (st = read_dft(e, axis, &t)) < 0)
        return st;
    x = kx_emit_slice(e, e->n->in[0], axis, 0, t.in);
    rank = e->n->in[0]->shape.rank;
    for (int32_t i = 0; i < rank; i++) /* the axis goes in front of the pairs */
        perm[i] = i < axis ? i : i < rank - 2 ? i + 1 : i == rank - 2 ? axis : rank - 1;
    for (int32_t i = 0; i < rank; i++)
        back[perm[i]] = i;
    x = kx_emit_transpose(e, x, perm, (size_t)rank);
    if (!x)
        return e->status;
    for (int32_t i = 0; i < rank; i++)
        dim[i] = i == rank - 2 ? t.out : i == rank - 1 ? t.out_parts : x->shape.dim[i];
    flat[0] = kx_span(&x->shape, 0, rank - 2);
    flat[1] = t.in * t.parts;
    m = kx_emit_floats(e, matrix(e, &t, NULL, false),
                       &(kx_shape){2, {flat[1], t.out * t.out_parts}});
    x = kx_emit2(e, "MatMul", kx_emit_reshape(e, x, flat, 2), m);
    x = kx_emit_reshape(e, x, dim, (size_t)rank);
    e->out[0] = kx_emit_transpose(e, x, back, (size_t)rank);
    return e->status;
}

/* ---- STFT: signal [batch][length][parts], step, window, frame length ------------------------- */

static kldve_status read_window(kx_expander *e, transform *t, const float **window)
{
    const kx_value *v = kx_has(e->n, 2) ? e->n->in[2] : NULL;
    kldve_status st = KLDVE_OK;

    t->length = v ? (int64_t)v->count : e->n->in[0]->shape.dim[1];
    if (kx_has(e->n, 3))
        st = kx_known_int(e, 3, "frame_length", &t->length);
    if (st < 0 || !v)
        return st;
    if (!kx_is_float(v) || v->shape.rank != 1 || (int64_t)v->count != t->length)
        return kx_invalid(e->g, e->n, "the window must have one number for each of %lld samples",
                          (long long)t->length);
    if (!v->raw)
        return kx_refuse(e->g, e->n, "input 2 (window) must be constant");
    *window = kx_value_data(e->g, v);
    return *window ? KLDVE_OK : kx_nomem(e->g);
}

static kldve_status read_stft(kx_expander *e, transform *t, int64_t *step, const float **window)
{
    const kx_shape *s = &e->n->in[0]->shape;
    kldve_status st;

    if (s->rank != 2 && (s->rank != 3 || s->dim[2] < 1 || s->dim[2] > 2))
        return kx_invalid(e->g, e->n, "the signal must have the shape [batch][length][1 or 2]");
    if ((st = kx_known_int(e, 1, "frame_step", step)) < 0 || (st = read_window(e, t, window)) < 0)
        return st;
    t->onesided = kx_attr_int(e->n, "onesided", 1) != 0;
    t->parts = s->rank == 3 ? s->dim[2] : 1;
    t->in = t->length;
    t->out = t->onesided ? t->length / 2 + 1 : t->length;
    t->out_parts = 2;
    if (*step < 1 || *step > INT32_MAX || t->length < 1 || t->length > s->dim[1])
        return kx_invalid(e->g, e->n, "frames of %lld samples, step %lld, do not fit %lld samples",
                          (long long)t->length, (long long)*step, (long long)s->dim[1]);
    return check_size(e, t);
}

static kldve_status expand_stft(kx_expander *e)
{
    static const int64_t parts_first[3] = {0, 2, 1}, frames_first[4] = {0, 3, 1, 2};
    const float *window = NULL;
    transform t = {.inverse = false};
    int64_t step = 0, dim[4] = {0, 0, 2, -1}, lone[3] = {0, 1, -1};
    kx_attr strides = kx_attr_of_ints("strides", &step, 1);
    kx_value *x, *w;
    kldve_status st = kx_expect(e->g, e->n, 2, 4, 1);

    if (st < 0 || (st = read_stft(e, &t, &step, &window)) < 0)
        return st;
    x = e->n->in[0];
    x = x->shape.rank == 3 ? kx_emit_transpose(e, x, parts_first, 3)
                           : kx_emit_reshape(e, x, lone, 3);
    w = kx_emit_floats(e, matrix(e, &t, window, true), &(kx_shape){3, {2 * t.out, t.parts, t.in}});
    x = kx_emit(e, "Conv", (kx_value *[]){x, w}, 2, &strides, 1);
    dim[1] = t.out;
    e->out[0] = kx_emit_transpose(e, kx_emit_reshape(e, x, dim, 4), frames_first, 4);
    return e->status;
}

const kx_op kx_spectrum_ops[] = {
    {.type = "DFT", .since = 17, .expand = expand_dft},
    {.type = "STFT", .since = 17, .expand = expand_stft},
    {0},
};
