/* cut.c - see cut.h.
 *
 * Maximum flow from the logits back to the input (Ford and Fulkerson 1956; Menger 1927 for the
 * cut): a tensor that may be cut lets one unit through, all else any number.  A tensor has two
 * sides, so that its unit can be counted.  What the last search reaches from the logits ends at the
 * cut that is nearest to them. */
#include "cut.h"

#include <assert.h>
#include <string.h>

/* One operand of a node. */
typedef struct edge {
    int32_t node, value;
    int32_t flow; /* from the node to the operand: backwards */
} edge;

typedef struct network {
    const kx_graph *g;
    const kx_ways *ways;
    const bool *may;
    int32_t input, logits;     /* value ids */
    edge *edge;                /* those of a node lie together */
    int32_t *first;            /* [nodes + 1]: the edges of a node */
    int32_t *reader, *readers; /* [values + 1], [edges]: the edges that read a value */
    int32_t *flow;             /* by value id: through it */
    int32_t *from, *via;       /* by place: where the search came from, along which edge; -1 */
    int32_t *queue;
} network;

/* Places: the side of a value towards the logits, its other side, a node. */
static int32_t near_side(int32_t value)
{
    return 2 * value;
}

static int32_t far_side(int32_t value)
{
    return 2 * value + 1;
}

static int32_t place_of(const network *w, int32_t node)
{
    return 2 * w->g->nvalue + node;
}

static void visit(network *w, int32_t at, int32_t from, int32_t via, int32_t *tail)
{
    if (w->from[at] >= 0)
        return;
    w->from[at] = from;
    w->via[at] = via;
    w->queue[(*tail)++] = at;
}

static void leave_value(network *w, int32_t at, int32_t *tail)
{
    int32_t v = at / 2, producer = w->g->value[v]->producer;

    if (at == near_side(v)) {
        if (!w->may[v] || w->flow[v] == 0)
            visit(w, far_side(v), at, -1, tail);
        for (int32_t i = w->reader[v]; i < w->reader[v + 1]; i++)
            if (w->edge[w->readers[i]].flow > 0)
                visit(w, place_of(w, w->edge[w->readers[i]].node), at, w->readers[i], tail);
        return;
    }
    if (producer >= 0)
        visit(w, place_of(w, producer), at, -1, tail);
    if (w->flow[v] > 0)
        visit(w, near_side(v), at, -1, tail);
}

static void leave_node(network *w, int32_t at, int32_t *tail)
{
    int32_t i = at - 2 * w->g->nvalue;
    const kx_node *n = &w->g->node[i];

    for (int32_t e = w->first[i]; e < w->first[i + 1]; e++)
        visit(w, near_side(w->edge[e].value), at, e, tail);
    for (int32_t o = 0; o < n->nout; o++)
        if (n->out[o] && w->flow[n->out[o]->id] > 0)
            visit(w, far_side(n->out[o]->id), at, -1, tail);
}

/* Whether the input is reached from the logits. */
static bool search(network *w)
{
    int32_t places = 2 * w->g->nvalue + w->g->nnode, tail = 0, goal = near_side(w->input);

    for (int32_t i = 0; i < places; i++)
        w->from[i] = -1;
    visit(w, far_side(w->logits), far_side(w->logits), -1, &tail);
    for (int32_t head = 0; head < tail && w->from[goal] < 0; head++) {
        if (w->queue[head] < 2 * w->g->nvalue)
            leave_value(w, w->queue[head], &tail);
        else
            leave_node(w, w->queue[head], &tail);
    }
    return w->from[goal] >= 0;
}

/* One unit along the way that was found. */
static void augment(network *w)
{
    int32_t at = near_side(w->input);

    while (w->from[at] != at) {
        int32_t from = w->from[at];

        if (at < 2 * w->g->nvalue && from < 2 * w->g->nvalue)
            w->flow[at / 2] += at == far_side(at / 2) ? 1 : -1;
        else if (w->via[at] >= 0)
            w->edge[w->via[at]].flow += at < 2 * w->g->nvalue ? 1 : -1;
        at = from;
    }
}

static bool is_edge(const network *w, const kx_node *n, int32_t k)
{
    bool way = false;

    for (int32_t o = 0; o < n->nout; o++)
        way = way || (n->out[o] && w->ways->on[n->out[o]->id]);
    return way && n->in[k] && w->ways->on[n->in[k]->id] && (w->ways->any || kx_carries(n, k));
}

static void list_edges(network *w)
{
    const kx_graph *g = w->g;
    int32_t count = 0;

    for (int32_t i = 0; i < g->nnode; i++) {
        w->first[i] = count;
        for (int32_t k = 0; k < g->node[i].nin; k++)
            if (is_edge(w, &g->node[i], k)) {
                w->edge[count++] = (edge){i, g->node[i].in[k]->id, 0};
                w->reader[g->node[i].in[k]->id + 1]++;
            }
    }
    w->first[g->nnode] = count;
    for (int32_t v = 0; v < g->nvalue; v++)
        w->reader[v + 1] += w->reader[v];
    for (int32_t e = count - 1; e >= 0; e--) /* fills each list from its end: from[] counts */
        w->readers[w->reader[w->edge[e].value] + w->from[w->edge[e].value]++] = e;
}

static bool allocate(network *w, kx_arena *arena)
{
    size_t nodes = (size_t)w->g->nnode, values = (size_t)w->g->nvalue, edges = 0;
    size_t places = 2 * values + nodes;

    for (int32_t i = 0; i < w->g->nnode; i++)
        edges += (size_t)w->g->node[i].nin;
    w->edge = kx_arena_alloc(arena, edges, sizeof *w->edge);
    w->first = kx_arena_alloc(arena, nodes + 1, sizeof *w->first);
    w->reader = kx_arena_alloc(arena, values + 1, sizeof *w->reader);
    w->readers = kx_arena_alloc(arena, edges, sizeof *w->readers);
    w->flow = kx_arena_alloc(arena, values, sizeof *w->flow);
    w->from = kx_arena_alloc(arena, places, sizeof *w->from);
    w->via = kx_arena_alloc(arena, places, sizeof *w->via);
    w->queue = kx_arena_alloc(arena, places, sizeof *w->queue);
    return w->edge && w->first && w->reader && w->readers && w->flow && w->from && w->via &&
           w->queue;
}

kldve_status kx_find_cut(const kx_graph *g, kx_arena *arena, const kx_ways *ways, const bool *may,
                         kx_value **cut, int32_t *count)
{
    network w = {
        .g = g, .ways = ways, .may = may, .input = ways->input->id, .logits = ways->logits->id};
    int32_t flow = 0;

    *count = 0;
    if (2 * (int64_t)g->nvalue + g->nnode > INT32_MAX || !allocate(&w, arena))
        return kx_nomem(g);
    list_edges(&w);
    while (search(&w)) {
        if (++flow > KX_CUT_MOST)
            return KLDVE_OK;
        augment(&w);
    }
    for (int32_t v = 0; v < g->nvalue; v++)
        if (w.from[near_side(v)] >= 0 && w.from[far_side(v)] < 0) {
            assert(*count < flow);
            cut[(*count)++] = g->value[v];
        }
    return KLDVE_OK;
}
