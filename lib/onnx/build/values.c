/* values.c - values by name, constants.  See builder.h. */
#include "builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "graph/elements.h"

/* Weights of quantised networks: as int64 they would take eight times the file's size. */
static bool is_narrow(int32_t onnx_type)
{
    return onnx_type == KX_ONNX_INT8 || onnx_type == KX_ONNX_UINT8 || onnx_type == KX_ONNX_INT16 ||
           onnx_type == KX_ONNX_UINT16;
}

int kx_swap_order(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const kx_swap *)a)->tensor;
    uintptr_t y = (uintptr_t)((const kx_swap *)b)->tensor;

    return (x > y) - (x < y);
}

/* The data of a tensor, or what stands in their place. */
static const void *data_of(const kx_builder *b, const kx_proto_tensor *t)
{
    const kx_swap *found = NULL, key = {.tensor = t};

    if (b->options.swaps > 0)
        found = bsearch(&key, b->options.swap, (size_t)b->options.swaps, sizeof key, kx_swap_order);
    return found ? found->data : t->data;
}

/* Integers of 64 bits and booleans are shapes, places and choices; one number is a factor, a scale
 * or a bound. */
static bool can_be_parameter(const kx_proto_tensor *t)
{
    return t->count > 1 && !t->made && t->dtype != KX_ONNX_INT64 && t->dtype != KX_ONNX_UINT64 &&
           t->dtype != KX_ONNX_BOOL && t->dtype != KX_ONNX_STRING;
}

static kldve_status widen(kx_builder *b, const kx_proto_tensor *t, const void *data, kx_value *v)
{
    size_t item = kx_dtype_size(v->dtype);
    void *copy;

    if (!(copy = kx_new(b->g, t->count, item)))
        return kx_nomem(b->g);
    for (size_t i = 0; i < t->count; i++)
        kx_element_widen(t->dtype, data, i, copy);
    v->raw = copy;
    return KLDVE_OK;
}

kldve_status kx_build_constant(kx_builder *b, const kx_proto_tensor *t, kx_value **out)
{
    kx_graph *g = b->g;
    kx_value *v = kx_value_new(g, t->name ? t->name : "");
    kldve_status st;

    if (!v)
        return kx_nomem(g);
    v->onnx_type = t->dtype;
    if (t->dtype == KX_ONNX_STRING) { /* refused where a node reads it */
        *out = v;
        return KLDVE_OK;
    }
    if (!kx_dtype_of(t->dtype, &v->dtype))
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "tensor '%.80s': element type %d (%s) is not supported", v->name,
                               t->dtype, kx_onnx_type_name(t->dtype));
    v->shape.rank = t->rank;
    memcpy(v->shape.dim, t->dim, sizeof t->dim);
    v->count = t->count;
    v->narrow = is_narrow(t->dtype);
    if (t->dtype == KX_ONNX_FLOAT || t->dtype == KX_ONNX_INT64 || v->narrow) {
        v->raw = t->count ? data_of(b, t) : ""; /* as it lies in the file */
    } else if ((st = widen(b, t, data_of(b, t), v)) < 0) {
        return st;
    }
    v->tensor = can_be_parameter(t) ? t : NULL;
    *out = v;
    return KLDVE_OK;
}

kldve_status kx_build_constants(kx_builder *b, const kx_proto_graph *p)
{
    for (int32_t i = 0; i < p->ninitializer; i++) {
        const char *name = p->initializer[i].name;
        kx_value *v = NULL;
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
