/* nms.c - NonMaxSuppression: boxes [batch][rows][4], scores [batch][classes][rows] -> [kept][3],
 * picture, class and row of each box that is kept.
 *
 * How many are kept depends on the values, so the operands have to be constant.  Behind computed
 * ones no network is built: boxes and scores in front are picked instead (build/frontier.h). */
#include "basic.h"
#include "families.h"

#include <math.h>

#include "graph/suppress.h"

enum { BOXES, SCORES, MOST, OVERLAP, LEAST, INPUTS };

static const double max_work = 1e8; /* comparisons of boxes */

/* The one number of an optional input. */
static kldve_status read_number(kx_graph *g, kx_node *n, int32_t i, double missing, double *out)
{
    const void *data;

    *out = missing;
    if (!kx_has(n, i))
        return KLDVE_OK;
    if (n->in[i]->count != 1 || n->in[i]->dtype != (i == MOST ? KX_I64 : KX_F32))
        return kx_invalid(g, n, "input %d must be one number", i);
    if (!(data = kx_value_data(g, n->in[i])))
        return kx_nomem(g);
    *out = i == MOST ? (double)*(const int64_t *)data : (double)*(const float *)data;
    return KLDVE_OK;
}

static kldve_status check(kx_graph *g, kx_node *n)
{
    const kx_value *box = n->in[BOXES], *score = n->in[SCORES];

    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && !n->in[i]->raw)
            return kx_refuse(
                g, n,
                "its operands must be constant, since how many boxes it keeps depends "
                "on them: explain one box with --box (KLDVE_ONNX_FLAG_PICK_ROW), or select "
                "the scores '%.60s[0, :, n]'",
                score->name);
    if (box->dtype != KX_F32 || score->dtype != KX_F32 || box->shape.rank != 3 ||
        score->shape.rank != 3 || box->shape.dim[2] != 4 ||
        box->shape.dim[0] != score->shape.dim[0] || box->shape.dim[1] != score->shape.dim[2])
        return kx_invalid(g, n, "boxes must be [batch][rows][4], scores [batch][classes][rows]");
    return KLDVE_OK;
}

static kldve_status read_numbers(kx_graph *g, kx_node *n, kx_suppression *s)
{
    double most, overlap, least;
    kldve_status st;

    if ((st = read_number(g, n, MOST, 0, &most)) < 0 ||
        (st = read_number(g, n, OVERLAP, 0, &overlap)) < 0 ||
        (st = read_number(g, n, LEAST, (double)-INFINITY, &least)) < 0)
        return st;
    if (!(overlap >= 0 && overlap <= 1))
        return kx_invalid(g, n, "iou_threshold is %g, it must be 0 to 1", overlap);
    s->rows = (int32_t)n->in[BOXES]->shape.dim[1];
    s->centre = kx_attr_int(n, "center_point_box", 0) != 0;
    s->most = most > s->rows ? s->rows : most > 0 ? (int64_t)most : 0;
    s->overlap = (float)overlap;
    s->least = (float)least;
    return KLDVE_OK;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, INPUTS, 1);
    kx_suppression s;
    kx_shape out = {2, {0, 3}};
    const float *box, *score;
    int64_t *list, lines, classes;
    int32_t *order;

    if (st < 0 || (st = check(g, n)) < 0 || (st = read_numbers(g, n, &s)) < 0)
        return st;
    classes = n->in[SCORES]->shape.dim[1];
    lines = s.rows > 0 && s.most > 0 ? n->in[SCORES]->shape.dim[0] * classes : 0;
    if ((double)lines * s.rows * (double)s.most > max_work)
        return kx_refuse(g, n, "%lld classes of %d constant boxes are too many", (long long)lines,
                         s.rows);
    box = kx_value_data(g, n->in[BOXES]);
    score = kx_value_data(g, n->in[SCORES]);
    order = kx_new(g, 2 * (size_t)s.rows, sizeof *order);
    list = kx_new(g, 3 * (size_t)(lines * s.most), sizeof *list);
    if (!box || !score || !order || !list)
        return kx_nomem(g);
    for (int64_t l = 0; l < lines; l++) {
        int32_t *kept = order + s.rows, found;

        s.box = box + l / classes * s.rows * 4;
        found = kx_suppress(&s, score + l * s.rows, 1, order, kept);
        for (int32_t k = 0; k < found; k++) {
            int64_t *to = list + 3 * out.dim[0]++;

            to[0] = l / classes;
            to[1] = l % classes;
            to[2] = kept[k];
        }
    }
    if ((st = kx_out_constant(g, n, 0, KX_I64, &out, list)) == KLDVE_OK && n->out[0])
        n->out[0]->onnx_type = KX_ONNX_INT64;
    return st;
}

const kx_op kx_nms_ops[] = {
    {.type = "NonMaxSuppression",
     .since = 10,
     .infer = infer,
     .traits = {.bias = KX_BIAS_NONE, .counts = true, .suppresses = true}},
    {0},
};
