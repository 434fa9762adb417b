/* dataset.c - a data set from what the command line says. */
#include "dataset_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *choice(const char *const *names, int32_t index)
{
    int32_t count = 0;

    while (names[count])
        count++;
    return index >= 0 && index < count ? names[index] : NULL;
}

const char *dataset_kind_choice(int32_t index)
{
    static const char *const names[] = {"folder", "list", "coco", "voc", NULL};

    return choice(names, index);
}

const char *dataset_labels_choice(int32_t index)
{
    static const char *const names[] = {"none", "folder", "name", NULL};

    return choice(names, index);
}

const char *dataset_truth_name(int32_t index)
{
    static const char *const names[] = {"boxes", "masks", NULL};

    return choice(names, index);
}

const char *dataset_turned_choice(int32_t index)
{
    static const char *const names[] = {"shown", "stored", NULL};

    return choice(names, index);
}

/* A folder with the folders Annotations and JPEGImages. */
static bool is_voc(const char *path)
{
    char text[MESSAGE_SIZE];

    snprintf(text, sizeof text, "%s/Annotations", path);
    if (!dataset_is_folder(text))
        return false;
    snprintf(text, sizeof text, "%s/JPEGImages", path);
    return dataset_is_folder(text);
}

/* Told by the path; 0 after a message. */
static int32_t kind_of(const char *path)
{
    static const char *const lists[] = {".tsv", ".csv", NULL};
    static const char *const coco[] = {".json", NULL};
    static const char *const sets[] = {".txt", NULL};
    struct stat s;

    if (stat(path, &s) != 0)
        complain("%s: %s", path, strerror(errno));
    else if (S_ISDIR(s.st_mode))
        return is_voc(path) ? DATASET_VOC : DATASET_FOLDER;
    else if (path_has_ending(path, lists))
        return DATASET_LIST;
    else if (path_has_ending(path, coco))
        return DATASET_COCO;
    else if (strstr(path, "ImageSets/") && path_has_ending(path, sets))
        return DATASET_VOC;
    else
        complain("%s: is neither a folder nor a file that ends in .tsv, .csv or .json; say what it "
                 "is with --format",
                 path);
    return 0;
}

int dataset_check_args(const char *command, dataset_args *args)
{
    bool folder, list;

    if (args->kind == 0)
        args->kind = kind_of(args->path);
    if (args->kind == 0)
        return EXIT_FAILED;
    folder = args->kind == DATASET_FOLDER;
    list = args->kind == DATASET_LIST;
    if (args->labels_from > 0 && !folder)
        return args_usage(command, "--labels-from is about a folder of pictures");
    if (args->column && !list)
        return args_usage(command, "--label-column is about a list");
    if (folder && (args->pictures || args->masks || args->truth > 0 || args->turned > 0))
        return args_usage(command, "%s changes nothing: a folder of pictures has no annotations",
                          args->pictures    ? "--pictures"
                          : args->masks     ? "--masks"
                          : args->truth > 0 ? "--truth-from"
                                            : "--turned");
    if (args->mosaic == 3)
        return args_usage(command, "--mosaic: 2 or 4 photographs share a picture");
    if (args->mosaic > 0 && (args->masks || args->truth > 0 || args->turned > 0))
        return args_usage(command, "%s changes nothing: where a mosaic has its tiles is known",
                          args->masks       ? "--masks"
                          : args->truth > 0 ? "--truth-from"
                                            : "--turned");
    if (args->mosaic == 0 && args->seed > 0)
        return args_usage(command, "--mosaic-seed is about --mosaic");
    return EXIT_DONE;
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
    switch (d->args.kind) {
    case DATASET_FOLDER:
        return dataset_open_folder(d);
    case DATASET_LIST:
        return dataset_open_list(d);
    case DATASET_COCO:
        return dataset_open_coco(d);
    case DATASET_VOC:
        return dataset_open_voc(d);
    default:
        return false;
    }
}

bool dataset_open(dataset *d, const dataset_args *args)
{
    memset(d, 0, sizeof *d);
    d->args = *args;
    d->annotations = -1;
    d->name = args->path;
    d->name = plain_name(d, args->path);
    return d->name && open_kind(d) && dataset_finish(d) &&
           (d->args.mosaic == 0 || dataset_make_mosaics(d));
}

void dataset_close(dataset *d)
{
    if (d->texts && d->annotations >= 0)
        close(d->annotations);
    free(d->question);
    free(d->photo);
    free(d->label);
    free(d->piece);
    free(d->draft);
    free(d->note);
    dataset_texts_free(d->texts);
    memset(d, 0, sizeof *d);
}
