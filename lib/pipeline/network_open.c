/* network_open.c - a backend's table and its sizes, checked before anything relies on them. */
#include "network.h"

#include <limits.h>
#include <string.h>

#include "base/size.h"
#include "reason.h"
#include "single.h"

/* Copied: the host's table may end before the slots that this release knows. */
static kldve_status load_table(kldve_ctx *ctx, const kldve_backend *theirs, kldve_backend *b)
{
    const char *missing;
    kldve_status st;

    if (!theirs)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "the backend is NULL");
    if ((st = kldve_struct_load(ctx, "kldve_backend", theirs, b, sizeof *b)) < 0)
        return st;
    missing = !b->name      ? "name"
              : !b->open    ? "open"
              : !b->shape   ? "shape"
              : !b->forward ? "forward"
              : !b->close   ? "close"
                            : NULL;
    if (missing)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "backend %s: the table has no %s",
                               b->name ? b->name : "without a name", missing);
    return KLDVE_OK;
}

static bool product(int32_t a, int32_t b, int32_t c, size_t *out)
{
    size_t ab;

    return kldve_size_mul((size_t)a, (size_t)b, &ab) && kldve_size_mul(ab, (size_t)c, out) &&
           *out <= SIZE_MAX / sizeof(float);
}

/* All inputs of a batch one behind the other. */
static bool batches_fit(const kldve_network *net)
{
    size_t batch = (size_t)net->shape.batch, most = SIZE_MAX / sizeof(float), all;

    return kldve_size_mul(batch, net->inputs, &all) && all <= most &&
           kldve_size_mul(batch, net->features, &all) && all <= most &&
           kldve_size_mul(batch, (size_t)net->shape.classes, &all) && all <= most;
}

static kldve_status too_large(const kldve_network *net)
{
    return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                           "%s: shape: an array has more values than can be addressed",
                           net->backend.name);
}

static kldve_status check_shape(kldve_network *net)
{
    kldve_shape *s = &net->shape;
    const char *name = net->backend.name;

    if (s->in_channels < 1 || s->in_height < 1 || s->in_width < 1)
        return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                               "%s: shape: the input is %d x %d x %d, all sizes must be at least 1",
                               name, (int)s->in_channels, (int)s->in_height, (int)s->in_width);
    if ((s->maps != 0 || s->height != 0 || s->width != 0) && /* there is a layer */
        (s->maps < 1 || s->height < 1 || s->width < 1))
        return kldve_ctx_failf(
            net->ctx, KLDVE_E_ARG,
            "%s: shape: the feature maps are %d x %d x %d, all sizes must be at least 1, or all 0",
            name, (int)s->maps, (int)s->height, (int)s->width);
    if (s->batch < 0)
        return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                               "%s: shape: batch is %d, it must be 0 or more", name, (int)s->batch);
    if (s->all_paths < -1 || s->all_paths > 1)
        return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                               "%s: shape: all_paths is %d, it must be -1, 0 or 1", name,
                               (int)s->all_paths);
    if (s->picks < KLDVE_PICKS_NOTHING || s->picks > KLDVE_PICKS_ROW ||
        (s->picks && !kldve_network_has(net, pick)))
        return kldve_ctx_failf(
            net->ctx, KLDVE_E_ARG,
            "%s: shape: picks is %d, it must be 0 to 2 and the table have `pick`", name,
            (int)s->picks);
    if (s->head < 0 || (uint64_t)s->head > SIZE_MAX / sizeof(float) || (s->head && !s->maps))
        return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                               "%s: shape: head is %jd, it must be 0 or more numbers, and there "
                               "must be a layer",
                               name, (intmax_t)s->head);
    s->in_frames = s->in_frames == 0 ? 1 : s->in_frames;
    s->frames = s->frames == 0 ? 1 : s->frames;
    if (s->in_frames < 1 || s->in_height % s->in_frames != 0 || s->frames < 1 ||
        s->height % s->frames != 0)
        return kldve_ctx_failf(net->ctx, KLDVE_E_ARG,
                               "%s: shape: %d frames below each other in %d rows of the input, %d "
                               "in %d of the layer: the number must divide the rows",
                               name, (int)s->in_frames, (int)s->in_height, (int)s->frames,
                               (int)s->height);
    if (s->batch == 0 || !kldve_network_has(net, forward_many))
        s->batch = 1;
    if (!product(s->in_channels, s->in_height, s->in_width, &net->inputs) ||
        !product(s->maps, s->height, s->width, &net->features) ||
        !product(1, s->height, s->width, &net->cells) || net->cells > INT_MAX)
        return too_large(net);
    if (s->head)
        net->inputs = (size_t)s->head;
    if (!batches_fit(net))
        return too_large(net);
    return KLDVE_OK;
}

/* Room for what is propagated back from one score, of all inputs of a batch. */
static kldve_status make_contracted(kldve_network *net)
{
    size_t batch = (size_t)net->shape.batch;

    if (!net->shape.single)
        return KLDVE_OK;
    net->contracted = kldve_ctx_alloc(net->ctx, batch, sizeof *net->contracted);
    return net->contracted ? KLDVE_OK
                           : kldve_ctx_failf(net->ctx, KLDVE_E_NOMEM,
                                             "out of memory for %zu cotangents", batch);
}

/* A backend of a newer release may assign a larger struct as a whole: it gets room for that, and
 * the loader sees what is set beyond this release's. */
static kldve_status read_shape(kldve_network *net)
{
    union {
        kldve_shape shape;
        unsigned char bytes[KLDVE_SHAPE_ROOM];
    } room;
    kldve_reason reason;
    kldve_status st;

    memset(&room, 0, sizeof room);
    room.shape.struct_size = sizeof room.shape;
    net->backend.shape(net->state, &room.shape);
    room.shape.struct_size = sizeof room;
    kldve_reason_begin(net->ctx, &reason);
    st = kldve_struct_load(net->ctx, "kldve_shape", &room, &net->shape, sizeof net->shape);
    if (st == KLDVE_OK)
        st = kldve_single_read(net->ctx, "", &net->shape);
    st = kldve_reason_end(net->ctx, &reason, net->backend.name, "shape", st);
    if (st < 0 || (st = check_shape(net)) < 0)
        return st;
    return make_contracted(net);
}

kldve_status kldve_network_open(kldve_ctx *ctx, const kldve_backend *backend, const void *config,
                                kldve_network *net)
{
    kldve_reason reason;
    kldve_backend table;
    kldve_status st;

    memset(net, 0, sizeof *net);
    if ((st = load_table(ctx, backend, &table)) < 0)
        return st;
    kldve_reason_begin(ctx, &reason);
    st = kldve_reason_end(ctx, &reason, table.name, "open", table.open(ctx, config, &net->state));
    if (st < 0)
        return st;
    net->ctx = ctx;
    net->backend = table;
    if ((st = read_shape(net)) < 0)
        kldve_network_close(net);
    return st;
}

void kldve_network_close(kldve_network *net)
{
    if (!net->ctx)
        return;
    net->backend.close(net->state);
    kldve_ctx_release(net->ctx, net->spare);
    kldve_ctx_release(net->ctx, net->contracted);
    memset(net, 0, sizeof *net);
}
