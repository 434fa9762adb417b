/* detector.c - which outputs of a network are rows of a detector, and what their numbers are.
 *
 *     boxes [1][rows][4] and scores [1][rows][classes]     SSD and its relatives
 *     [1][rows][4 + 1 + classes]                           YOLO v5: box, object, classes
 *     [1][4 + classes][rows]                               YOLO v8
 *     [1][rows][4 + 1 + 1]                                 YOLO v10: box, score, number of the
 * class
 *
 * Where both stand in one output the longer axis is that of the rows. */
#include "detector.h"

#include <stdio.h>
#include <string.h>

#include "build/origin.h"
#include "choose_parts.h"
#include "select_text.h"

/* ---- recognised by shapes and names ---------------------------------------------------------- */

static bool is_table(const kx_value *v)
{
    return v->dtype == KX_F32 && !v->raw && v->shape.rank == 3 && v->shape.dim[0] == 1;
}

static bool sounds_like(const kx_value *v, const char *const *word)
{
    for (; *word; word++)
        if (strstr(v->name, *word))
            return true;
    return false;
}

static bool is_boxes(const kx_value *v)
{
    static const char *const scores[] = {"score", "conf", "cls", "class", "prob", "logit", NULL};

    return is_table(v) && v->shape.dim[2] == 4 && !sounds_like(v, scores);
}

static const kx_value *find_boxes(const kx_graph *g)
{
    for (int32_t i = 0; i < g->noutput; i++)
        if (is_boxes(g->output[i]))
            return g->output[i];
    return NULL;
}

/* The scores of the same rows. */
static const kx_value *find_scores(const kx_graph *g, const kx_value *boxes)
{
    for (int32_t i = 0; boxes && i < g->noutput; i++)
        if (g->output[i] != boxes && is_table(g->output[i]) &&
            g->output[i]->shape.dim[1] == boxes->shape.dim[1])
            return g->output[i];
    return NULL;
}

/* One output with all; NULL: none. */
static const kx_value *find_both(const kx_graph *g)
{
    for (int32_t i = 0; i < g->noutput; i++) {
        const kx_value *v = g->output[i];

        if (is_table(v) &&
            (v->shape.dim[1] > v->shape.dim[2] ? v->shape.dim[2] >= 6 : v->shape.dim[1] >= 5) &&
            v->shape.dim[1] != v->shape.dim[2])
            return v;
    }
    return NULL;
}

static const char *write_select(kx_arena *arena, const kx_value *v, const char *items)
{
    size_t n = strlen(v->name) + strlen(items) + 1;
    char *text = kx_arena_alloc(arena, n, 1);

    if (text)
        snprintf(text, n, "%s%s", v->name, items);
    return text;
}

static kldve_status nothing_found(const kx_graph *g)
{
    return kldve_ctx_fail(g->ctx, KLDVE_E_ARG,
                          "no output looks like rows of a detector: boxes [1][rows][4] with scores "
                          "[1][rows][classes], [1][rows][5 + classes] or [1][4 + classes][rows]; "
                          "say where they are with select, 'NAME[0, n, :]', and boxes");
}

/* Whether the last of six numbers says which class is best, and is no score. */
static kldve_status ends_in_label(const kx_graph *g, const kx_value *v, bool *label)
{
    kx_element e = {v->id, 5};
    const kx_node *n;
    kldve_status st;

    *label = false;
    if (v->shape.dim[2] != 6)
        return KLDVE_OK;
    if ((st = kx_follow_back(g, &e, 1)) < 0)
        return st;
    if (g->value[e.value]->producer < 0)
        return KLDVE_OK;
    n = &g->node[g->value[e.value]->producer];
    *label = true;
    for (int32_t k = 0; k < n->nin; k++)
        *label = *label && !kx_carries(n, k);
    return KLDVE_OK;
}

