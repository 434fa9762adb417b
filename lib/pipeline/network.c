/* network.c - a backend and its state. */
#include "network.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "attention_relay.h"
#include "base/finite.h"
#include "base/size.h"
#include "single.h"

enum { MESSAGE_SIZE = 512 };

/* Set aside the context's message during a call, so that a reason which the call gives can be told
 * from that of an older failure. */
struct aside {
    char message[MESSAGE_SIZE];
};

static void begin(kldve_ctx *ctx, struct aside *aside)
{
    strncpy(aside->message, kldve_ctx_message(ctx), MESSAGE_SIZE - 1);
    aside->message[MESSAGE_SIZE - 1] = 0;
    kldve_ctx_fail(ctx, KLDVE_OK, "");
}

/* "NAME: STEP: reason", the reason being the backend's own or the status's name. */
static kldve_status finish(kldve_ctx *ctx, struct aside *aside, const char *name, const char *step,
                           kldve_status st)
{
    if (st == KLDVE_OK) {
        kldve_ctx_fail(ctx, KLDVE_OK, aside->message);
        return KLDVE_OK;
    }
    strncpy(aside->message, kldve_ctx_message(ctx), MESSAGE_SIZE - 1);
    if (st > 0)
        return kldve_ctx_failf(ctx, KLDVE_E_BACKEND, "%s: %s: returned %d, which is not a status",
                               name, step, (int)st);
    if (!*aside->message)
        return kldve_ctx_failf(ctx, st, "%s: %s: %s", name, step, kldve_status_name(st));
    return kldve_ctx_failf(ctx, st, "%s: %s: %s", name, step, aside->message);
}

/* -- open and close --------------------------------------------------------------------------- */

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
    if (s->batch == 0 || !kldve_network_has(net, forward_many))
        s->batch = 1;
    if (!product(s->in_channels, s->in_height, s->in_width, &net->inputs) ||
        !product(s->maps, s->height, s->width, &net->features) ||
        !product(1, s->height, s->width, &net->cells) || net->cells > INT_MAX || !batches_fit(net))
        return kldve_ctx_failf(net->ctx, KLDVE_E_LIMIT,
                               "%s: shape: an array has more values than can be addressed", name);
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
    struct aside aside;
    kldve_status st;

    memset(&room, 0, sizeof room);
    room.shape.struct_size = sizeof room.shape;
    net->backend.shape(net->state, &room.shape);
    room.shape.struct_size = sizeof room;
    begin(net->ctx, &aside);
    st = kldve_struct_load(net->ctx, "kldve_shape", &room, &net->shape, sizeof net->shape);
    if (st == KLDVE_OK)
        st = kldve_single_read(net->ctx, "", &net->shape);
    st = finish(net->ctx, &aside, net->backend.name, "shape", st);
    if (st < 0 || (st = check_shape(net)) < 0)
        return st;
    return make_contracted(net);
}

