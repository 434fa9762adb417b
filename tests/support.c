/* support.c - see support.h. */
#include "support.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *test_shared(void)
{
    const char *path = getenv("KLDVE_SHARED");
    struct stat st;

    if (!path || !*path)
        path = "../shared";
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        fprintf(stderr, "skipped: no shared test data at %s (set KLDVE_SHARED)\n", path);
        return NULL;
    }
    return path;
}

const char *test_shared_or_skip(void)
{
    const char *path = test_shared();

    if (!path)
        skip();
    return path;
}

const char *test_path(const char *format, ...)
{
    static char buffer[8][1024];
    static unsigned next;
    char *out = buffer[next++ % 8];
    va_list args;

    va_start(args, format);
    vsnprintf(out, sizeof buffer[0], format, args);
    va_end(args);
    return out;
}

void *test_file_load(const char *path, size_t *nbytes)
{
    FILE *f = fopen(path, "rb");
    char *bytes;
    long size;

    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);
    bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    if (fread(bytes, 1, (size_t)size, f) != (size_t)size)
        fail_msg("%s: short read", path);
    fclose(f);
    bytes[size] = 0;
    *nbytes = (size_t)size;
    return bytes;
}

void test_file_save(const char *path, const void *bytes, size_t nbytes)
{
    FILE *f = fopen(path, "wb");

    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    if (fwrite(bytes, 1, nbytes, f) != nbytes || fclose(f) != 0)
        fail_msg("%s: short write", path);
}

static double npy_item(const unsigned char *at, char kind, size_t size)
{
    float f4;
    double f8;
    uint64_t bits = 0;
    uint32_t low;

    for (size_t i = 0; i < size && i < sizeof bits; i++) /* the smallest comes first in the file */
        bits |= (uint64_t)at[i] << 8 * i;
    low = (uint32_t)bits;
    switch (kind == 'f' ? 10 + size : size) {
    case 14:
        memcpy(&f4, &low, 4);
        return (double)f4;
    case 18:
        memcpy(&f8, &bits, 8);
        return f8;
    case 4:
        return (int32_t)low;
    case 8:
        return (double)(int64_t)bits;
    default:
        fail_msg("npy: item type %c%zu", kind, size);
        return 0;
    }
}

test_npy test_npy_load(const char *path)
{
    test_npy npy = {0};
    size_t nbytes, header, item;
    unsigned char *file = test_file_load(path, &nbytes);
    char *text, *at, kind;

    if (nbytes < 10 || memcmp(file, "\x93NUMPY\x01", 7) != 0)
        fail_msg("%s: not a version 1 .npy file", path);
    header = 10u + file[8] + 256u * file[9];
    text = calloc(1, header);
    memcpy(text, file + 10, header - 10);
    at = strstr(text, "'descr': '");
    assert_non_null(at);
    kind = at[11];
    item = (size_t)(at[12] - '0');
    assert_null(strstr(text, "'fortran_order': True"));
    at = strchr(strstr(text, "'shape':"), '(') + 1;
    npy.count = 1;
    while (*at && *at != ')') {
        char *end;
        unsigned long dim = strtoul(at, &end, 10);

        if (end == at) {
            at++;
            continue;
        }
        npy.dim[npy.rank++] = dim;
        npy.count *= dim;
        at = end;
    }
    assert_true(header + npy.count * item <= nbytes);
    npy.value = malloc((npy.count + 1) * sizeof *npy.value);
    assert_non_null(npy.value);
    for (size_t i = 0; i < npy.count; i++)
        npy.value[i] = npy_item(file + header + i * item, kind, item);
    free(text);
    free(file);
    return npy;
}

void test_npy_free(test_npy *npy)
{
    free(npy->value);
    memset(npy, 0, sizeof *npy);
}

static const char *json_value(const char *json, const char *key)
{
    char quoted[128];
    const char *at;

    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    at = strstr(json, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    return at + strspn(at, " \t\r\n:");
}

bool test_json_string(const char *json, const char *key, char *out, size_t size)
{
    const char *at = json_value(json, key);
    size_t n;

    if (!at || *at != '"')
        return false;
    n = strcspn(at + 1, "\"");
    if (n >= size)
        return false;
    memcpy(out, at + 1, n);
    out[n] = 0;
    return true;
}

bool test_json_number(const char *json, const char *key, double *out)
{
    const char *at = json_value(json, key);
    char *end;

    if (!at)
        return false;
    *out = strtod(at, &end);
    return end != at;
}

static void *heap_alloc(void *opaque, size_t nbytes)
{
    test_heap *heap = opaque;
    void *memory;

    heap->calls++;
    heap->bytes += nbytes;
    if (heap->budget == 0)
        return NULL;
    if (heap->budget > 0)
        heap->budget--;
    memory = malloc(nbytes);
    if (memory)
        heap->live++;
    return memory;
}

static void heap_free(void *opaque, void *memory)
{
    test_heap *heap = opaque;

    if (memory)
        heap->live--;
    free(memory);
}

kldve_ctx *test_ctx(test_heap *heap)
{
    kldve_allocator allocator = {sizeof allocator, heap_alloc, heap_free, heap};
    kldve_ctx *ctx = NULL;

    memset(heap, 0, sizeof *heap);
    heap->budget = -1;
    assert_int_equal(kldve_ctx_new(&allocator, &ctx), KLDVE_OK);
    return ctx;
}

void test_says(const kldve_ctx *ctx, const char *text)
{
    if (!strstr(kldve_ctx_message(ctx), text))
        fail_msg("'%s' is not in '%s'", text, kldve_ctx_message(ctx));
}

int test_run_cases(const char *group, const void *cases, size_t count, size_t size,
                   CMUnitTestFunction check)
{
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    int failed;

    assert_non_null(tests);
    for (size_t i = 0; i < count; i++) {
        const char *at = (const char *)cases + i * size;

        memcpy(&tests[i].name, at, sizeof tests[i].name);
        tests[i].test_func = check;
        tests[i].initial_state = (void *)(uintptr_t)at;
    }
    failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    free(tests);
    return failed;
}

double test_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (double)((*seed * 2685821657736338717u) >> 11) * 0x1p-53;
}

double test_normal(uint64_t *seed)
{
    double r = sqrt(-2 * log(1 - test_random(seed)));

    return r * cos(6.283185307179586 * test_random(seed));
}
