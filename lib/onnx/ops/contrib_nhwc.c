/* contrib_nhwc.c - operators of ONNX Runtime on pictures [n][height][width][channels] (domain
 * com.microsoft): the same as ONNX's own between two transpositions. */
#include "basic.h"
#include "emit.h"
#include "families.h"

static const char ours[] = "com.microsoft";

static kldve_status expect_picture(kx_expander *e, int32_t lo, int32_t hi, int32_t max_out)
{
    kldve_status st = kx_expect(e->g, e->n, lo, hi, max_out);

    if (st == KLDVE_OK && e->n->in[0]->shape.rank != 4)
        return kx_refuse(e->g, e->n, "input 0 has rank %d, only 4 is supported",
                         e->n->in[0]->shape.rank);
    return st;
}

/* x [n][h][w][c], w [m][kh][kw][c] */
static kldve_status expand_conv(kx_expander *e)
{
    kx_value *in[3], *y;
    kldve_status st = expect_picture(e, 2, 3, 1);

    if (st < 0)
        return st;
    if (e->n->in[1]->shape.rank != 4)
        return kx_invalid(e->g, e->n, "the weights have rank %d, expected 4",
                          e->n->in[1]->shape.rank);
    in[0] = kx_emit_channels(e, e->n->in[0], false);
    in[1] = kx_emit_channels(e, e->n->in[1], false);
    in[2] = kx_input(e, 2);
    y = kx_emit_passing(e, "Conv", in, in[2] ? 3 : 2, NULL, 0);
    e->out[0] = kx_emit_channels(e, y, true);
    return e->status;
}

static kldve_status expand_max_pool(kx_expander *e)
{
    kx_value *x, *y;
    bool integers;
    kldve_status st = expect_picture(e, 1, 1, 1);

    if (st < 0)
        return st;
    integers = e->n->in[0]->dtype == KX_I64; /* an input of the network: small ones, so exact */
    x = kx_emit_channels(e, e->n->in[0], false);
    if (integers)
        x = kx_emit_cast(e, x, KX_ONNX_FLOAT);
    y = kx_emit_channels(e, kx_emit_passing(e, "MaxPool", &x, 1, NULL, 0), true);
    e->out[0] = integers ? kx_emit_cast(e, y, e->n->in[0]->onnx_type) : y;
    return e->status;
}

/* ---- GroupNorm, and with what is added in front: x, gamma, beta, skip, bias -> y, sum ---------
 */

static kx_value *normalised(kx_expander *e, kx_value *x)
{
    bool last = kx_attr_int(e->n, "channels_last", 1) != 0;
    bool swish = kx_attr_int(e->n, "activation", 0) != 0;
    const kx_attr attr[2] = {kx_attr_of_int("num_groups", kx_attr_int(e->n, "groups", 0)),
                             kx_attr_of_float("epsilon", kx_attr_float(e->n, "epsilon", 1e-5f))};
    kx_value *in[3] = {last ? kx_emit_channels(e, x, false) : x, e->n->in[1], e->n->in[2]}, *y;

    y = kx_emit(e, "GroupNormalization", in, 3, attr, 2);
    if (swish)
        y = kx_emit_swish(e, y, 1);
    return last ? kx_emit_channels(e, y, true) : y;
}

static kldve_status expand_group(kx_expander *e)
{
    kldve_status st = expect_picture(e, 3, 3, 1);

    if (st == KLDVE_OK)
        e->out[0] = normalised(e, e->n->in[0]);
    return st < 0 ? st : e->status;
}

static kldve_status expand_skip_group(kx_expander *e)
{
    const int64_t cells[4] = {0, 1, 1, -1};
    kx_value *sum, *skip;
    kldve_status st = expect_picture(e, 4, 5, 2);

    if (st < 0)
        return st;
    skip = e->n->in[3]; /* [n][h][w][c], [n][1][1][c] or [n][c] */
    if (skip->shape.rank == 2)
        skip = kx_emit_reshape(e, skip, cells, 4);
    sum = kx_emit2(e, "Add", e->n->in[0], skip);
    if (kx_input(e, 4))
        sum = kx_emit2(e, "Add", sum, kx_input(e, 4));
    e->out[0] = normalised(e, sum);
    e->out[1] = sum;
    return e->status;
}

#define MICROSOFT .domain = ours, .since = 1

const kx_op kx_contrib_nhwc_ops[] = {
    {.type = "NhwcConv", MICROSOFT, .expand = expand_conv},
    {.type = "NhwcMaxPool", MICROSOFT, .expand = expand_max_pool},
    {.type = "GroupNorm", MICROSOFT, .expand = expand_group},
    {.type = "SkipGroupNorm", MICROSOFT, .expand = expand_skip_group},
    {0},
};
