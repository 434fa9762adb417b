/* lead.c - nodes of a model that lead from one shape to another. */
#include "lead.h"

#include "graph/graph.h"

enum { OPSET = 13 }; /* in which Reshape and Expand take the shape as an input */

static void make(const char *type, const char **names, int32_t nin, kx_proto_node *out)
{
    *out = (kx_proto_node){.name = "",
                           .type = type,
                           .domain = "",
                           .opset = OPSET,
                           .nin = nin,
                           .nout = 1,
                           .in = names,
                           .out = names + nin};
}

static void add_attr(kx_proto_attr *attr, kx_proto_node *out)
{
    out->nattr = 1;
    out->attr = attr;
}

void kx_lead_reshape(const char **names, kx_proto_node *out)
{
    make("Reshape", names, 2, out);
}

void kx_lead_expand(const char **names, kx_proto_node *out)
{
    make("Expand", names, 2, out);
}

void kx_lead_transpose(const char **names, int64_t *perm, int32_t rank, kx_proto_attr *attr,
                       kx_proto_node *out)
{
    *attr =
        (kx_proto_attr){.name = "perm", .type = KX_ATTR_INTS, .count = (size_t)rank, .ints = perm};
    make("Transpose", names, 1, out);
    add_attr(attr, out);
}

void kx_lead_concat(const char **names, int32_t count, kx_proto_attr *attr, kx_proto_node *out)
{
    *attr = (kx_proto_attr){.name = "axis", .type = KX_ATTR_INT, .count = 1};
    make("Concat", names, count, out);
    add_attr(attr, out);
}
