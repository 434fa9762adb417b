/* scatter_blocks.c - which element every update goes to.  See scatter.h. */
#include "scatter.h"

void kx_each_scattered(const kx_op_call *call, kx_scatter_visit *visit)
{
    const kx_scatter_params *p = call->node->params;
    const int64_t *index = call->in[KX_SCATTER_INDICES].data;

    for (size_t t = 0; t < p->tuples; t++) {
        size_t at = 0;

        for (int32_t i = 0; i < p->m; i++)
            at = at * (size_t)p->length[i] +
                 kx_index_of(index[t * (size_t)p->m + (size_t)i], p->length[i]);
        visit(call, at * p->block, t * p->block, p->block);
    }
    if (!p->elements)
        return;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++)
            visit(call,
                  (size_t)(r.at[0] + i * r.step[0]) +
                      kx_index_of(index[r.out + i], p->length[0]) * (size_t)p->stride,
                  (size_t)(r.out + i), 1);
}
