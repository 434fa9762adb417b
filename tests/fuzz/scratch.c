/* scratch.c - see scratch.h. */
#include "scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch.h"

enum { PATH_SIZE = 512, PATHS = 8 };

static char folder[PATH_SIZE / 2];

static void remove_all(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    char inner[PATH_SIZE + 256];
    struct stat s;

    while (d && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (lstat(inner, &s) == 0 && S_ISDIR(s.st_mode))
            remove_all(inner);
        else
            unlink(inner);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static void forget(void)
{
    remove_all(folder);
}

const char *scratch_folder(void)
{
    const char *within = getenv("TMPDIR");

    if (*folder)
        return folder;
    if (!within)
        within = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/kldve-fuzz-XXXXXX", within);
    watch_that(mkdtemp(folder) != NULL, "no folder can be made");
    atexit(forget);
    return folder;
}

const char *scratch_path(const char *name)
{
    static char paths[PATHS][PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % PATHS];

    snprintf(path, PATH_SIZE, "%s/%s", scratch_folder(), name);
    return path;
}

const char *scratch_file(const char *name, const void *bytes, size_t nbytes)
{
    const char *path = scratch_path(name);
    FILE *f = fopen(path, "wb");

    watch_that(f && (nbytes == 0 || fwrite(bytes, 1, nbytes, f) == nbytes) && fclose(f) == 0,
               "a file cannot be written");
    return path;
}

void scratch_subfolder(const char *name)
{
    watch_that(mkdir(scratch_path(name), 0700) == 0, "no folder can be made");
}
