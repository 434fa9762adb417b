/* lead.c - nodes of a model that lead from one shape to another. */
#include "lead.h"

enum { OPSET = 13 }; /* in which both take the shape as an input */

static void make(const char *type, const char **names, kx_proto_node *out)
{
    *out = (kx_proto_node){.name = "",
                           .type = type,
                           .domain = "",
                           .opset = OPSET,
                           .nin = 2,
                           .nout = 1,
                           .in = names,
                           .out = names + 2};
}

void kx_lead_reshape(const char **names, kx_proto_node *out)
{
    make("Reshape", names, out);
}

void kx_lead_expand(const char **names, kx_proto_node *out)
{
    make("Expand", names, out);
}
