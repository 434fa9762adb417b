/* folder.c - a walk through a folder. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"

enum { DEEPEST = 128 };

/* ---- places ------------------------------------------------------------------------------- */

/* A file or a folder, by whatever name. */
typedef struct place {
    dev_t dev;
    ino_t ino;
    const char *label;
} place;

static int by_place(const void *left, const void *right)
{
    const place *a = left, *b = right;

    return a->dev != b->dev   ? (a->dev > b->dev ? 1 : -1)
           : a->ino != b->ino ? (a->ino > b->ino ? 1 : -1)
                              : strcmp(a->label, b->label);
}

int folder_seen(folder_places *places, const struct stat *s, const char *label)
{
    place *p = malloc(sizeof *p), **found;

    if (!p) {
        complain("out of memory");
        return -1;
    }
    *p = (place){.dev = s->st_dev, .ino = s->st_ino, .label = label};
    found = tsearch(p, places, by_place);
    if (found && *found == p)
        return 0;
    free(p);
    if (!found)
        complain("out of memory");
    return found ? 1 : -1;
}

void folder_forget(folder_places *places)
{
    while (*places) {
        place *p = *(place **)*places;

        tdelete(p, places, by_place);
        free(p);
    }
}

/* ---- the walk ----------------------------------------------------------------------------- */

typedef struct walk {
    const folder_visitor *visitor;
    folder_places entered;
} walk;

bool folder_is_picture_name(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", NULL};

    return path_has_ending(name, endings);
}

bool folder_is(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
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
    size_t n = strlen(folder), size = n + strlen(name) + 2;
    char *path = malloc(size);
    bool ok = true, there;
    struct stat s;

    if (!path) {
        complain("%s: out of memory", folder);
        return false;
    }
    snprintf(path, size, "%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
    there = stat(path, &s) == 0;
    if (there && S_ISDIR(s.st_mode))
        ok = enter(w, path, depth + 1);
    else if (folder_is_picture_name(name))
        ok = w->visitor->picture(w->visitor->opaque, path, there ? &s : NULL);
    else
        w->visitor->rest(w->visitor->opaque, FOLDER_OTHER, path);
    free(path);
    return ok;
}

/* A folder that cannot be entered is left out, unless it is the first. */
static bool leave_out(walk *w, folder_rest why, const char *folder, int depth)
{
    if (depth == 0)
        complain("%s: %s", folder, strerror(errno));
    else
        w->visitor->rest(w->visitor->opaque, why, folder);
    return depth > 0;
}

static bool enter(walk *w, const char *folder, int depth)
{
    struct dirent **entry;
    struct stat s;
    int count, again;
    bool ok = true;

    if (stat(folder, &s) != 0)
        return leave_out(w, FOLDER_CLOSED, folder, depth);
    again = depth < DEEPEST ? folder_seen(&w->entered, &s, "") : 1;
    if (again != 0)
        return again > 0 && leave_out(w, FOLDER_LOOP, folder, depth);
    count = scandir(folder, &entry, is_shown, by_name);
    if (count < 0)
        return leave_out(w, FOLDER_CLOSED, folder, depth);
    for (int i = 0; i < count; i++) {
        ok = ok && look_at(w, folder, entry[i]->d_name, depth);
        free(entry[i]);
    }
    free(entry);
    return ok;
}

bool folder_walk(const char *folder, const folder_visitor *visitor)
{
    walk w = {.visitor = visitor};
    bool ok = enter(&w, folder, 0);

    folder_forget(&w.entered);
    return ok;
}
