/* sheet_jpeg.c - pictures as JPEG inside a PDF, which otherwise holds every pixel.
 *
 * cairo takes the bytes of a file beside the pixels (CAIRO_MIME_TYPE_JPEG) and writes them as they
 * are.  A photograph that is a baseline JPEG itself, and no larger than its tile, goes in as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/open_input.h"
#include "sheet_parts.h"

enum { MOST_BYTES = 32 << 20 };

/* ---- the photograph's own file ------------------------------------------------------------ */

/* Whether a JPEG has a frame that every reader of PDF knows: SOF0, 8 bits, grey or YCbCr.  Walks
 * over the markers in front of it. */
static bool is_baseline(const unsigned char *b, size_t n)
{
    size_t at = 2;

    if (n < 4 || b[0] != 0xff || b[1] != 0xd8)
        return false;
    while (at + 9 < n && b[at] == 0xff) {
        size_t length = (size_t)b[at + 2] << 8 | b[at + 3];

        if (b[at + 1] == 0xc0)
            return b[at + 4] == 8 && (b[at + 9] == 1 || b[at + 9] == 3);
        if ((b[at + 1] >= 0xc1 && b[at + 1] <= 0xcf && b[at + 1] != 0xc4) || b[at + 1] == 0xee ||
            length < 2)
            return false; /* another kind, or Adobe's, which may mean other colours */
        at += 2 + length;
    }
    return false;
}

/* All of a file; NULL: it cannot be read, or is large.  free() it. */
static unsigned char *read_all(const char *path, size_t *nbytes)
{
    const char *what;
    int fd = kldve_open_input(path, &what);
    FILE *f = fd >= 0 ? fdopen(fd, "rb") : NULL;
    unsigned char *bytes = NULL;
    long size = -1;

    if (!f && fd >= 0)
        close(fd);
    if (!f)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0)
        size = ftell(f);
    if (size > 0 && size <= MOST_BYTES && fseek(f, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)size);
    if (bytes && fread(bytes, 1, (size_t)size, f) != (size_t)size) {
        free(bytes);
        bytes = NULL;
    }
    fclose(f);
    *nbytes = size > 0 ? (size_t)size : 0;
    return bytes;
}

bool sheet_attach_own(cairo_surface_t *surface, const char *path)
{
    static const char *const jpegs[] = {".jpg", ".jpeg", NULL};
    size_t nbytes;
    unsigned char *bytes = path_has_ending(path, jpegs) ? read_all(path, &nbytes) : NULL;

    if (bytes && is_baseline(bytes, nbytes) &&
        cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG, bytes, nbytes, free, bytes) ==
            CAIRO_STATUS_SUCCESS)
        return true;
    free(bytes);
    return false;
}

/* ---- drawn pictures ----------------------------------------------------------------------- */

typedef struct encoded {
    kldve_ctx *ctx;
    void *bytes;
} encoded;

static void release(void *closure)
{
    encoded *e = closure;

    kldve_ctx_release(e->ctx, e->bytes);
    free(e);
}

bool sheet_attach_jpeg(kldve_ctx *ctx, cairo_surface_t *surface, const kldve_image *image,
                       int32_t quality)
{
    encoded *e = malloc(sizeof *e);
    size_t nbytes = 0;
    kldve_status status;

    if (!e)
        return false;
    *e = (encoded){ctx, NULL};
    status = kldve_image_encode(ctx, image, KLDVE_FILE_FORMAT_JPEG, quality, &e->bytes, &nbytes);
    if (status == KLDVE_OK &&
        cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG, e->bytes, nbytes, release, e) ==
            CAIRO_STATUS_SUCCESS)
        return true;
    release(e);
    return status == KLDVE_E_UNSUPPORTED; /* a build without JPEG: the pixels go in */
}
