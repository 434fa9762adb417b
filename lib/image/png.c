/* png.c - read and write PNG files with libpng.
 *
 * Reading converts whatever the file has to 8-bit RGB, or to 8-bit grey if grey is kept: palettes
 * are looked up, grey of 1, 2 and 4 bits is scaled to 0..255, 16 bits become round(v / 257), alpha
 * becomes a picture of its own (keeping the colour below it), gamma and colour profiles are
 * ignored.
 *
 * When a file is broken, libpng leaves through longjmp() to read_guarded() or write_guarded(),
 * which own nothing that needs freeing: all of it is in struct reader and struct writer. */
#include "codec.h"

#include <assert.h>

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* In photographs hardly anything repeats but what the filter makes zero, so zlib looks for runs
 * alone.  Measured on the drawings of 8 photographs of 500 x 375 pixels: 46 % of the time of level
 * 3 behind the filter Up, itself a quarter of that of libpng's defaults, for files that are about
 * as large; maps alone and small pictures that were enlarged become 5 to 15 % smaller. */
enum { REASON_SIZE = 120, STRATEGY = Z_RLE, FILTER = PNG_FILTER_PAETH };

/* What libpng's callbacks receive: memory, and a place to record the failure. */
struct session {
    kldve_ctx *ctx;
    kldve_status status; /* of the failure, if it is not KLDVE_E_FORMAT */
    char warning[REASON_SIZE];
    char reason[REASON_SIZE];
};

struct reader {
    struct session session;
    png_structp png;
    png_infop info;
    const kldve_coded *file;
    size_t at; /* how much of it was read */
    kldve_image *image;
    int32_t orientation;
    bool alpha;   /* the file has an alpha channel or transparent colours */
    uint8_t *row; /* with alpha: R, G, B, A of one row */
};

struct writer {
    struct session session;
    png_structp png;
    png_infop info;
    const kldve_image *image;
    uint8_t *room; /* for one row */
    kldve_buffer *out;
};

static png_voidp on_malloc(png_structp png, png_alloc_size_t nbytes)
{
    struct session *session = png_get_mem_ptr(png);
    void *memory = kldve_ctx_alloc(session->ctx, 1, nbytes);

    if (!memory)
        session->status = KLDVE_E_NOMEM;
    return memory;
}

static void on_free(png_structp png, png_voidp memory)
{
    struct session *session = png_get_mem_ptr(png);

    kldve_ctx_release(session->ctx, memory);
}

static void on_warning(png_structp png, png_const_charp message)
{
    struct session *session = png_get_error_ptr(png);

    snprintf(session->warning, sizeof session->warning, "%s", message);
}

/* "Invalid IHDR data" alone says little: the warning before it says which. */
static PNG_NORETURN void on_error(png_structp png, png_const_charp message)
{
    struct session *session = png_get_error_ptr(png);

    snprintf(session->reason, sizeof session->reason, "%s", message);
    png_longjmp(png, 1);
}

/* Before each row. */
static void poll(png_structp png, struct session *session)
{
    session->status = kldve_ctx_poll(session->ctx);
    if (session->status < 0)
        png_error(png, "stopped");
}

static kldve_status fail_session(const struct session *session, const char *what)
{
    if (session->status == KLDVE_E_NOMEM)
        return kldve_ctx_failf(session->ctx, KLDVE_E_NOMEM, "%s: out of memory", what);
    if (session->status != KLDVE_OK)
        return session->status; /* the message is set */
    return kldve_ctx_failf(session->ctx, KLDVE_E_FORMAT, "%s: %s%s%s", what, session->reason,
                           *session->warning ? ", " : "", session->warning);
}

/* -- reading ---------------------------------------------------------------------------------- */

static void on_read(png_structp png, png_bytep to, size_t nbytes)
{
    struct reader *r = png_get_io_ptr(png);

    assert(r->at <= r->file->nbytes);
    if (nbytes > r->file->nbytes - r->at)
        png_error(png, "the file is cut off");
    memcpy(to, r->file->bytes + r->at, nbytes);
    r->at += nbytes;
}

/* Skip texts, profiles and the like; keep the EXIF block.  A wrong checksum anywhere is an error:
 * if a damaged EXIF block were skipped, the picture could end up on its side. */
static void choose_chunks(png_structp png)
{
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "eXIf", 1);
}

static bool has_alpha(const struct reader *r)
{
    return (png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_ALPHA) != 0 ||
           png_get_valid(r->png, r->info, PNG_INFO_tRNS) != 0;
}

static bool stays_grey(const struct reader *r)
{
    return r->file->keep_grey && !has_alpha(r) &&
           png_get_color_type(r->png, r->info) == PNG_COLOR_TYPE_GRAY;
}

static void choose_bytes(struct reader *r)
{
    png_set_expand(r->png);
    png_set_scale_16(r->png);
    if (!stays_grey(r))
        png_set_gray_to_rgb(r->png);
    r->alpha = has_alpha(r);
}

/* R, G, B, A -> row y of the pixels and of alpha. */
static void split_row(const struct reader *r, size_t y)
{
    size_t width = (size_t)r->image->width;
    uint8_t *rgb = r->image->pixels + 3 * y * width, *alpha = r->image->alpha->pixels + y * width;
    const uint8_t *row = r->row;

    for (size_t x = 0; x < width; x++, row += 4, rgb += 3) {
        memcpy(rgb, row, 3);
        alpha[x] = row[3];
    }
}

