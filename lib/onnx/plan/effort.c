/* effort.c - see effort.h.
 *
 *     effort = sum of kx_node_work() over the nodes that run,  ten times that of plain kernels
 *
 * A core does some 10^10 multiplications a second, oneDNN's kernels up to 10^11. */
#include "effort.h"

#include <math.h>

#include "graph/work.h"
#include "read/limit.h"
#include "read/model.h"

enum { TIMES_PLAIN = 10 };

/* What the context allows.  The default grows with the file, since weights are there to be
 * multiplied: 2^18 is a map of 1024 x 1024 for each weight of 32 bits. */
static double most_effort(const kx_planner *p)
{
    static const double standard = 0x1p36, of_byte = 0x1p18, most = 1e13;
    double limit = (double)kx_limit(p->ctx, KLDVE_LIMIT_WORK);

    if (limit != standard)
        return limit;
    return fmin(fmax(limit, of_byte * (double)p->g->model->nbytes), most);
}

static double effort_of(const kx_planner *p)
{
    double sum = 0;

    for (int32_t i = 0; i < p->g->nnode; i++)
        sum += p->needed[i] ? kx_node_work(&p->g->node[i]) : 0;
    for (int32_t i = 0; i < p->nunit; i++)
        if (!p->unit[i].dead && p->unit[i].kind == KX_UNIT_NODE)
            sum += (TIMES_PLAIN - 1) * kx_node_work(p->unit[i].node);
    return sum;
}

/* The node to name in a message. */
static const kx_node *dearest(const kx_planner *p)
{
    const kx_node *most = NULL;

    for (int32_t i = 0; i < p->g->nnode; i++)
        if (p->needed[i] && (!most || kx_node_work(&p->g->node[i]) > kx_node_work(most)))
            most = &p->g->node[i];
    return most;
}

kldve_status kx_check_effort(kx_planner *p)
{
    double effort = effort_of(p), most = most_effort(p);
    const kx_node *n = effort > most ? dearest(p) : NULL;

    if (!n)
        return KLDVE_OK;
    return kldve_ctx_fail_limit(p->ctx, KLDVE_LIMIT_WORK,
                                "a pass takes some %.2g multiplications, most of them for node "
                                "'%.60s' (%.40s), and a file of this size may ask for %.2g",
                                effort, n->name, n->type, most);
}
