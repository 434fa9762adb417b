/* proto_inline.c - replace calls of functions that are local to the model by their bodies.
 *
 * A FunctionProto is a list of nodes with private names.  Where a node calls it, its nodes are
 * copied and every name is replaced: inputs and outputs by those of the call, all others by
 *
 *     first output of the call + separator + name
 *
 * The separator is "/" followed by enough "~" that it occurs in no name of the file.  No part of it
 * both begins and ends it, so it occurs only once in a new name, and the outputs of calls are
 * distinct.  Hence the new names differ from each other and from all names of the file. */
#include "proto_read.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "names.h"

enum { MAX_FUNCTIONS = 65536, MAX_DEPTH = 64, KEY_SIZE = 3 * KX_MAX_NAME + 3 };

/* A name inside a function. */
typedef struct symbol {
    const char *name;
    const char *now; /* what it stands for in the current call, NULL: nothing yet */
    bool input, made;
} symbol;

typedef struct body_node {
    kx_proto_node node; /* attributes, operator; `in` and `out` are not used */
    symbol **in, **out; /* NULL if omitted */
    struct function *callee;
} body_node;

typedef struct function {
    const char *name, *domain, *overload;
    int64_t opset;
    size_t nin, nout, nnode, npreset, nsymbol;
    symbol **in, **out, *symbol;
    body_node *node;
    kx_proto_attr *preset; /* attributes with default values */
    int state;             /* of counting: 0 not yet, 1 being counted, 2 done */
    size_t nodes;          /* how many a call expands to */
} function;

typedef struct inliner {
    kx_reader *r;
    function *function;
    size_t nfunction;
    kx_names by_key;
    size_t tildes; /* of the separator */
    char *separator;
    kx_proto_node *node; /* the result */
    size_t nnode;
} inliner;

static kldve_status fail(const inliner *in, const function *f, kldve_status st, const char *what)
{
    return kx_reader_fail(in->r, st, "function '%.80s': %s", f->name, what);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void name_key(char key[KEY_SIZE], const char *domain, const char *name, const char *overload)
{
    int n;

    if (strcmp(domain, "ai.onnx") == 0)
        domain = "";
    n = snprintf(key, KEY_SIZE, "%s\n%s\n%s", domain, name, overload);
    assert(n > 0 && n < KEY_SIZE); /* names have at most KX_MAX_NAME bytes */
    (void)n;
}

static function *find_function(const inliner *in, const kx_proto_node *n)
{
    char key[KEY_SIZE];

    name_key(key, n->domain, n->type, n->overload);
    return kx_names_find(&in->by_key, key);
}

static kldve_status function_arrays(inliner *in, kx_wire w, function *f)
{
    size_t nin = 0, nout = 0, nnode = 0, npreset = 0;
    kldve_status st;

    while (kx_wire_next(&w)) {
        nin += w.key == KX_BYTES(4);
        nout += w.key == KX_BYTES(5);
        nnode += w.key == KX_BYTES(7);
        npreset += w.key == KX_BYTES(11);
    }
    if (w.broken)
        return kx_wire_broken(in->r, &w, "a function");
    if (nnode > KX_MAX_NODES)
        return kx_reader_fail(in->r, KLDVE_E_LIMIT,
                              "a function of %zu nodes, at most %d are supported", nnode,
                              KX_MAX_NODES);
    if ((st = kx_reader_new(in->r, nin, sizeof *f->in, &f->in)) < 0 ||
        (st = kx_reader_new(in->r, nout, sizeof *f->out, &f->out)) < 0 ||
        (st = kx_reader_new(in->r, nnode, sizeof *f->node, &f->node)) < 0 ||
        (st = kx_reader_new(in->r, npreset, sizeof *f->preset, &f->preset)) < 0)
        return st;
    return KLDVE_OK;
}

static kldve_status read_fields(inliner *in, kx_wire w, function *f)
{
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w))
        switch (w.key) {
        case KX_BYTES(1):
            st = kx_reader_name(in->r, &w, &f->name);
            break;
        case KX_BYTES(7):
            st = kx_read_node(in->r, w.bytes, w.n, &f->node[f->nnode++].node);
            break;
        case KX_BYTES(9):
            st = kx_read_opset(in->r, &w, &f->opset);
            break;
        case KX_BYTES(10):
            st = kx_reader_name(in->r, &w, &f->domain);
            break;
        case KX_BYTES(11):
            st = kx_read_attr(in->r, w.bytes, w.n, &f->preset[f->npreset++]);
            break;
        case KX_BYTES(13):
            st = kx_reader_name(in->r, &w, &f->overload);
            break;
        default:
            break;
        }
    return st;
}

