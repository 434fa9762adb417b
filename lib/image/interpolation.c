/* interpolation.c - interpolation kernels.
 *
 *     bilinear   1 - |x|                                            |x| < 1
 *     bicubic    (a + 2)|x|^3 - (a + 3)|x|^2 + 1                     |x| < 1,    a = -1/2
 *                a|x|^3 - 5a|x|^2 + 8a|x| - 4a                       |x| < 2
 *     lanczos    sinc(x) sinc(x/3)                                  |x| < 3
 *     box        1                                                  |x| <= 1/2
 *     hamming    sinc(x) (0.54 + 0.46 cos(pi x))                    |x| < 1
 *     nearest    box, not antialiased
 *
 * R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Transactions on
 * Acoustics, Speech and Signal Processing 29, 1981; C. E. Duchon, "Lanczos filtering in one and two
 * dimensions", Journal of Applied Meteorology 18, 1979. */
#include "interpolation.h"

#include <math.h>
#include <stddef.h>

#include <kldve/image.h>

static double sinc(double x)
{
    const double pi = 3.14159265358979323846;

    return x == 0 ? 1 : sin(pi * x) / (pi * x);
}

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
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double lanczos(double x)
{
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double hamming(double x)
{
    const double pi = 3.14159265358979323846;

    return fabs(x) < 1 ? sinc(x) * (0.54 + 0.46 * cos(pi * x)) : 0;
}

/* In the order of kldve_interpolation. */
static const kldve_kernel kernels[] = {
    {"bilinear", 1, true, triangle},
    {"bicubic", 2, true, cubic},
    {"lanczos", 3, true, lanczos},
    {"nearest", 0.5, false, box},
    {"box", 0.5, true, box},
    {"hamming", 1, true, hamming},
    {"bilinear-plain", 1, false, triangle},
};

enum { KERNELS = sizeof kernels / sizeof *kernels };

const kldve_kernel *kldve_kernel_of(int32_t interpolation)
{
    return interpolation >= 0 && interpolation < KERNELS ? &kernels[interpolation] : NULL;
}

const char *kldve_interpolation_name(int32_t interpolation)
{
    const kldve_kernel *kernel = kldve_kernel_of(interpolation);

    return kernel ? kernel->name : NULL;
}
