/* detector_kept.c - rows of a detector whose file goes on to choose among them, by
 * NonMaxSuppression: where its boxes and the scores of its classes are.
 *
 * The graph ends in the tensors that those steps read.  Boxes are what has 4 numbers a row.  The
 * scores of a row are looked for behind what the file compares: often only the best of them, or
 * those of one class each. */
#include "detector.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "choose_parts.h"

/* A tensor with one number or more for each row. */
typedef struct table {
    const kx_value *v;
    int32_t row_axis, class_axis; /* class_axis -1: one number */
} table;

/* At most one axis besides that of the rows is longer than 1. */
static bool as_table(const kx_value *v, int64_t rows, table *t)
{
    *t = (table){v, -1, -1};
    if (!v || v->dtype != KX_F32 || v->raw)
        return false;
    for (int32_t i = v->shape.rank - 1; i >= 0; i--) {
        int64_t n = v->shape.dim[i];

        if (n == rows && t->row_axis < 0)
            t->row_axis = i;
        else if (n != 1 && t->class_axis < 0)
            t->class_axis = i;
        else if (n != 1)
            return false;
    }
    return t->row_axis >= 0;
}

static bool is_boxes(const kx_value *v)
{
    int32_t rank = v->shape.rank;

    return v->dtype == KX_F32 && !v->raw && rank >= 2 && v->shape.dim[rank - 1] == 4 &&
           v->shape.dim[rank - 2] > 1 && (int64_t)v->count == 4 * v->shape.dim[rank - 2];
}

/* "NAME[0, n, :]" */
static const char *write_table(kx_arena *arena, const table *t)
{
    size_t size = strlen(t->v->name) + 3 * (size_t)t->v->shape.rank + 3, used;
    char *text = kx_arena_alloc(arena, size, 1);

    if (!text)
        return NULL;
    used = (size_t)snprintf(text, size, "%s[", t->v->name);
    for (int32_t i = 0; i < t->v->shape.rank; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 i == t->row_axis     ? "n"
                                 : i == t->class_axis ? ":"
                                                      : "0");
    snprintf(text + used, size - used, "]");
    return text;
}

/* ---- boxes ----------------------------------------------------------------------------------- */

/* An input of the suppressor, where the graph has it; NULL: it lies behind the frontier. */
static kx_value *input_of(const kx_graph *g, const kx_frontier *f, int32_t i)
{
    const kx_proto_node *n = f->suppressor;

    return n && i < n->nin && *n->in[i] ? kx_graph_find(g, n->in[i]) : NULL;
}

/* What the file reads of its boxes once it has chosen; those that it compares may be moved apart,
 * class by class. */
static const kx_value *find_boxes(const kx_graph *g, const kx_value *compared)
{
    for (int32_t i = 0; i < g->noutput; i++)
        if (g->output[i] != compared && is_boxes(g->output[i]) &&
            (!compared || g->output[i]->count == compared->count))
            return g->output[i];
    return compared;
}

/* ---- scores ---------------------------------------------------------------------------------- */

/* Whether the scores of all classes may stand in front of n, which makes v. */
static bool may_narrow(const kx_node *n, const kx_value *v)
{
    kx_formula formula = n->op->traits.formula;

    return n->op->traits.copies || n->op->traits.rearranges || formula == KX_FORMULA_MOST ||
           formula == KX_FORMULA_BEST || v->dtype == KX_BOOL;
}

/* Back to a tensor with the scores of several classes; else the first with one number a row.
 * False: there is neither. */
static bool find_classes(const kx_graph *g, const kx_value *v, int64_t rows, table *out, bool *best)
{
    bool found = false;

    *best = false;
    while (v) {
        const kx_node *n = v->producer < 0 ? NULL : &g->node[v->producer];
        table t;

        if (as_table(v, rows, &t) && (t.class_axis >= 0 || !found)) {
            *out = t;
            found = true;
            if (t.class_axis >= 0)
                return true;
        }
        if (!n || !may_narrow(n, v))
            break;
        *best = *best || n->op->traits.formula == KX_FORMULA_MOST ||
                n->op->traits.formula == KX_FORMULA_BEST;
        v = n->in[0];
    }
    *best = false;
    return found;
}