static kldve_status select_labelled(const kx_graph *g, kx_arena *arena, kx_notes *notes,
                                    const kx_value *v, kldve_onnx_options *o)
{
    o->select = write_select(arena, v, "[0, n, 4]");
    o->boxes = write_select(arena, v, "[0, n, :4]");
    if (o->box_format == KLDVE_ONNX_BOXES_AUTO)
        o->box_format = KLDVE_ONNX_BOXES_CORNERS;
    if (!o->select || !o->boxes ||
        kx_say(notes,
               "takes '%.80s' as rows of 4 corners of a box, its score and the number of its "
               "class: the score is explained",
               v->name) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}

kldve_status kx_select_rows(const kx_graph *g, kx_arena *arena, kx_notes *notes,
                            kldve_onnx_options *o)
{
    const kx_value *boxes = find_boxes(g), *scores = find_scores(g, boxes), *both = find_both(g);
    bool objects = both && both->shape.dim[1] > both->shape.dim[2], label = false;
    kldve_status st;

    if (scores) {
        o->select = write_select(arena, scores, "[0, n, :]");
        o->boxes = write_select(arena, boxes, "[0, n, :]");
        return o->select && o->boxes ? KLDVE_OK : kx_nomem(g);
    }
    if (!both)
        return nothing_found(g);
    if (objects && (st = ends_in_label(g, both, &label)) < 0)
        return st;
    if (label)
        return select_labelled(g, arena, notes, both, o);
    o->select = write_select(arena, both, objects ? "[0, n, 5:]" : "[0, 4:, n]");
    o->boxes = write_select(arena, both, objects ? "[0, n, :4]" : "[0, :4, n]");
    o->objects = objects ? write_select(arena, both, "[0, n, 4]") : NULL;
    if (o->box_format == KLDVE_ONNX_BOXES_AUTO)
        o->box_format = KLDVE_ONNX_BOXES_CENTRE;
    if (!o->select || !o->boxes || (objects && !o->objects) ||
        kx_say(notes,
               objects ? "takes '%.80s' as rows of 4 numbers of a box, 1 of an object and %jd "
                         "classes"
                       : "takes '%.80s' as columns of 4 numbers of a box and %jd classes",
               both->name,
               (intmax_t)(objects ? both->shape.dim[2] - 5 : both->shape.dim[1] - 4)) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}

/* ---- resolved -------------------------------------------------------------------------------- */

static kldve_status read_part(const kx_graph *g, kx_arena *arena, const char *what,
                              const char *text, int32_t rows, int32_t count, kx_row_part *out)
{
    kx_selection s;
    kldve_status st = kx_select_as_is(g, arena, text, &s);

    if (st < 0)
        return st;
    if (s.open != KX_OPEN_ROWS || s.height != rows || (count > 0 && s.count != count))
        return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                               "%s '%.80s': %d numbers in each of %d rows are selected, not %d in "
                               "each of %d",
                               what, text, (int)s.count,
                               (int)(s.open == KX_OPEN_ROWS ? s.height : 1), (int)count, (int)rows);
    *out = (kx_row_part){.tensor = s.tensor, .at = s.base, .count = s.count, .step = s.row_step};
    return KLDVE_OK;
}

/* Boxes that come straight from a convolution or dense layer are offsets that some program decodes
 * afterwards. */
static kldve_status check_decoded(const kx_graph *g, const char *text, const kx_row_part *box)
{
    kx_element e[4];
    bool raw = true;
    const kx_node *n = NULL;
    kldve_status st;

    for (int i = 0; i < 4; i++)
        e[i] = (kx_element){box->tensor->id, box->at[i]};
    if ((st = kx_follow_back(g, e, 4)) < 0)
        return st;
    for (int i = 0; i < 4; i++) {
        const kx_value *v = g->value[e[i].value];

        n = v->producer < 0 ? NULL : &g->node[v->producer];
        raw = raw && n && n->op->traits.mixing == KX_MIXING_CONV;
    }
    if (!raw)
        return KLDVE_OK;
    return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                           "boxes '%.80s': these are the plain numbers of node '%.60s' (%s), which "
                           "the file does not turn into boxes: select the scores alone, "
                           "'NAME[0, n, :]', and pick a row by its number",
                           text, n->name, n->type);
}

