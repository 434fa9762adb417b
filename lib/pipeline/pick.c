/* pick.c - which of its scores a network is asked for. */
#include "pick.h"

#include <assert.h>
#include <string.h>

static kldve_status nothing_to_pick(const kldve_run *run)
{
    return kldve_ctx_failf(run->job.ctx,
                           kldve_network_has(run->net, pick) ? KLDVE_E_ARG : KLDVE_E_UNSUPPORTED,
                           "%s: kldve_options.pick is set, but the scores of this network belong "
                           "to no place or row%s",
                           run->where,
                           kldve_network_has(run->net, pick)
                               ? ": load it so that they do (kldve_onnx_options.select and flags)"
                               : "");
}

kldve_status kldve_run_admit_pick(const kldve_run *run)
{
    int32_t picks = run->job.shape->picks, pick = run->options.pick;
    bool place = pick == KLDVE_PICK_AT || pick == KLDVE_PICK_OVER;

    if (picks == KLDVE_PICKS_NOTHING)
        return pick == KLDVE_PICK_NONE ? KLDVE_OK : nothing_to_pick(run);
    if (picks == KLDVE_PICKS_PLACE && !place)
        return kldve_ctx_failf(run->job.ctx, KLDVE_E_ARG,
                               "%s: there are scores for every place of the picture: say which "
                               "place with kldve_options.pick, KLDVE_PICK_AT or KLDVE_PICK_OVER",
                               run->where);
    if (picks == KLDVE_PICKS_ROW && (place || pick == KLDVE_PICK_NONE))
        return kldve_ctx_failf(run->job.ctx, KLDVE_E_ARG,
                               "%s: there are scores for every row of a detector's output: say "
                               "which row with kldve_options.pick, KLDVE_PICK_ROW, "
                               "KLDVE_PICK_BEST or KLDVE_PICK_BOX_AT",
                               run->where);
    return KLDVE_OK;
}

/* The pixel of the options in parts of the input. */
static kldve_status find_point(const kldve_run *run, kldve_pick *pick)
{
    const kldve_options *o = &run->options;
    const kldve_frame *f = &run->frame;
    float part[2], seen[4];

    if (o->pick_x < 0 || o->pick_y < 0 || o->pick_x >= f->width || o->pick_y >= f->height)
        return kldve_ctx_failf(run->job.ctx, KLDVE_E_ARG,
                               "pixel %d,%d is outside of the picture, which has %d x %d pixels",
                               (int)o->pick_x, (int)o->pick_y, (int)f->width, (int)f->height);
    if (!kldve_frame_point(f, o->pick_x, o->pick_y, part)) {
        kldve_frame_seen(f, seen);
        return kldve_ctx_failf(run->job.ctx, KLDVE_E_ARG,
                               "the network does not see pixel %d,%d: of the %d x %d pixels it "
                               "sees those from %.0f,%.0f to %.0f,%.0f",
                               (int)o->pick_x, (int)o->pick_y, (int)f->width, (int)f->height,
                               (double)seen[0], (double)seen[1], (double)(seen[2] - 1),
                               (double)(seen[3] - 1));
    }
    pick->x = part[0];
    pick->y = part[1];
    return KLDVE_OK;
}

/* The region of the options as weights of the input's pixels, [in_height][in_width]. */
static kldve_status find_region(const kldve_run *run, float *weight)
{
    const kldve_options *o = &run->options;
    const kldve_frame *f = &run->frame;
    const kldve_shape *s = run->job.shape;

    if (o->region_width != f->width || o->region_height != f->height)
        return kldve_ctx_failf(run->job.ctx, KLDVE_E_ARG,
                               "the region has %d x %d pixels, the picture %d x %d: they must be "
                               "of one size",
                               (int)o->region_width, (int)o->region_height, (int)f->width,
                               (int)f->height);
    if (kldve_frame_region(f, o->region, s->in_height, s->in_width, weight) == 0)
        return kldve_ctx_fail(run->job.ctx, KLDVE_E_ARG,
                              "the region is empty, or the network sees nothing of it");
    return KLDVE_OK;
}

static kldve_status pick_region(kldve_run *run, kldve_pick *pick)
{
    const kldve_shape *s = run->job.shape;
    size_t count = (size_t)s->in_height * (size_t)s->in_width;
    float *weight = kldve_ctx_alloc(run->job.ctx, count, sizeof *weight);
    kldve_status st;

    if (!weight)
        return kldve_ctx_fail(run->job.ctx, KLDVE_E_NOMEM, "out of memory for a region");
    pick->weight = weight;
    if ((st = find_region(run, weight)) == KLDVE_OK)
        st = kldve_network_pick(run->net, pick, run->buffers->logits);
    kldve_ctx_release(run->job.ctx, weight);
    return st;
}

static void record_pick(kldve_run *run, const kldve_pick *pick)
{
    kldve_record *r = &run->map->record;

    r->pick = pick->kind;
    if (run->job.shape->picks != KLDVE_PICKS_ROW)
        return;
    r->row = pick->row;
    if (!pick->has_box)
        return;
    r->box_score = pick->score;
    kldve_frame_box(&run->frame, pick->box, r->box);
    for (int i = 0; i < 4; i++)
        run->map->box[i] = r->box[i] / (float)(i % 2 ? run->frame.height : run->frame.width);
}

kldve_status kldve_run_pick(kldve_run *run)
{
    const kldve_options *o = &run->options;
    kldve_pick pick = {.struct_size = sizeof pick, .kind = o->pick, .row = o->pick_row};
    bool point = o->pick == KLDVE_PICK_AT || o->pick == KLDVE_PICK_BOX_AT;
    kldve_status st = KLDVE_OK;

    if (o->pick == KLDVE_PICK_NONE)
        return KLDVE_OK;
    if (run->job.shape->in_frames > 1)
        return kldve_ctx_fail(run->job.ctx, KLDVE_E_UNSUPPORTED,
                              "scores cannot be picked by a place of a film");
    if (point)
        st = find_point(run, &pick);
    if (st == KLDVE_OK)
        st = o->pick == KLDVE_PICK_OVER ? pick_region(run, &pick)
                                        : kldve_network_pick(run->net, &pick, run->buffers->logits);
    if (st == KLDVE_OK && run->map) /* a bare forward pass has none */
        record_pick(run, &pick);
    return st;
}
