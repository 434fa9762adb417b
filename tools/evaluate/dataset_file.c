/* dataset_file.c - files of annotations, and where things lie. */
#include "dataset_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file of `fd`, of `size` bytes now. */
static char *read_all(int fd, const char *path, size_t size, size_t *nbytes)
{
    char *bytes = malloc(size + 1);
    size_t used = 0;
    ssize_t got = 1;

    if (!bytes) {
        complain("%s: out of memory", path);
        return NULL;
    }
    while (used < size && got > 0) {
        got = read(fd, bytes + used, size - used);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            used += (size_t)got;
    }
    if (used < size) {
        complain("%s: %s", path, got < 0 ? strerror(errno) : "became shorter while it was read");
        free(bytes);
        return NULL;
    }
    bytes[size] = '\0';
    *nbytes = size;
    return bytes;
}

char *dataset_read_file(const char *path, int64_t most, size_t *nbytes)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe would wait for a writer */
    char *bytes = NULL;
    struct stat s;

    if (fd < 0 || fstat(fd, &s) != 0)
        complain("%s: %s", path, strerror(errno));
    else if (!S_ISREG(s.st_mode))
        complain("%s: is no regular file", path);
    else if (s.st_size > most)
        complain("%s: has more than %jd MiB", path, (intmax_t)(most >> 20));
    else
        bytes = read_all(fd, path, (size_t)s.st_size, nbytes);
    if (fd >= 0)
        close(fd);
    return bytes;
}

const char *dataset_folder_of(dataset *d, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return dataset_text(d, ".", 1);
    return dataset_text(d, path, slash == path ? 1 : (size_t)(slash - path));
}

const char *dataset_join(dataset *d, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *text;
    const char *made = NULL;

    if (*name == '/')
        return dataset_text(d, name, strlen(name));
    text = malloc(size);
    if (text) {
        snprintf(text, size, "%s/%s", folder, name);
        made = dataset_text(d, text, strlen(text));
    } else {
        complain("%s: out of memory", d->name);
    }
    free(text);
    return made;
}

bool dataset_is_folder(const char *path)
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

static bool walk_to(const char *folder, const char *name, const char *const *endings,
                    bool (*each)(void *opaque, const char *path), void *opaque)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    struct stat s;
    bool ok = true;

    if (!path) {
        complain("%s: out of memory", folder);
        return false;
    }
    snprintf(path, size, "%s/%s", folder, name);
    if (lstat(path, &s) == 0 && S_ISDIR(s.st_mode)) /* not through links, which may form loops */
        ok = dataset_walk(path, endings, each, opaque);
    else if (path_has_ending(name, endings))
        ok = each(opaque, path);
    free(path);
    return ok;
}

bool dataset_walk(const char *folder, const char *const *endings,
                  bool (*each)(void *opaque, const char *path), void *opaque)
{
    struct dirent **entry;
    int count = scandir(folder, &entry, is_shown, by_name);
    bool ok = true;

    if (count < 0) {
        complain("%s: %s", folder, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        ok = ok && walk_to(folder, entry[i]->d_name, endings, each, opaque);
        free(entry[i]);
    }
    free(entry);
    return ok;
}
