/* indicator.c - operators that stand for comparisons and selections: OneHot, EyeLike, Compress,
 * NonZero, ReverseSequence. */
#include <assert.h>
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

enum { MAX_LISTED = 1 << 22 /* positions of a NonZero: 32 MiB an axis */ };

/* ---- OneHot: y = values[1] where the index is the position along the new axis ---------------- */

static kldve_status expand_one_hot(kx_expander *e)
{
    kx_value *index, *off, *on, *below, *is_it;
    int64_t depth = 0, axis, list[KX_MAX_RANK + 1] = {1};
    int32_t rank, at;
    kldve_status st = kx_expect(e->g, e->n, 3, 3, 1);

    if (st < 0 || (st = kx_known_int(e, 1, "depth", &depth)) < 0)
        return st;
    rank = e->n->in[0]->shape.rank;
    axis = kx_attr_int(e->n, "axis", -1);
    if (!kx_axis(axis, rank + 1, &at))
        return kx_invalid(e->g, e->n, "axis %lld is out of range for rank %d", (long long)axis,
                          rank + 1);
    if (rank == KX_MAX_RANK || depth < 1 || depth > MAX_LISTED)
        return kx_refuse(e->g, e->n, "depth %lld of an array of rank %d is not supported",
                         (long long)depth, rank);
    if (e->n->in[2]->shape.rank != 1 || e->n->in[2]->count != 2)
        return kx_invalid(e->g, e->n, "input 2 (values) must be two numbers");
    index = kx_emit_cast(e, e->n->in[0], KX_ONNX_INT64);
    below = kx_emit2(e, "Less", index, kx_emit_int(e, 0));
    index = kx_emit(e, "Where",
                    (kx_value *[]){below, kx_emit2(e, "Add", index, kx_emit_int(e, depth)), index},
                    3, NULL, 0);
    index = kx_emit2(e, "Unsqueeze", index, kx_emit_ints(e, &(int64_t){at}, 1));
    for (int32_t i = 0; i <= rank - at; i++)
        list[i] = i == 0 ? depth : 1;
    is_it = kx_emit2(e, "Equal", index,
                     kx_emit_reshape(e, kx_emit_range(e, 0, depth), list, (size_t)(rank - at) + 1));
    off = kx_emit2(e, "Gather", e->n->in[2], kx_emit_int(e, 0));
    on = kx_emit2(e, "Gather", e->n->in[2], kx_emit_int(e, 1));
    e->out[0] = kx_emit(e, "Where", (kx_value *[]){is_it, on, off}, 3, NULL, 0);
    return e->status;
}

/* ---- EyeLike --------------------------------------------------------------------------------- */

static kldve_status expand_eye(kx_expander *e)
{
    const kx_value *x;
    int64_t k, column[2] = {-1, 1};
    kx_value *is_it;
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);

    if (st < 0)
        return st;
    x = e->n->in[0];
    if (x->shape.rank != 2)
        return kx_invalid(e->g, e->n, "the input has rank %d, expected 2", x->shape.rank);
    k = kx_attr_int(e->n, "k", 0);
    if (k < -INT32_MAX || k > INT32_MAX)
        return kx_invalid(e->g, e->n, "attribute 'k' is %lld", (long long)k);
    is_it =
        kx_emit2(e, "Equal", kx_emit_reshape(e, kx_emit_range(e, k, x->shape.dim[0]), column, 2),
                 kx_emit_range(e, 0, x->shape.dim[1]));
    e->out[0] = kx_emit_cast(e, is_it, (int32_t)kx_attr_int(e->n, "dtype", x->onnx_type));
    return e->status;
}

/* ---- Compress: the slices whose condition is true -------------------------------------------- */

static kldve_status expand_compress(kx_expander *e)
{
    kx_value *x, *list;
    const uint8_t *keep;
    int64_t *index, count = 0, whole = -1, axis = kx_attr_int(e->n, "axis", 0);
    bool flat = true;
    int32_t at = 0;
    kx_attr attr;
    kldve_status st = kx_expect(e->g, e->n, 2, 2, 1);

    if (st < 0)
        return st;
    for (int32_t i = 0; i < e->n->nattr; i++)
        flat = flat && strcmp(e->n->attr[i].name, "axis") != 0;
    x = e->n->in[0];
    if (!e->n->in[1]->raw)
        return kx_refuse(e->g, e->n, "input 1 (condition) must be constant");
    if (e->n->in[1]->dtype != KX_BOOL || e->n->in[1]->shape.rank != 1)
        return kx_invalid(e->g, e->n, "input 1 (condition) must be a list of bools");
    if (!flat && !kx_axis(axis, x->shape.rank, &at))
        return kx_invalid(e->g, e->n, "axis %lld is out of range for rank %d", (long long)axis,
                          x->shape.rank);
    if (flat)
        x = kx_emit_reshape(e, x, &whole, 1);
    index = kx_new(e->g, e->n->in[1]->count, sizeof *index);
    if (e->status < 0 || !index || !(keep = kx_value_data(e->g, e->n->in[1])))
        return e->status < 0 ? e->status : kx_nomem(e->g);
    for (size_t i = 0; i < e->n->in[1]->count; i++)
        if (keep[i])
            index[count++] = (int64_t)i;
    attr = kx_attr_of_int("axis", at);
    list = kx_emit_ints(e, index, (size_t)count);
    e->out[0] = kx_emit(e, "Gather", (kx_value *[]){x, list}, 2, &attr, 1);
    return e->status;
}

/* ---- NonZero: y [rank][found], the positions in the order of memory ---------------------------
 */

