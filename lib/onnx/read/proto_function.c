/* proto_function.c - see proto_function.h. */
#include "proto_function.h"
#include "limit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FUNCTIONS = 65536, KEY_SIZE = 3 * KX_MAX_NAME + 3 };

kldve_status kx_function_fail(kx_reader *r, const kx_function *f, kldve_status st, const char *what)
{
    return kx_reader_fail(r, st, "function '%.80s': %s", f->name, what);
}

static void name_key(char key[KEY_SIZE], const char *domain, const char *name, const char *overload)
{
    int n;

    if (strcmp(domain, "ai.onnx") == 0)
        domain = "";
    n = snprintf(key, KEY_SIZE, "%s\n%s\n%s", domain, name, overload);
    assert(n > 0 && n < KEY_SIZE); /* names have at most KX_MAX_NAME bytes */
    (void)n;
}

kx_function *kx_function_called(const kx_functions *fs, const kx_proto_node *n)
{
    char key[KEY_SIZE];

    name_key(key, n->domain, n->type, n->overload);
    return kx_names_find(&fs->by_key, key);
}

static kldve_status function_arrays(kx_functions *fs, kx_wire w, kx_function *f)
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
        return kx_wire_broken(fs->r, &w, "a function");
    if (nnode > kx_limit(fs->r->ctx, KLDVE_LIMIT_NODES))
        return kldve_ctx_fail_limit(fs->r->ctx, KLDVE_LIMIT_NODES, "%s: a function of %zu nodes",
                                    fs->r->path, nnode);
    if ((st = kx_reader_new(fs->r, nin, sizeof *f->in, &f->in)) < 0 ||
        (st = kx_reader_new(fs->r, nout, sizeof *f->out, &f->out)) < 0 ||
        (st = kx_reader_new(fs->r, nnode, sizeof *f->node, &f->node)) < 0 ||
        (st = kx_reader_new(fs->r, npreset, sizeof *f->preset, &f->preset)) < 0)
        return st;
    return KLDVE_OK;
}

static kldve_status read_fields(kx_functions *fs, kx_wire w, kx_function *f)
{
    kldve_status st = KLDVE_OK;

    while (st == KLDVE_OK && kx_wire_next(&w))
        switch (w.key) {
        case KX_BYTES(1):
            st = kx_reader_name(fs->r, &w, &f->name);
            break;
        case KX_BYTES(7):
            st = kx_read_node(fs->r, w.bytes, w.n, &f->node[f->nnode++].node);
            break;
        case KX_BYTES(9):
            st = kx_read_opset(fs->r, &w, &f->opset);
            break;
        case KX_BYTES(10):
            st = kx_reader_name(fs->r, &w, &f->domain);
            break;
        case KX_BYTES(11):
            st = kx_read_attr(fs->r, w.bytes, w.n, &f->preset[f->npreset++]);
            break;
        case KX_BYTES(13):
            st = kx_reader_name(fs->r, &w, &f->overload);
            break;
        default:
            break;
        }
    return st;
}

/* Make room for a table of names; bounded like everything else that is read. */
static kldve_status new_names(kx_functions *fs, size_t count, kx_names *names)
{
    const size_t per_name = 48; /* at least 3/8 of the slots are used */

    if (count > kx_reader_room(fs->r) / per_name)
        return kx_reader_full(fs->r);
    fs->r->spent += count * per_name;
    return kx_names_init(names, fs->r->arena, count) ? KLDVE_OK : kx_reader_nomem(fs->r);
}

