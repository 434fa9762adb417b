/* test_proto_file.c - files that are not .onnx; weights in files beside the .onnx: found, measured,
 * confined to its folder. */
#define _XOPEN_SOURCE 700 /* mkdtemp(), symlink(), truncate() */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onnx/networks/text.h"
#include "read/proto.h"

/* folder/secret.bin; folder/model/: net.onnx, w.bin (bytes 0 .. 39), sub/w.bin, and links to each
 */
static char folder[64];

static const char *in_folder(const char *name)
{
    return test_path("%s/%s", folder, name);
}

static int make_folder(void **state)
{
    unsigned char bytes[40];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    snprintf(folder, sizeof folder, "test_proto_file_XXXXXX");
    if (!mkdtemp(folder) || mkdir(in_folder("model"), 0700) || mkdir(in_folder("model/sub"), 0700))
        return -1;
    test_file_save(in_folder("secret.bin"), bytes, sizeof bytes);
    test_file_save(in_folder("model/w.bin"), bytes, sizeof bytes);
    test_file_save(in_folder("model/empty.bin"), bytes, 0);
    test_file_save(in_folder("model/sub/w.bin"), bytes + 20, 20);
    return symlink("sub/w.bin", in_folder("model/inside.bin")) ||
           symlink("../secret.bin", in_folder("model/outside.bin")) ||
           symlink("..", in_folder("model/up")) || mkfifo(in_folder("model/fifo"), 0600);
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"secret.bin",      "model/w.bin",      "model/empty.bin",
                                        "model/sub/w.bin", "model/inside.bin", "model/outside.bin",
                                        "model/up",        "model/fifo",       "model/net.onnx"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(in_folder(names[i]));
    rmdir(in_folder("model/sub"));
    rmdir(in_folder("model"));
    return rmdir(folder);
}

static const struct found_case {
    const char *name, *text;
    int first[2]; /* byte of each tensor, -1: no such tensor */
    int n[2];     /* bytes */
} found[] = {
    {"whole file", "ext w 10 location=w.bin", {0, -1}, {40, 0}},
    {"offset and length", "ext w 2,2 location=w.bin offset=8 length=16", {8, -1}, {16, 0}},
    {"offset without length", "ext w 2 location=w.bin offset=32", {32, -1}, {8, 0}},
    {"not aligned", "ext w 2 location=w.bin offset=7", {7, -1}, {8, 0}},
    {"two in one file", "ext w 2 location=w.bin; ext v 3 location=w.bin offset=8", {0, 8}, {8, 12}},
    {"two files", "ext w 2 location=sub/w.bin; ext v 3 location=w.bin", {20, 0}, {8, 12}},
    {"dots and slashes", "ext w 2 location=./sub//./w.bin", {20, -1}, {8, 0}},
    {"link inside", "ext w 2 location=inside.bin", {20, -1}, {8, 0}},
    {"other keys", "ext w 2 location=w.bin checksum=0123 basepath=x", {0, -1}, {8, 0}},
};

