/* colormap.c - a value to a colour.
 *
 * Colours are interpolated linearly between evenly spaced colours.  The published maps are
 * least-squares fits of a piecewise linear curve to their 256 colours, at most 1 of 255 away from
 * any of them.  Sources:
 *
 *   viridis, inferno, plasma  Stefan van der Walt and Nathaniel Smith 2015, published as CC0
 *   turbo                     Anton Mikhailov 2019, "Turbo, an improved rainbow colormap for
 * visualization"
 *
 * Computed here:
 *
 *   diverging         CIELAB (D65), lightness 35 - 100 - 35 in equal steps on both sides; hue 290
 *                     degrees and chroma C = 55 (blue), hue 30 and C = 62 (red); at distance t from
 *                     the middle the chroma is C (1 - (1 - t)^1.3)
 *   jet               three trapezoids with the corners of matplotlib's jet
 *   grey              the value itself */
#include <kldve/image.h>

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/float_env.h"

enum { KNOTS = 33, PLASMA_KNOTS = 65, LEVELS = 256 };

/* clang-format off */
static const uint8_t viridis[KNOTS][3] = {
    {68, 1, 84}, {71, 13, 96}, {72, 24, 106}, {72, 35, 116}, {71, 45, 123}, {69, 54, 129},
    {66, 64, 134}, {63, 73, 137}, {59, 82, 139}, {55, 90, 141}, {51, 99, 141}, {47, 106, 142},
    {44, 114, 142}, {41, 122, 142}, {38, 129, 142}, {35, 137, 142}, {33, 144, 141}, {31, 152, 139},
    {30, 159, 136}, {33, 166, 133}, {39, 174, 128}, {49, 181, 123}, {61, 188, 116}, {76, 194, 108},
    {92, 201, 99}, {110, 206, 88}, {129, 212, 76}, {150, 216, 64}, {171, 220, 50}, {192, 223, 36},
    {213, 226, 25}, {234, 229, 25}, {253, 231, 36},
};
static const uint8_t inferno[KNOTS][3] = {
    {0, 0, 3}, {3, 3, 18}, {10, 7, 36}, {21, 11, 55}, {33, 12, 74}, {46, 10, 91},
    {60, 9, 101}, {74, 11, 107}, {87, 16, 110}, {99, 20, 111}, {112, 25, 110}, {125, 30, 109},
    {137, 34, 106}, {150, 39, 102}, {163, 43, 98}, {175, 49, 92}, {187, 55, 85}, {198, 61, 77},
    {209, 69, 69}, {219, 79, 60}, {228, 89, 50}, {235, 101, 40}, {241, 113, 30}, {246, 127, 20},
    {249, 141, 9}, {251, 156, 5}, {252, 171, 15}, {251, 186, 31}, {249, 202, 50}, {245, 217, 73},
    {242, 232, 101}, {242, 245, 134}, {252, 255, 165},
};
static const uint8_t turbo[KNOTS][3] = {
    {49, 18, 60}, {58, 42, 116}, {64, 64, 162}, {69, 86, 199}, {71, 107, 228}, {71, 127, 247},
    {67, 147, 255}, {55, 168, 251}, {41, 187, 236}, {28, 205, 216}, {23, 220, 195}, {29, 232, 176},
    {48, 242, 153}, {76, 249, 126}, {107, 254, 99}, {138, 255, 76}, {163, 253, 60}, {184, 247, 52},
    {204, 237, 52}, {222, 224, 55}, {237, 208, 58}, {248, 192, 58}, {253, 174, 53}, {254, 152, 44},
    {252, 128, 34}, {245, 104, 23}, {236, 82, 14}, {225, 64, 9}, {210, 49, 5}, {193, 35, 2},
    {172, 23, 1}, {149, 12, 1}, {122, 4, 3},
};
static const uint8_t plasma[PLASMA_KNOTS][3] = {
    {13, 8, 134}, {25, 6, 139}, {34, 6, 144}, {42, 5, 146}, {49, 5, 150}, {56, 4, 153},
    {63, 4, 156}, {70, 3, 158}, {76, 2, 161}, {83, 2, 163}, {89, 1, 164}, {95, 1, 166},
    {101, 0, 167}, {108, 0, 169}, {114, 1, 167}, {120, 1, 167}, {126, 3, 168}, {132, 5, 166},
    {137, 8, 165}, {143, 12, 164}, {149, 17, 161}, {154, 22, 158}, {159, 25, 156}, {164, 31, 153},
    {169, 34, 149}, {174, 40, 146}, {179, 44, 142}, {182, 49, 138}, {188, 53, 135}, {191, 57, 131},
    {195, 62, 127}, {199, 66, 123}, {203, 71, 120}, {206, 75, 116}, {210, 80, 113}, {214, 85, 109},
    {217, 89, 106}, {220, 94, 102}, {223, 98, 99}, {227, 103, 95}, {230, 108, 92}, {232, 112, 88},
    {235, 117, 85}, {238, 122, 82}, {240, 127, 78}, {242, 132, 75}, {245, 138, 71}, {246, 143, 68},
    {248, 148, 64}, {249, 154, 61}, {251, 160, 57}, {252, 165, 54}, {253, 171, 51}, {253, 177, 48},
    {254, 183, 44}, {254, 189, 42}, {253, 195, 39}, {253, 202, 38}, {252, 208, 37}, {251, 215, 35},
    {249, 221, 36}, {247, 228, 38}, {245, 235, 38}, {242, 242, 40}, {240, 249, 34},
};
static const uint8_t diverging[KNOTS][3] = {
    {38, 77, 166}, {56, 87, 174}, {72, 97, 182}, {87, 107, 189}, {101, 117, 196}, {115, 128, 202},
    {128, 138, 208}, {141, 149, 214}, {154, 160, 220}, {167, 172, 225}, {180, 183, 230}, {192, 195, 234},
    {205, 206, 239}, {218, 218, 243}, {230, 230, 247}, {243, 243, 251}, {255, 255, 255}, {254, 240, 239},
    {252, 226, 223}, {250, 212, 207}, {247, 197, 191}, {243, 183, 176}, {239, 169, 161}, {233, 155, 147},
    {228, 141, 133}, {222, 128, 119}, {215, 114, 106}, {207, 100, 93}, {200, 86, 80}, {191, 72, 69},
    {182, 58, 57}, {173, 42, 46}, {162, 25, 36},
};
/* clang-format on */