/* The symbol of a name, made if it is new; NULL for "". */
static kx_symbol *intern(kx_function *f, kx_names *names, const char *name)
{
    kx_symbol *s;

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

static kldve_status intern_node(kx_functions *fs, kx_function *f, kx_names *names, kx_body_node *b)
{
    kldve_status st;

    if ((st = kx_reader_new(fs->r, (size_t)b->node.nin, sizeof *b->in, &b->in)) < 0 ||
        (st = kx_reader_new(fs->r, (size_t)b->node.nout, sizeof *b->out, &b->out)) < 0)
        return st;
    if (b->node.ncaptured)
        return kx_function_fail(
            fs->r, f, KLDVE_E_UNSUPPORTED,
            "it holds a branch or a loop, which is supported only outside of functions");
    for (int32_t i = 0; i < b->node.nin; i++)
        b->in[i] = intern(f, names, b->node.in[i]);
    for (int32_t i = 0; i < b->node.nout; i++) {
        kx_symbol *s = b->out[i] = intern(f, names, b->node.out[i]);

        if (s && (s->input || s->made))
            return kx_reader_fail(fs->r, KLDVE_E_FORMAT, "function '%.80s' produces '%.80s' twice",
                                  f->name, s->name);
        if (s)
            s->made = true;
    }
    return KLDVE_OK;
}

/* Names become symbols: inputs, then nodes, then outputs. */
static kldve_status intern_all(kx_functions *fs, kx_wire w, kx_function *f)
{
    size_t count = 0;
    const char *name;
    kx_names names;
    kldve_status st;

    for (size_t i = 0; i < f->nnode; i++)
        count += (size_t)f->node[i].node.nin + (size_t)f->node[i].node.nout;
    for (kx_wire c = w; kx_wire_next(&c);)
        count += c.key == KX_BYTES(4) || c.key == KX_BYTES(5);
    if ((st = kx_reader_new(fs->r, count, sizeof *f->symbol, &f->symbol)) < 0 ||
        (st = new_names(fs, count, &names)) < 0)
        return st;
    while (kx_wire_next(&w)) {
        kx_symbol *s;

        if (w.key != KX_BYTES(4) && w.key != KX_BYTES(5))
            continue;
        if ((st = kx_reader_name(fs->r, &w, &name)) < 0)
            return st;
        s = intern(f, &names, name);
        if (!s)
            return kx_function_fail(fs->r, f, KLDVE_E_FORMAT, "an input or output has no name");
        if (w.key == KX_BYTES(5)) {
            f->out[f->nout++] = s;
            continue;
        }
        if (s->input)
            return kx_function_fail(fs->r, f, KLDVE_E_FORMAT, "two inputs have the same name");
        s->input = true;
        f->in[f->nin++] = s;
    }
    for (size_t i = 0; i < f->nnode; i++)
        if ((st = intern_node(fs, f, &names, &f->node[i])) < 0)
            return st;
    for (size_t i = 0; i < f->nout; i++)
        if (!f->out[i]->made && !f->out[i]->input)
            return kx_function_fail(fs->r, f, KLDVE_E_FORMAT,
                                    "no node produces one of its outputs");
    return KLDVE_OK;
}

static kldve_status read_function(kx_functions *fs, const kx_wire *bytes, kx_function *f)
{
    kx_wire w = kx_wire_start(bytes->bytes, bytes->n);
    char key[KEY_SIZE];
    const char *copy;
    kldve_status st;

    f->name = f->domain = f->overload = "";
    if ((st = function_arrays(fs, w, f)) < 0 || (st = read_fields(fs, w, f)) < 0 ||
        (st = intern_all(fs, w, f)) < 0)
        return st;
    for (size_t i = 0; i < f->npreset; i++)
        if (f->preset[i].ref)
            return kx_function_fail(fs->r, f, KLDVE_E_FORMAT,
                                    "the default of an attribute is a reference");
    name_key(key, f->domain, f->name, f->overload);
    if (kx_names_find(&fs->by_key, key))
        return kx_function_fail(fs->r, f, KLDVE_E_FORMAT, "it is defined twice");
    if ((st = kx_reader_text(fs->r, key, strlen(key), &copy)) < 0)
        return st;
    kx_names_set(&fs->by_key, copy, f);
    return KLDVE_OK;
}

kldve_status kx_functions_read(kx_functions *fs, kx_wire model, size_t count)
{
    kldve_status st;

    if (count > MAX_FUNCTIONS)
        return kx_reader_fail(fs->r, KLDVE_E_UNSUPPORTED, "%zu functions, at most %d are supported",
                              count, MAX_FUNCTIONS);
    if ((st = kx_reader_new(fs->r, count, sizeof *fs->function, &fs->function)) < 0 ||
        (st = new_names(fs, count, &fs->by_key)) < 0)
        return st;
    while (kx_wire_next(&model))
        if (model.key == KX_BYTES(25) &&
            (st = read_function(fs, &model, &fs->function[fs->count++])) < 0)
            return st;
    for (size_t i = 0; i < fs->count; i++)
        for (size_t k = 0; k < fs->function[i].nnode; k++)
            fs->function[i].node[k].callee = kx_function_called(fs, &fs->function[i].node[k].node);
    return KLDVE_OK;
}
