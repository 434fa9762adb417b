/* faults.c - preloaded into a program: calls of the system that fail, come short or are
 * interrupted.
 *
 *     KLDVE_FAULT=CALL:N:ERROR   the n-th call (from 1) of read, write, close ... fails once with
 *                                errno ERROR; "short" in place of an error: it does half of its
 * work KLDVE_FAULT_COUNT=FILE     how often each call was made: "CALL N" a line, at the end
 *     KLDVE_FAULT_UNDER=PATH     only what happens to files whose names begin so counts
 *     KLDVE_TICKS=1              a signal a thousand times a second, without SA_RESTART
 *
 * What is counted are calls on regular files and folders below that path, so that the loader, the
 * terminal and pipes stay out of it. */
#undef _FILE_OFFSET_BITS /* open() and open64() are two names here */
#define _GNU_SOURCE 1

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define CALLS(X)                                                                                   \
    X(read)                                                                                        \
    X(pread)                                                                                       \
    X(write) X(pwrite) X(open) X(close) X(rename) X(link) X(fsync) X(fdatasync) X(ftruncate)       \
        X(mmap) X(fstat) X(stat) X(mkdir) X(unlink) X(opendir) X(readdir)

enum call {
#define X(name) CALL_##name,
    CALLS(X)
#undef X
        CALL_COUNT
};

static const char *const names[] = {
#define X(name) #name,
    CALLS(X)
#undef X
};

static struct {
    const char *under;
    enum call call;
    long number; /* 0: nothing fails */
    int error;   /* 0: it comes short */
} fault = {.under = "/nowhere/"};
static atomic_long counted[CALL_COUNT];

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}
#define REAL(name) ((__typeof__(&name))(uintptr_t)real(#name))

static void tick(int number)
{
    (void)number;
}