static const struct refused_case {
    const char *name, *text;
    kldve_status status;
    const char *message;
} refused[] = {
    {"no location", "ext w 2 offset=0", KLDVE_E_FORMAT,
     "tensor 'w': its external data has no location"},
    {"empty location", "ext w 2 location=", KLDVE_E_FORMAT,
     "tensor 'w': its external data has no location"},
    {"absolute", "ext w 2 location=/etc/passwd", KLDVE_E_FORMAT,
     "external data '/etc/passwd' lies outside the model's folder"},
    {"above", "ext w 2 location=../secret.bin", KLDVE_E_FORMAT,
     "external data '../secret.bin' lies outside the model's folder"},
    {"down and above", "ext w 2 location=sub/../../secret.bin", KLDVE_E_FORMAT,
     "external data 'sub/../../secret.bin' lies outside the model's folder"},
    {"link outside", "ext w 2 location=outside.bin", KLDVE_E_FORMAT,
     "external data 'outside.bin' lies outside the model's folder"},
    {"link to the folder above", "ext w 2 location=up/secret.bin", KLDVE_E_FORMAT,
     "external data 'up/secret.bin' lies outside the model's folder"},
    {"not there", "ext w 2 location=no.bin", KLDVE_E_IO,
     "cannot open external data 'no.bin': No such file or directory"},
    {"a folder", "ext w 2 location=sub", KLDVE_E_IO, "is not a regular file"},
    {"a FIFO", "ext w 2 location=fifo", KLDVE_E_IO, "is not a regular file"},
    {"empty file", "ext w 2 location=empty.bin", KLDVE_E_FORMAT,
     "tensor 'w': needs bytes 0 to 8 of 'empty.bin', which has 0"},
    {"past the end", "ext w 2 location=w.bin offset=36", KLDVE_E_FORMAT,
     "tensor 'w': needs bytes 36 to 44 of 'w.bin', which has 40"},
    {"far past the end", "ext w 2 location=w.bin offset=999999999999999999", KLDVE_E_FORMAT,
     "of 'w.bin', which has 40"},
    {"wrong length", "ext w 2 location=w.bin length=12", KLDVE_E_FORMAT,
     "tensor 'w': external data has 12 bytes, 8 expected"},
    {"negative offset", "ext w 2 location=w.bin offset=-4", KLDVE_E_FORMAT,
     "tensor 'w': its external data has the bad offset '-4'"},
    {"huge offset", "ext w 2 location=w.bin offset=18446744073709551617", KLDVE_E_FORMAT,
     "tensor 'w': its external data has the bad offset '18446744073709551617'"},
    {"no number", "ext w 2 location=w.bin length=8x", KLDVE_E_FORMAT,
     "tensor 'w': its external data has the bad length '8x'"},
    {"huge dimensions", "ext w 1000000,1000000 location=w.bin", KLDVE_E_FORMAT,
     "its dimensions need more than 2^40 bytes"},
};

