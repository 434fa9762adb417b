/* ml.c - what scikit-learn's files are made of (domain ai.onnx.ml), as combinations of ONNX's own
 * operators: Scaler, Normalizer, Binarizer, Imputer, LinearRegressor, LinearClassifier, ZipMap. */
#include <math.h>
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"
#include "params.h"

static const char ml[] = "ai.onnx.ml";

/* Input 0 as floats: files may give integers. */
static kldve_status floats(kx_expander *e, int32_t max_out, kx_value **x)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, max_out);

    if (st < 0)
        return st;
    *x = e->n->in[0];
    if (!kx_is_float(*x))
        *x = kx_emit_cast(e, *x, KX_ONNX_FLOAT);
    return e->status;
}

/* An attribute of floats as a constant [rows][columns] or, with 0 rows, [columns]. */
static kx_value *constant(kx_expander *e, const float *from, int64_t rows, int64_t columns)
{
    size_t count = (size_t)(rows ? rows * columns : columns);
    float *copy = kx_new(e->g, count, sizeof *copy); /* attributes live shorter than the graph */

    if (copy && count)
        memcpy(copy, from, count * sizeof *copy);
    return kx_emit_floats(e, copy,
                          rows ? &(kx_shape){2, {rows, columns}} : &(kx_shape){1, {columns}});
}

/* An attribute with one number, or one for each column of x. */
static kldve_status per_column(kx_expander *e, const kx_value *x, const char *name, kx_value **out)
{
    size_t count;
    const float *list = kx_attr_floats(e->n, name, &count);
    int64_t columns = x->shape.rank > 0 ? x->shape.dim[x->shape.rank - 1] : 1;

    if (count != 1 && (int64_t)count != columns)
        return kx_invalid(e->g, e->n, "attribute '%s' has %zu values for %lld columns", name, count,
                          (long long)columns);
    *out = constant(e, list, 0, (int64_t)count);
    return e->status;
}

/* (x - offset) scale */
static kldve_status expand_scaler(kx_expander *e)
{
    kx_value *x, *offset, *scale;
    kldve_status st = floats(e, 1, &x);

    if (st < 0 || (st = per_column(e, x, "offset", &offset)) < 0 ||
        (st = per_column(e, x, "scale", &scale)) < 0)
        return st;
    e->out[0] = kx_emit2(e, "Mul", kx_emit2(e, "Sub", x, offset), scale);
    return e->status;
}

/* Whether every row of x adds up to 1 already: what a softmax makes. */
static bool sums_to_one(const kx_expander *e, const kx_value *x)
{
    const kx_node *n = x->producer >= 0 ? &e->g->node[x->producer] : NULL;

    return n && n->op->traits.shares && kx_shares_last(n);
}

/* x / norm of its row; a row of zeros stays. */
static kldve_status expand_normalizer(kx_expander *e)
{
    const char *norm = kx_attr_string(e->n, "norm", "MAX");
    const char *type = strcmp(norm, "L1") == 0   ? "ReduceL1"
                       : strcmp(norm, "L2") == 0 ? "ReduceL2"
                                                 : "ReduceMax";
    kx_value *x, *size, *none;
    kldve_status st = floats(e, 1, &x);

    if (st < 0)
        return st;
    if (strcmp(type, "ReduceMax") == 0 && strcmp(norm, "MAX") != 0)
        return kx_invalid(e->g, e->n, "attribute 'norm' is '%.40s', expected MAX, L1 or L2", norm);
    if (x->shape.rank < 1 || x->shape.rank > 2)
        return kx_invalid(e->g, e->n, "input 0 has rank %d, expected 1 or 2", x->shape.rank);
    if (strcmp(norm, "L1") == 0 && sums_to_one(e, x)) {
        e->out[0] = kx_emit_copy(e, x);
        return e->status;
    }
    size = kx_emit2(e, type, x, kx_emit_ints(e, &(int64_t){-1}, 1));
    none = kx_emit2(e, "Equal", size, kx_emit_float(e, 0));
    size = kx_emit(e, "Where", (kx_value *[]){none, kx_emit_float(e, 1), size}, 3, NULL, 0);
    e->out[0] = kx_emit2(e, "Div", x, size);
    return e->status;
}

/* 1 above the threshold, else 0: without a derivative. */
static kldve_status expand_binarizer(kx_expander *e)
{
    kx_value *x;
    kldve_status st = floats(e, 1, &x);

    if (st < 0)
        return st;
    x = kx_emit2(e, "Greater", x, kx_emit_float(e, kx_attr_float(e->n, "threshold", 0)));
    e->out[0] = kx_emit_cast(e, x, KX_ONNX_FLOAT);
    return e->status;
}

/* What equals replaced_value_float (NaN too) becomes the column's imputed value. */
static kldve_status expand_imputer(kx_expander *e)
{
    float replaced = kx_attr_float(e->n, "replaced_value_float", 0);
    kx_value *x, *with, *where;
    kldve_status st;

    if (e->n->nin > 0 && e->n->in[0] && !kx_is_float(e->n->in[0]))
        return kx_refuse(e->g, e->n, "only floats are supported");
    if ((st = floats(e, 1, &x)) < 0 || (st = per_column(e, x, "imputed_value_floats", &with)) < 0)
        return st;
    where = isnan(replaced) ? kx_emit1(e, "IsNaN", x)
                            : kx_emit2(e, "Equal", x, kx_emit_float(e, replaced));
    e->out[0] = kx_emit(e, "Where", (kx_value *[]){where, with, x}, 3, NULL, 0);
    return e->status;
}

/* ---- linear models --------------------------------------------------------------------------- */

