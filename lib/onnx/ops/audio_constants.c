/* audio_constants.c - constants of audio front ends: HannWindow, HammingWindow, BlackmanWindow,
 * MelWeightMatrix, as ONNX's specification defines them. */
#include <math.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

enum { MAX_CONSTANT = 1 << 22 /* elements: 16 MiB */ };

static const double turn = 6.283185307179586476925;

/* Floats of the type that the file asks for. */
static kldve_status put_out(kx_expander *e, const float *x, const kx_shape *shape)
{
    int64_t type = kx_attr_int(e->n, "output_datatype", KX_ONNX_FLOAT);
    kx_value *v = kx_emit_floats(e, x, shape);

    e->out[0] = type == KX_ONNX_FLOAT ? v : kx_emit_cast(e, v, (int32_t)type);
    return e->status;
}

/* a0 - a1 cos(2 pi i / n) + a2 cos(4 pi i / n); n is the length, or one less for a symmetric one.
 */
static kldve_status window(kx_expander *e, const double a[3])
{
    int64_t size = 0, n;
    float *w;
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);

    if (st < 0 || (st = kx_known_int(e, 0, "size", &size)) < 0)
        return st;
    if (size < 1 || size > MAX_CONSTANT)
        return kx_refuse(e->g, e->n, "a window of %lld elements, 1 to %d are supported",
                         (long long)size, MAX_CONSTANT);
    n = kx_attr_int(e->n, "periodic", 1) != 0 ? size : size - 1;
    if (!(w = kx_new(e->g, (size_t)size, sizeof *w)))
        return kx_nomem(e->g);
    for (int64_t i = 0; i < size; i++) {
        double angle = n > 0 ? turn * (double)i / (double)n : turn / 2; /* one element: the top */

        w[i] = (float)(a[0] - a[1] * cos(angle) + a[2] * cos(2 * angle));
    }
    return put_out(e, w, &(kx_shape){1, {size}});
}

static kldve_status expand_hann(kx_expander *e)
{
    return window(e, (const double[]){0.5, 0.5, 0});
}

static kldve_status expand_hamming(kx_expander *e)
{
    return window(e, (const double[]){25.0 / 46, 21.0 / 46, 0});
}

static kldve_status expand_blackman(kx_expander *e)
{
    return window(e, (const double[]){0.42, 0.5, 0.08});
}

/* ---- MelWeightMatrix [dft_length / 2 + 1][bands]: triangles on the mel scale,
 * mel(f) = 2595 log10(1 + f / 700) ------------------------------------------------------------- */

typedef struct mel {
    int64_t bands, length, rows;
    double rate, lower, upper; /* Hz */
} mel;

static kldve_status read_mel(kx_expander *e, mel *m)
{
    kldve_status st = kx_expect(e->g, e->n, 5, 5, 1);

    if (st < 0 || (st = kx_known_int(e, 0, "num_mel_bins", &m->bands)) < 0 ||
        (st = kx_known_int(e, 1, "dft_length", &m->length)) < 0 ||
        (st = kx_known_number(e, 2, "sample_rate", &m->rate)) < 0 ||
        (st = kx_known_number(e, 3, "lower_edge_hertz", &m->lower)) < 0 ||
        (st = kx_known_number(e, 4, "upper_edge_hertz", &m->upper)) < 0)
        return st;
    m->rows = m->length / 2 + 1;
    if (m->bands < 1 || m->length < 1 || m->bands > MAX_CONSTANT ||
        m->rows > MAX_CONSTANT / m->bands)
        return kx_refuse(e->g, e->n,
                         "%lld bands of a transform of length %lld, at most %d weights "
                         "are supported",
                         (long long)m->bands, (long long)m->length, MAX_CONSTANT);
    if (!(m->rate > 0) || !(m->lower >= 0) || !(m->upper > m->lower) || !isfinite(m->upper))
        return kx_invalid(e->g, e->n, "frequencies %g to %g Hz at a rate of %g Hz", m->lower,
                          m->upper, m->rate);
    return KLDVE_OK;
}

/* The row at which edge number i of the triangles lies. */
static int64_t edge(const mel *m, int64_t i)
{
    double low = 2595 * log1p(m->lower / 700) / log(10);
    double high = 2595 * log1p(m->upper / 700) / log(10);
    double at = low + (double)i * ((high - low) / (double)(m->bands + 2));
    double row = floor((double)(m->length + 1) * (700 * expm1(at / 2595 * log(10))) / m->rate);

    return row < (double)m->rows ? (int64_t)row : m->rows - 1;
}

static kldve_status expand_mel(kx_expander *e)
{
    mel m = {0};
    float *w;
    kldve_status st = read_mel(e, &m);

    if (st < 0)
        return st;
    if (!(w = kx_new(e->g, (size_t)(m.rows * m.bands), sizeof *w)))
        return kx_nomem(e->g);
    for (int64_t i = 0; i < m.bands; i++) {
        int64_t from = edge(&m, i), top = edge(&m, i + 1), to = edge(&m, i + 2);

        for (int64_t k = from; k < top; k++)
            w[k * m.bands + i] = (float)((double)(k - from) / (double)(top - from));
        w[top * m.bands + i] = 1;
        for (int64_t k = top + 1; k < to; k++)
            w[k * m.bands + i] = (float)((double)(to - k) / (double)(to - top));
    }
    return put_out(e, w, &(kx_shape){2, {m.rows, m.bands}});
}

const kx_op kx_audio_constants_ops[] = {
    {.type = "HannWindow", .since = 17, .expand = expand_hann},
    {.type = "HammingWindow", .since = 17, .expand = expand_hamming},
    {.type = "BlackmanWindow", .since = 17, .expand = expand_blackman},
    {.type = "MelWeightMatrix", .since = 17, .expand = expand_mel},
    {0},
};
