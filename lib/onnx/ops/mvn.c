/* mvn.c - MeanVarianceNormalization over any axes:
 *
 *     h = x - mean,  s = sqrt(mean of h^2),  y = h / (s + 1e-9)
 *     dx = (dy - mean of dy) / (s + 1e-9) - h mean of dy h / (s (s + 1e-9)^2)
 *
 * The array is walked with, as operand, the group of every element: those that share a mean. */
#include "basic.h"
#include "families.h"

#include <assert.h>
#include <math.h>

typedef struct mvn_params {
    kx_walk walk; /* over x; operand 0 is the group */
    size_t groups;
    double length; /* elements of a group */
} mvn_params;

/* What scratch holds per group. */
typedef struct group {
    double mean, deviation;
    double dy, moment; /* means of dy and of dy h */
} group;

static const double epsilon = 1e-9;

static kldve_status infer(kx_graph *g, kx_node *n)
{
    static const int64_t standard[] = {0, 2, 3};
    mvn_params *p = kx_new(g, 1, sizeof *p);
    const int64_t *axes;
    const kx_shape *x;
    kx_shape kept;
    bool marked[KX_MAX_RANK];
    size_t count;
    kldve_status st;

    if (!p)
        return kx_nomem(g);
    if ((st = kx_expect(g, n, 1, 1, 1)) < 0)
        return st;
    if (!kx_is_float(n->in[0]))
        return kx_refuse(g, n, "input 0 holds integers, only floating point is supported");
    x = &n->in[0]->shape;
    axes = kx_attr_ints(n, "axes", &count);
    if (count == 0) {
        axes = standard;
        count = 3;
    }
    if ((st = kx_mark_axes(g, n, axes, count, x->rank, marked)) < 0)
        return st;
    kept = *x;
    p->groups = 1;
    for (int32_t i = 0; i < x->rank; i++) {
        if (marked[i])
            kept.dim[i] = 1;
        p->groups *= (size_t)kept.dim[i];
    }
    p->length = p->groups ? (double)n->in[0]->count / (double)p->groups : 0;
    kx_walk_init(&p->walk, x);
    kx_walk_broadcast(&p->walk, &kept);
    kx_walk_pack(&p->walk);
    n->params = p;
    return kx_out_like(g, n, 0, n->in[0], x);
}

static size_t scratch_size(const kx_node *n)
{
    const mvn_params *p = n->params;

    return p->groups * sizeof(group);
}

static void statistics(const mvn_params *p, const float *x, group *s)
{
    assert(s || p->groups == 0);
    for (size_t i = 0; i < p->groups; i++)
        s[i] = (group){0};
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++)
            s[r.at[0] + i * r.step[0]].mean += (double)x[r.out + i] / p->length;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            group *t = &s[r.at[0] + i * r.step[0]];
            double h = (double)x[r.out + i] - t->mean;

            t->deviation += h * h / p->length;
        }
    for (size_t i = 0; i < p->groups; i++)
        s[i].deviation = sqrt(s[i].deviation);
}

static void forward(const kx_op_call *call)
{
    const mvn_params *p = call->node->params;
    const float *x = call->in[0].data;
    float *y = call->out[0].data;
    group *s = call->scratch;

    statistics(p, x, s);
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            const group *t = &s[r.at[0] + i * r.step[0]];

            y[r.out + i] = (float)(((double)x[r.out + i] - t->mean) / (t->deviation + epsilon));
        }
}

static void vjp(const kx_op_call *call)
{
    const mvn_params *p = call->node->params;
    const float *x = call->in[0].data, *dy = call->dout[0].data;
    float *dx = call->din->data;
    group *s = call->scratch;

    if (!dy)
        return;
    statistics(p, x, s);
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            group *t = &s[r.at[0] + i * r.step[0]];
            double d = (double)dy[r.out + i] / p->length;

            t->dy += d;
            t->moment += d * ((double)x[r.out + i] - t->mean);
        }
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++) {
            const group *t = &s[r.at[0] + i * r.step[0]];
            double h = (double)x[r.out + i] - t->mean, q = t->deviation + epsilon;
            double through = t->deviation > 0 ? h * t->moment / (t->deviation * q) : 0;

            dx[r.out + i] += (float)(((double)dy[r.out + i] - t->dy - through) / q);
        }
}

const kx_op kx_mvn_ops[] = {
    {.type = "MeanVarianceNormalization",
     .since = 9,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = KX_NEEDS_IN(0),
     .scratch_size = scratch_size,
     .traits = {.bias = KX_BIAS_NONE}},
    {0},
};
