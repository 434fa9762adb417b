/* inputs.c - which input of a model is the picture; the stages of settling.  See inputs.h. */
#include "input_parts.h"

#include <string.h>

#include "frontier.h"
#include "read/names.h"

/* ---- the picture -------------------------------------------------------------------------- */

static bool is_float(int32_t type)
{
    return type == KX_ONNX_FLOAT || type == KX_ONNX_FLOAT16 || type == KX_ONNX_BFLOAT16 ||
           type == KX_ONNX_DOUBLE;
}

static bool is_short(int32_t type)
{
    return type >= KX_ONNX_UINT8 && type <= KX_ONNX_INT32;
}

/* The free inputs that nobody gave a value, which could be the picture: those with three axes or,
 * with `any`, all of floats.  Returns how many, *out the last. */
static int32_t candidates(const kx_settler *s, bool any, bool states, const kx_proto_value **out)
{
    int32_t n = 0;

    for (int32_t i = 0; i < s->ninput; i++) {
        const kx_proto_value *v = s->input[i];
        bool fits = is_float(v->dtype) ? any || v->rank >= 3 || v->rank < 0
                                       : is_short(v->dtype) && v->rank >= 3;

        if (fits && !kx_settle_given(s, v->name) && (states || !kx_settle_is_state(s->m, v))) {
            *out = v;
            n++;
        }
    }
    return n;
}

/* Inputs that are tensors in the file as well, as older files have them, are constants. */
static bool find_free(kx_settler *s)
{
    const kx_model *m = s->m;
    kx_names constants;

    s->input = kx_arena_alloc(s->arena, (size_t)m->ninput + 1, sizeof *s->input);
    if (!s->input || !kx_names_init(&constants, s->arena, (size_t)m->ninitializer))
        return false;
    for (int32_t i = 0; i < m->ninitializer; i++)
        kx_names_set(&constants, m->initializer[i].name, &m->initializer[i]);
    for (int32_t i = 0; i < m->ninput; i++)
        if (!kx_names_find(&constants, m->input[i].name))
            s->input[s->ninput++] = &m->input[i];
    return true;
}

static kldve_status named_picture(kx_settler *s, const char *name)
{
    char text[KX_INPUT_TEXT];

    for (int32_t i = 0; i < s->ninput; i++)
        if (strcmp(s->input[i]->name, name) == 0)
            s->file_picture = s->input[i];
    kx_settle_list_all(s, text);
    if (!s->file_picture)
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                               "no input is called '%.60s' (given as the picture); there are %s",
                               name, text);
    if (!is_float(s->file_picture->dtype) && !is_short(s->file_picture->dtype))
        return kldve_ctx_failf(s->ctx, KLDVE_E_UNSUPPORTED,
                               "input '%.60s' cannot be the picture: it is %s", name,
                               kx_settle_type(s->file_picture->dtype));
    return KLDVE_OK;
}

static kldve_status find_picture(kx_settler *s)
{
    char text[KX_INPUT_TEXT];
    int32_t n;

    if (s->o->user->picture_input)
        return named_picture(s, s->o->user->picture_input);
    n = candidates(s, false, false, &s->file_picture);
    if (n == 0)
        n = candidates(s, true, false, &s->file_picture);
    if (n == 0)
        n = candidates(s, false, true, &s->file_picture);
    if (n == 0)
        n = candidates(s, true, true, &s->file_picture);
    if (n == 1)
        return KLDVE_OK;
    kx_settle_list_all(s, text);
    if (!*text)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED, "the network has no input");
    return kldve_ctx_failf(
        s->ctx, KLDVE_E_UNSUPPORTED,
        n > 1
            ? "several inputs can be the picture: %s; name it (--picture-input NAME), and give the "
              "others a value (--input NAME=FILE.npy)"
            : "no input can be the picture, which is floating-point numbers, or integers of up to "
              "32 bits with three axes or more: %s",
        text);
}

/* ---- the weights that it meets ------------------------------------------------------------ */

static const kx_proto_tensor *constant_of(const kx_model *m, const char *name)
{
    for (int32_t i = 0; i < m->ninitializer; i++)
        if (strcmp(m->initializer[i].name, name) == 0)
            return &m->initializer[i];
    for (int32_t i = 0; i < m->nnode; i++)
        if (m->node[i].nin == 0 && m->node[i].nattr == 1 && m->node[i].attr[0].t &&
            m->node[i].nout > 0 && strcmp(m->node[i].out[0], name) == 0)
            return m->node[i].attr[0].t;
    return NULL;
}

