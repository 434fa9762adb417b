/* jpeg.c - read and write JPEG files with libjpeg-turbo.
 *
 * Reading gives 8-bit RGB (or 8-bit grey of grey, if that is kept) from grey, YCbCr, RGB, CMYK and
 * YCCK, baseline and progressive.  Four components are read as Adobe stores them, with 255 for no
 * ink, whether or not the file says that Adobe made it (as Pillow does).  So for each of C, M, Y,
 * with K, as they are stored,
 *
 *     R = round(C K / 255)       (what the ink of C lets through, times what K lets through)
 *
 * When a file is broken, libjpeg leaves through longjmp() to read_guarded() or write_guarded(),
 * which own nothing that needs freeing: all of it is in struct reader and struct writer.  libjpeg
 * takes its own working memory from malloc() and has no hook for another allocator. */
#include "codec.h"

#include <assert.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/limits.h"

enum {
    SCANS_MAX = 200,       /* of a progressive file; 10 are usual */
    FULL_COLOUR_FROM = 90, /* quality at which colours keep their resolution */
    OUTPUT_CHUNK = 65536
};

/* Records a failure, and where to jump to then. */
struct session {
    struct jpeg_error_mgr manager; /* first: libjpeg only knows this part */
    jmp_buf leave;
    kldve_ctx *ctx;
    kldve_status status;
    char reason[JMSG_LENGTH_MAX];
};

struct reader {
    struct session session;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress;
    const kldve_coded *file;
    kldve_image *image;
    uint8_t *cmyk; /* one row, [width][4] */
};

struct writer {
    struct session session;
    struct jpeg_compress_struct jpeg;
    struct jpeg_progress_mgr progress;
    struct jpeg_destination_mgr destination;
    const kldve_image *image;
    uint8_t *room; /* for one row */
    int32_t quality;
    kldve_buffer *out;
};

static kldve_status status_of(int code)
{
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return KLDVE_E_NOMEM;
    case JERR_NO_BACKING_STORE: /* more than max_memory_to_use */
        return KLDVE_E_LIMIT;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_ARITH_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
        return KLDVE_E_UNSUPPORTED;
    default:
        return KLDVE_E_FORMAT;
    }
}

/* Warnings after which all pixels are still correct. */
static bool is_harmless(int code)
{
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_TOO_MUCH_DATA || code == JWRN_JFIF_MAJOR ||
           code == JWRN_ADOBE_XFORM || code == JWRN_BOGUS_ICC;
}

static void on_error(j_common_ptr jpeg)
{
    struct session *session = (struct session *)jpeg->err;

    session->status = status_of(session->manager.msg_code);
    session->manager.format_message(jpeg, session->reason);
    longjmp(session->leave, 1);
}

/* Level -1 is a warning: pixels were invented.  The other levels are traces. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && !is_harmless(jpeg->err->msg_code))
        on_error(jpeg);
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

/* libjpeg calls it between rows, and between passes over them. */
static void on_row(j_common_ptr jpeg)
{
    struct session *session = (struct session *)jpeg->err;

    session->status = kldve_ctx_poll(session->ctx);
    if (session->status < 0) {
        session->reason[0] = 0; /* the message is set */
        longjmp(session->leave, 1);
    }
}

static struct jpeg_error_mgr *quiet_errors(struct session *session)
{
    jpeg_std_error(&session->manager);
    session->manager.error_exit = on_error;
    session->manager.emit_message = on_message;
    session->manager.output_message = on_output;
    return &session->manager;
}

static kldve_status fail_session(const struct session *session, const char *what)
{
    if (session->status == KLDVE_E_NOMEM)
        return kldve_ctx_failf(session->ctx, KLDVE_E_NOMEM, "%s: out of memory", what);
    if (session->status == KLDVE_E_LIMIT && *session->reason)
        return kldve_ctx_fail_limit(session->ctx, KLDVE_LIMIT_PICTURE_PIXELS,
                                    "%s: it needs more memory than so many pixels", what);
    if (*session->reason)
        return kldve_ctx_failf(session->ctx, session->status, "%s: %s", what, session->reason);
    return session->status; /* the message is set */
}

/* -- reading ---------------------------------------------------------------------------------- */

