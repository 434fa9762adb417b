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
        n->op->forward(
            &(kx_op_call){.node = n, .in = in, .out = out, .scratch = scratch, .pace = p->pace});
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
                             .pace = p->pace,
                             .which = which,
                             .dout = dout,
                             .din = &d});
    free(scratch);
}

/* The cotangents of a node's outputs; true if something flows back. */
static bool cotangents(const plain *p, const kx_node *n, float *const *grad, kx_tensor *dout)
{
    static const kx_tensor none;
    bool any = false;

    for (int32_t i = 0; i < n->nout; i++) {
        dout[i] = n->out[i] ? p->value[n->out[i]->id] : none;
        dout[i].data = n->out[i] ? grad[n->out[i]->id] : NULL;
        any = any || dout[i].data;
    }
    return any;
}

static float *grad_of(const plain *p, const kx_value *v, float **grad)
{
    if (!grad[v->id])
        grad[v->id] = block(p->value[v->id].count, sizeof(float));
    return grad[v->id];
}

void plain_backward(plain *p, const kx_value *to, const kx_tensor *dout, float *din)
{
    float **grad = block((size_t)p->g->nvalue, sizeof *grad);
    kx_tensor of_node[KX_MAX_OUT];

    for (int32_t k = 0; k < p->g->noutput; k++) {
        float *seed = dout[k].data ? grad_of(p, p->g->output[k], grad) : NULL;

        for (size_t i = 0; seed && i < dout[k].count; i++)
            seed[i] += ((const float *)dout[k].data)[i];
    }
    for (int32_t i = p->g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &p->g->node[i];

        if (!n->op->vjp || !cotangents(p, n, grad, of_node))
            continue;
        for (int32_t k = 0; k < n->nin; k++)
            if (n->in[k] && !n->in[k]->raw && n->in[k]->dtype == KX_F32)
                plain_vjp(p, n, k, of_node, n->in[k] == to ? din : grad_of(p, n->in[k], grad));
    }
    for (int32_t i = 0; i < p->g->nvalue; i++)
        free(grad[i]);
    free(grad);
}