static void check_found(void **state)
{
    const struct found_case *c = *state;
    const char *path = in_folder("model/net.onnx");
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m;

    assert_true(writer_file(path, write_text, c->text));
    if (kx_model_open(ctx, path, false, &m) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_int_equal(m->ninitializer, c->first[1] < 0 ? 1 : 2);
    for (int32_t i = 0; i < m->ninitializer; i++) {
        const kx_proto_tensor *t = &m->initializer[i];

        assert_int_equal(t->count * 4, c->n[i]);
        for (int k = 0; k < c->n[i]; k++)
            assert_int_equal(((const unsigned char *)t->data)[k], c->first[i] + k);
    }
    kx_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void check_refused(void **state)
{
    const struct refused_case *c = *state;
    const char *path = in_folder("model/net.onnx");
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;

    assert_true(writer_file(path, write_text, c->text));
    assert_int_equal(kx_model_open(ctx, path, false, &m), c->status);
    assert_memory_equal(kldve_ctx_message(ctx), path, strlen(path));
    if (!strstr(kldve_ctx_message(ctx), c->message))
        fail_msg("'%s' is not in '%s'", c->message, kldve_ctx_message(ctx));
    assert_null(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* From the folder itself: the path of the model has no slash. */
static void test_here(void **state)
{
    char back[4096];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;

    (void)state;
    assert_non_null(getcwd(back, sizeof back));
    assert_true(writer_file(in_folder("model/net.onnx"), write_text, "ext w 10 location=w.bin"));
    assert_int_equal(chdir(in_folder("model")), 0);
    if (kx_model_open(ctx, "net.onnx", false, &m) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_int_equal(chdir(back), 0);
    assert_int_equal(((const unsigned char *)m->initializer[0].data)[39], 39);
    kx_model_free(m);
    kldve_ctx_free(ctx);
}

static void test_memory(void **state)
{
    size_t n;
    unsigned char *bytes = writer_memory(write_text, "ext w 2 location=w.bin", &n);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;

    (void)state;
    assert_int_equal(kx_model_read(ctx, bytes, n, &m), KLDVE_E_UNSUPPORTED);
    assert_non_null(
        strstr(kldve_ctx_message(ctx), "load the model from its file, not from memory"));
    free(bytes);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* More than 4 GiB of external data; sparse, so it takes no room. */
static void test_limit(void **state)
{
    const char *path = in_folder("model/net.onnx"), *big = in_folder("model/sub/w.bin");
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;

    (void)state;
    assert_true(writer_file(
        path, write_text, "ext w 2 location=sub/w.bin offset=4294967280; ext v 1 location=w.bin"));
    if (truncate(big, 4294967296 - 40) != 0)
        skip();
    assert_int_equal(kx_model_open(ctx, path, false, &m), KLDVE_E_FORMAT); /* 24 bytes too short */
    assert_int_equal(truncate(big, 4294967296 - 8), 0);
    assert_int_equal(kx_model_open(ctx, path, false, &m),
                     KLDVE_E_LIMIT); /* 8 and 40 are too many */
    assert_int_equal(truncate(big, 4294967297), 0);
    assert_int_equal(kx_model_open(ctx, path, false, &m), KLDVE_E_LIMIT);
    assert_null(m);
    assert_true(writer_file(path, write_text, "ext w 2 location=sub/w.bin offset=4294967280"));
    assert_int_equal(truncate(big, 4294967296), 0);
    assert_int_equal(kx_model_open(ctx, path, false, &m), KLDVE_OK);
    assert_int_equal(*(const unsigned char *)m->initializer[0].data, 0);
    kx_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static const struct other_case {
    const char *name, *bytes;
    size_t n;
    const char *message; /* after the path */
} others[] = {
    {"empty", "", 0, "not an ONNX file: it is empty"},
    {"png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "not an ONNX file: it is a PNG picture"},
    {"jpeg", "\xff\xd8\xff\xe0\0\x10JFIF", 10, "not an ONNX file: it is a JPEG picture"},
    {"html", "<!DOCTYPE html>\n<html>", 22, "not an ONNX file: it is a web page"},
    {"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n", 64,
     "not an ONNX file: it is a git-LFS pointer: fetch the model itself with 'git lfs pull'"},
    {"zip", "PK\x03\x04\0\0", 6, "not an ONNX file: it is a ZIP archive (of PyTorch?)"},
    {"text", "hello, world\n", 13, "not an ONNX file, or a damaged one"},
    {"zeros", "\0\0\0\0\0\0\0\0", 8, "not an ONNX file, or a damaged one"},
    {"header only", "\x08\x07", 2, "not an ONNX model: it has no graph"},
    {"no version", "\x3a\x00", 2, "not an ONNX model: it has no IR version"},
};

static void check_other(void **state)
{
    const struct other_case *c = *state;
    const char *path = test_path("test_proto_%ld.onnx", (long)getpid());
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;

    test_file_save(path, c->bytes, c->n);
    assert_int_equal(kx_model_open(ctx, path, false, &m), KLDVE_E_FORMAT);
    assert_string_equal(kldve_ctx_message(ctx), test_path("%s: %s", path, c->message));
    assert_null(m);
    unlink(path);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_not_a_file(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;

    (void)state;
    assert_int_equal(kx_model_open(ctx, "no/such.onnx", false, &m), KLDVE_E_IO);
    assert_string_equal(kldve_ctx_message(ctx),
                        "no/such.onnx: cannot open: No such file or directory");
    assert_int_equal(kx_model_open(ctx, "/", false, &m), KLDVE_E_IO);
    assert_string_equal(kldve_ctx_message(ctx), "/: this is not a regular file");
    assert_null(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

enum {
    NFOUND = sizeof found / sizeof found[0],
    NREFUSED = sizeof refused / sizeof refused[0],
    NOTHERS = sizeof others / sizeof others[0]
};

TEST_MAIN(proto_file)
{
    struct CMUnitTest tests[NFOUND + NREFUSED + NOTHERS + 4];
    size_t n = 0;

    for (size_t i = 0; i < NFOUND; i++)
        tests[n++] = (struct CMUnitTest){found[i].name, check_found, NULL, NULL,
                                         (void *)(uintptr_t)&found[i]};
    for (size_t i = 0; i < NREFUSED; i++)
        tests[n++] = (struct CMUnitTest){refused[i].name, check_refused, NULL, NULL,
                                         (void *)(uintptr_t)&refused[i]};
    for (size_t i = 0; i < NOTHERS; i++)
        tests[n++] = (struct CMUnitTest){others[i].name, check_other, NULL, NULL,
                                         (void *)(uintptr_t)&others[i]};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_not_a_file);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_here);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_memory);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_limit);
    return _cmocka_run_group_tests("proto_file", tests, n, make_folder, remove_folder);
}
