/* input_lead.c - nodes that lead from [1][channels][height][width] to the form that a file wants.
 *
 *     picture -Reshape-> [c][t][h][w] -Transpose-> the file's order     where that is another
 *             -Reshape-> the file's shape for one picture
 *             -Expand or Concat with others-> the file's batch */
#include "input_parts.h"

#include <string.h>

#include "ops/lead.h"

const char kx_picture_name[] = "kldve/picture";

enum { NAMES = 16 };

typedef struct leader {
    kx_settler *s;
    kx_proto_node *node; /* [KX_LEAD_NODES + nodes of the model] */
    kx_proto_attr *attr; /* [KX_LEAD_NODES] */
    const char **names;  /* [NAMES] */
    int32_t nodes, used;
} leader;

static kx_proto_tensor *add_constant(leader *l, const char *name, int32_t type, int32_t rank,
                                     const int64_t *dim)
{
    kx_model *m = &l->s->out->model;
    kx_proto_tensor *t = &m->initializer[m->ninitializer++];

    *t = (kx_proto_tensor){.name = name, .dtype = type, .rank = rank, .count = 1, .made = true};
    memcpy(t->dim, dim, (size_t)rank * sizeof *dim);
    for (int32_t i = 0; i < rank; i++)
        t->count *= (size_t)dim[i];
    return t;
}

static kldve_status add_shape(leader *l, const char *name, int32_t rank, const int64_t *dim)
{
    const int64_t count = rank;
    int64_t *data = kx_arena_alloc(l->s->arena, (size_t)rank, sizeof *data);

    if (!data)
        return kx_settle_nomem(l->s);
    memcpy(data, dim, (size_t)rank * sizeof *dim);
    add_constant(l, name, KX_ONNX_INT64, 1, &count)->data = data;
    return KLDVE_OK;
}

static const char **list(leader *l, int32_t count, const char *const *names)
{
    const char **all = l->names + l->used;

    memcpy(all, names, (size_t)count * sizeof *names);
    l->used += count;
    return all;
}

static kldve_status reshape(leader *l, const char *from, const char *shape, int32_t rank,
                            const int64_t *dim, const char *to)
{
    const char *const names[] = {from, shape, to};
    kldve_status st = add_shape(l, shape, rank, dim);

    if (st == KLDVE_OK)
        kx_lead_reshape(list(l, 3, names), &l->node[l->nodes++]);
    return st;
}

/* Order of the axes C, T, H, W in the file; those that it has not come first, of length 1.  False:
 * they are in this order. */
static bool order_of(const char *layout, int64_t perm[4])
{
    static const char planes[] = "CTHW";
    int32_t n = 0;
    bool moved = false;

    for (int32_t i = 0; i < 4; i++)
        if (!strchr(layout, planes[i]))
            perm[n++] = i;
    for (; *layout; layout++)
        if (*layout != 'N')
            perm[n++] = strchr(planes, *layout) - planes;
    for (int32_t i = 0; i < 4; i++)
        moved = moved || perm[i] != i;
    return moved;
}

/* *from: the picture in the file's order. */
static kldve_status put_in_order(leader *l, const int64_t view[4], const char **from)
{
    const int64_t frames = l->s->out->frames;
    const int64_t planes[4] = {view[1], frames, view[2] / frames, view[3]};
    const char *const names[] = {"kldve/planes", "kldve/ordered"};
    int64_t *perm = kx_arena_alloc(l->s->arena, 4, sizeof *perm);
    kldve_status st;

    if (!perm)
        return kx_settle_nomem(l->s);
    if (!*l->s->layout || !order_of(l->s->layout, perm))
        return KLDVE_OK;
    if ((st = reshape(l, *from, "kldve/planes/shape", 4, planes, names[0])) < 0)
        return st;
    kx_lead_transpose(list(l, 2, names), perm, 4, &l->attr[l->nodes], &l->node[l->nodes]);
    l->nodes++;
    *from = names[1];
    return KLDVE_OK;
}

/* ---- the batch ---------------------------------------------------------------------------- */

