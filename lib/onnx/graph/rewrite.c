/* rewrite.c - see rewrite.h. */
#include "graph/rewrite.h"

#include <stdio.h>
#include <string.h>

#include "read/proto.h"

const char *kx_emit_name(kx_rewrite *r, const char *name, const char *what)
{
    size_t size = strlen(name) + strlen(what) + 2;
    char *text = r->st < 0 ? NULL : kx_new(r->g, size, 1);

    if (r->st < 0)
        return NULL;
    if (!text)
        r->st = kx_nomem(r->g);
    else
        snprintf(text, size, "%s.%s", name, what);
    return text;
}

static kx_value *new_value(kx_rewrite *r, const char *name)
{
    char what[16];
    kx_value *v;

    snprintf(what, sizeof what, "%d", ++r->made);
    if (!name && !(name = kx_emit_name(r, r->node->name, what)))
        return NULL;
    if (!(v = r->value(r, name)))
        r->st = kx_nomem(r->g);
    return v;
}

kx_value *kx_emit(kx_rewrite *r, kx_part part)
{
    kx_node n = {.name = r->node->name,
                 .type = part.type,
                 .nin = part.nin,
                 .nout = 1 + part.nmore,
                 .nattr = part.nattr};
    kx_value *out;

    if (r->st < 0)
        return NULL;
    out = part.out ? part.out : new_value(r, part.name);
    n.in = kx_new(r->g, (size_t)part.nin + 1, sizeof *n.in);
    n.out = kx_new(r->g, (size_t)n.nout, sizeof *n.out);
    n.attr = kx_new(r->g, (size_t)part.nattr + 1, sizeof *n.attr);
    if (r->st == KLDVE_OK && (!out || !n.in || !n.out || !n.attr))
        r->st = kx_nomem(r->g);
    if (r->st < 0)
        return NULL;
    memcpy(n.in, part.list ? part.list : part.in, (size_t)part.nin * sizeof *n.in);
    while (n.nin > 0 && !n.in[n.nin - 1]) /* trailing omitted inputs */
        n.nin--;
    if (part.nattr)
        memcpy(n.attr, part.attr, (size_t)part.nattr * sizeof *n.attr);
    n.out[0] = out;
    for (int32_t i = 0; i < part.nmore; i++)
        if (!(n.out[1 + i] = part.more[i] = new_value(r, NULL)))
            return NULL;
    r->st = r->place(r, &n);
    return r->st < 0 ? NULL : out;
}

kx_value *kx_emit_floats(kx_rewrite *r, const float *data, size_t count)
{
    kx_value *v = r->st < 0 ? NULL : new_value(r, NULL);
    float *copy = v ? kx_new(r->g, count, sizeof *copy) : NULL;

    if (!v)
        return NULL;
    if (!copy) {
        r->st = kx_nomem(r->g);
        return NULL;
    }
    memcpy(copy, data, count * sizeof *copy);
    v->dtype = KX_F32;
    v->onnx_type = KX_ONNX_FLOAT;
    v->shape.rank = count > 1;
    v->shape.dim[0] = (int64_t)count;
    v->count = count;
    v->raw = copy;
    return v;
}
