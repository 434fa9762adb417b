/* winograd.c - Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional
 * Neural Networks", arXiv:1509.09308): 4 x 4 outputs of a 3 x 3 convolution from 6 x 6 inputs, by
 * 36 multiplications instead of 144.
 *
 *     Y = A^T [ (G g G^T) o (B^T d B) ] A,  d [6][6], g [3][3], Y [4][4], o: element by element,
 *                                           summed over the input channels: 36 matrix products
 *
 * from the polynomials through the points 0, a, -a, b, -b and infinity.  In float32, a = 3/4 and
 * b = 3/2 round half as much as the usual 1 and 2.  With s = a^2 + b^2 and p = a^2 b^2
 *
 *     B^T = p   0    -s   0   1  0        A^T = 1  1     1     1     1     0
 *           0  -ab^2 -b^2  a   1  0              0  a    -a     b    -b     0
 *           0   ab^2 -b^2 -a   1  0              0  a^2   a^2   b^2   b^2   0
 *           0  -a^2b -a^2  b   1  0              0  a^3  -a^3   b^3  -b^3   1
 *           0   a^2b -a^2 -b   1  0
 *           0   p    0   -s   0  1
 *
 * G is in plan/packed.c, where the weights are transformed once. */
#include "run/winograd.h"

#include <assert.h>
#include <string.h>

#include "run/kernel.h"

enum { LANES = KX_TILE_LANES, SIDE = KX_TILE_SIDE, OUT = KX_TILE_OUT, POINTS = KX_TILE_POINTS };

#define A KX_TILE_A
#define B KX_TILE_B

/* Eight channels. */
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));

#define LOAD(to, address) memcpy(&(to), (address), sizeof(vec))
#define STORE(from, address) memcpy((address), &(from), sizeof(vec))

/* B^T times six vectors, `step` apart. */
static inline __attribute__((always_inline)) void input_line(vec *d, int step)
{
    const vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
              d5 = d[5 * step];
    const vec even_a = d4 - B * B * d2, odd_a = A * d3 - A * B * B * d1;
    const vec even_b = d4 - A * A * d2, odd_b = B * d3 - A * A * B * d1;

    d[0] = A * A * B * B * d0 - (A * A + B * B) * d2 + d4;
    d[step] = even_a + odd_a;
    d[2 * step] = even_a - odd_a;
    d[3 * step] = even_b + odd_b;
    d[4 * step] = even_b - odd_b;
    d[5 * step] = A * A * B * B * d1 - (A * A + B * B) * d3 + d5;
}

/* A^T times six vectors, `step` apart: the first four of them. */
static inline __attribute__((always_inline)) void output_line(vec *m, int step)
{
    const vec sum_a = m[step] + m[2 * step], diff_a = m[step] - m[2 * step];
    const vec sum_b = m[3 * step] + m[4 * step], diff_b = m[3 * step] - m[4 * step];

    m[0] = m[0] + sum_a + sum_b;
    m[step] = A * diff_a + B * diff_b;
    m[2 * step] = A * A * sum_a + B * B * sum_b;
    m[3 * step] = A * A * A * diff_a + B * B * B * diff_b + m[5 * step];
}

/* The 6 x 6 cells of 8 channels from (row, column) on; outside the array they are 0. */
static inline __attribute__((always_inline)) void read_cells(const kx_tiles *t, const float *x,
                                                             int64_t row, int64_t column, vec *d)
{
    for (int i = 0; i < SIDE; i++)
        for (int k = 0; k < SIDE; k++) {
            int64_t y = row + i, z = column + k;

            if (y >= 0 && y < t->height && z >= 0 && z < t->width)
                LOAD(d[i * SIDE + k], x + (y * t->width + z) * LANES);
            else
                d[i * SIDE + k] = (vec){0};
        }
}

/* One tile, number `at` of those that are computed together. */
KX_WIDE static void input_tile(const kx_tiles *t, int64_t at, const float *x, float *v)
{
    const int64_t tiles = t->rows * t->columns;
    const int64_t row = (t->first + at / t->columns) * OUT - t->pad[0];
    const int64_t column = at % t->columns * OUT - t->pad[1];
    vec d[POINTS];

    for (int64_t c = 0; c < t->channels; c += LANES) {
        read_cells(t, x + (t->start + c) * t->height * t->width, row, column, d);
        for (int k = 0; k < SIDE; k++)
            input_line(d + k, SIDE);
        for (int i = 0; i < SIDE; i++)
            input_line(d + i * SIDE, 1);
        for (int64_t p = 0; p < POINTS; p++)
            STORE(d[p], v + (p * tiles + at) * t->channels + c);
    }
}

KX_WIDE static void output_tile(const kx_tiles *t, bool relu, int64_t at, const float *m,
                                const float *bias, float *y)
{
    const int64_t tiles = t->rows * t->columns;
    const int64_t row = (t->first + at / t->columns) * OUT, column = at % t->columns * OUT;
    const int64_t rows = t->height - row < OUT ? t->height - row : OUT;
    const int64_t columns = t->width - column < OUT ? t->width - column : OUT;
    vec d[POINTS], b;

    for (int64_t c = 0; c < t->channels; c += LANES) {
        float *to = y + ((t->start + c) * t->height + row * LANES) * t->width + column * LANES;

        LOAD(b, bias + t->start + c);
        for (int64_t p = 0; p < POINTS; p++)
            LOAD(d[p], m + (p * tiles + at) * t->channels + c);
        for (int k = 0; k < SIDE; k++)
            output_line(d + k, SIDE);
        for (int i = 0; i < OUT; i++)
            output_line(d + i * SIDE, 1);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = 0; k < columns; k++) {
                vec z = d[i * SIDE + k] + b;

                if (relu) /* NaN stays */
                    z = (vec)((mask)z & ~(z < (vec){0}));
                STORE(z, to + (i * t->width + k) * LANES);
            }
    }
}

void kx_winograd_input(const kx_tiles *t, const float *x, float *v)
{
    const int64_t tiles = t->rows * t->columns;

    assert(t->channels % LANES == 0);
    KX_SHARED(tiles * t->channels * POINTS >= KX_PARALLEL_FROM,
              for (int64_t at = 0; at < tiles; at++) input_tile(t, at, x, v););
}

void kx_winograd_output(const kx_tiles *t, bool relu, const float *m, const float *bias, float *y)
{
    const int64_t tiles = t->rows * t->columns;

    assert(t->channels % LANES == 0);
    KX_SHARED(tiles * t->channels * POINTS >= KX_PARALLEL_FROM,
              for (int64_t at = 0; at < tiles; at++) output_tile(t, relu, at, m, bias, y););
}