kldve_status kldve_network_open(kldve_ctx *ctx, const kldve_backend *backend, const void *config,
                                kldve_network *net)
{
    struct aside aside;
    kldve_backend table;
    kldve_status st;

    memset(net, 0, sizeof *net);
    if ((st = load_table(ctx, backend, &table)) < 0)
        return st;
    begin(ctx, &aside);
    st = finish(ctx, &aside, table.name, "open", table.open(ctx, config, &net->state));
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

/* -- calls ------------------------------------------------------------------------------------ */

/* A call of the table, of which a failure reads "NAME: STEP: reason". */
#define CALL(net, aside, step, slot, ...)                                                          \
    (begin((net)->ctx, aside), finish((net)->ctx, aside, (net)->backend.name, step,                \
                                      (net)->backend.slot((net)->state, __VA_ARGS__)))

/* The scores that the backend left in logits [count][classes], as classes. */
static void expand(const kldve_network *net, size_t count, float *logits)
{
    if (net->shape.single)
        kldve_single_expand(logits, count);
}

/* The cotangents [count][classes] at the backend's scores. */
static const float *contract(const kldve_network *net, size_t count, const float *cotangents)
{
    if (!net->shape.single)
        return cotangents;
    kldve_single_contract(cotangents, count, net->contracted);
    return net->contracted;
}

static kldve_status check(const kldve_network *net, const char *what, const float *value,
                          size_t count)
{
    return kldve_finite_check(net->ctx, net->backend.name, what, value, count);
}

/* check() of what each of several inputs has. */
static kldve_status check_each(const kldve_network *net, const char *what, const float *value,
                               size_t each, int32_t count, int32_t *refused)
{
    for (int32_t i = 0; i < count; i++) {
        kldve_status st = check(net, what, value + (size_t)i * each, each);

        if (st < 0) {
            *refused = i;
            return st;
        }
    }
    return KLDVE_OK;
}

/* A pass of one input, or of a batch, which may do without features. */
static kldve_status forward(kldve_network *net, int32_t count, const float *inputs, float *logits,
                            float *features, int32_t *refused)
{
    size_t classes = (size_t)net->shape.classes;
    struct aside aside;
    kldve_status st;

    assert(count == 1 || count == net->shape.batch);
    assert(count == 1 || kldve_network_has(net, forward_many));
    assert(features || count > 1);
    *refused = -1;
    net->held = KLDVE_HELD_NOTHING;
    st = count == 1
             ? CALL(net, &aside, "forward", forward, inputs, logits, features)
             : CALL(net, &aside, "forward of a batch", forward_many, inputs, logits, features);
    if (st < 0)
        return st;
    expand(net, (size_t)count, logits);
    return check_each(net, "logit", logits, classes, count, refused);
}

kldve_status kldve_network_forward(kldve_network *net, int32_t count, const float *inputs,
                                   float *logits, float *features, int32_t *refused)
{
    kldve_status st = forward(net, count, inputs, logits, features, refused);

    if (st < 0 || (st = check_each(net, "feature", features, net->features, count, refused)) < 0)
        return st;
    net->held = count == 1 ? KLDVE_HELD_INPUT : KLDVE_HELD_BATCH;
    net->held_for = inputs;
    return KLDVE_OK;
}

kldve_status kldve_network_pick(kldve_network *net, kldve_pick *pick, float *logits)
{
    struct aside aside;
    kldve_status st;

    assert(net->held == KLDVE_HELD_INPUT && kldve_network_has(net, pick));
    if ((st = CALL(net, &aside, "pick", pick, pick, logits)) < 0)
        return st;
    expand(net, 1, logits);
    return check(net, "logit", logits, (size_t)net->shape.classes);
}

kldve_status kldve_network_restore(kldve_network *net, int32_t count, const float *inputs,
                                   float *logits, float *features, int32_t *refused)
{
    kldve_held explained = count == 1 ? KLDVE_HELD_INPUT : KLDVE_HELD_BATCH;

    if (net->held == explained && net->held_for == inputs)
        return KLDVE_OK;
    return kldve_network_forward(net, count, inputs, logits, features, refused);
}

kldve_status kldve_network_vjp(kldve_network *net, int32_t count, const float *cotangents,
                               float *gradients, int32_t *refused)
{
    struct aside aside;
    kldve_status st;

    *refused = -1;
    if (!kldve_network_has(net, vjp))
        return kldve_ctx_failf(net->ctx, KLDVE_E_NO_VJP, "%s: has no backward pass to the layer",
                               net->backend.name);
    assert(count == 1 ? net->held == KLDVE_HELD_INPUT || net->held == KLDVE_HELD_CHANGED
                      : net->held == KLDVE_HELD_BATCH && count == net->shape.batch);
    cotangents = contract(net, (size_t)count, cotangents);
    st = count == 1 ? CALL(net, &aside, "backward", vjp, cotangents, gradients)
                    : CALL(net, &aside, "backward of a batch", vjp_many, cotangents, gradients);
    return st < 0 ? st : check_each(net, "gradient", gradients, net->features, count, refused);
}

/* Room for the features that nobody asked for. */
static kldve_status make_spare(kldve_network *net)
{
    if (!net->spare)
        net->spare = kldve_ctx_alloc(net->ctx, net->features, sizeof *net->spare);
    return net->spare ? KLDVE_OK
                      : kldve_ctx_failf(net->ctx, KLDVE_E_NOMEM, "out of memory for %zu features",
                                        net->features);
}

/* The state holds what was changed for the explained input `held_for`, if that went well. */
static kldve_status hold_changed(kldve_network *net, const float *held_for, kldve_status st)
{
    net->held = st == KLDVE_OK ? KLDVE_HELD_CHANGED : KLDVE_HELD_NOTHING;
    net->held_for = held_for;
    return st;
}

kldve_status kldve_network_forward_changed(kldve_network *net, const float *held_for, int32_t count,
                                           const float *inputs, float *logits)
{
    int32_t refused;
    kldve_status st;

    if (count > 1)
        return forward(net, count, inputs, logits, NULL, &refused);
    if ((st = make_spare(net)) < 0)
        return st;
    return hold_changed(net, held_for, forward(net, 1, inputs, logits, net->spare, &refused));
}

void kldve_network_let_go(kldve_network *net)
{
    if (net->held == KLDVE_HELD_CHANGED)
        net->held = KLDVE_HELD_NOTHING;
}

kldve_status kldve_network_forward_features(kldve_network *net, const float *held_for,
                                            const float *features, float *logits)
{
    struct aside aside;
    kldve_status st;

    if (!kldve_network_has(net, forward_features))
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                               "%s: cannot run from changed feature maps", net->backend.name);
    st = CALL(net, &aside, "forward from features", forward_features, features, logits);
    if (st == KLDVE_OK) {
        expand(net, 1, logits);
        st = check(net, "logit", logits, (size_t)net->shape.classes);
    }
    return hold_changed(net, held_for, st);
}

