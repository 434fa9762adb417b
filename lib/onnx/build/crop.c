/* crop.c - see crop.h.
 *
 * First from the logits back to the layer: of which values is a part enough?  A Gather, Slice or
 * Split begins such a part, and operators that compute each row for itself pass it on (extent.h).
 * In a transformer whose score reads the class token it ends at the keys and values of the last
 * attention, which need all tokens.
 *
 * Then from the layer on: nodes whose results are parts, or that read one, are made again for the
 * parts.  A value of which a part is read and which stays whole is cut. */
#include "crop.h"

#include "extent.h"
#include "surgery.h"
#include "ops/basic.h"

typedef struct cropper {
    kx_graph *g;
    const kx_value *layer;
    int32_t nodes; /* of the file */
    kx_arena arena;
    bool *after;     /* by value id: the layer, or it depends on the layer */
    kx_extent *read; /* by value id: what the logits read of it */
    kx_value **now;  /* by value id: what stands for it; of a PART, that part; or NULL */
    double saved;    /* multiplications */
} cropper;

/* ---- what is read ---------------------------------------------------------------------------- */

static bool is_wanted(const cropper *c, const kx_node *n, int32_t o)
{
    return n->out[o] && c->read[n->out[o]->id].kind != KX_EXTENT_NONE;
}

static bool any_wanted(const cropper *c, const kx_node *n)
{
    for (int32_t o = 0; o < n->nout; o++)
        if (is_wanted(c, n, o))
            return true;
    return false;
}

static bool reads_after(const cropper *c, const kx_node *n)
{
    for (int32_t k = 0; k < n->nin; k++)
        if (n->in[k] && c->after[n->in[k]->id])
            return true;
    return false;
}

/* Results of one node in parts, each made from its own part of operand 0. */
static bool takes_parts(const kx_node *n)
{
    return !kx_op_copies(n) &&
           (n->op->traits.axes == KX_AXES_SLICED || n->op->traits.axes == KX_AXES_SPLIT);
}

/* Can n compute the part that is read of its results from parts of its operands? */
static bool passes(const cropper *c, const kx_node *n)
{
    kx_extent in;

    for (int32_t o = 0; o < n->nout; o++) {
        kx_extent part = is_wanted(c, n, o) ? c->read[n->out[o]->id] : (kx_extent){0};

        if (part.kind == KX_EXTENT_NONE)
            continue;
        if (part.kind == KX_EXTENT_ALL || (o > 0 && !takes_parts(n)))
            return false;
        for (int32_t k = 0; k < n->nin && (k == 0 || !takes_parts(n)); k++)
            if (n->in[k] && !kx_extent_operand(n, o, part, k, &in))
                return false;
    }
    return true;
}

/* More than half of an axis is not worth it. */
static kx_extent worthwhile(const kx_value *v, kx_extent part)
{
    if (part.kind == KX_EXTENT_PART && part.end - part.begin > v->shape.dim[part.axis] / 2)
        return kx_extent_all;
    return part;
}

/* What result o needs of operand k; `passes` of the node. */
static kx_extent needs(cropper *c, const kx_node *n, int32_t o, int32_t k, bool passes)
{
    kx_extent part = c->read[n->out[o]->id], in = kx_extent_all;

    if (passes)
        (void)kx_extent_operand(n, o, part, k, &in);
    else if (k == 0)
        in = kx_extent_taken(n, o, &c->arena);
    return in.kind == KX_EXTENT_PART && in.begin == in.end ? kx_extent_all : in;
}

static void note(cropper *c, const kx_value *v, kx_extent in)
{
    c->read[v->id] = kx_extent_join(c->read[v->id], in);
}

static void settle(cropper *c, const kx_node *n, bool *passing)
{
    for (int32_t o = 0; o < n->nout; o++)
        if (is_wanted(c, n, o))
            c->read[n->out[o]->id] = worthwhile(n->out[o], c->read[n->out[o]->id]);
    *passing = passes(c, n);
    for (int32_t o = 0; o < n->nout; o++)
        if (is_wanted(c, n, o) && !*passing)
            c->read[n->out[o]->id] = kx_extent_all;
}

static double part_saved(const cropper *c, const kx_node *n)
{
    kx_extent part = c->read[n->out[0]->id];

    if (!n->op->work || part.kind != KX_EXTENT_PART)
        return 0;
    return n->op->work(n) *
           (1 - (double)(part.end - part.begin) / (double)n->out[0]->shape.dim[part.axis]);
}