/* A progressive file of a few kilobytes can ask for many passes over all pixels. */
static void on_progress(j_common_ptr jpeg)
{
    struct session *session = (struct session *)jpeg->err;

    on_row(jpeg);
    if (((j_decompress_ptr)jpeg)->input_scan_number <= SCANS_MAX)
        return;
    session->status = KLDVE_E_UNSUPPORTED;
    snprintf(session->reason, sizeof session->reason, "more than %d scans", SCANS_MAX);
    longjmp(session->leave, 1);
}

/* libjpeg holds all of a progressive file: 2 bytes for each value of 3 components, or of fewer
 * where colours have a lower resolution.  Together with the picture that may take as much as the
 * largest picture with alpha, 4 bytes for each pixel that the limit allows, and some rows. */
static long memory_limit(int64_t most, const kldve_image *image)
{
    const int64_t rows = (int64_t)64 << 20, cap = ((int64_t)LONG_MAX - rows) / 4;
    int64_t picture = (int64_t)kldve_image_step(image) * image->width * image->height;

    return (long)(rows + 4 * (most < cap ? most : cap) - picture);
}

static bool stays_grey(const struct reader *r)
{
    return r->file->keep_grey && r->jpeg.jpeg_color_space == JCS_GRAYSCALE;
}

static kldve_status choose_colours(struct reader *r)
{
    switch (r->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_RGB:
    case JCS_YCbCr:
        r->jpeg.out_color_space = stays_grey(r) ? JCS_GRAYSCALE : JCS_RGB;
        return KLDVE_OK;
    case JCS_CMYK:
    case JCS_YCCK:
        r->jpeg.out_color_space = JCS_CMYK;
        r->cmyk = kldve_ctx_alloc(r->session.ctx, (size_t)r->image->width, 4);
        return r->cmyk ? KLDVE_OK : KLDVE_E_NOMEM;
    default:
        return kldve_ctx_failf(r->session.ctx, KLDVE_E_UNSUPPORTED,
                               "JPEG with %d colour components: convert it to RGB",
                               r->jpeg.num_components);
    }
}

static void rgb_from_cmyk(const uint8_t *cmyk, uint8_t *rgb, int32_t width)
{
    for (int32_t x = 0; x < width; x++, cmyk += 4, rgb += 3)
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((cmyk[c] * cmyk[3] + 127) / 255);
}

static void read_rows(struct reader *r)
{
    size_t row = kldve_image_step(r->image) * (size_t)r->image->width;

    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        uint8_t *at = r->image->pixels + r->jpeg.output_scanline * row;
        JSAMPROW to = r->cmyk ? r->cmyk : at;

        jpeg_read_scanlines(&r->jpeg, &to, 1);
        if (r->cmyk)
            rgb_from_cmyk(r->cmyk, at, r->image->width);
    }
}

static bool read_guarded(struct reader *r)
{
    if (setjmp(r->session.leave))
        return false;
    jpeg_create_decompress(&r->jpeg);
    r->progress.progress_monitor = on_progress;
    r->jpeg.progress = &r->progress;
    jpeg_mem_src(&r->jpeg, r->file->bytes, r->file->nbytes);
    jpeg_read_header(&r->jpeg, TRUE);
    r->session.status =
        kldve_image_admit(r->session.ctx, stays_grey(r) ? KLDVE_PIXEL_GREY : KLDVE_PIXEL_RGB,
                          r->jpeg.image_width, r->jpeg.image_height, &r->image);
    if (r->session.status == KLDVE_OK)
        r->session.status = choose_colours(r);
    if (r->session.status != KLDVE_OK)
        return false;
    r->jpeg.mem->max_memory_to_use =
        memory_limit(kldve_limit_of(r->session.ctx, KLDVE_LIMIT_PICTURE_PIXELS), r->image);
    jpeg_start_decompress(&r->jpeg);
    read_rows(r);
    jpeg_finish_decompress(&r->jpeg);
    return true;
}

