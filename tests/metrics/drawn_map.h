/* drawn_map.h - a heat map whose values at the size of the input are given. */
#ifndef KLDVE_TESTS_DRAWN_MAP_H
#define KLDVE_TESTS_DRAWN_MAP_H

#include <kldve/kldve.h>

/** Grad-CAM of one feature map with the gradient 1: the values, scaled to 0..1 as the sign says.
 *  The input has as many pixels as the layer has cells, the picture is seen as a whole. */
static inline kldve_heatmap *drawn_map(kldve_ctx *ctx, const float *values, int32_t height,
                                       int32_t width, int32_t sign)
{
    static const float logits[3] = {2, 1, 0};
    enum { MOST = 4096 };
    float ones[MOST];
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = logits,
                                 .features = values,
                                 .gradient = ones,
                                 .classes = 3,
                                 .maps = 1,
                                 .height = height,
                                 .width = width,
                                 .picture_width = width,
                                 .picture_height = height};
    const kldve_options o = {.struct_size = sizeof o, .method = "grad-cam", .sign = sign};
    kldve_heatmap *map = NULL;

    assert_true(height * width <= MOST);
    for (int i = 0; i < height * width; i++)
        ones[i] = 1;
    assert_int_equal(kldve_explain_arrays(ctx, &arrays, &o, &map), KLDVE_OK);
    return map;
}

#endif
