/* backend_pick.c - the scores of a place, a region or a row of a detector. */
#include "backend_parts.h"

#include <string.h>

/* All rows of the detector at the last forward pass. */
static kldve_status find_rows(kx_backend_state *s)
{
    const kldve_onnx *net = s->net;
    kx_plan_options o = net->options;
    kldve_status st;

    if (!s->found)
        s->found = kldve_ctx_alloc(s->ctx, net->detector.found->count, sizeof *s->found);
    if (!s->found)
        return kldve_ctx_fail(s->ctx, KLDVE_E_NOMEM, "out of memory for the rows of the detector");
    o.layer = NULL;
    o.logits = net->detector.found;
    o.vjp = o.vjp_input = false;
    o.lender = net->plan;
    if (!s->finder && (st = kx_extra_new(s->ctx, net->graph, &o, &s->finder)) < 0)
        return st;
    return kx_state_forward(kx_extra_state(s->finder), s->input, s->found, NULL);
}

/* Among the rows that the file keeps; pick->row counts them. */
static kldve_status find_kept(kx_backend_state *s, const kldve_pick *pick, kx_row *row)
{
    const kx_detector *d = &s->net->detector;
    const int64_t *in = s->net->choice.input->shape.dim;
    bool by_place = pick->kind == KLDVE_PICK_BOX_AT;
    kx_kept kept;
    kldve_status st = kx_kept_rows(s->ctx, d, s->found, &kept);

    if (st < 0)
        return st;
    if (kept.count == 0) {
        st = kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                            "the network keeps no box of this picture: none has a score high "
                            "enough");
    } else if (pick->kind == KLDVE_PICK_ROW && pick->row >= kept.count) {
        st = kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                             "box %d: the network keeps %d of this picture, 0 to %d",
                             (int)pick->row, (int)kept.count, (int)kept.count - 1);
    } else if (pick->kind == KLDVE_PICK_ROW) {
        *row = kx_row_at(d, s->found, kept.row[pick->row].row, in + 2);
        row->score = kept.row[pick->row].score;
    } else if (!kx_best_kept(d, s->found, &kept, in + 2, by_place ? pick->x : -1,
                             by_place ? pick->y : -1, row)) {
        st = kldve_ctx_fail(s->ctx, KLDVE_E_ARG, "no box that the network keeps is at this place");
    }
    kldve_ctx_release(s->ctx, kept.row);
    return st;
}

/* The row that is meant, with its box where the file has boxes. */
static kldve_status find_row(kx_backend_state *s, kldve_pick *pick)
{
    const kldve_onnx *net = s->net;
    const kx_detector *d = &net->detector;
    const int64_t *in = net->choice.input->shape.dim;
    bool by_place = pick->kind == KLDVE_PICK_BOX_AT;
    kx_row row;
    kldve_status st;

    if (pick->kind == KLDVE_PICK_ROW && !d->choosing.used && pick->row >= net->selection.height)
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG, "row %d: the detector has %d rows, 0 to %d",
                               (int)pick->row, (int)net->selection.height,
                               (int)net->selection.height - 1);
    if (!d->found)
        return pick->kind == KLDVE_PICK_ROW
                   ? KLDVE_OK
                   : kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                                    "it is not known where the boxes of the rows are: set "
                                    "kldve_onnx_options.boxes, or pick a row by its number");
    if ((st = find_rows(s)) < 0)
        return st;
    if (d->choosing.used) {
        if ((st = find_kept(s, pick, &row)) < 0)
            return st;
    } else if (pick->kind == KLDVE_PICK_ROW)
        row = kx_row_at(d, s->found, pick->row, in + 2);
    else if (!kx_best_row(d, s->found, in + 2, by_place ? pick->x : -1, by_place ? pick->y : -1,
                          &row))
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              by_place ? "no row has a box at this place"
                                       : "no row has a score that is a number");
    pick->row = row.row;
    pick->score = row.score;
    pick->has_box = 1;
    memcpy(pick->box, row.box, sizeof pick->box);
    return KLDVE_OK;
}

kldve_status kx_backend_pick(void *state, kldve_pick *pick, float *logits)
{
    kx_backend_state *s = state;
    kx_open open = s->net->selection.open;
    const int64_t *in = s->net->choice.input->shape.dim;
    bool of_map = pick->kind == KLDVE_PICK_AT || pick->kind == KLDVE_PICK_OVER;
    kldve_status st;

    if (!s->picked || open != (of_map ? KX_OPEN_MAP : KX_OPEN_ROWS))
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "the scores of this network cannot be picked in this way");
    if (!s->pass)
        return kldve_ctx_fail(s->ctx, KLDVE_E_ARG,
                              "there is no forward pass yet: a pick needs one before it");
    if (!of_map && (st = find_row(s, pick)) < 0)
        return st;
    if (pick->kind == KLDVE_PICK_AT)
        kx_picked_at(s->picked, pick->x, pick->y);
    else if (pick->kind == KLDVE_PICK_OVER)
        kx_picked_over(s->picked, pick->weight, (int32_t)in[2], (int32_t)in[3]);
    else
        kx_picked_row(s->picked, pick->row);
    kx_read_logits(s, 1, logits);
    return KLDVE_OK;
}
