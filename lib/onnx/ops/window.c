/* window.c - attributes of convolutions and pools: how windows lie on their input. */
#include "nn.h"

#include <assert.h>
#include <string.h>

kldve_status kx_need_floats(kx_graph *g, kx_node *n, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (kx_has(n, i) && n->in[i]->dtype != KX_F32)
            return kx_refuse(g, n, "input %d holds integers, only floating point is supported", i);
    return KLDVE_OK;
}

kldve_status kx_need_vector(kx_graph *g, kx_node *n, int32_t i, const char *what, int64_t length)
{
    const kx_shape *s = &n->in[i]->shape;

    assert(kx_has(n, i));
    if (s->rank != 1 || s->dim[0] != length)
        return kx_invalid(g, n, "input %d (%s) must have the shape [%lld]", i, what,
                          (long long)length);
    return KLDVE_OK;
}

kldve_status kx_spatial_attr(kx_graph *g, kx_node *n, const char *name, int32_t spatial, int64_t lo,
                             int64_t def, int64_t *to)
{
    size_t count;
    const int64_t *value = kx_attr_ints(n, name, &count);

    assert(spatial >= 1 && spatial <= KX_SPATIAL);
    if (count != 0 && count != (size_t)spatial)
        return kx_invalid(g, n, "attribute '%s' has %zu values for %d spatial axes", name, count,
                          spatial);
    for (int32_t i = 0; i < spatial; i++) {
        int64_t v = count ? value[i] : def;

        if (v < lo || v > INT32_MAX)
            return kx_invalid(g, n, "attribute '%s' has the value %lld, it must be %lld to %d",
                              name, (long long)v, (long long)lo, INT32_MAX);
        to[KX_SPATIAL - spatial + i] = v;
    }
    return KLDVE_OK;
}

int32_t kx_spatial_rank(kx_graph *g, kx_node *n, const kx_shape *x, kldve_status *st)
{
    if (x->rank >= 3 && x->rank <= 2 + KX_SPATIAL)
        return x->rank - 2;
    *st = kx_refuse(g, n, "input 0 has rank %d, supported are 3, 4 and 5 (1 to 3 spatial axes)",
                    x->rank);
    return 0;
}

