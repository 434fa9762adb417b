/* folder.c - see folder.h. */
#define _XOPEN_SOURCE 700 /* mkdtemp() */
#include "folder.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "kldve-test-XXXXXX";

int test_folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

int test_folder_clear(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            const char *path = test_path("%s/%s", folder, entry->d_name);

            if (unlink(path) != 0)
                rmdir(path);
            count++;
        }
    closedir(dir);
    return count;
}

int test_folder_remove(void **state)
{
    (void)state;
    test_folder_clear();
    return rmdir(folder);
}

const char *test_folder(void)
{
    return folder;
}

const char *test_in_folder(const char *name)
{
    return test_path("%s/%s", folder, name);
}
