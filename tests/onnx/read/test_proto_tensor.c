/* test_proto_tensor.c - where a tensor's elements are: raw bytes and typed fields, packed or not;
 * numbers that do not fit their type, counts that do not fit the dimensions. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "onnx/networks/onnx_writer.h"
#include "read/proto.h"

enum { FLOATS = 4, INT32S = 5, INT64S = 7, RAW = TENSOR_RAW, DOUBLES = 10, UINT64S = 11 };

/* A tensor with `dims` elements, and its data in one field: numbers one by one, or bytes. */
typedef struct data {
    const char *name;
    int32_t dtype, dims;
    uint32_t field;
    int count; /* of numbers; 0: bytes */
    int64_t number[4];
    const char *bytes;
    size_t nbytes;
    const char *expected; /* elements; in a table of refusals, the message */
} data;

static const data read_cases[] = {
    {"raw float", KX_ONNX_FLOAT, 1, RAW, 0, {0}, "\0\0\x80\x3f", 4, "\0\0\x80\x3f"},
    {"packed floats", KX_ONNX_FLOAT, 2, FLOATS, 0, {0}, "abcdefgh", 8, "abcdefgh"},
    {"packed doubles", KX_ONNX_DOUBLE, 1, DOUBLES, 0, {0}, "abcdefgh", 8, "abcdefgh"},
    {"packed int64",
     KX_ONNX_INT64,
     2,
     INT64S,
     0,
     {0},
     "\x01\xac\x02",
     3,
     "\x01\0\0\0\0\0\0\0\x2c\x01\0\0\0\0\0\0"},
    {"int64 one by one",
     KX_ONNX_INT64,
     2,
     INT64S,
     2,
     {-2, 1},
     NULL,
     0,
     "\xfe\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0\0\0\0\0"},
    {"int32", KX_ONNX_INT32, 2, INT32S, 2, {INT32_MIN, 7}, NULL, 0, "\0\0\0\x80\x07\0\0\0"},
    {"int8", KX_ONNX_INT8, 3, INT32S, 3, {-128, 127, -1}, NULL, 0, "\x80\x7f\xff"},
    {"uint8", KX_ONNX_UINT8, 2, INT32S, 2, {0, 255}, NULL, 0, "\0\xff"},
    {"int16", KX_ONNX_INT16, 2, INT32S, 2, {-2, 258}, NULL, 0, "\xfe\xff\x02\x01"},
    {"bool", KX_ONNX_BOOL, 3, INT32S, 3, {0, 1, 256}, NULL, 0, "\0\x01\x01"},
    {"float16", KX_ONNX_FLOAT16, 1, INT32S, 1, {0x3c00}, NULL, 0, "\0\x3c"},
    {"bfloat16", KX_ONNX_BFLOAT16, 1, INT32S, 1, {0x3f80}, NULL, 0, "\x80\x3f"},
    {"uint32", KX_ONNX_UINT32, 1, UINT64S, 1, {0xfffffffe}, NULL, 0, "\xfe\xff\xff\xff"},
    {"uint64", KX_ONNX_UINT64, 1, UINT64S, 1, {-1}, NULL, 0, "\xff\xff\xff\xff\xff\xff\xff\xff"},
    {"no elements", KX_ONNX_FLOAT, 0, RAW, 0, {0}, "", 0, ""},
};

static const data refused_cases[] = {
    {"too large",
     KX_ONNX_INT8,
     1,
     INT32S,
     1,
     {256},
     NULL,
     0,
     "a number in int32_data is damaged or does not fit int8"},
    {"too small",
     KX_ONNX_INT16,
     1,
     INT32S,
     1,
     {-65537},
     NULL,
     0,
     "a number in int32_data is damaged or does not fit int16"},
    {"too few",
     KX_ONNX_INT64,
     3,
     INT64S,
     2,
     {1, 2},
     NULL,
     0,
     "int64_data has 2 numbers, 3 expected"},
    {"too many",
     KX_ONNX_FLOAT,
     1,
     FLOATS,
     0,
     {0},
     "abcdefgh",
     8,
     "float_data has 2 numbers, 1 expected"},
    {"wrong field",
     KX_ONNX_FLOAT,
     1,
     INT64S,
     1,
     {1},
     NULL,
     0,
     "of type float has its data in int64_data"},
    {"raw too short",
     KX_ONNX_FLOAT,
     2,
     RAW,
     0,
     {0},
     "abcdefg",
     7,
     "raw_data has 7 bytes, 8 expected"},
    {"no type", 0, 1, RAW, 0, {0}, "a", 1, "has no element type"},
};

static void write_tensor(writer *w, const void *arg)
{
    const data *d = arg;

    write_varint(w, TENSOR_DIMS, (uint64_t)d->dims);
    write_varint(w, TENSOR_TYPE, (uint64_t)d->dtype);
    write_string(w, TENSOR_NAME, "t");
    for (int i = 0; i < d->count; i++)
        write_varint(w, d->field, (uint64_t)d->number[i]);
    if (d->count == 0)
        write_bytes(w, d->field, d->bytes, d->nbytes);
}

/* What reading it returns; the elements are good while `arena` is. */
static kldve_status read_tensor(kldve_ctx *ctx, kx_arena *arena, const data *d,
                                unsigned char **bytes, kx_proto_tensor *out)
{
    size_t n;

    *bytes = writer_memory(write_tensor, d, &n);
    assert_non_null(*bytes);
    kx_arena_init(arena, ctx);
    return kx_proto_tensor_read(ctx, arena, *bytes, n, out);
}

static void check_read(void **state)
{
    static const size_t sizes[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 0, 0, 2};
    const data *d = *state;
    unsigned char *bytes;
    kx_arena arena;
    kx_proto_tensor t;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    if (read_tensor(ctx, &arena, d, &bytes, &t) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_string_equal(t.name, "t");
    assert_int_equal(t.dtype, d->dtype);
    assert_int_equal(t.rank, 1);
    assert_int_equal(t.dim[0], d->dims);
    assert_int_equal(t.count, d->dims);
    assert_non_null(t.data);
    assert_int_equal(memcmp(t.data, d->expected, t.count * sizes[d->dtype]), 0);
    kx_arena_free(&arena);
    free(bytes);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void check_refused(void **state)
{
    const data *d = *state;
    unsigned char *bytes;
    kx_arena arena;
    kx_proto_tensor t = {.name = "untouched"};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    assert_int_equal(read_tensor(ctx, &arena, d, &bytes, &t), KLDVE_E_FORMAT);
    if (!strstr(kldve_ctx_message(ctx), d->expected))
        fail_msg("'%s' is not in '%s'", d->expected, kldve_ctx_message(ctx));
    assert_string_equal(t.name, "untouched");
    kx_arena_free(&arena);
    free(bytes);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

enum {
    NREAD = sizeof read_cases / sizeof *read_cases,
    NREFUSED = sizeof refused_cases / sizeof *refused_cases
};

TEST_MAIN(proto_tensor)
{
    struct CMUnitTest tests[NREAD + NREFUSED];

    for (size_t i = 0; i < NREAD; i++)
        tests[i] = (struct CMUnitTest){read_cases[i].name, check_read, NULL, NULL,
                                       (void *)(uintptr_t)&read_cases[i]};
    for (size_t i = 0; i < NREFUSED; i++)
        tests[NREAD + i] = (struct CMUnitTest){refused_cases[i].name, check_refused, NULL, NULL,
                                               (void *)(uintptr_t)&refused_cases[i]};
    return cmocka_run_group_tests_name("proto_tensor", tests, NULL, NULL);
}
