/* test_bad.c - broken and hostile pictures: each gives its status and one clear line. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "image/codec.h"

enum { FILE_MAX = 20000, SIDE = 8, MEMORY_MAX = 2 << 20 };

struct bytes {
    size_t length;
    uint8_t at[FILE_MAX];
};

static void put(struct bytes *file, const void *bytes, size_t nbytes)
{
    assert_true(file->length + nbytes <= FILE_MAX);
    if (nbytes > 0)
        memcpy(file->at + file->length, bytes, nbytes);
    file->length += nbytes;
}

/* -- an allocator that refuses, and records, more than these small pictures can need ----------- */

struct watch {
    long live;
    size_t largest;
};

static void *watch_alloc(void *opaque, size_t nbytes)
{
    struct watch *watch = opaque;

    if (nbytes > watch->largest)
        watch->largest = nbytes;
    watch->live++;
    return malloc(nbytes);
}

static void watch_free(void *opaque, void *memory)
{
    struct watch *watch = opaque;

    watch->live -= memory != NULL;
    free(memory);
}

static kldve_ctx *watch_ctx(struct watch *watch)
{
    kldve_allocator allocator = {sizeof allocator, watch_alloc, watch_free, watch};
    kldve_ctx *ctx;

    memset(watch, 0, sizeof *watch);
    assert_int_equal(kldve_ctx_new(&allocator, &ctx), KLDVE_OK);
    return ctx;
}

/* Decode a copy that ends where the file does, so that a sanitizer sees one byte too many. */
static kldve_status decode(kldve_ctx *ctx, const uint8_t *bytes, size_t nbytes, kldve_image **out)
{
    uint8_t *copy = malloc(nbytes ? nbytes : 1);
    kldve_status status;

    assert_non_null(copy);
    memcpy(copy, bytes, nbytes);
    status = kldve_image_decode(ctx, copy, nbytes, out);
    free(copy);
    return status;
}

static void assert_one_line(const kldve_ctx *ctx)
{
    const char *message = kldve_ctx_message(ctx);

    assert_true(strlen(message) > 10 && strlen(message) < 200);
    for (; *message; message++)
        assert_true((unsigned char)*message >= 0x20 && *message != 0x7f);
}

static void check(const struct bytes *file, kldve_status status, const char *message)
{
    struct watch watch;
    kldve_ctx *ctx = watch_ctx(&watch);
    kldve_image *image = NULL;
    kldve_status got = decode(ctx, file->at, file->length, &image);

    if (got != status || !strstr(kldve_ctx_message(ctx), message))
        fail_msg("status %d, message \"%s\"; expected %d, \"%s\"", got, kldve_ctx_message(ctx),
                 status, message);
    assert_null(image);
    assert_one_line(ctx);
    assert_true(watch.largest < MEMORY_MAX);
    kldve_ctx_free(ctx);
    assert_int_equal(watch.live, 0);
}

/* -- neither PNG nor JPEG ---------------------------------------------------------------------- */

static const struct other {
    const char *name;
    const char *bytes;
    size_t nbytes;
    kldve_status status;
    const char *message;
} others[] = {
    {"empty", "", 0, KLDVE_E_FORMAT, "the file is empty"},
    {"one byte of PNG", "\x89", 1, KLDVE_E_FORMAT, "cut off"},
    {"two bytes of JPEG", "\xff\xd8", 2, KLDVE_E_FORMAT, "cut off"},
    {"one zero byte", "\0", 1, KLDVE_E_UNSUPPORTED, "not a picture in PNG or JPEG"},
    {"text", "hello, world", 12, KLDVE_E_UNSUPPORTED, "not a picture in PNG or JPEG"},
    {"PNG sent as text", "\x89PNG\n\x1a\n\0\0\0\rIHDR", 15, KLDVE_E_UNSUPPORTED, "not a picture"},
    {"GIF", "GIF89a\1\0\1\0", 10, KLDVE_E_UNSUPPORTED, "GIF format: convert it to PNG or JPEG"},
    {"WebP", "RIFF\0\0\0\0WEBPVP8 ", 16, KLDVE_E_UNSUPPORTED, "WebP format"},
    {"BMP", "BM\0\0\0\0\0\0\0\0", 10, KLDVE_E_UNSUPPORTED, "BMP format"},
    {"TIFF", "II*\0\x08\0\0\0", 8, KLDVE_E_UNSUPPORTED, "TIFF format"},
    {"TIFF, Motorola", "MM\0*\0\0\0\x08", 8, KLDVE_E_UNSUPPORTED, "TIFF format"},
    {"HEIC",
     "\0\0\0\x18"
     "ftypheic",
     12, KLDVE_E_UNSUPPORTED, "HEIC format"},
    {"AVIF",
     "\0\0\0\x1c"
     "ftypavif",
     12, KLDVE_E_UNSUPPORTED, "AVIF format"},
#ifndef KLDVE_HAVE_PNG
    {"PNG left out", "\x89PNG\r\n\x1a\n", 8, KLDVE_E_UNSUPPORTED, "build with -Dpng=enabled"},
#endif
#ifndef KLDVE_HAVE_JPEG
    {"JPEG left out", "\xff\xd8\xff\xe0", 4, KLDVE_E_UNSUPPORTED, "build with -Djpeg=enabled"},
#endif
};

