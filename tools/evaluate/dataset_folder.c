/* dataset_folder.c - the pictures in a folder and in the folders below it, see folder.h.  One file
 * under several names is one picture, that of the first name, unless the names give it different
 * labels. */
#include "dataset_parts.h"

#include <string.h>

#include "many/folder.h"

typedef struct walk {
    dataset *d;
    folder_places files; /* pictures that were found */
    dataset_tally others, again, loops, closed;
} walk;

/* "n01440764_tench.JPEG" -> "n01440764", "cifar10_00_frog.png" -> "frog". */
static const char *label_of_name(dataset *d, const char *name)
{
    size_t end = (size_t)(strrchr(name, '.') - name), from = end;

    if (name[0] == 'n' && strspn(name + 1, "0123456789") == 8)
        return dataset_label(d, name, 9);
    while (from > 0 && name[from - 1] != '_')
        from--;
    return dataset_label(d, name + from, end - from);
}

/* The name of the folder that a picture lies in; none for those in the data set's own. */
static const char *label_of_folder(dataset *d, const char *path)
{
    const char *end = strrchr(path, '/'), *from = end;

    if (!end)
        return "";
    while (from > path && from[-1] != '/')
        from--;
    return dataset_label(d, from, (size_t)(end - from));
}

/* The name of a picture below the data set's folder. */
static const char *inside(const dataset *d, const char *path)
{
    return path + strlen(d->name) + 1;
}

/* `s` is NULL of a file that is not there. */
static bool add_picture(void *opaque, const char *path, const struct stat *s)
{
    walk *w = opaque;
    dataset *d = w->d;
    dataset_photo photo = {.path = dataset_text(d, path, strlen(path)),
                           .key = dataset_key(d, inside(d, path))};
    const char *label = "";
    int again = 0;
    int32_t number;

    if (d->args.labels_from == DATASET_LABELS_NAME)
        label = label_of_name(d, strrchr(path, '/') + 1);
    else if (d->args.labels_from == DATASET_LABELS_FOLDER)
        label = label_of_folder(d, inside(d, path));
    if (!photo.path || !photo.key || !label)
        return false;
    if (s)
        again = folder_seen(&w->files, s, label);
    if (again > 0)
        dataset_tally_add(&w->again, photo.key);
    if (again != 0)
        return again > 0;
    number = dataset_add_photo(d, &photo);
    return number >= 0 && dataset_add(d, number, label, NULL, NULL);
}

static void leave_out(void *opaque, folder_rest why, const char *path)
{
    walk *w = opaque;
    dataset_tally *tally = why == FOLDER_OTHER  ? &w->others
                           : why == FOLDER_LOOP ? &w->loops
                                                : &w->closed;

    dataset_tally_add(tally, inside(w->d, path));
}

static bool note(const walk *w)
{
    return dataset_tally_note(w->d, &w->others,
                              "file is left out, no .png, .jpg or .jpeg by its name",
                              "files are left out, no .png, .jpg or .jpeg by their names") &&
           dataset_tally_note(w->d, &w->again, "name of a picture that has another one is left out",
                              "names of pictures that have another one are left out") &&
           dataset_tally_note(w->d, &w->loops,
                              "folder is left out, a link to one that was seen, or too deep",
                              "folders are left out, links to some that were seen, or too deep") &&
           dataset_tally_note(w->d, &w->closed, "folder cannot be opened and is left out",
                              "folders cannot be opened and are left out");
}

bool dataset_open_folder(dataset *d)
{
    walk w = {.d = d};
    const folder_visitor visitor = {&w, add_picture, leave_out};
    bool ok = folder_walk(d->name, &visitor) && note(&w);

    folder_forget(&w.files);
    return ok;
}