/* Make room for a table of names; bounded like everything else that is read. */
static kldve_status new_names(inliner *in, size_t count, kx_names *names)
{
    const size_t per_name = 48; /* at least 3/8 of the slots are used */

    assert(in->r->spent <= KX_MAX_READ_MEMORY);
    if (count > (KX_MAX_READ_MEMORY - in->r->spent) / per_name)
        return kx_reader_fail(in->r, KLDVE_E_LIMIT, "too many names");
    in->r->spent += count * per_name;
    return kx_names_init(names, in->r->arena, count) ? KLDVE_OK : kx_reader_nomem(in->r);
}

/* The symbol of a name, made if it is new; NULL for "". */
static symbol *intern(function *f, kx_names *names, const char *name)
{
    symbol *s;

    if (!*name)
        return NULL;
    s = kx_names_find(names, name);
    if (!s) {
        s = &f->symbol[f->nsymbol++];
        s->name = name;
        kx_names_set(names, name, s);
    }
    return s;
}

static kldve_status intern_node(inliner *in, function *f, kx_names *names, body_node *b)
{
    kldve_status st;

    if ((st = kx_reader_new(in->r, (size_t)b->node.nin, sizeof *b->in, &b->in)) < 0 ||
        (st = kx_reader_new(in->r, (size_t)b->node.nout, sizeof *b->out, &b->out)) < 0)
        return st;
    if (b->node.ncaptured)
        return fail(in, f, KLDVE_E_UNSUPPORTED,
                    "it holds a branch or a loop, which is supported only outside of functions");
    for (int32_t i = 0; i < b->node.nin; i++)
        b->in[i] = intern(f, names, b->node.in[i]);
    for (int32_t i = 0; i < b->node.nout; i++) {
        symbol *s = b->out[i] = intern(f, names, b->node.out[i]);

        if (s && (s->input || s->made))
            return kx_reader_fail(in->r, KLDVE_E_FORMAT, "function '%.80s' produces '%.80s' twice",
                                  f->name, s->name);
        if (s)
            s->made = true;
    }
    return KLDVE_OK;
}

/* Names become symbols: inputs, then nodes, then outputs. */
static kldve_status intern_all(inliner *in, kx_wire w, function *f)
{
    size_t count = 0;
    const char *name;
    kx_names names;
    kldve_status st;

    for (size_t i = 0; i < f->nnode; i++)
        count += (size_t)f->node[i].node.nin + (size_t)f->node[i].node.nout;
    for (kx_wire c = w; kx_wire_next(&c);)
        count += c.key == KX_BYTES(4) || c.key == KX_BYTES(5);
    if ((st = kx_reader_new(in->r, count, sizeof *f->symbol, &f->symbol)) < 0 ||
        (st = new_names(in, count, &names)) < 0)
        return st;
    while (kx_wire_next(&w)) {
        symbol *s;

        if (w.key != KX_BYTES(4) && w.key != KX_BYTES(5))
            continue;
        if ((st = kx_reader_name(in->r, &w, &name)) < 0)
            return st;
        s = intern(f, &names, name);
        if (!s)
            return fail(in, f, KLDVE_E_FORMAT, "an input or output has no name");
        if (w.key == KX_BYTES(5)) {
            f->out[f->nout++] = s;
            continue;
        }
        if (s->input)
            return fail(in, f, KLDVE_E_FORMAT, "two inputs have the same name");
        s->input = true;
        f->in[f->nin++] = s;
    }
    for (size_t i = 0; i < f->nnode; i++)
        if ((st = intern_node(in, f, &names, &f->node[i])) < 0)
            return st;
    for (size_t i = 0; i < f->nout; i++)
        if (!f->out[i]->made && !f->out[i]->input)
            return fail(in, f, KLDVE_E_FORMAT, "no node produces one of its outputs");
    return KLDVE_OK;
}

static kldve_status read_function(inliner *in, const kx_wire *bytes, function *f)
{
    kx_wire w = kx_wire_start(bytes->bytes, bytes->n);
    char key[KEY_SIZE];
    const char *copy;
    kldve_status st;

    f->name = f->domain = f->overload = "";
    if ((st = function_arrays(in, w, f)) < 0 || (st = read_fields(in, w, f)) < 0 ||
        (st = intern_all(in, w, f)) < 0)
        return st;
    for (size_t i = 0; i < f->npreset; i++)
        if (f->preset[i].ref)
            return fail(in, f, KLDVE_E_FORMAT, "the default of an attribute is a reference");
    name_key(key, f->domain, f->name, f->overload);
    if (kx_names_find(&in->by_key, key))
        return fail(in, f, KLDVE_E_FORMAT, "it is defined twice");
    if ((st = kx_reader_text(in->r, key, strlen(key), &copy)) < 0)
        return st;
    kx_names_set(&in->by_key, copy, f);
    return KLDVE_OK;
}