static void check_other(void **state)
{
    const struct other *c = *state;
    struct bytes file = {0};

    put(&file, c->bytes, c->nbytes);
    check(&file, c->status, c->message);
}

#if defined KLDVE_HAVE_PNG || defined KLDVE_HAVE_JPEG

static void put_number(struct bytes *file, uint32_t value, int nbytes)
{
    while (nbytes-- > 0) {
        uint8_t byte = (uint8_t)(value >> 8 * nbytes);

        put(file, &byte, 1);
    }
}

/* How a good file is broken. */
struct edit {
    size_t keep; /* bytes that stay, 0: all; counted from the end if `from_end` */
    bool from_end;
    const char *find; /* then `write` from `skip` bytes behind the first byte of this text */
    size_t find_nbytes, skip;
    const char *write;
    size_t write_nbytes;
};

#define AT(text, skip, bytes)                                                                      \
    .edit = {0, false, text, sizeof text - 1, skip, bytes, sizeof bytes - 1}

static const uint8_t *find(const struct bytes *file, const char *text, size_t nbytes)
{
    for (size_t i = 0; i + nbytes <= file->length; i++)
        if (memcmp(file->at + i, text, nbytes) == 0)
            return file->at + i;
    fail_msg("the good file is not as expected");
    return NULL;
}

static void apply(struct bytes *file, const struct edit *edit)
{
    if (edit->find) {
        size_t at = (size_t)(find(file, edit->find, edit->find_nbytes) - file->at) + edit->skip;

        assert_true(at + edit->write_nbytes <= file->length);
        memcpy(file->at + at, edit->write, edit->write_nbytes);
    }
    if (edit->keep)
        file->length = edit->from_end ? file->length - edit->keep : edit->keep;
}

#endif

/* An EXIF block: turn by a quarter. */
static const char exif_6[] = "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0";

enum { EXIF_NBYTES = sizeof exif_6 - 1 };

/* -- PNG, put together here -------------------------------------------------------------------- */

#ifdef KLDVE_HAVE_PNG

