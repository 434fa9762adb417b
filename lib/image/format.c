/* format.c - which file format a picture has or gets, and the file that reads or writes it. */
#include "codec.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

#ifdef KLDVE_HAVE_PNG
#define PNG_CALLS kldve_png_decode, kldve_png_encode
#else
#define PNG_CALLS NULL, NULL
#endif
#ifdef KLDVE_HAVE_JPEG
#define JPEG_CALLS kldve_jpeg_decode, kldve_jpeg_encode
#else
#define JPEG_CALLS NULL, NULL
#endif

enum { DEFAULT_QUALITY = 92, REASON_SIZE = 512 };

typedef kldve_status decode_call(kldve_ctx *ctx, const kldve_coded *file, int32_t *orientation,
                                 kldve_image **out);
typedef kldve_status encode_call(const kldve_image *image, int32_t quality, kldve_buffer *out);

/* A format that can be read and written; its calls are NULL if the build leaves it out. */
struct format {
    const char *name, *option;
    const char *endings[2];
    decode_call *decode;
    encode_call *encode;
};

static const struct format png = {"PNG", "-Dpng=enabled", {".png", NULL}, PNG_CALLS};
static const struct format jpeg = {"JPEG", "-Djpeg=enabled", {".jpg", ".jpeg"}, JPEG_CALLS};

/* How files begin.  Those without a format are known by name only, for messages. */
static const struct signature {
    const char *name;
    const struct format *format;
    size_t at, length;
    const char *bytes;
} signatures[] = {
    {"PNG", &png, 0, 8, "\x89PNG\r\n\x1a\n"},
    {"JPEG", &jpeg, 0, 3, "\xff\xd8\xff"},
    {"GIF", NULL, 0, 4, "GIF8"},
    {"WebP", NULL, 8, 4, "WEBP"},
    {"BMP", NULL, 0, 2, "BM"},
    {"TIFF", NULL, 0, 4, "II*\0"},
    {"TIFF", NULL, 0, 4, "MM\0*"},
    {"AVIF", NULL, 4, 8, "ftypavif"},
    {"HEIC", NULL, 4, 7, "ftyphei"},
    {"JPEG XL", NULL, 0, 2, "\xff\x0a"},
    {"JPEG 2000", NULL, 4, 4, "jP  "},
};

enum { SIGNATURES = sizeof signatures / sizeof *signatures };

/* -- reading ---------------------------------------------------------------------------------- */

static const struct signature *recognise(const uint8_t *bytes, size_t nbytes)
{
    for (size_t i = 0; i < SIGNATURES; i++) {
        const struct signature *s = &signatures[i];

        if (nbytes >= s->at + s->length && memcmp(bytes + s->at, s->bytes, s->length) == 0)
            return s;
    }
    return NULL;
}

/* A file that ends within the signature of a format is a broken file of that format. */
static bool is_beginning(const uint8_t *bytes, size_t nbytes)
{
    for (size_t i = 0; i < SIGNATURES; i++) {
        const struct signature *s = &signatures[i];

        if (s->format && nbytes < s->length && memcmp(bytes, s->bytes, nbytes) == 0)
            return true;
    }
    return false;
}

static kldve_status find_format(kldve_ctx *ctx, const uint8_t *bytes, size_t nbytes,
                                const struct format **out)
{
    const struct signature *s = recognise(bytes, nbytes);

    if (nbytes == 0)
        return kldve_ctx_fail(ctx, KLDVE_E_FORMAT, "the file is empty");
    if (is_beginning(bytes, nbytes))
        return kldve_ctx_failf(ctx, KLDVE_E_FORMAT, "only %zu bytes: the file is cut off", nbytes);
    if (!s)
        return kldve_ctx_fail(ctx, KLDVE_E_UNSUPPORTED, "not a picture in PNG or JPEG format");
    if (!s->format)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "a picture in %s format: convert it to PNG or JPEG", s->name);
    if (!s->format->decode)
        return kldve_ctx_failf(
            ctx, KLDVE_E_UNSUPPORTED,
            "a picture in %s format, which this build cannot read: build with %s", s->name,
            s->format->option);
    *out = s->format;
    return KLDVE_OK;
}

static kldve_status decode(kldve_ctx *ctx, const kldve_coded *file, kldve_image **out)
{
    const struct format *format = NULL;
    kldve_image *stored, *upright;
    int32_t orientation = 1;
    kldve_status status;

    status = find_format(ctx, file->bytes, file->nbytes, &format);
    if (status != KLDVE_OK)
        return status;
    status = format->decode(ctx, file, &orientation, &stored);
    if (status != KLDVE_OK)
        return status;
    assert(orientation >= 1 && orientation <= 8);
    if (orientation == 1) {
        *out = stored;
        return KLDVE_OK;
    }
    status = kldve_image_orient(stored, orientation, &upright);
    kldve_image_free(stored);
    if (status == KLDVE_OK) {
        upright->orientation = orientation;
        *out = upright;
    }
    return status;
}