static void begin_ticks(void)
{
    struct sigaction action = {.sa_handler = tick};
    const struct itimerval every = {{0, 1000}, {0, 1000}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

__attribute__((constructor)) static void begin(void)
{
    const char *said = getenv("KLDVE_FAULT"), *under = getenv("KLDVE_FAULT_UNDER");
    const char *at = said ? strchr(said, ':') : NULL, *what = at ? strchr(at + 1, ':') : NULL;

    fault.under = under ? under : "/nowhere/";
    for (int i = 0; what && i < CALL_COUNT; i++)
        if (strlen(names[i]) == (size_t)(at - said) &&
            strncmp(said, names[i], strlen(names[i])) == 0) {
            fault.call = (enum call)i;
            fault.number = atol(at + 1);
            fault.error = strcmp(what + 1, "short") == 0 ? 0 : atoi(what + 1);
        }
    if (getenv("KLDVE_TICKS"))
        begin_ticks();
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("KLDVE_FAULT_COUNT");
    FILE *file;

    fault.under = "/nowhere/";
    file = path ? fopen(path, "w") : NULL;
    for (int i = 0; file && i < CALL_COUNT; i++)
        fprintf(file, "%s %ld\n", names[i], atomic_load(&counted[i]));
    if (file)
        fclose(file);
}

/* Whether the path, from the working folder or absolute, is below the one that counts. */
static bool counts_path(const char *path)
{
    char folder[4096];

    if (*path == '/')
        return strncmp(path, fault.under, strlen(fault.under)) == 0;
    return getcwd(folder, sizeof folder) && strncmp(folder, fault.under, strlen(fault.under)) == 0;
}

static bool counts_fd(int fd)
{
    char link[64], path[4096];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    return *path == '/' && counts_path(path);
}

/* Whether this call is the one: then errno is set, unless it comes short. */
static bool hits(enum call call, bool counts)
{
    int error = errno;
    bool hit =
        counts && atomic_fetch_add(&counted[call], 1) + 1 == fault.number && fault.call == call;

    errno = hit && fault.error ? fault.error : error;
    return hit;
}

#define TRANSFER(name, type, ...)                                                                  \
    {                                                                                              \
        bool hit = hits(CALL_##name, counts_fd(fd));                                               \
                                                                                                   \
        if (hit && fault.error)                                                                    \
            return -1;                                                                             \
        if (hit)                                                                                   \
            n = n > 1 ? n / 2 : n;                                                                 \
        return __VA_ARGS__;                                                                        \
    }

ssize_t read(int fd, void *to, size_t n) TRANSFER(read, ssize_t, REAL(read)(fd, to, n)) ssize_t
    write(int fd, const void *from, size_t n)
        TRANSFER(write, ssize_t, REAL(write)(fd, from, n)) ssize_t
    pread(int fd, void *to, size_t n, off_t at)
        TRANSFER(pread, ssize_t, REAL(pread)(fd, to, n, at)) ssize_t
    pwrite(int fd, const void *from, size_t n, off_t at)
        TRANSFER(pwrite, ssize_t, REAL(pwrite)(fd, from, n, at)) ssize_t
    pread64(int fd, void *to, size_t n, off_t at)
        TRANSFER(pread, ssize_t, REAL(pread)(fd, to, n, at)) ssize_t
    pwrite64(int fd, const void *from, size_t n, off_t at) TRANSFER(pwrite, ssize_t,
                                                                    REAL(pwrite)(fd, from, n, at))

#define FAILS(name, counts, failure, ...)                                                          \
    {                                                                                              \
        return hits(CALL_##name, counts) && fault.error ? (failure) : __VA_ARGS__;                 \
    }

        int fsync(int fd) FAILS(fsync, counts_fd(fd), -1, REAL(fsync)(fd)) int fdatasync(int fd)
            FAILS(fdatasync, counts_fd(fd), -1, REAL(fdatasync)(fd)) int ftruncate(int fd, off_t n)
                FAILS(ftruncate, counts_fd(fd), -1, REAL(ftruncate)(fd, n)) int ftruncate64(
                    int fd, off_t n) FAILS(ftruncate, counts_fd(fd), -1,
                                           REAL(ftruncate)(fd, n)) int rename(const char *a,
                                                                              const char *b)
                    FAILS(rename, counts_path(b), -1, REAL(rename)(a, b)) int link(
                        const char *a,
                        const char *b) FAILS(link, counts_path(b), -1,
                                             REAL(link)(a, b)) int linkat(int da,
                                                                          const char *a, int db,
                                                                          const char *b, int flags)
                        FAILS(link, counts_path(b), -1,
                              REAL(linkat)(da, a, db, b,
                                           flags)) int mkdir(const char *path, mode_t mode)
                            FAILS(mkdir, counts_path(path), -1, REAL(mkdir)(path, mode)) int unlink(
                                const char *path) FAILS(unlink, counts_path(path), -1,
                                                        REAL(unlink)(
                                                            path)) DIR *opendir(const char *path)
                                FAILS(opendir, counts_path(path), NULL,
                                      REAL(opendir)(path)) struct dirent *readdir(DIR *folder)
                                    FAILS(readdir, counts_fd(dirfd(folder)), NULL,
                                          REAL(readdir)(
                                              folder)) struct dirent64 *readdir64(DIR *folder)
                                        FAILS(readdir, counts_fd(dirfd(folder)), NULL,
                                              REAL(readdir64)(folder)) int fstat(int fd,
                                                                                 struct stat *to)
                                            FAILS(fstat, counts_fd(fd), -1,
                                                  REAL(fstat)(
                                                      fd,
                                                      to)) int fstat64(int fd, struct stat64 *to)
                                                FAILS(fstat, counts_fd(fd), -1,
                                                      REAL(fstat64)(fd,
                                                                    to)) int stat(const char *path,
                                                                                  struct stat *to)
                                                    FAILS(stat, counts_path(path), -1,
                                                          REAL(stat)(
                                                              path,
                                                              to)) int stat64(const char *path,
                                                                              struct stat64 *to)
                                                        FAILS(stat, counts_path(path), -1,
                                                              REAL(stat64)(path, to)) void
                                                            *mmap(void *at, size_t n, int rights,
                                                                  int flags, int fd, off_t from)
                                                                FAILS(mmap,
                                                                      fd >= 0 && counts_fd(fd),
                                                                      MAP_FAILED,
                                                                      REAL(mmap)(at, n, rights,
                                                                                 flags, fd,
                                                                                 from)) void
                                                                    *mmap64(void *at, size_t n,
                                                                            int rights, int flags,
                                                                            int fd, off_t from)
                                                                        FAILS(mmap,
                                                                              fd >= 0 &&
                                                                                  counts_fd(fd),
                                                                              MAP_FAILED,
                                                                              REAL(mmap)(at, n,
                                                                                         rights,
                                                                                         flags, fd,
                                                                                         from))

    /* As on a disk of the network: it is closed, and something was lost. */
    int close(int fd)
{
    bool hit = hits(CALL_close, counts_fd(fd));
    int result = REAL(close)(fd);

    if (!hit || !fault.error)
        return result;
    errno = fault.error;
    return -1;
}

#define OPENS(how)                                                                                 \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, flags);                                                                     \
        if (flags & (O_CREAT | __O_TMPFILE))                                                       \
            mode = va_arg(args, mode_t);                                                           \
        va_end(args);                                                                              \
        return hits(CALL_open, counts_path(path)) && fault.error ? -1 : how;                       \
    }

int open(const char *path, int flags, ...)
    OPENS(REAL(open)(path, flags, mode)) int open64(const char *path, int flags, ...)
        OPENS(REAL(open64)(path, flags, mode)) int openat(int at, const char *path, int flags, ...)
            OPENS(REAL(openat)(at, path, flags, mode))

    /* ---- streams: glibc's own calls go past the names above
       -------------------------------------- */

    static ssize_t stream_read(void *cookie, char *to, size_t n)
{
    return read((int)(intptr_t)cookie, to, n);
}

/* A stream takes 0 for a failure. */
static ssize_t stream_write(void *cookie, const char *from, size_t n)
{
    ssize_t done = write((int)(intptr_t)cookie, from, n);

    return done < 0 ? 0 : done;
}

static int stream_seek(void *cookie, off64_t *at, int whence)
{
    *at = lseek64((int)(intptr_t)cookie, *at, whence);
    return *at < 0 ? -1 : 0;
}

static int stream_close(void *cookie)
{
    return close((int)(intptr_t)cookie);
}

FILE *fdopen(int fd, const char *mode)
{
    const cookie_io_functions_t calls = {stream_read, stream_write, stream_seek, stream_close};

    return fd < 0 || !counts_fd(fd) ? REAL(fdopen)(fd, mode)
                                    : fopencookie((void *)(intptr_t)fd, mode, calls);
}

static FILE *open_stream(const char *path, const char *mode)
{
    int flags = strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
    int fd = open(path, flags | (*mode == 'w' ? O_CREAT | O_TRUNC : 0) | O_CLOEXEC, 0666);

    return fd < 0 ? NULL : fdopen(fd, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    return counts_path(path) ? open_stream(path, mode) : REAL(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return counts_path(path) ? open_stream(path, mode) : REAL(fopen64)(path, mode);
}