kldve_status kldve_jpeg_decode(kldve_ctx *ctx, const kldve_coded *file, int32_t *orientation,
                               kldve_image **out)
{
    struct reader r = {.session.ctx = ctx, .file = file};
    const uint8_t *exif;
    size_t exif_nbytes;
    bool ok;

    r.jpeg.err = quiet_errors(&r.session);
    ok = read_guarded(&r);
    jpeg_destroy_decompress(&r.jpeg);
    kldve_ctx_release(ctx, r.cmyk);
    if (!ok) {
        kldve_image_free(r.image);
        return fail_session(&r.session, "broken JPEG");
    }
    exif = kldve_exif_find_jpeg(file->bytes, file->nbytes, &exif_nbytes);
    *orientation = exif ? kldve_exif_orientation(exif, exif_nbytes) : 1;
    *out = r.image;
    return KLDVE_OK;
}

/* -- writing ---------------------------------------------------------------------------------- */

/* Give libjpeg the free part of the buffer. */
static void offer_space(struct writer *w)
{
    if (!kldve_buffer_reserve(w->out, OUTPUT_CHUNK)) {
        w->session.status = KLDVE_E_NOMEM;
        longjmp(w->session.leave, 1);
    }
    w->destination.next_output_byte = w->out->bytes + w->out->length;
    w->destination.free_in_buffer = w->out->capacity - w->out->length;
}

static void on_output_start(j_compress_ptr jpeg)
{
    offer_space(jpeg->client_data);
}

/* Called when that part is full, whatever free_in_buffer says then. */
static boolean on_output_full(j_compress_ptr jpeg)
{
    struct writer *w = jpeg->client_data;

    w->out->length = w->out->capacity;
    offer_space(w);
    return TRUE;
}

static void on_output_end(j_compress_ptr jpeg)
{
    struct writer *w = jpeg->client_data;

    assert(w->destination.free_in_buffer <= w->out->capacity);
    w->out->length = w->out->capacity - w->destination.free_in_buffer;
}

static void choose_settings(struct writer *w)
{
    w->jpeg.image_width = (JDIMENSION)w->image->width;
    w->jpeg.image_height = (JDIMENSION)w->image->height;
    w->jpeg.input_components = 3;
    w->jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&w->jpeg);
    jpeg_set_quality(&w->jpeg, w->quality, TRUE);
    if (w->quality >= FULL_COLOUR_FROM) {
        w->jpeg.comp_info[0].h_samp_factor = 1;
        w->jpeg.comp_info[0].v_samp_factor = 1;
    }
}

static bool write_guarded(struct writer *w)
{
    if (setjmp(w->session.leave))
        return false;
    jpeg_create_compress(&w->jpeg);
    w->progress.progress_monitor = on_row;
    w->jpeg.progress = &w->progress;
    w->jpeg.client_data = w;
    w->destination.init_destination = on_output_start;
    w->destination.empty_output_buffer = on_output_full;
    w->destination.term_destination = on_output_end;
    w->jpeg.dest = &w->destination;
    choose_settings(w);
    jpeg_start_compress(&w->jpeg, TRUE);
    while (w->jpeg.next_scanline < w->jpeg.image_height) {
        /* libjpeg takes non-const rows but only reads them. */
        JSAMPROW from =
            (JSAMPROW)kldve_image_row(w->image, (int32_t)w->jpeg.next_scanline, w->room);

        jpeg_write_scanlines(&w->jpeg, &from, 1);
    }
    jpeg_finish_compress(&w->jpeg);
    return true;
}

kldve_status kldve_jpeg_encode(const kldve_image *image, int32_t quality, kldve_buffer *out)
{
    struct writer w = {.session.ctx = out->ctx, .image = image, .quality = quality, .out = out};
    bool ok;

    assert(quality >= 1 && quality <= 100);
    if (image->width > JPEG_MAX_DIMENSION || image->height > JPEG_MAX_DIMENSION)
        return kldve_ctx_failf(out->ctx, KLDVE_E_UNSUPPORTED,
                               "a side of a JPEG has at most %ld pixels: write a PNG",
                               (long)JPEG_MAX_DIMENSION);
    w.room = kldve_image_row_room(out->ctx, image);
    if (!w.room)
        return kldve_ctx_fail(out->ctx, KLDVE_E_NOMEM, "cannot write JPEG: out of memory");
    w.jpeg.err = quiet_errors(&w.session);
    ok = write_guarded(&w);
    jpeg_destroy_compress(&w.jpeg);
    kldve_ctx_release(out->ctx, w.room);
    return ok ? KLDVE_OK : fail_session(&w.session, "cannot write JPEG");
}
