/* test_proto_tap.c - bytes that make tensors outputs: what they are, what the reader makes of a
 * file with them, which tensors cannot be outputs; the same from file to file. */
#define _XOPEN_SOURCE 700 /* mkdtemp() */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kldve/onnx.h>

#include "onnx/networks/text.h"
#include "read/proto.h"

#define NET                                                                                        \
    "fn F x z; n Relu x t; n Neg t z; end; in x 1,3,8,8; w w 8,3,3,3; n Conv x,w a; n f:F a b; "   \
    "n If c d then_branch={Neg:x:inner}; n Relu b y; n Relu y p; out p"

enum { MOST = 4 };

static const struct tapping {
    const char *name;
    const char *names[MOST];
    const char *outputs; /* of the file then, joined by spaces */
} tappings[] = {
    {"one", {"a"}, "p a"},
    {"the result of a function", {"b"}, "p b"},
    {"several", {"y", "a"}, "p y a"},
    {"an output", {"p"}, "p"},
    {"some are outputs, one comes twice", {"a", "p", "a", "y"}, "p a y"},
};

static int32_t count_names(const char *const *names)
{
    int32_t count = 0;

    while (count < MOST && names[count])
        count++;
    return count;
}

static void test_outputs(void **state)
{
    size_t nbytes, nmore = 9;
    unsigned char *model = writer_memory(write_text, NET, &nbytes), *whole;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof tappings / sizeof *tappings; i++) {
        const struct tapping *t = &tappings[i];
        void *more = NULL;
        kx_model *m = NULL;
        char outputs[64] = "";

        assert_int_equal(
            kldve_onnx_tap(ctx, model, nbytes, t->names, count_names(t->names), &more, &nmore),
            KLDVE_OK);
        whole = malloc(nbytes + nmore);
        memcpy(whole, model, nbytes);
        memcpy(whole + nbytes, more, nmore);
        assert_int_equal(kx_model_read(ctx, whole, nbytes + nmore, &m), KLDVE_OK);
        for (int32_t k = 0; k < m->noutput; k++)
            strcat(strcat(outputs, k ? " " : ""), m->output[k].name);
        assert_string_equal(outputs, t->outputs);
        kx_model_free(m);
        kldve_ctx_release(ctx, more);
        free(whole);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(model);
}

/* The bytes by the specification of protobuf, also of a name whose length takes two bytes. */
static void test_bytes(void **state)
{
    static const unsigned char short_one[] = {0x3a, 5, 0x62, 3, 0x0a, 1, 'a'};
    static const unsigned char long_head[] = {0x3a, 0xb2, 2, 0x62, 0xaf, 2, 0x0a, 0xac, 2};
    char name[301], text[700];
    const char *names[] = {name};
    unsigned char *model;
    size_t nbytes, nmore;
    void *more = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    memset(name, 'n', 300);
    name[300] = 0;
    strcat(strcat(strcpy(text, "in x 1,3; n Relu x a; n Neg a "), name), "; n Exp a p; out p");
    model = writer_memory(write_text, text, &nbytes);
    assert_int_equal(kldve_onnx_tap(ctx, model, nbytes, names, 1, &more, &nmore), KLDVE_OK);
    assert_int_equal(nmore, sizeof long_head + 300);
    assert_memory_equal(more, long_head, sizeof long_head);
    assert_memory_equal((char *)more + sizeof long_head, name, 300);
    kldve_ctx_release(ctx, more);
    strcpy(name, "a");
    assert_int_equal(kldve_onnx_tap(ctx, model, nbytes, names, 1, &more, &nmore), KLDVE_OK);
    assert_int_equal(nmore, sizeof short_one);
    assert_memory_equal(more, short_one, sizeof short_one);
    kldve_ctx_release(ctx, more);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(model);
}

/* An output has the type that the file gives for the tensor. */
static void test_typed(void **state)
{
    /* GraphProto.value_info: name a, TypeProto.tensor_type.elem_type 1 */
    static const unsigned char described[] = {0x3a, 11, 0x6a, 9, 0x0a, 1, 'a',
                                              0x12, 4,  0x0a, 2, 0x08, 1};
    static const unsigned char expected[] = {0x3a, 11, 0x62, 9, 0x0a, 1, 'a',
                                             0x12, 4,  0x0a, 2, 0x08, 1};
    const char *names[] = {"a"};
    size_t nbytes, nmore;
    unsigned char *model = writer_memory(write_text, NET, &nbytes);
    void *more = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    model = realloc(model, nbytes + sizeof described);
    memcpy(model + nbytes, described, sizeof described);
    assert_int_equal(kldve_onnx_tap(ctx, model, nbytes + sizeof described, names, 1, &more, &nmore),
                     KLDVE_OK);
    assert_int_equal(nmore, sizeof expected);
    assert_memory_equal(more, expected, sizeof expected);
    kldve_ctx_release(ctx, more);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(model);
}

static const struct bad {
    const char *name, *tensor, *message;
} bads[] = {
    {"no such tensor", "nothing", "'nothing' cannot be tapped: the file has no such tensor"},
    {"a node of a function", "b/t", "'b/t' cannot be tapped: it lies in a function or a branch"},
    {"a branch", "inner", "it lies in a function or a branch"},
    {"a weight", "w", "'w' cannot be tapped: it is a weight"},
    {"an input", "x", "'x' cannot be tapped: it is an input"},
    {"no name", NULL, "name 1 is NULL"},
};