static bool is_zero(const kx_value *v, const void *data, size_t i)
{
    return v->dtype == KX_F32   ? ((const float *)data)[i] == 0.0f
           : v->dtype == KX_I64 ? ((const int64_t *)data)[i] == 0
                                : ((const uint8_t *)data)[i] == 0;
}

static void list_nonzero(const kx_value *v, const void *data, int64_t found, int64_t *to)
{
    int64_t at = 0;

    for (size_t i = 0; i < v->count; i++) {
        size_t rest = i;

        if (is_zero(v, data, i))
            continue;
        for (int32_t k = v->shape.rank - 1; k >= 0; k--) {
            to[k * found + at] = (int64_t)(rest % (size_t)v->shape.dim[k]);
            rest /= (size_t)v->shape.dim[k];
        }
        at++;
    }
}

static kldve_status infer_nonzero(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    kx_shape out = {.rank = 2};
    const kx_value *v;
    const void *data;
    int64_t *list;

    if (st < 0)
        return st;
    v = n->in[0];
    if (!v->raw)
        return kx_refuse(g, n, "input 0 must be constant, since the result's shape depends on it");
    if (v->count > MAX_LISTED)
        return kx_refuse(g, n, "%zu elements, at most %d are supported", v->count, MAX_LISTED);
    if (!(data = kx_value_data(g, v)))
        return kx_nomem(g);
    for (size_t i = 0; i < v->count; i++)
        out.dim[1] += !is_zero(v, data, i);
    out.dim[0] = v->shape.rank;
    if (!(list = kx_new(g, (size_t)(out.dim[0] * out.dim[1]), sizeof *list)))
        return kx_nomem(g);
    list_nonzero(v, data, out.dim[1], list);
    if ((st = kx_out_constant(g, n, 0, KX_I64, &out, list)) == KLDVE_OK && n->out[0])
        n->out[0]->onnx_type = KX_ONNX_INT64;
    return st;
}

/* ---- ReverseSequence: of each sequence the first `length` steps, backwards --------------------
 */

static kx_value *reversed(kx_expander *e, kx_value *x, int32_t axis, int64_t steps, int64_t length)
{
    kx_attr attr = kx_attr_of_int("axis", axis);
    int64_t *index = kx_new(e->g, (size_t)steps, sizeof *index);

    if (!index) {
        e->status = kx_nomem(e->g);
        return NULL;
    }
    for (int64_t i = 0; i < steps; i++)
        index[i] = i < length ? length - 1 - i : i;
    return kx_emit(e, "Gather", (kx_value *[]){x, kx_emit_ints(e, index, (size_t)steps)}, 2, &attr,
                   1);
}

static kldve_status expand_reverse(kx_expander *e)
{
    kx_value *x, *piece[KX_MAX_IN];
    const int64_t *length;
    size_t lengths;
    int64_t steps, time, batch;
    kx_attr axis;
    kldve_status st = kx_expect(e->g, e->n, 2, 2, 1);

    if (st < 0 || (st = kx_const_ints(e->g, e->n, 1, "sequence_lens", &length, &lengths)) < 0)
        return st;
    x = e->n->in[0];
    time = kx_attr_int(e->n, "time_axis", 0);
    batch = kx_attr_int(e->n, "batch_axis", 1);
    if (x->shape.rank < 2 || time < 0 || time > 1 || batch != 1 - time)
        return kx_invalid(e->g, e->n, "time and batch must be axes 0 and 1 or 1 and 0");
    steps = x->shape.dim[time];
    if ((int64_t)lengths != x->shape.dim[batch] || lengths < 1 || lengths > KX_MAX_IN)
        return kx_refuse(e->g, e->n,
                         "%zu lengths for %lld sequences, of which 1 to %d are supported", lengths,
                         (long long)x->shape.dim[batch], KX_MAX_IN);
    axis = kx_attr_of_int("axis", batch);
    for (size_t i = 0; i < lengths; i++) {
        if (length[i] < 0 || length[i] > steps)
            return kx_invalid(e->g, e->n, "a length is %lld of %lld steps", (long long)length[i],
                              (long long)steps);
        piece[i] = reversed(e, kx_emit_slice(e, x, (int32_t)batch, (int64_t)i, (int64_t)i + 1),
                            (int32_t)time, steps, length[i]);
    }
    e->out[0] = kx_emit(e, "Concat", piece, (int32_t)lengths, &axis, 1);
    return e->status;
}

/* ---- ArrayFeatureExtractor: columns of the last axis, by which scikit-learn's files give a label
 * ---- */

static kldve_status expand_columns(kx_expander *e)
{
    kx_attr axis = kx_attr_of_int("axis", -1);
    kldve_status st = kx_expect(e->g, e->n, 2, 2, 1);
    kx_value *x, *index;
    int64_t flat = -1, row[2] = {1, -1};

    if (st < 0)
        return st;
    x = e->n->in[0];
    if (x->shape.rank == 1)
        x = kx_emit_reshape(e, x, row, 2);
    index = kx_emit_reshape(e, e->n->in[1], &flat, 1);
    e->out[0] = kx_emit(e, "Gather", (kx_value *[]){x, index}, 2, &axis, 1);
    return e->status;
}

const kx_op kx_indicator_ops[] = {
    {.type = "OneHot", .since = 9, .expand = expand_one_hot},
    {.type = "EyeLike", .since = 9, .expand = expand_eye},
    {.type = "Compress", .since = 9, .expand = expand_compress, .traits = {.counts = true}},
    {.type = "NonZero",
     .since = 9,
     .infer = infer_nonzero,
     .traits = {.bias = KX_BIAS_NONE, .counts = true}},
    {.type = "ArrayFeatureExtractor", .domain = "ai.onnx.ml", .since = 1, .expand = expand_columns},
    {.type = "ReverseSequence", .since = 10, .expand = expand_reverse},
    {0},
};
