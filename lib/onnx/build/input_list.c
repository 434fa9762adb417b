/* input_list.c - the inputs as the file and the user tell of them.  See input_parts.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "input_parts.h"

kldve_status kx_settle_nomem(const kx_settler *s)
{
    return kldve_ctx_fail(s->ctx, KLDVE_E_NOMEM, "out of memory while reading the network");
}

kldve_status kx_settle_say(const kx_settler *s, const char *format, ...)
{
    char text[KX_INPUT_TEXT];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return s->o->say(s->o->opaque, text);
}

const char *kx_settle_type(int32_t type)
{
    static const char *const name[] = {"",        "float32", "uint8",  "int8",   "uint16",
                                       "int16",   "int32",   "int64",  "string", "bool",
                                       "float16", "float64", "uint32", "uint64"};

    return type == KX_ONNX_BFLOAT16             ? "bfloat16"
           : type > 0 && type <= KX_ONNX_UINT64 ? name[type]
                                                : "of an unknown type";
}

void kx_settle_list(const kx_proto_value *v, char *text)
{
    size_t used = strlen(text);

    used += (size_t)snprintf(text + used, KX_INPUT_TEXT - used, "%s'%.60s' %s ", used ? ", " : "",
                             v->name, kx_settle_type(v->dtype));
    for (int32_t i = 0; i < v->rank && used < KX_INPUT_TEXT; i++)
        if (v->dim[i] > 0)
            used +=
                (size_t)snprintf(text + used, KX_INPUT_TEXT - used, "[%lld]", (long long)v->dim[i]);
        else
            used += (size_t)snprintf(text + used, KX_INPUT_TEXT - used, "[%.20s]",
                                     v->symbol[i] ? v->symbol[i] : "?");
}

void kx_settle_list_all(const kx_settler *s, char *text)
{
    *text = '\0';
    for (int32_t i = 0; i < s->ninput; i++)
        kx_settle_list(s->input[i], text);
}

const kldve_onnx_input *kx_settle_given(const kx_settler *s, const char *name)
{
    const kldve_onnx_options *u = s->o->user;

    for (int32_t i = 0; i < u->input_count; i++)
        if (strcmp(u->inputs[i].name, name) == 0)
            return &u->inputs[i];
    return NULL;
}

/* Dimensions that are open on either side may be equal, where there are no more than three: those
 * of a state of layers, [layers][batch][units].  Pictures go out of many networks as well. */
static bool may_equal(const kx_proto_value *v, const kx_proto_value *out, int32_t axis)
{
    bool open = v->dim[axis] <= 0, out_open = out->dim[axis] <= 0;

    if (v->rank <= 3 && (open || out_open))
        return true;
    return open == out_open && (open || v->dim[axis] == out->dim[axis]);
}

bool kx_settle_is_state(const kx_model *m, const kx_proto_value *v)
{
    bool fixed = false;

    for (int32_t i = 0; i < v->rank; i++)
        fixed = fixed || v->dim[i] > 1;
    for (int32_t o = 0; v->rank >= 2 && fixed && o < m->noutput; o++) {
        const kx_proto_value *out = &m->output[o];
        bool same = out->dtype == v->dtype && out->rank == v->rank;

        for (int32_t i = 0; same && i < v->rank; i++)
            same = may_equal(v, out, i);
        if (same)
            return true;
    }
    return false;
}
