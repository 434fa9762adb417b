/* proto_inline.c - replace calls of functions that are local to the model by their bodies.
 *
 * A FunctionProto is a list of nodes with private names.  Where a node calls it, its nodes are
 * copied and every name is replaced: inputs and outputs by those of the call, all others by
 *
 *     first output of the call + separator + name
 *
 * The separator is "/" followed by enough "~" that it occurs in no name of the file.  No part of it
 * both begins and ends it, so a new name can be taken apart in one way only.  Calls side by side
 * have distinct outputs.  A call inside a function may have the first output of the call around it,
 * because that function hands it out; the separator is repeated then, once more for each such call.
 * Hence the new names differ from each other and from all names of the file. */
#include "limit.h"
#include "proto_function.h"

#include <assert.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

typedef struct inliner {
    kx_reader *r;
    kx_functions fs;
    size_t tildes; /* of the separator */
    char *separator;
    kx_proto_node *node; /* the result */
    size_t nnode, most;
} inliner;

/* ---- the expanded size ----------------------------------------------------------------------- */

static kldve_status too_many(const inliner *in)
{
    return kldve_ctx_fail_limit(in->r->ctx, KLDVE_LIMIT_NODES,
                                "%s: its functions expand to more nodes", in->r->path);
}

/* Counts f->nodes, and checks that f does not call itself. */
static kldve_status count_nodes(inliner *in, kx_function *f, int depth)
{
    kldve_status st;

    assert(depth <= MAX_DEPTH);
    if (f->state == 2)
        return KLDVE_OK;
    if (f->state == 1)
        return kx_function_fail(in->r, f, KLDVE_E_FORMAT, "it calls itself");
    if (depth == MAX_DEPTH)
        return kx_function_fail(in->r, f, KLDVE_E_UNSUPPORTED, "its calls are nested too deeply");
    f->state = 1;
    f->nodes = f->nout; /* an output that is an input needs an Identity */
    for (size_t i = 0; i < f->nnode; i++) {
        kx_function *callee = f->node[i].callee;

        if (callee && (st = count_nodes(in, callee, depth + 1)) < 0)
            return st;
        f->nodes += callee ? callee->nodes : 1;
        if (f->nodes > in->most)
            return too_many(in);
    }
    f->state = 2;
    return KLDVE_OK;
}

static void see_name(inliner *in, const char *name)
{
    while ((name = strchr(name, '/'))) {
        size_t run = strspn(++name, "~") + 1;

        if (run > in->tildes)
            in->tildes = run;
    }
}

static kldve_status choose_separator(inliner *in)
{
    const kx_model *m = in->r->model;
    kldve_status st;

    for (int32_t i = 0; i < m->nnode; i++) {
        for (int32_t k = 0; k < m->node[i].nin; k++)
            see_name(in, m->node[i].in[k]);
        for (int32_t k = 0; k < m->node[i].nout; k++)
            see_name(in, m->node[i].out[k]);
    }
    for (int32_t i = 0; i < m->ninitializer; i++)
        see_name(in, m->initializer[i].name);
    for (int32_t i = 0; i < m->ninput; i++)
        see_name(in, m->input[i].name);
    for (int32_t i = 0; i < m->noutput; i++)
        see_name(in, m->output[i].name);
    for (size_t i = 0; i < in->fs.count; i++)
        for (size_t k = 0; k < in->fs.function[i].nsymbol; k++)
            see_name(in, in->fs.function[i].symbol[k].name);
    if ((st = kx_reader_new(in->r, in->tildes + 2, 1, &in->separator)) < 0)
        return st;
    in->separator[0] = '/';
    memset(in->separator + 1, '~', in->tildes);
    return KLDVE_OK;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static kldve_status join(inliner *in, const char *prefix, const char *name, const char **out)
{
    size_t a = strlen(prefix), b = in->tildes + 1, c = strlen(name);
    kldve_status st;
    char *text;

    if (a + b + c > KX_MAX_NAME)
        return kx_reader_fail(in->r, KLDVE_E_UNSUPPORTED,
                              "the name '%.40s%s...' has %zu bytes, at most %d are supported",
                              prefix, in->separator, a + b + c, KX_MAX_NAME);
    if ((st = kx_reader_new(in->r, a + b + c + 1, 1, &text)) < 0)
        return st;
    memcpy(text, prefix, a);
    memcpy(text + a, in->separator, b);
    memcpy(text + a + b, name, c);
    *out = text;
    return KLDVE_OK;
}

static kldve_status rename_all(inliner *in, const char *prefix, kx_symbol **s, int32_t n,
                               const char ***out)
{
    kldve_status st = kx_reader_new(in->r, (size_t)n, sizeof **out, out);

    for (int32_t i = 0; i < n && st == KLDVE_OK; i++) {
        if (s[i] && !s[i]->now)
            st = join(in, prefix, s[i]->name, &s[i]->now);
        (*out)[i] = s[i] ? s[i]->now : "";
    }
    return st;
}

static const kx_proto_attr *find_attr(const kx_proto_attr *attr, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(attr[i].name, name) == 0)
            return &attr[i];
    return NULL;
}

