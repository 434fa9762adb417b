/* dump_proto.c - print what the reader reads from .onnx files and serialised tensors (.pb), for
 * compare_proto.py, which prints the same with the onnx package and compares.
 *
 *     dump_proto < list of paths, one per line */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/proto.h"

static uint32_t crc32(const unsigned char *bytes, size_t n)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static size_t item_size(int32_t dtype)
{
    static const unsigned char size[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 0, 0, 2};

    return dtype < (int32_t)sizeof size ? size[dtype] : 0;
}

static void dump_tensor(const char *what, const kx_proto_tensor *t)
{
    printf("%s '%s' %d (", what, t->name, t->dtype);
    for (int32_t i = 0; i < t->rank; i++)
        printf(" %" PRId64, t->dim[i]);
    if (t->data)
        printf(" ) %08x\n", crc32(t->data, t->count * item_size(t->dtype)));
    else
        printf(" ) not read\n");
}

static uint32_t float_bits(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, 4);
    return bits;
}

static void dump_attr(const kx_proto_attr *a)
{
    printf("  '%s' %d", a->name, a->type);
    if (a->type == 1)
        printf(" %08x", float_bits(a->f));
    if (a->type == 2)
        printf(" %" PRId64, a->i);
    if (a->type == 3)
        printf(" '%s'", a->s);
    for (size_t i = 0; i < a->count; i++)
        if (a->type == 6)
            printf(" %08x", float_bits(a->floats[i]));
        else if (a->type == 7)
            printf(" %" PRId64, a->ints[i]);
        else if (a->type == 8)
            printf(" '%s'", a->strings[i]);
    if (a->type == 4)
        dump_tensor("", a->t);
    else
        printf("\n");
}

static void dump_node(const kx_proto_node *n)
{
    printf("node '%s' %s.%s", n->name, n->domain, n->type);
    for (int32_t i = 0; i < n->nin; i++)
        printf(" '%s'", n->in[i]);
    printf(" ->");
    for (int32_t i = 0; i < n->nout; i++)
        printf(" '%s'", n->out[i]);
    printf("\n");
    for (int32_t i = 0; i < n->nattr; i++)
        dump_attr(&n->attr[i]);
}

static void dump_value(const char *what, const kx_proto_value *v)
{
    printf("%s '%s' %d %d (", what, v->name, v->dtype, v->rank);
    for (int32_t i = 0; i < v->rank; i++)
        if (v->symbol[i])
            printf(" '%s'", v->symbol[i]);
        else
            printf(" %" PRId64, v->dim[i]);
    printf(" )\n");
}

static void dump_model(kldve_ctx *ctx, const char *path)
{
    kx_model *m;

    if (kx_model_open(ctx, path, false, &m) < 0) {
        printf("refused: %s\n", kldve_ctx_message(ctx) + strlen(path) + 2);
        return;
    }
    printf("IR %" PRId64 " opset %d\n", m->ir_version, m->opset);
    for (int32_t i = 0; i < m->nnode; i++)
        dump_node(&m->node[i]);
    for (int32_t i = 0; i < m->ninitializer; i++)
        dump_tensor("tensor", &m->initializer[i]);
    for (int32_t i = 0; i < m->ninput; i++)
        dump_value("input", &m->input[i]);
    for (int32_t i = 0; i < m->noutput; i++)
        dump_value("output", &m->output[i]);
    kx_model_free(m);
}

static void dump_file(kldve_ctx *ctx, const char *path)
{
    kx_proto_tensor t;
    kx_arena arena;
    size_t n;
    void *bytes = test_file_load(path, &n);

    kx_arena_init(&arena, ctx);
    if (kx_proto_tensor_read(ctx, &arena, bytes, n, &t) < 0)
        printf("refused: %s\n", kldve_ctx_message(ctx));
    else
        dump_tensor("tensor", &t);
    kx_arena_free(&arena);
    free(bytes);
}

int main(void)
{
    kldve_ctx *ctx;
    char path[4096];

    if (kldve_ctx_new(NULL, &ctx) < 0)
        return 1;
    while (fgets(path, sizeof path, stdin)) {
        size_t n = strcspn(path, "\n");

        path[n] = 0;
        printf("== %s\n", path);
        if (n > 3 && strcmp(path + n - 3, ".pb") == 0)
            dump_file(ctx, path);
        else
            dump_model(ctx, path);
    }
    kldve_ctx_free(ctx);
    return 0;
}