static kldve_status read_functions(inliner *in, kx_wire model, size_t count)
{
    kldve_status st;

    if (count > MAX_FUNCTIONS)
        return kx_reader_fail(in->r, KLDVE_E_LIMIT, "%zu functions, at most %d are supported",
                              count, MAX_FUNCTIONS);
    if ((st = kx_reader_new(in->r, count, sizeof *in->function, &in->function)) < 0 ||
        (st = new_names(in, count, &in->by_key)) < 0)
        return st;
    while (kx_wire_next(&model))
        if (model.key == KX_BYTES(25) &&
            (st = read_function(in, &model, &in->function[in->nfunction++])) < 0)
            return st;
    for (size_t i = 0; i < in->nfunction; i++)
        for (size_t k = 0; k < in->function[i].nnode; k++)
            in->function[i].node[k].callee = find_function(in, &in->function[i].node[k].node);
    return KLDVE_OK;
}

/* ---- the expanded size ----------------------------------------------------------------------- */

static kldve_status too_many(const inliner *in)
{
    return kx_reader_fail(in->r, KLDVE_E_LIMIT, "its functions expand to more than %d nodes",
                          KX_MAX_NODES);
}

/* Counts f->nodes, and checks that f does not call itself. */
static kldve_status count_nodes(inliner *in, function *f, int depth)
{
    kldve_status st;

    assert(depth <= MAX_DEPTH);
    if (f->state == 2)
        return KLDVE_OK;
    if (f->state == 1)
        return fail(in, f, KLDVE_E_FORMAT, "it calls itself");
    if (depth == MAX_DEPTH)
        return fail(in, f, KLDVE_E_LIMIT, "its calls are nested too deeply");
    f->state = 1;
    f->nodes = f->nout; /* an output that is an input needs an Identity */
    for (size_t i = 0; i < f->nnode; i++) {
        function *callee = f->node[i].callee;

        if (callee && (st = count_nodes(in, callee, depth + 1)) < 0)
            return st;
        f->nodes += callee ? callee->nodes : 1;
        if (f->nodes > KX_MAX_NODES)
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
    for (size_t i = 0; i < in->nfunction; i++)
        for (size_t k = 0; k < in->function[i].nsymbol; k++)
            see_name(in, in->function[i].symbol[k].name);
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
        return kx_reader_fail(in->r, KLDVE_E_LIMIT,
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

static kldve_status rename_all(inliner *in, const char *prefix, symbol **s, int32_t n,
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
static kldve_status resolve_attrs(inliner *in, const function *f, const kx_proto_node *call,
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
static kldve_status bind(inliner *in, function *f, const kx_proto_node *call)
{
    if ((size_t)call->nin > f->nin || (size_t)call->nout > f->nout)
        return fail(in, f, KLDVE_E_FORMAT, "a call has more inputs or outputs than the function");
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
    if (in->nnode == KX_MAX_NODES)
        return too_many(in);
    in->node[in->nnode++] = *n;
    return KLDVE_OK;
}

/* Outputs that are also inputs, or are listed twice. */
static kldve_status emit_aliases(inliner *in, const function *f, const kx_proto_node *call)
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

static kldve_status expand(inliner *in, function *f, const kx_proto_node *call)
{
    const char *prefix = first_output(call);
    kldve_status st;

    if (!prefix) /* it has no effect */
        return KLDVE_OK;
    if ((st = bind(in, f, call)) < 0)
        return st;
    for (size_t i = 0; i < f->nnode; i++) {
        const body_node *b = &f->node[i];
        kx_proto_node n = b->node;

        n.opset = (int32_t)f->opset;
        if ((st = rename_all(in, prefix, b->in, n.nin, &n.in)) < 0 ||
            (st = rename_all(in, prefix, b->out, n.nout, &n.out)) < 0 ||
            (st = resolve_attrs(in, f, call, &b->node, &n)) < 0)
            return st;
        if (*n.name && (st = join(in, prefix, n.name, &n.name)) < 0)
            return st;
        if ((st = b->callee ? expand(in, b->callee, &n) : emit(in, &n)) < 0)
            return st;
    }
    return emit_aliases(in, f, call);
}

kldve_status kx_inline_functions(kx_reader *r, const void *bytes, size_t n, size_t count)
{
    inliner in = {.r = r};
    kx_model *m = r->model;
    size_t total = 0;
    kldve_status st;

    if ((st = read_functions(&in, kx_wire_start(bytes, n), count)) < 0 ||
        (st = choose_separator(&in)) < 0)
        return st;
    for (int32_t i = 0; i < m->nnode; i++) {
        function *f = find_function(&in, &m->node[i]);

        if (f && (st = count_nodes(&in, f, 0)) < 0)
            return st;
        total += f ? f->nodes : 1;
        if (total > KX_MAX_NODES)
            return too_many(&in);
    }
    if ((st = kx_reader_new(r, total, sizeof *in.node, &in.node)) < 0)
        return st;
    for (int32_t i = 0; i < m->nnode; i++) {
        function *f = find_function(&in, &m->node[i]);

        if ((st = f ? expand(&in, f, &m->node[i]) : emit(&in, &m->node[i])) < 0)
            return st;
    }
    assert(in.nnode <= total);
    m->node = in.node;
    m->nnode = (int32_t)in.nnode;
    return KLDVE_OK;
}