static void find_read(cropper *c, const kx_value *logits)
{
    c->read[logits->id] = kx_extent_all;
    for (int32_t i = c->nodes - 1; i >= 0; i--) {
        const kx_node *n = &c->g->node[i];
        bool passing;

        if (!any_wanted(c, n) || !reads_after(c, n))
            continue;
        settle(c, n, &passing);
        c->saved += passing && is_wanted(c, n, 0) ? part_saved(c, n) : 0;
        for (int32_t o = 0; o < n->nout; o++)
            for (int32_t k = 0; is_wanted(c, n, o) && k < n->nin; k++)
                if (n->in[k])
                    note(c, n->in[k], needs(c, n, o, k, passing));
    }
}

static void find_after(cropper *c)
{
    c->after[c->layer->id] = true;
    for (int32_t i = 0; i < c->nodes; i++) {
        const kx_node *n = &c->g->node[i];
        bool after = reads_after(c, n);

        for (int32_t o = 0; o < n->nout; o++)
            if (n->out[o] && after)
                c->after[n->out[o]->id] = true;
    }
}

/* ---- nodes for the parts --------------------------------------------------------------------- */

static kx_surgery behind(const cropper *c, const kx_value *v)
{
    return (kx_surgery){.g = c->g, .name = v->name, .at = c->g->nnode};
}

/* A part of v, or v. */
static kldve_status obtain(cropper *c, kx_value *v, kx_extent part, kx_value **out)
{
    kx_extent read = c->read[v->id];
    kx_surgery s = behind(c, v);
    kx_value *now = c->now[v->id] ? c->now[v->id] : v;
    int64_t from = 0;
    kldve_status st;

    if (read.kind == KX_EXTENT_PART) {
        if (!c->now[v->id] &&
            (st = kx_put_slice(&s, read.axis, read.begin, read.end - read.begin, v, &now)) < 0)
            return st;
        c->now[v->id] = now;
        from = read.begin;
    }
    if (part.kind != KX_EXTENT_PART) {
        *out = now;
        return KLDVE_OK;
    }
    s.at = c->g->nnode;
    return kx_put_slice(&s, part.axis, part.begin - from, part.end - part.begin, now, out);
}

static kx_shape cut_shape(const kx_value *v, kx_extent part)
{
    kx_shape s = v->shape;

    if (part.kind == KX_EXTENT_PART)
        s.dim[part.axis] = part.end - part.begin;
    return s;
}

/* The same operator on other operands; false in *fits: its results are not what they should be. */
static kldve_status again(cropper *c, const kx_node *n, kx_value *const *in, bool *fits)
{
    kx_graph *g = c->g;
    int32_t opset = g->opset;
    kx_node m = *n;
    kldve_status st;

    m.index = g->nnode;
    m.in = kx_new(g, (size_t)n->nin, sizeof *m.in);
    m.out = kx_new(g, (size_t)n->nout, sizeof *m.out);
    if (!m.in || !m.out)
        return kx_nomem(g);
    for (int32_t k = 0; k < n->nin; k++)
        m.in[k] = in[k];
    for (int32_t o = 0; o < n->nout; o++) {
        if (!is_wanted(c, n, o))
            continue;
        if (!(m.out[o] = kx_value_new(g, n->out[o]->name)))
            return kx_nomem(g);
        m.out[o]->producer = m.index;
    }
    g->opset = n->opset;
    st = n->op->infer(g, &m);
    g->opset = opset;
    for (int32_t o = 0; o < n->nout && st == KLDVE_OK && *fits; o++) {
        kx_shape want;

        if (!m.out[o])
            continue;
        want = cut_shape(n->out[o], c->read[n->out[o]->id]);
        *fits = kx_same_shape(&m.out[o]->shape, &want);
        c->now[n->out[o]->id] = m.out[o];
    }
    return st < 0 ? st : kx_graph_insert(g, m.index, &m);
}

static kldve_status make_again(cropper *c, const kx_node *n, bool part, bool *fits)
{
    kx_value *in[KX_MAX_IN];
    kldve_status st;

    for (int32_t k = 0; k < n->nin; k++) {
        in[k] = NULL;
        if (n->in[k] &&
            (st = obtain(c, n->in[k], part ? needs(c, n, 0, k, true) : kx_extent_all, &in[k])) < 0)
            return st;
    }
    return again(c, n, in, fits);
}

