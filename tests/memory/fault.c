/* fault.c - see fault.h. */
#define _GNU_SOURCE 1 /* dladdr() */

#include "fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH = 40, SPARED = 8 };

/* glibc's own, behind the names that are taken here. */
void *__libc_malloc(size_t nbytes);
void *__libc_calloc(size_t n, size_t nbytes);
void *__libc_realloc(void *memory, size_t nbytes);
void *__libc_memalign(size_t alignment, size_t nbytes);
void __libc_free(void *memory);

static atomic_bool counting, ever;
static atomic_long count, from;
static atomic_size_t live, peak, budget; /* bytes since fault_from() */

/* Who asked for the last that failed.  Shared, so that a process knows it of its children. */
static struct asker {
    void *stack[DEPTH]; /* innermost first */
    int depth;
} * asker;

static void note_asker(void)
{
    static _Thread_local bool inside; /* backtrace() may allocate */

    if (inside)
        return;
    inside = true;
    asker->depth = backtrace(asker->stack, DEPTH);
    inside = false;
}

static const char *spared[SPARED];
static int nspared;

static const char *library_of(const void *address, Dl_info *info);

static bool is_spared(const void *caller)
{
    Dl_info info;
    const char *library = nspared > 0 ? library_of(caller, &info) : NULL;

    for (int i = 0; library && i < nspared; i++)
        if (strncmp(library, spared[i], strlen(spared[i])) == 0)
            return true;
    return false;
}

static bool fails(size_t nbytes, const void *caller)
{
    long n, point = atomic_load(&from);

    if (!atomic_load(&counting) || is_spared(caller))
        return false;
    n = atomic_fetch_add(&count, 1);
    if (nbytes <= atomic_load(&budget) && atomic_load(&live) <= atomic_load(&budget) - nbytes &&
        (point < 0 || n < point || (n > point && !atomic_load(&ever))))
        return false;
    note_asker();
    errno = ENOMEM;
    return true;
}

/* Blocks from before, which are freed meanwhile, must not make `live` negative. */
static void gone(size_t nbytes)
{
    size_t now = atomic_load(&live);

    while (!atomic_compare_exchange_weak(&live, &now, now > nbytes ? now - nbytes : 0))
        continue;
}

static void come(size_t nbytes)
{
    size_t now = atomic_fetch_add(&live, nbytes) + nbytes, most = atomic_load(&peak);

    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        continue;
}

static void *taken(void *memory)
{
    if (memory && atomic_load(&counting))
        come(malloc_usable_size(memory));
    return memory;
}

void *malloc(size_t nbytes)
{
    return fails(nbytes, __builtin_return_address(0)) ? NULL : taken(__libc_malloc(nbytes));
}

void *calloc(size_t n, size_t nbytes)
{
    return fails(n * nbytes, __builtin_return_address(0)) ? NULL : taken(__libc_calloc(n, nbytes));
}

void *realloc(void *memory, size_t nbytes)
{
    size_t before = memory ? malloc_usable_size(memory) : 0;
    void *moved;

    if (nbytes > before && fails(nbytes, __builtin_return_address(0)))
        return NULL;
    moved = __libc_realloc(memory, nbytes);
    if (atomic_load(&counting) && (moved || nbytes == 0))
        gone(before);
    return taken(moved);
}

void *aligned_alloc(size_t alignment, size_t nbytes)
{
    return fails(nbytes, __builtin_return_address(0)) ? NULL : taken(__libc_memalign(alignment, nbytes));
}

int posix_memalign(void **out, size_t alignment, size_t nbytes)
{
    void *memory = fails(nbytes, __builtin_return_address(0)) ? NULL : taken(__libc_memalign(alignment, nbytes));

    if (!memory)
        return ENOMEM;
    *out = memory;
    return 0;
}

void free(void *memory)
{
    if (memory && atomic_load(&counting))
        gone(malloc_usable_size(memory));
    __libc_free(memory);
}

void *mmap(void *address, size_t nbytes, int protection, int flags, int fd, off_t offset)
{
    if (fails(nbytes, __builtin_return_address(0)))
        return MAP_FAILED;
    if (atomic_load(&counting))
        come(nbytes);
    return (void *)syscall(SYS_mmap, address, nbytes, protection, flags, fd, offset);
}

int munmap(void *address, size_t nbytes)
{
    if (atomic_load(&counting))
        gone(nbytes);
    return (int)syscall(SYS_munmap, address, nbytes);
}

/* ---- what fails ---------------------------------------------------------------------------- */

static void start(long n, bool all_later, size_t most)
{
    void *first[2];

    backtrace(first, 2); /* loads what it needs */
    if (!asker)
        asker =
            mmap(NULL, sizeof *asker, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (asker == MAP_FAILED)
        abort();
    asker->depth = 0;
    atomic_store(&count, 0);
    atomic_store(&live, 0);
    atomic_store(&peak, 0);
    atomic_store(&from, n);
    atomic_store(&ever, all_later);
    atomic_store(&budget, most);
    atomic_store(&counting, true);
}

void fault_from(long n, bool all_later)
{
    start(n, all_later, SIZE_MAX);
}

void fault_above(size_t nbytes)
{
    start(-1, false, nbytes);
}

size_t fault_peak(void)
{
    return atomic_load(&peak);
}

long fault_end(void)
{
    atomic_store(&counting, false);
    return atomic_load(&count);
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *text = getenv("KLDVE_FAULT");
    char *end;

    if (text && *text) {
        long n = strtol(text, &end, 10);

        fault_from(n, *end == '+');
    }
}

/* ---- who asked ----------------------------------------------------------------------------- */

/* The file name of the library that holds an address, without its folder; NULL: none. */
static const char *library_of(const void *address, Dl_info *info)
{
    const char *slash;

    if (!dladdr(address, info) || !info->dli_fname)
        return NULL;
    slash = strrchr(info->dli_fname, '/');
    return slash ? slash + 1 : info->dli_fname;
}

/* Not whoever asked, only on the way. */
static bool is_runtime(const char *library)
{
    static const char *const others[] = {"libc.", "libstdc++", "libfault", "ld-linux", "libgcc"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(library, others[i], strlen(others[i])) == 0)
            return true;
    return false;
}

/* The innermost frame of a library that asked, and of that library the outermost one beside it. */
static bool find(char library[FAULT_NAME], char function[FAULT_NAME])
{
    int at, n = asker ? asker->depth : 0;
    const char *name = NULL;
    Dl_info info;

    /* The frames of this file come first and may be the program's own. */
    for (at = 3; at < n; at++)
        if ((name = library_of(asker->stack[at], &info)) != NULL && !is_runtime(name))
            break;
    if (at >= n)
        return false;
    snprintf(library, FAULT_NAME, "%s", name);
    for (; at < n; at++) {
        name = library_of(asker->stack[at], &info);
        if (!name || strcmp(name, library) != 0)
            break;
        snprintf(function, FAULT_NAME, "%s", info.dli_sname ? info.dli_sname : "?");
    }
    return true;
}

void fault_spare(const char *library)
{
    if (nspared < SPARED)
        spared[nspared++] = library;
}

const char *fault_library(void)
{
    static char library[FAULT_NAME], function[FAULT_NAME];

    return find(library, function) ? library : "";
}

const char *fault_function(void)
{
    static char library[FAULT_NAME], function[FAULT_NAME];

    return find(library, function) ? function : "";
}