/* The first of all outputs behind which several classes stand, else with one score a row. */
static bool find_scores(const kx_graph *g, const kx_value *boxes, const kx_value *compared,
                        table *out, bool *best)
{
    int64_t rows = (int64_t)boxes->count / 4;
    bool found = compared && find_classes(g, compared, rows, out, best);

    for (int32_t i = 0; i < g->noutput && !(found && out->class_axis >= 0); i++) {
        table t;
        bool of_best;

        if (is_boxes(g->output[i]) || !find_classes(g, g->output[i], rows, &t, &of_best) ||
            (found && t.class_axis < 0))
            continue;
        *out = t;
        *best = of_best;
        found = true;
    }
    return found;
}

/* ---- how it chooses -------------------------------------------------------------------------- */

static bool has_input(const kx_frontier *f, int32_t i)
{
    return i < f->suppressor->nin && *f->suppressor->in[i];
}

/* The number that a node compares with; NAN: it is no constant, or the node compares nothing. */
static float bound_of(const kx_node *n, kx_arena *arena)
{
    const kx_formula formula = n->op->traits.formula;
    const kx_value *bound;
    const float *number;

    if (formula != KX_FORMULA_ABOVE && formula != KX_FORMULA_AT_LEAST)
        return NAN;
    bound = n->in[1];
    if (!bound->raw || bound->dtype != KX_F32 || bound->count != 1 ||
        !(number = kx_value_read(bound, arena)))
        return NAN;
    return formula == KX_FORMULA_ABOVE ? *number : nextafterf(*number, -INFINITY);
}

/* The score that a row needs for an output that says which are good enough; -INFINITY: that output
 * says nothing of these scores. */
static float bound_by(const kx_value *says, const kx_value *scores, kx_arena *arena,
                      const kx_graph *g)
{
    float bound = -INFINITY;

    for (const kx_value *v = says; v != scores;) {
        const kx_node *n = v->producer < 0 ? NULL : &g->node[v->producer];
        float here;

        if (!n || !may_narrow(n, v))
            return -INFINITY;
        here = bound_of(n, arena);
        if (v->dtype == KX_BOOL && n->in[0]->dtype == KX_F32 && isnan(here))
            return -INFINITY;
        bound = isnan(here) ? bound : here;
        v = n->in[0];
    }
    return bound;
}

/* Rows may be left out by their scores before the suppression. */
static void read_bounds(const kx_graph *g, kx_arena *arena, const kx_value *scores, kx_choosing *c)
{
    for (int32_t i = 0; i < g->noutput; i++)
        if (g->output[i]->dtype == KX_BOOL)
            c->least = fmaxf(c->least, bound_by(g->output[i], scores, arena, g));
}

/* A number of float32 or int64; *out stays where it is not constant. */
static void read_number(const kx_frontier *f, int32_t i, double *out)
{
    const kx_proto_tensor *t = kx_frontier_constant(f, i);
    float x;
    int64_t n;

    if (!t || t->count != 1)
        return;
    if (t->dtype == KX_ONNX_FLOAT) {
        memcpy(&x, t->data, sizeof x); /* perhaps unaligned */
        *out = (double)x;
    } else if (t->dtype == KX_ONNX_INT64) {
        memcpy(&n, t->data, sizeof n);
        *out = (double)n;
    }
}

static bool is_centred(const kx_proto_node *n)
{
    for (int32_t i = 0; i < n->nattr; i++)
        if (strcmp(n->attr[i].name, "center_point_box") == 0)
            return n->attr[i].i != 0;
    return false;
}

/* What is left out is 0 to ONNX; numbers that the file computes are taken as none and a half. */
static void read_choosing(const kx_frontier *f, kx_choosing *c)
{
    double most = has_input(f, 2) ? INT32_MAX : 0, overlap = has_input(f, 3) ? 0.5 : 0;
    double least = (double)-INFINITY;

    read_number(f, 2, &most);
    read_number(f, 3, &overlap);
    read_number(f, 4, &least);
    *c = (kx_choosing){.used = true,
                       .centre = is_centred(f->suppressor),
                       .sorted = f->sorted,
                       .most = (int64_t)fmin(fmax(most, 0), INT32_MAX),
                       .overlap = (float)overlap,
                       .least = (float)least};
}

/* Both tensors that it compares, as ONNX has them: boxes [1][rows][4], scores [1][classes][rows].
 */
