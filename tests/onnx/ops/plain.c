/* plain.c - see plain.h. */
#include "plain.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

static void *block(size_t count, size_t item)
{
    void *memory = calloc(count ? count : 1, item); /* operators may not touch an empty array */

    assert_non_null(memory);
    return memory;
}

plain *plain_new(kx_graph *g)
{
    plain *p = block(1, sizeof *p);

    p->g = g;
    p->value = block((size_t)g->nvalue, sizeof *p->value);
    for (int32_t i = 0; i < g->nvalue; i++) {
        const kx_value *v = g->value[i];
        kx_tensor *t = &p->value[i];

        if (!v->dtype) /* made by a node that was never built */
            continue;
        t->dtype = v->dtype;
        t->shape = v->shape;
        t->count = v->count;
        t->data = v->raw ? (void *)(uintptr_t)kx_value_data(g, v)
                         : block(v->count, kx_dtype_size(v->dtype));
    }
    return p;
}

void plain_free(plain *p)
{
    for (int32_t i = 0; i < p->g->nvalue; i++)
        if (!p->g->value[i]->raw)
            free(p->value[i].data);
    free(p->value);
    free(p);
}

kx_tensor *plain_value(plain *p, const kx_value *v)
{
    return &p->value[v->id];
}

/* Inputs and outputs of a node; an omitted one is all zero. */
static void gather(plain *p, const kx_node *n, kx_tensor *in, kx_tensor *out)
{
    static const kx_tensor none;

    for (int32_t i = 0; i < n->nin; i++)
        in[i] = n->in[i] ? p->value[n->in[i]->id] : none;
    for (int32_t i = 0; i < n->nout; i++)
        out[i] = n->out[i] ? p->value[n->out[i]->id] : none;
}

static void *scratch_of(const kx_node *n)
{
    size_t size = n->op->scratch_size ? n->op->scratch_size(n) : 0;

    return size ? block(size, 1) : NULL;
}

void plain_forward(plain *p)
{
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT];

    for (int32_t i = 0; i < p->g->nnode; i++) {
        const kx_node *n = &p->g->node[i];
        void *scratch = scratch_of(n);

        gather(p, n, in, out);
        n->op->forward(&(kx_op_call){.node = n, .in = in, .out = out, .scratch = scratch});
        free(scratch);
    }
}

void plain_vjp(plain *p, const kx_node *n, int32_t which, const kx_tensor *dout, float *din)
{
    kx_tensor in[KX_MAX_IN], out[KX_MAX_OUT], d = p->value[n->in[which]->id];
    void *scratch = scratch_of(n);

    gather(p, n, in, out);
    for (int32_t i = 0; i < n->nin; i++)
        if (!(n->op->vjp_needs & KX_NEEDS_IN(i)))
            in[i].data = NULL;
    for (int32_t i = 0; i < n->nout; i++)
        if (!(n->op->vjp_needs & KX_NEEDS_OUT))
            out[i].data = NULL;
    d.data = din;
    n->op->vjp(&(kx_op_call){.node = n,
                             .in = in,
                             .out = out,
                             .scratch = scratch,
                             .which = which,
                             .dout = dout,
                             .din = &d});
    free(scratch);
}
