/* values.c - values by name, constants.  See builder.h. */
#include "builder.h"

#include <assert.h>
#include <string.h>

#include "elements.h"

/* *array has room for *room items of `size` bytes, of which `used` are in use: make it `wanted`. */
static bool grow(kx_graph *g, void **array, size_t size, int32_t used, size_t wanted, size_t *room)
{
    void *more;

    if (wanted <= *room)
        return true;
    wanted += wanted / 2; /* so that growing by ones copies little in all */
    more = wanted > INT32_MAX ? NULL : kx_new(g, wanted, size);
    if (!more)
        return false;
    if (used)
        memcpy(more, *array, (size_t)used * size);
    *array = more;
    *room = wanted;
    return true;
}

kldve_status kx_build_room(kx_builder *b, size_t nodes, size_t values)
{
    kx_graph *g = b->g;
    void *node = g->node, *value = g->value;
    bool ok = grow(g, &node, sizeof *g->node, g->nnode, nodes, &b->nodes) &&
              grow(g, &value, sizeof *g->value, g->nvalue, values, &b->values);

    g->node = node;
    g->value = value;
    return ok ? KLDVE_OK : kx_nomem(g);
}

kx_value *kx_build_value(kx_builder *b, const char *name)
{
    kx_graph *g = b->g;
    kx_value *v = kx_new(g, 1, sizeof *v);

    if (!v || kx_build_room(b, 0, (size_t)g->nvalue + 1) < 0)
        return NULL;
    v->name = name;
    v->id = g->nvalue;
    v->producer = -1;
    g->value[g->nvalue++] = v;
    return v;
}

kldve_status kx_build_constant(kx_builder *b, const kx_proto_tensor *t, kx_value **out)
{
    kx_graph *g = b->g;
    kx_value *v = kx_build_value(b, t->name ? t->name : "");

    if (!v)
        return kx_nomem(g);
    if (!kx_element_dtype(t->dtype, &v->dtype))
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "tensor '%.80s': element type %d is not supported", v->name,
                               t->dtype);
    v->onnx_type = t->dtype;
    v->shape.rank = t->rank;
    memcpy(v->shape.dim, t->dim, sizeof t->dim);
    v->count = t->count;
    if (t->dtype == KX_ONNX_FLOAT || t->dtype == KX_ONNX_INT64) {
        v->raw = t->count ? t->data : ""; /* as it lies in the file */
    } else {
        void *copy = kx_new(g, t->count, kx_dtype_size(v->dtype));

        if (!copy)
            return kx_nomem(g);
        for (size_t i = 0; i < t->count; i++)
            kx_element_widen(t->dtype, t->data, i, copy);
        v->raw = copy;
    }
    *out = v;
    return KLDVE_OK;
}

kldve_status kx_build_constants(kx_builder *b, const kx_proto_graph *p)
{
    for (int32_t i = 0; i < p->ninitializer; i++) {
        const char *name = p->initializer[i].name;
        kx_value *v;
        kldve_status st;

        if (kx_names_find(&b->scope->values, name))
            return kldve_ctx_failf(b->g->ctx, KLDVE_E_FORMAT, "two tensors are named '%.80s'",
                                   name);
        if ((st = kx_build_constant(b, &p->initializer[i], &v)) < 0)
            return st;
        kx_names_set(&b->scope->values, name, v);
    }
    return KLDVE_OK;
}

kx_value *kx_build_find(const kx_builder *b, const char *name)
{
    kx_value *v = NULL;

    for (const kx_scope *s = b->scope; s && !v; s = s->around)
        v = kx_names_find(&s->values, name);
    return v;
}
