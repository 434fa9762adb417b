/* dataset_load.c - a question's picture and where the answer lies in it. */
#include "dataset_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Why a call on `ctx` failed, without the name of the file. */
static void tell(char why[LABEL_SIZE], const kldve_ctx *ctx, kldve_status status, const char *path)
{
    const char *message = kldve_ctx_message(ctx);
    size_t n = strlen(path);

    if (strncmp(message, path, n) == 0 && strncmp(message + n, ": ", 2) == 0)
        message += n + 2;
    clean_text(*message ? message : kldve_status_name(status), why, LABEL_SIZE);
}

/* Asked first: opening a pipe would wait for somebody to write. */
static bool is_file(const char *path, char why[LABEL_SIZE])
{
    struct stat s;

    if (stat(path, &s) != 0)
        clean_text(strerror(errno), why, LABEL_SIZE);
    else if (!S_ISREG(s.st_mode))
        clean_text(S_ISDIR(s.st_mode) ? "a folder, no picture" : "no regular file", why,
                   LABEL_SIZE);
    else
        return true;
    return false;
}

bool dataset_load_image(const char *path, kldve_ctx *ctx, kldve_image **out, char why[LABEL_SIZE])
{
    kldve_status status;

    if (!is_file(path, why))
        return false;
    status = kldve_image_load(ctx, path, out);
    if (status != KLDVE_OK)
        tell(why, ctx, status, path);
    return status == KLDVE_OK;
}

bool dataset_load(const dataset *d, int32_t number, kldve_ctx *ctx, const dataset_view *view,
                  dataset_picture *out, char why[LABEL_SIZE])
{
    const question *q = &d->question[number];
    dataset_picture p = {.image = NULL};
    bool ok;

    if (q->photos > 1)
        ok = dataset_load_mosaic(d, q, ctx, view, &p, why);
    else
        ok = dataset_load_image(d->photo[q->photo[0]].path, ctx, &p.image, why) &&
             (q->pieces == 0 || dataset_load_truth(d, q, ctx, &p, why));
    if (ok) {
        *out = p;
        return true;
    }
    dataset_picture_free(&p);
    return false;
}

bool dataset_has_truth(const dataset *d, int32_t number)
{
    const question *q = &d->question[number];

    return q->photos > 1 || q->pieces > 0;
}

void dataset_picture_free(dataset_picture *p)
{
    kldve_image_free(p->image);
    free(p->mask);
    free(p->box);
    memset(p, 0, sizeof *p);
}