kldve_status kldve_image_decode(kldve_ctx *ctx, const void *bytes, size_t nbytes, kldve_image **out)
{
    const kldve_coded file = {bytes, nbytes, false};
    kldve_status status;
    double before;

    if (!ctx || !out || (!bytes && nbytes > 0))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "decode: an argument is NULL");
    before = kldve_ctx_enter(ctx, "decode", 0);
    if (nbytes > (uint64_t)kldve_limit_of(ctx, KLDVE_LIMIT_PICTURE_FILE))
        status = kldve_ctx_fail_limit(ctx, KLDVE_LIMIT_PICTURE_FILE, "%zu bytes", nbytes);
    else
        status = decode(ctx, &file, out);
    return kldve_ctx_leave(ctx, before, status);
}

/* Prefix the message with the name of the file. */
static kldve_status name_file(kldve_ctx *ctx, kldve_status status, const char *path)
{
    char reason[REASON_SIZE];

    snprintf(reason, sizeof reason, "%s", kldve_ctx_message(ctx));
    return kldve_ctx_failf(ctx, status, "%s: %s", path, reason);
}

static kldve_status load(kldve_ctx *ctx, const char *path, bool keep_grey, kldve_image **out)
{
    kldve_buffer file = {ctx, NULL, 0, 0};
    kldve_coded coded = {.keep_grey = keep_grey};
    kldve_status status;
    double before;

    if (!ctx || !path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "load: an argument is NULL");
    before = kldve_ctx_enter(ctx, "load", 0);
    status = kldve_file_read(ctx, path, KLDVE_LIMIT_PICTURE_FILE, &file);
    coded.bytes = file.bytes;
    coded.nbytes = file.length;
    if (status == KLDVE_OK && (status = decode(ctx, &coded, out)) < 0)
        name_file(ctx, status, path);
    kldve_buffer_free(&file);
    return kldve_ctx_leave(ctx, before, status);
}

kldve_status kldve_image_load(kldve_ctx *ctx, const char *path, kldve_image **out)
{
    return load(ctx, path, false, out);
}

kldve_status kldve_image_load_compact(kldve_ctx *ctx, const char *path, kldve_image **out)
{
    return load(ctx, path, true, out);
}

/* -- writing ---------------------------------------------------------------------------------- */

static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), n = strlen(ending);

    return length > n && strcasecmp(path + length - n, ending) == 0;
}

static const struct format *format_of_ending(const char *path)
{
    const struct format *const formats[] = {&png, &jpeg};

    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++)
            if (formats[i]->endings[k] && ends_with(path, formats[i]->endings[k]))
                return formats[i];
    return NULL;
}

static kldve_status encode(kldve_ctx *ctx, const kldve_image *image, const struct format *format,
                           int32_t quality, kldve_buffer *file)
{
    kldve_status status;
    double before;

    if (quality < 0 || quality > 100)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "quality %d: give 1 to 100", (int)quality);
    if (!format->encode)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "this build cannot write %s: build with %s", format->name,
                               format->option);
    before = kldve_ctx_enter(ctx, "encode", 0);
    status = format->encode(image, quality ? quality : DEFAULT_QUALITY, file);
    if (status != KLDVE_OK)
        kldve_buffer_free(file);
    return kldve_ctx_leave(ctx, before, status);
}

kldve_status kldve_image_encode(kldve_ctx *ctx, const kldve_image *image, int32_t format,
                                int32_t quality, void **bytes, size_t *nbytes)
{
    kldve_buffer file = {ctx, NULL, 0, 0};
    kldve_status status;

    if (!ctx || !image || !nbytes || !bytes)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "encode: an argument is NULL");
    if (format != KLDVE_FILE_FORMAT_PNG && format != KLDVE_FILE_FORMAT_JPEG)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "encode: unknown format of files %d", (int)format);
    if (format == KLDVE_FILE_FORMAT_PNG && quality != 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "encode: quality %d: PNG loses nothing, give 0",
                               (int)quality);
    status = encode(ctx, image, format == KLDVE_FILE_FORMAT_PNG ? &png : &jpeg, quality, &file);
    if (status == KLDVE_OK) {
        *nbytes = file.length;
        *bytes = file.bytes;
    }
    return status;
}

kldve_status kldve_image_save(kldve_ctx *ctx, const kldve_image *image, const char *path,
                              int32_t quality)
{
    const struct format *format;
    kldve_buffer file = {ctx, NULL, 0, 0};
    kldve_status status;

    if (!ctx || !image || !path)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "save: an argument is NULL");
    format = format_of_ending(path);
    if (!format)
        return kldve_ctx_failf(
            ctx, KLDVE_E_UNSUPPORTED,
            "%s: cannot write this kind of picture, end the name in .png or .jpg", path);
    status = encode(ctx, image, format, quality, &file);
    if (status != KLDVE_OK)
        return name_file(ctx, status, path);
    status = kldve_file_write_atomic(ctx, path, file.bytes, file.length);
    kldve_buffer_free(&file);
    return status;
}
