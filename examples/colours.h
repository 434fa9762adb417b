/* colours.h - stands in for the network of a host program: a convolution, a ReLU, the mean over all
 * cells and a dense layer measure how red, green, blue and yellow a picture is.  It knows nothing
 * about libkldve. */
#ifndef COLOURS_H
#define COLOURS_H

enum {
    COLOURS = 4,       /* classes */
    COLOURS_SIDE = 32, /* of the input, pixels */
    COLOURS_MAPS = 4,  /* feature maps, after the ReLU */
    COLOURS_GRID = 15, /* of a map, cells */
    COLOURS_CELLS = COLOURS_GRID * COLOURS_GRID,
    COLOURS_INPUTS = 3 * COLOURS_SIDE * COLOURS_SIDE,
    COLOURS_FEATURES = COLOURS_MAPS * COLOURS_CELLS
};

/* The index of the class with this name, or -1. */
int colours_class(const char *name);

/* Bytes [32][32][3] -> input [3][32][32] from 0 to 1. */
void colours_prepare(const unsigned char *pixels, float *input);

/* input [3][32][32], R,G,B from 0 to 1 -> features [4][15][15], logits [4] */
void colours_forward(const float *input, float *features, float *logits);

/* The gradient at the features, [4][15][15], of the sum of cotangent[j] * logits[j]. */
void colours_backward(const float *cotangent, float *gradient);

#endif