/* Attributes of a node of f; references are replaced by the call's attributes, or f's defaults. */
static kldve_status resolve_attrs(inliner *in, const kx_function *f, const kx_proto_node *call,
                                  const kx_proto_node *from, kx_proto_node *to)
{
    kldve_status st = kx_reader_new(in->r, (size_t)from->nattr, sizeof *to->attr, &to->attr);

    if (st < 0)
        return st;
    to->nattr = 0;
    for (int32_t i = 0; i < from->nattr; i++) {
        const kx_proto_attr *a = &from->attr[i], *value = a;

        if (a->ref) {
            value = find_attr(call->attr, (size_t)call->nattr, a->ref);
            if (!value)
                value = find_attr(f->preset, f->npreset, a->ref);
            if (!value) /* neither given nor preset: the node's own default applies */
                continue;
            if (a->type && value->type != a->type)
                return kx_reader_fail(in->r, KLDVE_E_FORMAT,
                                      "function '%.60s': attribute '%.60s' has the wrong type",
                                      f->name, a->ref);
        }
        to->attr[to->nattr] = *value;
        to->attr[to->nattr].name = a->name;
        to->attr[to->nattr++].ref = NULL;
    }
    return KLDVE_OK;
}

static const char *first_output(const kx_proto_node *n)
{
    for (int32_t i = 0; i < n->nout; i++)
        if (*n->out[i])
            return n->out[i];
    return NULL;
}

/* The call's names for f's inputs and outputs. */
static kldve_status bind(inliner *in, kx_function *f, const kx_proto_node *call)
{
    if ((size_t)call->nin > f->nin || (size_t)call->nout > f->nout)
        return kx_function_fail(in->r, f, KLDVE_E_FORMAT,
                                "a call has more inputs or outputs than the function");
    for (size_t i = 0; i < f->nsymbol; i++)
        f->symbol[i].now = NULL;
    for (size_t i = 0; i < f->nin; i++)
        f->in[i]->now = i < (size_t)call->nin ? call->in[i] : "";
    for (int32_t i = 0; i < call->nout; i++)
        if (!f->out[i]->now && *call->out[i])
            f->out[i]->now = call->out[i];
    return KLDVE_OK;
}

static kldve_status emit(inliner *in, const kx_proto_node *n)
{
    if (in->nnode == in->most)
        return too_many(in);
    in->node[in->nnode++] = *n;
    return KLDVE_OK;
}

/* Outputs that are also inputs, or are listed twice. */
static kldve_status emit_aliases(inliner *in, const kx_function *f, const kx_proto_node *call)
{
    kldve_status st;

    for (int32_t i = 0; i < call->nout; i++) {
        kx_proto_node n = {.name = "", .type = "Identity", .domain = "", .overload = ""};

        assert(!*call->out[i] || f->out[i]->now);
        if (!*call->out[i] || strcmp(f->out[i]->now, call->out[i]) == 0)
            continue;
        n.nin = n.nout = 1;
        if ((st = kx_reader_new(in->r, 1, sizeof *n.in, &n.in)) < 0)
            return st;
        n.in[0] = f->out[i]->now;
        n.out = &call->out[i];
        if ((st = emit(in, &n)) < 0)
            return st;
    }
    return KLDVE_OK;
}

/* A call that is expanded, and the one in whose body it stands. */
typedef struct call_site {
    const char *output, *prefix;
    const struct call_site *around;
} call_site;

/* What the private names of a call begin with. */
static kldve_status choose_prefix(inliner *in, call_site *site)
{
    site->prefix = site->output;
    for (const call_site *s = site->around; s; s = s->around)
        if (strcmp(s->output, site->output) == 0)
            return join(in, s->prefix, "", &site->prefix);
    return KLDVE_OK;
}

static kldve_status expand(inliner *in, kx_function *f, const kx_proto_node *call,
                           const call_site *around)
{
    call_site site = {.output = first_output(call), .around = around};
    kldve_status st;

    if (!site.output) /* it has no effect */
        return KLDVE_OK;
    if ((st = choose_prefix(in, &site)) < 0 || (st = bind(in, f, call)) < 0)
        return st;
    for (size_t i = 0; i < f->nnode; i++) {
        const kx_body_node *b = &f->node[i];
        kx_proto_node n = b->node;

        n.opset = (int32_t)f->opset;
        if ((st = rename_all(in, site.prefix, b->in, n.nin, &n.in)) < 0 ||
            (st = rename_all(in, site.prefix, b->out, n.nout, &n.out)) < 0 ||
            (st = resolve_attrs(in, f, call, &b->node, &n)) < 0)
            return st;
        if (*n.name && (st = join(in, site.prefix, n.name, &n.name)) < 0)
            return st;
        if ((st = b->callee ? expand(in, b->callee, &n, &site) : emit(in, &n)) < 0)
            return st;
    }
    return emit_aliases(in, f, call);
}

kldve_status kx_inline_functions(kx_reader *r, const void *bytes, size_t n, size_t count)
{
    size_t most = kx_limit(r->ctx, KLDVE_LIMIT_NODES);
    inliner in = {.r = r, .fs = {.r = r}, .most = most < INT32_MAX ? most : INT32_MAX};
    kx_model *m = r->model;
    size_t total = 0;
    kldve_status st;

    if ((st = kx_functions_read(&in.fs, kx_wire_start(bytes, n), count)) < 0 ||
        (st = choose_separator(&in)) < 0)
        return st;
    for (int32_t i = 0; i < m->nnode; i++) {
        kx_function *f = kx_function_called(&in.fs, &m->node[i]);

        if (f && (st = count_nodes(&in, f, 0)) < 0)
            return st;
        total += f ? f->nodes : 1;
        if (total > in.most)
            return too_many(&in);
    }
    if ((st = kx_reader_new(r, total, sizeof *in.node, &in.node)) < 0)
        return st;
    for (int32_t i = 0; i < m->nnode; i++) {
        kx_function *f = kx_function_called(&in.fs, &m->node[i]);

        if ((st = f ? expand(&in, f, &m->node[i], NULL) : emit(&in, &m->node[i])) < 0)
            return st;
    }
    assert(in.nnode <= total);
    m->node = in.node;
    m->nnode = (int32_t)in.nnode;
    return KLDVE_OK;
}
