/* features.c - explanations by the head of a network, from what another program computed in front
 * of it. */
#include <assert.h>
#include <inttypes.h>

#include "explain.h"
#include "explainer.h"
#include "options.h"
#include "stages/preprocess.h"

static kldve_status check_features(const kldve_explainer *ex, const kldve_feature_maps *f)
{
    int64_t head = ex->net.shape.head;

    if (head == 0)
        return kldve_ctx_failf(
            ex->ctx, KLDVE_E_ARG,
            "features: %s is open as a whole network, not as the part behind its "
            "layer: explain a picture or an input",
            ex->net.backend.name);
    if (!f->values)
        return kldve_ctx_fail(ex->ctx, KLDVE_E_ARG, "features: the values are NULL");
    if (f->count != head)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                               "features: %" PRId64 " numbers, the head takes %" PRId64, f->count,
                               head);
    if (f->picture_width < 0 || f->picture_height < 0 || !f->picture_width != !f->picture_height)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                               "features: the picture has %d x %d pixels, both sides must be above "
                               "0, or both 0",
                               (int)f->picture_width, (int)f->picture_height);
    return KLDVE_OK;
}

/* Where the input that the features come from lies in the picture. */
static kldve_status find_frame(const kldve_explainer *ex, const kldve_feature_maps *f,
                               kldve_frame *out)
{
    const kldve_shape *s = &ex->net.shape;

    *out = (kldve_frame){{0, 0, 1, 1}, s->in_width, s->in_height};
    if (f->picture_width == 0)
        return KLDVE_OK;
    out->width = f->picture_width;
    out->height = f->picture_height;
    return kldve_preprocess_view(ex->ctx, out->width, out->height, &ex->spec, s, &out->view);
}

kldve_status kldve_explain_features(kldve_explainer *ex, const kldve_feature_maps *features,
                                    const kldve_options *options, kldve_heatmap **out)
{
    kldve_call call = {.ex = ex, .options = options};
    kldve_heatmap *map = NULL;
    kldve_feature_maps f;
    kldve_frame frame;
    int32_t failed;
    kldve_status st;
    double before;

    if (!ex)
        return KLDVE_E_ARG;
    if (!features || !out)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "features: %s NULL",
                               features ? "the result is" : "they are");
    if ((st = kldve_struct_load(ex->ctx, "kldve_feature_maps", features, &f, sizeof f)) < 0 ||
        (st = check_features(ex, &f)) < 0 || (st = find_frame(ex, &f, &frame)) < 0)
        return st;
    call.inputs = f.values;
    call.logits = f.logits;
    call.frame = &frame;
    before = kldve_ctx_enter(ex->ctx, "explain", kldve_options_deadline(options));
    if ((st = kldve_explain_together(&call, 0, 1, &map, &failed)) == KLDVE_OK)
        *out = map;
    return kldve_ctx_leave(ex->ctx, before, st);
}