static void test_bad(void **state)
{
    size_t nbytes, nmore = 77;
    unsigned char *model = writer_memory(write_text, NET, &nbytes);
    void *more = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        const char *names[] = {"a", bads[i].tensor};

        assert_int_equal(kldve_onnx_tap(ctx, model, nbytes, names, 2, &more, &nmore), KLDVE_E_ARG);
        test_says(ctx, bads[i].message);
    }
    assert_null(more);
    assert_int_equal(nmore, 77);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(model);
}

/* A file that ends anywhere, or has any byte changed, is tapped or refused. */
static void test_damaged(void **state)
{
    size_t nbytes, nmore;
    unsigned char *model = writer_memory(write_text, NET, &nbytes);
    const char *names[] = {"a"};
    void *nothing = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < nbytes; i++) {
        unsigned char *cut = malloc(i + 1), kept = model[i];
        void *more = NULL;

        memcpy(cut, model, i);
        if (kldve_onnx_tap(ctx, cut, i, names, 1, &more, &nmore) == KLDVE_OK)
            kldve_ctx_release(ctx, more);
        more = NULL;
        model[i] ^= 0x85;
        if (kldve_onnx_tap(ctx, model, nbytes, names, 1, &more, &nmore) == KLDVE_OK)
            kldve_ctx_release(ctx, more);
        model[i] = kept;
        free(cut);
    }
    assert_int_equal(kldve_onnx_tap(ctx, "", 0, names, 1, &nothing, &nmore), KLDVE_E_FORMAT);
    assert_null(nothing);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(model);
}

/* ---- files ---- */

static char folder[64];

static const char *in_folder(const char *name)
{
    return test_path("%s/%s", folder, name);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "test_proto_tap_XXXXXX");
    return !mkdtemp(folder) || mkdir(in_folder("sub"), 0700);
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"net.onnx", "tapped.onnx", "w.bin", "sub/tapped.onnx"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
    rmdir(in_folder("sub"));
    return rmdir(folder);
}

static void test_files(void **state)
{
    static const char inside[] = "in x 1,3,8,8; w w 8,3,3,3; n Conv x,w a; n Relu a p; out p";
    static const char outside[] = "in x 1,3,8,8; ext w 8,3,3,3 location=w.bin; n Conv x,w a; "
                                  "n Relu a p; out p";
    static const char zeros[8 * 27 * 4];
    const char *names[] = {"a"}, *missing[] = {"b"};
    kx_model *m = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    assert_true(writer_file(in_folder("net.onnx"), write_text, inside));
    assert_int_equal(
        kldve_onnx_tap_file(ctx, in_folder("net.onnx"), names, 1, in_folder("sub/tapped.onnx")),
        KLDVE_OK);
    assert_int_equal(kx_model_open(ctx, in_folder("sub/tapped.onnx"), false, &m), KLDVE_OK);
    assert_int_equal(m->noutput, 2);
    assert_string_equal(m->output[1].name, "a");
    kx_model_free(m);
    unlink(in_folder("sub/tapped.onnx"));

    test_file_save(in_folder("w.bin"), zeros, sizeof zeros);
    assert_true(writer_file(in_folder("net.onnx"), write_text, outside));
    assert_int_equal(
        kldve_onnx_tap_file(ctx, in_folder("net.onnx"), names, 1, in_folder("sub/tapped.onnx")),
        KLDVE_E_ARG);
    test_says(ctx, "write the tapped file into the folder of");
    assert_int_equal(kldve_onnx_tap_file(ctx, in_folder("net.onnx"), names, 1, in_folder("w.bin")),
                     KLDVE_E_ARG);
    test_says(ctx, "over its own weights");
    assert_int_equal(
        kldve_onnx_tap_file(ctx, in_folder("net.onnx"), names, 1, in_folder("net.onnx")),
        KLDVE_E_ARG);
    test_says(ctx, "over the file itself");
    assert_int_equal(
        kldve_onnx_tap_file(ctx, in_folder("net.onnx"), missing, 1, in_folder("tapped.onnx")),
        KLDVE_E_ARG);
    test_says(ctx, "no such tensor");
    assert_int_equal(access(in_folder("tapped.onnx"), F_OK), -1);
    assert_int_equal(
        kldve_onnx_tap_file(ctx, in_folder("net.onnx"), names, 1, in_folder("nowhere/tapped.onnx")),
        KLDVE_E_ARG);
    assert_int_equal(
        kldve_onnx_tap_file(ctx, in_folder("net.onnx"), names, 1, in_folder("tapped.onnx")),
        KLDVE_OK);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_memory(void **state)
{
    size_t nbytes, nmore;
    unsigned char *model = writer_memory(write_text, NET, &nbytes);
    const char *names[] = {"a"};
    void *more = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st = KLDVE_E_NOMEM;

    (void)state;
    for (long budget = 0; st == KLDVE_E_NOMEM; budget++) {
        heap.budget = budget;
        st = kldve_onnx_tap(ctx, model, nbytes, names, 1, &more, &nmore);
    }
    assert_int_equal(st, KLDVE_OK);
    kldve_ctx_release(ctx, more);
    heap.budget = -1;
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(model);
}

TEST_MAIN(proto_tap)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_typed),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test_setup_teardown(test_files, make_folder, remove_folder),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("proto_tap", tests, NULL, NULL);
}