/* x W^T + b with W [results][columns of x]. */
static kldve_status linear(kx_expander *e, kx_value *x, int64_t results, kx_value **y)
{
    const kx_attr transposed = kx_attr_of_int("transB", 1);
    size_t weights, biases;
    const float *w = kx_attr_floats(e->n, "coefficients", &weights);
    const float *b = kx_attr_floats(e->n, "intercepts", &biases);
    kx_value *in[3];
    int64_t columns;

    if (x->shape.rank != 2)
        return kx_invalid(e->g, e->n, "input 0 has rank %d, expected 2", x->shape.rank);
    columns = x->shape.dim[1];
    if (results < 1 || columns < 1 || weights % (size_t)columns != 0 ||
        weights / (size_t)columns != (size_t)results || (b && (int64_t)biases != results))
        return kx_invalid(e->g, e->n,
                          "%zu coefficients and %zu intercepts for %lld columns and "
                          "%lld results",
                          weights, biases, (long long)columns, (long long)results);
    in[0] = x;
    in[1] = constant(e, w, results, columns);
    in[2] = b ? constant(e, b, 0, results) : NULL;
    *y = kx_emit(e, "Gemm", in, b ? 3 : 2, &transposed, 1);
    return e->status;
}

/* Whether the two rows of the weights are each other's negative, as for two classes. */
static bool are_opposite(kx_expander *e)
{
    size_t weights, biases;
    const float *w = kx_attr_floats(e->n, "coefficients", &weights);
    const float *b = kx_attr_floats(e->n, "intercepts", &biases);

    if ((b && biases != 2) || (b && b[0] != -b[1]))
        return false;
    for (size_t i = 0; i < weights / 2; i++)
        if (w[i] != -w[weights / 2 + i])
            return false;
    return true;
}

/* The sigmoids of -x and x are the softmax of -x / 2 and x / 2, which tells that they are shares.
 */
static kx_value *both_sigmoids(kx_expander *e, kx_value *y)
{
    const kx_attr last = kx_attr_of_int("axis", -1);
    kx_value *half = kx_emit2(e, "Mul", y, kx_emit_float(e, 0.5f));

    return kx_emit(e, "Softmax", &half, 1, &last, 1);
}

static kldve_status transformed(kx_expander *e, kx_value *y, kx_value **out)
{
    const char *name = kx_attr_string(e->n, "post_transform", "NONE");
    const kx_attr last = kx_attr_of_int("axis", -1);

    if (strcmp(name, "SOFTMAX") == 0)
        *out = kx_emit(e, "Softmax", &y, 1, &last, 1);
    else if (strcmp(name, "LOGISTIC") == 0)
        *out = y->shape.dim[1] == 2 && are_opposite(e) ? both_sigmoids(e, y)
                                                       : kx_emit1(e, "Sigmoid", y);
    else if (strcmp(name, "NONE") == 0)
        *out = y;
    else
        return kx_refuse(e->g, e->n,
                         "attribute 'post_transform' is '%.40s', supported are NONE, "
                         "SOFTMAX and LOGISTIC",
                         name);
    return e->status;
}

static kldve_status expand_regressor(kx_expander *e)
{
    kx_value *x, *y;
    kldve_status st = floats(e, 1, &x);

    if (st < 0 || (st = linear(e, x, kx_attr_int(e->n, "targets", 1), &y)) < 0)
        return st;
    return transformed(e, y, &e->out[0]);
}

/* Label and scores.  A label that is a text stands as its number, since texts are no arrays here.
 */
static kldve_status expand_classifier(kx_expander *e)
{
    const kx_attr attr[2] = {kx_attr_of_int("axis", -1), kx_attr_of_int("keepdims", 0)};
    size_t count, texts = 0;
    const int64_t *label = kx_attr_ints(e->n, "classlabels_ints", &count);
    kx_value *x = NULL, *y;
    kldve_status st = floats(e, 2, &x);

    for (int32_t i = 0; i < e->n->nattr; i++)
        if (strcmp(e->n->attr[i].name, "classlabels_strings") == 0)
            texts = e->n->attr[i].count;
    kx_attr_ignore(e->n, "classlabels_strings");
    kx_attr_ignore(e->n, "multi_class"); /* one against the rest, whatever it says */
    count = count ? count : texts;
    if (st < 0 || (st = linear(e, x, (int64_t)count, &y)) < 0 ||
        (st = transformed(e, y, &e->out[1])) < 0)
        return st;
    e->out[0] = kx_emit(e, "ArgMax", &y, 1, attr, 2);
    if (label)
        e->out[0] = kx_emit2(e, "Gather", kx_emit_ints(e, label, count), e->out[0]);
    return e->status;
}

/* The numbers of a map from names of classes, in the order of the classes. */
static kldve_status expand_zipmap(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);

    kx_attr_ignore(e->n, "classlabels_int64s");
    kx_attr_ignore(e->n, "classlabels_strings");
    if (st == KLDVE_OK)
        e->out[0] = kx_emit_copy(e, e->n->in[0]);
    return st < 0 ? st : e->status;
}

const kx_op kx_ml_ops[] = {
    {.type = "ZipMap", .domain = ml, .since = 1, .expand = expand_zipmap},
    {.type = "Scaler", .domain = ml, .since = 1, .expand = expand_scaler},
    {.type = "Normalizer", .domain = ml, .since = 1, .expand = expand_normalizer},
    {.type = "Binarizer", .domain = ml, .since = 1, .expand = expand_binarizer},
    {.type = "Imputer", .domain = ml, .since = 1, .expand = expand_imputer},
    {.type = "LinearRegressor", .domain = ml, .since = 1, .expand = expand_regressor},
    {.type = "LinearClassifier", .domain = ml, .since = 1, .expand = expand_classifier},
    {0},
};
