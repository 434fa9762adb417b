/* load_options.c - what a caller may ask of a network. */
#include "load.h"

#include "../../base/finite.h"
#include "handshake.h"

enum { MAX_THREADS = 1024, MAX_BATCH = 1024 };

/* Numbers, each by itself. */
static kldve_status check_ranges(kldve_ctx *ctx, const kldve_onnx_options *o)
{
    if (o->threads < 0 || o->threads > MAX_THREADS)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: threads is %d, it must be 0 to %d",
                               (int)o->threads, MAX_THREADS);
    if (o->in_height < 0 || o->in_width < 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: the input is %d x %d, neither may be negative",
                               (int)o->in_height, (int)o->in_width);
    if (o->grid_height < 0 || o->grid_width < 0 || !o->grid_height != !o->grid_width)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: the grid is %d x %d, both must be above 0, or "
                               "both 0",
                               (int)o->grid_height, (int)o->grid_width);
    if (o->batch < KLDVE_ONNX_BATCH_AUTO || o->batch > MAX_BATCH)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: batch is %d, it must be %d to %d",
                               (int)o->batch, KLDVE_ONNX_BATCH_AUTO, MAX_BATCH);
    if (o->scores < 0 || o->scores > 1 + KLDVE_SCORES_NUMBER)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: scores is %d, it must be 0 to %d",
                               (int)o->scores, 1 + KLDVE_SCORES_NUMBER);
    if (!kldve_at_least_zero(o->deadline_ms))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "kldve_onnx_options: deadline_ms is %g, it must be 0 or more",
                               o->deadline_ms);
    if (o->reserved != 0)
        return kldve_ctx_fail(ctx, KLDVE_E_UNSUPPORTED,
                              "kldve_onnx_options: a reserved member is set, it must be 0");
    return KLDVE_OK;
}

static kldve_status check_boxes(kldve_ctx *ctx, const kldve_onnx_options *o)
{
    if (o->box_format < KLDVE_ONNX_BOXES_AUTO || o->box_format > KLDVE_ONNX_BOXES_ROWS_FIRST ||
        o->box_units < KLDVE_ONNX_BOX_UNITS_AUTO || o->box_units > KLDVE_ONNX_BOX_UNITS_PIXELS)
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG,
            "kldve_onnx_options: box_format is %d and box_units %d, they must be "
            "0 to 4 and 0 to 2",
            (int)o->box_format, (int)o->box_units);
    if ((o->boxes || o->objects) && !o->select)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "kldve_onnx_options: boxes and objects are those of the rows that "
                              "select selects: set that as well");
    return KLDVE_OK;
}

/* Flags, and options that say where the scores are, of which there may be one. */
static kldve_status check_flags(kldve_ctx *ctx, const kldve_onnx_options *o)
{
    const uint64_t picks = KLDVE_ONNX_FLAG_PICK_PLACE | KLDVE_ONNX_FLAG_PICK_ROW;
    const uint64_t known = KLDVE_ONNX_FLAG_NAMED | KLDVE_ONNX_FLAG_COPY | KLDVE_ONNX_FLAG_LIST |
                           KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_NO_VJP |
                           KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_DIRECT | KLDVE_ONNX_FLAG_HEAD |
                           KLDVE_ONNX_FLAG_DETERMINISTIC | picks;

    if ((o->flags & picks) == picks || (o->flags & picks && o->select))
        return kldve_ctx_fail(
            ctx, KLDVE_E_ARG,
            "kldve_onnx_options: KLDVE_ONNX_FLAG_PICK_PLACE, KLDVE_ONNX_FLAG_PICK_ROW and "
            "select all say which scores there are: set one of them");
    if (o->select && o->logits)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "kldve_onnx_options: select and logits both say where the scores "
                              "are: set one of them, select can name the tensor, too");
    if (o->flags & KLDVE_ONNX_FLAG_HEAD &&
        o->flags & (KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_LIST))
        return kldve_ctx_fail(
            ctx, KLDVE_E_ARG,
            "kldve_onnx_options: KLDVE_ONNX_FLAG_HEAD plans only what lies behind the "
            "layer, without pixels: it goes with neither KLDVE_ONNX_FLAG_VJP_INPUT "
            "nor KLDVE_ONNX_FLAG_LIST");
    if (o->flags & KLDVE_ONNX_FLAG_HEAD && o->batch != 0 && o->batch != 1)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "kldve_onnx_options: with KLDVE_ONNX_FLAG_HEAD batch is 0 or 1");
    if (o->flags & ~known)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "kldve_onnx_options: unknown flags 0x%jx",
                               (uintmax_t)(o->flags & ~known));
    return KLDVE_OK;
}

kldve_status kx_options_load(kldve_ctx *ctx, const kldve_onnx_options *from, kldve_onnx_options *to)
{
    kldve_status st = kx_handshake(ctx);

    if (st < 0 || (st = kldve_struct_load(ctx, "kldve_onnx_options", from, to, sizeof *to)) < 0 ||
        (st = check_ranges(ctx, to)) < 0 || (st = check_boxes(ctx, to)) < 0)
        return st;
    return check_flags(ctx, to);
}