static kldve_status check_pictures(const kx_settler *s)
{
    const kldve_onnx_options *u = s->o->user;
    bool same = u->shape_rank == s->picture.rank;

    for (int32_t i = 0; same && i < u->shape_rank; i++)
        same = u->shape[i] == s->picture.dim[i];
    return same ? KLDVE_OK
                : kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                                  "the network takes batches of %lld: the array must have all of "
                                  "its pictures, in the shape of input '%.60s'",
                                  (long long)s->picture.dim[0], s->picture.name);
}

/* The pictures [begin, end) of the user's as a constant. */
static kldve_status add_others(leader *l, const char *name, int64_t begin, int64_t end)
{
    const kx_proto_value *v = &l->s->picture;
    int64_t dim[KX_PROTO_MAX_RANK];
    kx_proto_tensor *t;
    float *copy;

    memcpy(dim, v->dim, sizeof dim);
    dim[0] = end - begin;
    t = add_constant(l, name, KX_ONNX_FLOAT, v->rank, dim);
    if (!(copy = kx_arena_alloc(l->s->arena, t->count, sizeof *copy)))
        return kx_settle_nomem(l->s);
    memcpy(copy, l->s->o->user->pictures + (size_t)begin * (t->count / (size_t)dim[0]),
           t->count * sizeof *copy);
    t->data = copy;
    return KLDVE_OK;
}

/* `one` among the others. */
static kldve_status put_among(leader *l, const char *one)
{
    const kx_settler *s = l->s;
    int64_t item = s->o->user->item, batch = s->picture.dim[0];
    const char *names[4];
    int32_t count = 0;
    kldve_status st = check_pictures(s);

    if (st < 0)
        return st;
    if (item > 0) {
        if ((st = add_others(l, "kldve/earlier", 0, item)) < 0)
            return st;
        names[count++] = "kldve/earlier";
    }
    names[count++] = one;
    if (item + 1 < batch) {
        if ((st = add_others(l, "kldve/later", item + 1, batch)) < 0)
            return st;
        names[count++] = "kldve/later";
    }
    names[count] = s->picture.name;
    kx_lead_concat(list(l, count + 1, names), count, &l->attr[l->nodes], &l->node[l->nodes]);
    l->nodes++;
    return KLDVE_OK;
}

static kldve_status put_copies(leader *l, const char *one)
{
    const kx_proto_value *v = &l->s->picture;
    const char *const names[] = {one, "kldve/batch", v->name};
    kldve_status st = add_shape(l, names[1], v->rank, v->dim);

    if (st == KLDVE_OK)
        kx_lead_expand(list(l, 3, names), &l->node[l->nodes++]);
    return st;
}

kldve_status kx_settle_lead(kx_settler *s, const int64_t view[4], int64_t batch)
{
    kx_model *m = &s->out->model;
    leader l = {.s = s};
    const char *from = kx_picture_name, *one = batch > 1 ? "kldve/one" : s->picture.name;
    int64_t dim[KX_PROTO_MAX_RANK];
    kldve_status st;

    l.node = kx_arena_alloc(s->arena, (size_t)m->nnode + KX_LEAD_NODES, sizeof *l.node);
    l.attr = kx_arena_alloc(s->arena, KX_LEAD_NODES, sizeof *l.attr);
    l.names = kx_arena_alloc(s->arena, NAMES, sizeof *l.names);
    if (!l.node || !l.attr || !l.names)
        return kx_settle_nomem(s);
    memcpy(dim, s->picture.dim, sizeof dim);
    if (batch > 1)
        dim[0] = 1;
    if ((st = put_in_order(&l, view, &from)) < 0 ||
        (st = reshape(&l, from, "kldve/shape", s->picture.rank, dim, one)) < 0)
        return st;
    if (batch > 1)
        st = s->o->user->pictures ? put_among(&l, one) : put_copies(&l, one);
    if (m->nnode)
        memcpy(l.node + l.nodes, m->node, (size_t)m->nnode * sizeof *l.node);
    m->node = l.node;
    m->nnode += l.nodes;
    return st;
}
