/* kernel.c - interpolation kernels.
 *
 *     triangle   1 - |x|                                     |x| < 1
 *     cubic      (a + 2)|x|^3 - (a + 3)|x|^2 + 1             |x| < 1,   a = -1/2
 *                a|x|^3 - 5a|x|^2 + 8a|x| - 4a               |x| < 2
 *     lanczos    sinc(x) sinc(x/3)                           |x| < 3
 *
 * R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Transactions on
 * Acoustics, Speech and Signal Processing 29, 1981; C. E. Duchon, "Lanczos filtering in one and two
 * dimensions", Journal of Applied Meteorology 18, 1979. */
#include "kernel.h"

#include <math.h>

static double triangle(double x)
{
    return fmax(1 - fabs(x), 0);
}

static double cubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
}

static double sinc(double x)
{
    const double pi = 3.14159265358979323846;

    return x == 0 ? 1 : sin(pi * x) / (pi * x);
}

static double lanczos(double x)
{
    return fabs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

const kldve_kernel kldve_kernel_triangle = {triangle, 1};
const kldve_kernel kldve_kernel_cubic = {cubic, 2};
const kldve_kernel kldve_kernel_lanczos = {lanczos, 3};
