/* choose_named.c - tensors that a name stands for. */
#include "choose_parts.h"

kldve_status kx_choose_named(const kx_graph *g, const char *what, const char *name, kx_value **out)
{
    *out = kx_graph_find(g, name);
    if (!*out || (*out)->raw)
        return kldve_ctx_failf(
            g->ctx, KLDVE_E_ARG,
            "no tensor or node is called '%.80s' (given as the %s); `kldve layers` "
            "lists them",
            name, what);
    return KLDVE_OK;
}
