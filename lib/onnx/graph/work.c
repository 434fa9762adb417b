/* work.c - see work.h. */
#include "work.h"

#include <math.h>

static double elements(kx_value *const *v, int32_t count)
{
    double sum = 0;

    for (int32_t i = 0; i < count; i++)
        sum += v[i] ? (double)v[i]->count : 0;
    return sum;
}

double kx_node_work(const kx_node *n)
{
    double touched = elements(n->in, n->nin) + elements(n->out, n->nout);

    return n->op->work ? fmax(n->op->work(n), touched) : touched;
}
