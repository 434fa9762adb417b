/* streams.c - "-" in place of a file: standard input and standard output. */
#include "streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"

bool is_stream(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

int streams_check_inputs(const char *command, const arg_list *pictures)
{
    int32_t streams = 0;

    for (int32_t i = 0; i < pictures->count; i++)
        streams += is_stream(pictures->text[i]);
    if (streams > 1)
        return args_usage(command, "- is standard input, which holds one picture: give it once");
    if (streams > 0 && isatty(STDIN_FILENO))
        return args_usage(command, "- is standard input, and that is a terminal: send a picture to "
                                   "it, as with '- < PICTURE.png'");
    return EXIT_DONE;
}

int streams_check_binary(const char *command, const guard_output *output, bool force)
{
    if (!is_stream(output->path) || force || !isatty(STDOUT_FILENO))
        return EXIT_DONE;
    return args_usage(command,
                      "%s - would write bytes that are no text to a terminal: send them "
                      "to a file or a program, or add --force",
                      output->option);
}

/* ---- standard input ----------------------------------------------------------------------- */

/* Read standard input to its end, or to more than `most` bytes -> *bytes, which is the caller's to
 * free in any case.  errno tells why not. */
static bool read_all(size_t most, unsigned char **bytes, size_t *nbytes)
{
    size_t room = 0;
    ssize_t n = 1;

    *bytes = NULL;
    *nbytes = 0;
    while (n > 0 && *nbytes <= most) {
        if (*nbytes == room) {
            unsigned char *more = realloc(*bytes, room = room > 0 ? 2 * room : 1 << 16);

            if (!more)
                return false;
            *bytes = more;
        }
        n = read(STDIN_FILENO, *bytes + *nbytes, room - *nbytes);
        *nbytes += n > 0 ? (size_t)n : 0;
        if (n < 0 && errno == EINTR)
            n = 1;
    }
    return n >= 0;
}

static bool load_stream(kldve_ctx *ctx, kldve_image **out)
{
    unsigned char *bytes;
    size_t nbytes;
    int64_t most = 0;
    kldve_status status = kldve_ctx_limit(ctx, KLDVE_LIMIT_PICTURE_FILE, &most);

    if (status != KLDVE_OK) {
        complain_ctx(ctx, "standard input", status);
        return false;
    }
    status = KLDVE_E_IO;
    if (!read_all((size_t)most, &bytes, &nbytes))
        complain("standard input: cannot read: %s", strerror(errno));
    else if (nbytes == 0)
        complain("standard input: it is empty");
    else if ((status = kldve_image_decode(ctx, bytes, nbytes, out)) != KLDVE_OK &&
             !content_says_no_picture("standard input", bytes, nbytes))
        complain_ctx(ctx, "standard input", status);
    free(bytes);
    return status == KLDVE_OK;
}

bool picture_load(kldve_ctx *ctx, const char *path, bool keep_grey, kldve_image **out)
{
    kldve_status status;

    if (!input_take(is_stream(path) ? "/dev/stdin" : path))
        return false;
    if (is_stream(path))
        return load_stream(ctx, out);
    status =
        keep_grey ? kldve_image_load_compact(ctx, path, out) : kldve_image_load(ctx, path, out);
    if (status != KLDVE_OK)
        complain_picture(ctx, path, status);
    return status == KLDVE_OK;
}

/* ---- standard output ---------------------------------------------------------------------- */

bool picture_save(kldve_ctx *ctx, const kldve_image *image, const char *path)
{
    output_part part = {NULL, 0};
    void *bytes = NULL;
    kldve_status status;
    bool ok;

    if (!is_stream(path)) {
        status = kldve_image_save(ctx, image, path, 0);
        if (status != KLDVE_OK)
            complain_ctx(ctx, path, status);
        return status == KLDVE_OK;
    }
    status = kldve_image_encode(ctx, image, KLDVE_FILE_FORMAT_PNG, 0, &bytes, &part.nbytes);
    if (status != KLDVE_OK) {
        complain_ctx(ctx, "standard output", status);
        return false;
    }
    part.bytes = bytes;
    ok = output_write(path, &part, 1);
    kldve_ctx_release(ctx, bytes);
    return ok;
}