static bool compares(const kx_value *boxes, const kx_value *scores, int64_t rows)
{
    return boxes && scores && is_boxes(boxes) && boxes->shape.rank == 3 &&
           scores->shape.rank == 3 && scores->dtype == KX_F32 && !scores->raw &&
           scores->shape.dim[0] == 1 && scores->shape.dim[2] == rows &&
           (int64_t)boxes->count == 4 * rows;
}

/* Networks of TensorFlow have channels last, and boxes as y0, x0, y1, x1. */
static int32_t corner_format(const kx_graph *g)
{
    const kx_shape *in = &g->input[0]->shape;

    return in->rank == 4 && in->dim[3] <= 4 && in->dim[1] > 4 && in->dim[2] > 4
               ? KLDVE_ONNX_BOXES_ROWS_FIRST
               : KLDVE_ONNX_BOXES_AUTO;
}

static kldve_status say_chosen(kx_notes *notes, const kx_choosing *c, const table *boxes,
                               const table *scores)
{
    return kx_say(notes,
                  "the file chooses among %lld boxes by non-maximum suppression (overlap %.3g): "
                  "--box N counts those that it keeps%s, %s; boxes are '%.60s', scores '%.60s'",
                  (long long)boxes->v->count / 4, (double)c->overlap,
                  c->boxes ? "" : ", found here by the same rules with the scores of all rows",
                  c->sorted ? "the best first" : "class by class", boxes->v->name, scores->v->name);
}

/* Boxes of several tensors are sorted out one by one, and often decoded only then. */
static bool has_levels(const kx_graph *g)
{
    int64_t rows = 0;

    for (int32_t i = 0; i < g->noutput; i++) {
        if (!is_boxes(g->output[i]))
            continue;
        if (rows > 0 && (int64_t)g->output[i]->count != 4 * rows)
            return true;
        rows = (int64_t)g->output[i]->count / 4;
    }
    return false;
}

/* Detectors whose rows cannot be told from the end of the graph. */
static kldve_status check_kind(const kx_graph *g, const kx_frontier *f)
{
    if (!f->suppressor)
        return kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                              "how many results the network has depends on the picture, and not by "
                              "non-maximum suppression: select scores in front of that, "
                              "'NAME[0, n, :]'");
    if (f->staged)
        return kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                              "the boxes that the file keeps are proposals, whose scores a second "
                              "stage computes: their number depends on the picture, and only what "
                              "stands in front can be explained; select it, 'NAME[0, n, :]'");
    if (has_levels(g))
        return kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                              "the file sorts out boxes level by level, before it knows all of "
                              "them: select the scores of one level, 'NAME[0, n, :]', and a row "
                              "(--box N); kldve layers lists the tensors");
    return KLDVE_OK;
}

kldve_status kx_select_kept(kx_graph *g, kx_arena *arena, kx_notes *notes, const kx_frontier *f,
                            kldve_onnx_options *o, kx_choosing *choosing)
{
    const kx_value *compared = input_of(g, f, 0), *by = input_of(g, f, 1), *v;
    table boxes, scores;
    bool best;
    int64_t rows;
    kldve_status st = check_kind(g, f);

    if (st < 0)
        return st;
    v = find_boxes(g, compared && is_boxes(compared) ? compared : NULL);
    rows = v ? (int64_t)v->count / 4 : 0;
    if (!v || !as_table(v, rows, &boxes) || !find_scores(g, v, by, &scores, &best))
        return kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                              "boxes and scores in front of the suppression are not found: say "
                              "where they are with select, 'NAME[0, n, :]', and boxes");
    read_choosing(f, choosing);
    read_bounds(g, arena, scores.v, choosing);
    if (compares(compared, by, rows)) {
        choosing->boxes = compared;
        choosing->scores = by;
    } else {
        choosing->best_only = best;
        choosing->together = best && !f->shifted;
        choosing->sorted = f->sorted || best || f->shifted; /* all classes in one go */
    }
    if (o->box_format == KLDVE_ONNX_BOXES_AUTO)
        o->box_format = choosing->centre ? KLDVE_ONNX_BOXES_CENTRE : corner_format(g);
    o->select = write_table(arena, &scores);
    o->boxes = write_table(arena, &boxes);
    if (!o->select || !o->boxes || say_chosen(notes, choosing, &boxes, &scores) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}
