/* report_names.c - what a page calls its pictures: a page is made to be shared, so it says nothing
 * of the folders of this machine.  A picture of a folder or a list has the name that it has there;
 * any other the end of its path: its file, and as many folders as tell it from the others. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* The number of bytes that two texts have in common at their ends. */
static size_t common_end(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t n = 0;

    while (n < a_size && n < b_size && a[a_size - 1 - n] == b[b_size - 1 - n])
        n++;
    return n;
}

/* Order by the last byte, then the one before: paths with a common end stand beside each other. */
static int by_end(const void *left, const void *right)
{
    const char *a = (*(report_picture *const *)left)->path;
    const char *b = (*(report_picture *const *)right)->path;
    size_t a_size = strlen(a), b_size = strlen(b), n = common_end(a, a_size, b, b_size);

    if (n == a_size || n == b_size)
        return (a_size > b_size) - (a_size < b_size);
    return (unsigned char)a[a_size - 1 - n] > (unsigned char)b[b_size - 1 - n] ? 1 : -1;
}

/* The end of a path that begins behind a slash and is longer than `shared` bytes; the whole of a
 * path that is not. */
static const char *longer_end(const char *path, size_t shared)
{
    size_t from = strlen(path);

    if (shared >= from)
        return longer_end(path, 0);
    while (from > 0 && (path[from - 1] != '/' || strlen(path) - from <= shared))
        from--;
    return path + from;
}

static size_t shared_with(const report_picture *a, const report_picture *b)
{
    return common_end(a->path, strlen(a->path), b->path, strlen(b->path));
}

/* Take out folders that are called as the user is. */
static void drop_user(char *path)
{
    const char *home = getenv("HOME"), *slash = home ? strrchr(home, '/') : NULL;
    size_t n = slash ? strlen(slash + 1) : 0;
    char *from = path, *end;

    while (n > 0 && (end = strchr(from, '/')) != NULL)
        if ((size_t)(end - from) == n && memcmp(from, slash + 1, n) == 0)
            memmove(from, end + 1, strlen(end + 1) + 1);
        else
            from = end + 1;
}

static bool name_it(report_picture *p, const char *name)
{
    p->shown = malloc(LABEL_SIZE);
    if (!p->shown)
        return false;
    clean_text(name, p->shown, LABEL_SIZE);
    drop_user(p->shown);
    return true;
}

/* `alone` is in the order of by_end(): only its neighbours can share an end with a path. */
static bool name_alone(report_picture **alone, int32_t count)
{
    bool ok = true;

    for (int32_t i = 0; ok && i < count; i++) {
        size_t before = i > 0 ? shared_with(alone[i], alone[i - 1]) : 0;
        size_t after = i + 1 < count ? shared_with(alone[i], alone[i + 1]) : 0;

        ok = name_it(alone[i], longer_end(alone[i]->path, before > after ? before : after));
    }
    return ok;
}

/* A key of a list that has a picture from anywhere is no better than its file's name. */
static const char *name_in_source(const char *key)
{
    return *key == '/' || strncmp(key, "../", 3) == 0 || strstr(key, "/../") ? base_name(key) : key;
}

/* Replace every `path` in a text by the name of its file. */
static void shorten(char text[LABEL_SIZE], const char *path)
{
    size_t n = strlen(path);
    const char *name = base_name(path);
    size_t left = strlen(name);

    if (n == left)
        return;
    for (char *at = text; (at = strstr(at, path)) != NULL; at += left) {
        memmove(at, name, left);
        memmove(at + left, at + n, strlen(at + n) + 1);
    }
}

void report_hide_folders(const grid *g, const char *picture, const char *text, char out[LABEL_SIZE])
{
    clean_text(text, out, LABEL_SIZE);
    if (picture)
        shorten(out, picture);
    for (int32_t i = 0; i < g->networks; i++)
        shorten(out, g->network[i].net.name);
}

bool report_name_pictures(report_list *l)
{
    report_picture **alone = calloc((size_t)l->pictures + 1, sizeof *alone);
    int32_t count = 0;
    bool ok = alone != NULL;

    for (int32_t i = 0; ok && i < l->pictures; i++)
        if (l->picture[i].source < 0)
            alone[count++] = &l->picture[i];
        else
            ok = name_it(&l->picture[i], name_in_source(l->picture[i].key));
    if (ok && count > 0) {
        qsort(alone, (size_t)count, sizeof(report_picture *), by_end);
        ok = name_alone(alone, count);
    }
    free(alone);
    return ok;
}
