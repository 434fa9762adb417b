/* resize.c - Resize and Upsample: what the file asks for, and the walk over the tables that
 * resize_table.c makes of it; the derivative walks them the other way. */
#include "basic.h"
#include "families.h"
#include "quantise.h"
#include "resize.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- attributes and inputs ------------------------------------------------------------------- */

static kldve_status choice(kx_graph *g, kx_node *n, const char *attr, const char *const *name,
                           int count, int def, int *out)
{
    const char *value = kx_attr_string(n, attr, name[def]);

    for (int i = 0; i < count; i++)
        if (name[i] && strcmp(value, name[i]) == 0) {
            *out = i;
            return KLDVE_OK;
        }
    return kx_refuse(g, n, "attribute '%s' is '%.40s', which is not supported in opset %d", attr,
                     value, g->opset);
}

static kldve_status read_options(kx_graph *g, kx_node *n, kx_resize_options *opt)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", "bilinear"};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                            "ceil"};
    const char *transforms[] = {"half_pixel",
                                "pytorch_half_pixel",
                                "align_corners",
                                "asymmetric",
                                NULL,
                                "tf_crop_and_resize",
                                NULL};
    int mode = 0, transform = ASYMMETRIC, rounding = FLOOR;
    kldve_status st = choice(g, n, "mode", modes, g->opset >= 11 ? 3 : 4, NEAREST, &mode);

    if (st < 0)
        return st;
    mode = mode == 3 ? LINEAR : mode; /* the name in Upsample of opset 1 */
    if (g->opset < 11 && mode == CUBIC)
        return kx_refuse(g, n, "attribute 'mode' is 'cubic', which is not supported in opset %d",
                         g->opset);
    if (g->opset == 10)
        rounding = OPSET_10;
    if (g->opset >= 11) {
        transforms[TF_HALF_PIXEL_FOR_NN] = g->opset < 13 ? "tf_half_pixel_for_nn" : NULL;
        transforms[HALF_PIXEL_SYMMETRIC] = g->opset < 19 ? NULL : "half_pixel_symmetric";
        if ((st = choice(g, n, "coordinate_transformation_mode", transforms, 7, HALF_PIXEL,
                         &transform)) < 0 ||
            (st = choice(g, n, "nearest_mode", roundings, 4, PREFER_FLOOR, &rounding)) < 0)
            return st;
        opt->cubic_a = (double)kx_attr_float(n, "cubic_coeff_a", -0.75f);
        opt->exclude_outside = kx_attr_int(n, "exclude_outside", 0) != 0;
        opt->antialias = g->opset >= 18 && kx_attr_int(n, "antialias", 0) != 0;
    }
    opt->mode = (kx_resize_mode)mode;
    opt->transform = (kx_resize_transform)transform;
    opt->rounding = (kx_resize_rounding)rounding;
    return KLDVE_OK;
}

/* A constant list of floats; NULL and 0 where it is omitted. */
static kldve_status const_floats(kx_graph *g, kx_node *n, int32_t i, const char *what,
                                 const float **floats, size_t *count)
{
    const kx_value *v = kx_has(n, i) ? n->in[i] : NULL;

    *floats = NULL;
    *count = 0;
    if (!v || v->count == 0) /* the specification's way to omit it */
        return KLDVE_OK;
    if (v->dtype != KX_F32 || v->shape.rank > 1)
        return kx_invalid(g, n, "input %d (%s) must be a list of numbers", i, what);
    if (!v->raw)
        return kx_refuse(g, n, "input %d (%s) must be constant", i, what);
    *floats = kx_value_data(g, v);
    if (!*floats)
        return kx_nomem(g);
    *count = v->count;
    return KLDVE_OK;
}

/* Which axis the values of scales, sizes and roi belong to. */
typedef struct axis_list {
    int32_t axis[KX_MAX_RANK];
    size_t count;
} axis_list;

static kldve_status read_axes(kx_graph *g, kx_node *n, axis_list *list)
{
    int32_t rank = n->in[0]->shape.rank;
    bool marked[KX_MAX_RANK];
    size_t count = 0;
    const int64_t *axes = g->opset >= 18 ? kx_attr_ints(n, "axes", &count) : NULL;
    kldve_status st = kx_mark_axes(g, n, axes, count, rank, marked);

    if (st < 0)
        return st;
    list->count = count ? count : (size_t)rank;
    for (size_t i = 0; i < list->count; i++)
        if (!kx_axis(count ? axes[i] : (int64_t)i, rank, &list->axis[i]))
            return kx_invalid(g, n, "attribute 'axes': an axis is out of range");
    return KLDVE_OK;
}

/* align_corners divides by the resized length - 1: where a scale does not give a whole number, the
 * specification's test data take the product itself, PyTorch and ONNX Runtime the rounded one. */
static bool ambiguous(const kx_resize_options *opt, float length)
{
    return opt->transform == ALIGN_CORNERS && fabsf(length - roundf(length)) > 1e-4f * length;
}