/* What is taken of the axes beside that of `in`. */
static kldve_status cut_others(cropper *c, const kx_node *n, int32_t o, kx_extent in, kx_value **v)
{
    const kx_slice_params *slice = n->params;
    const kx_split_params *split = n->params;
    bool is_slice = n->op->traits.axes == KX_AXES_SLICED;
    kx_surgery s = behind(c, n->out[o]);
    kldve_status st = KLDVE_OK;

    for (int32_t axis = 0; st == KLDVE_OK && axis < (*v)->shape.rank; axis++)
        if (axis != in.axis && (is_slice || axis == split->axis))
            st = kx_put_slice(&s, axis, is_slice ? slice->start[axis] : split->begin[o],
                              n->out[o]->shape.dim[axis], *v, v);
    return st;
}

/* Result o, all of it or a part, which n takes out of operand 0. */
static kldve_status take(cropper *c, const kx_node *n, int32_t o, kx_extent in)
{
    const kx_value *to = n->out[o];
    kx_shape shape = cut_shape(to, c->read[to->id]);
    kx_surgery s;
    kx_value *v;
    kldve_status st = obtain(c, n->in[0], in, &v);

    if (st == KLDVE_OK && takes_parts(n))
        st = cut_others(c, n, o, in, &v);
    if (st < 0)
        return st;
    s = behind(c, to);
    return kx_put_reshape(&s, &shape, v, &c->now[to->id]);
}

/* Is anything that n reads not the file's own? */
static bool reads_new(const cropper *c, const kx_node *n)
{
    for (int32_t k = 0; k < n->nin; k++)
        if (n->in[k] && (c->now[n->in[k]->id] ||
                         (c->after[n->in[k]->id] && c->read[n->in[k]->id].kind == KX_EXTENT_PART)))
            return true;
    return false;
}

static kldve_status crop_node(cropper *c, const kx_node *n, bool *fits)
{
    kldve_status st = KLDVE_OK;
    bool part = passes(c, n);

    if (!part && !reads_new(c, n))
        return KLDVE_OK;
    for (int32_t o = 0; o < n->nout && st == KLDVE_OK; o++) {
        kx_extent in;

        if (!is_wanted(c, n, o))
            continue;
        in = needs(c, n, o, 0, part);
        if (in.kind == KX_EXTENT_ALL || (part && !takes_parts(n) && !kx_op_copies(n)))
            return make_again(c, n, part, fits);
        st = take(c, n, o, in);
    }
    return st;
}

static kldve_status crop_nodes(cropper *c, bool *fits)
{
    kldve_status st = KLDVE_OK;

    for (int32_t i = 0; i < c->nodes && st == KLDVE_OK && *fits; i++) {
        const kx_node n = c->g->node[i]; /* the array may move */

        if (any_wanted(c, &n) && reads_after(c, &n))
            st = crop_node(c, &n, fits);
    }
    return st;
}

static kldve_status crop(cropper *c, kx_value *logits, kx_value **out)
{
    bool fits = true;
    kldve_status st;

    find_after(c);
    if (!c->after[logits->id] || logits == c->layer)
        return KLDVE_OK;
    find_read(c, logits);
    if (c->saved == 0)
        return KLDVE_OK;
    st = crop_nodes(c, &fits);
    if (st == KLDVE_OK && fits && c->now[logits->id])
        *out = c->now[logits->id];
    else
        c->g->nnode = c->nodes; /* an operator that is not what it says: as the file has it */
    return st == KLDVE_E_NOMEM ? st : KLDVE_OK;
}

kldve_status kx_crop(kx_graph *g, const kx_value *layer, kx_value *logits, kx_value **out)
{
    cropper c = {.g = g, .layer = layer, .nodes = g->nnode};
    kldve_status st;

    *out = logits;
    if (!layer)
        return KLDVE_OK;
    kx_arena_init(&c.arena, g->ctx);
    c.after = kx_arena_alloc(&c.arena, (size_t)g->nvalue, sizeof *c.after);
    c.read = kx_arena_alloc(&c.arena, (size_t)g->nvalue, sizeof *c.read);
    c.now = kx_arena_alloc(&c.arena, (size_t)g->nvalue, sizeof(kx_value *));
    st = c.after && c.read && c.now ? crop(&c, logits, out) : kx_nomem(g);
    kx_arena_free(&c.arena);
    return st;
}
