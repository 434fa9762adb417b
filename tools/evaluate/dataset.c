/* dataset.c - a data set from what the command line says. */
#include "dataset_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *dataset_labels_choice(int32_t index)
{
    static const char *const names[] = {"none", "folder", "name"};

    return index >= 0 && index < 3 ? names[index] : NULL;
}

/* 0 after a message. */
static int32_t kind_of(const dataset_args *args)
{
    struct stat s;

    if (stat(args->path, &s) != 0)
        complain("%s: %s", args->path, strerror(errno));
    else if (S_ISDIR(s.st_mode))
        return DATASET_FOLDER;
    else
        complain("%s: is no folder", args->path);
    return 0;
}

/* Without slashes at its end, which would be part of every picture's path. */
static const char *plain_name(dataset *d, const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return dataset_text(d, path, n);
}

static bool open_kind(dataset *d)
{
    int32_t kind = d->args.kind > 0 ? d->args.kind : kind_of(&d->args);

    return kind == DATASET_FOLDER && dataset_open_folder(d);
}

bool dataset_open(dataset *d, const dataset_args *args)
{
    memset(d, 0, sizeof *d);
    d->args = *args;
    d->annotations = -1;
    d->name = args->path;
    d->name = plain_name(d, args->path);
    return d->name && open_kind(d) && dataset_finish(d);
}

void dataset_close(dataset *d)
{
    free(d->question);
    free(d->photo);
    free(d->label);
    free(d->box);
    free(d->id);
    free(d->shape);
    free(d->note);
    dataset_texts_free(d->texts);
    if (d->texts && d->annotations >= 0)
        close(d->annotations);
    memset(d, 0, sizeof *d);
}
