/* dataset_folder.c - the pictures in a folder and in the folders below it.
 *
 * A picture is what has a picture's name, .png, .jpg or .jpeg, and is no folder; what it really is
 * shows when it is loaded.  Hidden files and folders are left out.  A folder is entered once,
 * however many links lead to it, so links cannot form a loop.  One file under several names is one
 * picture, that of the first name, unless the names give it different labels. */
#include "dataset_parts.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 128 };

/* A file or a folder, by whatever name. */
typedef struct place {
    dev_t dev;
    ino_t ino;
    const char *label; /* of a picture; "": none */
} place;

typedef struct walk {
    dataset *d;
    void *folders; /* places that were entered, tsearch() */
    void *files;   /* pictures that were found */
    dataset_tally others, again, loops, closed;
} walk;

static int by_place(const void *left, const void *right)
{
    const place *a = left, *b = right;

    return a->dev != b->dev   ? (a->dev > b->dev ? 1 : -1)
           : a->ino != b->ino ? (a->ino > b->ino ? 1 : -1)
                              : strcmp(a->label, b->label);
}

/* Whether this place was seen before under the same label; it is now.  -1: out of memory, which was
 * said. */
static int seen(void **tree, const struct stat *s, const char *label)
{
    place *p = malloc(sizeof *p), **found;

    if (!p) {
        complain("out of memory");
        return -1;
    }
    *p = (place){.dev = s->st_dev, .ino = s->st_ino, .label = label};
    found = tsearch(p, tree, by_place);
    if (found && *found == p)
        return 0;
    free(p);
    if (!found)
        complain("out of memory");
    return found ? 1 : -1;
}

static void forget(void **tree)
{
    while (*tree) {
        place *p = *(place **)*tree;

        tdelete(p, tree, by_place);
        free(p);
    }
}

bool dataset_is_picture_name(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", NULL};

    return path_has_ending(name, endings);
}

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
static bool add_picture(walk *w, const char *path, const struct stat *s)
{
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
        again = seen(&w->files, s, label);
    if (again > 0)
        dataset_tally_add(&w->again, photo.key);
    if (again != 0)
        return again > 0;
    number = dataset_add_photo(d, &photo);
    return number >= 0 && dataset_add(d, number, label, NULL, NULL);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool enter(walk *w, const char *folder, int depth);

static bool look_at(walk *w, const char *folder, const char *name, int depth)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    bool ok = true, there;
    struct stat s;

    if (!path) {
        complain("%s: out of memory", folder);
        return false;
    }
    snprintf(path, size, "%s/%s", folder, name);
    there = stat(path, &s) == 0;
    if (there && S_ISDIR(s.st_mode))
        ok = enter(w, path, depth + 1);
    else if (dataset_is_picture_name(name))
        ok = add_picture(w, path, there ? &s : NULL);
    else
        dataset_tally_add(&w->others, inside(w->d, path));
    free(path);
    return ok;
}

/* A folder that cannot be entered is left out, unless it is the data set. */
static bool leave_out(walk *w, dataset_tally *tally, const char *folder, int depth)
{
    if (depth == 0)
        complain("%s: %s", folder, strerror(errno));
    else
        dataset_tally_add(tally, inside(w->d, folder));
    return depth > 0;
}

static bool enter(walk *w, const char *folder, int depth)
{
    struct dirent **entry;
    struct stat s;
    int count, again;
    bool ok = true;

    if (stat(folder, &s) != 0)
        return leave_out(w, &w->closed, folder, depth);
    again = depth < DEEPEST ? seen(&w->folders, &s, "") : 1;
    if (again != 0)
        return again > 0 && leave_out(w, &w->loops, folder, depth);
    count = scandir(folder, &entry, is_shown, by_name);
    if (count < 0)
        return leave_out(w, &w->closed, folder, depth);
    for (int i = 0; i < count; i++) {
        ok = ok && look_at(w, folder, entry[i]->d_name, depth);
        free(entry[i]);
    }
    free(entry);
    return ok;
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
    bool ok = enter(&w, d->name, 0) && note(&w);

    forget(&w.folders);
    forget(&w.files);
    return ok;
}