/* The way back, for what earlier passes of an interlaced file left. */
static void join_row(const struct reader *r, size_t y)
{
    size_t width = (size_t)r->image->width;
    const uint8_t *rgb = r->image->pixels + 3 * y * width;
    const uint8_t *alpha = r->image->alpha->pixels + y * width;
    uint8_t *row = r->row;

    for (size_t x = 0; x < width; x++, row += 4, rgb += 3) {
        memcpy(row, rgb, 3);
        row[3] = alpha[x];
    }
}

static void read_alpha(struct reader *r, int passes)
{
    r->session.status = kldve_image_alloc_as(r->session.ctx, KLDVE_PIXEL_GREY, r->image->width,
                                             r->image->height, &r->image->alpha);
    if (r->session.status == KLDVE_OK)
        r->row = kldve_ctx_alloc(r->session.ctx, (size_t)r->image->width, 4);
    if (!r->row) {
        r->session.status = KLDVE_E_NOMEM;
        png_error(r->png, "out of memory");
    }
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < (size_t)r->image->height; y++) {
            poll(r->png, &r->session);
            if (pass > 0)
                join_row(r, y);
            png_read_row(r->png, r->row, NULL);
            split_row(r, y);
        }
}

static void read_rows(struct reader *r)
{
    size_t row = kldve_image_step(r->image) * (size_t)r->image->width;
    int passes = png_set_interlace_handling(r->png);

    png_read_update_info(r->png, r->info);
    if (png_get_rowbytes(r->png, r->info) != (r->alpha ? row / 3 * 4 : row))
        png_error(r->png, "unexpected kind of pixel");
    if (r->alpha) {
        read_alpha(r, passes);
        return;
    }
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < (size_t)r->image->height; y++) {
            poll(r->png, &r->session);
            png_read_row(r->png, r->image->pixels + y * row, NULL);
        }
}

/* The block may come before or after the pixels. */
static void read_exif(struct reader *r)
{
    png_uint_32 nbytes;
    png_bytep exif;

    png_read_end(r->png, r->info);
    if (png_get_eXIf_1(r->png, r->info, &nbytes, &exif) != 0)
        r->orientation = kldve_exif_orientation(exif, nbytes);
}

static bool read_guarded(struct reader *r)
{
    if (setjmp(png_jmpbuf(r->png)))
        return false;
    png_set_read_fn(r->png, r, on_read);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* our own checks say more */
    choose_chunks(r->png);
    png_read_info(r->png, r->info);
    r->session.status = kldve_image_admit(
        r->session.ctx, stays_grey(r) ? KLDVE_PIXEL_GREY : KLDVE_PIXEL_RGB,
        png_get_image_width(r->png, r->info), png_get_image_height(r->png, r->info), &r->image);
    if (r->session.status != KLDVE_OK)
        return false;
    choose_bytes(r);
    read_rows(r);
    read_exif(r);
    return true;
}

kldve_status kldve_png_decode(kldve_ctx *ctx, const kldve_coded *file, int32_t *orientation,
                              kldve_image **out)
{
    struct reader r = {.session.ctx = ctx, .file = file, .orientation = 1};
    bool ok = false;

    r.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r.session, on_error, on_warning,
                                     &r.session, on_malloc, on_free);
    if (r.png)
        r.info = png_create_info_struct(r.png);
    if (r.info)
        ok = read_guarded(&r);
    else
        r.session.status = KLDVE_E_NOMEM;
    png_destroy_read_struct(&r.png, &r.info, NULL);
    kldve_ctx_release(ctx, r.row);
    /* libpng skips an EXIF block that it has no memory for; here that is a failure. */
    if (!ok || r.session.status != KLDVE_OK) {
        kldve_image_free(r.image);
        return fail_session(&r.session, "broken PNG");
    }
    *orientation = r.orientation;
    *out = r.image;
    return KLDVE_OK;
}

/* -- writing ---------------------------------------------------------------------------------- */

static void on_write(png_structp png, png_bytep bytes, size_t nbytes)
{
    struct writer *w = png_get_io_ptr(png);

    if (!kldve_buffer_append(w->out, bytes, nbytes)) {
        w->session.status = KLDVE_E_NOMEM;
        png_error(png, "out of memory");
    }
}

static void on_flush(png_structp png)
{
    (void)png;
}

static bool write_guarded(struct writer *w)
{
    if (setjmp(png_jmpbuf(w->png)))
        return false;
    png_set_write_fn(w->png, w, on_write, on_flush);
    png_set_compression_strategy(w->png, STRATEGY);
    png_set_filter(w->png, PNG_FILTER_TYPE_BASE, FILTER);
    png_set_IHDR(w->png, w->info, (png_uint_32)w->image->width, (png_uint_32)w->image->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(w->png, w->info);
    for (int32_t y = 0; y < w->image->height; y++) {
        poll(w->png, &w->session);
        png_write_row(w->png, kldve_image_row(w->image, y, w->room));
    }
    png_write_end(w->png, NULL);
    return true;
}

kldve_status kldve_png_encode(const kldve_image *image, int32_t quality, kldve_buffer *out)
{
    struct writer w = {.session.ctx = out->ctx, .image = image, .out = out};
    bool ok = false;

    (void)quality;
    w.png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &w.session, on_error, on_warning,
                                      &w.session, on_malloc, on_free);
    if (w.png)
        w.info = png_create_info_struct(w.png);
    if (w.info)
        w.room = kldve_image_row_room(out->ctx, image);
    if (w.room)
        ok = write_guarded(&w);
    else
        w.session.status = KLDVE_E_NOMEM;
    png_destroy_write_struct(&w.png, &w.info);
    kldve_ctx_release(out->ctx, w.room);
    return ok ? KLDVE_OK : fail_session(&w.session, "cannot write PNG");
}