kldve_status kldve_network_vjp_input(kldve_network *net, const float *cotangent, int32_t rule,
                                     float *gradient)
{
    struct aside aside;
    kldve_status st;

    assert(net->held == KLDVE_HELD_INPUT || net->held == KLDVE_HELD_CHANGED);
    if (!kldve_network_has(net, vjp_input))
        return kldve_ctx_failf(net->ctx, KLDVE_E_NO_VJP, "%s: has no backward pass to the pixels",
                               net->backend.name);
    cotangent = contract(net, 1, cotangent);
    st = CALL(net, &aside, "backward to the pixels", vjp_input, cotangent, rule, gradient);
    return st < 0 ? st : check(net, "pixel gradient", gradient, net->inputs);
}

/* The visitor sees units of this release, whatever release the backend was compiled for. */
struct relay {
    kldve_ctx *ctx;
    kldve_bias_visitor visit;
    void *opaque;
};

static kldve_status relay_unit(void *opaque, const kldve_bias_gradient *theirs)
{
    const struct relay *to = opaque;
    kldve_bias_gradient unit;
    kldve_status st = kldve_struct_load(to->ctx, "kldve_bias_gradient", theirs, &unit, sizeof unit);

    return st < 0 ? st : to->visit(to->opaque, &unit);
}

kldve_status kldve_network_vjp_biases(kldve_network *net, const float *cotangent, float *gradient,
                                      kldve_bias_visitor visit, void *opaque)
{
    struct relay relay = {net->ctx, visit, opaque};
    struct aside aside;
    kldve_status st;

    assert(net->held == KLDVE_HELD_INPUT || net->held == KLDVE_HELD_CHANGED);
    if (!kldve_network_has(net, vjp_biases))
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED, "%s: has no gradients at biases",
                               net->backend.name);
    cotangent = contract(net, 1, cotangent);
    st = CALL(net, &aside, "backward to the biases", vjp_biases, cotangent, gradient, relay_unit,
              &relay);
    return st < 0 ? st : check(net, "pixel gradient", gradient, net->inputs);
}

kldve_status kldve_network_attentions(kldve_network *net, const float *cotangent,
                                      kldve_attention_visitor visit, void *opaque)
{
    kldve_attention_relay relay = {.ctx = net->ctx,
                                   .backend = net->backend.name,
                                   .gradients = cotangent != NULL,
                                   .visit = visit,
                                   .opaque = opaque};
    struct aside aside;
    kldve_status st;

    assert(net->held == KLDVE_HELD_INPUT || net->held == KLDVE_HELD_CHANGED);
    if (!kldve_network_has(net, attentions))
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED, "%s: has no attentions",
                               net->backend.name);
    if (cotangent)
        cotangent = contract(net, 1, cotangent);
    cotangent = cotangent ? contract(net, 1, cotangent) : NULL;
    st = CALL(net, &aside, "attentions", attentions, cotangent, kldve_attention_pass_on, &relay);
    if (st == KLDVE_OK && relay.visited == 0)
        return kldve_ctx_failf(net->ctx, KLDVE_E_UNSUPPORTED,
                               "%s: attentions: the network has none", net->backend.name);
    return st;
}
