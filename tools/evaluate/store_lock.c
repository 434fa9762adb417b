/* store_lock.c - one writer at a time.  SQLite's own locks keep the file whole, but two runs that
 * fill the same database would compute the same units.  FILE.lock beside the database holds a lock
 * of the system, which ends with its process however that ends, and says who has it.  A file that
 * is left behind means nothing. */
#include "store_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/tool.h"

enum { ATTEMPTS = 100 };

static char *lock_name(const char *path)
{
    static const char ending[] = ".lock";
    size_t size = strlen(path) + sizeof ending;
    char *name = malloc(size);

    if (name)
        snprintf(name, size, "%s%s", path, ending);
    return name;
}

/* What the file says of its owner, "process 7 on HOST"; a default where it says nothing yet. */
static void read_owner(int fd, char owner[LABEL_SIZE])
{
    char text[LABEL_SIZE];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    clean_text(*text ? text : "another process", owner, LABEL_SIZE);
}

/* Only a message needs it: on a full disk the run goes on without, and SQLite says what is wrong.
 */
static void write_owner(int fd)
{
    char host[STORE_TEXT], owner[2 * STORE_TEXT];
    int n;

    store_host(host);
    n = snprintf(owner, sizeof owner, "process %ld on %s", (long)getpid(), host);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, owner, (size_t)n, 0) != n)
        return;
}

static void say_owner(const char *path, int fd)
{
    char owner[LABEL_SIZE];

    read_owner(fd, owner);
    complain("%s: %s is writing to this database: wait for its end, or give another one", path,
             owner);
}

static bool refuse(const store *s, int fd, int error)
{
    if (error == EACCES || error == EAGAIN) {
        say_owner(s->path, fd);
    } else {
        complain("%s: cannot lock it: %s: put the database on a file system that has locks",
                 s->path, strerror(error));
    }
    close(fd);
    return false;
}

/* Whether the locked file is still the one of that name: its last owner may have removed it between
 * open() and the lock. */
static bool still_there(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static bool lock_at(store *s, const char *name)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    for (int i = 0; i < ATTEMPTS; i++) {
        int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

        if (fd < 0)
            break;
        if (fcntl(fd, F_SETLK, &whole) != 0)
            return refuse(s, fd, errno);
        if (still_there(fd)) {
            write_owner(fd);
            s->lock = fd;
            return true;
        }
        close(fd);
    }
    complain("%s: cannot write beside it: %s; the database and its journal need a folder that can "
             "be written",
             name, strerror(errno));
    return false;
}

bool store_lock(store *s)
{
    char *name = lock_name(s->path);
    bool ok = name && lock_at(s, name);

    if (!name)
        complain("%s: out of memory", s->path);
    free(name);
    return ok;
}

void store_unlock(store *s)
{
    char *name;

    if (s->lock < 0)
        return;
    name = lock_name(s->path);
    if (name)
        unlink(name); /* while it is locked, so that nobody else's is removed */
    free(name);
    close(s->lock);
    s->lock = -1;
}

bool store_refuse_locked(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char *name = lock_name(path);
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    bool locked = fd >= 0 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;

    if (locked)
        say_owner(path, fd);
    if (fd >= 0)
        close(fd);
    free(name);
    return !locked;
}
