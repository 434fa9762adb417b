/* journal.c - a file of records that grows. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/json.h"

enum { RECORD_MOST = 16 << 20 /* bytes of a record, which has some thousand */ };

/* ---- pictures by name --------------------------------------------------------------------- */

/* What JSON makes of a path: text that is not UTF-8 changes. */
static char *key_of(const char *path)
{
    size_t size = 3 * strlen(path) + 1;
    char *key = malloc(size);

    if (key)
        valid_text(path, key, size);
    return key;
}

static int by_key(const void *left, const void *right)
{
    const journal_name *a = left, *b = right;
    int order = strcmp(a->key, b->key);

    return order ? order : (a->picture > b->picture) - (a->picture < b->picture);
}

static bool list_names(journal *j)
{
    size_t count = (size_t)j->pictures;

    j->name = calloc(count + 1, sizeof *j->name);
    j->entry = calloc(count + 1, sizeof *j->entry);
    if (!j->name || !j->entry)
        return false;
    for (int32_t i = 0; i < j->pictures; i++) {
        j->name[i].picture = i;
        j->name[i].key = key_of(j->picture[i]);
        if (!j->name[i].key)
            return false;
    }
    qsort(j->name, count, sizeof *j->name, by_key);
    return true;
}

/* The number of a picture of this run; -1: it is none. */
static int32_t find(const journal *j, const char *key)
{
    int32_t low = 0, high = j->pictures;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;

        if (strcmp(j->name[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < j->pictures && strcmp(j->name[low].key, key) == 0 ? j->name[low].picture : -1;
}

/* ---- what is there ------------------------------------------------------------------------ */

static const char *text_of(json_object *object, const char *key)
{
    json_object *value;

    return json_object_object_get_ex(object, key, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : "";
}

/* The picture of this run that a line is about, -1: it is of another run.  False: it is no record.
 */
static bool read_line(const journal *j, const char *line, int32_t *picture, char print[SHA256_TEXT])
{
    json_object *object = json_tokener_parse(line);
    bool ok = object && json_object_is_type(object, json_type_object);

    *picture = -1;
    *print = '\0';
    if (ok && strcmp(text_of(object, "run"), j->run) == 0) {
        *picture = find(j, text_of(object, "picture"));
        if (!*text_of(object, "failed"))
            snprintf(print, SHA256_TEXT, "%s", text_of(object, "print"));
    }
    json_object_put(object);
    return ok;
}

/* The last line of a picture counts. */
static void remember(journal *j, int32_t picture, int64_t offset, int64_t nbytes)
{
    journal_entry *entry = &j->entry[picture];

    j->sorted = j->sorted && entry->nbytes == 0 && picture >= j->last;
    j->last = picture;
    entry->offset = offset;
    entry->nbytes = nbytes;
}

static bool grow_line(char **line, size_t *room)
{
    size_t more = *room > 0 ? 2 * *room : 1 << 12;
    char *grown = realloc(*line, more);

    if (!grown) {
        complain("out of memory");
        return false;
    }
    *line = grown;
    *room = more;
    return true;
}

/* The next character; a signal does not end the file. */
static int next_char(FILE *file)
{
    int c;

    while ((c = getc_unlocked(file)) == EOF && ferror(file) && errno == EINTR)
        clearerr(file);
    return c;
}

/* The next line, with its end if it has one, and its bytes; 0 at the end of the file.  A file
 * without line ends may be of any size, a record may not: false after a message. */
static bool next_line(const journal *j, FILE *file, char **line, size_t *room, size_t *nbytes)
{
    size_t n = 0;
    int c = 0;

    while (c != '\n' && (c = next_char(file)) != EOF) {
        if (n == RECORD_MOST) {
            complain("%s: a line is longer than any record: --resume needs a file that this "
                     "command has written",
                     j->path);
            return false;
        }
        if (n + 1 >= *room && !grow_line(line, room))
            return false;
        (*line)[n++] = (char)c;
    }
    if (n > 0)
        (*line)[n] = '\0';
    *nbytes = n;
    return true;
}

/* Call each() with every whole line; *end becomes where the last of them ends.  False: each() said
 * so, or the file cannot be read, which was said. */
static bool each_line(journal *j,
                      bool (*each)(journal *j, const char *line, int64_t offset, int64_t nbytes,
                                   void *opaque),
                      void *opaque, int64_t *end)
{
    FILE *file = input_file(j->path);
    char *line = NULL;
    size_t room = 0;
    size_t n;
    bool ok = file != NULL;

    *end = 0;
    while (ok && (ok = next_line(j, file, &line, &room, &n)) && n > 0 && line[n - 1] == '\n') {
        ok = each(j, line, *end, (int64_t)n, opaque);
        *end += (int64_t)n;
    }
    if (file && ferror(file)) {
        complain("%s: cannot read: %s", j->path, strerror(errno));
        ok = false;
    }
    free(line);
    if (file)
        fclose(file);
    return ok;
}

/* Whether what follows the last whole line is nothing, or a record that a kill cut off: only that
 * is thrown away. */
static bool ends_in_record(const journal *j)
{
    static const char *const begins[] = {"{\"model\":", "{\"picture\":"};
    char found[16];
    ssize_t n = pread(j->fd, found, sizeof found, (off_t)j->end);

    for (size_t i = 0; n > 0 && i < sizeof begins / sizeof *begins; i++) {
        size_t length = strlen(begins[i]);

        if (memcmp(found, begins[i], (size_t)n < length ? (size_t)n : length) == 0)
            return true;
    }
    return n == 0;
}

static bool refuse_line(const journal *j, int64_t number)
{
    complain("%s: line %lld is no record: --resume needs a file that this command has written",
             j->path, (long long)number);
    return false;
}

static bool take_line(journal *j, const char *line, int64_t offset, int64_t nbytes, void *opaque)
{
    int64_t *number = opaque;
    int32_t picture;
    char print[SHA256_TEXT];

    ++*number;
    if (!read_line(j, line, &picture, print))
        return refuse_line(j, *number);
    if (picture >= 0) {
        remember(j, picture, offset, nbytes);
        memcpy(j->entry[picture].print, print, sizeof print);
    } else if (j->last >= 0) {
        j->sorted = false;
    }
    return true;
}

static bool read_all(journal *j)
{
    int64_t number = 0;

    if (!each_line(j, take_line, &number, &j->end))
        return false;
    if (!ends_in_record(j))
        return refuse_line(j, number + 1);
    if (ftruncate(j->fd, j->end) == 0 && lseek(j->fd, j->end, SEEK_SET) == j->end)
        return true;
    complain("%s: cannot write: %s", j->path, strerror(errno));
    return false;
}

/* ---- opening ------------------------------------------------------------------------------ */

static bool refuse(const journal *j, journal_mode mode)
{
    if (mode == JOURNAL_NEW && errno == EEXIST)
        complain("%s exists: --resume goes on with it, --force begins anew", j->path);
    else
        complain("%s: cannot write: %s", j->path, strerror(errno));
    return false;
}

/* Pipes and devices have no past. */
static bool open_stream(journal *j, journal_mode mode)
{
    if (mode == JOURNAL_RESUME) {
        complain("%s: --resume needs a file, which says what is done", j->path);
        return false;
    }
    j->fd = open(j->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    j->stream = true;
    return j->fd >= 0 || refuse(j, JOURNAL_FORCE);
}

static bool open_file(journal *j, journal_mode mode)
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | (mode == JOURNAL_NEW ? O_EXCL : 0);

    j->fd = open(j->path, flags, 0666);
    if (j->fd < 0)
        return refuse(j, mode);
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0) {
        complain("%s is in use: another run writes to it", j->path);
        return false;
    }
    if (mode == JOURNAL_RESUME)
        return read_all(j);
    return ftruncate(j->fd, 0) == 0 || refuse(j, JOURNAL_FORCE);
}

bool journal_open(journal *j, const char *path, journal_mode mode, const char *run,
                  const arg_list *pictures)
{
    struct stat st;

    *j = (journal){.fd = -1,
                   .path = path,
                   .run = run,
                   .picture = pictures->text,
                   .pictures = pictures->count,
                   .sorted = true,
                   .last = -1};
    if (!list_names(j)) {
        complain("out of memory");
        return false;
    }
    if (strcmp(path, "-") == 0) {
        j->stream = true;
        return true;
    }
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return open_stream(j, mode);
    return open_file(j, mode);
}

bool journal_has(const journal *j, int32_t picture, const char *print)
{
    return *print && strcmp(j->entry[picture].print, print) == 0;
}

/* ---- lines -------------------------------------------------------------------------------- */

static bool print_line(const char *line)
{
    puts(line);
    return output_flush();
}

bool journal_add(journal *j, int32_t picture, const char *line)
{
    size_t n = strlen(line) + 1;
    char *whole;
    bool ok;

    if (j->fd < 0)
        return print_line(line);
    whole = malloc(n + 1);
    if (!whole) {
        complain("out of memory");
        return false;
    }
    snprintf(whole, n + 1, "%s\n", line);
    ok = kldve_write_all(j->fd, whole, n);
    free(whole);
    if (!ok) {
        complain("%s: cannot write: %s", j->path, strerror(errno));
        if (!j->stream)
            (void)!ftruncate(j->fd, j->end); /* else half a line stays, which --resume cuts off */
        return false;
    }
    remember(j, picture, j->end, (int64_t)n);
    j->end += (int64_t)n;
    return true;
}

/* ---- order -------------------------------------------------------------------------------- */

/* Lines of other runs, and of pictures that are not of this one, stay. */
static bool keep_other(journal *j, const char *line, int64_t offset, int64_t nbytes, void *opaque)
{
    int32_t picture;
    char print[SHA256_TEXT];

    (void)offset;
    if (!read_line(j, line, &picture, print))
        return false;
    return picture >= 0 || fwrite(line, 1, (size_t)nbytes, opaque) == (size_t)nbytes;
}

/* False after a message, or if the output fails, which says so by itself. */
static bool copy_line(const journal *j, const journal_entry *entry, FILE *to)
{
    size_t n = (size_t)entry->nbytes;
    char *line = malloc(n + 1);
    ssize_t found = line ? pread(j->fd, line, n, (off_t)entry->offset) : 0;
    bool ok = found == (ssize_t)n;

    if (!line)
        complain("out of memory");
    else if (!ok)
        complain("%s: cannot read: %s", j->path,
                 found < 0 ? strerror(errno) : "it is shorter than it was");
    ok = ok && fwrite(line, 1, n, to) == n;
    free(line);
    return ok;
}

bool journal_order(journal *j)
{
    output_stream to;
    int64_t end;
    bool ok;

    if (j->stream || j->sorted)
        return true;
    if (!output_begin(&to, j->path))
        return false;
    ok = each_line(j, keep_other, to.file, &end);
    for (int32_t i = 0; ok && i < j->pictures; i++)
        ok = j->entry[i].nbytes == 0 || copy_line(j, &j->entry[i], to.file);
    return output_end(&to, ok) && ok;
}

void journal_close(journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    for (int32_t i = 0; j->name && i < j->pictures; i++)
        free(j->name[i].key);
    free(j->name);
    free(j->entry);
    *j = (journal){.fd = -1};
}
