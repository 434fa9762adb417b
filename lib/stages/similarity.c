/* similarity.c - structural similarity of two maps.
 *
 *     SSIM = (2 m_a m_b + C1)(2 s_ab + C2) / ((m_a^2 + m_b^2 + C1)(s_a^2 + s_b^2 + C2))
 *
 * with the means m, variances s^2 and the covariance s_ab under a window of 11 x 11 weights, a
 * Gaussian of deviation 1.5 that sums to 1; C1 = (0.01 L)^2 and C2 = (0.03 L)^2, L the range of the
 * values.  The result is the mean over all places where the window lies inside the maps.
 *
 * Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image Quality Assessment: From Error
 * Visibility to Structural Similarity", IEEE Transactions on Image Processing 13(4), 2004, without
 * the halving of large pictures that its authors' program does first.
 *
 * The window is separable: five weighted sums down the columns for one row of windows, then along
 * that row. */
#include "similarity.h"

#include <math.h>
#include <string.h>

enum { W = KLDVE_SSIM_WINDOW };

static void make_window(double weight[W])
{
    double sum = 0;

    for (int i = 0; i < W; i++) {
        double z = (i - W / 2) / 1.5;

        weight[i] = exp(-z * z / 2);
        sum += weight[i];
    }
    for (int i = 0; i < W; i++)
        weight[i] /= sum;
}

/* work[s][x] = sum over W rows of weight * (a, b, a^2, b^2, ab). */
static void sum_columns(const float *a, const float *b, size_t width, const double weight[W],
                        double *work)
{
    memset(work, 0, KLDVE_SSIM_SUMS * width * sizeof *work);
    for (int i = 0; i < W; i++, a += width, b += width)
        for (size_t x = 0; x < width; x++) {
            double va = (double)a[x], vb = (double)b[x];

            work[x] += weight[i] * va;
            work[width + x] += weight[i] * vb;
            work[2 * width + x] += weight[i] * va * va;
            work[3 * width + x] += weight[i] * vb * vb;
            work[4 * width + x] += weight[i] * va * vb;
        }
}

static double similarity(const double sum[KLDVE_SSIM_SUMS], double range)
{
    double c1 = 0.01 * 0.01 * range * range, c2 = 0.03 * 0.03 * range * range;
    double ma = sum[0], mb = sum[1];
    double aa = sum[2] - ma * ma, bb = sum[3] - mb * mb, ab = sum[4] - ma * mb;

    return (2 * ma * mb + c1) * (2 * ab + c2) / ((ma * ma + mb * mb + c1) * (aa + bb + c2));
}

static double sum_of_row(const double *work, size_t width, const double weight[W], double range)
{
    double total = 0;

    for (size_t x = 0; x + W <= width; x++) {
        double sum[KLDVE_SSIM_SUMS] = {0};

        for (int s = 0; s < KLDVE_SSIM_SUMS; s++)
            for (size_t i = 0; i < W; i++)
                sum[s] += weight[i] * work[(size_t)s * width + x + i];
        total += similarity(sum, range);
    }
    return total;
}

double kldve_ssim(const float *a, const float *b, size_t height, size_t width, double range,
                  double *work)
{
    double weight[W], total = 0;

    if (height < W || width < W)
        return (double)NAN;
    make_window(weight);
    for (size_t y = 0; y + W <= height; y++) {
        sum_columns(a + y * width, b + y * width, width, weight, work);
        total += sum_of_row(work, width, weight, range);
    }
    total /= (double)(height - W + 1) * (double)(width - W + 1);
    return fmax(-1, fmin(total, 1)); /* rounding may pass 1 */
}