kldve_status kx_auto_pad_attr(kx_graph *g, kx_node *n, kx_auto_pad *out)
{
    static const char *const names[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
    const char *name = kx_attr_string(n, "auto_pad", "NOTSET");

    for (int i = 0; i < 4; i++)
        if (strcmp(*name ? name : "NOTSET", names[i]) == 0) { /* old exporters write "" */
            *out = (kx_auto_pad)i;
            return KLDVE_OK;
        }
    return kx_invalid(g, n,
                      "attribute 'auto_pad' is '%.40s', it must be NOTSET, SAME_UPPER, "
                      "SAME_LOWER or VALID",
                      name);
}

void kx_window_init(kx_window *w, int32_t spatial)
{
    assert(spatial >= 1 && spatial <= KX_SPATIAL);
    memset(w, 0, sizeof *w);
    w->spatial = spatial;
    for (int i = 0; i < KX_SPATIAL; i++)
        w->in[i] = w->out[i] = w->kernel[i] = w->stride[i] = w->dilation[i] = 1;
}

kldve_status kx_window_attrs(kx_graph *g, kx_node *n, bool dilated, kx_window *w)
{
    size_t count;
    const int64_t *pads = kx_attr_ints(n, "pads", &count);
    int32_t first = KX_SPATIAL - w->spatial;
    kldve_status st;

    if ((st = kx_spatial_attr(g, n, "strides", w->spatial, 1, 1, w->stride)) < 0 ||
        (dilated && (st = kx_spatial_attr(g, n, "dilations", w->spatial, 1, 1, w->dilation)) < 0))
        return st;
    if (count != 0 && count != 2 * (size_t)w->spatial)
        return kx_invalid(g, n, "attribute 'pads' has %zu values for %d spatial axes", count,
                          w->spatial);
    for (size_t i = 0; i < count; i++) {
        if (pads[i] < 0 || pads[i] > INT32_MAX)
            return kx_invalid(g, n, "attribute 'pads' has the value %lld, it must be 0 to %d",
                              (long long)pads[i], INT32_MAX);
        if (i < (size_t)w->spatial)
            w->pad_begin[first + (int32_t)i] = pads[i];
        else
            w->pad_end[first + (int32_t)i - w->spatial] = pads[i];
    }
    return KLDVE_OK;
}

kldve_status kx_conv_attrs(kx_graph *g, kx_node *n, kx_conv_params *p)
{
    const kx_shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
    kldve_status st = KLDVE_OK;
    int32_t spatial = kx_spatial_rank(g, n, x, &st);
    size_t count;
    const int64_t *named = kx_attr_ints(n, "kernel_shape", &count);

    if (spatial == 0)
        return st;
    if (w->rank != x->rank)
        return kx_invalid(g, n,
                          "the weights have rank %d and the input has rank %d, they must be equal",
                          w->rank, x->rank);
    p->group = kx_attr_int(n, "group", 1);
    if (p->group < 1 || w->dim[0] < 1 || w->dim[1] < 1 || w->dim[0] % p->group != 0)
        return kx_invalid(g, n, "weights [%lld][%lld]... do not fit group %lld",
                          (long long)w->dim[0], (long long)w->dim[1], (long long)p->group);
    p->batch = x->dim[0];
    p->cout = w->dim[0] / p->group;
    p->cin = w->dim[1];
    kx_window_init(&p->window, spatial);
    for (int32_t i = 0; i < spatial; i++) {
        if (w->dim[2 + i] < 1 || w->dim[2 + i] > INT32_MAX)
            return kx_invalid(
                g, n,
                "the kernel has %lld elements along a spatial axis, it must have 1 to 2^31 - 1",
                (long long)w->dim[2 + i]);
        if (count && (count != (size_t)spatial || named[i] != w->dim[2 + i]))
            return kx_invalid(g, n,
                              "attribute 'kernel_shape' contradicts the shape of the weights");
        p->window.kernel[KX_SPATIAL - spatial + i] = w->dim[2 + i];
    }
    return kx_window_attrs(g, n, true, &p->window);
}

/* One axis whose padding follows from the number of results, ceil(in / stride).  Where the stride
 * is larger than the kernel the total can come out negative; it is then 0, as in TensorFlow, where
 * this mode is from.  (ONNX Runtime 1.30 cuts the input instead.) */
static void fit_same(kx_window *w, int axis, bool upper)
{
    int64_t out = (w->in[axis] + w->stride[axis] - 1) / w->stride[axis];
    int64_t total = (out - 1) * w->stride[axis] + kx_window_extent(w, axis) - w->in[axis];

    assert(out >= 1);
    if (total < 0)
        total = 0;
    w->out[axis] = out;
    w->pad_begin[axis] = upper ? total / 2 : total - total / 2;
    w->pad_end[axis] = total - w->pad_begin[axis];
}

static kldve_status fit_axis(kx_graph *g, kx_node *n, bool ceil_mode, kx_window *w, int axis)
{
    int64_t padded = w->in[axis] + w->pad_begin[axis] + w->pad_end[axis];
    int64_t extent = kx_window_extent(w, axis), s = w->stride[axis], room = padded - extent;

    if (room < 0)
        return kx_invalid(g, n, "the kernel covers %lld elements, the padded input has only %lld",
                          (long long)extent, (long long)padded);
    w->out[axis] = room / s + 1;
    if (ceil_mode && room % s != 0 && w->out[axis] * s < w->in[axis] + w->pad_begin[axis])
        w->out[axis]++;
    assert(w->out[axis] >= 1);
    return KLDVE_OK;
}

kldve_status kx_window_fit(kx_graph *g, kx_node *n, bool ceil_mode, kx_window *w)
{
    kx_auto_pad mode = KX_PAD_NOTSET;
    kldve_status st = kx_auto_pad_attr(g, n, &mode);

    if (st < 0)
        return st;
    if (mode != KX_PAD_NOTSET) {
        memset(w->pad_begin, 0, sizeof w->pad_begin);
        memset(w->pad_end, 0, sizeof w->pad_end);
    }
    for (int i = KX_SPATIAL - w->spatial; i < KX_SPATIAL; i++) {
        if (w->in[i] < 1)
            return kx_invalid(g, n, "the input has no elements along a spatial axis");
        if (mode == KX_PAD_SAME_UPPER || mode == KX_PAD_SAME_LOWER)
            fit_same(w, i, mode == KX_PAD_SAME_UPPER);
        else if ((st = fit_axis(g, n, ceil_mode && mode == KX_PAD_NOTSET, w, i)) < 0)
            return st;
    }
    return KLDVE_OK;
}

void kx_window_shape(const kx_window *w, const kx_shape *x, int64_t channels, kx_shape *y)
{
    y->rank = 2 + w->spatial;
    y->dim[0] = x->dim[0];
    y->dim[1] = channels;
    for (int32_t i = 0; i < w->spatial; i++)
        y->dim[2 + i] = w->out[KX_SPATIAL - w->spatial + i];
}
