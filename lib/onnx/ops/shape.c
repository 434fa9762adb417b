/* shape.c - operators that leave every element where it is: Identity, Dropout, Reshape, Flatten,
 * Squeeze, Unsqueeze.  y = x in memory, dx = dy. */
#include <assert.h>
#include <string.h>

#include "basic.h"
#include "families.h"

static kldve_status infer_identity(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);

    return st < 0 ? st : kx_out_like(g, n, 0, n->in[0], &n->in[0]->shape);
}

/* ---- Dropout: the identity unless training -------------------------------------------------- */

/* Training with a ratio of 0 drops nothing. */
static bool drops_nothing(kx_graph *g, const kx_node *n)
{
    const kx_value *ratio = kx_has(n, 1) ? n->in[1] : NULL;
    const float *number = ratio && ratio->dtype == KX_F32 && ratio->count == 1 && ratio->raw
                              ? kx_value_data(g, ratio)
                              : NULL;

    return number && *number == 0.0f;
}

/* Up to opset 6 is_test says so, from opset 12 on an input, in between nothing trains. */
static kldve_status refuse_training(kx_graph *g, kx_node *n)
{
    const uint8_t *training;

    if (g->opset < 7 && kx_attr_int(n, "is_test", 0) == 0)
        return kx_refuse(g, n, "attribute 'is_test' is 0, export the network for inference");
    if (!kx_has(n, 2) || drops_nothing(g, n))
        return KLDVE_OK;
    if (n->in[2]->dtype != KX_BOOL || n->in[2]->count != 1)
        return kx_invalid(g, n, "input 2 (training_mode) must be one bool");
    if (!n->in[2]->raw)
        return kx_refuse(g, n, "input 2 (training_mode) must be constant");
    if (!(training = kx_value_data(g, n->in[2])))
        return kx_nomem(g);
    return *training
               ? kx_refuse(g, n,
                           "input 2 (training_mode) is true with a ratio other than 0, export "
                           "the network for inference")
               : KLDVE_OK;
}

static kldve_status infer_dropout(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, g->opset < 12 ? 1 : 3, 2);
    bool mask_is_bool = g->opset >= 10;

    if (st < 0 || (st = refuse_training(g, n)) < 0)
        return st;
    if (!kx_is_float(n->in[0]))
        return kx_refuse(g, n, "the input must be of a float type");
    kx_attr_ignore(n, g->opset < 12 ? "ratio" : "seed");
    if ((st = kx_out_like(g, n, 0, n->in[0], &n->in[0]->shape)) < 0 || n->nout < 2)
        return st;
    return kx_out_as(g, n, 1, mask_is_bool ? KX_BOOL : KX_F32, &n->in[0]->shape,
                     mask_is_bool ? KX_ONNX_BOOL : n->in[0]->onnx_type);
}

static void forward_dropout(const kx_op_call *call)
{
    kx_copy_forward(call);
    if (call->node->nout < 2 || !call->out[1].data) /* the mask: everything is kept */
        return;
    for (size_t i = 0; i < call->out[1].count; i++)
        if (call->out[1].dtype == KX_BOOL)
            ((uint8_t *)call->out[1].data)[i] = 1;
        else
            ((float *)call->out[1].data)[i] = 1.0f;
}

/* ---- Reshape and Flatten --------------------------------------------------------------------- */

/* The one -1 becomes what is left of `count`. */
static kldve_status resolve(kx_graph *g, kx_node *n, size_t count, int32_t unknown, kx_shape *s)
{
    size_t rest = 1, total;
    kx_shape known = *s;

    if (unknown >= 0) {
        known.dim[unknown] = 1;
        if (!kx_shape_count(&known, 1, &rest) || rest == 0 || count % rest != 0)
            return kx_invalid(g, n, "%zu elements do not fill the other dimensions evenly", count);
        s->dim[unknown] = (int64_t)(count / rest);
    }
    if (!kx_shape_count(s, 1, &total) || total != count)
        return kx_invalid(g, n, "%zu elements do not fit the new shape", count);
    return KLDVE_OK;
}