static const struct {
    const char *name;
    int32_t colormap;
} names[] = {
    {"viridis", KLDVE_COLORMAP_VIRIDIS}, {"inferno", KLDVE_COLORMAP_INFERNO},
    {"turbo", KLDVE_COLORMAP_TURBO},     {"jet", KLDVE_COLORMAP_JET},
    {"grey", KLDVE_COLORMAP_GREY},       {"diverging", KLDVE_COLORMAP_DIVERGING},
    {"plasma", KLDVE_COLORMAP_PLASMA},
};

kldve_status kldve_colormap_from_name(const char *name, int32_t *colormap)
{
    if (!name || !colormap)
        return KLDVE_E_ARG;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i].name) == 0) {
            *colormap = names[i].colormap;
            return KLDVE_OK;
        }
    return KLDVE_E_NOT_FOUND;
}

static float clamp(float value)
{
    if (!(value > 0)) /* also NaN */
        return 0;
    return value < 1 ? value : 1;
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(clamp(value) * 255 + 0.5f);
}

/* Rises from 0 at a to 1 at b and falls from 1 at c to 0 at d. */
static uint8_t trapezoid(float v, float a, float b, float c, float d)
{
    float up = (v - a) / (b - a), down = (d - v) / (d - c);

    assert(a < b && b <= c && c < d);
    return to_byte(up < down ? up : down);
}

static void interpolate(const uint8_t (*knots)[3], int32_t count, float value, uint8_t rgb[3])
{
    float place = value * (float)(count - 1);
    int32_t first = place < (float)(count - 2) ? (int32_t)place : count - 2;
    float right = place - (float)first;

    assert(value >= 0 && value <= 1);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)((1 - right) * knots[first][c] + right * knots[first + 1][c] + 0.5f);
}

static kldve_status colour(int32_t colormap, float value, uint8_t rgb[3])
{
    float v = clamp(value);

    switch (colormap) {
    case KLDVE_COLORMAP_VIRIDIS:
        interpolate(viridis, KNOTS, v, rgb);
        break;
    case KLDVE_COLORMAP_TURBO:
        interpolate(turbo, KNOTS, v, rgb);
        break;
    case KLDVE_COLORMAP_DIVERGING:
        interpolate(diverging, KNOTS, v, rgb);
        break;
    case KLDVE_COLORMAP_JET:
        rgb[0] = trapezoid(v, 0.35f, 0.66f, 0.89f, 1.11f);
        rgb[1] = trapezoid(v, 0.125f, 0.375f, 0.64f, 0.91f);
        rgb[2] = trapezoid(v, -0.11f, 0.11f, 0.34f, 0.65f);
        break;
    case KLDVE_COLORMAP_GREY:
        rgb[0] = rgb[1] = rgb[2] = to_byte(v);
        break;
    case KLDVE_COLORMAP_DEFAULT:
    case KLDVE_COLORMAP_PLASMA:
        interpolate(plasma, PLASMA_KNOTS, v, rgb);
        break;
    case KLDVE_COLORMAP_INFERNO:
        interpolate(inferno, KNOTS, v, rgb);
        break;
    default:
        return KLDVE_E_ARG;
    }
    return KLDVE_OK;
}

kldve_status kldve_colormap_rgb(int32_t colormap, float value, uint8_t rgb[3])
{
    fenv_t host;

    if (!rgb)
        return KLDVE_E_ARG;
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(&host, colour(colormap, value, rgb));
}
