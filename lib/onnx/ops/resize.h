/* resize.h - between the files of Resize and Upsample: attributes and sizes become a table for each
 * axis, and the tables are walked. */
#ifndef KLDVE_ONNX_OPS_RESIZE_H
#define KLDVE_ONNX_OPS_RESIZE_H

#include "nn.h"

typedef enum kx_resize_mode { NEAREST, LINEAR, CUBIC } kx_resize_mode;

typedef enum kx_resize_transform {
    HALF_PIXEL,
    PYTORCH_HALF_PIXEL,
    ALIGN_CORNERS,
    ASYMMETRIC,
    TF_HALF_PIXEL_FOR_NN,
    TF_CROP_AND_RESIZE,
    HALF_PIXEL_SYMMETRIC
} kx_resize_transform;

/* OPSET_10: nothing was specified; up takes the element before, down the one after, as ONNX
 * Runtime does for such models. */
typedef enum kx_resize_rounding {
    PREFER_FLOOR,
    PREFER_CEIL,
    FLOOR,
    CEIL,
    OPSET_10
} kx_resize_rounding;

typedef struct kx_resize_options {
    kx_resize_mode mode;
    kx_resize_transform transform;
    kx_resize_rounding rounding;
    double cubic_a;
    bool exclude_outside;
    bool antialias; /* where an axis shrinks, the filter grows with it */
} kx_resize_options;

/* One axis: out = scale * in with scale = up / down.  From sizes both are whole numbers and the
 * coordinates of linear and cubic are exact; a scale from the file is a float32.  What is nearest
 * is decided in float32. */
typedef struct kx_resize_spec {
    int64_t in, out;
    double up, down;
    double start, end; /* roi, as a share of the axis */
} kx_resize_spec;

/** The table of one axis, from the graph's arena. */
kldve_status kx_resize_tabulate(kx_graph *g, kx_node *n, const kx_resize_spec *a,
                                const kx_resize_options *opt, kx_resize_axis *r);

/** y [count] = x along the tables. */
void kx_resize_forward(const kx_resize_params *p, float *x, float *y, size_t count, kx_pace *pace);
/** x += y against them. */
void kx_resize_vjp(const kx_resize_params *p, float *x, float *y, kx_pace *pace);

#endif