static kldve_status apply_scales(kx_graph *g, kx_node *n, const kx_resize_options *opt,
                                 const axis_list *list, const float *scale, size_t count,
                                 kx_resize_spec *spec)
{
    if (count != list->count)
        return kx_invalid(g, n, "'scales' has %zu values for %zu axes", count, list->count);
    for (size_t i = 0; i < count; i++) {
        kx_resize_spec *a = &spec[list->axis[i]];
        float length = scale[i] * (float)a->in;

        if (!(scale[i] > 0) || !(length < 0x1p40f))
            return kx_invalid(g, n,
                              "a scale is %g, it must be above 0 and give at most 2^40 elements",
                              (double)scale[i]);
        if (ambiguous(opt, length))
            return kx_refuse(g, n,
                             "'align_corners' with a scale of %g for %lld elements does not give a "
                             "whole number, and runtimes disagree on it: export sizes instead",
                             (double)scale[i], (long long)a->in);
        a->out = (int64_t)length;
        a->up = (double)scale[i];
        a->down = 1;
    }
    return KLDVE_OK;
}

/* keep_aspect_ratio_policy: one scale for all axes, the smallest or largest of theirs. */
static kldve_status keep_aspect(kx_graph *g, kx_node *n, const axis_list *list,
                                kx_resize_spec *spec)
{
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller"};
    const kx_resize_spec *a, *best = NULL;
    double up, down;
    int policy = 0;
    kldve_status st = choice(g, n, "keep_aspect_ratio_policy", policies, 3, 0, &policy);

    if (st < 0 || policy == 0)
        return st;
    for (size_t i = 0; i < list->count; i++) {
        a = &spec[list->axis[i]];
        if (!best || (policy == 1 ? a->up / a->down < best->up / best->down
                                  : a->up / a->down > best->up / best->down))
            best = a;
    }
    up = best ? best->up : 1;
    down = best ? best->down : 1;
    for (size_t i = 0; i < list->count; i++) {
        double length;

        spec[list->axis[i]].up = up;
        spec[list->axis[i]].down = down;
        length = floor((double)spec[list->axis[i]].in * up / down + 0.5);
        if (!(length < 0x1p40))
            return kx_invalid(g, n, "the sizes ask for an axis of %g elements", length);
        spec[list->axis[i]].out = (int64_t)length;
    }
    return KLDVE_OK;
}

static kldve_status apply_sizes(kx_graph *g, kx_node *n, const axis_list *list,
                                const int64_t *sizes, size_t count, kx_resize_spec *spec)
{
    if (count != list->count)
        return kx_invalid(g, n, "'sizes' has %zu values for %zu axes", count, list->count);
    for (size_t i = 0; i < count; i++) {
        kx_resize_spec *a = &spec[list->axis[i]];

        if (sizes[i] < 1 || a->in < 1 || sizes[i] > INT64_C(1) << 40)
            return kx_invalid(
                g, n, "a size is %lld for an axis of %lld elements, both must be at least 1",
                (long long)sizes[i], (long long)a->in);
        a->out = sizes[i];
        a->up = (double)sizes[i];
        a->down = (double)a->in;
    }
    return g->opset >= 18 ? keep_aspect(g, n, list, spec) : KLDVE_OK;
}

/* Starts of all axes, then their ends. */
static kldve_status apply_roi(kx_graph *g, kx_node *n, const axis_list *list, kx_resize_spec *spec)
{
    const float *roi;
    size_t count;
    kldve_status st = const_floats(g, n, 1, "roi", &roi, &count);

    if (st < 0)
        return st;
    if (count != 2 * list->count)
        return kx_invalid(g, n, "'roi' has %zu values for %zu axes", count, list->count);
    for (size_t i = 0; i < list->count; i++) {
        spec[list->axis[i]].start = (double)roi[i];
        spec[list->axis[i]].end = (double)roi[list->count + i];
    }
    return KLDVE_OK;
}

/* Scales or sizes, from wherever this opset keeps them. */
static kldve_status read_sizes(kx_graph *g, kx_node *n, const kx_resize_options *opt,
                               kx_resize_spec *spec)
{
    const float *scales;
    const int64_t *sizes = NULL;
    size_t nscales, nsizes = 0;
    axis_list list;
    kldve_status st = read_axes(g, n, &list);

    if (st < 0)
        return st;
    if (g->opset < 9)
        scales = kx_attr_floats(n, "scales", &nscales);
    else if ((st = const_floats(g, n, g->opset < 11 ? 1 : 2, "scales", &scales, &nscales)) < 0)
        return st;
    if (g->opset >= 11 && kx_has(n, 3) &&
        (st = kx_const_ints(g, n, 3, "sizes", &sizes, &nsizes)) < 0)
        return st;
    if ((nscales != 0) == (nsizes != 0))
        return kx_invalid(g, n, "either scales or sizes must be given");
    if (opt->transform == TF_CROP_AND_RESIZE) {
        if (nscales)
            return kx_refuse(g, n, "'tf_crop_and_resize' is supported only with sizes");
        if ((st = apply_roi(g, n, &list, spec)) < 0)
            return st;
    }
    if (nsizes)
        return apply_sizes(g, n, &list, sizes, nsizes, spec);
    if (g->opset >= 18 &&
        strcmp(kx_attr_string(n, "keep_aspect_ratio_policy", "stretch"), "stretch") != 0)
        return kx_invalid(g, n, "attribute 'keep_aspect_ratio_policy' goes with sizes, not scales");
    return apply_scales(g, n, opt, &list, scales, nscales, spec);
}