/* Arithmetic element by element: its constants are a mean, say, spread over the picture. */
static bool is_elementwise(const kx_model *m, const kx_proto_node *n)
{
    const kx_op *op = kx_file_op(m, n);

    return op && op->traits.mixing == KX_MIXING_NONE &&
           (op->traits.effect == KX_EFFECT_ADDS || op->traits.effect == KX_EFFECT_MULTIPLIES ||
            op->traits.effect == KX_EFFECT_DIVIDES);
}

/* A convolution over n axes has weights of n + 2: the first node with such weights tells how the
 * network sees its picture.  Only the first nodes are asked.  NULL: none has. */
static const kx_proto_tensor *first_weights(const kx_model *m)
{
    enum { FIRST = 200 };

    for (int32_t i = 0; i < m->nnode && i < FIRST; i++)
        for (int32_t k = 1; k < m->node[i].nin && k < 3; k++) {
            const kx_proto_tensor *t = constant_of(m, m->node[i].in[k]);

            if (t && t->rank >= 3 && !is_elementwise(m, &m->node[i]))
                return t;
        }
    return NULL;
}

/* ---- the stages --------------------------------------------------------------------------- */

static kldve_status settle_others(kx_settler *s)
{
    const kx_model *m = s->m;
    kx_model *to = &s->out->model;
    size_t room = (size_t)m->ninitializer + (size_t)m->ninput + KX_LEAD_CONSTANTS;
    kx_proto_tensor *all = kx_arena_alloc(s->arena, room, sizeof *all);
    kldve_status st = KLDVE_OK;

    if (!all)
        return kx_settle_nomem(s);
    if (m->ninitializer)
        memcpy(all, m->initializer, (size_t)m->ninitializer * sizeof *all);
    to->initializer = all;
    for (int32_t i = 0; st == KLDVE_OK && i < s->ninput; i++) {
        kx_proto_value v = *s->input[i];

        if (s->input[i] == s->file_picture)
            continue;
        if ((st = kx_settle_other_dims(s, &v)) == KLDVE_OK)
            st = kx_settle_value(s, &v, &all[to->ninitializer++]);
    }
    return st;
}

/* Values and sizes for names that do not exist are mistakes. */
static kldve_status check_given(const kx_settler *s)
{
    const kldve_onnx_options *u = s->o->user;
    char text[KX_INPUT_TEXT];

    for (int32_t i = 0; i < u->input_count; i++) {
        bool found = false;

        for (int32_t k = 0; k < s->ninput; k++)
            found = found || strcmp(s->input[k]->name, u->inputs[i].name) == 0;
        if (found && strcmp(u->inputs[i].name, s->file_picture->name) != 0)
            continue;
        kx_settle_list_all(s, text);
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                               found ? "input '%.60s' is the picture and takes no other value; "
                                       "there are %s"
                                     : "no input is called '%.60s'; there are %s",
                               u->inputs[i].name, text);
    }
    return kx_settle_check_dims(s);
}

kldve_status kx_inputs_settle(kldve_ctx *ctx, kx_arena *arena, const kx_model *m,
                              const kx_input_options *o, kx_inputs *out)
{
    kx_settler s = {.ctx = ctx, .arena = arena, .m = m, .o = o, .out = out};
    const kx_proto_tensor *weights;
    kldve_status st;

    *out = (kx_inputs){.model = *m, .batch = 1, .frames = 1};
    s.dim_used = kx_arena_alloc(arena, (size_t)o->user->dim_count + 1, sizeof *s.dim_used);
    if (!s.dim_used || !find_free(&s))
        return kx_settle_nomem(&s);
    if ((st = find_picture(&s)) < 0)
        return st;
    out->name = s.file_picture->name;
    if ((weights = first_weights(m))) {
        s.weights = weights->rank;
        s.fed = weights->dim[1];
    }
    s.picture = *s.file_picture;
    if ((st = kx_settle_layout(&s)) < 0 || (st = kx_settle_picture_dims(&s, &s.picture)) < 0 ||
        (st = settle_others(&s)) < 0 || (st = check_given(&s)) < 0)
        return st;
    return kx_settle_form(&s);
}