/* Boxes [1][rows][4] and scores [1][classes][rows] that the file compares, or those of the rows. */
static kldve_status read_choosing(const kx_graph *g, kx_arena *arena, const kx_choosing *c,
                                  kx_detector *d)
{
    int32_t *at, classes, n;

    d->choosing = *c;
    d->chosen_box = d->box;
    d->chosen_score = d->score;
    if (!c->boxes)
        return KLDVE_OK;
    classes = (int32_t)c->scores->shape.dim[1];
    n = classes > 4 ? classes : 4;
    if (!(at = kx_arena_alloc(arena, (size_t)n + 4, sizeof *at)))
        return kx_nomem(g);
    for (int32_t i = 0; i < 4; i++)
        at[i] = i;
    for (int32_t i = 0; i < classes; i++)
        at[4 + i] = i * d->rows;
    d->chosen_box = (kx_row_part){.tensor = c->boxes, .at = at, .count = 4, .step = 4};
    d->chosen_score = (kx_row_part){.tensor = c->scores, .at = at + 4, .count = classes, .step = 1};
    return KLDVE_OK;
}

enum { PARTS = 5 };

/* All tensors as one, which the finder computes. */
static kldve_status put_together(kx_graph *g, kx_detector *d)
{
    kx_row_part *part[PARTS] = {&d->box, &d->score, &d->object, &d->chosen_box, &d->chosen_score};
    kx_element e[PARTS];
    int32_t n = 0;
    kldve_status st;

    for (int i = 0; i < PARTS; i++)
        if (part[i]->tensor)
            e[n++] = (kx_element){part[i]->tensor->id, 0};
    if ((st = kx_put_together(g, e, (size_t)n, d->box.tensor->name, &d->found)) < 0)
        return st;
    for (int i = 0, k = 0; i < PARTS; i++)
        if (part[i]->tensor)
            part[i]->begin = e[k++].at;
    return KLDVE_OK;
}

/* A Softmax of a detector has a class for "nothing"; SSD and its relatives put it first. */
static kldve_status find_background(const kx_graph *g, kx_notes *notes, const kx_selection *s,
                                    kx_detector *d)
{
    d->background = -1;
    if (s->scores != KLDVE_SCORES_SOFTMAX || s->count < 2)
        return KLDVE_OK;
    d->background = 0;
    return kx_say(notes,
                  "takes class 0 as the background, which is no object, when it looks for the "
                  "best box") < 0
               ? kx_nomem(g)
               : KLDVE_OK;
}

kldve_status kx_detector_new(kx_graph *g, kx_arena *arena, kx_notes *notes,
                             const kldve_onnx_options *o, const kx_selection *s,
                             const kx_choosing *choosing, kx_detector *out)
{
    kx_detector d = {.rows = s->height, .format = o->box_format, .units = o->box_units};
    kldve_status st;

    if (!o->boxes)
        return KLDVE_OK;
    if ((st = read_part(g, arena, "boxes", o->boxes, d.rows, 4, &d.box)) < 0 ||
        (st = read_part(g, arena, "select", o->select, d.rows, s->count, &d.score)) < 0 ||
        (o->objects &&
         (st = read_part(g, arena, "objects", o->objects, d.rows, 1, &d.object)) < 0) ||
        (st = check_decoded(g, o->boxes, &d.box)) < 0 ||
        (st = find_background(g, notes, s, &d)) < 0 ||
        (choosing->used && (st = read_choosing(g, arena, choosing, &d)) < 0) ||
        (st = put_together(g, &d)) < 0)
        return st;
    *out = d;
    return KLDVE_OK;
}
