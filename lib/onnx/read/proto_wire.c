/* proto_wire.c - fields of a protobuf message one by one; the reader's memory and messages.
 *
 * The wire format is decoded by nanopb (pb_decode.h).  A stream made by pb_istream_from_buffer()
 * keeps the address of the next byte in `state`, which is how a field's bytes are found without
 * copying. */
#include "limit.h"
#include "proto_read.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../base/size.h"

enum { BLOCK_SIZE = 32768, SMALL = 1024 };

kx_wire kx_wire_start(const void *bytes, size_t n)
{
    kx_wire w = {.stream = pb_istream_from_buffer(bytes, n)};

    return w;
}

static bool payload(kx_wire *w, pb_wire_type_t type)
{
    pb_istream_t sub;
    uint32_t word;

    switch (type) {
    case PB_WT_VARINT:
        return pb_decode_varint(&w->stream, &w->value);
    case PB_WT_64BIT:
        return pb_decode_fixed64(&w->stream, &w->value);
    case PB_WT_32BIT:
        if (!pb_decode_fixed32(&w->stream, &word))
            return false;
        w->value = word;
        return true;
    case PB_WT_STRING:
        if (!pb_make_string_substream(&w->stream, &sub))
            return false;
        w->bytes = sub.state;
        w->n = sub.bytes_left;
        return pb_close_string_substream(&w->stream, &sub);
    default: /* groups: protobuf dropped them before ONNX began */
        w->stream.errmsg = "a wire type that ONNX does not use";
        return false;
    }
}

bool kx_wire_next(kx_wire *w)
{
    pb_wire_type_t type;
    uint32_t tag;
    bool end;

    w->value = 0;
    w->bytes = NULL;
    w->n = 0;
    if (w->stream.bytes_left == 0 || w->broken)
        return false;
    w->broken = true;
    if (!pb_decode_tag(&w->stream, &type, &tag, &end))
        return false;
    if (tag == 0) {
        w->stream.errmsg = "field number 0";
        return false;
    }
    if (!payload(w, type))
        return false;
    w->broken = false;
    w->key = tag << 3 | (uint32_t)type;
    return true;
}

kldve_status kx_wire_broken(kx_reader *r, const kx_wire *w, const char *message)
{
    const unsigned char *at = w->stream.state;

    return kx_reader_fail(r, KLDVE_E_FORMAT, "damaged or truncated: %s near byte %zu, in %s",
                          PB_GET_ERROR(&w->stream), (size_t)(at - r->bytes), message);
}

size_t kx_wire_count(const void *bytes, size_t n, uint32_t key)
{
    kx_wire w = kx_wire_start(bytes, n);
    size_t count = 0;

    while (kx_wire_next(&w))
        count += w.key == key;
    return count;
}

size_t kx_packed_count(const unsigned char *bytes, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += bytes[i] < 0x80;
    return count;
}

kldve_status kx_reader_fail(kx_reader *r, kldve_status status, const char *format, ...)
{
    char text[400];
    va_list args;

    assert(status < 0);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return kldve_ctx_failf(r->ctx, status, "%s: %s", r->path, text);
}

kldve_status kx_reader_nomem(kx_reader *r)
{
    return kx_reader_fail(r, KLDVE_E_NOMEM, "out of memory while reading the network");
}

/* The arena rounds every block up to 64 bytes.  Names and short lists are cut from separate blocks
 * in steps of 8, so that a file with very many tiny objects stays small in memory. */
static void *small_block(kx_reader *r, size_t n)
{
    void *at;

    n = n ? (n + 7) / 8 * 8 : 8;
    assert(n <= BLOCK_SIZE);
    if (n > r->block_left) {
        r->block = kx_arena_alloc(r->arena, BLOCK_SIZE, 1);
        r->block_left = r->block ? BLOCK_SIZE : 0;
        if (!r->block)
            return NULL;
    }
    assert(n <= r->block_left);
    at = r->block;
    r->block += n;
    r->block_left -= n;
    return at;
}

size_t kx_reader_room(const kx_reader *r)
{
    size_t most = kx_limit(r->ctx, KLDVE_LIMIT_UNPACKED);

    return most > r->spent ? most - r->spent : 0;
}

kldve_status kx_reader_full(kx_reader *r)
{
    return kldve_ctx_fail_limit(r->ctx, KLDVE_LIMIT_UNPACKED, "%s: unpacks to more than is taken",
                                r->path);
}

kldve_status kx_reader_new(kx_reader *r, size_t count, size_t size, void *out)
{
    size_t n;
    void *memory;

    if (!kldve_size_mul(count, size, &n) || n > kx_reader_room(r))
        return kx_reader_full(r);
    memory = n <= SMALL ? small_block(r, n) : kx_arena_alloc(r->arena, n, 1);
    if (!memory)
        return kx_reader_nomem(r);
    r->spent += n;
    memcpy(out, &memory, sizeof memory);
    return KLDVE_OK;
}

kldve_status kx_reader_text(kx_reader *r, const void *bytes, size_t n, const char **out)
{
    char *copy = NULL;
    kldve_status st;

    if (n == 0) {
        *out = "";
        return KLDVE_OK;
    }
    if ((st = kx_reader_new(r, n + 1, 1, &copy)) < 0)
        return st;
    memcpy(copy, bytes, n);
    *out = copy;
    return KLDVE_OK;
}

kldve_status kx_reader_name(kx_reader *r, const kx_wire *w, const char **out)
{
    if (w->n > KX_MAX_NAME)
        return kx_reader_fail(r, KLDVE_E_UNSUPPORTED,
                              "the name '%.40s...' has %zu bytes, at most %d are supported",
                              (const char *)w->bytes, w->n, KX_MAX_NAME);
    if (memchr(w->bytes, 0, w->n))
        return kx_reader_fail(r, KLDVE_E_FORMAT, "the name '%.80s...' holds a zero byte",
                              (const char *)w->bytes);
    return kx_reader_text(r, w->bytes, w->n, out);
}
