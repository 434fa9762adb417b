/* output_names.c - where the result of each picture goes that has no name of its own. */
#include "output_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much of the source's name the result keeps. */
enum { KEEP_STEM, KEEP_ENDING, KEEP_FOLDERS, KEEPS };

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Nothing is written beside standard input and devices, as the shell's <(...). */
static bool has_place(const char *source)
{
    return strcmp(source, "-") != 0 && !begins(source, "/dev/") && !begins(source, "/proc/");
}

static const char *last_of(const char *source)
{
    const char *slash = strrchr(source, '/');

    return slash ? slash + 1 : source;
}

/* "../a/b/1.png" -> "a/b/1.png" */
static const char *without_climbing(const char *source)
{
    for (;;) {
        if (begins(source, "./"))
            source += 2;
        else if (begins(source, "../"))
            source += 3;
        else if (*source == '/')
            source++;
        else
            return source;
    }
}

/* The name of the source, as much of it as `keep` says -> out. */
static void put_source(const char *source, int keep, char *out)
{
    const char *name = keep == KEEP_FOLDERS ? without_climbing(source) : last_of(source);
    const char *dot = strrchr(name, '.');
    size_t n = keep == KEEP_STEM && dot && dot > name ? (size_t)(dot - name) : strlen(name);

    memcpy(out, name, n);
    out[n] = '\0';
    for (; *out; out++)
        if (*out == '/')
            *out = '-';
}

/* The path of a result; NULL: out of memory. */
static char *make_path(const char *source, const char *folder, const char *ending, int keep)
{
    size_t beside = has_place(source) ? (size_t)(last_of(source) - source) : 0;
    size_t front = folder ? strlen(folder) + 1 : beside;
    char *path = malloc(front + strlen(source) + strlen("stdin") + strlen(ending) + 1), *at = path;

    if (!path)
        return NULL;
    if (folder)
        at += sprintf(at, "%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/");
    else
        at += sprintf(at, "%.*s", (int)beside, source);
    if (strcmp(source, "-") == 0)
        strcpy(at, "stdin");
    else
        put_source(source, keep, at);
    strcat(at, ending);
    return path;
}

/* ---- names that meet ---------------------------------------------------------------------- */

typedef struct naming {
    const char *source;
    int32_t number; /* of the source */
    int keep;
    char *path;   /* of its result */
    dev_t device; /* of the folder of the result; zeros where all are in one */
    ino_t folder;
} naming;

static int by_path(const void *one, const void *other)
{
    const naming *a = one, *b = other;

    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    if (a->folder != b->folder)
        return a->folder < b->folder ? -1 : 1;
    return strcasecmp(last_of(a->path), last_of(b->path)); /* some file systems fold case */
}

static void find_folder(naming *n)
{
    size_t length = (size_t)(last_of(n->path) - n->path);
    char *folder = malloc(length + 2);
    struct stat st;

    if (folder) {
        memcpy(folder, n->path, length);
        memcpy(folder + length, ".", 2); /* "a/" -> "a/." */
        if (stat(folder, &st) == 0) {
            n->device = st.st_dev;
            n->folder = st.st_ino;
        }
    }
    free(folder);
}

/* Let those of first..last - 1, whose results are one, keep more of their names.  False: they
 * cannot. */
static bool keep_more(naming *first, naming *last, const char *folder, const char *ending)
{
    bool more = false;

    for (naming *n = first; n < last; n++) {
        if (n->keep == KEEP_FOLDERS)
            continue;
        more = true;
        free(n->path);
        n->path = make_path(n->source, folder, ending, ++n->keep);
        if (!n->path)
            return false;
    }
    return more;
}

static int refuse_same(const char *command, const naming *a, const naming *b)
{
    if (!a->path || !b->path) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    if (strcmp(a->source, b->source) == 0)
        return args_usage(command, "%s is given twice", a->source);
    return args_usage(command,
                      "%s and %s would both be written to %s: give one of them in a run "
                      "of its own",
                      a->number < b->number ? a->source : b->source,
                      a->number < b->number ? b->source : a->source, a->path);
}

/* One round over all that meet; *met says whether any did. */
static int part(const char *command, naming *name, int32_t count, const char *folder,
                const char *ending, bool *met)
{
    *met = false;
    qsort(name, (size_t)count, sizeof *name, by_path);
    for (int32_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && by_path(&name[i], &name[next]) == 0;)
            next++;
        if (next - i < 2)
            continue;
        *met = true;
        if (!keep_more(&name[i], &name[next], folder, ending))
            return refuse_same(command, &name[i], &name[i + 1]);
    }
    return EXIT_DONE;
}

static int name_all(const char *command, naming *name, int32_t count, const char *folder,
                    const char *ending)
{
    int status = EXIT_DONE;
    bool met = true;

    for (int32_t i = 0; i < count; i++) {
        name[i].path = make_path(name[i].source, folder, ending, KEEP_STEM);
        if (!name[i].path) {
            complain("out of memory");
            return EXIT_FAILED;
        }
        if (!folder)
            find_folder(&name[i]);
    }
    while (status == EXIT_DONE && met)
        status = part(command, name, count, folder, ending, &met);
    return status;
}

int output_names_make(const char *command, const arg_list *source, const char *folder,
                      const char *ending, output_names *out)
{
    naming *name = calloc((size_t)source->count + 1, sizeof *name);
    int status = EXIT_FAILED;

    *out = (output_names){.count = source->count};
    out->path = calloc((size_t)source->count + 1, sizeof *out->path);
    for (int32_t i = 0; name && i < source->count; i++) {
        name[i].source = source->text[i];
        name[i].number = i;
    }
    if (name && out->path)
        status = name_all(command, name, source->count, folder, ending);
    else
        complain("out of memory");
    for (int32_t i = 0; name && i < source->count; i++)
        if (out->path)
            out->path[name[i].number] = name[i].path;
        else
            free(name[i].path);
    free(name);
    return status;
}

void output_names_free(output_names *n)
{
    for (int32_t i = 0; n->path && i < n->count; i++)
        free(n->path[i]);
    if (n->made)
        rmdir(n->made); /* which does nothing to a folder that is not empty */
    free(n->path);
    *n = (output_names){0, NULL, NULL};
}

/* ---- whether they may be written ---------------------------------------------------------- */

/* Whether a file can be made in a folder, "" is the working folder.  False after a message. */
static bool can_write_in(const char *path, const char *folder)
{
    size_t n = (size_t)(last_of(path) - path);
    char *in = malloc(n + 2);
    bool ok = in != NULL;

    if (!in) {
        complain("out of memory");
        return false;
    }
    memcpy(in, path, n);
    memcpy(in + n, ".", 2);
    if (access(in, W_OK | X_OK) != 0) {
        ok = false;
        if (folder)
            complain("--out-dir %s: cannot write there: %s", folder, strerror(errno));
        else
            complain("%s: cannot write beside the picture: %s; --out-dir DIR names another folder",
                     path, strerror(errno));
    }
    free(in);
    return ok;
}

bool output_name_is_free(const char *path, const char *folder, bool force)
{
    struct stat st;

    if (!can_write_in(path, folder))
        return false;
    if (force || lstat(path, &st) != 0)
        return true;
    complain("%s exists: --force replaces it, --out-dir DIR names another folder", path);
    return false;
}

bool output_names_make_folder(output_names *n, const char *folder)
{
    bool made = false;

    if (folder && !output_folder(folder, &made))
        return false;
    n->made = made ? folder : NULL;
    return true;
}