static uint32_t crc32_of(const uint8_t *bytes, size_t nbytes)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < nbytes; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static uint32_t adler32_of(const uint8_t *bytes, size_t nbytes)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < nbytes; i++) {
        a = (a + bytes[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void put_chunk(struct bytes *file, const char *kind, const void *data, size_t nbytes)
{
    size_t start;

    put_number(file, (uint32_t)nbytes, 4);
    start = file->length;
    put(file, kind, 4);
    put(file, data, nbytes);
    put_number(file, crc32_of(file->at + start, file->length - start), 4);
}

/* A chunk of the case, or what replaces one of the usual. */
struct png_spec {
    uint32_t width, height; /* 0: as SIDE; ZERO: 0 */
    const char *header;     /* depth, colour, compression, filter, interlace; NULL: 8-bit RGB */
    const char *kind;       /* of a chunk before the pixels */
    const char *data;
    size_t nbytes;
    uint32_t rows;  /* that the pixels have; 0: SIDE */
    uint8_t filter; /* of every row */
    bool no_header, no_pixels, two_headers, wrong_sum;
};

enum { ZERO = 0x12345678 };

static void put_header(struct bytes *file, const struct png_spec *spec)
{
    struct bytes header = {0};

    put_number(&header, spec->width == ZERO ? 0 : spec->width ? spec->width : SIDE, 4);
    put_number(&header, spec->height == ZERO ? 0 : spec->height ? spec->height : SIDE, 4);
    put(&header, spec->header ? spec->header : "\x08\x02\0\0\0", 5);
    put_chunk(file, "IHDR", header.at, header.length);
}

/* zlib with one stored block */
static void put_pixels(struct bytes *file, const struct png_spec *spec)
{
    struct bytes rows = {0}, zlib = {0};
    uint64_t seed = 11;

    for (uint32_t y = 0; y < (spec->rows ? spec->rows : SIDE); y++) {
        put(&rows, &spec->filter, 1);
        for (int i = 0; i < 3 * SIDE; i++)
            put_number(&rows, (uint32_t)(256 * test_random(&seed)), 1);
    }
    put(&zlib, "\x78\x01\x01", 3);
    put_number(&zlib, (uint32_t)((rows.length & 255) << 8 | rows.length >> 8), 2);
    put_number(&zlib, (uint32_t)((~rows.length & 255) << 8 | (~rows.length >> 8 & 255)), 2);
    put(&zlib, rows.at, rows.length);
    put_number(&zlib, adler32_of(rows.at, rows.length) ^ spec->wrong_sum, 4);
    put_chunk(file, "IDAT", zlib.at, zlib.length);
}

static void make_png(struct bytes *file, const struct png_spec *spec)
{
    file->length = 0;
    put(file, "\x89PNG\r\n\x1a\n", 8);
    if (!spec->no_header)
        put_header(file, spec);
    if (spec->two_headers)
        put_header(file, spec);
    if (spec->kind)
        put_chunk(file, spec->kind, spec->data, spec->nbytes);
    if (!spec->no_pixels)
        put_pixels(file, spec);
    put_chunk(file, "IEND", NULL, 0);
}

#define CHUNK(name, bytes) .kind = name, .data = bytes, .nbytes = sizeof bytes - 1

static const struct bad_png {
    const char *name;
    kldve_status status;
    const char *message;
    struct png_spec spec;
    struct edit edit;
} bad_pngs[] = {
    {"signature only", KLDVE_E_FORMAT, "cut off", {0}, {.keep = 8}},
    {"cut in the first length", KLDVE_E_FORMAT, "cut off", {0}, {.keep = 10}},
    {"cut in the header", KLDVE_E_FORMAT, "cut off", {0}, {.keep = 20}},
    {"cut behind the header", KLDVE_E_FORMAT, "cut off", {0}, {.keep = 33}},
    {"cut in the pixels", KLDVE_E_FORMAT, "cut off", {0}, {.keep = 100}},
    {"cut before the end chunk", KLDVE_E_FORMAT, "cut off", {0}, {.keep = 12, .from_end = true}},
    {"cut by one byte", KLDVE_E_FORMAT, "cut off", {0}, {.keep = 1, .from_end = true}},
    {"width 0", KLDVE_E_FORMAT, "width is zero", {.width = ZERO}, {0}},
    {"height 0", KLDVE_E_FORMAT, "height is zero", {.height = ZERO}, {0}},
#if SIZE_MAX > UINT32_MAX
    {"width 2^31 - 1", KLDVE_E_UNSUPPORTED, "2147483647 x 8 pixels", {.width = INT32_MAX}, {0}},
#else /* libpng asks first whether a row can be addressed */
    {"width 2^31 - 1", KLDVE_E_FORMAT, "Image width is too large", {.width = INT32_MAX}, {0}},
#endif
    {"width 2^32 - 1", KLDVE_E_FORMAT, "PNG", {.width = UINT32_MAX}, {0}},
    {"width 2^31", KLDVE_E_FORMAT, "PNG", {.width = 0x80000000}, {0}},
    {"width 65536",
     KLDVE_E_UNSUPPORTED,
     "65536 x 8 pixels, a side may have at most 65535",
     {.width = 65536},
     {0}},
    {"20000 x 20000",
     KLDVE_E_LIMIT,
     "20000 x 20000 pixels: the limit 'picture-pixels' is 100000000;",
     {.width = 20000, .height = 20000},
     {0}},
    {"65535 x 65535",
     KLDVE_E_LIMIT,
     "the limit 'picture-pixels'",
     {.width = 65535, .height = 65535},
     {0}},
    {"wider than its pixels", KLDVE_E_FORMAT, "PNG", {.width = 10000}, {0}},
    {"higher than its pixels", KLDVE_E_FORMAT, "PNG", {.height = 9}, {0}},
    {"depth 3", KLDVE_E_FORMAT, "bit depth", {.header = "\x03\x02\0\0\0"}, {0}},
    {"depth 0", KLDVE_E_FORMAT, "bit depth", {.header = "\0\x02\0\0\0"}, {0}},
    {"RGB with 4 bits", KLDVE_E_FORMAT, "color type/bit depth", {.header = "\x04\x02\0\0\0"}, {0}},
    {"palette with 16 bits", KLDVE_E_FORMAT, "color type", {.header = "\x10\x03\0\0\0"}, {0}},
    {"colour type 1", KLDVE_E_FORMAT, "color type", {.header = "\x08\x01\0\0\0"}, {0}},
    {"colour type 255", KLDVE_E_FORMAT, "color type", {.header = "\x08\xff\0\0\0"}, {0}},
    {"compression 1", KLDVE_E_FORMAT, "compression", {.header = "\x08\x02\1\0\0"}, {0}},
    {"filter method 1", KLDVE_E_FORMAT, "filter", {.header = "\x08\x02\0\1\0"}, {0}},
    {"interlace 2", KLDVE_E_FORMAT, "interlace", {.header = "\x08\x02\0\0\2"}, {0}},
    {"row filter 7", KLDVE_E_FORMAT, "filter", {.filter = 7}, {0}},
    {"no header", KLDVE_E_FORMAT, "IHDR", {.no_header = true}, {0}},
    {"no pixels", KLDVE_E_FORMAT, "IEND", {.no_pixels = true}, {0}},
    {"two headers", KLDVE_E_FORMAT, "IHDR", {.two_headers = true}, {0}},
    {"no palette", KLDVE_E_FORMAT, "PLTE", {.header = "\x08\x03\0\0\0"}, {0}},
    {"palette of 4 bytes",
     KLDVE_E_FORMAT,
     "PLTE",
     {.header = "\x08\x03\0\0\0", CHUNK("PLTE", "abcd")},
     {0}},
    {"unknown critical chunk",
     KLDVE_E_FORMAT,
     "unhandled critical chunk",
     {CHUNK("ABCD", "abcd")},
     {0}},
    {"chunk name of digits", KLDVE_E_FORMAT, "type", {CHUNK("1234", "abcd")}, {0}},
    {"header checksum", KLDVE_E_FORMAT, "IHDR: CRC error", {0}, AT("IHDR", 17, "\0\0\0\0")},
    {"pixels checksum", KLDVE_E_FORMAT, "IDAT: CRC error", {0}, AT("IDAT", 215, "\0")},
    {"EXIF checksum",
     KLDVE_E_FORMAT,
     "eXIf: CRC error",
     {.kind = "eXIf", .data = exif_6, .nbytes = EXIF_NBYTES},
     AT("eXIf", 4 + EXIF_NBYTES, "\0")},
    {"text checksum",
     KLDVE_E_FORMAT,
     "tEXt: CRC error",
     {CHUNK("tEXt", "a\0b")},
     AT("tEXt", 7, "\0")},
    {"end checksum", KLDVE_E_FORMAT, "IEND: CRC error", {0}, AT("IEND", 4, "\0\0\0\0")},
    {"pixels do not sum up", KLDVE_E_FORMAT, "IDAT", {.wrong_sum = true}, {0}},
    {"not compressed", KLDVE_E_FORMAT, "IDAT", {0}, AT("IDAT", 4, "zz")},
    {"header of 12 bytes", KLDVE_E_FORMAT, "PNG", {0}, AT("\0\0\0\x0dIHDR", 3, "\x0c")},
    {"header of 2^32 - 1 bytes",
     KLDVE_E_FORMAT,
     "PNG",
     {0},
     AT("\0\0\0\x0dIHDR", 0, "\xff\xff\xff\xff")},
    {"pixels of 2^32 - 1 bytes",
     KLDVE_E_FORMAT,
     "PNG",
     {0},
     AT("\0\0\0\xd3IDAT", 0, "\xff\xff\xff\xff")},
    {"pixels of 2^31 - 1 bytes",
     KLDVE_E_FORMAT,
     "PNG",
     {0},
     AT("\0\0\0\xd3IDAT", 0, "\x7f\xff\xff\xff")},
    {"end chunk in the middle", KLDVE_E_FORMAT, "PNG", {CHUNK("IEND", "")}, {0}},
};

static void check_png(void **state)
{
    const struct bad_png *c = *state;
    struct bytes file;

    make_png(&file, &c->spec);
    apply(&file, &c->edit);
    check(&file, c->status, c->message);
}

#endif

/* -- JPEG, put together here ------------------------------------------------------------------ */

#ifdef KLDVE_HAVE_JPEG

/* A grey picture of SIDE x SIDE for each component: all coefficients are 0. */
struct jpeg_spec {
    uint8_t frame;          /* marker of the frame; 0: baseline, NONE: no frame */
    uint8_t precision;      /* 0: 8 */
    uint16_t width, height; /* 0: SIDE; ZERO_SIDE: 0 */
    uint8_t components;     /* 0: 3; NONE: 0 */
    uint8_t sampling;       /* of the first component; 0: 0x11 */
    uint8_t second;         /* of the others; 0: 0x11 */
    uint8_t in_scan;        /* components of each scan; 0: all */
    const char *spectrum;   /* first and last coefficient, bits; NULL: all */
    uint16_t scans;         /* 0: 1 */
    bool two_frames, no_tables, no_quantisers;
};

enum { NONE = 255, ZERO_SIDE = 0xfffe };

static uint32_t side(uint16_t of_case)
{
    return of_case == ZERO_SIDE ? 0 : of_case ? of_case : SIDE;
}

static void put_frame(struct bytes *file, const struct jpeg_spec *spec, uint32_t components)
{
    if (spec->frame == NONE)
        return;
    put_number(file, 0xff00u | (spec->frame ? spec->frame : 0xc0), 2);
    put_number(file, 8 + 3 * components, 2);
    put_number(file, spec->precision ? spec->precision : 8, 1);
    put_number(file, side(spec->height), 2);
    put_number(file, side(spec->width), 2);
    put_number(file, components, 1);
    for (uint32_t i = 1; i <= components; i++) {
        uint8_t sampling = i == 1 ? spec->sampling : spec->second;

        put_number(file, i << 16 | (sampling ? sampling : 0x11u) << 8, 3);
    }
}

/* One code of one bit for each table: 0 says "no difference" and "end of block". */
static void put_tables(struct bytes *file)
{
    for (uint32_t table = 0; table < 2; table++) {
        put(file, "\xff\xc4\0\x14", 4);
        put_number(file, table << 4, 1);
        put(file, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17);
    }
}

static void put_scan(struct bytes *file, const struct jpeg_spec *spec, uint32_t first,
                     uint32_t count)
{
    put(file, "\xff\xda", 2);
    put_number(file, 6 + 2 * count, 2);
    put_number(file, count, 1);
    for (uint32_t i = 0; i < count; i++)
        put_number(file, (first + i) << 8, 2);
    put(file, spec->spectrum ? spec->spectrum : "\0\x3f\0", 3);
    put_number(file, 0xffu >> (count > 3 ? 8 : 2 * count), 1); /* two 0 for each block, filled up */
    if (count > 3)
        put_number(file, 0xffu >> (2 * (count - 4) % 8), 1);
}

static void make_jpeg(struct bytes *file, const struct jpeg_spec *spec)
{
    uint32_t components = spec->components == NONE ? 0 : spec->components ? spec->components : 3;
    uint32_t in_scan = spec->in_scan ? spec->in_scan : components;

    file->length = 0;
    put(file, "\xff\xd8", 2);
    if (!spec->no_quantisers) {
        put(file, "\xff\xdb\0\x43\0", 5);
        for (int i = 0; i < 64; i++)
            put(file, "\1", 1);
    }
    for (int i = 0; i <= spec->two_frames; i++)
        put_frame(file, spec, components);
    if (!spec->no_tables)
        put_tables(file);
    for (uint32_t i = 0; i < (spec->scans ? spec->scans : 1u); i++)
        for (uint32_t first = 1; first + in_scan <= components + 1; first += in_scan)
            put_scan(file, spec, first, in_scan);
    put(file, "\xff\xd9", 2);
}

#define SOF "\xff\xc0"
#define SOS "\xff\xda"
#define DHT "\xff\xc4"
#define DQT "\xff\xdb"

static const struct bad_jpeg {
    const char *name;
    kldve_status status;
    const char *message;
    struct jpeg_spec spec;
    struct edit edit;
} bad_jpegs[] = {
    {"start only", KLDVE_E_FORMAT, "JPEG", {0}, {.keep = 3}},
    {"cut in a table", KLDVE_E_FORMAT, "Premature end", {0}, {.keep = 30}},
    {"cut before the scan", KLDVE_E_FORMAT, "JPEG", {0}, AT(SOS, 0, "\xff\xd9")},
    {"cut before the end", KLDVE_E_FORMAT, "Premature end", {0}, {.keep = 2, .from_end = true}},
    {"cut by one byte", KLDVE_E_FORMAT, "Premature end", {0}, {.keep = 1, .from_end = true}},
    {"fewer blocks than pixels",
     KLDVE_E_FORMAT,
     "premature end of data",
     {.width = 640, .height = 480},
     {0}},
    {"no frame", KLDVE_E_FORMAT, "SOS before SOF", {.frame = NONE}, {0}},
    {"nothing but an end", KLDVE_E_FORMAT, "no image", {0}, AT(DQT, 0, "\xff\xd9")},
    {"two frames", KLDVE_E_FORMAT, "two SOF markers", {.two_frames = true}, {0}},
    {"width 0", KLDVE_E_FORMAT, "Empty", {.width = ZERO_SIDE}, {0}},
    {"height 0", KLDVE_E_FORMAT, "Empty", {.height = ZERO_SIDE}, {0}},
    {"65535 x 65535", KLDVE_E_UNSUPPORTED, "65500", {.width = 65535, .height = 65535}, {0}},
    {"65500 x 65500",
     KLDVE_E_LIMIT,
     "65500 x 65500 pixels: the limit",
     {.width = 65500, .height = 65500},
     {0}},
    {"20000 x 20000, progressive",
     KLDVE_E_LIMIT,
     "20000 x 20000 pixels",
     {.width = 20000, .height = 20000, .frame = 0xc2},
     {0}},
    {"12 bits", KLDVE_E_UNSUPPORTED, "precision 12", {.precision = 12}, {0}},
    {"255 bits", KLDVE_E_UNSUPPORTED, "precision 255", {.precision = 255}, {0}},
    {"lossless", KLDVE_E_UNSUPPORTED, "Unsupported JPEG process", {.frame = 0xc3}, {0}},
    {"hierarchical", KLDVE_E_UNSUPPORTED, "Unsupported JPEG process", {.frame = 0xc5}, {0}},
    {"2 components", KLDVE_E_UNSUPPORTED, "2 colour components", {.components = 2}, {0}},
    {"5 components",
     KLDVE_E_UNSUPPORTED,
     "5 colour components",
     {.components = 5, .in_scan = 1},
     {0}},
    {"11 components", KLDVE_E_FORMAT, "Too many color", {.components = 11, .in_scan = 1}, {0}},
    {"no components", KLDVE_E_FORMAT, "Empty", {.components = NONE, .in_scan = 1}, {0}},
    {"sampling 0", KLDVE_E_FORMAT, "sampling factors", {0}, AT(SOF, 11, "\0")},
    {"sampling 5", KLDVE_E_FORMAT, "sampling factors", {.sampling = 0x51}, {0}},
    {"sampling 3 to 2",
     KLDVE_E_UNSUPPORTED,
     "ractional sampling",
     {.sampling = 0x31, .second = 0x21},
     {0}},
    {"frame too short", KLDVE_E_FORMAT, "marker length", {0}, AT(SOF, 2, "\0\x08")},
    {"frame of 0 bytes", KLDVE_E_FORMAT, "JPEG", {0}, AT(SOF, 2, "\0\0")},
    {"table of 1 byte", KLDVE_E_FORMAT, "JPEG", {0}, AT(DQT, 2, "\0\1")},
    {"table of 65535 bytes", KLDVE_E_FORMAT, "JPEG", {0}, AT(DQT, 2, "\xff\xff")},
    {"quantiser 9", KLDVE_E_FORMAT, "DQT", {0}, AT(DQT, 4, "\x09")},
    {"no quantisers", KLDVE_E_FORMAT, "Quantization table", {.no_quantisers = true}, {0}},
    {"code table 9", KLDVE_E_FORMAT, "DHT", {0}, AT(DHT, 4, "\x09")},
    {"code table with too many codes", KLDVE_E_FORMAT, "uffman", {0}, AT(DHT, 5, "\3")},
    {"code table that overflows", KLDVE_E_FORMAT, "uffman", {0}, AT(DHT, 5, "\xff\xff")},
    {"scan of an unknown component", KLDVE_E_FORMAT, "component", {0}, AT(SOS, 5, "\x77")},
    {"scan of one component twice", KLDVE_E_FORMAT, "component", {0}, AT(SOS, 7, "\1")},
    {"scan of 9 components", KLDVE_E_FORMAT, "JPEG", {0}, AT(SOS, 4, "\x09")},
    {"scan with code table 3", KLDVE_E_FORMAT, "uffman table", {0}, AT(SOS, 6, "\x33")},
    {"scan with code table 15", KLDVE_E_FORMAT, "uffman table", {0}, AT(SOS, 6, "\xff")},
    {"scan too short", KLDVE_E_FORMAT, "length", {0}, AT(SOS, 2, "\0\3")},
    {"progressive from 5 to 3",
     KLDVE_E_FORMAT,
     "rogressi",
     {.frame = 0xc2, .spectrum = "\5\3\0"},
     {0}},
    {"progressive, all at once",
     KLDVE_E_FORMAT,
     "rogressi",
     {.frame = 0xc2, .spectrum = "\0\x3f\0"},
     {0}},
    {"progressive without the first coefficient",
     KLDVE_E_FORMAT,
     "rogressi",
     {.frame = 0xc2, .in_scan = 1, .spectrum = "\1\x3f\0"},
     {0}},
    {"100 scans of each component",
     KLDVE_E_UNSUPPORTED,
     "more than 200 scans",
     {.in_scan = 1, .scans = 100},
     {0}},
    {"code that does not exist",
     KLDVE_E_FORMAT,
     "Corrupt JPEG data",
     {0},
     AT("\xff\xda", 14, "\xfe")},
};

static void check_jpeg(void **state)
{
    const struct bad_jpeg *c = *state;
    struct bytes file;

    make_jpeg(&file, &c->spec);
    apply(&file, &c->edit);
    check(&file, c->status, c->message);
}

#endif

/* -- good files, cut everywhere and with every bit turned -------------------------------------- */

#if defined KLDVE_HAVE_PNG || defined KLDVE_HAVE_JPEG

#ifdef KLDVE_HAVE_PNG
static void good_png(struct bytes *file)
{
    const struct png_spec spec = {.kind = "eXIf", .data = exif_6, .nbytes = EXIF_NBYTES};

    make_png(file, &spec);
}
#endif

#ifdef KLDVE_HAVE_JPEG
/* Noise, as the library writes it, with an EXIF block. */
static void good_jpeg(struct bytes *file)
{
    struct watch watch;
    kldve_ctx *ctx = watch_ctx(&watch);
    kldve_buffer out = {ctx, NULL, 0, 0};
    kldve_image *image;
    uint64_t seed = 11;

    assert_int_equal(kldve_image_new(ctx, 11, 9, &image), KLDVE_OK);
    for (int i = 0; i < 3 * 99; i++)
        image->pixels[i] = (uint8_t)(256 * test_random(&seed));
    assert_int_equal(kldve_jpeg_encode(image, 80, &out), KLDVE_OK);
    file->length = 0;
    put(file, out.bytes, 2);
    put(file, "\xff\xe1", 2);
    put_number(file, 2 + 6 + EXIF_NBYTES, 2);
    put(file, "Exif\0\0", 6);
    put(file, exif_6, EXIF_NBYTES);
    put(file, out.bytes + 2, out.length - 2);
    kldve_buffer_free(&out);
    kldve_image_free(image);
    kldve_ctx_free(ctx);
    assert_int_equal(watch.live, 0);
}

static void good_jpeg_of_zeros(struct bytes *file)
{
    make_jpeg(file, &(struct jpeg_spec){.scans = 1, .in_scan = 1});
}
#endif

static const struct good {
    const char *name;
    void (*make)(struct bytes *file);
    bool flips_show; /* every changed bit is noticed, or changes nothing */
    int32_t width, height;
} goods[] = {
#ifdef KLDVE_HAVE_PNG
    {"PNG", good_png, true, SIDE, SIDE},
#endif
#ifdef KLDVE_HAVE_JPEG
    {"JPEG", good_jpeg, false, 9, 11},
    {"JPEG of zeros", good_jpeg_of_zeros, false, SIDE, SIDE},
#endif
};

static kldve_image *decode_good(kldve_ctx *ctx, const struct good *good, struct bytes *file)
{
    kldve_image *image;

    good->make(file);
    if (decode(ctx, file->at, file->length, &image) != KLDVE_OK)
        fail_msg("%s: %s", good->name, kldve_ctx_message(ctx));
    assert_int_equal(image->width, good->width);
    assert_int_equal(image->height, good->height);
    return image;
}

static void check_cuts(void **state)
{
    const struct good *good = *state;
    struct watch watch;
    kldve_ctx *ctx = watch_ctx(&watch);
    struct bytes file;
    kldve_image *image = decode_good(ctx, good, &file), *out = NULL;

    for (size_t n = 0; n < file.length; n++) {
        if (decode(ctx, file.at, n, &out) != KLDVE_E_FORMAT)
            fail_msg("%s of %zu of %zu bytes: %s", good->name, n, file.length,
                     out ? "taken" : kldve_ctx_message(ctx));
        assert_one_line(ctx);
        assert_int_equal(watch.live, 2);
    }
    kldve_image_free(image);
    kldve_ctx_free(ctx);
}

static bool is_same(const kldve_image *a, const kldve_image *b)
{
    return a->width == b->width && a->height == b->height &&
           memcmp(a->pixels, b->pixels, 3 * (size_t)a->width * (size_t)a->height) == 0;
}

static void check_flips(void **state)
{
    const struct good *good = *state;
    struct watch watch;
    kldve_ctx *ctx = watch_ctx(&watch);
    struct bytes file;
    kldve_image *image = decode_good(ctx, good, &file);
    int failed = 0, taken = 0;

    for (size_t bit = 0; bit < 8 * file.length; bit++) {
        kldve_image *out = NULL;
        kldve_status status;

        file.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status = decode(ctx, file.at, file.length, &out);
        file.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (status == KLDVE_OK) {
            taken++;
            if (good->flips_show && !is_same(out, image))
                fail_msg("%s: bit %zu of byte %zu changed the picture", good->name, bit % 8,
                         bit / 8);
        } else {
            failed++;
            assert_true(status == KLDVE_E_FORMAT || status == KLDVE_E_UNSUPPORTED ||
                        status == KLDVE_E_LIMIT);
            assert_null(out);
            assert_one_line(ctx);
        }
        kldve_image_free(out);
        assert_int_equal(watch.live, 2);
    }
    print_message("%s: %d bits turned were refused, %d taken\n", good->name, failed, taken);
    assert_true(failed > taken || !good->flips_show);
    kldve_image_free(image);
    kldve_ctx_free(ctx);
}

#endif

/* -- EXIF -------------------------------------------------------------------------------------- */

#define ENTRY "\x12\1\3\0\1\0\0\0\6\0\0\0"
#define OTHER "\0\1\3\0\1\0\0\0\6\0\0\0"
#define BYTES(text) text, sizeof text - 1

static const struct exif_case {
    const char *name;
    const char *bytes;
    size_t nbytes;
    int32_t orientation;
} exifs[] = {
    {"good", BYTES("II*\0\x08\0\0\0\1\0" ENTRY), 6},
    {"second entry", BYTES("II*\0\x08\0\0\0\2\0" OTHER ENTRY), 6},
    {"directory further on", BYTES("II*\0\x0b\0\0\0abc\1\0" ENTRY), 6},
    {"Motorola", BYTES("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\x08\0\0"), 8},
    {"count larger than the block", BYTES("II*\0\x08\0\0\0\xff\xff" OTHER ENTRY), 6},
    {"empty", BYTES(""), 1},
    {"one byte", BYTES("I"), 1},
    {"header only", BYTES("II*\0\x08\0\0\0"), 1},
    {"wrong order mark", BYTES("IM*\0\x08\0\0\0\1\0" ENTRY), 1},
    {"wrong number", BYTES("II+\0\x08\0\0\0\1\0" ENTRY), 1},
    {"no entries", BYTES("II*\0\x08\0\0\0\0\0" ENTRY), 1},
    {"entry behind the count", BYTES("II*\0\x08\0\0\0\1\0" OTHER ENTRY), 1},
    {"entry cut off", BYTES("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0"), 1},
    {"directory at 0", BYTES("II*\0\0\0\0\0\1\0" ENTRY), 1},
    {"directory in the header", BYTES("II*\0\4\0\0\0\1\0" ENTRY), 1},
    {"directory at the end", BYTES("II*\0\x16\0\0\0\1\0" ENTRY), 1},
    {"directory beyond the end", BYTES("II*\0\x17\0\0\0\1\0" ENTRY), 1},
    {"directory at 2^32 - 1", BYTES("II*\0\xff\xff\xff\xff\1\0" ENTRY), 1},
    {"directory at 2^31", BYTES("II*\0\0\0\0\x80\1\0" ENTRY), 1},
    {"directory whose next is itself", BYTES("II*\0\x08\0\0\0\1\0" OTHER "\x08\0\0\0"), 1},
    {"two values", BYTES("II*\0\x08\0\0\0\1\0\x12\1\3\0\2\0\0\0\6\0\6\0"), 1},
    {"no value", BYTES("II*\0\x08\0\0\0\1\0\x12\1\3\0\0\0\0\0\6\0\0\0"), 1},
    {"a text", BYTES("II*\0\x08\0\0\0\1\0\x12\1\2\0\1\0\0\0\6\0\0\0"), 1},
    {"value 0", BYTES("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\0\0\0\0"), 1},
    {"value 9", BYTES("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x09\0\0\0"), 1},
    {"long value 2^31", BYTES("II*\0\x08\0\0\0\1\0\x12\1\4\0\1\0\0\0\0\0\0\x80"), 1},
};

static void check_exif(void **state)
{
    const struct exif_case *c = *state;
    uint8_t *copy = malloc(c->nbytes ? c->nbytes : 1);

    memcpy(copy, c->bytes, c->nbytes);
    assert_int_equal(kldve_exif_orientation(copy, c->nbytes), c->orientation);
    free(copy);
}

static void test_exif_with_any_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n <= EXIF_NBYTES; n++)
        for (size_t at = 0; at < n; at++)
            for (int value = 0; value < 256; value++) {
                uint8_t *copy = malloc(n);
                int32_t orientation;

                memcpy(copy, exif_6, n);
                copy[at] = (uint8_t)value;
                orientation = kldve_exif_orientation(copy, n);
                assert_true(orientation >= 1 && orientation <= 8);
                free(copy);
            }
}

static const struct segments_case {
    const char *name;
    const char *bytes;
    size_t nbytes;
    int32_t found; /* bytes of the block; -1: none */
} segments[] = {
    {"first",
     BYTES("\xff\xd8\xff\xe1\0\x0b"
           "Exif\0\0abc"),
     3},
    {"empty",
     BYTES("\xff\xd8\xff\xe1\0\x08"
           "Exif\0\0"),
     0},
    {"behind others",
     BYTES("\xff\xd8\xff\xe0\0\4ab\xff\xe1\0\4XX\xff\xe1\0\x09"
           "Exif\0\0a"),
     1},
    {"behind filling",
     BYTES("\xff\xd8\xff\xff\xff\xe1\0\x09"
           "Exif\0\0a"),
     1},
    {"behind a marker alone",
     BYTES("\xff\xd8\xff\xd0\xff\x01\xff\xe1\0\x09"
           "Exif\0\0a"),
     1},
    {"longer than the file",
     BYTES("\xff\xd8\xff\xe1\0\x0a"
           "Exif\0\0a"),
     -1},
    {"length 0",
     BYTES("\xff\xd8\xff\xe1\0\0"
           "Exif\0\0a"),
     -1},
    {"length 1",
     BYTES("\xff\xd8\xff\xe1\0\1"
           "Exif\0\0a"),
     -1},
    {"length 7",
     BYTES("\xff\xd8\xff\xe1\0\7"
           "Exif\0\0a"),
     -1},
    {"other APP1",
     BYTES("\xff\xd8\xff\xe1\0\x09"
           "http:/a"),
     -1},
    {"behind the scan",
     BYTES("\xff\xd8\xff\xda\0\2\xff\xe1\0\x09"
           "Exif\0\0a"),
     -1},
    {"no marker",
     BYTES("\xff\xd8"
           "ab\xff\xe1\0\x09"
           "Exif\0\0a"),
     -1},
    {"nothing", BYTES(""), -1},
    {"one byte", BYTES("\xff"), -1},
};

static void check_segments(void **state)
{
    const struct segments_case *c = *state;
    uint8_t *copy = malloc(c->nbytes ? c->nbytes : 1);
    const uint8_t *block;
    size_t nbytes = 1234;

    memcpy(copy, c->bytes, c->nbytes);
    block = kldve_exif_find_jpeg(copy, c->nbytes, &nbytes);
    if (c->found < 0) {
        assert_null(block);
        assert_int_equal(nbytes, 1234);
    } else {
        assert_int_equal(nbytes, c->found);
        assert_memory_equal(block - 6, "Exif\0\0", 6);
    }
    free(copy);
}

/* -- all of them ------------------------------------------------------------------------------- */

static struct CMUnitTest tests[300];
static size_t test_count;

static void add(const char *group, const char *name, CMUnitTestFunction function, const void *c)
{
    static char names[300][100];

    snprintf(names[test_count], sizeof names[0], "%s: %s", group, name);
    tests[test_count].name = names[test_count];
    tests[test_count].test_func = function;
    tests[test_count].initial_state = (void *)(uintptr_t)c;
    test_count++;
}

#define ADD(group, table, function)                                                                \
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)                                      \
    add(group, table[i].name, function, &table[i])

int main(void)
{
    ADD("bytes", others, check_other);
#ifdef KLDVE_HAVE_PNG
    ADD("PNG", bad_pngs, check_png);
#endif
#ifdef KLDVE_HAVE_JPEG
    ADD("JPEG", bad_jpegs, check_jpeg);
#endif
#if defined KLDVE_HAVE_PNG || defined KLDVE_HAVE_JPEG
    ADD("cut everywhere", goods, check_cuts);
    ADD("every bit turned", goods, check_flips);
#endif
    ADD("EXIF", exifs, check_exif);
    ADD("segments", segments, check_segments);
    add("EXIF", "any byte", test_exif_with_any_byte, NULL);
    return _cmocka_run_group_tests("bad pictures", tests, test_count, NULL, NULL);
}