/* Integers, as such or as levels of a quantised array: runtimes agree on nearest and linear only.
 */
static kldve_status check_type(kx_graph *g, kx_node *n, const kx_resize_options *opt)
{
    const kx_value *x = n->in[0];
    bool whole = x->dtype == KX_I64 || kx_is_quantised(x);

    if (x->dtype == KX_BOOL || x->onnx_type == KX_ONNX_UINT64)
        return kx_refuse(g, n, "the element type of input 0 is not supported");
    if (whole && opt->mode != NEAREST && (opt->mode == CUBIC || opt->antialias))
        return kx_refuse(g, n,
                         "integers are resized by 'nearest' and 'linear' only, without "
                         "'antialias'");
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kx_resize_params *p = kx_new(g, 1, sizeof *p);
    const kx_shape *x;
    kx_shape y;
    kx_resize_options opt = {0};
    kx_resize_spec spec[KX_MAX_RANK];
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = g->opset < 9    ? kx_expect(g, n, 1, 1, 1)
              : g->opset < 11 ? kx_expect(g, n, 2, 2, 1)
                              : kx_expect(g, n, 1, 4, 1)) < 0 ||
        (st = read_options(g, n, &opt)) < 0 || (st = check_type(g, n, &opt)) < 0)
        return st;
    p->whole = opt.mode == LINEAR && (n->in[0]->dtype == KX_I64 || kx_is_quantised(n->in[0]));
    x = &n->in[0]->shape;
    y = *x;
    for (int32_t i = 0; i < x->rank; i++)
        spec[i] = (kx_resize_spec){x->dim[i], x->dim[i], 1, 1, 0, 1};
    if ((st = read_sizes(g, n, &opt, spec)) < 0)
        return st;
    for (int32_t i = 0; i < x->rank; i++)
        y.dim[i] = spec[i].out;
    if ((st = kx_out_like(g, n, 0, n->in[0], &y)) < 0)
        return st;
    p->extrapolation = g->opset >= 11 ? kx_attr_float(n, "extrapolation_value", 0) : 0;
    p->rank = x->rank;
    for (int32_t i = 0; i < x->rank; i++)
        if ((st = kx_resize_tabulate(g, n, &spec[i], &opt, &p->axis[i])) < 0)
            return st;
    n->params = p;
    return KLDVE_OK;
}

/* ---- forward and back -------------------------------------------------------------------------
 */

/* By way of floats in the scratch memory, which hold integers up to 2^24. */
static void forward_ints(const kx_op_call *call)
{
    float *x = call->scratch, *y = x + call->in[0].count;

    for (size_t i = 0; i < call->in[0].count; i++)
        x[i] = (float)((const int64_t *)call->in[0].data)[i];
    kx_resize_forward(call->node->params, x, y, call->out[0].count, call->pace);
    for (size_t i = 0; i < call->out[0].count; i++)
        ((int64_t *)call->out[0].data)[i] = kx_float_to_int((double)y[i]);
}

static void forward(const kx_op_call *call)
{
    if (call->out[0].count == 0)
        return;
    if (call->in[0].dtype == KX_I64)
        forward_ints(call);
    else
        kx_resize_forward(call->node->params, call->in[0].data, call->out[0].data,
                          call->out[0].count, call->pace);
}

static size_t scratch_size(const kx_node *n)
{
    return n->in[0]->dtype == KX_I64 && n->out[0]
               ? (n->in[0]->count + n->out[0]->count) * sizeof(float)
               : 0;
}

static void vjp(const kx_op_call *call)
{
    if (call->which == 0 && call->dout[0].data && call->dout[0].count > 0)
        kx_resize_vjp(call->node->params, call->din->data, call->dout[0].data, call->pace);
}

static double work(const kx_node *n)
{
    const kx_resize_params *p = n->params;
    double taps = 1;

    for (int32_t i = 0; i < p->rank; i++)
        taps *= p->axis[i].index ? p->axis[i].taps : 1;
    return n->out[0] ? (double)n->out[0]->count * taps : 0;
}

const kx_op kx_resize_ops[] = {
    {.type = "Upsample",
     .since = 7,
     .until = 9,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .work = work,
     .scratch_size = scratch_size,
     .traits = {.effect = KX_EFFECT_ADDS, .bias = KX_BIAS_NONE, .settings = ~UINT64_C(1)}},
    {.type = "Resize",
     .since = 10,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .work = work,
     .scratch_size = scratch_size,
     .traits = {.effect = KX_EFFECT_ADDS, .bias = KX_BIAS_NONE, .settings = ~UINT64_C(1)}},
    {0},
};