static kldve_status infer_reshape(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 2, 1);
    bool allow_zero = g->opset >= 14 && kx_attr_int(n, "allowzero", 0) != 0;
    int32_t unknown = -1;
    const int64_t *dim;
    size_t count;
    kx_shape out;

    if (st < 0 || (st = kx_ints(g, n, "shape", 1, 5, &dim, &count)) < 0)
        return st;
    if (g->opset >= 5 && !kx_has(n, 1))
        return kx_invalid(g, n, "input 1 (shape) is missing");
    if (count > KX_MAX_RANK)
        return kx_refuse(g, n, "rank %zu, at most %d is supported", count, KX_MAX_RANK);
    out.rank = (int32_t)count;
    for (int32_t i = 0; i < out.rank; i++) {
        out.dim[i] = dim[i];
        if (dim[i] == 0 && !allow_zero) {
            if (i >= n->in[0]->shape.rank)
                return kx_invalid(g, n,
                                  "dimension %d is 0, which copies it, but the input has rank %d",
                                  i, n->in[0]->shape.rank);
            out.dim[i] = n->in[0]->shape.dim[i];
        }
        if (dim[i] < -1 || (dim[i] == -1 && unknown >= 0))
            return kx_invalid(
                g, n, "dimension %d of the new shape is %lld, it must be 0 or more, or -1 once", i,
                (long long)dim[i]);
        if (dim[i] == -1)
            unknown = i;
    }
    if ((st = resolve(g, n, n->in[0]->count, unknown, &out)) < 0)
        return st;
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static kldve_status infer_flatten(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    kx_shape out = {.rank = 2};
    const kx_shape *in;
    int64_t axis;

    if (st < 0)
        return st;
    in = &n->in[0]->shape;
    axis = kx_attr_int(n, "axis", 1);
    if (axis < -in->rank || axis > in->rank || (axis < 0 && g->opset < 11))
        return kx_invalid(g, n, "axis %lld is out of range for rank %d", (long long)axis, in->rank);
    if (axis < 0)
        axis += in->rank;
    out.dim[0] = kx_span(in, 0, (int32_t)axis);
    out.dim[1] = kx_span(in, (int32_t)axis, in->rank);
    return kx_out_like(g, n, 0, n->in[0], &out);
}

/* ---- Squeeze and Unsqueeze ------------------------------------------------------------------- */

static kldve_status infer_squeeze(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, g->opset < 13 ? 1 : 2, 1);
    kx_shape out = {.rank = 0};
    bool drop[KX_MAX_RANK];
    const kx_shape *in;
    const int64_t *axes;
    size_t count;

    if (st < 0 || (st = kx_ints(g, n, "axes", 1, 13, &axes, &count)) < 0)
        return st;
    in = &n->in[0]->shape;
    if ((st = kx_mark_axes(g, n, axes, count, in->rank, drop)) < 0)
        return st;
    for (int32_t i = 0; i < in->rank; i++) {
        if (!axes)
            drop[i] = in->dim[i] == 1;
        if (drop[i] && in->dim[i] != 1)
            return kx_invalid(g, n, "axis %d has length %lld, not 1", i, (long long)in->dim[i]);
        if (!drop[i])
            out.dim[out.rank++] = in->dim[i];
    }
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static kldve_status infer_unsqueeze(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, g->opset < 13 ? 1 : 2, g->opset < 13 ? 1 : 2, 1);
    bool added[KX_MAX_RANK];
    kx_shape out;
    const kx_shape *in;
    const int64_t *axes;
    size_t count;
    int32_t from = 0;

    if (st < 0 || (st = kx_ints(g, n, "axes", 1, 13, &axes, &count)) < 0)
        return st;
    in = &n->in[0]->shape;
    if (count > (size_t)(KX_MAX_RANK - in->rank))
        return kx_refuse(g, n, "rank %d and %zu new axes, at most %d are supported", in->rank,
                         count, KX_MAX_RANK);
    out.rank = in->rank + (int32_t)count;
    if ((st = kx_mark_axes(g, n, axes, count, out.rank, added)) < 0)
        return st;
    for (int32_t i = 0; i < out.rank; i++)
        out.dim[i] = added[i] ? 1 : in->dim[from++];
    return kx_out_like(g, n, 0, n->in[0], &out);
}

const kx_op kx_shape_ops[] = {
    {.type = "Identity",
     .since = 1,
     .infer = infer_identity,
     .forward = kx_copy_forward,
     .vjp = kx_copy_vjp,
     .traits = {.bias = KX_BIAS_NONE, .copies = true}},
    {.type = "Dropout",
     .since = 1,
     .infer = infer_dropout,
     .forward = forward_dropout,
     .vjp = kx_copy_vjp,
     .traits = {.bias = KX_BIAS_NONE, .copies = true}},
    {.type = "Reshape",
     .since = 1,
     .infer = infer_reshape,
     .forward = kx_copy_forward,
     .vjp = kx_copy_vjp,
     .traits = {.bias = KX_BIAS_NONE, .axes = KX_AXES_REGROUPED, .copies = true}},
    {.type = "Flatten",
     .since = 1,
     .infer = infer_flatten,
     .forward = kx_copy_forward,
     .vjp = kx_copy_vjp,
     .traits = {.bias = KX_BIAS_NONE, .copies = true}},
    {.type = "Squeeze",
     .since = 1,
     .infer = infer_squeeze,
     .forward = kx_copy_forward,
     .vjp = kx_copy_vjp,
     .traits = {.bias = KX_BIAS_NONE, .copies = true}},
    {.type = "Unsqueeze",
     .since = 1,
     .infer = infer_unsqueeze,
     .forward = kx_copy_forward,
     .vjp = kx_copy_vjp,
     .traits = {.bias = KX_BIAS_NONE, .copies = true}},
    {0},
};

bool kx_op_copies(const kx_node *n)
{
    return n->op->traits.copies || kx_cast_copies(n);
}
