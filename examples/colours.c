/* colours.c - see colours.h. */
#include "colours.h"

#include <string.h>

static const char *const names[COLOURS] = {"red", "green", "blue", "yellow"};

/* Of the 3 x 3 convolution (stride 2, no padding): the same at each of the 9 places. */
static const float kernel[COLOURS_MAPS][3] = {{0.10f, -0.09f, -0.03f},
                                              {-0.09f, 0.10f, -0.03f},
                                              {-0.05f, -0.05f, 0.11f},
                                              {0.06f, 0.06f, -0.11f}};
static const float bias = -0.05f;

static const float dense[COLOURS][COLOURS_MAPS] = {
    {40, -10, -10, -10}, {-10, 40, -10, -10}, {-10, -10, 40, -10}, {-10, -10, -10, 40}};

int colours_class(const char *name)
{
    for (int j = 0; j < COLOURS; j++)
        if (strcmp(name, names[j]) == 0)
            return j;
    return -1;
}

void colours_prepare(const unsigned char *pixels, float *input)
{
    enum { PIXELS = COLOURS_SIDE * COLOURS_SIDE };

    for (int i = 0; i < COLOURS_INPUTS; i++)
        input[i] = (float)pixels[i % PIXELS * 3 + i / PIXELS] / 255;
}

static float convolve(const float *input, int map, int cell)
{
    int top = cell / COLOURS_GRID * 2, left = cell % COLOURS_GRID * 2;
    float x = bias;

    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 9; i++)
            x += kernel[map][c] *
                 input[(c * COLOURS_SIDE + top + i / 3) * COLOURS_SIDE + left + i % 3];
    return x > 0 ? x : 0;
}

void colours_forward(const float *input, float *features, float *logits)
{
    for (int j = 0; j < COLOURS; j++)
        logits[j] = 0;
    for (int m = 0; m < COLOURS_MAPS; m++) {
        float mean = 0;

        for (int i = 0; i < COLOURS_CELLS; i++) {
            features[m * COLOURS_CELLS + i] = convolve(input, m, i);
            mean += features[m * COLOURS_CELLS + i] / COLOURS_CELLS;
        }
        for (int j = 0; j < COLOURS; j++)
            logits[j] += dense[j][m] * mean;
    }
}

void colours_backward(const float *cotangent, float *gradient)
{
    for (int m = 0; m < COLOURS_MAPS; m++) {
        float at_mean = 0;

        for (int j = 0; j < COLOURS; j++)
            at_mean += cotangent[j] * dense[j][m];
        for (int i = 0; i < COLOURS_CELLS; i++)
            gradient[m * COLOURS_CELLS + i] = at_mean / COLOURS_CELLS;
    }
}
